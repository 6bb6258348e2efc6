"""Akismet's protocol: keys, comments and words, without HTTP."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from moderation.comments.model import Comment
from moderation.comments.verdict import HOLD, PUBLISH, REJECT, SPAM
from moderation.dialects import akismet
from moderation.dialects.akismet_form import Parameters
from moderation.dialects.model import Check
from moderation.policy.rules import RULES

KEY = "0123456789ab"
NOW = 1_800_000_000_000


def given(**values: str) -> Parameters:
    return Parameters(values.items())


def check(agent: str = "", **values: str) -> Check:
    return akismet.check_of(given(**values), agent, NOW)


# --- the key -----------------------------------------------------------------------------------------------------------


def test_the_key_that_is_tried_comes_before_the_stored_one() -> None:
    both = given(key="new", api_key="stored")
    assert akismet.key_parameter(both, key_first=True) == "new"
    assert akismet.key_parameter(both, key_first=False) == "stored"


@pytest.mark.parametrize("key_first", [True, False])
def test_either_name_alone_will_do_and_an_empty_key_is_one(key_first: bool) -> None:
    assert akismet.key_parameter(given(key=KEY), key_first=key_first) == KEY
    assert akismet.key_parameter(given(api_key=KEY), key_first=key_first) == KEY
    assert akismet.key_parameter(given(api_key=""), key_first=key_first) == ""
    assert akismet.key_parameter(given(blog="x"), key_first=key_first) is None


@pytest.mark.parametrize(
    ("host", "keys"),
    [
        (f"{KEY}.rest.akismet.com", [KEY]),
        (f"{KEY.upper()}.Rest.Akismet.com:8000", [KEY]),
        (f"{KEY}.localhost:8000", [KEY]),
        (f"{KEY}.x.", [KEY]),
        (KEY, []),
        (f"{KEY}:8000", []),
        (f"{KEY}.", []),
        ("rest.akismet.com", []),
        ("moderation.example.org:8000", []),
        ("127.0.0.1:8000", []),
        ("[::1]:8000", []),
        ("", []),
        (f"{KEY}0.rest.akismet.com", []),
    ],
)
def test_the_host_s_first_label_may_be_a_key(host: str, keys: list[str]) -> None:
    assert akismet.keys_elsewhere(host, "") == keys


def test_the_user_name_of_basic_credentials_may_begin_with_a_key() -> None:
    credentials = base64.b64encode(f"{KEY}.x:undefined".encode()).decode()
    assert akismet.keys_elsewhere("127.0.0.1:8000", f"Basic {credentials}") == [KEY]
    assert akismet.keys_elsewhere("127.0.0.1:8000", f"Bearer {credentials}") == []


@pytest.mark.parametrize("sent", ["Basic", "Basic ", "Basic !!!", "Basic \u00ff", "Basic YQ", "basic ===="])
def test_broken_credentials_hold_no_key(sent: str) -> None:
    assert akismet.keys_elsewhere("localhost", sent) == []


# --- the site ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blog", "is_blog", "name"),
    [
        ("https://blog.example.com/", True, "blog.example.com"),
        ("http://Blog.Example.com:8080/news/", True, "blog.example.com:8080/news"),
        ("http://localhost", True, "localhost"),
        ("https://bücher.example", True, "xn--bcher-kva.example"),
        ("blog.example.com", False, "blog.example.com"),
        ("ftp://blog.example.com", False, "ftp://blog.example.com"),
        ("not a blog, but ünicode\n", False, "not%20a%20blog%2C%20but%20%C3%BCnicode"),
        ("https://", False, "https:"),
        ("", False, ""),
    ],
)
def test_a_blog_and_its_name(blog: str, is_blog: bool, name: str) -> None:
    assert akismet.is_blog(blog) is is_blog
    assert akismet.site_name(blog) == name and akismet.site_name(blog).isascii()


def test_a_submission_without_a_blog_belongs_to_the_site_of_its_page() -> None:
    assert akismet.site_of(given(permalink="https://news.example/2026/story?a=b")) == "news.example"
    assert akismet.site_of(given(blog="https://a.example", permalink="https://b.example/x")) == "a.example"
    assert akismet.site_of(given()) == ""
    assert len(akismet.site_name("https://" + "ü" * 5000)) <= 200


# --- the comment -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_"),
    [("", "comment"), ("comment", "comment"), ("reply", "comment"), ("forum-post", "comment"), ("post-voting-comment", "comment"),
     ("signup", "comment"), ("pingback", "pingback"), ("trackback", "pingback"), ("contact-form", "contact"), ("review", "review"),
     ("Pingback", "pingback"), ("anything else", "comment")],
)  # fmt: skip
def test_kinds(kind: str, is_: str) -> None:
    assert check(comment_type=kind).kind == is_
    assert check(content_type=kind).kind == is_


def test_the_content_type_counts_only_without_a_comment_type() -> None:
    assert check(comment_type="comment", content_type="pingback").kind == "comment"


def test_a_comment_has_the_fields_that_judging_uses_and_no_other() -> None:
    found = check(
        comment_author=" Ann ", comment_author_email="ann@example.org", comment_author_url="https://ann.example",
        comment_content="Words", user_ip="203.0.113.9", permalink="https://blog.example/post#comments",
        comment_date_gmt="2026-11-23 07:12:20", HTTP_COOKIE="secret=1", REMOTE_ADDR="203.0.113.77", POST_author="Ann",
        user_agent="Reader/1.0", referrer="https://elsewhere.example", comment_agent="Reader/1.0",
    )  # fmt: skip
    assert found == Check(
        text="Words", format="html", name="Ann", url="https://ann.example", email="ann@example.org", ip="203.0.113.9",
        article="https://blog.example/post", date=1_795_417_940_000,
    )  # fmt: skip


def test_a_call_with_a_text_alone_is_a_comment_without_a_mark_against_it() -> None:
    assert check(comment_content="Words") == Check(text="Words", format="html")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-01T00:00:00.000Z", 1_767_225_600_000),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600_000),
        ("2026-01-01 00:00:00", 1_767_225_600_000),
        ("2999-01-01T00:00:00Z", None),
        ("0000-00-00 00:00:00", None),
        ("1969-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_that_cannot_be_is_ignored(text: str, at: int | None) -> None:
    assert check(comment_date_gmt=text).date == at


def test_discourse_writes_markdown_and_everybody_else_is_read_as_html() -> None:
    assert check("Discourse/3.5.0 | discourse-akismet/0.1.0").format == "markdown"
    assert check("WordPress/7.1 | Akismet/5.7.2").format == check("").format == "html"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (r"I\'m \"here\"", 'I\'m "here"'),
        (r"C:\\dir and I\'m", r"C:\dir and I'm"),
        ('I\'m "here"', 'I\'m "here"'),
        (r"C:\dir", r"C:\dir"),
        (r"I'm at C:\\dir", r"I'm at C:\\dir"),
        (r"ends in a \\", "ends in a \\"),
        (r"a\0b", "ab"),
        ("\\" * 100_001, "\\" * 100_001),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_wordpress_slashes_what_it_has_not_stored_yet(sent: str, text: str) -> None:
    found = check("WordPress/7.1 | Akismet/5.7.2", comment_content=sent, comment_author=sent, comment_author_email=sent)
    assert found.text == text and found.name == found.email == text.strip()
    assert check("Other/1.0", comment_content=sent).text == sent


@pytest.mark.parametrize(
    ("values", "article"),
    [
        ({"permalink": "https://a.example/x", "blog": "https://a.example"}, "https://a.example/x"),
        ({"blog": "https://a.example", "comment_post_ID": "12"}, "https://a.example?p=12"),
        ({"blog": "https://a.example", "comment_post_ID": "0"}, "https://a.example"),
        ({"blog": "https://a.example", "comment_post_ID": "9" * 5000}, "https://a.example?p=" + "9" * 5000),
        ({"blog": "https://a.example", "comment_post_ID": "²"}, "https://a.example"),
        ({}, ""),
    ],
)
def test_the_article_is_the_page_else_the_posts_number_else_the_blog(values: dict[str, str], article: str) -> None:
    assert check(**values).article == article


@pytest.mark.parametrize(
    ("values", "is_filled"),
    [
        ({"honeypot_field_name": "hp", "hp": "x"}, True),
        ({"honeypot_field_name": "hp", "POST_hp": "x"}, True),
        ({"honeypot_field_name": "hp", "hp": ""}, False),
        ({"honeypot_field_name": "hp"}, False),
        ({"honeypot_field_name": ""}, False),
        ({"hp": "x"}, False),
        ({"POST_ak_hp_textarea": "x"}, True),
        ({"POST_ak_hp_textarea": ""}, False),
        ({"POST_ak_js": "12"}, False),
    ],
)
def test_a_hidden_field_with_a_value(values: dict[str, str], is_filled: bool) -> None:
    assert check(**values).honeypot is is_filled


# --- the answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"comment_author": "viagra-test-123"}, "true"),
        ({"comment_author": "akismet-guaranteed-spam"}, "true"),
        ({"comment_author_email": "akismet-guaranteed-spam@example.com"}, "true"),
        ({"user_role": "administrator"}, "false"),
        ({"user_role": "editor,administrator"}, "false"),
        ({"user_role": "administrator", "comment_author": "viagra-test-123"}, "true"),
        ({"user_role": "administrators"}, None),
        ({"user_role": ""}, None),
        ({"comment_author": "Ann", "user_role": "editor"}, None),
    ],
)
def test_magic_values(values: dict[str, str], word: str | None) -> None:
    assert akismet.magic_word(given(**values)) == word


@pytest.mark.parametrize(
    ("action", "rules", "word"),
    [
        (PUBLISH, (), "false"),
        (SPAM, ("certain-spam",), "true"),
        (REJECT, (), "true"),
        (HOLD, ("label",), "true"),
        (HOLD, ("blocked-word",), "true"),
        (HOLD, ("honeypot",), "true"),
        (HOLD, ("disposable",), "true"),
        (HOLD, ("disallowed",), "true"),
        (HOLD, ("stranger-with-link",), "false"),
        (HOLD, ("many-links", "stranger-with-link"), "false"),
        (HOLD, ("first-time", "review-all"), "false"),
        (HOLD, ("stranger-with-link", "label"), "true"),
        (HOLD, ("unscored",), None),
        (HOLD, ("unread",), None),
        (HOLD, ("unscored", "stranger-with-link"), None),
        (HOLD, ("unscored", "blocked-word"), "true"),
        (HOLD, (), None),
        (HOLD, ("a-rule-of-tomorrow",), "true"),
    ],
)
def test_the_word_for_each_verdict(action: str, rules: tuple[str, ...], word: str | None) -> None:
    assert akismet.word_of(action, frozenset(rules)) == word


def test_every_rule_of_the_policy_has_its_place_in_the_table() -> None:
    names = {name for name, _, _ in RULES}
    assert names >= akismet.CLIENTS_OWN and "unscored" in names & akismet.NO_VERDICT
    against_the_words = {
        "disallowed",
        "wave",
        "certain-spam",
        "honeypot",
        "disposable",
        "blocked-word",
        "too-long",
        "label",
    }
    assert names - akismet.CLIENTS_OWN - akismet.NO_VERDICT == against_the_words


def comment(**values: Any) -> Comment:
    made = Comment(
        id="0" * 26, site="default", article="a", parent=None, path="0" * 26, status="approved", revision=1, name="Ann Lee",
        email="", url="https://ann.example/", body="Words", html="", created_at=NOW, is_decided=True,
    )  # fmt: skip
    return replace(made, **values)


@pytest.mark.parametrize(
    ("status", "word"),
    [("approved", "false"), ("spam", "true"), ("rejected", "true"), ("deleted", "true"), ("pending", None)],
)
def test_the_word_of_a_decision(status: str, word: str | None) -> None:
    same = Check(text="Words", name="Ann Lee", url="https://ann.example")
    assert akismet.word_of_decision(comment(status=status), same) == word
    assert akismet.word_of_decision(comment(status=status, is_decided=False), same) is None


@pytest.mark.parametrize("values", [{"url": "https://pills.example"}, {"name": "Cheap pills"}, {"url": ""}])
def test_approved_words_under_another_name_or_link_are_judged_anew(values: dict[str, str]) -> None:
    other = replace(Check(text="Words", name="Ann Lee", url="ann.example"), **values)
    assert akismet.word_of_decision(comment(), other) is None
    assert akismet.word_of_decision(comment(status="spam"), other) == "true"
