"""Lists: what an entry stands for, that thousands cost no more than one, and that hostile text breaks nothing."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.text.wordlist import Listed, folded, is_disposable

LETTERS = st.text(st.sampled_from("abcßſÄé日本ก١-. *'+"), max_size=12)


@given(st.lists(LETTERS | st.text(max_size=8), max_size=6), st.text(max_size=60) | LETTERS)
def test_any_list_meets_any_text(entries: list[str], text: str) -> None:
    listed = Listed(entries)
    for entry in listed.in_text(text):
        assert entry in {e.strip() for e in entries}
        assert all(0 <= a < b <= len(text) for a, b in listed.spans(entry, text))
    listed.domain(text)
    listed.author(text)
    listed.address(text)


@given(st.lists(st.from_regex(r"[a-z]{1,4}( [a-z]{1,4})?", fullmatch=True), max_size=5), st.from_regex(r"[a-z ]{0,40}", fullmatch=True))  # fmt: skip
def test_plain_words_are_found_exactly_where_a_plain_search_finds_them(entries: list[str], text: str) -> None:
    wanted = {
        e
        for e in entries
        if re.search(rf"(?<!\w){re.sub(' ', ' +', re.escape(e).replace(chr(92) + ' ', ' '))}(?!\w)", text)
    }
    assert set(Listed(entries).in_text(text)) == wanted


@given(st.text(max_size=40))
def test_folding_twice_folds_no_further(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(text.upper()) == folded(text.upper().lower()) or not text.isascii()


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\ufe0f", "\u034f", "\U000e0041"])
def test_what_cannot_be_seen_does_not_count(unseen: str) -> None:
    assert folded(f"ca{unseen}sino") == "casino"
    assert unicodedata.category(unseen) in ("Cf", "Mn")


def test_a_word_is_pointed_at_where_it_is_written() -> None:
    listed = Listed(["bank", "赌场", "casin*"])
    text = "The Bank, the 好赌场 and casinos"
    assert [text[a:b] for e in listed.in_text(text) for a, b in listed.spans(e, text)] == ["Bank", "casinos", "赌场"]
    assert Listed(["bank"]).spans("bank", "Ｂank") == ()


@pytest.mark.parametrize(
    ("entry", "address", "caught"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.99/24", "203.0.113.8", True),
        ("0.0.0.0/0", "203.0.113.8", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("203.0.113.0/24", "::ffff:203.0.113.7", True),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::a", "2001:db8::a", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("203.0.113.7", "", False),
        ("203.0.113.7", "nonsense", False),
    ],
)
def test_networks(entry: str, address: str, caught: bool) -> None:
    assert Listed(["a word", entry]).address(address) is caught


@pytest.mark.parametrize(
    ("domain", "caught"),
    [("mailinator.com", True), ("x.mailinator.com", True), ("mailinator.com.example", False), ("gmail.com", False), ("com", False), ("", False)],
)  # fmt: skip
def test_disposable_domains(domain: str, caught: bool) -> None:
    assert is_disposable(domain) is caught


def test_a_star_inside_a_word_is_a_star_and_costs_nothing() -> None:
    listed = Listed(["*a*a*a*a*a*a*a*b*"])
    began = time.process_time()
    assert listed.in_text("a" * 10_000) == []
    assert time.process_time() - began < 0.5


def test_a_list_of_thousands_costs_a_look_up() -> None:
    """Ten thousand entries of every kind, and a comment of ordinary length. The bound is generous; one by one it is not met."""
    kinds = ("word{}", "two words{}", "pre{}*", "*post{}", "*mid{}*", "spam{}.example", "赌{}场", "10.{}.0.0/16")
    listed = Listed(kind.format(n % 250 if "/" in kind else n) for n in range(1250) for kind in kinds)
    text = "Last spring the old gate fell, and we built another one from what was left of the oak. " * 5
    runs = 50
    began = time.process_time()
    for _ in range(runs):
        assert (
            listed.in_text(text) == [] and listed.domain("mail.example.org") is None and not listed.address("192.0.2.1")
        )
    assert (time.process_time() - began) / runs < 0.005
