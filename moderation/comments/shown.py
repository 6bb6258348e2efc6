"""Public comments, kept by revision: a thread that is built anew after each commit renders its new comments alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from moderation.comments import store as comments
from moderation.comments.model import public
from moderation.comments.store import Placed
from moderation.core.urls import Links
from moderation.db.database import Session

KEPT = 16 * 1024 * 1024
"""Characters of HTML and text."""


class _Kept(NamedTuple):
    revision: int
    document: dict[str, Any]
    size: int


class Shown:
    """The least recently shown are dropped first."""

    def __init__(self, links: Links, most: int = KEPT) -> None:
        self.links = links
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._size, self._most = 0, most

    async def documents(
        self, session: Session, site: str, author_links: str, places: Sequence[Placed]
    ) -> list[tuple[str, dict[str, Any]]]:
        """(path, public comment) of each place, in order. Place and replies are of now, all else is of the comment's revision.

        `author_links`: the site's setting."""
        kept, missing = self._kept, []
        for place in places:
            one = kept.get((author_links, place.id))
            if one is None or one.revision != place.revision:
                missing.append(place.id)
        made: dict[str, dict[str, Any]] = {}
        if missing:
            for comment in (await comments.of_site(session, site, missing)).values():
                document = public(comment, self.links.avatar(comment.name), author_links)
                made[comment.id] = document
                self._keep((author_links, comment.id), comment.revision, document)
        shown = []
        for place in places:
            if place.id in made:
                document = made[place.id]
            elif one := kept.get((author_links, place.id)):
                kept.move_to_end((author_links, place.id))
                document = one.document
            else:  # another reader's page has just pushed it out
                (comment,) = (await comments.of_site(session, site, [place.id])).values()
                document = public(comment, self.links.avatar(comment.name), author_links)
            depth = place.path.count("/") + 1
            shown.append((place.path, {**document, "parent": place.parent, "depth": depth, "replies": []}))
        return shown

    def _keep(self, key: tuple[str, str], revision: int, document: dict[str, Any]) -> None:
        size = len(document["html"]) + len(document["text"])
        if before := self._kept.pop(key, None):
            self._size -= before.size
        self._kept[key] = _Kept(revision, document, size)
        self._size += size
        while self._size > self._most and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size
