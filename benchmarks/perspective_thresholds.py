"""What a threshold of a Perspective client means with the shipped model, on test files that it never saw.

.venv/bin/python -m benchmarks.perspective_thresholds --data DIR
"""

from __future__ import annotations

import argparse
import csv
import gzip
from pathlib import Path

from classifier.examples import Asked
from classifier.serving import Classifier
from classifier.training import synthetic
from moderation.dialects.perspective import ATTRIBUTES

TESTS = (
    ("TOXICITY", "en", "jigsaw/test_carved"),
    ("TOXICITY", "en", "olid/test"),
    ("TOXICITY", "de", "de_germeval2018/test"),
    ("TOXICITY", "zh", "zh_cold/test"),
    ("TOXICITY", "ko", "ko_beep/dev"),
    ("SEVERE_TOXICITY", "en", "jigsaw/test_carved"),
    ("IDENTITY_ATTACK", "en", "jigsaw/test_carved"),
    ("IDENTITY_ATTACK", "en", "edos/test"),
    ("INSULT", "en", "jigsaw/test_carved"),
    ("INSULT", "en", "impermium/test"),
    ("PROFANITY", "en", "jigsaw/test_carved"),
    ("THREAT", "en", "jigsaw/test_carved"),
    ("THREAT", "en", "ethos/all"),
    ("SPAM", "en", "today"),
)
"""Attribute, language, and the test file of its label."""
THRESHOLDS = (0.3, 0.5, 0.7, 0.8, 0.9)


def rows(data: Path, name: str, label: str) -> list[tuple[str, bool]]:
    """The texts of a file that say something about the label; `today` is our own (`classifier/training/today.toml`)."""
    if name == "today":
        return [(example.text, example.labels[label] == 1) for example in synthetic.kept_back()]
    with gzip.open(data / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        return [(row["text"], row[label] == "1") for row in csv.DictReader(file) if row[label]]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, metavar="DIR")
    data = asked.parse_args().data
    csv.field_size_limit(10**9)
    classifier = Classifier()
    classifier.load()
    print("| attribute | language | test file | of it | " + " | ".join(f"≥ {at}" for at in THRESHOLDS) + " |")
    print("|---|---|---|---|" + "---|" * len(THRESHOLDS))
    for attribute, language, name in TESTS:
        label = ATTRIBUTES[attribute]
        labelled = rows(data, name, label)
        scores = [one.scores[label] for one in classifier.score([Asked(text) for text, _ in labelled])]
        good = [score for score, (_, is_bad) in zip(scores, labelled, strict=True) if not is_bad]
        bad = [score for score, (_, is_bad) in zip(scores, labelled, strict=True) if is_bad]
        cells = []
        for at in THRESHOLDS:
            found, wrong = sum(score >= at for score in bad), sum(score >= at for score in good)
            right = f"{found / (found + wrong):.0%}" if found + wrong else "–"
            cells.append(f"{found / len(bad):.0%} · {wrong / len(good):.1%} · {right}")
        print(f"| `{attribute}` | {language} | {name} | {len(bad)} of {len(labelled)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
