"""What the policy of a fresh site does to comments that neither table nor reader saw: what an editor feels of the shipped model.

`python -m benchmarks.policy --data DIR [--most N] [--models DIR] [--table]`: the folder of corpora. First the blogs left out whole, whose
owners decided on each comment, then the parts for reports, at most N rows of each. Each comment is judged as a stranger's, without
name, website and receipt, so the figures are those of a new site without known hosts. `--table`: without the second reader.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from classifier.examples import Asked, Example
from classifier.serving import Classifier
from classifier.training import corpora
from classifier.training.dataset import LEFT_OUT
from classifier.training.measure import share
from classifier.training.parts import parts
from classifier.views import Fold
from moderation.comments.submission import Submission
from moderation.policy.rules import Case, judge
from moderation.sites.site_settings import NEW_SITE
from moderation.text import markdown

BLOGS, BATCH, FEWEST = "pull_request_blogs/all", 64, 20
ACTIONS = ("publish", "hold", "spam")
KINDS = ("good", "toxic", "spam")
Taken = Mapping[str, Counter[str]]
"""Kind → how often each action is taken."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--most", type=int, default=400)
    options.add_argument("--models", type=Path)
    options.add_argument("--table", action="store_true")
    given = options.parse_args()
    classifier = Classifier(given.models, reader=not given.table)
    classifier.load()
    who = "table and reader" if classifier.reads_twice else "the table alone"
    print(f"{classifier.version}, {who}, hold = suspects\n")
    print("| | " + " | ".join(f"{kind}: published · held · filed" for kind in KINDS) + " |\n|" + " --- |" * 4)
    path = given.data / f"{BLOGS}.csv.gz"
    blogs: dict[str, list[Example]] = {}
    for example in corpora.rows(path, path.parent.name):
        if example.group in LEFT_OUT and "spam" in example.labels:
            blogs.setdefault(example.group, []).append(example)
    whole: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for name, examples in sorted(blogs.items()):
        found = taken(classifier, examples)
        print(line(name, found), flush=True)
        for kind in KINDS:
            whole[kind] += found[kind]
    print(line("**blogs left out, together**", whole))
    for part in parts(given.data, Fold(corpora.confusables(given.data))):
        some = random.Random(1).sample(part.examples, min(len(part.examples), given.most))
        print(line(part.name, taken(classifier, some)), flush=True)


def taken(classifier: Classifier, examples: Sequence[Example]) -> dict[str, Counter[str]]:
    """Kind → how often each action is taken on its comments."""
    found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for low in range(0, len(examples), BATCH):
        some = examples[low : low + BATCH]
        for example, scored in zip(some, classifier.score([Asked(one.text) for one in some]), strict=True):
            links = markdown.count_links(example.text)
            case = Case(
                submission=Submission.of(example.text, name="Ann"),
                settings=NEW_SITE,
                scores=scored.scores,
                thresholds=classifier.thresholds,
                links=links,
                strange_links=links,
                fields=scored.fields,
            )
            found[kind_of(example)][judge(case).action] += 1
    return found


def kind_of(example: Example) -> str:
    if example.labels.get("spam", 0) >= 0.5:
        return "spam"
    return "toxic" if max(example.labels.values()) >= 0.5 else "good"


def line(name: str, found: Taken) -> str:
    return f"| {name} | " + " | ".join(cell(found[kind]) for kind in KINDS) + " |"


def cell(count: Counter[str]) -> str:
    """The shares in percent, the first with its 95 % interval, and how many comments there were."""
    total = count.total()
    if total < FEWEST:
        return f"– ({total})" if total else "–"
    of = [f"{count[action] / total:.1%}" for action in ACTIONS]
    (low, high) = share(count["publish"], total)[1]
    return f"{of[0]} [{low:.1%}, {high:.1%}] · {of[1]} · {of[2]} ({total})"


if __name__ == "__main__":
    main()
