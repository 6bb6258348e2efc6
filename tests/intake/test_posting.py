"""Posting and reading, through HTTP, on both databases."""

from __future__ import annotations

import pytest

from tests.conftest import Service

pytestmark = pytest.mark.anyio


async def test_a_harmless_comment_to_a_fresh_service_is_published(service: Service) -> None:
    answer = await service.post(body="Great article, thanks! I had the same problem with my garden last spring.")
    assert answer.status_code == 201
    told = answer.json()
    assert told["status"] == "approved" and told["receipt"].startswith("http://comments.test/receipts/")
    thread = await service.thread()
    assert [c["id"] for c in thread["comments"]] == [told["id"]]
    assert thread["count"] == 1


async def test_every_wrong_field_is_named_at_once(service: Service) -> None:
    answer = await service.post(name="", email="nobody", url="javascript:alert(1)", body="  ", notify="perhaps")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    found = {(e["field"], e["code"]) for e in answer.json()["errors"]}
    assert found == {
        ("name", "required"),
        ("email", "invalid"),
        ("url", "invalid"),
        ("body", "required"),
        ("notify", "invalid"),
    }


@pytest.mark.parametrize(("said", "json", "form"), [(True, 201, 0), (False, 201, 0), (None, 201, 0), ("on", 422, 303), ("TRUE", 422, 303),
                                                    ("", 422, 303), ("0", 422, 303), ("perhaps", 422, 422), (1, 422, 0)])  # fmt: skip
async def test_notify_is_a_boolean_and_in_a_form_a_box(service: Service, said: object, json: int, form: int) -> None:
    assert (await service.post(notify=said)).status_code == json
    if form:
        path, typed = (
            "/sites/default/articles/post/comments",
            {"name": "Ann", "email": "a@example.org", "body": "Kind."},
        )
        assert (await service.client.post(path, data=typed | {"notify": str(said)})).status_code == form


async def test_a_link_from_a_stranger_waits_and_a_receipt_earns_trust(service: Service) -> None:
    machine, proof = (await service.post()).json()["receipt"], await service.proof()
    link = "The documentation at https://docs.python.org/{}/library/asyncio.html says you should keep a reference."
    assert (await service.post(body=link.format(1))).status_code == 202
    assert (await service.post(body=link.format(2), headers={"Receipt": proof})).status_code == 201
    assert (await service.post(body=link.format(3), receipt=proof)).status_code == 201
    assert (await service.post(body=link.format(5), receipt=proof, name="Bob")).status_code == 202
    for forged in (machine, proof[:-1], "", None, 5, [proof]):
        assert (await service.post(body=link.format(4), receipt=forged)).status_code == 202


async def test_what_is_filed_as_spam_gets_the_same_answer_as_what_waits(service: Service) -> None:
    spam = await service.post(
        body="Buy cheap viagra online http://pills.example BEST PRICE!!! casino loans http://casino.example"
    )
    held = await service.post(body="See https://blog.example/post")
    assert spam.status_code == held.status_code == 202
    assert set(spam.json()) == set(held.json()) == {"id", "status", "edit_token", "receipt"}
    assert spam.json()["status"] == "pending"
    assert (await service.thread())["count"] == 0


async def test_a_duplicate_is_told_so_however_it_is_spaced_or_cased(service: Service) -> None:
    who = {"email": "one@example.org"}
    assert (await service.post(body="Ｔhe same  words", **who)).status_code == 201
    again = await service.post(body="the SAME words", **who)
    assert (again.status_code, again.json()["code"]) == (409, "duplicate")
    assert (await service.post(body="the same words", email="two@example.org")).status_code == 201


async def test_who_posts_too_fast_is_told_when_to_come_back(service: Service) -> None:
    answers = [
        await service.post(email="eager@example.org", body=f"Thought number {i}, quite calm.") for i in range(11)
    ]
    assert [a.status_code for a in answers] == [201] * 10 + [429]
    assert answers[-1].headers["retry-after"].isdigit()
    service.clock.forward(minutes=1)
    assert (await service.post(email="eager@example.org", body="Later.")).status_code == 201


async def test_replies_nest_five_deep_and_no_deeper(service: Service) -> None:
    parent, ids = None, []
    for level in range(7):
        told = (await service.post(body=f"A reply on level {level}.", parent=parent)).json()
        ids.append(told["id"])
        parent = told["id"]
    depth, comments = 0, (await service.thread())["comments"]
    while comments:
        depth, comments = depth + 1, comments[0]["replies"]
    assert depth == 5
    flat = (await service.thread(view="flat"))["comments"]
    assert [c["depth"] for c in flat] == [1, 2, 3, 4, 5, 5, 5]
    assert flat[5]["parent"] == flat[6]["parent"] == ids[3]


@pytest.mark.parametrize("parent", ["nonsense", "0" * 26, "{other}", "{held}"])
async def test_a_parent_must_be_a_published_comment_of_the_article(service: Service, parent: str) -> None:
    other = (await service.post("another")).json()["id"]
    held = await service.held()
    answer = await service.post(parent=parent.format(other=other, held=held))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "parent", "code": "unknown_parent", "message": "is no published comment of this article"}
    ]


async def test_paging_in_tree_order_shows_each_comment_once(service: Service) -> None:
    roots = [(await service.post(body=f"Root number {i}.")).json()["id"] for i in range(4)]
    for root in roots:
        await service.post(body=f"A reply to {root}.", parent=root)
    for order in ("oldest", "newest"):
        seen, cursor = [], ""
        while True:
            page = await service.thread(limit=3, view="flat", order=order, **({"cursor": cursor} if cursor else {}))
            seen += [(c["parent"], c["id"]) for c in page["comments"]]
            if not page["next"]:
                break
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 8
        assert [i for parent, i in seen if parent is None] == (roots if order == "oldest" else roots[::-1])
        for place, (parent, _) in enumerate(seen):
            assert parent is None or seen[place - 1][1] == parent


async def test_an_etag_saves_the_second_reading_until_something_changes(service: Service) -> None:
    await service.post()
    url = "/sites/default/articles/post/comments"
    first = await service.client.get(url)
    assert (await service.client.get(url, headers={"If-None-Match": first.headers["etag"]})).status_code == 304
    await service.held()
    assert (await service.client.get(url)).headers["etag"] == first.headers["etag"]
    await service.post()
    second = await service.client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200 and second.json()["count"] == 2


async def test_a_retry_with_the_same_key_stores_nothing_twice(service: Service) -> None:
    same = {"email": "ann@example.org", "body": "Only once, please.", "headers": {"Idempotency-Key": "k1"}}
    first, again = await service.post(**same), await service.post(**same)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = await service.post(**(same | {"body": "Something else."}))
    assert other.status_code == 422
    assert (await service.thread())["count"] == 1


async def test_the_author_edits_and_withdraws_within_a_quarter_of_an_hour(service: Service) -> None:
    told = (await service.post()).json()
    url, token = f"/sites/default/articles/post/comments/{told['id']}", {"Edit-Token": told["edit_token"]}
    assert (await service.client.patch(url, json={"body": "x"}, headers={"Edit-Token": "forged"})).status_code == 401
    edited = await service.client.patch(url, json={"body": "A better word."}, headers=token)
    assert edited.status_code == 200 and edited.json()["edited_at"]
    assert (await service.thread())["comments"][0]["text"] == "A better word."
    service.clock.forward(minutes=16)
    late = await service.client.patch(url, json={"body": "Too late."}, headers=token)
    assert (late.status_code, late.json()["code"]) == (403, "edit_closed")
    other = (await service.post()).json()
    url = f"/sites/default/articles/post/comments/{other['id']}"
    assert (await service.client.delete(url, headers={"Edit-Token": other["edit_token"]})).status_code == 204
    assert (await service.thread())["count"] == 1


async def test_an_edit_never_lifts_what_a_person_has_decided(service: Service) -> None:
    told = (await service.post(body="See https://blog.example/one for more.")).json()
    moderator = await service.token()
    url = f"/sites/default/articles/post/comments/{told['id']}"
    await service.client.post(
        "/api/v1/decisions", json={"comments": [told["id"]], "action": "reject"}, headers=moderator
    )
    answer = await service.client.patch(
        url, json={"body": "Quite harmless."}, headers={"Edit-Token": told["edit_token"]}
    )
    assert answer.status_code == 202
    shown = (await service.client.get(f"/api/v1/comments/{told['id']}", headers=moderator)).json()
    assert shown["status"] in ("rejected", "pending")


async def test_a_closed_article_and_an_unknown_site_say_so(service: Service) -> None:
    token = await service.token("articles")
    put = await service.client.put(
        "/sites/default/articles/post", json={"title": "A post", "comments_open": False}, headers=token
    )
    assert put.status_code == 201
    answer = await service.post()
    assert (answer.status_code, answer.json()["code"]) == (403, "closed")
    assert (await service.post(site="nowhere")).status_code == 404
    assert (await service.thread("never-seen"))["comments"] == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("example.org", "http://example.org"),
        ("www.example.org/me?x=1#y", "http://www.example.org/me?x=1#y"),
        ("example.org:8080/x", "http://example.org:8080/x"),
        ("müller.example", "http://xn--mller-kva.example"),
        ("\u200ehttps://example.org/\u200f ", "https://example.org/"),
        (" \u202aexample.org\u202c", "http://example.org"),
    ],
)
async def test_a_website_needs_no_scheme_when_posted_and_when_edited(service: Service, typed: str, kept: str) -> None:
    made = (await service.post(url=typed)).json()
    path, token = f"/sites/default/articles/post/comments/{made['id']}", {"Edit-Token": made["edit_token"]}
    assert await stored_author(service, made["id"]) == ("Ann", kept)
    assert (await service.client.patch(path, json={"url": ""}, headers=token)).is_success
    assert (await service.client.patch(path, json={"url": typed}, headers=token)).is_success
    assert await stored_author(service, made["id"]) == ("Ann", kept)


@pytest.mark.parametrize(
    "typed", ["javascript:x", "javascript.alert:1@x", "ann@example.org", "/here", "ftp://example.org", "word"]
)
async def test_what_is_no_website_is_refused_when_posted_and_when_edited(service: Service, typed: str) -> None:
    assert (await service.post(url=typed)).json()["errors"][0]["field"] == "url"
    made = (await service.post()).json()
    path, token = f"/sites/default/articles/post/comments/{made['id']}", {"Edit-Token": made["edit_token"]}
    edited = await service.client.patch(path, json={"url": typed}, headers=token)
    assert edited.status_code == 422 and edited.json()["errors"][0]["field"] == "url"


async def test_names_and_addresses_lose_directional_marks_at_their_ends_everywhere(service: Service) -> None:
    made = (await service.post(name="\u202a\u200fAnn \u202c", email="\u200eann@example.org\u202c")).json()
    assert await stored_author(service, made["id"]) == ("Ann", None)
    path, token = f"/sites/default/articles/post/comments/{made['id']}", {"Edit-Token": made["edit_token"]}
    assert (await service.client.patch(path, json={"name": "\u2067Bob\u2069"}, headers=token)).is_success
    assert await stored_author(service, made["id"]) == ("Bob", None)
    inside = await service.client.patch(path, json={"name": "B\u202eob"}, headers=token)
    assert inside.status_code == 422
    fields = {"comment_post_ID": "post", "author": "\u200fCleo\u200e", "email": "\u200ecleo@example.org", "comment": "Our beans grew.",
              "url": "\u200ecleo.example"}  # fmt: skip
    service.clock.forward(seconds=20)
    assert (await service.client.post("/sites/default/wp-comments-post.php", data=fields)).status_code == 303
    listed = (await service.client.get("/api/v1/comments?status=any&q=beans", headers=await service.token())).json()
    (author,) = [comment["author"] for comment in listed["comments"]]
    assert (author["name"], author["email"], author["url"]) == ("Cleo", "cleo@example.org", "http://cleo.example")


async def stored_author(service: Service, id: str) -> tuple[str, str | None]:
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())).json()
    return shown["author"]["name"], shown["author"]["url"]
