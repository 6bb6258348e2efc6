"""More files as other systems write them, from the rows of `foreign`. Each knows some statuses."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.transfer.foreign import LINK, Row

PATH = "/2020/05/hello/"
Rows = Iterable[Row]


def iso(row: Row) -> str:
    return row.when.isoformat().replace("+00:00", "Z")


def waline(rows: Rows) -> bytes:
    status = {"approved": "approved", "pending": "waiting", "spam": "spam"}
    data = [
        {
            "objectId": str(row.id), "nick": row.name, "mail": row.email, "link": row.url or None, "comment": row.text, "ip": "203.0.113.7",
            "url": PATH, "pid": str(row.parent) if row.parent else None, "rid": str(row.parent) if row.parent else None,
            "status": status[row.status], "insertedAt": iso(row), "createdAt": "2026-01-01T00:00:00Z", "ua": "Mozilla",
        }
        for row in rows
    ]  # fmt: skip
    counter = [{"objectId": "9", "url": PATH, "time": 3}]
    return json.dumps({"type": "waline", "version": 1, "time": 1, "tables": ["Comment", "Counter", "Users"],
                       "data": {"Comment": data, "Counter": counter, "Users": []}}).encode()  # fmt: skip


def valine(rows: Rows) -> bytes:
    """LeanCloud's export of the class Comment."""
    return json.dumps([
        {"objectId": str(row.id), "nick": row.name, "mail": row.email, "link": row.url, "comment": f"<p>{row.text}</p>\n", "url": PATH,
         **({"pid": str(row.parent)} if row.parent else {}), "insertedAt": {"__type": "Date", "iso": iso(row)}}
        for row in rows
    ]).encode()  # fmt: skip


def valine_lines(rows: Rows) -> bytes:
    """The same from its console: one object a line."""
    return b'#filetype:JSON-streaming {"type":"Class","class":"Comment"}\n' + lines_of(json.loads(valine(rows)))


def artalk(rows: Rows) -> bytes:
    return json.dumps([
        {"id": str(row.id), "rid": str(row.parent), "content": row.text, "ua": "", "ip": "203.0.113.7", "is_collapsed": "false",
         "is_pending": str(row.status == "pending").lower(), "vote_up": "0", "vote_down": "0",
         "created_at": f"{row.when:%Y-%m-%d %H:%M:%S} +0000", "updated_at": "", "nick": row.name, "email": row.email, "link": row.url,
         "page_key": LINK, "page_title": "Hello & welcome", "page_admin_only": "false", "site_name": "Blog", "site_urls": ""}
        for row in rows
    ]).encode()  # fmt: skip


def twikoo_rows(rows: Rows) -> list[dict[str, Any]]:
    return [
        {"_id": f"id{row.id}", "uid": "u", "nick": row.name, "mail": row.email, "mailMd5": "0", "link": row.url, "ua": "", "ip": "203.0.113.7",
         "master": False, "url": PATH, "href": LINK, "comment": f"<p>{row.text}</p>", "isSpam": row.status == "spam",
         "created": int(row.when.timestamp() * 1000), "updated": 0, **({"pid": f"id{row.parent}", "rid": f"id{row.parent}"} if row.parent else {})}
        for row in rows
    ]  # fmt: skip


def twikoo(rows: Rows) -> bytes:
    return json.dumps(twikoo_rows(rows)).encode()


def twikoo_lines(rows: Rows) -> bytes:
    """`mongoexport` of its collection."""
    return b"".join(json.dumps(row | {"_id": {"$oid": row["_id"]}}).encode() + b"\n" for row in twikoo_rows(rows))


def commento(rows: Rows) -> bytes:
    state = {"approved": "approved", "pending": "unapproved", "deleted": "approved"}
    comments, people = [], {}
    for row in rows:
        people[f"c{row.name}"] = {
            "commenterHex": f"c{row.name}",
            "email": row.email,
            "name": row.name,
            "link": row.url or "undefined",
        }
        comments.append(
            {"commentHex": f"x{row.id}", "domain": "blog.example", "url": PATH, "commenterHex": f"c{row.name}", "markdown": row.text,
             "html": f"<p>{row.text}</p>", "parentHex": f"x{row.parent}" if row.parent else "root", "score": 0,
             "state": state[row.status], "creationDate": iso(row), "direction": 0, "deleted": row.status == "deleted"}
        )  # fmt: skip
    return json.dumps({"version": 1, "comments": comments, "commenters": list(people.values())}, indent=1).encode()


def comentario(rows: Rows) -> bytes:
    comments, people = [], {}
    for row in rows:
        people[row.name] = {"id": f"u{row.name}", "email": row.email, "name": row.name, "websiteUrl": row.url}
        comments.append(
            {"id": f"x{row.id}", "parentId": f"x{row.parent}" if row.parent else None, "pageId": "p1", "markdown": row.text,
             "html": f"<p>{row.text}</p>", "isApproved": row.status == "approved", "isPending": row.status == "pending",
             "isDeleted": row.status == "deleted", "createdTime": iso(row), "userCreated": f"u{row.name}"}
        )  # fmt: skip
    page = {"id": "p1", "path": PATH, "title": "Hello & welcome", "isReadonly": False}
    return json.dumps(
        {"version": 3, "pages": [page], "comments": comments, "commenters": list(people.values())}
    ).encode()


def giscus(rows: Rows) -> bytes:
    def node(row: Row) -> dict[str, Any]:
        return {"id": f"DC_{row.id}", "author": {"login": row.name, "url": f"https://github.com/{row.name}"}, "body": row.text,
                "createdAt": iso(row), "lastEditedAt": None, "isMinimized": row.status == "spam",
                "minimizedReason": "SPAM" if row.status == "spam" else None}  # fmt: skip

    everything = list(rows)
    tops = [
        node(row) | {"replies": {"nodes": [node(r) for r in everything if r.parent == row.id]}}
        for row in everything
        if not row.parent
    ]
    discussion = {"number": 7, "title": PATH.strip("/"), "url": "https://github.com/a/b/discussions/7", "locked": False,
                  "comments": {"totalCount": len(tops), "nodes": tops}}  # fmt: skip
    page = {
        "data": {
            "repository": {
                "discussions": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [discussion]}
            }
        }
    }
    return json.dumps(page).encode()


def jsonl(rows: Rows) -> bytes:
    lines: list[dict[str, Any]] = [
        {"format": "comments", "version": 1},
        {"article": {"id": "7", "url": LINK, "title": "Hello & welcome", "published_at": "2020-05-01T09:00:00Z"}},
    ]
    lines += [
        {"comment": {"id": row.id, "article": "7", "parent": row.parent or None, "status": row.status, "name": row.name, "email": row.email,
                     "url": row.url, "body": row.text, "format": "text", "created_at": iso(row)}}
        for row in rows
    ]  # fmt: skip
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def cusdis(folder: Path, rows: Rows) -> Path:
    file = folder / "cusdis.db"
    database = sqlite3.connect(file)
    database.executescript(
        """CREATE TABLE pages (id TEXT PRIMARY KEY, slug TEXT, url TEXT, title TEXT, projectId TEXT);
        CREATE TABLE comments (id TEXT PRIMARY KEY, pageId TEXT, created_at DATETIME, updated_at DATETIME, deleted_at DATETIME,
            moderatorId TEXT, by_email TEXT, by_nickname TEXT, content TEXT, approved BOOLEAN, parentId TEXT);"""
    )
    database.execute("INSERT INTO pages VALUES ('p1', 'hello', ?, 'Hello & welcome', 'x')", (LINK,))
    database.executemany(
        "INSERT INTO comments VALUES (?, 'p1', ?, NULL, ?, NULL, ?, ?, ?, ?, ?)",
        [
            (
                *(
                    f"c{row.id}",
                    int(row.when.timestamp() * 1000),
                    1 if row.status == "deleted" else None,
                    row.email,
                    row.name,
                    row.text,
                ),
                *(row.status == "approved", f"c{row.parent}" if row.parent else None),
            )
            for row in rows
        ],
    )
    database.commit()
    database.close()
    return file


def staticman(folder: Path, rows: Rows) -> Path:
    page = folder / "comments" / PATH.strip("/")
    page.mkdir(parents=True)
    for row in rows:
        fields = {
            "_id": f"s{row.id}",
            "_parent": f"s{row.parent}" if row.parent else "",
            "name": row.name,
            "email": "d41d8cd98f00b204e9800998ecf8427e",
        }
        if row.id % 2:
            (page / f"entry{row.id}.json").write_text(
                json.dumps(fields | {"message": row.text, "date": int(row.when.timestamp())})
            )
        else:
            lines = [f"{name}: {value}" for name, value in fields.items()]
            (page / f"entry{row.id}.yml").write_text(
                "\n".join([*lines, f"message: >-\n  {row.text}", f"date: '{iso(row)}'", ""])
            )
    (folder / "comments" / ".hidden.yml").write_text("a: b")
    return folder / "comments"


def coral_rows(rows: Rows) -> dict[str, list[dict[str, Any]]]:
    """The collections of version 5 and later."""
    status = {
        "approved": "NONE",
        "pending": "SYSTEM_WITHHELD",
        "spam": "REJECTED",
        "rejected": "REJECTED",
        "deleted": "APPROVED",
    }
    story = {"_id": {"$oid": "0" * 24}, "id": "s1", "url": LINK, "tenantID": "t", "siteID": "x", "metadata": {"title": "Hello & welcome"},
             "createdAt": {"$date": "2020-05-01T08:00:00.000Z"}, "commentCounts": {"action": {}}, "closedAt": False, "settings": {}}  # fmt: skip
    comments, people = [], {}
    for row in rows:
        author = f"u{row.name}"
        people[author] = {"_id": {"$oid": "1" * 24}, "tenantID": "t", "id": author, "username": row.name, "email": row.email,
                          "profiles": [{"type": "local", "id": row.email, "password": "hash"}], "role": "COMMENTER"}  # fmt: skip
        revision = {"id": "r", "body": f"<div>{row.text}</div>", "actionCounts": {}, "metadata": {"akismet": row.status == "spam"},
                    "createdAt": {"$date": iso(row)}}  # fmt: skip
        comments.append(
            {"_id": {"$oid": "2" * 24}, "tenantID": "t", "id": f"c{row.id}", "siteID": "x", "storyID": "s1", "authorID": author,
             "ancestorIDs": [f"c{row.parent}"] if row.parent else [], "parentID": f"c{row.parent}" if row.parent else None,
             "revisions": [] if row.status == "deleted" else [revision], "status": status[row.status], "tags": [], "childIDs": [],
             "createdAt": {"$date": iso(row)}, **({"deletedAt": {"$date": iso(row)}} if row.status == "deleted" else {})}
        )  # fmt: skip
    return {"stories": [story], "users": list(people.values()), "comments": comments}


def lines_of(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def coral(folder: Path, rows: Rows) -> Path:
    (folder / "coral").mkdir()
    for name, collection in coral_rows(rows).items():
        (folder / "coral" / f"{name}.json").write_bytes(lines_of(collection))
    (folder / "coral" / "commentActions.json").write_text('{"tenantID": "t"}\n')
    return folder / "coral"


def coral_lines(rows: Rows) -> bytes:
    collections = coral_rows(rows)
    return lines_of([*collections["comments"], *collections["users"], *collections["stories"]])


def coral_4(rows: Rows) -> bytes:
    """Version 4, in one file."""
    status = {"approved": "ACCEPTED", "pending": "PREMOD", "rejected": "REJECTED"}
    asset = {"id": "s1", "url": LINK, "title": "Hello & welcome", "created_at": {"$date": "2020-05-01T08:00:00.000Z"}, "scraped": None,
             "closedAt": None, "settings": {}}  # fmt: skip
    comments, people = [], {}
    for row in rows:
        people[row.name] = {
            "id": f"u{row.name}",
            "username": row.name,
            "profiles": [{"id": row.email, "provider": "local"}],
        }
        comments.append(
            {"id": f"c{row.id}", "asset_id": "s1", "author_id": f"u{row.name}", "parent_id": f"c{row.parent}" if row.parent else None,
             "body": row.text, "body_history": [{"body": row.text, "created_at": {"$date": iso(row)}}], "status": status[row.status],
             "status_history": [], "created_at": {"$date": iso(row)}, "deleted_at": None}
        )  # fmt: skip
    return lines_of([asset, *people.values(), *comments])


@dataclass(frozen=True)
class System:
    write: Callable[..., bytes | Path]
    statuses: str
    source: str
    title: str = ""
    has_email: bool = True
    takes_folder: bool = False
    has_lines: bool = False


SYSTEMS = {
    "waline": System(waline, "approved pending spam", "waline"),
    "valine": System(valine, "approved", "waline"),
    "valine lines": System(valine_lines, "approved", "waline", has_lines=True),
    "artalk": System(artalk, "approved pending", "artalk", "Hello & welcome"),
    "twikoo": System(twikoo, "approved spam", "twikoo"),
    "twikoo lines": System(twikoo_lines, "approved spam", "twikoo", has_lines=True),
    "commento": System(commento, "approved pending deleted", "commento"),
    "comentario": System(comentario, "approved pending deleted", "commento", "Hello & welcome"),
    "giscus": System(giscus, "approved spam", "giscus", has_email=False),
    "jsonl": System(jsonl, "approved pending spam rejected deleted", "jsonl", "Hello & welcome", has_lines=True),
    "coral": System(coral, "approved pending spam rejected deleted", "coral", "Hello & welcome", takes_folder=True),
    "coral lines": System(
        coral_lines, "approved pending spam rejected deleted", "coral", "Hello & welcome", has_lines=True
    ),
    "coral 4": System(coral_4, "approved pending rejected", "coral", "Hello & welcome", has_lines=True),
    "cusdis": System(cusdis, "approved pending deleted", "cusdis", "Hello & welcome", takes_folder=True),
    "staticman": System(staticman, "approved", "staticman", has_email=False, takes_folder=True),
}
