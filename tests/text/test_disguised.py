"""Disguised and bare addresses, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.text import html, markdown
from moderation.text.disguised import hosts

ADDRESSES = {
    "write to site (dot) com": "site.com", "visit casino[dot]com now": "casino.com", "casino{.}com": "casino.com",
    "www.x.example": "www.x.example", "x.example/path": "x.example", "goo.gl\\x": "goo.gl", "casino\uff0ecom": "casino.com",
    "casino\u3002com": "casino.com", "hxxp://evil.example/a": "www.evil.example", "h**p://evil.com": "www.evil.com",
    "my site is casino dot com": "casino.com", "best-casino.com": "best-casino.com", "t.me/abcde": "t.me",
    "wa.me/123456": "wa.me", "\U0001d41c\U0001d41a\U0001d42c\U0001d422\U0001d427\U0001d428.\U0001d41c\U0001d428\U0001d426": "casino.com",
    "cas\u200bino.com": "casino.com", "http:// casino.com": "casino.com", "casino .com": "casino.com",
    "visit Casino.Com today": "casino.com", "WWW.CASINO.COM": "www.casino.com", "casino.co.uk": "casino.co.uk",
    "hxxps[:]//evil[.]example/x": "www.evil.example", "пример.рф/путь": "xn--e1afmkfd.xn--p1ai", "join casino.xyz": "casino.xyz",
    "casino.com:8080": "casino.com", "see casino.com.": "casino.com", "(casino.com)": "casino.com", "casino.com!": "casino.com",
}  # fmt: skip
CONTACTS = (
    "QuickBooks support number 1-888-555-0199", "call our helpline +1 (800) 555 0199", "Telegram: @dealer_77",
    "WhatsApp +44 7700 900123", "Norton customer care 0800 1234 5678",
)  # fmt: skip
NONE = (
    "I use node.js", "e.g. this", "see readme.md", "at 5 p.m.today", "version 1.2.3", "v2.0", "i.e. it", "and/or", "Mr.Smith",
    "J.K. Rowling", "I was there.My friend", "done.Thanks", "asp.net", "System.Net.Http", "java.net.URL", "foo.bar()", "self.name",
    "index.html", "3.14", "10.000,50", "192.168.1.1", "ann@example.org", "the dot com bubble", "U.S.A.", "Ph.D.", "a.m./p.m.",
    "St.Louis", "saw it.Top marks", "he left.he came", "e.g./i.e.", "24. Dezember", "No.1", "yes.no", "hello...world",
    "console.log", "os.path.join", "my phone is 555 0199", "order 123456789012", "ISBN 978-3-16-148410-0",
    "2024-01-02 12:30", "a telegram group is nice", "I use signal and telegram a lot", "customer service was bad in 2019",
    "https://linked.example/ is linked already", "",
)  # fmt: skip


@pytest.mark.parametrize(("text", "host"), ADDRESSES.items())
def test_what_a_reader_takes_for_an_address_is_one(text: str, host: str) -> None:
    assert hosts(text) == [host]
    assert markdown.count_links(text) == 1 and len(html.read(text).link_hosts) == 1


@pytest.mark.parametrize("text", CONTACTS)
def test_a_contact_is_a_link_without_a_host(text: str) -> None:
    assert hosts(text) == [""]


@pytest.mark.parametrize("text", NONE)
def test_prose_code_and_numbers_are_none(text: str) -> None:
    assert hosts(text) == []


def test_code_and_linked_words_are_no_bare_addresses() -> None:
    assert markdown.link_hosts("Set `casino.com` in\n\n```\nwww.casino.com/x\n```\n") == ()
    assert markdown.link_hosts("[casino.com](https://casino.com/x)") == ("casino.com",)
    assert html.read("<code>casino.com</code> <pre>www.casino.com</pre>").link_hosts == ()
    assert html.read('<a href="https://casino.com/x">casino.com</a>').link_hosts == ("casino.com",)
    assert html.read("casi<b>no</b>.com").link_hosts == ("casino.com",)


def test_an_address_that_leads_on_to_another_has_no_host() -> None:
    for address in (
        "https://a.example/?u=https://b.example",
        "https://a.example/r/http%3A%2F%2Fb.example",
        "https://a.example/?u=//b.example",
    ):
        assert markdown.link_hosts(f"See {address} there") == ("",)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abc.com /\\:-()[]dot wh@9+\u3002\uff0e\u200bп", max_size=80))
def test_any_text_is_taken(text: str) -> None:
    found = hosts(text)
    assert all(host == host.lower() and host.isascii() and " " not in host for host in found)
