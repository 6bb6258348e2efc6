"""Raw fields → Submission, or every wrong field at once. The only caller of email-validator."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from classifier.streamsafe import normalize, stream_safe
from moderation.core.problem import FieldError, Invalid
from moderation.sites.model import SiteSettings
from moderation.text import body as formats
from moderation.text.addresses import BIDI, EMAIL_LONGEST, checked_email, checked_url
from moderation.text.wordlist import folded

NAME_LONGEST, URL_LONGEST = 245, 200
BODY_BYTES = 65_525
COMPOSED = 4
"""So many characters at most become one by NFC (UAX #15; the longest is U+1F82 with its four)."""

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols that draw nothing
UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class Submission:
    """What a reader sent, checked. `email` is normalised and never leaves but to a moderator."""

    name: str
    email: str
    url: str | None
    body: str
    parent: str | None
    notify: bool
    format: str = formats.MARKDOWN

    @property
    def text(self) -> str:
        """What a reader reads of the body."""
        return formats.plain(self.body, self.format)

    @property
    def email_domain(self) -> str:
        return self.email.rpartition("@")[2]

    @property
    def body_key(self) -> str:
        """Equal for bodies that a reader would call the same (letters, case and spacing folded). 32 hex digits."""
        return blake2b(" ".join(folded(self.body).split()).encode(), digest_size=16).hexdigest()


def check(raw: Mapping[str, Any], rules: SiteSettings, format: str = formats.MARKDOWN) -> Submission:
    """Raises Invalid, naming every wrong field. Unknown fields are ignored."""
    wrong: list[FieldError] = []

    def text(field: str) -> str | None:
        value = raw.get(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            wrong.append(FieldError(field, "invalid", "must be a text"))
            return None
        if not value.isascii() and has_lone_surrogate(value):
            wrong.append(FieldError(field, "invalid", "has a broken character (a lone surrogate)"))
            return None
        return value.strip()

    def refuse(field: str, code: str, message: str) -> None:
        wrong.append(FieldError(field, code, message))

    name, email, url = text("name"), text("email"), text("url")
    body, parent = text("body"), text("parent")

    if name is not None:
        name = composed(name)
        if not name:
            if rules.require_name:
                refuse("name", "required", "please give a name")
        elif len(name) > NAME_LONGEST:
            refuse("name", "too_long", f"at most {NAME_LONGEST} characters")
        elif not (name.isascii() and name.isprintable()) and any(
            c in BIDI or unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name
        ):
            refuse("name", "invalid", "must have no control characters")
        elif not has_something_visible(name):
            refuse("name", "invalid", "must have something to see")

    if email is not None:
        if not email:
            if rules.require_email:
                refuse("email", "required", "please give an email address; it will not be published")
        elif len(email) > EMAIL_LONGEST:
            refuse("email", "too_long", f"at most {EMAIL_LONGEST} characters")
        else:
            email = checked_email(email) or ""
            if not email:
                refuse("email", "invalid", "is not a valid email address")

    link: str | None = None
    if url:
        if len(url) > URL_LONGEST:
            refuse("url", "too_long", f"at most {URL_LONGEST} characters")
        else:
            link = checked_url(url)
            if link is None:
                refuse("url", "invalid", "must be a web address that starts with http:// or https://")

    if body is not None:
        if not body.isprintable():
            body = UNWANTED.sub("", body.replace("\r\n", "\n").replace("\r", "\n")).strip()
        size = len(body) if body.isascii() else len(body.encode())
        shown = body if size > BODY_BYTES else formats.plain(body, format)
        if not has_something_visible(shown):
            refuse("body", "required", "please type your comment")
        elif len(shown) > rules.max_body:
            refuse("body", "too_long", f"at most {rules.max_body} characters")
        elif size > BODY_BYTES:
            refuse("body", "too_long", f"at most {BODY_BYTES} bytes")

    notify = raw.get("notify")
    if notify is not None and not isinstance(notify, bool):
        refuse("notify", "invalid", "must be true or false")

    if wrong:
        raise Invalid(*wrong)
    assert name is not None and email is not None and body is not None
    return Submission(name, email, link, body, parent or None, bool(notify), format)


def is_light(raw: Mapping[str, Any], format: str = formats.MARKDOWN) -> bool:
    """`check` takes a millisecond or so: every field but the body ends at a few hundred characters."""
    body = raw.get("body")
    return not isinstance(body, str) or formats.is_light(body, format)


def composed(name: str) -> str:
    """In NFC. As it was typed where it is far too long for that, or has more marks on a letter than any language."""
    is_plain = len(name) <= COMPOSED * NAME_LONGEST and stream_safe(name) == name
    return normalize("NFC", name) if is_plain else name


def ticked(text: str | None) -> bool | str | None:
    """What a form says of a box, since it has texts only; whatever is neither yes nor no stays what it is, and is refused."""
    words = dict.fromkeys(("1", "true", "on", "yes"), True) | dict.fromkeys(("", "0", "false", "off", "no"), False)
    return text if text is None else words.get(text.strip().lower(), text)


def has_lone_surrogate(text: str) -> bool:
    """Half of a pair, which JSON can escape and UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def has_something_visible(text: str) -> bool:
    if text[:1].isascii() and text[:1].isalnum():  # as most do
        return True
    return any(
        (unicodedata.category(c)[0] in "LNPS" and c not in BLANK) or unicodedata.category(c) == "Co" for c in text
    )
