"""What other people's pages load: the script, its words and the form's token, through HTTP."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from moderation.comments.submission import check
from moderation.core.problem import Invalid
from moderation.intake import public_embed as embed
from moderation.intake import texts
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service

pytestmark = pytest.mark.anyio

BLOG = "https://blog.example"
TOKEN = "/sites/default/articles/post/form-token"


@pytest.fixture
async def blog(service: Service) -> Service:
    """The service, with a blog among the site's origins."""
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="Mine", origins=(BLOG,)), service.clock())
    service.services.directory.forget()
    return service


async def test_the_script_is_small_and_any_page_may_load_it(service: Service) -> None:
    answer = await service.client.get("/embed.js", headers={"Origin": "https://anybody.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=" in answer.headers["cache-control"]
    assert len(gzip.compress(answer.content, 9)) <= 13_000
    assert "set-cookie" not in answer.headers


async def test_the_script_asks_no_other_host_and_knows_no_cookie(service: Service) -> None:
    source = (await service.client.get("/embed.js")).text
    assert not re.findall(r"https?://(?!\W)[\w.]+", source.replace("http:// or https://", ""))
    for word in (
        "document.cookie",
        "eval(",
        "new Function",
        ".style.",
        'setAttribute("style"',
        "XMLHttpRequest",
        "import(",
    ):
        assert word not in source


@pytest.mark.parametrize("path", ["/embed.js", "/texts/zh-Hans.json"])
async def test_files_come_packed_or_plain_and_are_not_sent_twice(service: Service, path: str) -> None:
    plain = await service.client.get(path, headers={"Accept-Encoding": "identity"})
    refused = await service.client.get(path, headers={"Accept-Encoding": "br, gzip;q=0"})
    packed = await service.client.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers and "content-encoding" not in refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.content == plain.content == refused.content  # the client unpacks it
    assert packed.headers["etag"] != plain.headers["etag"]
    for first in (plain, packed):
        again = await service.client.get(
            path,
            headers={
                "If-None-Match": first.headers["etag"],
                "Accept-Encoding": first.headers.get("content-encoding", "identity"),
            },
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize(
    ("asked", "given"),
    [("zh-Hans", "zh-Hans"), ("zh-CN", "zh-Hans"), ("ZH", "zh-Hans"), ("zh-Hans-SG", "zh-Hans"), ("zh_CN", "zh-Hans"), ("en-GB", "en"), ("pt-PT", "pt"), ("ar_EG", "ar"), ("tlh", "en")],
)  # fmt: skip
async def test_words_come_in_the_nearest_language(service: Service, asked: str, given: str) -> None:
    answer = await service.client.get(f"/texts/{asked}.json")
    assert answer.status_code == 200
    assert answer.json()["lang"] == given


async def test_no_other_file_is_reached_by_a_language(service: Service) -> None:
    for language in ("..%2f..%2fsettings", "en.json", "e" * 40, "é"):
        assert (await service.client.get(f"/texts/{language}.json")).status_code == 404


def test_the_words_are_those_that_wordpress_users_know() -> None:
    english = texts.languages()["en"]
    assert english["title"] == "Leave a Reply"
    assert english["note"] == "Your email address will not be published. Required fields are marked *"
    assert english["remember"] == "Save my name, email, and website in this browser for the next time I comment."


def test_every_text_that_the_element_uses_is_there() -> None:
    source = embed.script().plain.decode()
    used = set(re.findall(r'(?:say|parts|act|tick)\((?:[\w.]+,)?"(\w+)"', source)) | set(
        re.findall(r'\?"(\w+)":"(\w+)"', source)[0]
    )
    assert len(used) > 20
    (english,) = re.findall(r"^const ENGLISH = (.*);$", source, re.MULTILINE)
    assert used <= json.loads(english).keys() < texts.languages()["en"].keys()


def test_the_words_that_are_left_to_the_service_are_the_same_there() -> None:
    english = texts.languages()["en"]
    with pytest.raises(Invalid) as refused:
        check({"name": "a" * 300}, SiteSettings())
    with pytest.raises(Invalid) as nothing:
        check({}, SiteSettings())
    told = {(e.field, e.code): e.message for e in (*refused.value.errors, *nothing.value.errors)}
    source = "".join(file.read_text("utf-8") for file in embed.FOLDER.parent.glob("*.py"))
    for key in embed.SAID_BY_THE_SERVICE:
        kind, *names = key.split(".")
        if kind == "problem":
            assert f'"{english[key]}"' in source, key
        else:
            message = told[("name", "too_long") if names == ["too_long"] else (names[0], names[1])]
            assert message[0].upper() + message[1:] + "." == english[key].format(n=245), key


@pytest.mark.parametrize(
    ("header", "first"),
    [("tlh, zh-CN;q=0.8, en;q=0.9", "en"), ("de-AT, en;q=0.9", "de"), ("pt-BR", "pt"), ("zh;q=0.9", "zh-Hans"), ("", "en"), ("*", "en"), ("zh;q=0, x", "en"), (";;q=,,", "en")],
)  # fmt: skip
def test_a_reader_is_spoken_to_in_the_best_language(header: str, first: str) -> None:
    assert texts.Words.for_reader(header).lang == first


async def test_the_forms_token_is_never_cached_and_says_what_is_asked_for(blog: Service) -> None:
    answer = await blog.client.get(TOKEN, headers={"Origin": BLOG})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == BLOG
    assert answer.headers["vary"] == "Origin"
    told = answer.json()
    assert told["required"] == ["body", "name", "email"] and told["max_body"] == 10_000
    assert told["fresh_for"] == 12 * 3600
    blog.clock.forward(seconds=1)
    assert (await blog.client.get(TOKEN)).json()["form_token"] != told["form_token"]
    stranger = await blog.client.get(TOKEN, headers={"Origin": "https://stranger.example"})
    assert "access-control-allow-origin" not in stranger.headers
    assert (await blog.client.get("/sites/none/articles/post/form-token")).status_code == 404
    asked = {"Origin": BLOG, "Access-Control-Request-Method": "GET"}
    assert (await blog.client.options(TOKEN, headers=asked)).headers["access-control-allow-origin"] == BLOG


@pytest.mark.parametrize("token", [None, "good"])
async def test_json_with_a_good_token_or_with_none_is_published(service: Service, token: str | None) -> None:
    if token:
        token = (await service.client.get(TOKEN)).json()["form_token"]
    service.clock.forward(seconds=1)
    assert (await service.post(form_token=token)).status_code == 201


@pytest.mark.parametrize("token", ["", "forged", "1.x", 5, True, ["a"], {"a": 1}])
async def test_json_with_a_forged_token_is_held(service: Service, token: object) -> None:
    assert (await service.post(form_token=token)).status_code == 202


async def test_json_that_comes_too_early_or_too_late_is_held_and_tells_the_moderator_why(service: Service) -> None:
    token = (await service.client.get(TOKEN)).json()["form_token"]
    service.clock.now -= 1_000  # `post` moves on by a second
    early = await service.post(form_token=token)
    service.clock.forward(hours=24)
    old = await service.post(form_token=token)
    elsewhere = await service.post(article="another", form_token=token)
    assert [a.status_code for a in (early, old, elsewhere)] == [202, 202, 202]
    headers = await service.token("moderate")
    rules = []
    for answer in (early, old):
        seen = await service.client.get(f"/api/v1/comments/{answer.json()['id']}", headers=headers)
        rules.append([reason["rule"] for reason in seen.json()["verdict"]["reasons"] if "rule" in reason])
    assert rules == [["form-token"], ["form-token"]]


async def test_a_receipt_is_readable_on_the_sites_own_page_only(blog: Service) -> None:
    told = (await blog.post(body="See https://x.example/y", headers={"Origin": BLOG})).json()
    path = told["receipt"].removeprefix("http://comments.test")
    for origin, allowed in ((BLOG, BLOG), ("https://stranger.example", None)):
        answer = await blog.client.get(path, headers={"Origin": origin, "Accept": "application/json"})
        assert answer.status_code == 200 and answer.json()["status"] == "pending"
        assert answer.headers.get("access-control-allow-origin") == allowed
        assert "Origin" in answer.headers["vary"]
