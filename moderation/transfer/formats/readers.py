"""All readers, and the detection of a file's reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from moderation.core.problem import BadRequest
from moderation.transfer.formats import disqus, isso, own, remark42, wordpress
from moderation.transfer.formats import sitemap as pages
from moderation.transfer.formats.file import File
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


System = Literal["wordpress", "wp-cli", "disqus", "isso", "remark42", "sitemap", "rss", "leave-a-reply"]
READERS: dict[System, Reader] = {
    "wordpress": Reader(
        "a WordPress export (WXR)", wordpress.SOURCE, wordpress.is_wxr, wordpress.read_wxr, "id", pages.is_feed
    ),
    "wp-cli": Reader("a list from `wp comment list`", wordpress.SOURCE, wordpress.is_list, wordpress.read_list, "id"),
    "disqus": Reader("a Disqus export", disqus.SOURCE, disqus.is_export, disqus.read),
    "isso": Reader("an isso database", isso.SOURCE, isso.is_database, isso.read),
    "remark42": Reader("a remark42 backup", remark42.SOURCE, remark42.is_backup, remark42.read),
    "sitemap": Reader("a sitemap", pages.SOURCE, pages.is_sitemap, pages.read_sitemap),
    "rss": Reader("a feed (RSS or Atom)", pages.SOURCE, pages.is_feed, pages.read_feed),
    "leave-a-reply": Reader("an export of ours", own.SOURCE, own.is_export, own.read),
}


def reader_for(file: File, named: System | None) -> Reader:
    """The named reader, if it accepts the file; else the one that recognises it. Raises BadRequest."""
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
