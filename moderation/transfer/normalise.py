"""An imported comment → a comment without a place in the tree, or the reason to skip it. No clock, no storage."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from classifier.labels import LABELS
from classifier.streamsafe import normalize
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.submission import (
    BODY_BYTES,
    EXTERNAL_ID_LONGEST,
    NAME_LONGEST,
    UNWANTED,
    URL_LONGEST,
    body_key,
    has_something_visible,
)
from moderation.comments.verdict import Reason, Verdict
from moderation.core.ids import new_id
from moderation.core.signing import Signer
from moderation.sites.article_keys import spelled
from moderation.sites.model import is_article_key, is_checks_key
from moderation.text import body as formats
from moderation.text.addresses import BIDI, EMAIL_LONGEST, checked_email, checked_url
from moderation.transfer.records import ImportedArticle, ImportedComment, ImportedVerdict
from moderation.transfer.typed import imported_html, imported_markdown

FOREIGN = 500
BARE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/|\Z)", re.IGNORECASE)
"""A web address without its scheme, as some blogs accept it."""
ACTIONS = {"approved": "publish", "pending": "hold", "spam": "spam", "rejected": "reject", "deleted": "hold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An imported comment, cleaned and rendered, with its keys, without its place in the tree."""

    past: ImportedComment
    comment: Comment
    keys: Keys
    link_hosts: tuple[str, ...]


def clean(text: str) -> str:
    """A text that both databases can store: without control characters and lone surrogates."""
    return UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).encode("utf-8", "replace").decode().strip()


def ready_article(past: ImportedArticle) -> ImportedArticle:
    link = checked_url(clean(past.url)) if len(past.url) <= 2000 else None
    return replace(
        past,
        foreign=clean(past.foreign)[:FOREIGN],
        key=past.key if is_checks_key(past.key) else spelled(past.key) if is_article_key(past.key) else "",
        title=clean(past.title)[:500],
        url=link or "",
        text=clean(past.text)[:200_000],
    )


def ready(past: ImportedComment, signer: Signer, site: str, now: int, at: int | None) -> Prepared:
    """The prepared comment, of the date `at`. Raises ValueError with the reason to skip it."""
    foreign, parent = clean(past.foreign)[:FOREIGN], clean(past.parent)[:FOREIGN]
    past = replace(
        past, foreign=foreign, article=clean(past.article)[:FOREIGN], parent="" if parent == foreign else parent
    )
    if not foreign:
        raise ValueError("no comment id")
    if at is None or at <= 0:
        raise ValueError("no date that can be read, and none of its article's")
    if at > now + 24 * 3600 * 1000:
        raise ValueError("its date is in the future")
    body = clean(past.body)
    if not past.kept:
        body = (imported_html(body) if past.format == formats.HTML else imported_markdown(body)).strip()
    if len(body.encode()) > BODY_BYTES:
        raise ValueError(f"longer than {BODY_BYTES:,} bytes")
    if past.status != "deleted" and not has_something_visible(formats.plain(body, past.format)):
        raise ValueError("no text")
    name = clean_name(past.name)
    address = clean(past.email)
    email = (checked_email(address) if len(address) <= EMAIL_LONGEST else None) or ""
    link = clean(past.url)
    link = f"http://{link}" if BARE.match(link) else link
    kept = past.kept
    rendered = formats.render(body, past.format)
    made = Comment(
        id=foreign if kept else new_id(at, int(foreign) & 4095 if foreign.isdigit() else 0),
        site=site,
        article="",
        parent=None,
        path="",
        status=past.status,
        revision=max(1, kept.revision) if kept else 1,
        name=name,
        email=email,
        url=checked_url(link) if link and len(link) <= URL_LONGEST else None,
        body=body,
        html=rendered.html,
        created_at=at,
        edited_at=past.edited_at,
        judged_revision=max(1, kept.judged_revision) if kept else 1,
        is_decided=kept.is_decided if kept else past.status != "pending",
        format=past.format,
        is_staff=bool(kept and kept.is_staff),
        is_known=bool(kept and kept.is_known),
        external_id=clean(kept.external_id)[:EXTERNAL_ID_LONGEST] or None if kept else None,
    )
    return Prepared(
        past=past,
        comment=made,
        keys=Keys(author=signer.author_key(email, name), network=signer.network_key(past.address), body=body_key(body)),
        link_hosts=rendered.link_hosts,
    )


def clean_name(name: str) -> str:
    name = normalize("NFC", clean(name))
    name = "".join(
        " " if c.isspace() else c for c in name if (c not in BIDI and unicodedata.category(c) != "Cc") or c.isspace()
    )
    name = " ".join(name.split())[:NAME_LONGEST].strip()
    return name if has_something_visible(name) else ""


def past_verdict(comment: Comment, source: str) -> Verdict:
    return Verdict(action=ACTIONS[comment.status], reasons=(Reason(rule="imported", note=source),))


def as_judged(judged: JudgedComment, past: ImportedVerdict) -> JudgedComment:
    """The comment at the time of this verdict."""
    c = replace(
        judged.comment,
        judged_revision=past.revision,
        body=clean(past.body),
        name=clean_name(past.name),
        url=checked_url(clean(past.url)) if past.url else None,
        created_at=past.created_at,
        edited_at=None,
        format=past.format,
    )
    scores: Any = {label: score for label, score in (past.scores or {}).items() if label in LABELS and 0 <= score <= 1}
    verdict = Verdict(
        action=past.action,
        reasons=past.reasons,
        scores=scores or None,
        model=past.model and clean(past.model)[:200],
        facts=past.facts,
    )
    return replace(judged, comment=c, verdict=verdict, source=clean(past.source)[:40] or "import")
