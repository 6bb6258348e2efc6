"""How much waits for a person: the setting, the command, and the question on the console's first page."""

from __future__ import annotations

import pytest

from tests.conftest import Server, Service
from tests.html import Page
from tests.policy.test_settings import signed_in

pytestmark = pytest.mark.anyio


async def first_page(service: Service) -> Page:
    return Page((await service.client.get("/moderate")).text)


@pytest.mark.parametrize(
    ("hold", "statuses"), [("suspects", [201, 201]), ("newcomers", [202, 201]), ("all", [202, 202])]
)
async def test_the_first_page_asks_until_somebody_has_chosen(service: Service, hold: str, statuses: list[int]) -> None:
    csrf = await signed_in(service, "administrator")
    page = await first_page(service)
    assert page.has('form[action$="/moderate/hold"]') and all(
        word in page.text() for word in ("Suspects", "Newcomers", "All")
    )
    receipt = await service.proof(name="Ann")
    answer = await service.client.post("/moderate/hold", data={"csrf_token": csrf, "site": "default", "hold": hold})
    assert answer.status_code == 303
    assert not (await first_page(service)).has('form[action$="/moderate/hold"]')
    stranger = await service.post(name="Bea")
    proved = await service.post(name="Ann", headers={"Receipt": receipt.rpartition("/")[2]})
    assert [stranger.status_code, proved.status_code] == statuses


async def test_only_an_administrator_is_asked_and_may_choose(service: Service) -> None:
    csrf = await signed_in(service, "moderator")
    assert not (await first_page(service)).has('form[action$="/moderate/hold"]')
    data = {"csrf_token": csrf, "site": "default", "hold": "all"}
    assert (await service.client.post("/moderate/hold", data=data)).status_code == 403
    csrf = await signed_in(service, "administrator")
    assert (
        await service.client.post("/moderate/hold", data=data | {"csrf_token": csrf, "hold": "some"})
    ).status_code == 422
    assert (await service.client.post("/moderate/hold", data=data | {"csrf_token": "x"})).status_code == 403
    assert (await service.post()).status_code == 201


def test_a_site_is_added_with_how_much_waits(server: Server) -> None:
    server.run("add-site", "blog", "--hold", "newcomers")
    assert '"hold": "newcomers"' in server.run("show-rules", "blog").stdout
    server.run("add-site", "blog", "--hold", "all", "--name", "Blog")
    assert '"hold": "all"' in server.run("show-rules", "blog").stdout
    wrong = server.run("add-site", "blog", "--hold", "some", check=False)
    assert wrong.returncode == 2 and "newcomers" in wrong.stderr
