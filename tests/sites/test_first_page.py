"""The address of a site's pages: the console's first page asks for it until it is set."""

from __future__ import annotations

import pytest

from tests.conftest import Service
from tests.html import Page
from tests.policy.test_settings import signed_in

pytestmark = pytest.mark.anyio
FORM = 'form[action$="/moderate/origin"]'


async def is_asked(service: Service) -> bool:
    return bool(Page((await service.client.get("/moderate")).text).has(FORM))


async def test_the_first_page_asks_until_the_address_is_set_and_its_pages_may_post(service: Service) -> None:
    csrf = await signed_in(service, "administrator")
    origin = {"Origin": "https://blog.example"}
    assert await is_asked(service)
    assert (await service.post(headers=origin)).status_code == 403
    data = {"csrf_token": csrf, "site": "default", "url": " https://Blog.example/about/ "}
    answer = await service.client.post("/moderate/origin", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/moderate?site=default")
    assert not await is_asked(service)
    posted = await service.post(headers=origin)
    assert posted.status_code == 201 and posted.headers["access-control-allow-origin"] == "https://blog.example"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"url": "blog.example"}, 422),
        ({"url": "javascript:alert(1)"}, 422),
        ({"url": ""}, 422),
        ({"site": "nowhere"}, 404),
        ({"csrf_token": "x"}, 403),
    ],
)
async def test_a_wrong_address_changes_nothing(service: Service, given: dict[str, str], status: int) -> None:
    csrf = await signed_in(service, "administrator")
    data = {"csrf_token": csrf, "site": "default", "url": "https://blog.example"} | given
    assert (await service.client.post("/moderate/origin", data=data)).status_code == status
    assert await is_asked(service)


async def test_only_an_administrator_is_asked_and_may_answer(service: Service) -> None:
    csrf = await signed_in(service, "moderator")
    assert not await is_asked(service)
    data = {"csrf_token": csrf, "site": "default", "url": "https://blog.example"}
    assert (await service.client.post("/moderate/origin", data=data)).status_code == 403
    await signed_in(service, "administrator")
    assert await is_asked(service)
