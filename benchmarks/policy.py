"""What the policy of a fresh site does to comments of blogs that the shipped model never saw.

`python -m benchmarks.policy --data DIR`: the folder of corpora with `pull_request_blogs`, whose owners decided on each comment. Each
comment is judged as a stranger's, without name, website and receipt, so the figures are those of a new site without known hosts.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from statistics import median

from classifier.examples import Asked
from classifier.serving import Classifier
from classifier.training import corpora
from moderation.comments.submission import Submission
from moderation.policy.rules import Case, judge
from moderation.sites.site_settings import NEW_SITE
from moderation.text import markdown

SOURCE, BATCH, FEWEST = "pull_request_blogs/all", 256, 20
ACTIONS = ("publish", "hold", "spam")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    path = options.parse_args().data / f"{SOURCE}.csv.gz"
    classifier = Classifier()
    classifier.load()
    rows = [example for example in corpora.rows(path, path.parent.name) if "spam" in example.labels]
    taken: dict[tuple[bool, str], Counter[str]] = {}
    for low in range(0, len(rows), BATCH):
        part = rows[low : low + BATCH]
        for example, scored in zip(part, classifier.score([Asked(example.text) for example in part]), strict=True):
            links = markdown.count_links(example.text)
            case = Case(
                submission=Submission.of(example.text, name="Ann"),
                settings=NEW_SITE,
                scores=scored.scores,
                thresholds=classifier.thresholds,
                links=links,
                strange_links=links,
            )
            taken.setdefault((example.labels["spam"] >= 0.5, example.group), Counter())[judge(case).action] += 1
    print(f"{classifier.version}, hold = suspects, {len(rows)} comments")
    for is_spam, name in ((False, "good"), (True, "spam")):
        blogs = [count for (spam, _), count in taken.items() if spam is is_spam]
        total = sum(blogs, Counter[str]())
        shares = {
            action: [count[action] / count.total() for count in blogs if count.total() >= FEWEST] for action in ACTIONS
        }
        print(
            f"{name}: {total.total()} of {len(blogs)} blogs; "
            + ", ".join(
                f"{action} {total[action] / total.total():.1%} (median blog {median(shares[action]):.1%})"
                for action in ACTIONS
            )
        )


if __name__ == "__main__":
    main()
