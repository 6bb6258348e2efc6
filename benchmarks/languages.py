"""How well the language of a comment is told, by language and length, and what a text costs.

    .venv/bin/python -m benchmarks.languages --data DIR

Comments of the corpora in DIR that their source does not call spam, at random, with at least four letters beside mentions and links.
`right`: the detection counts and agrees with the corpus. `default`: it does not count, so the text has the default language.
`wrong`: it counts and disagrees; some of these are texts in another language than their corpus.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import statistics
import time
from collections import Counter
from pathlib import Path

from moderation.dialects.languages import DEFAULT, LETTER, NO_WORDS, Detector

CORPORA = {
    "en": ["wiki_context/all", "fox_news/all", "unhealthy/test", "ruddit/all", "youtube_uci/all", "sms/all",
           "jigsaw/test_carved", "impermium/test"],
    "de": ["de_germeval2021/train", "de_germeval2018/test", "de_germeval2026/train"],
    "fr": ["fr_mlma/all"],
    "pt": ["pt_told/all", "pt_hatebr/all"],
    "tr": ["tr_offenseval/test"],
    "id": ["youtube_gambling_id/all"],
    "ru": ["ru_vk/all", "ru_paradetox/pairs"],
    "ar": ["ar_mlma/all"],
    "ko": ["ko_beep/dev", "ko_kmhas/dev"],
    "zh": ["zh_cold/test"],
    "ja": ["ja_inspection/all"],
}  # fmt: skip
LENGTHS = (30, 100, 300)
"""Characters at most; a character of dense scripts counts twice."""
DENSE = ("ko", "zh", "ja")
EACH = 400


def comments(data: Path, language: str) -> dict[int, list[str]]:
    """Length → texts."""
    found: dict[int, list[str]] = {length: [] for length in LENGTHS}
    for name in CORPORA[language]:
        with gzip.open(data / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                text = row["text"]
                size = len(text) * (2 if language in DENSE else 1)
                length = next((length for length in LENGTHS if size <= length), None)
                if length and row.get("spam") != "1" and len(LETTER.findall(NO_WORDS.sub(" ", text))) >= 4:
                    found[length].append(text)
    for texts in found.values():
        random.Random(1).shuffle(texts)
    return {length: texts[:EACH] for length, texts in found.items()}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, metavar="DIR")
    data = asked.parse_args().data
    csv.field_size_limit(10**9)
    began = time.perf_counter()
    detector = Detector()
    detector.load()
    print(f"loaded in {time.perf_counter() - began:.2f} s\n")
    times = []
    print("| language | characters | texts | right | default | wrong | as |\n|---|---|---|---|---|---|---|")
    for language in CORPORA:
        for length, texts in comments(data, language).items():
            found = Counter[str]()
            for text in texts:
                began = time.perf_counter()
                found[detector.detect(text).language] += 1
                times.append(time.perf_counter() - began)
            if not texts:
                continue
            right = found.pop(language, 0)
            default = 0 if language == DEFAULT else found.pop(DEFAULT, 0)
            wrong = sum(found.values())
            shares = " | ".join(f"{count / len(texts):.3f}" for count in (right, default, wrong))
            names = " ".join(f"{name} {count}" for name, count in found.most_common(4))
            print(f"| {language} | up to {length} | {len(texts)} | {shares} | {names} |")
    times.sort()
    print(f"\nµs a text: median {statistics.median(times) * 1e6:.0f}, p99 {times[len(times) * 99 // 100] * 1e6:.0f}")


if __name__ == "__main__":
    main()
