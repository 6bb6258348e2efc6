"""What `check` and readiness say of the proxies in front: only what readers' requests have shown."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from moderation.web.middleware import MISSING, OK, TRUSTED_ONLY, UNDECLARED, UNREADABLE, UNSEEN, ProxyWatch
from tests.conftest import Server, Service

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"))
PUBLIC = "https://comments.example.org"


def request(peer: str = "10.0.0.5", path: str = "/sites/default/counts", **headers: str) -> dict[str, Any]:
    """An ASGI scope. Headers by their names with `_` for `-`."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "client": (peer, 4711), "path": path, "headers": pairs}


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (request(x_forwarded_for="198.51.100.8"), OK),
        (request(x_forwarded_for="198.51.100.8:1111, 10.0.0.6"), OK),
        (request(x_forwarded_for="[2001:db8::5]:443"), OK),
        (request("93.184.216.34"), OK),  # a reader without a proxy
        (request("93.184.216.34", x_forwarded_for="198.51.100.8"), OK),  # and one who writes that header
        (request(x_forwarded_for="unknown"), UNREADABLE),
        (request(x_forwarded_for=""), UNREADABLE),
        (request(x_forwarded_for="10.0.0.1"), TRUSTED_ONLY),
        (request("127.0.0.1", x_forwarded_for="127.0.0.1"), TRUSTED_ONLY),
        (request("192.168.0.2", x_forwarded_for="198.51.100.8"), UNDECLARED),
        (request("::1", x_forwarded_for="198.51.100.8"), UNDECLARED),
        (request("127.0.0.1", host="comments.example.org"), MISSING),
        (request("172.17.0.1", host="Comments.example.org"), MISSING),
        (request("127.0.0.1", x_real_ip="198.51.100.8"), MISSING),
        (request(forwarded="for=198.51.100.8"), MISSING),
        (request("127.0.0.1", host="127.0.0.1:8000"), UNSEEN),  # this machine's own
        (request(path="/health/ready", x_forwarded_for="198.51.100.8"), UNSEEN),
        (request("93.184.216.34", path="/health/live"), UNSEEN),
        (request("93.184.216.34", path="/metrics"), UNSEEN),
    ],
)
def test_what_one_request_shows(scope: dict[str, Any], said: str) -> None:
    watch = ProxyWatch(TRUSTED, PUBLIC)
    assert watch.said == UNSEEN
    watch.look(scope)
    assert watch.said == said


def test_a_mended_proxy_is_well_again_and_a_missing_setting_stays_missing() -> None:
    watch = ProxyWatch(TRUSTED, PUBLIC)
    for scope, said in (
        (request(x_forwarded_for="unknown"), UNREADABLE),
        (request(x_forwarded_for="198.51.100.8"), OK),
        (request("192.168.0.2", x_forwarded_for="198.51.100.8"), UNDECLARED),
        (request(x_forwarded_for="198.51.100.8"), UNDECLARED),
    ):
        watch.look(scope)
        assert watch.said == said


def test_on_the_machine_itself_its_own_requests_are_readers() -> None:
    for base in ("http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"):
        watch = ProxyWatch((), base)
        watch.look(request("127.0.0.1", path="/health/ready"))
        assert watch.said == UNSEEN
        watch.look(request("127.0.0.1", host="127.0.0.1:8000"))
        assert watch.said == OK


@pytest.mark.anyio
async def test_readiness_says_what_was_seen(service: Service) -> None:
    async def said() -> str:
        answer = await service.client.get("/health/ready")
        return str(answer.json()["checks"]["proxy"])

    assert await said() == UNSEEN
    transport = httpx.ASGITransport(service.app, client=("93.184.216.34", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as reader:
        await reader.get("/sites/default/counts?article=post")
    assert await said() == OK


def test_check_says_ok_only_after_a_reader_s_request(server: Server) -> None:
    def line() -> str:
        lines = server.run("check", check=False).stdout.splitlines()
        return next(one for one in lines if one.startswith("proxy: "))

    assert line() == f"proxy: {UNSEEN}"
    httpx.get(server.url + "/").raise_for_status()
    assert line() == "proxy: ok"
    httpx.get(server.url + "/", headers={"X-Forwarded-For": "198.51.100.8:1111"}).raise_for_status()
    assert line() == f"proxy: {UNDECLARED}"
