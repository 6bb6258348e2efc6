"""WordPress: its export file (WXR), the output of `wp comment list --format=json`, which also has the spam, and its REST API.

All use the same numbers of comments and posts, so one completes another.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping

from moderation.core.problem import BadRequest
from moderation.core.times import moment
from moderation.transfer.formats.fields import id_of, text
from moderation.transfer.formats.file import File
from moderation.transfer.formats.markup import Element, elements
from moderation.transfer.formats.plain import page_key, plain
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "wordpress"
STATUSES = {
    "1": "approved",
    "approve": "approved",
    "approved": "approved",
    "0": "pending",
    "hold": "pending",
    "": "pending",
}
STATUSES |= {"spam": "spam", "trash": "deleted", "post-trashed": "deleted"}
FIELDS = (
    "comment_ID,comment_post_ID,comment_parent,comment_approved,comment_type,comment_date_gmt,comment_date,"
    "comment_author,comment_author_email,comment_author_url,comment_author_IP,comment_content"
)
COMMAND = f"wp comment list --status=any --post_status=publish --format=json --fields={FIELDS} > comments.json"

ITEM, COMMENT = "rss/channel/item", "rss/channel/item/wp:comment"
WANTED = frozenset(
    f"wp:{name}"
    for name in (
        *(
            "post_id",
            "post_name",
            "post_date_gmt",
            "post_date",
            "status",
            "post_type",
            "post_password",
            "post_parent",
            "comment_status",
        ),
        *("comment_id", "comment_author", "comment_author_email", "comment_author_url", "comment_author_IP"),
        *("comment_date_gmt", "comment_date", "comment_content", "comment_approved", "comment_type", "comment_parent"),
        "comment_user_id",
    )
) | {"title", "link", "pubDate", "dc:creator", "content:encoded", "dsq:thread_identifier"}
HELD, HELD_SIZE = 500, 4_000_000
"""Comments of one post, and their characters, that are buffered until the post's fields are read."""


def is_wxr(head: bytes) -> bool:
    """A feed with anything of WordPress's export in it, by whichever address its namespace has."""
    return b"<rss" in head and re.search(rb"//(?:www\.)?wordpress\.org/export|xmlns:wp\s*=|<wp:[a-z]", head) is not None


def read_wxr(file: File, keys: str) -> Iterator[Record]:
    """Published posts and their comments. `keys` is `id` or `path`."""
    held, size = list[Element](), 0
    passed: Element | None = None
    """The post whose fields have been yielded."""
    was_described, shown = False, dict[str, bool]()
    """Post → whether it is public. An attachment is as public as the post that it belongs to."""
    for element in elements(file, frozenset({ITEM, COMMENT}), WANTED):
        if isinstance(element, Skipped):
            yield element
            continue
        item = element.within or element
        if element.within:
            held.append(element)
            size += sum(map(len, element.fields.values()))
        # a post's fields precede its comments in WordPress's files, but not in all programs' files
        if passed is item or not element.within or len(held) > HELD or size > HELD_SIZE:
            is_described = "wp:status" in item.fields or (item is element and item.is_whole)
            above = item.fields.get("wp:post_parent", "").strip()
            if item.fields.get("wp:status") == "inherit" and above.strip("0"):
                is_described = shown.get(above, False)
                if above in shown and not is_described:
                    item.fields["wp:status"] = "private"
            elif item is element:
                shown[foreign_post(item).strip()] = not is_hidden(item)
            if (passed is not item and (held or is_page(item) or is_hidden(item))) or (
                passed is item and item is element and not was_described
            ):
                yield post(item, keys, is_listed=is_described)
            for comment in held:
                yield wxr_comment(comment, item)
            held, size, passed, was_described = [], 0, item, is_described


def is_page(item: Element) -> bool:
    """Whether it is a page for readers: no attachment, menu or revision."""
    return item.fields.get("wp:post_type", "post") in ("post", "page") and item.fields.get("wp:status") == "publish"


def is_hidden(item: Element) -> bool:
    """Whether its page is private, a draft, or behind a password."""
    is_public = item.fields.get("wp:status", "publish") in ("publish", "inherit", "closed")
    return not is_public or bool(item.fields.get("wp:post_password"))


def foreign_post(item: Element) -> str:
    fields = item.fields
    return fields.get("wp:post_id") or fields.get("dsq:thread_identifier") or fields.get("link") or ""


def post(item: Element, keys: str, *, is_listed: bool) -> Record:
    """`is_listed`: it was read whether the post is published."""
    fields = item.fields
    foreign, link = foreign_post(item).strip(), fields.get("link", "").strip()
    if not foreign:
        return Skipped(f"line {item.line}", "a post without an id and a link")
    key = foreign if keys == "id" and re.fullmatch(r"[0-9]{1,20}", foreign) else page_key(link)
    return ImportedArticle(
        foreign=foreign,
        key="" if is_hidden(item) else key,
        title=plain(fields.get("title", "")),
        url=link,
        text=plain(fields.get("content:encoded", "")),
        published_at=moment(fields.get("wp:post_date_gmt"))
        or moment(fields.get("pubDate"))
        or moment(fields.get("wp:post_date")),
        comments_open=fields.get("wp:comment_status", "open") != "closed",
        is_listed=is_listed,
        origin=origin(
            title=fields.get("title", ""),
            name=fields.get("wp:post_name", ""),
            type=fields.get("wp:post_type", ""),
            date=fields.get("wp:post_date", ""),
            creator=fields.get("dc:creator", ""),
        ),
    )


def origin(**values: str) -> str:
    """What WordPress knows its own by: the values that it has, as JSON."""
    kept = {name: value.strip()[:500] for name, value in values.items() if value.strip() and "\0" not in value}
    return json.dumps(kept) if kept else ""


def wxr_comment(element: Element, item: Element) -> Record:
    row = {name.removeprefix("wp:"): value for name, value in element.fields.items()}
    row["comment_ID"] = row.pop("comment_id", "")
    return comment(row, foreign_post(item).strip(), "", f"line {element.line}")


def is_list(head: bytes) -> bool:
    return re.match(rb"\s*\[\s*\]\s*\Z", head) is not None or b'"comment_ID"' in head


def read_list(file: File, keys: str) -> Iterator[Record]:
    """Articles come from a list by their number alone: it does not say whether they are published."""
    for number, row in file.rows(each=True):
        where = f"row {number}"
        if isinstance(row, Skipped):
            yield row
            continue
        if not isinstance(row, dict) or "comment_ID" not in row:
            yield Skipped(where, "no comment of WordPress")
            continue
        if "comment_content" not in row or "comment_post_ID" not in row:
            raise BadRequest(f"The list has no texts or no posts. Make it with: {COMMAND}")
        fields = {
            name: value if isinstance(value, str) else str(value) for name, value in row.items() if value is not None
        }
        post = fields.get("comment_post_ID", "")
        is_number = re.fullmatch(r"[0-9]{1,20}", post) is not None
        yield comment(fields, post, post if keys == "id" and is_number else "", where)


def is_rest(head: bytes) -> bool:
    """An answer of `/wp-json/wp/v2/comments`."""
    return b'"rendered"' in head and b'"author_name"' in head and b'"post"' in head


def read_rest(file: File, keys: str) -> Iterator[Record]:
    """As a list: it does not say either whether a post is public. With the right to edit, it has addresses and the texts as typed."""
    for number, row in file.rows(each=True):
        where = f"row {number}"
        if isinstance(row, Skipped) or not id_of(row, "id") or not id_of(row, "post"):
            yield row if isinstance(row, Skipped) else Skipped(where, "no comment of WordPress")
            continue
        post, content = id_of(row, "post"), row.get("content")
        fields = {
            "comment_ID": id_of(row, "id"),
            "comment_parent": id_of(row, "parent"),
            "comment_approved": text(row, "status") or "approved",
            "comment_type": text(row, "type"),
            "comment_author": text(row, "author_name"),
            "comment_author_email": text(row, "author_email"),
            "comment_author_url": text(row, "author_url"),
            "comment_author_IP": text(row, "author_ip"),
            "comment_date_gmt": text(row, "date_gmt"),
            "comment_date": text(row, "date").replace("T", " "),
            "comment_content": text(content, "raw", "rendered"),
            "user_id": id_of(row, "author"),
        }
        yield comment(fields, post, post if keys == "id" and post.isdecimal() else "", where)


def comment(row: Mapping[str, str], article: str, key: str, place: str) -> Record:
    foreign = row.get("comment_ID", "").strip()
    if not re.fullmatch(r"[1-9][0-9]{0,19}", foreign):
        return Skipped(place, "no comment id")
    where = f"comment {foreign} ({place})"
    kind = row.get("comment_type", "")
    if kind not in ("", "comment"):
        name = kind if kind in ("pingback", "trackback", "order_note", "review", "action_log") else "of another type"
        is_shown = (
            kind in ("pingback", "trackback") and STATUSES.get(row.get("comment_approved", "").strip()) == "approved"
        )
        return Skipped(where, f"not a reader's comment ({name})", foreign if is_shown else "")
    parent = row.get("comment_parent", "").strip()
    return ImportedComment(
        where=where,
        foreign=foreign,
        article=article,
        parent=parent if parent.strip("0") else "",
        status=STATUSES.get(row.get("comment_approved", "").strip().lower(), "pending"),
        name=html.unescape(row.get("comment_author", "")),
        email=row.get("comment_author_email", "").strip(),
        url=html.unescape(row.get("comment_author_url", "")).strip(),
        body=row.get("comment_content", ""),
        format="html",
        created_at=moment(row.get("comment_date_gmt")) or moment(row.get("comment_date")),
        address=row.get("comment_author_IP", "").strip(),
        key=key,
        origin=origin(
            date=row.get("comment_date", ""),
            user=row.get("comment_user_id") or row.get("user_id", ""),
            author=spelling(row.get("comment_author", "")),
        ),
    )


def spelling(name: str) -> str:
    """How WordPress has a name's signs: `raw`, or `quoted`; empty for its own way, with `&amp;` and `&lt;`. The name itself is
    personal data, and kept with the comment alone."""
    plain = html.unescape(name)
    if name in ("", html.escape(plain, quote=False)):
        return ""
    return "raw" if name == plain else "quoted" if name == quoted(plain) else ""


def quoted(name: str) -> str:
    return html.escape(name).replace("&#x27;", "&#039;")
