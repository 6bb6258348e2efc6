"""The Leave a Reply form as a plain page, through HTTP: its words, its languages, and what stays in the browser."""

from __future__ import annotations

import pytest

from moderation.intake import texts
from tests.conftest import Service
from tests.html import Page

pytestmark = pytest.mark.anyio
FORM = "/sites/default/articles/post/form"
THREAD = "/sites/default/articles/post/comments"
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}


@pytest.mark.parametrize("path", [FORM, "/"])
async def test_the_form_has_the_words_that_wordpress_users_know(service: Service, path: str) -> None:
    answer = await service.client.get(path)
    said = Page(answer.text).text()
    assert "Leave a Reply" in said
    assert "Your email address will not be published. Required fields are marked *" in said
    assert "Save my name, email, and website in this browser for the next time I comment." in said
    assert "Post Comment" in said


async def test_the_box_is_never_sent_and_only_a_script_shows_it(service: Service) -> None:
    box = Page((await service.client.get(FORM)).text).one("p[hidden] > #reply-remember")
    assert box.attrs == {"id": "reply-remember", "type": "checkbox"}
    assert (await service.client.get("/static/remember.js")).status_code == 200
    sent = await service.client.post(THREAD, data={"name": "Ann", "email": "ann@example.org", "body": "A kind word."})
    assert "set-cookie" not in sent.headers


async def test_a_chinese_reader_gets_the_form_and_its_errors_in_chinese(service: Service) -> None:
    chinese = texts.languages()["zh-Hans"]
    answer = await service.client.get(FORM, headers=CHINESE)
    page = Page(answer.text)
    assert page.one("html").attrs == {"lang": "zh-Hans", "dir": "ltr"}
    assert page.text("#reply-title") == chinese["title"] and page.text("#reply-form button") == chinese["send"]
    assert "Accept-Language" in answer.headers["vary"]
    typed = {"name": "", "email": "nobody", "body": "字" * 10_001}
    wrong = await service.client.post(THREAD, data=typed, headers=CHINESE)
    assert wrong.status_code == 422
    said = Page(wrong.text).text()
    for words in (
        chinese["error.name.required"],
        chinese["error.email.invalid"],
        "最多 10000 个字符。",
        "有 3 处需要修改。",
    ):
        assert words in said
    assert Page(wrong.text).value("body") == "字" * 10_001


async def test_what_is_wrong_with_the_whole_is_said_in_the_readers_language_too(service: Service) -> None:
    typed = {"name": "Ann", "email": "ann@example.org", "body": "Words said before."}
    await service.client.post(THREAD, data=typed)
    again = await service.client.post(THREAD, data=typed, headers=CHINESE)
    assert again.status_code == 409
    assert texts.languages()["zh-Hans"]["problem.duplicate"] in Page(again.text).text()
    english = await service.client.post(THREAD, data=typed, headers={"Accept-Language": "tlh"})
    assert "You have said exactly this here already." in Page(english.text).text()
