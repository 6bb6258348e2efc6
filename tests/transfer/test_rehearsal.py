"""`restore --check`: the service on a copy of the backup, from which nothing leaves and into which nothing comes."""

from __future__ import annotations

import json
import socket
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moderation import rehearsal
from moderation.core.problem import BadRequest, Unavailable
from moderation.db.periodic import Periodic
from moderation.outbox import webhooks
from moderation.outbox.delivery import Deliverer
from moderation.settings import Settings
from moderation.team import access
from moderation.transfer import backup
from tests.conftest import Server, Service, changed
from tests.outbox.postbox import Postbox
from tests.outbox.receiver import receiving

pytestmark = pytest.mark.anyio
SECRET = b"a secret key that only the tests know"


async def backed_up(service: Service, folder: Path) -> Path:
    """A backup of a service with published and held comments and a decision."""
    for article in ("one", "one", "two"):
        assert (await service.post(article)).status_code == 201
    await service.decide(await service.held("two"))
    await service.held("two")
    file = folder / "backup.zip"
    await backup.write(service.services.database, folder / "models", SECRET, file)
    return file


def rewritten(file: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The same archive with other members; None leaves one out."""
    other = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return other


async def test_a_good_backup_is_served_and_its_figures_are_right(service: Service, tmp_path: Path) -> None:
    file = await backed_up(service, tmp_path)
    before = file.read_bytes()
    figures = await rehearsal.rehearse(service.settings, file)
    assert (figures["well"], figures["comments"], figures["threads"]) == (True, 5, 2)
    assert file.read_bytes() == before


async def test_nothing_leaves_and_the_service_s_own_data_is_not_opened(
    service: Service, tmp_path: Path, box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, opened = service.services, list[Any]()
    with receiving() as receiver:
        async with services.database.transaction() as tx:
            await access.add_moderator(tx, "eve@mail.example", "moderator", "*", service.clock())
            await webhooks.add(tx, services.signer, receiver.url, "*", "", to_private=True, now=service.clock())
        monkeypatch.setattr(services.outbox, "begin", never)
        service.clock.now = time.time_ns() // 1_000_000 - 60_000  # so that all that waits is due
        file = await backed_up(service, tmp_path)
        with zipfile.ZipFile(file) as archive:
            assert archive.read("outbox.jsonl"), "something waits to leave"
        connect = socket.socket.connect

        def noted(self: socket.socket, address: Any) -> None:
            opened.append(address)
            connect(self, address)

        monkeypatch.setattr(Deliverer, "start", lambda *_: opened.append("the outbox"))
        monkeypatch.setattr(Periodic, "start", lambda *_: opened.append("periodic tasks"))
        monkeypatch.setattr(socket.socket, "connect", noted)
        monkeypatch.setattr(socket.socket, "connect_ex", noted)
        monkeypatch.setattr(socket.socket, "bind", noted)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: opened.append(args))
        settings = changed(
            service.settings, smtp_url=box.url, mail_from="comments@mail.example", database="postgresql://nowhere/x"
        )
        assert (await rehearsal.rehearse(settings, file))["well"]
        assert opened == [] and receiver.got == [] and box.mails == []


async def never() -> None:
    """Delivers nothing."""


async def test_the_copy_has_no_mail_no_other_key_and_no_other_place(tmp_path: Path) -> None:
    settings = Settings(
        smtp_url="smtp://relay.example", mail_from="a@b.example", secret_key="x" * 16, public_url="https://c.example",
        database="postgresql://db/x", models="elsewhere", demo=True,
    )  # fmt: skip
    copy = rehearsal.copy_of(settings, tmp_path)
    assert copy.smtp is None and copy.base == "http://127.0.0.1" and not copy.demo
    assert Path(copy.database).parent == Path(copy.models).parent == copy.key_file.parent == tmp_path
    assert not copy.secret_key.get_secret_value()


async def test_nothing_of_the_copy_stays(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(rehearsal.tempfile, "tempdir", str(place))
    await rehearsal.rehearse(service.settings, await backed_up(service, tmp_path))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("table", ["comments", "decisions"])
async def test_a_row_that_is_missing_is_named(service: Service, tmp_path: Path, table: str) -> None:
    def without_one(name: str, content: bytes) -> bytes:
        return b"".join(content.splitlines(keepends=True)[:-1]) if name == f"{table}.jsonl" else content

    file = rewritten(await backed_up(service, tmp_path), without_one)
    with pytest.raises(BadRequest, match=rf"damaged: {table} has \d of \d rows"):
        await rehearsal.rehearse(service.settings, file)


async def test_a_byte_that_has_changed_is_found(service: Service, tmp_path: Path) -> None:
    file = await backed_up(service, tmp_path)
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("comments.jsonl")
    content = bytearray(file.read_bytes())
    content[info.header_offset + 100] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(BadRequest, match=r"damaged|not a backup"):
        await rehearsal.rehearse(service.settings, file)


async def test_a_backup_of_before_has_no_counts_and_is_rehearsed_too(service: Service, tmp_path: Path) -> None:
    file = rewritten(
        await backed_up(service, tmp_path), lambda name, content: None if name == "counts.json" else content
    )
    assert (await rehearsal.rehearse(service.settings, file))["well"]


async def test_what_the_copy_does_not_serve_is_named(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wrong(*_: Any) -> list[tuple[str, str, int]]:
        return [("default", "one", 3), ("default", "two", 2)]

    file = await backed_up(service, tmp_path)
    monkeypatch.setattr(rehearsal.dump, "largest_articles", wrong)
    with pytest.raises(Unavailable, match="the thread default/one: 3 comments, the service shows 2"):
        await rehearsal.rehearse(service.settings, file)


def test_an_operator_rehearses_beside_the_service(server: Server) -> None:
    server.run("backup", "backups", "--keep", "3")
    (file,) = (server.folder / "backups").iterdir()
    done = server.run("restore", str(file), "--check")
    assert json.loads(done.stdout)["well"] is True
    file.write_bytes(file.read_bytes()[:-200])
    broken = server.run("restore", str(file), "--check", check=False)
    assert broken.returncode == 1 and "not a backup" in broken.stderr and "Traceback" not in broken.stderr
