"""Coral's external moderation phase: requests as Coral builds them, and whatever goes wrong publishes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.labels import LABELS
from moderation.comments.verdict import Reason, Verdict
from moderation.core.problem import Conflict, Invalid, NotFound, Unavailable
from moderation.core.signing import Signer
from moderation.dialects import api_coral, coral, coral_secrets
from moderation.dialects.model import CheckResult
from moderation.transfer import backup as backups
from tests.conftest import Server, Service

PATH = "/coral/default"
SECRET = "empp_" + "1f" * 34
KIND = "<div>The beans grow well this year, thank you for the article.</div>"
CASINO = (
    '<div>Best online casino bonus!!! Win cash now at <a href="https://casino-bonus.example/win">casino</a> '
    '<a href="https://casino-bonus.example/free">free spins</a></div>'
)
WITHHELD = {"status": "SYSTEM_WITHHELD"}


def asked(body: Any = KIND, **more: Any) -> dict[str, Any]:
    """Coral's own example (docs/docs/external-moderation-phases.md in its repository)."""
    return {
        "action": "NEW",
        "comment": {"body": body, "parentID": None},
        "author": {"id": "baf4e943-3594-4fcc-b2ba-3e8de7a76352", "role": "COMMENTER"},
        "story": {"id": "245b3856-b0a0-4d2f-a6bb-58c71f18d6a6", "url": "http://localhost:1313/posts/a-story-url/"},
        "site": {"id": "a4bede88-2d2c-4424-bc18-4322a9e285a6"},
        "tenantID": "19ba5794-7eeb-4d46-a81b-c00c61672501",
        "tenantDomain": "localhost",
    } | more


def signature(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


async def send(service: Service, document: Any, *, path: str = PATH, header: str | None = None) -> httpx.Response:
    """As Coral does: two spaces of indentation, signed over these bytes."""
    raw = json.dumps(document, indent=2).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "Coral Moderation/9.11.8"}
    headers["X-Coral-Signature"] = signature(raw) if header is None else header
    return await service.client.post(path, content=raw, headers=headers)


async def with_secret(service: Service, secret: str = SECRET) -> str:
    async with service.services.database.transaction() as tx:
        return await coral_secrets.add(tx, service.services.signer, "default", secret, service.clock())


async def queue(service: Service, status: str = "any") -> list[dict[str, Any]]:
    answer = await service.client.get("/api/v1/comments", params={"status": status}, headers=await service.token())
    return list(answer.json()["comments"])


@pytest.mark.anyio
async def test_a_good_comment_is_left_to_coral_and_kept_as_a_check(service: Service) -> None:
    await with_secret(service)
    answer = await send(service, asked())
    assert (answer.status_code, answer.content) == (204, b"")
    (kept,) = await queue(service)
    assert kept["status"] == "approved" and kept["article"].startswith("checks:localhost-1313-posts-a-story-url")
    assert (await service.client.get("/sites/default/feed")).text.count("beans grow well") == 0


@pytest.mark.anyio
async def test_where_coral_moderates_before_publication_a_good_comment_is_said_to_appear(service: Service) -> None:
    await with_secret(service)
    answer = await send(service, asked(), path=PATH + "?publish=NONE")
    assert (answer.status_code, answer.json()) == (200, {"status": "NONE"})


@pytest.mark.anyio
async def test_spam_is_withheld_or_rejected_and_flagged(service: Service) -> None:
    await with_secret(service)
    answer = await send(service, asked(CASINO))
    assert answer.status_code == 200
    assert answer.json()["status"] in ("SYSTEM_WITHHELD", "REJECTED")
    assert {"actionType": "FLAG", "reason": "COMMENT_DETECTED_SPAM"} in answer.json()["actions"]


@pytest.mark.anyio
async def test_an_edit_is_judged_by_its_new_text_and_staff_is_trusted(service: Service) -> None:
    await with_secret(service)
    assert (await send(service, asked())).status_code == 204
    edited = await send(service, asked(CASINO, action="EDIT"))
    assert edited.json()["status"] in ("SYSTEM_WITHHELD", "REJECTED")
    link = '<div>See <a href="https://unknown-host.example/a">the page</a> about beans.</div>'
    stranger = await send(service, asked(link))
    staff = await send(service, asked(link, author={"id": "m", "role": "MODERATOR"}))
    assert stranger.json()["status"] == "SYSTEM_WITHHELD" and staff.status_code == 204


@pytest.mark.anyio
async def test_the_same_comment_again_has_the_decision_of_a_person(service: Service) -> None:
    await with_secret(service)
    assert (await send(service, asked())).status_code == 204
    (kept,) = await queue(service)
    for action, status in (("spam", "REJECTED"), ("reject", "REJECTED"), ("approve", None)):
        service.clock.forward(seconds=1)
        await service.decide(kept["id"], action)
        answer = await send(service, asked())
        assert (answer.json()["status"] if answer.content else None) == status, action
    other = await send(service, asked(author={"id": "somebody else", "role": "COMMENTER"}))
    assert other.status_code == 204


@pytest.mark.anyio
async def test_what_is_not_signed_is_withheld_unread(service: Service) -> None:
    await with_secret(service)
    raw = json.dumps(asked(), indent=2).encode()
    right = signature(raw)
    for header in ("", right[:-1], right.upper(), right.replace("sha256", "sha1"), signature(raw, "another secret, as long"), "sha256=é"):  # fmt: skip
        answer = await send(service, asked(), header=header.encode() if header == "sha256=é" else header)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json(), answer.headers["x-problem"]) == (200, WITHHELD, "signature"), header
    assert await queue(service) == []


@pytest.mark.anyio
async def test_while_coral_rotates_its_secrets_either_signature_counts(service: Service) -> None:
    await with_secret(service)
    raw = json.dumps(asked(), indent=2).encode()
    both = signature(raw, "empp_the_newer_secret_of_coral") + "," + signature(raw)
    assert (await send(service, asked(), header=both)).status_code == 204
    newer = await with_secret(service, "empp_the_newer_secret_of_coral")
    assert (await send(service, asked(), header=both.partition(",")[0])).status_code == 204
    async with service.services.database.transaction() as tx:
        await coral_secrets.remove(tx, "default", newer, service.clock())
    assert (await send(service, asked(), header=both.partition(",")[0])).json() == WITHHELD


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("document", "path", "why"),
    [
        (asked(), "/coral/nobody", "not_found"),
        (asked("  "), PATH, "empty"),
        (asked(None), PATH, "empty"),
        (asked(7), PATH, "empty"),
        ({"comment": "text"}, PATH, "empty"),
        ({}, PATH, "empty"),
        ([1], PATH, "bad_request"),
        (asked("a\0b"), PATH, "bad_request"),
        (asked("x" * 1_100_000), PATH, "too_large"),
    ],
)
async def test_what_cannot_be_judged_is_withheld(service: Service, document: Any, path: str, why: str) -> None:
    await with_secret(service)
    answer = await send(service, document, path=path)
    assert (answer.status_code, answer.json(), answer.headers["x-problem"]) == (200, WITHHELD, why)


@pytest.mark.anyio
async def test_a_site_without_a_secret_withholds(service: Service) -> None:
    answer = await send(service, asked())
    assert (answer.status_code, answer.json(), answer.headers["x-problem"]) == (200, WITHHELD, "no_secret")


@pytest.mark.anyio
async def test_a_verdict_that_fails_or_comes_too_late_withholds(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_secret(service)
    gate = asyncio.Event()

    async def late(site: str, check: Any) -> Any:
        await gate.wait()

    async def full(site: str, check: Any) -> Any:
        raise Unavailable("full")

    async def broken(site: str, check: Any) -> Any:
        raise RuntimeError("secret words of a comment")

    monkeypatch.setattr(api_coral, "WITHIN", 0.05)
    for submit, why in ((late, "late"), (full, "unavailable"), (broken, "RuntimeError")):
        monkeypatch.setattr(type(service.services.checks), "submit", lambda _, *given, f=submit: f(*given))
        answer = await send(service, asked())
        assert (answer.status_code, answer.json(), answer.headers["x-problem"]) == (200, WITHHELD, why)
    gate.set()


@pytest.mark.anyio
async def test_without_scores_the_comment_is_withheld(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_secret(service)

    async def none(asked: list[Any], *, patient: bool = False) -> list[None]:
        return [None] * len(asked)

    monkeypatch.setattr(service.services.scorer, "score", none)
    assert (await send(service, asked(), path=PATH + "?publish=NONE")).json() == WITHHELD


@pytest.mark.anyio
async def test_trouble_is_logged_once_a_minute_without_words_or_secrets(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    api_coral._logged.clear()
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            await send(service, asked("<div>quagswagging</div>"), header="sha256=00")
    assert [one.message for one in caplog.records if one.name == api_coral.log.name] == ["withheld in Coral"]
    assert "quagswagging" not in caplog.text and SECRET not in caplog.text


@pytest.mark.anyio
async def test_a_secret_is_stored_encrypted_for_its_site_and_row(service: Service) -> None:
    id = await with_secret(service)
    services = service.services
    cipher = coral_secrets.cipher_of(services.signer)
    async with services.database.reading() as session:
        (row,) = await session.fetch("SELECT site, id, encrypted FROM coral_secrets")
        assert await coral_secrets.of_site(session, cipher, "default") == [SECRET.encode()]
        other = coral_secrets.cipher_of(Signer(b"another secret key of a server"))
        assert await coral_secrets.of_site(session, other, "default") == []
    assert row[1] == id and SECRET not in str(list(row)) and SECRET[5:] not in str(list(row))
    assert cipher.decrypt(row[2], "other/row") is None
    audit = await service.client.get("/api/v1/audit", headers=await service.token())
    assert "coral-secret:add" in audit.text and SECRET not in audit.text


@pytest.mark.anyio
async def test_a_secret_that_is_none_is_refused_and_so_are_too_many(service: Service) -> None:
    services = service.services
    async with services.database.transaction() as tx:
        for pasted in ("", "short", "two words in a secret of Coral", "é" * 20, "x" * 201):
            with pytest.raises(Invalid):
                await coral_secrets.add(tx, services.signer, "default", pasted, service.clock())
        for n in range(coral_secrets.MOST):
            await coral_secrets.add(tx, services.signer, "default", f"a secret-{n}".replace(" ", "-") * 3, n)
        with pytest.raises(Conflict):
            await coral_secrets.add(tx, services.signer, "default", SECRET, service.clock())
        with pytest.raises(NotFound):
            await coral_secrets.remove(tx, "default", "none", service.clock())


@pytest.mark.anyio
async def test_a_restore_leaves_corals_secrets_out_unless_it_is_told(service: Service, tmp_path: Path) -> None:
    await with_secret(service)
    file = tmp_path / "backup.zip"
    await backups.write(service.services.database, tmp_path / "models", b"k" * 32, file)
    assert SECRET.encode() not in file.read_bytes()
    door = backups.Doorkeeper(keep_integrations=False)
    row = {"site": "default", "id": "a", "encrypted": "x", "created_at": 1}
    said = list[str]()
    assert not door.lets_in("coral_secrets", row) and backups.Doorkeeper(True).lets_in("coral_secrets", row)
    door.tell(said.append)
    assert any("Coral" in line and "default" in line for line in said)


def test_the_commands_take_the_secret_from_standard_input(start: Callable[..., Server]) -> None:
    server = start()
    added = server.run("add-coral-secret", "--site", "default", stdin=SECRET + "\n")
    assert f"{server.url}{PATH}" in added.stderr and SECRET not in added.stdout + added.stderr
    raw = json.dumps(asked(), indent=2).encode()
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        answer = client.post(PATH, content=raw, headers={"X-Coral-Signature": signature(raw)})
        assert answer.status_code == 204
        server.run("remove-coral-secret", added.stdout.strip(), "--site", "default")
        answer = client.post(PATH, content=raw, headers={"X-Coral-Signature": signature(raw)})
        assert answer.json() == WITHHELD
    assert server.run("add-coral-secret", stdin="short\n", check=False).returncode == 1
    assert server.run("add-coral-secret", "--site", "nobody", stdin=SECRET, check=False).returncode == 1
    assert SECRET not in server.log + server.printed


# --- without a server --------------------------------------------------------------------------------------------------

reasons = st.lists(
    st.builds(
        Reason,
        rule=st.sampled_from(["certain-spam", "wave", "label", "unscored", "review-all", "many-links"]),
        label=st.sampled_from(["", *LABELS]),
    ),
    max_size=5,
)
STATUSES = {"NONE", "APPROVED", "REJECTED", "PREMOD", "SYSTEM_WITHHELD"}


@given(st.sampled_from(["publish", "hold", "spam", "reject"]), reasons, st.booleans())
def test_each_answer_is_one_that_coral_takes(action: str, why: list[Reason], decides: bool) -> None:
    """`ExternalModerationResponseSchema` in Coral's external.ts: a wrong field throws, and the comment is published."""
    answer = coral.answer(CheckResult(verdict=Verdict(action=action, reasons=tuple(why))), decides=decides)
    if action == "publish":
        assert answer == ({"status": "NONE"} if decides else None)
        return
    assert answer and answer.keys() <= {"status", "actions"}
    assert answer["status"] == ("SYSTEM_WITHHELD" if action == "hold" else "REJECTED")
    for one in answer.get("actions", []):
        assert one["actionType"] == "FLAG" and one["reason"] in (coral.TOXIC, coral.SPAM)
    flags = [one["reason"] for one in answer.get("actions", [])]
    assert len(flags) == len(set(flags))
    assert (coral.TOXIC in flags) == any(one.label not in ("", "spam") for one in why)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("comment", "author", "story", "action"), anything)))
def test_whatever_a_request_holds_it_is_a_check_or_none(document: dict[str, Any]) -> None:
    check = coral.check_of(document)
    assert check is None or check.text.strip()


@given(st.binary(max_size=200), st.text(max_size=200), st.lists(st.binary(min_size=1, max_size=80), max_size=3))
def test_no_header_by_chance_is_a_signature(body: bytes, header: str, secrets: list[bytes]) -> None:
    assert not coral.is_signed(secrets, body, header)
    for secret in secrets:
        right = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        assert coral.is_signed(secrets, body, right) and coral.is_signed(secrets, body, f"sha256=00, {right}")
        assert not coral.is_signed(secrets, body + b"x", right)
