"""Our own origin is a setting: no `Host`, whoever chose it, makes another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.settings import Settings, SettingsError, load
from moderation.sites.model import Site
from tests.conftest import Service
from tests.html import Page


def from_origin(origin: str) -> Request:
    return Request({"type": "http", "method": "POST", "headers": [(b"origin", origin.encode())]})


pytestmark = pytest.mark.anyio
EVIL = {"Host": "evil.example", "Origin": "http://evil.example", "Referer": "http://evil.example/trap"}
PATH = "/sites/default/articles/post/comments"
FIELDS = {"name": "Ann", "email": "ann@mail.example", "body": "A kind word about the garden."}


async def test_a_page_at_a_name_that_leads_here_is_not_ours(service: Service) -> None:
    """As after DNS rebinding: the browser believes that it speaks to the page's own server, and says so in both headers."""
    assert (await service.client.post(PATH, json=FIELDS, headers=EVIL)).status_code == 403
    assert (await service.client.options(PATH, headers=EVIL)).status_code == 403
    own = await service.client.post(PATH, json=FIELDS, headers={"Origin": "http://comments.test"})
    assert own.status_code == 201 and own.headers["access-control-allow-origin"] == "http://comments.test"
    receipt = own.json()["receipt"].removeprefix("http://comments.test")
    for path in (PATH, receipt):
        read = await service.client.get(path, headers=EVIL | {"Accept": "application/json"})
        assert read.status_code == 200 and "access-control-allow-origin" not in read.headers


async def test_a_form_leads_nobody_to_the_host_that_it_names(service: Service) -> None:
    headers = {name: value for name, value in EVIL.items() if name != "Origin"}
    form = FIELDS | {"redirect_to": "http://evil.example/trap"}
    page = (await service.client.get("/sites/default/articles/post/form")).text
    service.clock.forward(seconds=5)
    form["form_token"] = Page(page).value("form_token")
    sent = await service.client.post(PATH, data=form, headers=headers)
    assert sent.status_code == 303 and "evil" not in sent.headers["location"]
    wordpress = {"author": "Ann", "email": "a@mail.example", "comment": "", "comment_post_ID": "post"}
    refused = await service.client.post("/sites/default/wp-comments-post.php", data=wordpress, headers=headers)
    assert refused.status_code >= 400 and "evil" not in refused.text


@pytest.mark.parametrize(
    ("settings", "own", "strange"),
    [
        ({}, ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"],
         ["http://127.0.0.1", "http://localhost:8001", "https://localhost:8000", "http://evil.example:8000", "null", ""]),
        ({"host": "0.0.0.0"}, ["http://localhost:8000", "http://127.0.0.1:8000"], ["http://0.0.0.0:8000"]),
        ({"public_url": "https://Comments.example:443/"}, ["https://comments.example"],
         ["http://comments.example", "https://127.0.0.1:8000", "http://localhost:8000", "https://comments.example:443"]),
        ({"public_url": "https://bücher.example"}, ["https://xn--bcher-kva.example"], ["https://bücher.example"]),
        ({"public_url": "http://garden.example:8080"}, ["http://garden.example:8080"], ["http://garden.example"]),
    ],
)  # fmt: skip
def test_what_is_ours_is_said_as_browsers_say_it(settings: Any, own: list[str], strange: list[str]) -> None:
    links = Links(Settings(**settings).base, Signer(b"a secret of the tests"))
    assert [o for o in (*own, *strange) if links.is_own(o)] == own


async def test_on_the_machine_itself_both_its_names_may_post(service: Service) -> None:
    """`make serve` without a setting: whether one opens localhost or 127.0.0.1."""
    directory = service.services.directory
    directory.links = replace(directory.links, base=Settings().base)
    for origin in ("http://localhost:8000", "http://127.0.0.1:8000"):
        assert directory.allowed(Site(key="default", name=""), from_origin(origin)) == origin


@pytest.mark.parametrize("wrong", ["https://a.example:port", "https://a.example:99999", "ftp://a.example", "https://"])
def test_a_public_url_that_is_no_address_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="MODERATION_PUBLIC_URL must be an address"):
        load(public_url=wrong)
