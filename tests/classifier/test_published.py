"""A better candidate that would hold again what the site has published stays where it is, and says how much it would hold."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from classifier import registry
from classifier.__main__ import main
from classifier.examples import Asked, Author, Example
from classifier.jsonl import line
from classifier.labels import LABELS
from classifier.serving import Base, Classifier
from classifier.training.published import FEWEST, Answer, Published
from classifier.training.train import Outcome, learn
from tests.classifier.conftest import GOOD

WAXES = ("shinywax", "tapers", "ladles", "cartons", "wicks", "tealights", "beeswax", "candles", "scents", "pallets")
TALK = ("zither", "quintet", "rehearsal", "bassoon", "choir", "encore", "tempo", "violin", "sonata", "rosin")
AT = {"spam": 0.9}
"""The site's threshold: the base gives what is sold here 0.6 to 0.8, and a correction 0.98."""


@pytest.fixture
def models(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "models"))


def spoken(words: tuple[str, ...] | list[str], count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choice(words) for _ in range(9)) for _ in range(count)]


def decisions() -> list[Example]:
    good = [Example(text, {"spam": 0.0, "toxicity": 0.0}, when=float(n)) for n, text in enumerate(spoken(TALK, 12, 1))]
    return good + [Example(text, {"spam": 1.0}, when=n + 0.5) for n, text in enumerate(spoken(WAXES, 12, 2))]


def published(waxes: int, others: int) -> list[Asked]:
    """Comments of the kind that the decisions call spam, and as many others."""
    return [Asked(text) for text in [*spoken(WAXES, waxes, 3), *spoken([*GOOD], others, 4)]]


def learnt(models: Path, comments: list[Asked], **more: float) -> Outcome:
    return learn(models, "music", decisions(), published=Published(comments, hold_at=AT, days=60, **more))


def test_the_answer_stands_in_words_and_as_counts_in_the_card(models: Path) -> None:
    outcome = learnt(models, published(3, 300))
    assert outcome.promoted, outcome
    assert outcome.why.endswith(
        "of 303 published comments of the last 60 days it would hold 3 more (1.0 %), and 0 fewer"
    )
    assert outcome.version
    figures = registry.read(registry.site_folder(models, "music"), outcome.version).card["figures"]
    assert figures == outcome.figures
    assert (figures["published comments"], figures["newly held"], figures["no longer held"]) == (303, 3, 0)
    assert not [word for word in (*WAXES, *TALK) if word in json.dumps(asdict(outcome))]


def test_too_many_newly_held_are_refused_and_nothing_is_written(models: Path) -> None:
    outcome = learnt(models, published(9, 300))
    assert not outcome.promoted
    assert outcome.version is None
    assert outcome.why.startswith("better on later decisions, but refused: of 309 published comments")
    assert outcome.why.endswith("it would hold 9 more (2.9 %), and 0 fewer; at most 2 % may be newly held")
    assert not registry.site_folder(models, "music").exists()
    assert learnt(models, published(9, 300), newly_held=0.05).promoted


def test_what_the_answer_counts_is_what_the_service_then_holds(models: Path) -> None:
    comments = published(3, 200)
    before, after = Classifier(models), Classifier(models)
    before.load()
    assert learnt(models, comments).promoted
    after.load()
    held = [
        sum(
            one.scores["spam"] >= AT["spam"]
            for one in classifier.score([Asked(c.text, site="music") for c in comments])
        )
        for classifier in (before, after)
    ]
    assert held[1] - held[0] == 3


def test_it_is_asked_beside_the_correction_that_serves(models: Path) -> None:
    assert learnt(models, []).promoted
    taken_back = [
        Example(f"{text} encore", {"spam": float("pallets" in text)}, when=1000.0 + n)
        for n, text in enumerate(spoken(WAXES, 40, 6))
    ]
    comments = published(150, 50)
    outcome = learn(models, "music", decisions() + taken_back, published=Published(comments, hold_at=AT))
    assert outcome.promoted, outcome
    assert outcome.figures["newly held"] == 0, "all of the kind are held already"
    assert outcome.figures["no longer held"] > 50


@pytest.mark.parametrize(
    ("count", "more", "refused"),
    [(0, 0, False), (10, 1, False), (10, 2, True), (49, 1, False), (50, 1, False), (50, 2, True), (1000, 20, False), (1000, 21, True)],
)  # fmt: skip
def test_few_comments_are_counted_as_of_fifty(count: int, more: int, refused: bool) -> None:
    answer = Answer(Published([Asked("x")] * count), more, 0)
    assert answer.is_refusal == refused
    assert ("at most 1 of so few may" in str(answer)) == (refused and count < FEWEST)
    assert ("at most 2 % may" in str(answer)) == (refused and count >= FEWEST)


def test_a_site_without_published_comments_says_so(models: Path) -> None:
    outcome = learnt(models, [])
    assert outcome.promoted
    assert outcome.why.endswith("there are no published comments of the last 60 days to ask about")


def test_what_a_site_files_is_not_published_either(models: Path) -> None:
    lax = Published(published(9, 300), hold_at={"spam": 0.999})
    assert learn(models, "music", decisions(), published=lax).figures["newly held"] == 0
    files = Published(published(9, 300), hold_at={"spam": 0.999}, spam_at=0.9)
    assert learn(models, "garden", decisions(), published=files).figures["newly held"] == 9


def test_the_command_asks_about_a_file_at_the_thresholds_of_the_base(
    base: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models, taught, asked = tmp_path / "models", tmp_path / "decisions.jsonl", tmp_path / "published.jsonl"
    card = base.folder.card | {"thresholds": dict.fromkeys(LABELS, 0.9)}
    registry.write(
        models, "bold", card, base.folder.data, {name: np.array(one) for name, one in base.folder.arrays.items()}
    )
    registry.point(models, "bold")
    taught.write_text("".join(line(example) + "\n" for example in decisions()))
    asked.write_text("".join(json.dumps({"text": c.text, "author": {"name": "Ann"}}) + "\n" for c in published(60, 60)))
    command = ["train", "--decisions", str(taught), "--site", "music", "--out", str(models), "--published", str(asked)]
    assert main(command) == 0
    refused = json.loads(capsys.readouterr().out)
    assert not refused["promoted"]
    assert "of 120 published comments it would hold " in refused["why"]
    assert main([*command, "--newly-held", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out)["promoted"]
    assert main([*command, "--newly-held", "2"]) == 2
    assert main(["train", "--data", str(tmp_path), "--out", str(models), "--published", str(asked)]) == 1
    assert "--decisions" in capsys.readouterr().err


def test_an_author_is_read_as_in_serving(models: Path) -> None:
    comments = [Asked(text, Author("Ann", "https://ann.example")) for text in spoken([*GOOD], 60, 5)]
    assert learnt(models, comments).figures["published comments"] == 60
