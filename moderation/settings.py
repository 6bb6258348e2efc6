"""Settings: every variable with its type, default and meaning; read once. The docs' table is made from this."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "MODERATION_"


class SettingsError(Exception):
    """A setting is wrong; the message names it and never shows a secret."""


def setting(default: Any, meaning: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"meaning": meaning, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    database: str = setting("data/moderation.sqlite3", "A path for SQLite, or `postgresql://USER:PASSWORD@HOST/NAME`.")
    models: str = setting("data/models", "The folder of the sites' corrections to the shipped model.")
    host: str = setting("127.0.0.1", "The address to listen on.")
    port: int = setting(8000, "The port to listen on.")
    secret_key: str = setting(
        "",
        "At least 16 characters. Unset: made once, in the file `secret-key` beside the database (or in `data/`).",
        secret=True,
    )
    public_url: str = setting("", "The base of every link that leaves the service. Unset: `http://HOST:PORT`.")
    first_moderator: str = setting(
        "moderator@example.org", "Who may sign in first; made when there is no moderator yet."
    )
    demo: bool = setting(False, "Demo articles with their threads and forms, the first of them at `/`.")
    trusted_proxies: str = setting(
        "", "Addresses or CIDRs, separated by commas, whose `X-Forwarded-For` is believed. None by default."
    )
    metrics_token: str = setting("", "Set: `/metrics` wants it as a bearer token.", secret=True)
    smtp_url: str = setting(
        "",
        "Where mail is handed in: `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS where offered) or `smtps://…`. Unset: no mail.",
        secret=True,
    )
    mail_from: str = setting("", "Whom mail is from: `comments@example.org` or `Garden <comments@example.org>`.")
    keep_spam_days: int = setting(
        30, "Spam is forgotten this many days after it came or was last decided on; 0: kept for ever."
    )
    keep_rejected_days: int = setting(90, "The same for rejected comments.")
    keep_deleted_days: int = setting(30, "The same for what its author withdrew or a moderator deleted.")
    keep_addresses_days: int = setting(30, "The same for the keyed hash of the address that a comment came from.")
    keep_shadow_days: int = setting(90, "The same for what candidate models would have said in shadow mode.")
    keep_examples: bool = setting(
        False, "What is forgotten goes on teaching, if a moderator decided on it: its text stays, without its author."
    )
    digest_hours: int = setting(
        24, "Moderators are mailed what waits at most every so many hours, where mail is set up; 0: never."
    )
    webhooks_to_private: bool = setting(
        False, "Webhooks may go to loopback and private addresses, and over plain `http://`."
    )
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    grace: int = setting(20, "Seconds that requests in flight have to finish when the service is stopped.")

    @property
    def reach(self) -> str:
        """Host and port where this machine finds the service."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104  (compared, not bound)
        return f"{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def base(self) -> str:
        return self.public_url.rstrip("/") if self.public_url else f"http://{self.reach}"

    @property
    def smtp(self) -> tuple[str, str] | None:
        """The server's address and the sender; None where no mail is set up."""
        return (self.smtp_url, self.mail_from) if self.smtp_url else None

    @property
    def keep(self) -> dict[str, Any]:
        """How long what is kept, by name."""
        days = {
            name: getattr(self, f"keep_{name}_days") for name in ("spam", "rejected", "deleted", "addresses", "shadow")
        }
        return days | {"examples": self.keep_examples}

    @property
    def host_name(self) -> str:
        """Ours, in mails."""
        return urlsplit(self.base).hostname or "localhost"

    @property
    def is_postgres(self) -> bool:
        return self.database.startswith(("postgresql://", "postgres://"))

    @property
    def proxies(self) -> tuple[Any, ...]:
        return tuple(
            ip_network(entry.strip(), strict=False) for entry in self.trusted_proxies.split(",") if entry.strip()
        )

    @property
    def key_file(self) -> Path:
        return (Path("data") if self.is_postgres else Path(self.database).parent) / "secret-key"

    def secret(self) -> bytes:
        """The secret key; made once, readable by us alone, where none is set."""
        if self.secret_key:
            return self.secret_key.encode()
        path = self.key_file
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            kept = path.read_bytes().strip()
            if len(kept) < 16:
                raise SettingsError(f"the file {path} holds no secret key; restore it from a backup") from None
            return kept
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return path.read_bytes().strip()


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """From the environment, over the file that MODERATION_SETTINGS names (`NAME=value` lines). Raises SettingsError."""
    environment = os.environ if environment is None else environment
    given: dict[str, str] = {}
    if path := environment.get(PREFIX + "SETTINGS"):
        given |= from_file(Path(path))
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    given |= {name: value for name, value in environment.items() if name in known}
    if strangers := sorted(set(given) - set(known)):
        raise SettingsError(f"{', '.join(strangers)}: no such setting; see docs/settings.md")
    values = {}
    for name, text in given.items():
        f = known[name]
        values[f.name] = parsed(name, text, type(f.default))
    settings = Settings(**values)
    check(settings)
    return settings


def from_file(path: Path) -> dict[str, str]:
    found = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        name, is_one, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not is_one:
            raise SettingsError(f"{path}, line {number}: write NAME=value")
        name = name.strip().upper()
        found[name if name.startswith(PREFIX) else PREFIX + name] = value.strip().strip("\"'")
    return found


def parsed(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("", "0", "false", "no", "off"):
            return False
        raise SettingsError(f"{name} must be true or false")
    if kind is int:
        if not text.strip().isdigit():
            raise SettingsError(f"{name} must be a whole number")
        return int(text)
    return text.strip()


def check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise SettingsError("MODERATION_PORT must be from 0 to 65535")
    if settings.secret_key and len(settings.secret_key.encode()) < 16:
        raise SettingsError("MODERATION_SECRET_KEY must have at least 16 characters")
    if settings.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError("MODERATION_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
    try:
        parts = urlsplit(settings.base)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    if not well:
        raise SettingsError("MODERATION_PUBLIC_URL must be an address like https://comments.example.org")
    check_mail(settings)
    try:
        _ = settings.proxies
    except ValueError:
        raise SettingsError("MODERATION_TRUSTED_PROXIES must be addresses or CIDRs, separated by commas") from None


def check_mail(settings: Settings) -> None:
    if not settings.smtp_url:
        return
    try:
        parts = urlsplit(settings.smtp_url)
        well = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    if not well:  # without `from`, and without the value: it holds a password
        raise SettingsError("MODERATION_SMTP_URL must be like smtp://USER:PASSWORD@HOST:PORT") from None
    address = parseaddr(settings.mail_from)[1]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or not settings.mail_from.isprintable():
        raise SettingsError("MODERATION_MAIL_FROM must be an email address where MODERATION_SMTP_URL is set")


def table() -> str:
    """The settings as Markdown."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for f in fields(Settings):
        default = f"`{f.default}`" if f.default not in ("",) else "unset"
        rows.append(f"| `{PREFIX}{f.name.upper()}` | {default} | {f.metadata['meaning']} |")
    rows.append(
        f"| `{PREFIX}SETTINGS` | unset | A file with `NAME=value` lines, one for each of the above; the environment wins. |"
    )
    return "\n".join(rows) + "\n"
