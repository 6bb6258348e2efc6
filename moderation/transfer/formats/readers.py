"""All readers, and the detection of a file's reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from moderation.core.problem import BadRequest
from moderation.transfer.formats import (
    commento,
    cusdis,
    disqus,
    generic,
    giscus,
    isso,
    lists,
    own,
    remark42,
    staticman,
    wordpress,
)
from moderation.transfer.formats import sitemap as pages
from moderation.transfer.formats.file import File, Folder
from moderation.transfer.records import Record


@dataclass(frozen=True, slots=True)
class Reader:
    """`source` is the system of the ids: files of one source complete each other. `keys` are the possible article keys."""

    what: str
    source: str
    is_it: Callable[[bytes], bool]
    read: Callable[[File, str], Iterator[Record]]
    keys: str = "path"
    may_be: Callable[[bytes], bool] = lambda _: False
    """Whether the file can be of the system although nothing in its beginning says so: taken if the system is named."""


System = Literal[
    "wordpress", "wp-cli", "wp-rest", "disqus", "isso", "remark42", "commento", "cusdis", "waline", "artalk", "twikoo", "giscus",
    "staticman", "jsonl", "sitemap", "rss", "leave-a-reply",
]  # fmt: skip
READERS: dict[System, Reader] = {
    "wordpress": Reader(
        "a WordPress export (WXR)", wordpress.SOURCE, wordpress.is_wxr, wordpress.read_wxr, "id", pages.is_feed
    ),
    "wp-cli": Reader("a list from `wp comment list`", wordpress.SOURCE, wordpress.is_list, wordpress.read_list, "id"),
    "wp-rest": Reader(
        "comments from WordPress's REST API", wordpress.SOURCE, wordpress.is_rest, wordpress.read_rest, "id"
    ),
    "disqus": Reader("a Disqus export", disqus.SOURCE, disqus.is_export, disqus.read),
    "isso": Reader("an isso database", isso.SOURCE, isso.is_database, isso.read),
    "remark42": Reader("a remark42 backup", remark42.SOURCE, remark42.is_backup, remark42.read),
    "commento": Reader("an export of Commento or Comentario", commento.SOURCE, commento.is_export, commento.read),
    "cusdis": Reader("a database of Cusdis", cusdis.SOURCE, cusdis.is_database, cusdis.read),
    "waline": Reader("an export of Waline or Valine", "waline", lists.is_waline, lists.read_waline),
    "artalk": Reader("an export of Artalk (Artrans)", "artalk", lists.is_artalk, lists.read_artalk),
    "twikoo": Reader("an export of Twikoo", "twikoo", lists.is_twikoo, lists.read_twikoo),
    "giscus": Reader("discussions of giscus", giscus.SOURCE, giscus.is_export, giscus.read),
    "staticman": Reader("a folder of Staticman", staticman.SOURCE, staticman.is_folder, staticman.read),
    "jsonl": Reader("comments as JSON Lines", generic.SOURCE, generic.is_export, generic.read),
    "sitemap": Reader("a sitemap", pages.SOURCE, pages.is_sitemap, pages.read_sitemap),
    "rss": Reader("a feed (RSS or Atom)", pages.SOURCE, pages.is_feed, pages.read_feed),
    "leave-a-reply": Reader("an export of ours", own.SOURCE, own.is_export, own.read),
}


def reader_for(file: File, named: System | None) -> Reader:
    """The named reader, if it accepts the file; else the one that recognises it. Raises BadRequest."""
    if isinstance(file, Folder):
        if named not in (None, "staticman"):
            raise BadRequest(f"{READERS[named].what.capitalize()} is a file, and no folder.")
        return READERS["staticman"]
    known = next((name for name, reader in READERS.items() if reader.is_it(file.head)), None)
    if named and (READERS[named].is_it(file.head) or READERS[named].may_be(file.head)):
        return READERS[named]
    if named and known:
        raise BadRequest(
            f"The file is not {READERS[named].what}, but {READERS[known].what}: give --from {known}, or leave it out."
        )
    if known is None:
        wanted = READERS[named].what if named else "; ".join(reader.what for reader in READERS.values())
        raise BadRequest(
            f"The file is {'empty' if not file.head.strip() else 'not what can be imported'}. What can be: {wanted}. "
            "See docs/moving.md for how to make one."
        )
    return READERS[known]
