"""How many good comments have a bare or disguised address: `python -m benchmarks.disguised --data DIR`, the folder of corpora.

Comments with an ordinary link are left out, since those count anyway.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from classifier.training import corpora
from moderation.text import markdown

SOURCES = (
    "pull_request_blogs/all",
    "blog_comments/all",
    "wiki_context/all",
    "code_review/all",
    "ru_vk/all",
    "impermium/train",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--show", type=int, default=0, metavar="N", help="print the hosts of the first N")
    given = options.parse_args()
    for source in SOURCES:
        path = given.data / f"{source}.csv.gz"
        if not path.is_file():
            print(f"{source}: not in the folder")
            continue
        count = 0
        with_address = list[tuple[str, ...]]()
        for example in corpora.rows(path, path.parent.name):
            is_good = example.labels and all(value < 0.5 for value in example.labels.values())
            if is_good and "http" not in example.text and "<a " not in example.text:
                count += 1
                if hosts := markdown.link_hosts(example.text):
                    with_address.append(hosts)
        print(f"{source}: {len(with_address)} of {count}, {len(with_address) / max(count, 1):.2%}")
        for hosts in with_address[: given.show]:
            print("  ", " ".join(host or "(a contact)" for host in hosts))


if __name__ == "__main__":
    main()
