"""What a person would expect of the shipped model. The texts are our own."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from classifier import serving
from classifier.examples import Asked, Author
from classifier.labels import LABELS
from classifier.serving import Classifier


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    classifier = Classifier()
    classifier.load()
    return classifier


def scores(shipped: Classifier, text: str, url: str = "") -> dict[str, float]:
    return shipped.score([Asked(text, Author("Ann", url))])[0].scores


GOOD = (
    "Great article, thanks! I had the same problem with my garden last spring.",
    "The council should fix the road before winter, my bike broke twice.",
    "I disagree completely. The author has not read the report, and the numbers in the second table are wrong.",
    "We baked this on Sunday and even my brother asked for more.",
    "Does it also run on the older version? Mine stops at the second step.",
)


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("url", ["", "https://ann.example"])
def test_good_comments_are_not_held(shipped: Classifier, text: str, url: str) -> None:
    found = scores(shipped, text, url)
    assert [label for label in LABELS if found[label] >= shipped.thresholds[label]] == []


def test_blatant_spam(shipped: Classifier) -> None:
    text = "Buy cheap viagra online http://pills.example BEST PRICE!!! casino loans"
    assert scores(shipped, text)["spam"] >= 0.99


@pytest.mark.parametrize("label", ["toxicity", "insult"])
def test_direct_insult(shipped: Classifier, label: str) -> None:
    found = scores(shipped, "You are a stupid idiot and everyone hates you")
    assert found[label] >= shipped.thresholds[label]


INSULT = "You are a stupid idiot and everyone hates you."


@pytest.mark.parametrize(
    "text",
    [
        "You are a s.t.u.p.i.d i.d.i.o.t and everyone hates you",
        "You are a stuuuupid idiiiiot and everyone hates you",
        "You are a st\u200bupid id\u200biot and everyone hates you",
        "You are a stυpid idіot and everyone hates you",
        "You are a 5tup1d 1d10t and everyone hates you",
    ],
)
def test_a_disguise_does_not_help(shipped: Classifier, text: str) -> None:
    assert scores(shipped, text)["toxicity"] >= shipped.thresholds["toxicity"]


def test_padding_does_not_hide(shipped: Classifier) -> None:
    padding = "The tomatoes grew well on the south wall and we ate them with bread in the evening. " * 15
    text = f"{padding}{INSULT} Shut up, you pathetic moron, and go away. {padding}"
    assert scores(shipped, text)["toxicity"] > 5 * scores(shipped, padding + padding)["toxicity"]


TERMS = ("gay", "lesbian", "muslim", "jewish", "christian", "black", "white", "asian", "trans", "blind", "mexican")


@pytest.mark.parametrize("template", ["I am a {} person.", "My {} neighbour bakes bread.", "You {} fool, go away!"])
def test_who_somebody_is_weighs_nothing(shipped: Classifier, template: str) -> None:
    for label in LABELS:
        if label not in ("identity_attack", "spam"):
            found = [scores(shipped, template.format(term))[label] for term in TERMS]
            assert max(found) - min(found) < 1e-4


def test_an_attack_on_people_is_found(shipped: Classifier) -> None:
    found = scores(shipped, "I hate muslim people, they are vermin and should all be thrown out.")
    assert found["identity_attack"] >= shipped.thresholds["identity_attack"]


def test_a_threat_is_found(shipped: Classifier) -> None:
    assert scores(shipped, "I will kill you and your family.")["threat"] >= shipped.thresholds["threat"]


@pytest.mark.parametrize(
    "text",
    [
        "I lost $60,000 to a fake broker and a hacker got it all back, contact him on WhatsApp +1 202 555 0147",
        "Nice blog. For SEO services in Dubai visit https://rank-first.example today",
        "cheap replica handbags outlet http://bags.example free shipping",
    ],
)
def test_spam_of_today_is_held(shipped: Classifier, text: str) -> None:
    assert scores(shipped, text)["spam"] >= shipped.thresholds["spam"]


def test_a_link_in_the_authors_url_alone_says_little(shipped: Classifier) -> None:
    for text in GOOD:
        assert scores(shipped, text, "https://ann.example")["spam"] - scores(shipped, text)["spam"] < 0.1


@pytest.mark.parametrize("text", ["", " ", "ok", "😀", "Nice!", "First!", "+1", "日本語のコメントです"])
def test_short_texts_are_not_held(shipped: Classifier, text: str) -> None:
    found = scores(shipped, text)
    assert [label for label in LABELS if found[label] >= shipped.thresholds[label]] == []


def test_it_loads_quickly_and_is_small() -> None:
    folder = Path(serving.__file__).parent / "models"
    size = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert sum(size.values()) < 48 * 2**20
    of_reader = ("reader.onnx", "tokenizer.json", "anchor_vectors.npy")
    assert sum(count for path, count in size.items() if path.name not in of_reader) < 16 * 2**20
    times = []
    for _ in range(3):
        start = time.process_time()
        Classifier(reader=False).load()
        # processor time: other work on the machine is not the model's
        times.append(time.process_time() - start)
    assert min(times) < 0.1
    start = time.process_time()
    Classifier().load()
    assert time.process_time() - start < 1, "with the second reader"
