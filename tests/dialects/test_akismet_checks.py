"""The Akismet dialect on the real checks and the shipped model: what a site's comments are answered, and what is kept of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from classifier.serving import Classifier, ModelError
from moderation.policy.scorer import Scorer
from tests.conftest import Service
from tests.dialects.conftest import Akismet, new_key

pytestmark = pytest.mark.anyio
SPAM = "Buy cheap viagra and cialis online without prescription!!! Best casino bonus: <a href='http://pills.example/buy'>click here</a>"
HAM = "Thank you, the part about pruning roses in autumn helped me a lot. Mine bloom again."
THANKS = "Thanks for making the web a better place."


@dataclass
class Real(Akismet):
    async def queue(self, **query: str) -> list[dict[str, Any]]:
        """The stored comments as moderators see them."""
        headers = await self.service.token("moderate")
        answer = await self.service.client.get("/api/v1/comments", params={"status": "any"} | query, headers=headers)
        found: list[dict[str, Any]] = answer.json()["comments"]
        return found

    async def word(self, **values: Any) -> str:
        answer = await self.check(**{"comment_content": HAM} | values)
        assert answer.status_code == 200 and len(answer.headers["x-akismet-guid"]) == 32
        return answer.text

    async def said(self, what: str, **values: Any) -> str:
        return (await self.submit(what, **{"comment_content": HAM} | values)).text


@pytest.fixture
async def real(service: Service) -> Real:
    return Real(service, None, await new_key(service))  # type: ignore[arg-type]


async def test_spam_is_true_and_a_kind_word_is_false(real: Real) -> None:
    assert await real.word(comment_content=SPAM, comment_author="Pills") == "true"
    assert await real.word() == "false"


async def test_a_comment_like_those_of_the_fediverse_has_no_browser_and_is_judged_by_its_words(real: Real) -> None:
    bare = {"user_ip": "", "comment_author_email": None, "permalink": None}
    text = "@ann@social.example I have the same clay soil here. Compost over the winter did it for me."
    assert await real.word(comment_content=text, comment_author="Bob", **bare) == "false"
    assert await real.word(comment_content=SPAM, comment_author="Bob", **bare) == "true"
    assert await real.word(comment_content=text, comment_author=None, **bare) == "false"


async def test_one_link_of_somebody_new_is_no_spam(real: Real) -> None:
    text = HAM + ' I wrote down how: <a href="https://roses.example/autumn">pruning in autumn</a>.'
    assert await real.word(comment_content=text) == "false"


async def test_a_filled_honeypot_is_spam(real: Real) -> None:
    assert await real.word(honeypot_field_name="hp", hp="filled") == "true"
    assert await real.word(POST_ak_hp_textarea="filled", comment_author="Eve") == "true"


async def test_a_comment_without_words_is_answered_and_not_kept(real: Real) -> None:
    assert await real.word(comment_content="", comment_type="pingback", akismet_pre_check="1") == "false"
    assert await real.word(comment_content="", comment_type="signup") == "false"
    assert await real.queue() == []


async def test_nothing_of_a_check_is_public(real: Real, service: Service) -> None:
    await real.word()
    [comment] = await real.queue()
    assert comment["body"] == HAM and comment["author"]["name"] == "Ann"
    thread = await service.client.get(f"/sites/default/articles/{comment['article']}/comments")
    assert HAM not in thread.text


async def test_what_is_kept_of_a_check_is_no_header_and_no_address(real: Real, service: Service) -> None:
    await real.word(
        HTTP_COOKIE="a-secret-cookie",
        REMOTE_ADDR="198.51.100.77",
        user_agent="Reader-Browser/1.0",
        user_ip="203.0.113.200",
    )
    async with service.services.database.reading() as session:
        for table in ("comments", "submissions"):
            kept = repr([list(row) for row in await session.fetch(f"SELECT * FROM {table}")])
            assert "pruning roses" in kept
            for text in ("a-secret-cookie", "198.51.100.77", "Reader-Browser", "203.0.113.200"):
                assert text not in kept


async def test_the_same_comment_is_one_and_tests_are_none(real: Real) -> None:
    for more in ({}, {}, {"recheck_reason": "retry"}, {"recheck_reason": "edit"}, {"user_ip": "203.0.113.99"}):
        assert await real.word(**more) == "false"
    assert len(await real.queue()) == 1
    assert (
        await real.word(comment_content="Another word of thanks for this post about soil.", is_test="true") == "false"
    )
    assert len(await real.queue()) == 1


async def test_a_submission_is_a_decision_that_later_checks_are_answered_by(real: Real) -> None:
    assert await real.word() == "false"
    assert await real.said("spam", comment_check_response="true") == THANKS
    [comment] = await real.queue()
    assert comment["status"] == "spam"
    assert await real.word() == "true"
    assert await real.counts() == {
        "api_calls": "2",
        "spam": "1",
        "ham": "1",
        "missed_spam": "1",
        "false_positives": "0",
    }
    assert await real.said("ham") == THANKS
    assert await real.word() == "false"
    assert (await real.counts())["false_positives"] == "0"  # the first decision told what was wrong


async def test_a_false_alarm_counts_as_one(real: Real) -> None:
    assert await real.word(comment_content=SPAM) == "true"
    assert await real.said("ham", comment_content=SPAM) == THANKS
    assert (await real.counts())["false_positives"] == "1"
    assert await real.word(comment_content=SPAM) == "false"
    assert await real.word(comment_content=SPAM, comment_author_url="https://other.example") == "true"
    [comment] = await real.queue()
    assert comment["status"] == "approved" and comment["author"]["url"] is None


async def test_what_was_never_checked_is_kept_by_its_submission(real: Real) -> None:
    assert await real.said("spam", comment_content=SPAM, blog=None) == THANKS
    [comment] = await real.queue()
    assert comment["status"] == "spam"


async def test_a_moderators_decision_in_the_console_is_the_answer_too(real: Real, service: Service) -> None:
    assert await real.word() == "false"
    [comment] = await real.queue()
    await service.decide(comment["id"], "spam")
    assert await real.word() == "true"


async def test_two_blogs_of_one_key_are_two_sites_of_its_statistics(real: Real) -> None:
    await real.word(blog="https://a.example/", permalink="https://a.example/p")
    await real.word(blog="https://b.example/news", permalink="https://b.example/news/p")
    document = await real.sites()
    assert [row["site"] for row in document["2027-01"]] == ["a.example", "b.example/news"]


async def test_discourses_markdown_is_read_as_such(real: Real) -> None:
    agent = {"User-Agent": "Discourse/3.5.0 | discourse-akismet/0.1.0"}
    text = "Pruning in autumn\n\nSee *this* [guide](https://roses.example/autumn) for the <b>dates</b>."
    assert await real.word(comment_content=text, headers=agent, comment_type=None, content_type="forum-post") == "false"
    [comment] = await real.queue()
    assert "<em>this</em>" in comment["html"]


async def test_texts_and_names_of_any_length_and_kind_are_answered(real: Real) -> None:
    for values in (
        {"comment_content": "a " * 400_000},
        {
            "comment_author": "n" * 20_000,
            "comment_author_email": "not an address",
            "comment_author_url": "javascript:x",
        },
        {"comment_author": "\u202eevil", "comment_content": "\u0301" * 3000},
        {"permalink": "x" * 30_000},
        {"comment_date_gmt": "2026-11-23 07:12:20"},
    ):
        assert await real.word(**values) in ("true", "false")


async def test_without_a_model_a_comment_is_neither_spam_nor_ham(real: Real, service: Service) -> None:
    class Broken(Classifier):
        def load(self) -> None:
            raise ModelError("no model")

    scorer = Scorer(Broken(None))
    service.services.intake.scorer = scorer
    service.have(scorer=scorer)
    answer = await real.check(comment_content=HAM)
    assert answer.status_code == 503 and answer.headers["x-akismet-guid"] and answer.headers["retry-after"]
    assert (await real.check(comment_author="viagra-test-123")).text == "true"
