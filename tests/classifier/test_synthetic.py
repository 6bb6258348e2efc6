"""Texts of our own writing: every template can be filled, nothing in them is anybody's, and what is kept back stays so."""

from __future__ import annotations

import csv
import gzip
import re
import tomllib
from pathlib import Path

from classifier.identity import TERMS
from classifier.training import synthetic
from classifier.training.dataset import key, load_rows
from classifier.views import Fold

TOLD = tomllib.loads(synthetic.TEMPLATES.read_text("utf-8"))
KEPT_BACK = tomllib.loads(synthetic.KEPT_BACK.read_text("utf-8"))
WRITTEN = [
    *(text for kind in TOLD["kind"] for text in kind["texts"]),
    *(word for words in TOLD["slots"].values() for word in words),
    *KEPT_BACK["spam"],
    *KEPT_BACK["good"],
]


def test_every_template_is_filled_and_every_slot_is_used() -> None:
    named = [slot for text in WRITTEN for slot in re.findall(r"\{(\w*)\}", text)]
    assert set(named) - {"term"} == set(TOLD["slots"]) - {"ending"}
    for example in synthetic.texts(1, 0.1):
        assert not re.search(r"[{}]", example.text), example.group


def test_hosts_are_nobodys_until_they_are_filled() -> None:
    named = [host for text in WRITTEN for host in re.findall(r"(?:https?://|www\.|@)[^\s\]\")>/,]*\.([a-z]+)", text)]
    assert set(named) == {"example"}
    filled = [e.text for e in synthetic.texts(1) if "http" in e.text]
    assert filled and not any(".example" in text for text in filled)


def test_phone_numbers_are_of_the_ranges_that_are_kept_for_fiction() -> None:
    long = [number for text in WRITTEN for number in re.findall(r"\+\d[\d (){}d-]{8,}", text)]
    assert long and all(re.search(r"555\D{1,3}0|7700 900", number) for number in long), long


def test_the_same_seed_gives_the_same_texts() -> None:
    first = [(e.text, e.labels, e.author, e.group) for e in synthetic.texts(3, 0.2)]
    assert first == [(e.text, e.labels, e.author, e.group) for e in synthetic.texts(3, 0.2)]
    assert first != [(e.text, e.labels, e.author, e.group) for e in synthetic.texts(4, 0.2)]


def test_the_fillings_of_a_template_differ() -> None:
    fold = Fold({})
    texts = list(synthetic.texts(1))
    assert len({key(e.text, fold) for e in texts}) > 0.9 * len(texts)
    asked = sum(kind["fillings"] * len(kind["texts"]) for kind in TOLD["kind"])
    assert len(texts) == asked
    assert 0.04 * asked < len(list(synthetic.texts(1, 0.05))) < 0.06 * asked


def test_spam_has_good_comments_about_the_same_things_beside_it() -> None:
    label = {kind["name"]: kind["label"] for kind in TOLD["kind"]}
    assert len(label) == len(TOLD["kind"])
    alone = [name for name, what in label.items() if what == "spam" and label.get(f"{name}, honest") != "good"]
    assert alone == ["spam known by its links and stock phrases", "foreign language spam, more"]


def test_who_somebody_is_stands_in_neutral_sentences_as_in_hostile_ones() -> None:
    for label in ("good", "hostile"):
        templates = [text for kind in TOLD["kind"] if kind["label"] == label for text in kind["texts"]]
        assert any("{term}" in text for text in templates), label
    assert any(term in e.text for e in synthetic.texts(1) if e.labels["spam"] == 0 for term in TERMS)


def test_what_is_kept_back_is_never_trained_on(tmp_path: Path) -> None:
    kept = synthetic.kept_back()
    assert len(kept) == len({e.text for e in kept}) > 300
    (tmp_path / "sms").mkdir()
    with gzip.open(tmp_path / "sms" / "all.csv.gz", "wt", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(
            [("text", "spam"), (f"{kept[0].text.upper()}!", 1), ("Call me when the train is in, mum.", 0)]
        )
    rows, _ = load_rows(tmp_path, Fold({}), 1)
    assert [e.text for e, copy in zip(rows.examples, rows.copy, strict=True) if e.source == "sms" and not copy] == [
        "Call me when the train is in, mum."
    ]
    assert not {key(e.text, Fold({})) for e in rows.examples} & {key(e.text, Fold({})) for e in kept}
