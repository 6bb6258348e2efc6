"""All readers, and the detection of a file's reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from moderation.core.problem import BadRequest
from moderation.transfer.formats import (
    commento,
    coral,
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
from moderation.transfer.formats.file import File, Folder, files
from moderation.transfer.records import Record, Skipped


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
    "staticman", "staticman-requests", "coral", "jsonl", "sitemap", "rss", "leave-a-reply",
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
    "staticman-requests": Reader(
        "Staticman's pull requests", staticman.SOURCE, staticman.is_requests, staticman.read_requests
    ),
    "coral": Reader("collections of Coral", coral.SOURCE, coral.is_export, coral.read),
    "jsonl": Reader("comments as JSON Lines", generic.SOURCE, generic.is_export, generic.read),
    "sitemap": Reader("a sitemap", pages.SOURCE, pages.is_sitemap, pages.read_sitemap),
    "rss": Reader("a feed (RSS or Atom)", pages.SOURCE, pages.is_feed, pages.read_feed),
    "leave-a-reply": Reader("an export of ours", own.SOURCE, own.is_export, own.read),
}


def reader_for(file: File, named: System | None) -> Reader:
    """The named reader, if it accepts the file; else the one that recognises it. Raises BadRequest."""
    if isinstance(file, Folder):
        system: System = "coral" if coral.is_folder(file) else "staticman"
        if named not in (None, "staticman", "coral"):
            raise BadRequest(f"{READERS[named].what.capitalize()} is a file, and no folder.")
        return READERS[named or system]
    while (known := recognised(file.head)) is None and not (named and READERS[named].may_be(file.head)):
        if not file.look_further():
            break
    if named and (READERS[named].is_it(file.head) or READERS[named].may_be(file.head)):
        return READERS[named]
    if named and known:
        raise BadRequest(
            f"The file is not {READERS[named].what}, but {READERS[known].what}: give --from {known}, or leave it out."
        )
    if known is None and named:
        raise BadRequest(f"The file is not {READERS[named].what}. See docs/moving.md for how to make one.")
    if known is None:
        what = (
            "empty"
            if not file.head.strip()
            else "a list of something else"
            if is_list(file.head)
            else "of no known system"
        )
        systems = "; ".join(reader.what for reader in READERS.values())
        raise BadRequest(
            f"The file is {what}. What can be imported: {systems}. See docs/moving.md for how to make one."
        )
    return READERS[known]


def recognised(head: bytes) -> System | None:
    return next((name for name, reader in READERS.items() if reader.is_it(head)), None)


def is_list(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def readable(path: str, named: System | None) -> tuple[Reader, Iterator[tuple[File, Reader] | Skipped]]:
    """The reader of what is at a path; and each file with its reader: of a zip, all of the same system, and a Skipped for each other.

    The caller closes the files. Raises BadRequest and NotFound.
    """
    first = next(listed := files(path))
    if not first.member:
        reader = reader_for(first, named)
        return reader, iter([(first, reader)])
    members, problem = list[tuple[str, Reader | None]](), BadRequest("")
    for file in chain([first], listed):
        try:
            members.append((file.member, reader_for(file, named)))
        except BadRequest as refused:
            members.append((file.member, None))
            problem = refused
        finally:
            file.close()
    readers = [reader for _, reader in members if reader]
    if not readers:
        raise problem
    # a list of pages beside an export of comments completes nothing
    reader = next((one for one in readers if one.source != pages.SOURCE), readers[0])
    order = list(READERS.values())
    members.sort(key=lambda member: order.index(member[1]) if member[1] else len(order))

    def each() -> Iterator[tuple[File, Reader] | Skipped]:
        for number, (member, its) in enumerate(members, 1):
            where = member if member.isascii() and member.isprintable() else f"file {number} of the zip"
            if its and its.source == reader.source:
                yield File(path, member), its
            else:
                yield Skipped(where, "not from the same system as the other files in the zip" if its else "no export")

    return reader, each()
