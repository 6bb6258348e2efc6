"""Raw fields → Submission, or every wrong field at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import ValidationError

from classifier.streamsafe import normalize, stream_safe
from classifier.values import value
from moderation.core.problem import FieldError, Invalid
from moderation.sites.site_settings import SiteSettings
from moderation.text import body as formats
from moderation.text import disguised
from moderation.text.addresses import BIDI, EMAIL_LONGEST, checked_email, checked_url, trimmed, with_scheme
from moderation.text.bare_addresses import host_of, linked
from moderation.text.wordlist import folded
from moderation.web.params import Body, Says, Text, errors_of

NAME_LONGEST, URL_LONGEST, BODY_LONGEST = 245, 200, 10_000
"""Characters. The body's limit is a site setting; this is its default."""
BODY_BYTES = 65_525
EXTERNAL_ID_LONGEST = 200
"""Characters of the id of a comment that is kept elsewhere."""
COMPOSED = 4
"""The most characters that NFC composes into one (UAX #15; U+1F82 has four)."""

BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols without ink
_ADDRESS_SIGNS = re.compile(r"[.@:+=>]|\d\D{0,3}\d\D{0,3}\d\D{0,3}\d")
"""What an address, a messenger's handle or a telephone number in a name has."""
UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")


class Fields(Body):
    """A request's fields with their types checked; `check` checks their contents."""

    name: Text | None = None
    email: Text | None = None
    url: Text | None = None
    body: Text | None = None
    parent: Text | None = None
    notify: Annotated[bool | None, Says("must be true or false")] = None


@value(frozen=True, slots=True, kw_only=True)
class Submission:
    """A reader's comment, checked, rendered and counted once. `email` is normalised, and shown only to moderators."""

    name: str
    email: str
    url: str | None
    body: str
    body_key: str = ""
    """32 hex digits, equal for visually equal bodies (letters, case and spacing folded)."""
    text: str
    """The body as plain text."""
    html: str = ""
    link_hosts: tuple[str, ...] = ()
    """One host for each link in text and name, including disguised ones; "" where it does not say where the link leads."""
    parent: str | None = None
    notify: bool = False
    format: str = formats.MARKDOWN
    is_cut: bool = False
    """Its end is too long to be stored, and nobody has read it. Readers' comments are refused instead."""

    @classmethod
    def of(
        cls, body: str, format: str = formats.MARKDOWN, *, name: str = "", email: str = "", url: str | None = None
    ) -> Submission:
        """A Submission of a text that is judged and not stored: not rendered, and only the name's links are counted."""
        text = formats.plain(body, format)
        return cls(name=name, email=email, url=url, body=body, text=text, format=format, link_hosts=hosts_in(name))

    @property
    def links(self) -> int:
        return len(self.link_hosts)

    @property
    def website_host(self) -> str:
        return host_of(self.url) if self.url else ""

    @property
    def email_domain(self) -> str:
        return self.email.rpartition("@")[2]


def body_key(body: str) -> str:
    return blake2b(" ".join(folded(body).split()).encode(), digest_size=16).hexdigest()


def typed(raw: Mapping[str, Any]) -> tuple[Fields, list[FieldError]]:
    """The fields of the right type, and the errors of the others."""
    try:
        return Fields.model_validate(raw), []
    except ValidationError as error:
        wrong = errors_of(Fields, error)
        names = {one.field for one in wrong}
        return Fields.model_validate({name: value for name, value in raw.items() if name not in names}), wrong


def check(raw: Mapping[str, Any], rules: SiteSettings, format: str = formats.MARKDOWN) -> Submission:
    """The checked submission. Raises Invalid, naming every wrong field. Unknown fields are ignored."""
    given, wrong = typed(raw)
    mistyped = {one.field for one in wrong}

    def refuse(field: str, code: str, message: str) -> None:
        wrong.append(FieldError(field, code, message))

    name, email = trimmed(given.name or ""), trimmed(given.email or "")
    url = with_scheme(trimmed(given.url or ""))
    body, parent = (given.body or "").strip(), (given.parent or "").strip()

    if "name" not in mistyped:
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

    if "email" not in mistyped:
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
                refuse("url", "invalid", "must be a web address like https://example.org")

    rendered = formats.Rendered("", "", ())
    if "body" not in mistyped:
        if not body.isprintable():
            body = UNWANTED.sub("", body.replace("\r\n", "\n").replace("\r", "\n")).strip()
        size = len(body) if body.isascii() else len(body.encode())
        fits = size <= BODY_BYTES and (format == formats.HTML or len(body) <= rules.max_body)
        rendered = formats.render(body, format) if fits else formats.Rendered(body, "", ())
        if not has_something_visible(rendered.text):
            refuse("body", "required", "please type your comment")
        elif len(rendered.text) > rules.max_body:
            refuse("body", "too_long", f"at most {rules.max_body} characters")
        elif size > BODY_BYTES:
            refuse("body", "too_long", f"at most {BODY_BYTES} bytes")

    if wrong:
        raise Invalid(*wrong)
    return Submission(
        name=name,
        email=email,
        url=link,
        body=body,
        body_key=body_key(body),
        text=rendered.text,
        html=rendered.html,
        link_hosts=rendered.link_hosts + hosts_in(name),
        parent=parent or None,
        notify=bool(given.notify),
        format=format,
    )


def hosts_in(name: str) -> tuple[str, ...]:
    """The hosts of addresses in a name, as in `Submission.link_hosts`."""
    may_have = _ADDRESS_SIGNS.search(name)
    if not may_have and "dot" not in name.lower() and name.isascii():
        return ()
    return (*map(host_of, linked(name)[1]), *disguised.hosts(name))


def is_light(raw: Mapping[str, Any], format: str = formats.MARKDOWN) -> bool:
    """Whether `check` takes about a millisecond: every field except the body is cut at a few hundred characters."""
    body = raw.get("body")
    return not isinstance(body, str) or formats.is_light(body, format)


def composed(name: str) -> str:
    """The text in NFC; unchanged if it is far too long, or has more marks on a letter than any language."""
    is_plain = len(name) <= COMPOSED * NAME_LONGEST and stream_safe(name) == name
    return normalize("NFC", name) if is_plain else name


def ticked(text: str | None) -> bool | str | None:
    """A checkbox's text as a boolean; any other text is returned unchanged and then refused."""
    words = dict.fromkeys(("1", "true", "on", "yes"), True) | dict.fromkeys(("", "0", "false", "off", "no"), False)
    return text if text is None else words.get(text.strip().lower(), text)


def has_lone_surrogate(text: str) -> bool:
    """Whether a text contains half of a surrogate pair, which JSON can escape and UTF-8 cannot encode."""
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
