"""Files as other systems write them, made from one list of comments, so that all are asked for the same."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

LINK = "https://blog.example/2020/05/hello/"
PATH_KEY = "2020~05~hello"
MAY = int(datetime(2020, 5, 1, 10, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Row:
    id: int
    parent: int = 0
    status: str = "approved"
    body: str = ""
    name: str = "Ann"
    email: str = "ann@example.org"
    url: str = ""
    at: int = 0
    kind: str = "comment"

    @property
    def text(self) -> str:
        return self.body or f"The words of comment {self.id}."

    @property
    def when(self) -> datetime:
        return datetime.fromtimestamp(self.at or MAY + self.id * 60, UTC)


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


# --- WordPress ---------------------------------------------------------------------------------------------------------

APPROVED = {"approved": "1", "pending": "0", "spam": "spam", "deleted": "trash"}
CHANNEL = """<?xml version="1.0" encoding="UTF-8" ?>
<!-- generator="WordPress/7.1" created="2026-08-01 10:00" -->
<rss version="2.0"
\txmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
\txmlns:content="http://purl.org/rss/1.0/modules/content/"
\txmlns:wfw="http://wellformedweb.org/CommentAPI/"
\txmlns:dc="http://purl.org/dc/elements/1.1/"
\txmlns:wp="http://wordpress.org/export/1.2/"
>
<channel>
\t<title>A blog</title>
\t<link>https://blog.example</link>
\t<wp:wxr_version>1.2</wp:wxr_version>
\t<wp:author><wp:author_id>1</wp:author_id><wp:author_login><![CDATA[owner]]></wp:author_login></wp:author>
\t<wp:category><wp:term_id>1</wp:term_id><wp:cat_name><![CDATA[News]]></wp:cat_name></wp:category>
"""


def wxr_comment(row: Row) -> str:
    return f"""
\t\t<wp:comment>
\t\t\t<wp:comment_id>{row.id}</wp:comment_id>
\t\t\t<wp:comment_author>{cdata(row.name)}</wp:comment_author>
\t\t\t<wp:comment_author_email>{cdata(row.email)}</wp:comment_author_email>
\t\t\t<wp:comment_author_url>{escape(row.url)}</wp:comment_author_url>
\t\t\t<wp:comment_author_IP>{cdata("203.0.113.7")}</wp:comment_author_IP>
\t\t\t<wp:comment_date>{cdata(f"{row.when:%Y-%m-%d %H:%M:%S}")}</wp:comment_date>
\t\t\t<wp:comment_date_gmt>{cdata(f"{row.when:%Y-%m-%d %H:%M:%S}")}</wp:comment_date_gmt>
\t\t\t<wp:comment_content>{cdata(row.text)}</wp:comment_content>
\t\t\t<wp:comment_approved>{cdata(APPROVED[row.status])}</wp:comment_approved>
\t\t\t<wp:comment_type>{cdata(row.kind)}</wp:comment_type>
\t\t\t<wp:comment_parent>{row.parent}</wp:comment_parent>
\t\t\t<wp:comment_user_id>0</wp:comment_user_id>
\t\t\t<wp:commentmeta><wp:meta_key>{cdata("akismet_result")}</wp:meta_key><wp:meta_value>{cdata("false")}</wp:meta_value></wp:commentmeta>
\t\t</wp:comment>"""


def wxr_post(rows: Iterable[Row], id: int = 12, **more: str) -> str:
    said = {"title": "Hello &amp; welcome", "status": "publish", "password": "", "type": "post", "link": LINK} | more
    comments = "".join(wxr_comment(row) for row in rows)
    return f"""\t<item>
\t\t<title>{cdata(said["title"])}</title>
\t\t<link>{said["link"]}</link>
\t\t<pubDate>Fri, 01 May 2020 09:00:00 +0000</pubDate>
\t\t<dc:creator>{cdata("owner")}</dc:creator>
\t\t<guid isPermaLink="false">https://blog.example/?p={id}</guid>
\t\t<description></description>
\t\t<content:encoded>{cdata("<!-- wp:paragraph --><p>A garden in <b>May</b>.</p><script>1</script>")}</content:encoded>
\t\t<excerpt:encoded>{cdata("")}</excerpt:encoded>
\t\t<wp:post_id>{id}</wp:post_id>
\t\t<wp:post_date>{cdata("2020-05-01 11:00:00")}</wp:post_date>
\t\t<wp:post_date_gmt>{cdata("2020-05-01 09:00:00")}</wp:post_date_gmt>
\t\t<wp:comment_status>{cdata(said.get("comments", "open"))}</wp:comment_status>
\t\t<wp:post_name>{cdata("hello")}</wp:post_name>
\t\t<wp:status>{cdata(said["status"])}</wp:status>
\t\t<wp:post_type>{cdata(said["type"])}</wp:post_type>
\t\t<wp:post_password>{cdata(said["password"])}</wp:post_password>
\t\t<category domain="category" nicename="news">{cdata("News")}</category>
\t\t<wp:postmeta><wp:meta_key>{cdata("_edit_last")}</wp:meta_key><wp:meta_value>{cdata("1")}</wp:meta_value></wp:postmeta>{comments}
\t</item>
"""


def wxr(*posts: str) -> bytes:
    return (CHANNEL + "".join(posts) + "</channel>\n</rss>\n").encode()


def wp_list(rows: Iterable[Row], post: int = 12) -> bytes:
    """As `wp comment list` prints it: on one line, newest first, numbers as texts."""
    return json.dumps(
        [
            {
                "comment_ID": str(row.id),
                "comment_post_ID": str(post),
                "comment_parent": str(row.parent),
                "comment_approved": APPROVED[row.status],
                "comment_type": row.kind,
                "comment_date_gmt": f"{row.when:%Y-%m-%d %H:%M:%S}",
                "comment_date": f"{row.when:%Y-%m-%d %H:%M:%S}",
                "comment_author": row.name,
                "comment_author_email": row.email,
                "comment_author_url": row.url,
                "comment_author_IP": "203.0.113.7",
                "comment_content": row.text,
            }
            for row in sorted(rows, key=lambda row: -row.id)
        ]
    ).encode()


# --- Disqus ------------------------------------------------------------------------------------------------------------


def disqus(rows: Iterable[Row]) -> bytes:
    posts = "".join(
        f"""<post dsq:id="{row.id}">
<id />
<message>{cdata(f"<p>{row.text}</p>")}</message>
<createdAt>{row.when:%Y-%m-%dT%H:%M:%SZ}</createdAt>
<isDeleted>{str(row.status == "deleted").lower()}</isDeleted>
<isSpam>{str(row.status == "spam").lower()}</isSpam>
<author><email>{escape(row.email)}</email><name>{escape(row.name)}</name><isAnonymous>true</isAnonymous></author>
<ipAddress>203.0.113.7</ipAddress>
<thread dsq:id="70" />
{f'<parent dsq:id="{row.parent}" />' if row.parent else ""}
</post>
"""
        for row in rows
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://disqus.com/api/schemas/1.0/disqus.xsd http://disqus.com/api/schemas/1.0/disqus-internals.xsd">
<category dsq:id="1"><forum>blog</forum><title>General</title><isDefault>true</isDefault></category>
<thread dsq:id="70"><id>hello</id><forum>blog</forum><category dsq:id="1" /><link>{LINK}</link>
<title>Hello &amp;amp; welcome</title><message /><createdAt>2020-05-01T09:00:00Z</createdAt>
<author><name>owner</name><isAnonymous>false</isAnonymous><username>owner</username></author>
<isClosed>false</isClosed><isDeleted>false</isDeleted></thread>
{posts}</disqus>
""".encode()


# --- isso --------------------------------------------------------------------------------------------------------------


def isso(file: Path, rows: Iterable[Row]) -> Path:
    database = sqlite3.connect(file)
    database.executescript(
        """CREATE TABLE preferences (key VARCHAR PRIMARY KEY, value VARCHAR);
        CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR(256) UNIQUE, title VARCHAR(256));
        CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT NOT NULL,
            modified FLOAT, mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR,
            likes INTEGER DEFAULT 0, dislikes INTEGER DEFAULT 0, voters BLOB NOT NULL, notification INTEGER DEFAULT 0);
        INSERT INTO threads VALUES (3, '/2020/05/hello/', 'Hello & welcome');"""
    )
    database.executemany(
        "INSERT INTO comments (tid, id, parent, created, modified, mode, remote_addr, text, author, email, website, voters) "
        "VALUES (3, ?, ?, ?, NULL, ?, '203.0.113.0', ?, ?, ?, ?, x'00')",
        [
            (
                *(
                    row.id,
                    row.parent or None,
                    row.when.timestamp(),
                    {"approved": 1, "pending": 2, "deleted": 4}[row.status],
                ),
                *(("" if row.status == "deleted" else row.text), row.name, row.email, row.url or None),
            )
            for row in rows
        ],
    )
    database.commit()
    database.close()
    return file


# --- remark42 ----------------------------------------------------------------------------------------------------------


def remark42(rows: Iterable[Row], *, read_only: bool = False) -> bytes:
    about: dict[str, Any] = {
        "version": 1,
        "users": [
            {
                "id": "github_ann",
                "blocked": {"status": False, "until": "0001-01-01T00:00:00Z"},
                "verified": False,
                "details": {"user_id": "github_ann", "email": "ann@example.org"},
            }
        ],
        "posts": [{"url": LINK, "read_only": True}] if read_only else [],
    }
    lines = [json.dumps(about)]
    for row in rows:
        gone = row.status == "deleted"
        lines.append(
            json.dumps(
                {
                    "id": str(row.id),
                    "pid": str(row.parent) if row.parent else "",
                    "text": "" if gone else f"<p>{row.text}</p>\n",
                    "orig": "" if gone else row.text,
                    "user": {"name": row.name, "id": "github_ann", "picture": "", "ip": "9f" * 20, "admin": False},
                    "locator": {"site": "blog", "url": LINK},
                    "score": 1,
                    "votes": {},
                    "time": row.when.isoformat().replace("+00:00", ".123456789Z"),
                    "title": "Hello &amp; welcome",
                }
                | ({"delete": True} if gone else {})
            )
        )
    return ("\n".join(lines) + "\n").encode()


SITEMAP = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://blog.example/</loc><lastmod>2026-01-01</lastmod></url>
<url><loc> {LINK} </loc><image:image><image:loc>https://blog.example/a.png</image:loc></image:image></url>
<url><loc>https://blog.example/tea?a=1&amp;b=2</loc>
<news:news><news:publication><news:name>Blog</news:name></news:publication>
<news:publication_date>2026-02-03T04:05:06Z</news:publication_date><news:title>Tea &amp; more</news:title></news:news></url>
<url><loc>javascript:alert(1)</loc></url>
</urlset>
"""
RSS = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Blog</title><link>https://blog.example/</link><atom:link rel="self" href="https://blog.example/feed.xml"/>
<item><title>Hello &amp;amp; world</title><link>{LINK}</link><pubDate>Fri, 01 May 2020 10:00:00 +0000</pubDate>
<description>Short.</description><content:encoded><![CDATA[<p>The <b>whole</b> text.</p><p>And more.<script>no()</script></p>]]></content:encoded></item>
<item><title>Tea</title><guid>https://blog.example/tea</guid><description>&lt;p&gt;Leaves.&lt;/p&gt;</description></item>
<item><title>No page</title><guid isPermaLink="false">17</guid></item>
</channel></rss>
"""
ATOM = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><link rel="self" href="https://blog.example/atom.xml"/>
<link href="https://blog.example/"/>
<entry><id>tag:blog.example,2020:1</id><title type="html">Hello &amp;amp; world</title>
<link rel="replies" href="https://blog.example/comments"/><link rel="alternate" href="{LINK}"/>
<published>2020-05-01T10:00:00Z</published><updated>2021-01-01T00:00:00Z</updated>
<content type="html">&lt;p&gt;The &lt;b&gt;whole&lt;/b&gt; text.&lt;/p&gt;</content></entry>
</feed>
"""
