"""Akismet's protocol over HTTP: the exact words and headers that its clients compare."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.comments.verdict import HOLD, Reason, Verdict
from moderation.core.problem import Forbidden, TooFast, Unavailable
from moderation.dialects import akismet as protocol
from moderation.dialects.keys import FAILURES
from tests.conftest import Service
from tests.dialects.conftest import FILED, UNSCORED, Akismet, new_key

pytestmark = pytest.mark.anyio
GUID, HELP, TIP = "x-akismet-guid", "x-akismet-debug-help", "x-akismet-pro-tip"
NEVER = ("x-akismet-alert-code", "x-akismet-alert-msg", "x-akismet-error", "x-akismet-recheck-after")
CHECKS = ("/1.1/comment-check", "/1.1/submit-spam", "/1.1/submit-ham")
THANKS = "Thanks for making the web a better place."


def has_form(answer: httpx.Response) -> None:
    """What holds for every answer."""
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers[GUID])
    if answer.request.method != "HEAD":
        assert int(answer.headers["content-length"]) == len(answer.content)
    assert not [name for name in NEVER if name in answer.headers]
    is_success = answer.status_code == 200 and answer.text not in ("invalid", "Missing required field: blog.")
    assert (HELP in answer.headers) is not is_success
    if HELP in answer.headers:
        assert answer.headers[HELP].isascii() and answer.headers[HELP].strip()


def says(answer: httpx.Response, word: str, help: str | None = None) -> None:
    assert (answer.status_code, answer.content) == (200, word.encode()), answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    has_form(answer)
    if help is not None:
        assert answer.headers[HELP] == help


# --- verify-key --------------------------------------------------------------------------------------------------------


async def test_a_key_is_valid_by_either_name(akismet: Akismet) -> None:
    says(await akismet.call("/1.1/verify-key"), "valid")
    says(await akismet.call("/1.1/verify-key", api_key=None, key=akismet.key), "valid")
    says(await akismet.call("/1.1/verify-key", api_key=None, key=akismet.key.upper()), "valid")


async def test_the_key_that_is_tried_is_verified_and_not_the_stored_one(akismet: Akismet) -> None:
    for path in ("verify-key", "get-subscription", "get-stats", "deactivate"):
        says(await akismet.call(f"/1.1/{path}", key="aaaaaaaaaaaa"), "invalid")
        assert (await akismet.call(f"/1.1/{path}", key=akismet.key, api_key="aaaaaaaaaaaa")).text != "invalid"


@pytest.mark.parametrize(
    ("values", "help"),
    [
        ({"blog": "no address"}, "We were unable to parse your blog URI"),
        ({"blog": "ftp://blog.example.com"}, "We were unable to parse your blog URI"),
        ({"blog": None}, 'Empty "blog" value'),
        ({"key": ""}, 'Empty "key" value'),
        ({"api_key": None}, 'Empty "key" value'),
        ({"key": "aaaaaaaaaaaa"}, None),
        ({"key": "not a key"}, None),
    ],
)
async def test_what_is_wrong_with_a_key_is_said(akismet: Akismet, values: dict[str, Any], help: str | None) -> None:
    says(await akismet.call("/1.1/verify-key", **values), "invalid", help)


async def test_a_revoked_key_is_invalid_everywhere(akismet: Akismet) -> None:
    async with akismet.service.services.database.transaction() as tx:
        await tx.execute("UPDATE tokens SET ended_at = 1 WHERE kind = 'api'")
    for path in (*CHECKS, "/1.1/verify-key", "/1.1/get-stats", "/1.1/token", "/1.2/usage-limit", "/1.2/key-sites"):
        says(await akismet.call(path), "invalid")


async def test_a_key_needs_the_scope(akismet: Akismet, service: Service) -> None:
    says(await akismet.check(api_key=await new_key(service, "moderate")), "invalid", protocol.NO_CHECKS)


async def test_a_key_opens_nothing_else(akismet: Akismet, service: Service) -> None:
    headers = {"Authorization": f"Bearer {akismet.key}"}
    for path in ("/api/v1/comments", "/api/v1/stats", "/api/v1/audit", "/api/v1/rules", "/api/v1/events"):
        assert (await service.client.get(path, headers=headers)).status_code in (401, 403, 404), path
    decision = {"comments": ["0" * 26], "action": "approve"}
    assert (await service.client.post("/api/v1/decisions", json=decision, headers=headers)).status_code == 403


# --- where the key is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["{key}.rest.akismet.com", "{KEY}.rest.akismet.com:80", "{key}.localhost:8000"])
async def test_the_host_may_begin_with_the_key(akismet: Akismet, host: str) -> None:
    headers = {"Host": host.format(key=akismet.key, KEY=akismet.key.upper())}
    says(await akismet.check(api_key=None, headers=headers), "false")
    says(await akismet.call("/1.1/verify-key", api_key=None, headers=headers), "valid")


async def test_a_parameter_comes_before_the_host_even_a_wrong_one(akismet: Akismet) -> None:
    headers = {"Host": f"{akismet.key}.rest.akismet.com"}
    says(await akismet.check(api_key="aaaaaaaaaaaa", headers=headers), "invalid")
    says(await akismet.check(headers={"Host": "aaaaaaaaaaaa.rest.akismet.com"}), "false")


@pytest.mark.parametrize("host", ["rest.akismet.com", "localhost", "127.0.0.1:8000", "[::1]:8000", "x" * 200])
async def test_a_host_without_a_key_is_no_key_and_no_obstacle(akismet: Akismet, host: str) -> None:
    says(await akismet.check(headers={"Host": host}), "false")
    says(await akismet.check(api_key=None, headers={"Host": host}), "invalid", 'Empty "api_key" value')


async def test_basic_credentials_may_begin_with_the_key(akismet: Akismet) -> None:
    credentials = base64.b64encode(f"{akismet.key}.x:undefined".encode()).decode()
    says(await akismet.check(api_key=None, headers={"Authorization": f"Basic {credentials}"}), "false")


async def test_the_query_is_as_good_as_the_body(akismet: Akismet, service: Service) -> None:
    query = {"api_key": akismet.key, "blog": akismet.blog, "comment_content": "Kind words."}
    says(await service.client.post("/1.1/comment-check", params=query), "false")


# --- comment-check -----------------------------------------------------------------------------------------------------


async def test_every_answer_has_a_guid_of_its_own(akismet: Akismet) -> None:
    guids = {(await akismet.check()).headers[GUID] for _ in range(5)}
    assert len(guids) == 5


async def test_spam_is_true_and_ham_is_false(akismet: Akismet) -> None:
    says(await akismet.check(), "false")
    akismet.checks.verdict = FILED
    says(await akismet.check(comment_content="Cheap pills."), "true")


@pytest.mark.parametrize(("rule", "word"), [("label", "true"), ("honeypot", "true"), ("stranger-with-link", "false")])
async def test_a_hold_is_answered_by_its_reason(akismet: Akismet, rule: str, word: str) -> None:
    akismet.checks.verdict = Verdict(action=HOLD, reasons=(Reason(rule=rule),))
    says(await akismet.check(), word)


@pytest.mark.parametrize(
    "unready", [UNSCORED, Verdict(action=HOLD), Unavailable(), RuntimeError("of a comment's text")]
)
async def test_without_a_verdict_the_answer_is_an_error_with_a_guid(akismet: Akismet, unready: Any) -> None:
    """WordPress holds such a comment, and would publish it without the GUID."""
    if isinstance(unready, Verdict):
        akismet.checks.verdict = unready
    else:
        akismet.checks.error = unready
    answer = await akismet.check()
    assert answer.status_code == (500 if isinstance(unready, RuntimeError) else 503)
    assert answer.text not in protocol.WORDS and "comment's text" not in answer.text
    has_form(answer)
    assert ("retry-after" in answer.headers) is (answer.status_code == 503)


async def test_a_blog_is_needed_to_check_and_not_to_submit(akismet: Akismet) -> None:
    says(await akismet.check(blog=None), "Missing required field: blog.", 'Empty "blog" value')
    says(await akismet.check(blog=" "), "Missing required field: blog.", 'Empty "blog" value')
    says(await akismet.submit("spam", blog=None), THANKS)


@pytest.mark.parametrize(
    "left_out",
    [("user_ip",), ("user_ip", "user_agent", "referrer", "permalink", "comment_author", "comment_author_email")],
)
async def test_what_is_left_out_is_nothing_against_a_comment(akismet: Akismet, left_out: tuple[str, ...]) -> None:
    says(await akismet.check(**dict.fromkeys(left_out)), "false")
    says(await akismet.check(**dict.fromkeys(left_out, "")), "false")


async def test_unknown_parameters_are_ignored_and_none_of_the_readers_headers_is_judged(akismet: Akismet) -> None:
    extra = {
        "HTTP_COOKIE": "secret",
        "POST_author": "Somebody Else",
        "REMOTE_ADDR": "203.0.113.9",
        "callback": "http://127.0.0.1/x",
        "classify": "1",
    }
    says(await akismet.check(**extra), "false")
    assert not [
        one for one in akismet.checks.judged if any(value in repr(one) for value in extra.values() if len(value) > 1)
    ]


@pytest.mark.parametrize("is_test", ["", "1", "true", "0"])
async def test_magic_values_come_before_the_verdict_and_teach_nothing(akismet: Akismet, is_test: str) -> None:
    akismet.checks.error = RuntimeError("nothing is judged")
    says(await akismet.check(comment_author="viagra-test-123", is_test=is_test), "true")
    says(await akismet.check(comment_author_email="akismet-guaranteed-spam@example.com", is_test=is_test), "true")
    says(await akismet.check(user_role="subscriber,administrator", is_test=is_test), "false")
    says(
        await akismet.check(user_role="administrator", comment_author="akismet-guaranteed-spam", is_test=is_test),
        "true",
    )
    says(await akismet.submit("spam", comment_author="viagra-test-123", is_test=is_test), THANKS)
    says(await akismet.submit("ham", user_role="administrator", is_test=is_test), THANKS)
    assert not akismet.checks.stored and not akismet.checks.decisions


async def test_magic_values_need_a_key(akismet: Akismet) -> None:
    says(await akismet.check(comment_author="viagra-test-123", api_key="aaaaaaaaaaaa"), "invalid")


async def test_only_a_test_of_discarding_is_told_to_discard(akismet: Akismet) -> None:
    asked = {"comment_author": "viagra-test-123", "test_discard": "1"}
    assert (await akismet.check(**asked, is_test="1")).headers[TIP] == "discard"
    assert TIP not in (await akismet.check(**asked)).headers
    assert TIP not in (await akismet.check(test_discard="1", is_test="1")).headers


# --- what is stored ----------------------------------------------------------------------------------------------------


async def test_a_check_is_stored_once(akismet: Akismet) -> None:
    for _ in range(2):
        says(await akismet.check(), "false")
    assert len(akismet.checks.stored) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"is_test": "true"},
        {"recheck_reason": "recheck_queue"},
        {"recheck_reason": "edit"},
        {"akismet_pre_check": "1", "comment_content": ""},
        {"comment_type": "signup", "comment_content": " "},
        {"headers": {"Origin": "https://page.example"}},
    ],
)
async def test_what_is_only_judged(akismet: Akismet, values: dict[str, Any]) -> None:
    akismet.checks.verdict = FILED
    says(await akismet.check(**values), "true")
    assert akismet.checks.judged and not akismet.checks.stored


async def test_a_retry_after_an_outage_is_stored(akismet: Akismet) -> None:
    says(await akismet.check(recheck_reason="retry"), "false")
    assert akismet.checks.stored


async def test_a_key_that_may_not_teach_stores_nothing(akismet: Akismet, service: Service) -> None:
    akismet.key = await new_key(service, "score")
    says(await akismet.check(), "false")
    assert akismet.checks.judged and not akismet.checks.stored


async def test_a_persons_decision_answers_for_the_same_comment(akismet: Akismet) -> None:
    says(await akismet.check(), "false")
    says(await akismet.submit("spam"), THANKS)
    for more in ({}, {"is_test": "1"}, {"recheck_reason": "edit"}):
        says(await akismet.check(**more), "true")
    says(await akismet.submit("ham"), THANKS)
    akismet.checks.verdict = FILED
    says(await akismet.check(), "false")
    says(await akismet.check(comment_author_url="https://pills.example"), "true")  # approved words under a new link


# --- submissions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "action"), [("spam", "spam"), ("ham", "approve")])
async def test_a_submission_is_a_decision_on_the_earlier_check(akismet: Akismet, what: str, action: str) -> None:
    says(await akismet.check(), "false")
    for _ in range(2):  # a second time it changes nothing
        says(await akismet.submit(what), THANKS)
    assert akismet.checks.decisions == [("Kind words.", action)] and len(akismet.checks.stored) == 1


async def test_a_submission_of_what_was_never_checked_is_stored_and_decided(akismet: Akismet) -> None:
    says(await akismet.submit("spam", comment_content="Cheap pills."), THANKS)
    assert akismet.checks.decisions == [("Cheap pills.", "spam")] and len(akismet.checks.stored) == 1


@pytest.mark.parametrize("values", [{"is_test": "1"}, {"comment_content": ""}, {"comment_content": None}])
async def test_a_submission_that_teaches_nothing_is_thanked_for(akismet: Akismet, values: dict[str, Any]) -> None:
    says(await akismet.submit("spam", **values), THANKS)
    assert not akismet.checks.decisions and not akismet.checks.stored


async def test_submissions_need_the_scope_and_no_origin(akismet: Akismet, service: Service) -> None:
    says(await akismet.submit("spam", headers={"Origin": "https://page.example"}), "invalid", protocol.FROM_A_PAGE)
    says(await akismet.submit("ham", api_key=await new_key(service, "score")), "invalid", protocol.NO_TEACHING)
    assert not akismet.checks.decisions


async def test_past_a_keys_allowance_submissions_wait(akismet: Akismet) -> None:
    await akismet.check()
    akismet.checks.error = TooFast("This key has decided on too many comments today.", 3600)
    answer = await akismet.submit("spam")
    assert answer.status_code == 429 and answer.headers["retry-after"] == "3600"
    has_form(answer)
    akismet.checks.error = Forbidden("The scope teach is missing.")
    says(await akismet.submit("spam"), "invalid", protocol.NO_TEACHING)


async def test_coral_submits_json_without_a_blog(akismet: Akismet, service: Service) -> None:
    sent = {"user_ip": "", "permalink": "https://news.example/a", "comment_type": "comment", "comment_author": "Ann",
            "comment_content": "Cheap pills.", "is_test": False}  # fmt: skip
    headers = {"Host": f"{akismet.key}.rest.akismet.com"}
    says(await service.client.post("/1.1/submit-spam", json=sent, headers=headers), THANKS)
    assert akismet.checks.decisions == [("Cheap pills.", "spam")]


async def test_json_works_for_checks_too(akismet: Akismet, service: Service) -> None:
    sent = {"api_key": akismet.key, "blog": akismet.blog, "comment_content": "Wörter", "is_test": True}
    says(await service.client.post("/1.1/comment-check", json=sent), "false")
    assert akismet.checks.judged[0].text == "Wörter" and not akismet.checks.stored


async def test_a_multipart_form_in_the_blogs_charset(akismet: Akismet, service: Service) -> None:
    fields = {"api_key": akismet.key, "blog": akismet.blog, "blog_charset": "ISO-8859-1", "comment_content": "caf\xe9"}
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    body = ("".join(parts) + "--x--\r\n").encode("latin-1")
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    says(await service.client.post("/1.1/comment-check", content=body, headers=kind), "false")
    assert akismet.checks.judged[0].text == "café"


@pytest.mark.parametrize("boundary", ["", "; boundary=", '; boundary="a\\"b"', "; boundary=y"])
async def test_a_multipart_form_that_cannot_be_read_has_no_parameters(
    akismet: Akismet, service: Service, boundary: str
) -> None:
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    answer = await service.client.post("/1.1/comment-check", content=b"--x\r\nbroken", headers=headers)
    says(answer, "invalid", 'Empty "api_key" value')


# --- the key's own calls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_there_is_no_limit_of_use(akismet: Akismet, method: str) -> None:
    for text in ("a", "b"):
        await akismet.check(comment_content=text)
    answer = await akismet.call("/1.2/usage-limit", method)
    assert answer.json() == {"limit": "none", "usage": 2, "percentage": "0.00", "throttled": False}
    has_form(answer)
    assert answer.headers["content-type"].startswith("application/json")


async def test_without_a_key_there_are_no_sites(akismet: Akismet) -> None:
    says(await akismet.call("/1.2/key-sites", "GET", api_key=None), "invalid", 'Empty "api_key" value')


async def test_a_subscription_is_active(akismet: Akismet) -> None:
    answer = await akismet.call("/1.1/get-subscription", key=akismet.key)
    assert answer.json() == {
        "account_id": 1, "account_name": "leave-a-reply", "account_type": "self-hosted", "status": "active",
        "next_billing_date": False, "limit_reached": False,
    }  # fmt: skip
    has_form(answer)


async def test_the_settings_page_connects(akismet: Akismet, service: Service) -> None:
    says(await service.client.get("/1.1/test"), "connected")
    answer = await service.client.get("/1.2/compatible-plugins")
    assert answer.json() == [] and answer.headers["content-type"] == "application/json"
    has_form(answer)
    assert (await akismet.call("/1.1/token")).text not in ("", "invalid")
    says(await akismet.call("/1.1/verify-wpcom-key"), "invalid")


async def test_head_is_get_without_a_body(service: Service) -> None:
    answer = await service.client.head("/1.1/test")
    assert answer.status_code == 200 and answer.headers["content-length"] == "9" and not answer.content
    has_form(answer)


# --- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/1.1/comment-check", 405),
        ("PUT", "/1.1/comment-check", 405),
        ("OPTIONS", "/1.1/submit-ham", 405),
        ("BREW", "/1.1/verify-key", 405),
        ("POST", "/1.1/test", 405),
        ("DELETE", "/1.2/usage-limit", 405),
        ("GET", "/1.1/", 404),
        ("POST", "/1.1/comment-check/", 404),
        ("POST", "/1.1/no/such%2fpath", 404),
        ("GET", "/1.2/nothing", 404),
        ("BREW", "/1.2/nothing", 404),
    ],
)
async def test_other_paths_and_methods(service: Service, method: str, path: str, status: int) -> None:
    answer = await service.client.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code == status and answer.headers["content-type"].startswith("text/plain")
    assert 0 < len(answer.text) < 100 and answer.text not in protocol.WORDS
    has_form(answer)
    assert ("allow" in answer.headers) is (status == 405)


async def test_both_methods_of_a_path_are_allowed(service: Service) -> None:
    answer = await service.client.delete("/1.2/key-sites")
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", CHECKS)
async def test_more_than_a_mebibyte_is_too_much(akismet: Akismet, path: str) -> None:
    answer = await akismet.call(path, comment_content="x" * 1024 * 1024)
    assert answer.status_code == 413
    has_form(answer)
    assert (await akismet.call(path, comment_content="x" * 1_000_000)).status_code == 200


async def test_a_packed_body_is_refused(akismet: Akismet) -> None:
    answer = await akismet.check(headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    has_form(answer)


async def test_a_site_that_is_gone(akismet: Akismet, service: Service) -> None:
    akismet.key = await new_key(service, site="gone")
    says(await akismet.check(), "invalid")
    says(await akismet.call("/1.1/verify-key"), "invalid")


# --- wrong keys --------------------------------------------------------------------------------------------------------


async def test_wrong_keys_are_limited_by_network_and_a_right_one_is_not_until_then(
    akismet: Akismet, service: Service
) -> None:
    for n in range(FAILURES):
        says(await akismet.call("/1.1/verify-key", key=f"{n:012x}"), "invalid")
        if n % 10 == 0:
            says(await akismet.call("/1.1/verify-key"), "valid")
    refused = await akismet.check()
    assert refused.status_code == 429 and 0 < int(refused.headers["retry-after"]) <= 900
    has_form(refused)
    elsewhere = httpx.ASGITransport(service.app, client=("198.51.100.4", 4711))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://comments.test") as client:
        says(await client.post("/1.1/verify-key", data={"key": akismet.key, "blog": akismet.blog}), "valid")
    service.clock.forward(minutes=15)
    says(await akismet.call("/1.1/verify-key"), "valid")


async def test_a_wrong_key_in_the_host_counts_and_none_at_all_does_not(akismet: Akismet) -> None:
    for _ in range(FAILURES + 5):
        says(await akismet.check(api_key=None), "invalid")
    for n in range(FAILURES):
        says(await akismet.check(api_key=None, headers={"Host": f"{n:012x}.rest.akismet.com"}), "invalid")
    assert (await akismet.check()).status_code == 429


# --- whatever is sent --------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["key", "api_key", "blog", "comment_content", "comment_author", "user_role", "is_test", "blog_charset", "permalink", "honeypot_field_name",
     "comment_date_gmt", "recheck_reason", "month", "limit", "offset", "order", "format", "filter", "from", "comment_check_response"]
)  # fmt: skip
PATHS = st.sampled_from(
    [*CHECKS, "/1.1/verify-key", "/1.1/get-stats", "/1.1/get-subscription", "/1.1/deactivate", "/1.1/token", "/1.1/test",
     "/1.2/key-sites", "/1.2/usage-limit", "/1.1/x", "/1.2/compatible-plugins"]
)  # fmt: skip
VALUES = st.text(max_size=30) | st.sampled_from(
    ["1", "true", "2026-11", "csv", "http://[", "administrator", "utf-7", "-1", "9" * 50]
)


async def test_no_request_makes_a_500_or_a_word_outside_the_protocol(akismet: Akismet, service: Service) -> None:
    """One event loop for all examples: each is a request of its own."""
    requests: list[tuple[str, str, dict[str, str], bytes]] = []

    @settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        method=st.sampled_from(["POST", "POST", "POST", "GET", "PUT"]),
        path=PATHS,
        values=st.dictionaries(NAMES, VALUES, max_size=8),
        key=st.sampled_from([None, "key", "api_key"]),
        shape=st.sampled_from(["form", "json", "multipart", "bytes"]),
        raw=st.binary(max_size=80),
        kind=st.sampled_from(["", "text/plain", "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=gbk"]),
        host=st.sampled_from(["rest.akismet.com", "{key}.rest.akismet.com", "..", "a:b:c", "[::1"]),
    )  # fmt: skip
    def collect(
        method: str, path: str, values: dict[str, str], key: str | None, shape: str, raw: bytes, kind: str, host: str
    ) -> None:
        if key:
            values = values | {key: akismet.key}
        headers = {"Host": host.format(key=akismet.key)}
        if shape == "bytes":
            headers["Content-Type"], body = kind, raw
        elif shape == "json":
            headers["Content-Type"], body = "application/json", json.dumps(values).encode()
        else:
            made = httpx.Request("POST", "http://x", data=values) if shape == "form" else httpx.Request("POST", "http://x", files={n: (None, v) for n, v in values.items()} or None)  # fmt: skip
            headers |= {name: made.headers[name] for name in ("content-type",) if name in made.headers}
            body = made.read()
        requests.append((method, path, headers, body))

    collect()
    assert len(requests) >= 100
    for method, path, headers, body in requests:
        answer = await service.client.request(method, path, headers=headers, content=body)
        assert answer.status_code in (200, 404, 405), (answer.status_code, method, path, body)
        has_form(answer)
        if answer.status_code == 200 and path != "/1.1/token":
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind != "text/plain" or answer.text in protocol.WORDS
            if kind == "application/json":
                answer.json()
