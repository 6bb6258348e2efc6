"""Akismet's protocol: where a request has its key, which comment it means, and the word that answers it. Pure; it decides
nothing. The parameters come from `akismet_form`; `api_akismet` speaks HTTP."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, urlsplit

from moderation.comments.model import Comment
from moderation.comments.verdict import HOLD, PUBLISH, Verdict
from moderation.core.times import LEEWAY, moment
from moderation.dialects.akismet_form import Parameters
from moderation.dialects.model import Check, Kind
from moderation.text.addresses import checked_url, with_scheme

SPAM, HAM = "true", "false"
VALID, INVALID = "valid", "invalid"
THANKS = "Thanks for making the web a better place."
CONNECTED, DEACTIVATED = "connected", "deactivated"
NO_BLOG = "Missing required field: blog."
WORDS = (SPAM, HAM, VALID, INVALID, THANKS, CONNECTED, DEACTIVATED, NO_BLOG)
"""Every text that answers with status 200."""

EMPTY_KEY, EMPTY_API_KEY, EMPTY_BLOG = 'Empty "key" value', 'Empty "api_key" value', 'Empty "blog" value'
UNKNOWN_KEY = "The key is unknown or revoked"
BAD_BLOG = "We were unable to parse your blog URI"
NO_CHECKS = "This key may not check comments: it lacks the scope score"
NO_TEACHING = "This key may not submit comments: it lacks the scope teach"
FROM_A_PAGE = "Submissions from web pages are refused: the request has an Origin header"
NO_SITE = "The site of this key is gone"
NO_WPCOM = "There are no accounts here: use an API key"
"""Values of X-akismet-debug-help."""

KEY = re.compile(r"[0-9a-f]{12}")
SITE_LONGEST = 200


# --- the key -----------------------------------------------------------------------------------------------------------


def key_parameter(given: Parameters, *, key_first: bool) -> str | None:
    """The key among the parameters, even an empty or a wrong one; None without any. `key_first`: in `verify-key` and calls of
    WordPress' settings page, where `key` is the one that is being tried and `api_key` the stored one."""
    names = ("key", "api_key") if key_first else ("api_key", "key")
    return next((given.get(name).strip() for name in names if name in given), None)


def keys_elsewhere(host: str, authorization: str) -> list[str]:
    """Keys that the request may have outside its parameters: the host's first label, and that of the user name in Basic
    credentials. Only what looks like a key, in lower case: any other label is a name."""
    name = host.rpartition(":")[0] if re.search(r":\d*$", host) else host
    labels = [label for label in name.split(".") if label]
    kind, _, encoded = authorization.partition(" ")
    user = basic_user(encoded.strip()) if kind.lower() == "basic" else ""
    candidates = (labels[0] if len(labels) > 1 else "", user.partition(".")[0])
    return [found for label in candidates if is_key(found := label.lower())]


def basic_user(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).partition(b":")[0].decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def is_key(text: str) -> bool:
    return KEY.fullmatch(text) is not None


# --- the site ----------------------------------------------------------------------------------------------------------


def is_blog(blog: str) -> bool:
    """Whether this is an http(s) address."""
    return checked_url(blog.strip()) is not None


def site_name(blog: str) -> str:
    """The name of a client's site below its key: host, port and path of its address, in ASCII."""
    blog = blog.strip()
    if checked := checked_url(with_scheme(blog)):
        parts = urlsplit(checked)
        blog = parts.netloc.lower() + parts.path
    return quote(blog[:SITE_LONGEST].rstrip("/"), safe="/:[]%~")[:SITE_LONGEST]


def site_of(given: Parameters) -> str:
    """The site of a request; without `blog`, as Coral submits, the host of the permalink."""
    if given.get("blog").strip():
        return site_name(given.get("blog"))
    checked = checked_url(given.get("permalink").strip())
    return site_name(f"http://{urlsplit(checked).netloc}") if checked else ""


# --- the comment -------------------------------------------------------------------------------------------------------

KINDS: dict[str, Kind] = {
    "pingback": "pingback",
    "trackback": "pingback",
    "contact-form": "contact",
    "review": "review",
    "fediverse": "fediverse",
}
"""`comment_type` → the kind of a check. Every other type, and none, is a comment."""
MARKDOWN_CLIENTS = ("discourse",)
"""Words in the User-Agent of clients whose texts are Markdown. Every other text is read as HTML: WordPress, most libraries and
spam itself send links in HTML, and a plain text reads the same."""


def check_of(given: Parameters, agent: str, now: int) -> Check:
    """The comment that a request means. `agent`: the client's User-Agent. Parameters that judging does not use, such as the
    copies of the reader's headers, end here."""
    read = unslashed if "wordpress" in agent.lower() else str
    kind = given.get("comment_type") if "comment_type" in given else given.get("content_type")
    at = moment(given.get("comment_date_gmt"))
    is_markdown = any(word in agent.lower() for word in MARKDOWN_CLIENTS)
    return Check(
        text=read(given.get("comment_content")),
        format="markdown" if is_markdown else "html",
        name=read(given.get("comment_author")).strip(),
        url=read(given.get("comment_author_url")).strip(),
        email=read(given.get("comment_author_email")).strip(),
        ip=given.get("user_ip").strip(),
        kind=KINDS.get(kind.strip().lower(), "comment"),
        article=article_of(given),
        honeypot=is_honeypot_filled(given),
        date=at if at is not None and 0 < at <= now + LEEWAY else None,
    )


SLASHED = re.compile(r"""(?:[^\\'"]|\\['"\\0])*""")
SLASH = re.compile(r"""\\(['"\\0])""")


def unslashed(text: str) -> str:
    """A text without the backslashes that PHP's `addslashes` puts before quotes and backslashes. WordPress sends a new comment
    so (`I\\'m`), and the same comment without them once it has stored it. A text with a bare quote is not slashed."""
    if "\\" not in text or not SLASHED.fullmatch(text):
        return text
    return SLASH.sub(lambda match: "" if match[1] == "0" else match[1], text)


def article_of(given: Parameters) -> str:
    """The page of the comment: its address, else the post's number at the blog's address, else the blog itself."""
    if permalink := given.get("permalink").strip().partition("#")[0]:
        return permalink
    blog, number = given.get("blog").strip(), given.get("comment_post_ID").strip()
    return f"{blog}?p={number}" if blog and number.isascii() and number.isdigit() and int(number[:20]) else blog


def is_honeypot_filled(given: Parameters) -> bool:
    """A hidden field has a value: the one that `honeypot_field_name` names, also as a copy of the form's, or WordPress' own."""
    field = given.get("honeypot_field_name").strip()
    named = (field, f"POST_{field}") if field else ()
    return any(given.get(name) for name in (*named, "POST_ak_hp_textarea"))


def is_same_author(check: Check, comment: Comment) -> bool:
    """Whether a check shows the author's name and website as a stored comment does. A decision that approved the comment holds
    for nobody who repeats its words under another link."""
    return " ".join(check.name.split()) == " ".join(comment.name.split()) and spelled(check.url) == spelled(
        comment.url or ""
    )


def spelled(url: str) -> str:
    return (checked_url(with_scheme(url)) or url).rstrip("/").casefold() if url else ""


# --- the answer --------------------------------------------------------------------------------------------------------

SPAM_AUTHORS = ("viagra-test-123", "akismet-guaranteed-spam")
SPAM_EMAIL = "akismet-guaranteed-spam@example.com"
NO_VERDICT = frozenset({"unscored", "unread"})
"""Rules that hold because nothing has judged the text yet."""
CLIENTS_OWN = frozenset(
    {"many-links", "form-token", "new-article", "first-time", "review-all", "stranger-with-link"}
)  # fmt: skip
"""Rules that hold by who writes and how, and say nothing against the words. Akismet has no word for *hold*; its clients hold
newcomers, links or everything by settings of their own."""


def magic_word(given: Parameters) -> str | None:
    """The answer to Akismet's test values, before anything is judged. Spam wins."""
    if given.get("comment_author") in SPAM_AUTHORS or given.get("comment_author_email").lower() == SPAM_EMAIL:
        return SPAM
    roles = [role.strip().lower() for role in given.get("user_role").split(",")]
    return HAM if "administrator" in roles else None


def word_of(action: str, rules: frozenset[str]) -> str | None:
    """The word for a verdict: its action, and the names of the rules that fired. None: there is no verdict yet."""
    if action == PUBLISH:
        return HAM
    if action != HOLD or rules - NO_VERDICT - CLIENTS_OWN:
        return SPAM
    return None if rules & NO_VERDICT or not rules else HAM


def word_of_verdict(verdict: Verdict) -> str | None:
    return word_of(verdict.action, frozenset(reason.rule for reason in verdict.reasons))


def word_of_decision(comment: Comment, check: Check) -> str | None:
    """The word of a person's decision on a stored comment, for the same comment again. None without one, if the decision is to
    wait, and if it approved the comment of an author who shows another name or link."""
    if not comment.is_decided:
        return None
    word = {"approved": HAM, "spam": SPAM, "rejected": SPAM, "deleted": SPAM}.get(comment.status)
    return None if word == HAM and not is_same_author(check, comment) else word
