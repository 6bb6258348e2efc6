"""`deploy/`: the units, the compose file, and the snippets for proxies, each as its program reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from moderation.__main__ import COMMANDS
from moderation.settings import FILE, Settings, variable
from tests import nginx
from tests.conftest import ROOT, Server, answers, free_port, missing, wait_until

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [path for path in UNITS if path.suffix == ".service"]
EXPOSURE = 20
"""Tenths: `systemd-analyze security` calls less than 2.0 fine."""
APACHE_MODULES = Path("/usr/lib/apache2/modules")


def written() -> list[Path]:
    folders = (DEPLOY / "systemd", DEPLOY / "proxies", DEPLOY / "monitoring")
    return [DEPLOY / "compose.yaml", *(path for folder in folders for path in sorted(folder.iterdir()))]


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_every_setting_and_command_that_is_named_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    known = {FILE, *map(variable, Settings.model_fields)}
    assert set(re.findall(r"\bMODERATION_[A-Z_]+\b", text)) <= known
    commands = {name for names in COMMANDS.values() for name in names}
    assert set(re.findall(r"(?:bin/|exec replies )moderation ([a-z-]+)", text)) <= commands


# --- systemd -----------------------------------------------------------------------------------------------------------


def analyze(*words: str) -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze is not installed")
    done = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_unit_is_exposed_to_little(path: Path) -> None:
    analyze("security", "--offline=true", f"--threshold={EXPOSURE}", str(path))


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    program = tmp_path / "moderation"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in UNITS:  # verify wants the program to be there
        text = path.read_text("utf-8").replace("/opt/leave-a-reply/bin/moderation", str(program))
        (tmp_path / path.name).write_text(text)
    assert analyze("verify", *(str(tmp_path / path.name) for path in UNITS)).strip() == ""


def test_both_units_are_hardened_alike() -> None:
    def hardening(path: Path) -> set[str]:
        lines = path.read_text("utf-8").partition("# an account")[2].partition("[Install]")[0].splitlines()
        return {line for line in lines if "=" in line and not line.startswith(("#", "StateDirectory="))}

    first, *others = map(hardening, SERVICES)
    assert len(first) > 20 and all(other == first for other in others)


# --- compose -----------------------------------------------------------------------------------------------------------


def test_the_compose_file_runs_the_image_without_rights() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services, image = compose["services"], (ROOT / "Dockerfile").read_text("utf-8")
    for name in ("replies", "backup"):
        one = services[name]
        assert (DEPLOY / one["build"]).resolve() == ROOT and one["read_only"] and one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        for volume in one["volumes"]:
            source, _, place = volume.partition(":")
            assert source in compose["volumes"] and place in image.partition("install -d")[2].splitlines()[0]
    assert services["replies"]["ports"] == ["127.0.0.1:8000:8000"], "a proxy stands in front"
    assert "profiles" not in services["replies"]
    assert services["postgres"]["profiles"] == ["postgres"] and services["backup"]["profiles"] == ["backup"]
    grace = int(services["replies"]["stop_grace_period"].removesuffix("s"))
    assert grace >= Settings.model_fields["grace"].default + 10


# --- proxies -----------------------------------------------------------------------------------------------------------

NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; include {snippet}; }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName 127.0.0.1
PidFile {folder}/pid
ErrorLog {folder}/errors
DefaultRuntimeDir {folder}
{modules}
User nobody
Group nogroup
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
Include {snippet}
</VirtualHost>
"""


@dataclass
class Behind:
    """The service behind a proxy, and its public address."""

    kind: str
    server: Server
    base: str


@contextmanager
def in_front(kind: str, where: str, service: str, port: int, folder: Path) -> Iterator[None]:
    """The proxy on this port, with the snippet as it stands but for the service's port."""
    folder.mkdir()
    mine = folder / "snippet.conf"
    snippet = DEPLOY / "proxies" / ("Caddyfile" if kind == "caddy" else f"{kind}-{where}.conf")
    text = snippet.read_text("utf-8")
    assert "127.0.0.1:8000" in text
    mine.write_text(text.replace("127.0.0.1:8000", service.removeprefix("http://")))
    configuration = folder / "configuration"
    if kind == "nginx":
        program = nginx.program()
        command = [str(program), "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
        configuration.write_text(NGINX.format(folder=folder, port=port, snippet=mine))
    elif kind == "caddy":
        program = shutil.which("caddy")
        command = [str(program), "run", "--adapter", "caddyfile", "--config", str(configuration)]
        hosts = {"root": "comments.example.org {", "path": "\nexample.org {"}
        text = mine.read_text().replace(hosts[where], f"\nhttp://127.0.0.1:{port} {{")
        # our requests play those of a proxy in front of it: Caddy passes on what strangers say of themselves to nobody
        text = text.replace("\tflush_interval -1", "\tflush_interval -1\n\t\t\ttrusted_proxies 127.0.0.1/32")
        for host in hosts.values():  # the other one, without a certificate
            text = text.replace(host, "\nhttp://" + host.strip().replace(" {", ":0 {"))
        configuration.write_text("{\n\tadmin off\n\thttp_port 0\n\tgrace_period 1s\n}\n" + text)
    else:
        program = shutil.which("apache2") or shutil.which("apache2", path="/usr/sbin")
        command = [str(program), "-f", str(configuration), "-DFOREGROUND"]
        names = ("mpm_event", "authz_core", "proxy", "proxy_http")
        modules = "\n".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in names)
        configuration.write_text(APACHE.format(folder=folder, port=port, snippet=mine, modules=modules))
    if program is None:
        missing(f"{kind} is not installed")
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        path = "/comments" if where == "path" else ""
        wait_until(lambda: answers(f"http://127.0.0.1:{port}{path}") or process.poll() is not None, kind)
        assert process.poll() is None, (folder / "log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(params=["nginx root", "nginx path", "apache root", "apache path", "caddy root", "caddy path"])
def behind(request: pytest.FixtureRequest, start: Callable[..., Server], tmp_path: Path) -> Iterator[Behind]:
    kind, where = request.param.split()
    port = free_port()
    base = f"http://127.0.0.1:{port}" + ("/comments" if where == "path" else "")
    server = start(public_url=base, trusted_proxies="127.0.0.1")
    with in_front(kind, where, server.url, port, tmp_path / "front"):
        yield Behind(kind, server, base)


def test_people_post_and_moderate_through_a_proxy_and_check_finds_it_well(behind: Behind) -> None:
    base = behind.base
    form = f"{base}/sites/default/articles/a~post/comments"
    comment: dict[str, Any] = {"name": "Ann", "email": "ann@example.org", "body": "A kind word about the garden gate."}
    assert httpx.post(form, json=comment).status_code == 201
    assert httpx.get(form).json()["count"] == 1
    page = httpx.get(f"{base}/moderate/login")
    style = re.search(r'href="(/[^"]+console\.css[^"]*)"', page.text)
    assert style and httpx.get(httpx.URL(base).join(style[1])).status_code == 200
    assert httpx.get(f"{base}/metrics").status_code == 404, "nobody outside reads it"
    assert httpx.get(f"{behind.server.url}/metrics").status_code == 200
    too_much = httpx.post(form, content=b"x" * 1_200_000, headers={"Content-Type": "application/json"})
    assert too_much.status_code in ((413, 502) if behind.kind == "apache" else (413,)), "Apache may break off"
    said = behind.server.run("check", check=False).stdout.splitlines()
    assert f"public url: ok ({base})" in said and "proxy: ok" in said


def test_a_reader_s_own_address_arrives(behind: Behind) -> None:
    """Each reader has an allowance of their own: one who has used it up stops nobody else."""
    form = f"{behind.base}/sites/default/preview"

    def status(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        try:
            return httpx.post(form, json={"body": "word"}, headers=headers).status_code
        except httpx.RemoteProtocolError:  # a refusal before the body is read: Caddy may lose its last bytes
            return 0

    assert 429 in {status("198.51.100.7") for _ in range(40)}
    # a connection that a refusal has closed may be the one that the proxy sends the next request on
    assert 200 in (status("198.51.100.8") for _ in range(5))


def test_events_arrive_at_once(behind: Behind) -> None:
    token = behind.server.run("add-token", "--scopes", "moderate").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    held = {"name": "Bo", "email": "bo@example.org", "body": "See https://bo.example/gate for our own gate."}
    with httpx.stream("GET", f"{behind.base}/api/v1/events", headers=headers, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        posted = httpx.post(f"{behind.base}/sites/default/articles/post/comments", json=held)
        assert posted.status_code == 202
        assert any(posted.json()["id"] in line for line in lines)
