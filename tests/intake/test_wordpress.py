"""WordPress's own form: each rule, in its order, with its words, through HTTP, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from moderation.intake import public_wordpress as wp
from moderation.sites import store as sites
from moderation.sites.allowance import Allowance
from moderation.sites.model import Article, Site
from moderation.sites.site_settings import SiteSettings
from moderation.transfer import store as imports
from tests.conftest import Service
from tests.html import Page

pytestmark = pytest.mark.anyio

FORM = "/sites/default/wp-comments-post.php"
GOOD = {
    "author": "Ann",
    "email": "ann@example.org",
    "url": "",
    "comment": "A kind word about gardens.",
    "submit": "Post Comment",
    "comment_post_ID": "12",
    "comment_parent": "0",
    "wp-comment-cookies-consent": "yes",
}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def send(service: Service, headers: dict[str, str] | None = None, **changed: Any) -> httpx.Response:
    """The form as a browser sends it, but for what is given; a minute after the last one. None leaves a field out."""
    service.clock.forward(minutes=1)
    return await send_now(service, headers, **changed)


async def send_now(service: Service, headers: dict[str, str] | None = None, **changed: Any) -> httpx.Response:
    fields = {name: value for name, value in (GOOD | changed).items() if value is not None}
    return await service.client.post(FORM, data=fields, headers=BROWSER | (headers or {}))


async def rules(service: Service, **changed: Any) -> None:
    async with service.services.database.transaction() as tx:
        site = Site(key="default", name="My site", origins=("https://blog.example",), settings=SiteSettings(**changed))
        await sites.put_site(tx, site, 1)
    service.services.directory.forget()


async def register(service: Service, key: str = "12", **more: Any) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_article(tx, Article(site="default", key=key, **more))


async def test_the_form_unmodified_publishes_and_leads_back_to_the_comment(service: Service) -> None:
    await register(service, url="https://blog.example/2024/05/gate/")
    answer = await send(service)
    (shown,) = (await service.thread("12"))["comments"]
    assert answer.status_code == 303
    assert answer.headers["location"] == f"https://blog.example/2024/05/gate/#comment-{shown['id']}"
    assert shown["author"]["name"] == "Ann" and shown["text"] == GOOD["comment"]
    assert "set-cookie" not in answer.headers


async def test_what_is_held_leads_to_the_receipt_which_says_so(service: Service) -> None:
    answer = await send(service, comment='I wrote <a href="https://blog.example/mine">about it</a>')
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("http://comments.test/receipts/")
    page = Page((await service.client.get(answer.headers["location"])).text)
    assert "awaiting moderation" in page.text("h1") and page.link("about it") == "https://blog.example/mine"


async def test_text_is_wordpress_html(service: Service) -> None:
    await send(
        service, comment="<strong>One</strong> line\nand <img src=x onerror=alert(1)><u>another</u>\r\n\r\nR&D < C++"
    )
    (shown,) = (await service.thread("12"))["comments"]
    assert shown["html"] == "<p><strong>One</strong> line<br>\nand another</p>\n<p>R&amp;D &lt; C++</p>\n"


async def other_parent(service: Service, status: str) -> str:
    """The id of a comment that nobody may reply to on article 12."""
    if status == "another article's":
        answer = await service.post("13")
        return str(answer.json()["id"])
    if status == "unknown":
        return "0" * 26
    if status == "a number of nobody":
        return "4711"
    if status == "no id":
        return "../12"
    id = await service.held("12")
    if status != "pending":
        who = await service.token()
        act = {"spam": "spam", "rejected": "reject", "deleted": "delete"}[status]
        await service.client.post("/api/v1/decisions", json={"comments": [id], "action": act}, headers=who)
    return id


@pytest.mark.parametrize(
    "status", ["pending", "spam", "rejected", "deleted", "another article's", "unknown", "a number of nobody", "no id"]
)
async def test_only_a_published_comment_of_the_article_may_be_replied_to(service: Service, status: str) -> None:
    answer = await send(service, comment_parent=await other_parent(service, status))
    assert answer.status_code == 403
    assert "Sorry, replies to unapproved comments are not allowed." in answer.text


LONG_EMAIL = "a" * 60 + "@" + "b" * 50 + ".example"
WRONG: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("parent", {"comment_parent": "4711"}, 403, "Sorry, replies to unapproved comments are not allowed.", ""),
    ("closed", {"comment_post_ID": "99"}, 403, "Sorry, comments are closed for this item.", ""),
    ("no name", {"author": ""}, 422, "Error: Please fill the required fields.", "author"),
    ("no name but a tag", {"author": "<b></b>"}, 422, "Error: Please fill the required fields.", "author"),
    ("no email", {"email": ""}, 422, "Error: Please fill the required fields.", "email"),
    ("an email of five", {"email": "a@b.c"}, 422, "Error: Please enter a valid email address.", "email"),
    ("a bad email", {"email": "nobody at all"}, 422, "Error: Please enter a valid email address.", "email"),
    ("no text", {"comment": " \r\n\t"}, 422, "Error: Please type your comment text.", "comment"),
    ("nothing to see", {"comment": "<b></b>"}, 422, "Error: Please type your comment text.", "comment"),
    ("a long name", {"author": "ä" * 123}, 422, "Error: Your name is too long.", "author"),
    ("a long email", {"email": LONG_EMAIL}, 422, "Error: Your email address is too long.", "email"),
    ("a long address", {"url": "http://a.example/" + "é" * 92}, 422, "Error: Your URL is too long.", "url"),
    ("a long text", {"comment": "ä" * 32_763}, 422, "Error: Your comment is too long.", "comment"),
    ("longer than the site allows", {"comment": "x" * 10_001}, 422, "Error: Your comment is too long.", "comment"),
    ("said before", {"comment": "Said  BEFORE", "email": "before@example.org"}, 409,
     "Duplicate comment detected; it looks as though you’ve already said that!", ""),
    ("too fast", {"email": "fast@example.org"}, 429, "You are posting comments too quickly. Slow down.", ""),
]  # fmt: skip


async def prepare(service: Service) -> None:
    """What the table needs: a closed article, a comment of long ago, and one of just now."""
    await register(service, "99", comments_open=False)
    assert (await send(service, comment="said before", email="before@example.org")).status_code == 303
    assert (await send(service, comment="Just now", email="fast@example.org")).status_code == 303
    service.clock.forward(seconds=14.9)


@pytest.mark.parametrize(("name", "fields", "status", "message", "field"), WRONG, ids=[row[0] for row in WRONG])
async def test_each_rule_says_what_wordpress_says(
    service: Service, name: str, fields: dict[str, Any], status: int, message: str, field: str
) -> None:
    await prepare(service)
    if name == "said before":
        service.clock.forward(seconds=1)
    before = (await service.thread("12"))["count"]
    page = await send_now(service, **fields)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert message in page.text and "Comment Submission Failure" in page.text
    told = await send_now(service, {"Accept": "application/json"}, **fields)
    assert (told.status_code, told.headers["content-type"]) == (status, "application/problem+json")
    assert told.json()["detail"] == message
    assert [e["field"] for e in told.json().get("errors", [])] == ([field] if field else [])
    assert ("retry-after" in told.headers) == (status == 429)
    assert (await service.thread("12"))["count"] == before


async def test_the_first_failing_check_decides(service: Service) -> None:
    """Every two that can be wrong at once: the one that stands further up in the table is told."""
    order = ["parent", "closed", "no name", "no email", "a bad email", "no text", "a long name", "a long email",
             "a long address", "a long text", "said before", "too fast"]  # fmt: skip
    table = {row[0]: row for row in WRONG}
    await prepare(service)
    pairs = [(table[a], table[b]) for at, a in enumerate(order) for b in order[at + 1 :]]
    tried = 0
    for first, second in pairs:
        service.services.intake.allowance = Allowance()  # each time from one who has not had anything wrong yet
        if not set(first[1]) & set(second[1]):  # one field cannot be wrong in two ways
            told = await send_now(service, {"Accept": "application/json"}, **(first[1] | second[1]))
            assert (told.status_code, told.json()["detail"]) == (first[2], first[3]), (first[0], second[0])
            tried += 1
    assert tried > 40
    twice = await send_now(service, {"Accept": "application/json"}, comment="just now", email="fast@example.org")
    assert twice.status_code == 409, "a duplicate is told before a flood"


async def test_limits_are_bytes_and_then_the_sites_own(service: Service) -> None:
    assert (await send(service, author="ä" * 122)).status_code == 303
    await rules(service, max_body=5)
    assert (await send(service, comment="<b>five</b>!", email="five@example.org")).status_code == 303
    assert (await send(service, comment="six!!!")).status_code == 422


async def test_a_site_may_relax_what_is_required(service: Service) -> None:
    await rules(service, require_name=False, require_email=False)
    answer = await send(service, author="", email="")
    assert answer.status_code == 303
    assert (await service.thread("12"))["comments"][0]["author"]["name"] == "Anonymous"
    assert (await send(service, comment="Another.", email="nobody at all")).status_code == 422


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("blog.example", "http://blog.example"), ("https://blog.example/x", "https://blog.example/x"), ("", None),
     ("javascript:alert(1)", None), ("/here", None), ("http://", None)],
)  # fmt: skip
async def test_a_website_is_completed_or_left_out(service: Service, sent: str, kept: str | None) -> None:
    assert (await send(service, url=sent)).status_code == 303
    (comment,) = (await service.thread("12"))["comments"]
    await service.decide(comment["id"])
    assert (await service.thread("12"))["comments"][0]["author"]["url"] == kept


async def test_a_double_submit_is_one_comment(service: Service) -> None:
    answers = await asyncio.gather(*(send_now(service) for _ in range(3)))
    assert sorted(a.status_code for a in answers) == [303, 409, 409]
    assert (await service.thread("12"))["count"] == 1


async def test_a_flood_is_seen_within_one_batch_and_by_address(service: Service) -> None:
    answers = await asyncio.gather(*(send_now(service, comment=f"Thought number {i}") for i in range(3)))
    assert sorted(a.status_code for a in answers) == [303, 429, 429]
    other_email = await send_now(service, comment="Somebody else here", email="bob@example.org")
    assert other_email.status_code == 429, "the same address"
    transport = httpx.ASGITransport(service.app, client=("198.51.100.7", 80))
    async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as elsewhere:
        same_email = await elsewhere.post(FORM, data=GOOD | {"comment": "Me, from the train"})
        assert same_email.status_code == 303, "anybody can type an email address, so it is no flood elsewhere"
        stranger = await elsewhere.post(FORM, data=GOOD | {"comment": "Hello", "email": "bob@example.org"})
        assert stranger.status_code == 429, "the same address"
        assert stranger.headers["retry-after"] == "15"
    service.clock.forward(seconds=10)
    assert (await send_now(service, comment="Again")).headers["retry-after"] == "5"
    service.clock.forward(seconds=5)
    assert (await send_now(service, comment="Again")).status_code == 303


async def test_the_native_endpoint_asks_for_no_pause(service: Service) -> None:
    fields = {"name": "Ann", "email": "ann@example.org"}
    for number in range(3):
        answer = await service.client.post(
            "/sites/default/articles/12/comments", json=fields | {"body": f"Thought {number}"}
        )
        assert answer.status_code == 201
    assert (await send_now(service)).status_code == 429, "but WordPress's form sees what came that way"


async def test_imported_numbers_lead_to_our_articles_and_comments(service: Service) -> None:
    parent = (await service.post("a-garden")).json()["id"]
    known = [
        imports.ImportedId(site="default", source="wordpress", kind=imports.ARTICLE, foreign_id="12", id="a-garden"),
        imports.ImportedId(site="default", source="wordpress", kind=imports.COMMENT, foreign_id="345", id=parent),
    ]
    async with service.services.database.transaction() as tx:
        await imports.add(tx, known)
    assert (await send(service, comment_parent="0345")).status_code == 303
    (root,) = (await service.thread("a-garden"))["comments"]
    assert [r["text"] for r in root["replies"]] == [GOOD["comment"]]
    assert (await send(service, comment_parent=parent, comment="By our own id")).status_code == 303


@pytest.mark.parametrize("post", [None, "", "0", "a/b", ".."])
async def test_a_post_that_cannot_be_is_not_found(service: Service, post: str | None) -> None:
    assert (await send(service, comment_post_ID=post)).status_code == 404


async def test_a_site_of_registered_articles_knows_no_other(service: Service) -> None:
    await rules(service, articles="registered")
    assert (await send(service)).status_code == 404
    await register(service)
    assert (await send(service)).status_code == 303


async def test_a_post_that_is_too_old_is_closed_before_anything_else_is_wrong(service: Service) -> None:
    await rules(service, close_after_days=14)
    await register(service, published_at=service.clock.now - 15 * 86_400_000)
    answer = await send(service, email="")
    assert answer.status_code == 403 and "Sorry, comments are closed for this item." in answer.text


async def test_no_form_token_is_asked_for_and_a_receipt_earns_trust(service: Service) -> None:
    first = await send(service, {"Accept": "application/json"})
    assert first.status_code == 201, first.text
    link = "I oiled the hinge as you said, thank you. My notes on the gate are at https://blog.example/{}"
    assert (await send(service, {"Accept": "application/json"}, comment=link.format(1))).status_code == 202
    proof = first.json()["receipt"]
    unread = await send(service, {"Accept": "application/json"}, comment=link.format(3), receipt=proof)
    assert unread.status_code == 202  # no person has read the first one
    decision = {"comments": [first.json()["id"]], "action": "approve"}
    await service.client.post("/api/v1/decisions", json=decision, headers=await service.token())
    trusted = await send(service, {"Accept": "application/json"}, comment=link.format(2), receipt=proof)
    assert trusted.status_code == 201


async def test_another_sites_page_may_not_post_and_is_told_so(service: Service) -> None:
    await rules(service)
    refused = await send(service, {"Origin": "https://evil.example"})
    assert refused.status_code == 403 and "text/html" in refused.headers["content-type"]
    assert GOOD["comment"] in refused.text and "access-control-allow-origin" not in refused.headers
    allowed = await send(service, {"Origin": "https://blog.example", "Referer": "https://blog.example/gate/"})
    assert allowed.status_code == 303
    assert allowed.headers["location"].startswith("https://blog.example/gate/#comment-")
    assert allowed.headers["access-control-allow-origin"] == "https://blog.example"


async def test_the_page_keeps_what_was_typed_and_leads_back_where_it_may(service: Service) -> None:
    await rules(service)
    await register(service, url="https://blog.example/2024/05/gate/")
    evil = '</textarea><script>alert("x")</script>'
    page = await send(service, {"Referer": "https://blog.example/"}, email="nobody at all", comment=evil)
    assert "<script>alert" not in page.text and evil in Page(page.text).text()
    assert Page(page.text).attributes("a[data-back]", "href") == ["https://blog.example/2024/05/gate/"]
    page = await send(service, {"Referer": "https://blog.example/gate/?p=1"}, email="nobody at all")
    assert Page(page.text).attributes("a[data-back]", "href") == ["https://blog.example/gate/?p=1"]
    page = await send(service, {"Referer": "https://evil.example/x"}, email="no", comment_post_ID="77")
    assert "evil.example" not in page.text and "data-back" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"content": b"comment=%ff", "kind": "application/x-www-form-urlencoded"}, 400),
        ({"content": b"comment=a%00b", "kind": "application/x-www-form-urlencoded"}, 400),
        ({"content": b"{}", "kind": "application/json"}, 415),
        ({"content": b"comment=" + b"x" * (1 << 20), "kind": "application/x-www-form-urlencoded"}, 413),
        ({"content": b"author=a&author=b&comment_post_ID=1", "kind": "application/x-www-form-urlencoded"}, 422),
    ],
)
async def test_what_cannot_be_read_is_refused_as_a_page(service: Service, sent: dict[str, Any], status: int) -> None:
    headers = BROWSER | {"Content-Type": sent["kind"]}
    answer = await service.client.post(FORM, content=sent["content"], headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


@pytest.mark.parametrize("spoilt", [b"caf\xe9", b"caf%E9", b"caf\xc3\xa9%00", b"caf%C3%A9%00"])
@pytest.mark.parametrize("is_multipart", [False, True])
async def test_a_form_that_cannot_be_stored_keeps_what_was_typed(
    service: Service, spoilt: bytes, is_multipart: bool
) -> None:
    headers = BROWSER | {"Content-Type": "application/x-www-form-urlencoded"}
    content = b"author=Zo&email=zoe%40example.org&comment_post_ID=12&comment=A+long+text+" + spoilt
    if is_multipart:
        value = spoilt.replace(b"%00", b"\0").replace(b"%E9", b"\xe9").replace(b"%C3%A9", b"\xc3\xa9")
        fields = {
            b"author": b"Zo",
            b"email": b"zoe@example.org",
            b"comment_post_ID": b"12",
            b"comment": b"A long text " + value,
        }
        parts = [b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field for field in fields.items()]
        content, headers["Content-Type"] = b"".join([*parts, b"--x--\r\n"]), "multipart/form-data; boundary=x"
    answer = await service.client.post(FORM, content=content, headers=headers)
    assert answer.status_code == 400
    text = Page(answer.text).text()
    assert "A long text café" in text and "zoe@example.org" in text


async def test_a_reply_to_a_pingback_stands_at_the_top(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        pingback = imports.ImportedId(
            site="default", source="wordpress", kind=imports.COMMENT, foreign_id="77", id=imports.PINGBACK
        )
        await imports.add(tx, [pingback])
    assert (await send(service, comment_parent="77")).status_code == 303
    (comment,) = (await service.thread("12"))["comments"]
    assert comment["parent"] is None


async def test_plugins_fields_are_ignored_even_twice_and_multipart_is_read(service: Service) -> None:
    fields = [*GOOD.items(), ("ak_hp_textarea", ""), ("ak_js", "1"), ("ak_js", "2")]
    answer = await service.client.post(FORM, files=[(name, (None, value)) for name, value in fields])
    assert answer.status_code == 303
    as_file = await service.client.post(
        FORM, files={"comment": ("a.txt", b"text")}, data={"author": "Ann"}, headers=BROWSER
    )
    assert as_file.status_code == 422 and "Ann" in as_file.text


async def test_only_post_is_answered(service: Service) -> None:
    answer = await service.client.get(FORM)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_every_message_of_the_module_is_in_the_table() -> None:
    told = {row[3] for row in WRONG}
    assert told >= {wp.UNAPPROVED_PARENT, wp.CLOSED, wp.REQUIRED, wp.BAD_EMAIL, wp.EMPTY, wp.DUPLICATE, wp.FLOOD}
