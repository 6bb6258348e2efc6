"""A site's origins are kept as browsers send them, however they were typed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.cli import CliContext
from moderation.core.problem import Invalid
from moderation.core.urls import origin_of
from moderation.sites import store as sites
from moderation.sites.commands import add_site
from moderation.sites.model import checked_origin
from tests.conftest import Service

TYPED = [
    ("https://müller.example", "https://xn--mller-kva.example"),
    ("https://M%C3%BCller.example", "https://xn--mller-kva.example"),
    ("https://xn--mller-kva.example", "https://xn--mller-kva.example"),
    ("https://faß.example", "https://xn--fa-hia.example"),
    ("https://日本語.example:8443", "https://xn--wgv71a119e.example:8443"),
    ("https://☃.example", "https://xn--n3h.example"),  # which registries refuse, and browsers do not
    ("https://blog。example", "https://blog.example"),
    ("https://shop.example.org:443", "https://shop.example.org"),
    ("https://shop.example.org:80", "https://shop.example.org:80"),
    ("http://localhost:80", "http://localhost"),
    ("http://localhost:443/", "http://localhost:443"),
    ("http://localhost:", "http://localhost"),
    (" HTTPS://Blog.Example.ORG/ ", "https://blog.example.org"),
    ("https://blog.example.org.", "https://blog.example.org"),
    ("https://blog.example.org.:443/", "https://blog.example.org"),
    ("http://[::1]:80", "http://[::1]"),
    ("http://[2001:DB8:0::1]:8000", "http://[2001:db8::1]:8000"),
    ("http://127.1:4000", "http://127.0.0.1:4000"),
    ("https://my_blog.example", "https://my_blog.example"),
]
WRONG = [
    "https://*.example.org", "https://*", "*", "null", "", "blog.example.org", "//blog.example.org", "ftp://blog.example.org",
    "https://", "https://blog.example.org/blog", "https://blog.example.org/?a", "https://blog.example.org/#a",
    "https://ann@blog.example.org", "https://blog.example.org:99999", "https://blog.example.org:x", "https://a b.example",
    "https://a..b", "https://[::1", "https://[::g]", "https://1.2.3.4.5", "https://blog.example.org\\x", "https://a,b.example",
    "https://a.example https://b.example",
]  # fmt: skip


@pytest.mark.parametrize(("typed", "sent"), TYPED)
def test_an_origin_is_kept_as_browsers_send_it(typed: str, sent: str) -> None:
    assert checked_origin(typed) == checked_origin(sent) == sent


@pytest.mark.parametrize("typed", WRONG)
def test_what_no_browser_sends_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_origin(typed)
    (error,) = refused.value.errors
    assert error.field == "origin" and " " in error.message
    assert ("wildcard" in error.message) == ("*" in typed and "//" in typed)


@given(st.text(max_size=30), st.sampled_from(["https://", "http://", ""]), st.sampled_from(["", ":443", "/"]))
def test_any_text_is_an_origin_or_refused(text: str, scheme: str, end: str) -> None:
    try:
        origin = origin_of(scheme + text + end)
    except ValueError:
        return
    assert origin.isascii() and origin == origin.lower() == origin_of(origin)


@pytest.mark.anyio
async def test_every_way_in_keeps_what_browsers_send(service: Service) -> None:
    """The command, and rows that stand there since before origins were kept so."""
    async with service.services.database.transaction() as tx:
        typed = json.dumps(["https://bücher.example:443", "https://*.example.org"])
        await tx.execute("UPDATE sites SET origins = ? WHERE site = 'default'", typed)
    service.services.directory.forget()
    answer = await service.post(headers={"Origin": "https://xn--bcher-kva.example"})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == "https://xn--bcher-kva.example"
    assert (await service.post(headers={"Origin": "https://a.example.org"})).status_code == 403

    await add_site(
        CliContext(service.settings), "garden", origin=["https://müller.example", "https://MÜLLER.example:443/"]
    )
    async with service.services.database.reading() as session:
        (row,) = await session.fetch("SELECT origins FROM sites WHERE site = 'garden'")
        assert json.loads(row[0]) == ["https://xn--mller-kva.example"]
        assert (await sites.sites(session, ["garden"]))["garden"].origins == ("https://xn--mller-kva.example",)
    service.services.directory.forget()
    answer = await service.post(site="garden", headers={"Origin": "https://xn--mller-kva.example"})
    assert answer.status_code == 201
    with pytest.raises(Invalid):
        await add_site(CliContext(service.settings), "garden", origin=["https://ok.example", "https://*.example"])
    async with service.services.database.reading() as session:
        assert (await sites.sites(session, ["garden"]))["garden"].origins == ("https://xn--mller-kva.example",)


@pytest.mark.anyio
async def test_a_form_leads_back_to_an_origin_that_is_typed_in_another_way(service: Service) -> None:
    await add_site(CliContext(service.settings), "garden", origin=["https://müller.example"])
    service.services.directory.forget()
    path = "/sites/garden/articles/post"
    page = await service.client.get(f"{path}/form")
    assert "https://xn--mller-kva.example" in page.headers["content-security-policy"]
    for place in ("https://xn--mller-kva.example/post/", "https://müller.example:443/post/"):
        service.clock.forward(minutes=2)
        token = service.services.signer.form_token("garden", "post", service.clock() - 5_000)
        fields = {
            "name": "Ann",
            "email": "ann@mail.example",
            "body": f"A kind word about the garden, {service.clock.now}.",
            "form_token": token,
        }
        sent = await service.client.post(f"{path}/comments", data=fields | {"redirect_to": place})
        assert sent.status_code == 303 and "/post/#comment-" in sent.headers["location"], sent.headers
