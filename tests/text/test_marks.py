"""Lengths are looked at before anything is normalised, and what nobody could have typed costs no more than its length."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from contextlib import suppress

import pytest

from moderation.articles import page_metadata
from moderation.comments import submission
from moderation.comments.submission import NAME_LONGEST, check
from moderation.core import signing
from moderation.core.problem import Invalid
from moderation.queue import block
from moderation.sites.site_settings import SiteSettings
from moderation.text import wordlist
from moderation.text.addresses import checked_email, checked_url
from moderation.text.wordlist import Listed
from moderation.transfer.normalise import clean_name
from tests.growth import check_growth

MARKS = "\u0323\u0301"
GOOD = {"name": "Ann", "email": "ann@a.example", "body": "Hello"}
RULES = SiteSettings()


def wrong(**fields: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as told:
        check(GOOD | fields, RULES)
    return [(error.field, error.code) for error in told.value.errors]


def test_a_name_that_no_composing_makes_fit_is_too_long_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(form: str, text: str) -> str:
        raise AssertionError("normalised")

    monkeypatch.setattr(submission, "normalize", read)
    assert wrong(name="A" + MARKS * 64_000) == [("name", "too_long")]


def test_a_name_counts_as_it_is_stored() -> None:
    vietnamese = unicodedata.normalize("NFD", "ệ" * NAME_LONGEST)
    assert len(vietnamese) == 3 * NAME_LONGEST
    assert check(GOOD | {"name": vietnamese}, RULES).name == "ệ" * NAME_LONGEST
    assert wrong(name=vietnamese + "x") == [("name", "too_long")]


def test_a_name_with_a_tower_of_marks_is_stored_as_it_was_typed() -> None:
    name = "Z" + MARKS * 50 + "oe"
    assert check(GOOD | {"name": name}, RULES).name == name
    assert len(name) > 31, "more than the stream-safe format has in a row"


@pytest.mark.parametrize("text", ["a" + MARKS * 100 + "@a.example", "a@" + "é" * 300 + ".example", "a" * 300_000])
def test_what_is_too_long_or_too_tall_is_no_address(text: str) -> None:
    assert checked_email(text) is None


@pytest.mark.parametrize("host", ["a" + MARKS * 100, "é" * 254, "a" + MARKS * 64_000, "é." * 1_000])
def test_nor_a_web_address(host: str) -> None:
    assert checked_url(f"https://{host}.example/") is None


WHOLE: dict[str, tuple[Callable[[str], object], int]] = {
    "name": (lambda text: [check(GOOD | {"name": name}, RULES).name for name in [text[:NAME_LONGEST]] * 40], 980),
    "body_key": (lambda text: check(GOOD | {"body": text}, RULES).body_key, 9_999),
    "body": (lambda text: check(GOOD | {"body": f"x{text}"}, SiteSettings(max_body=65_525)), 60_000),
    "an imported name": (clean_name, 100_000),
    "a page's title": (page_metadata.title, 200_000),
    "an avatar": (signing.Signer(b"x" * 32).avatar, 20_000),
    "folded": (wordlist.folded, 40_000),
    "a domain": (lambda text: wordlist.ascii_domain.__wrapped__(f"{text}.example"), 20_000),
    "its parents": (lambda text: Listed(["b.example"]).domain(f"{text}.b.example"), 40_000),
    "a list": (lambda text: LISTED.in_text(text), 20_000),  # folded, one of the units has 18 characters
    "the place of an entry": (lambda text: LISTED.spans("spam.example", text), 40_000),
    "an address in a comment": (lambda text: block.LINK.findall(f"https://{text}"), 40_000),
}
LISTED = Listed(["casino", "cheap pills", "*asin*", "spam.example", "*.bad.example", "buy-now", "賭博"])
UNITS = [
    MARKS,
    "a",
    "-",
    ".",
    "a.",
    "-.",
    "a-",
    "é",
    "\ufdfa",
    "\u200d",
    "1",
    "@",
    "a@",
    "賭",
    "buy-",
    " ",
    "cheap ",
    "\u202e",
]


@pytest.mark.parametrize("where", WHOLE)
@pytest.mark.parametrize("unit", UNITS)
def test_four_times_the_length_takes_no_more_than_four_times_as_long(where: str, unit: str) -> None:
    read, most = WHOLE[where]

    def reading(length: int) -> Callable[[], None]:
        text = (unit * length)[:length]

        def once() -> None:
            with suppress(Invalid):
                read(text)

        return once

    check_growth(reading(most), reading(most // 4))


def test_a_host_is_found_wherever_it_begins() -> None:
    listed = Listed(["b.example"])
    assert listed.in_text("see a.b.example, or -b.example") == ["b.example"]
    assert listed.domain("a." * 5_000 + "b.example") == "b.example"
    assert listed.in_text("a" * 9_000 + ".c.example") == []
