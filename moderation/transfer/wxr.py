"""WXR: what WordPress writes and reads. Its importer finds what it has: a post by title, date and type (`post_exists`), a comment
by author and date (`comment_exists`), both in local time. So these go back as they came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

from moderation.comments.model import Comment
from moderation.sites.model import Article
from moderation.transfer.formats.wordpress import quoted

HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" \
xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>{title}</title>
<link>{link}</link>
<wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>{link}</wp:base_site_url>
<wp:base_blog_url>{link}</wp:base_blog_url>
"""
TAIL = "</channel>\n</rss>\n"
APPROVED = {"approved": "1", "pending": "0", "spam": "spam", "rejected": "trash", "deleted": "trash"}
NUMBERED = 1_000_000_000
"""The first number of posts and comments that have none in WordPress."""
SOURCE = "wordpress"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_LIST = re.compile(r"<(ol|ul)([^>]*)>((?:(?!</?[ou]l[ >]).)*)</\1>", re.DOTALL)
_ITEM = re.compile(r"<li(?: value=\"(-?\d+)\")?>(.*?)</li>", re.DOTALL)
_START = re.compile(r"\bstart=\"(-?\d+)\"")


class Post:
    """An article as a post: its fields, and the numbers and dates of its comments."""

    def __init__(self, article: Article, ids: Iterable[tuple[str, ...]], number: int) -> None:
        """`ids` are (system, id) or (system, id, origin); `number` is for an article that WordPress does not know."""
        self.article = article
        theirs, self.origin = of_wordpress(ids)
        self.number = theirs or (article.key if re.fullmatch(r"[1-9][0-9]{0,8}", article.key) else str(number))
        self.at = article.published_at if article.published_at is not None else article.created_at
        self.local = self.origin.get("date", "")
        self.offset = offset_of(self.local, self.at)
        self._numbers = dict[str, str]()
        self._taken = set[tuple[str, str]]()

    def item(self) -> str:
        """The item's beginning, up to its comments."""
        article = self.article
        return "".join(
            (
                "<item>\n",
                cdata("title", self.origin.get("title") or article.title or article.key),
                f"<link>{escape(xml(article.url))}</link>\n",
                f"<pubDate>{format_datetime(datetime.fromtimestamp(self.at / 1000, UTC))}</pubDate>\n",
                cdata("dc:creator", self.origin["creator"]) if self.origin.get("creator") else "",
                cdata("content:encoded", escape(article.text)),
                f"<wp:post_id>{self.number}</wp:post_id>\n",
                cdata("wp:post_date", self.local or sql_date(self.at)),
                cdata("wp:post_date_gmt", sql_date(self.at)),
                cdata("wp:comment_status", "open" if article.comments_open else "closed"),
                cdata(
                    "wp:post_name", self.origin.get("name") or article.key.strip("~").rpartition("~")[2] or article.key
                ),
                cdata("wp:status", "publish" if article.is_listed else "private"),
                cdata("wp:post_type", self.origin.get("type") or "post"),
                cdata("wp:post_password", ""),
            )
        )

    def comment(self, comment: Comment, ids: Iterable[tuple[str, ...]], number: int) -> str:
        theirs, origin = of_wordpress(ids)
        self._numbers[comment.id] = theirs or str(NUMBERED + number)
        name, local = (
            named(comment.name, origin.get("author", "")),
            origin.get("date") or sql_date(comment.created_at + self.offset),
        )
        at = comment.created_at
        while not theirs and (name, local) in self._taken:  # two of one author in one second would be one to WordPress
            at += 1000
            local = sql_date(at + self.offset)
        self._taken.add((name, local))
        return "".join(
            (
                "<wp:comment>\n",
                f"<wp:comment_id>{self._numbers[comment.id]}</wp:comment_id>\n",
                cdata("wp:comment_author", name),
                cdata("wp:comment_author_email", comment.email),
                f"<wp:comment_author_url>{escape(xml(comment.url))}</wp:comment_author_url>\n",
                cdata("wp:comment_author_IP", ""),
                cdata("wp:comment_date", local),
                cdata("wp:comment_date_gmt", sql_date(at)),
                cdata("wp:comment_content", allowed(comment)),
                cdata("wp:comment_approved", APPROVED[comment.status]),
                cdata("wp:comment_type", "comment"),
                f"<wp:comment_parent>{self._numbers.get(comment.parent or '', '0')}</wp:comment_parent>\n",
                f"<wp:comment_user_id>{user if (user := origin.get('user', '')).isdecimal() else 0}</wp:comment_user_id>\n",
                "</wp:comment>\n",
            )
        )


def named(name: str, spelling: str) -> str:
    return name if spelling == "raw" else quoted(name) if spelling == "quoted" else escape(name)


def of_wordpress(ids: Iterable[tuple[str, ...]]) -> tuple[str, dict[str, str]]:
    """The number in WordPress, and the origin."""
    for source, foreign, *origin in ids:
        if source == SOURCE and re.fullmatch(r"[1-9][0-9]{0,19}", foreign):
            return foreign, json.loads(origin[0]) if origin and origin[0] else {}
    return "", {}


def offset_of(local: str, at: int) -> int:
    """Milliseconds of the blog's time zone, by one moment in both times."""
    if not _DATE.fullmatch(local):
        return 0
    try:
        there = int(datetime.fromisoformat(local).replace(tzinfo=UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
    offset = there - at // 1000 * 1000
    return offset if abs(offset) <= timedelta(hours=15) / timedelta(milliseconds=1) else 0


def allowed(comment: Comment) -> str:
    """A comment's HTML with the tags that WordPress allows in comments (`$allowedtags`): paragraphs and lines as it writes
    them itself, by line ends; lists and blocks of code in characters."""
    made = comment.html
    while (listed := _LIST.sub(_as_lines, made)) != made:
        made = listed
    for pattern, text in (
        (r"<br>\n?", "\n"),
        (r"<pre>(?:<code>)?", "<code>"),
        (r"(?:</code>)?</pre>", "</code>\n\n"),
        (r"<hr>\n*", "* * *\n\n"),
        (r"<p>", ""),
        (r"\s*</p>\n*", "\n\n"),
        (r"</?(?:ol|ul|li)(?: [^>]*)?>", "\n"),
        (r"<blockquote>\s*", "<blockquote>"),
        (r"\s*</blockquote>\s*", "</blockquote>\n\n"),
        (r'(<a href="[^"]*")[^>]*>', r"\1>"),
        (r"\n{3,}", "\n\n"),
    ):
        made = re.sub(pattern, text, made)
    return made.strip()


def _as_lines(block: re.Match[str]) -> str:
    start = _START.search(block[2])
    step = -1 if "reversed" in block[2] else 1
    items = [(item[1], re.sub(r"</?p>", "", item[2]).strip()) for item in _ITEM.finditer(block[3])]
    number = int(start[1]) if start else 1 if step > 0 else len(items)
    lines = []
    for value, text in items:
        number = int(value) if value else number
        mark = f"{number}. " if block[1] == "ol" else "- "
        lines += [mark + re.sub(r"\s*\n\s*", "\n  ", text)] if text else []
        number += step
    return "\n\n" + "\n".join(lines) + "\n\n"


def xml(text: str | None) -> str:
    """The text without characters that XML 1.0 forbids."""
    return _FORBIDDEN.sub("", text or "")


def cdata(name: str, text: str | None) -> str:
    return f"<{name}><![CDATA[{xml(text).replace(']]>', ']]]]><![CDATA[>')}]]></{name}>\n"


def sql_date(at: int | None) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}" if at is not None else "0000-00-00 00:00:00"
