"""A wrong form comes back as a page with all that was typed."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.conftest import Service
from tests.contract.refusals import FORM, GOOD, THREAD, before_the_database, is_page, is_problem, post_raw, stored
from tests.html import Page, attribute

pytestmark = pytest.mark.anyio


async def test_a_wrong_form_comes_back_with_all_that_was_typed_and_each_message_at_its_field(service: Service) -> None:
    typed = {
        "name": '<b>"An\u202en"</b>',
        "email": "ann@'nowhere\">",
        "url": 'javascript:"<script>alert(1)</script>',
        "body": "</textarea><script>alert(1)</script>\n" + "x" * 10_000,
        "parent": '"><img src=x>',
        "redirect_to": 'https://a.example/"><script>',
    }
    answer = is_page(await service.client.post(THREAD, data=typed), 422)
    assert "<script>alert" not in answer and "<img src=x" not in answer and '"><script' not in answer
    page = Page(answer)
    form = page.form(THREAD)
    for name, value in typed.items():
        assert form.value(name) == value, name
    for field in ("name", "email", "url", "body"):
        assert page.text(f"#reply-{field}-error")
        assert attribute(form.one(f"#reply-{field}"), "aria-describedby") == f"reply-{field}-error"
    assert await stored(service) == 0


@before_the_database
async def test_what_is_wrong_before_the_form_is_read_is_a_page_too_where_a_person_looks(service: Service) -> None:
    browser = {"Accept": "text/html,*/*", "Content-Type": "application/x-www-form-urlencoded"}
    large, other = {"Content-Length": str(1024**3)}, {"Origin": "https://evil.example"}
    elsewhere = THREAD.replace("default", "elsewhere")
    for path, more, status in ((THREAD, large, 413), (THREAD, other, 403), (elsewhere, {}, 404)):
        assert str(status) in is_page(await service.client.post(path, content=b"", headers=browser | more), status)
        program = browser | {"Accept": "*/*"}
        assert is_problem(await service.client.post(path, content=b"", headers=program | more), status)


@before_the_database
@pytest.mark.parametrize(("field", "value"), [("name", ""), ("email", "nobody"), ("url", "ftp://x"), ("body", " ")])
async def test_one_wrong_field_has_the_only_message(service: Service, field: str, value: str) -> None:
    page = Page(is_page(await service.client.post(THREAD, data=GOOD | {field: value}), 422))
    assert page.attributes('[aria-invalid="true"]', "name") == [field]
    assert page.attributes("[id^=reply-][id$=-error]", "id") == [f"reply-{field}-error"]


async def test_a_form_posted_twice_is_told_so_and_keeps_what_was_typed(service: Service) -> None:
    typed = GOOD | {"body": "Only once, <please>.", "url": "https://ann.example"}
    assert (await service.client.post(THREAD, data=typed)).status_code == 303
    page = Page(is_page(await service.client.post(THREAD, data=typed), 409))
    assert {name: page.form(THREAD).value(name) for name in typed} == typed and not page.has("please")
    assert "already" in page.text()
    assert is_problem(await service.client.post(THREAD, json=typed), 409, code="duplicate")
    assert await stored(service) == 1


async def test_a_field_that_comes_twice_is_named(service: Service) -> None:
    raw = urlencode([*GOOD.items(), ("name", "Bob")]).encode()
    page = Page(is_page(await post_raw(service, raw, FORM["Content-Type"]), 422))
    assert "is given twice" in page.text("#reply-name-error").lower() and page.value("body") == GOOD["body"]
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    "raw", [b"&".join(b"f%d=1" % i for i in range(101)), b"name=%ff", b"name=\xff", b"name=%00", b"name=\x00"]
)
async def test_a_form_that_cannot_be_read_is_a_bad_request(service: Service, raw: bytes) -> None:
    is_page(await post_raw(service, raw, FORM["Content-Type"]), 400)
    assert await stored(service) == 0


async def test_a_multipart_form_is_as_good_as_any(service: Service) -> None:
    files = {name: (None, value) for name, value in (GOOD | {"name": "Jörg"}).items()}
    assert (await service.client.post(THREAD, files=files)).status_code == 303
    assert await stored(service) == 1


async def test_a_file_in_a_form_is_refused_and_what_was_typed_is_kept(service: Service) -> None:
    files = {name: (None, value) for name, value in GOOD.items()} | {
        "body": ("a.txt", b"x", "text/plain"),
        "picture": ("a.png", b"\x89"),
    }
    answer = await service.client.post(THREAD, files={k: v for k, v in files.items() if k != "picture"})
    page = Page(is_page(answer, 422))
    assert "not a file" in page.text("#reply-body-error")
    assert page.value("name") == GOOD["name"] and page.value("email") == GOOD["email"]
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"--x",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n',
    ],
)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data"])
async def test_a_broken_multipart_form_is_a_bad_request(service: Service, raw: bytes, kind: str) -> None:
    is_page(await post_raw(service, raw, kind), 400)
    assert await stored(service) == 0
