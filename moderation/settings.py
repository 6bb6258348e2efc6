"""Settings: every environment variable with its type, default and meaning, read once. The docs' table is generated from it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from difflib import get_close_matches
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from moderation.core.urls import origin_if_any, origin_of
from moderation.text.wordlist import ascii_domain

PREFIX = "MODERATION_"
FILE = PREFIX + "SETTINGS"
"""The variable with the path of the settings file."""
KEY_SHORTEST = 16
"""Bytes of the secret key."""
IN_PATHS = "/%!$&'()*+,;=:@"
"""Characters of a path besides letters, digits and `-._~` (RFC 3986, 3.3), and `%` of what is encoded already."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]*)(:\d+)?")
"""One of the hosts in a database's URL, with its port."""


class SettingsError(Exception):
    """A setting is wrong. The message names it and omits its value, which may be a secret."""


Switch = Annotated[bool, BeforeValidator(lambda value: False if value == "" else value)]
"""True or false; an empty variable is false."""


def share(value: object) -> float:
    """Raises ValueError."""
    try:
        number = float(str(value))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError("must be a number from 0 to 1")
    return number


Share = Annotated[float, BeforeValidator(share)]
SwitchOff = Annotated[bool, BeforeValidator(lambda value: True if value == "" else value)]
"""The same for what is on unless it is switched off: an empty variable is true."""
Secret = Annotated[SecretStr, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]


def variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


class Settings(BaseSettings):
    """The operator's settings. Arguments override the environment, which overrides the file named by MODERATION_SETTINGS.

    Errors and `repr` show no value that may hold a secret.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=variable,
        validate_by_name=True,
        validate_default=True,
        case_sensitive=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,
    )

    database: str = Field(
        "data/moderation.sqlite3",
        description="A path for SQLite, or `postgresql://USER:PASSWORD@HOST/NAME`.",
        repr=False,
    )
    models: str = Field("data/models", description="The folder of the sites' corrections of the shipped model.")
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, description="The port to listen on.")
    secret_key: Secret = Field(
        SecretStr(""),
        description="At least 16 characters. "
        "Unset: generated once, in the file `secret-key` beside the database (PostgreSQL: in `data/`).",
    )
    public_url: str = Field(
        "",
        description="The base of every link that leaves the service. With a path, as in `https://example.org/comments`, every "
        "page stands below it. Unset: `http://HOST:PORT`.",
    )
    first_moderator: str = Field(
        "moderator@example.org", description="The account that is created if there is no moderator."
    )
    demo: Switch = Field(False, description="Serve demo articles with threads and forms, the first one at `/`.")
    trusted_proxies: str = Field(
        "",
        description="Addresses or CIDRs of trusted proxies, separated by commas. Only their `X-Forwarded-For` is used.",
    )
    score_origins: str = Field(
        "",
        description="Origins of pages whose scripts may call `/v1alpha1/comments:analyze`, separated by commas. Their key is "
        "readable for every visitor. Unset: none.",
    )
    metrics_token: Secret = Field(
        SecretStr(""), description="The bearer token that `/metrics` requires. Unset: `/metrics` is open."
    )
    smtp_url: Secret = Field(
        SecretStr(""),
        description="The mail server: `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS if offered) or `smtps://…`. "
        "Unset: no mail.",
    )
    mail_from: str = Field(
        "", description="The sender of mails: `comments@example.org` or `Garden <comments@example.org>`."
    )
    keep_spam_days: NonNegativeInt = Field(
        30, description="Days until spam is deleted, from its arrival or last decision. 0: never."
    )
    keep_rejected_days: NonNegativeInt = Field(90, description="The same for rejected comments.")
    keep_deleted_days: NonNegativeInt = Field(
        30, description="The same for comments withdrawn by their author or deleted by a moderator."
    )
    keep_addresses_days: NonNegativeInt = Field(
        30, description="The same for the keyed hash of a comment's network address."
    )
    keep_read_along_days: NonNegativeInt = Field(90, description="The same for the verdicts of models that read along.")
    keep_examples: Switch = Field(
        False,
        description="Keep the texts of deleted comments that a moderator decided on, without their author, for training.",
    )
    digest_hours: NonNegativeInt = Field(
        24, description="Hours between two digest mails to a moderator, at least. 0: no digests."
    )
    webhooks_to_private: Switch = Field(
        False, description="Allow webhooks to loopback and private addresses, and over plain `http://`."
    )
    log: Literal["json", "text"] = Field(
        "json", description="`json`: one object a line, for programs. `text`: one sentence a line, for people."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    scoring_ms: PositiveInt = Field(
        500, description="Milliseconds that the model has for a batch of comments. After that they are held, unscored."
    )
    reader: SwitchOff = Field(
        True,
        description="Let the model's second reader read what would be published. `off`, for machines of 256 MB: the table judges "
        "alone, by its own thresholds.",
    )
    reader_wait: PositiveInt = Field(
        250,
        description="Milliseconds that a comment waits for the second reader. After that it is stored `unread`, answered with 202, "
        "and released once it is read.",
    )
    backup_hours: NonNegativeInt = Field(
        0, description="Hours after which `check` calls the latest `backup` too old. 0: it is not checked."
    )
    newly_held: Share = Field(
        0.02,
        description="Share of a site's published comments of the last 60 days that a retrained model may newly hold.",
    )
    grace: NonNegativeInt = Field(20, description="Seconds that requests in flight have to finish on a stop.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = os.environ.get(FILE)
        from_file = InitSettingsSource(settings_cls, variables_in(Path(path)) if path else {})
        return init_settings, env_settings, from_file

    @field_validator("database")
    @classmethod
    def _is_a_database(cls, address: str) -> str:
        try:
            hosts = urlsplit(address).netloc.rpartition("@")[2].split(",") if is_postgres(address) else []
        except ValueError:
            hosts = ["["]
        if not address or not all(map(HOST.fullmatch, hosts)):
            raise ValueError("must be a path, or like postgresql://USER:PASSWORD@HOST/NAME")
        return address

    @field_validator("port")
    @classmethod
    def _is_a_port(cls, port: int) -> int:
        if not 0 <= port <= 65535:
            raise ValueError("must be from 0 to 65535")
        return port

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value().encode()) < KEY_SHORTEST:
            raise ValueError(f"must have at least {KEY_SHORTEST} characters")
        return key

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str, info: ValidationInfo) -> str:
        """Of what stands in its place where it is unset, too; a wrong port has an error of its own."""
        base = url or "http://" + reach_of(info.data.get("host", ""), info.data.get("port", 8000))
        if not is_address(base, ("http", "https")) or not is_base(base):
            raise ValueError(
                "must be an address like https://comments.example.org or https://example.org/comments, "
                "without a name, a query or a fragment"
            )
        return url

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        try:
            networks_in(text)
        except ValueError:
            raise ValueError("must be addresses or CIDRs, separated by commas") from None
        return text

    @field_validator("score_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        try:
            origins_in(text)
        except ValueError:
            raise ValueError("must be origins like https://blog.example.org, separated by commas") from None
        return text

    @field_validator("smtp_url")
    @classmethod
    def _is_a_mail_server(cls, url: SecretStr) -> SecretStr:
        if url and not is_address(url.get_secret_value(), ("smtp", "smtps")):
            raise ValueError("must be like smtp://USER:PASSWORD@HOST:PORT")
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_a_sender(cls, sender: str, info: ValidationInfo) -> str:
        is_email = re.fullmatch(r"[^@\s]+@[^@\s]+", parseaddr(sender)[1]) and sender.isprintable()
        if info.data.get("smtp_url") and not is_email:
            raise ValueError("must be an email address where MODERATION_SMTP_URL is set")
        return sender

    @property
    def reach(self) -> str:
        """Host and port where this machine finds the service."""
        return reach_of(self.host, self.port)

    @property
    def base(self) -> str:
        """The public address without a final slash, its path percent-encoded."""
        if not self.public_url:
            return f"http://{self.reach}"
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}{quote(parts.path.rstrip('/'), safe=IN_PATHS)}"

    @property
    def smtp(self) -> tuple[str, str] | None:
        """The mail server's address and the sender; None without mail settings."""
        return (self.smtp_url.get_secret_value(), self.mail_from) if self.smtp_url else None

    @property
    def keep(self) -> dict[str, Any]:
        """Retention periods in days, by name, and `examples`."""
        days = {
            name: getattr(self, f"keep_{name}_days")
            for name in ("spam", "rejected", "deleted", "addresses", "read_along")
        }
        return days | {"examples": self.keep_examples}

    @property
    def host_name(self) -> str:
        """The service's host name in ASCII, for mails."""
        return ascii_domain(urlsplit(self.base).hostname or "localhost")

    @property
    def is_postgres(self) -> bool:
        return is_postgres(self.database)

    @property
    def proxies(self) -> tuple[Any, ...]:
        return networks_in(self.trusted_proxies)

    @property
    def scoring_origins(self) -> frozenset[str]:
        return origins_in(self.score_origins)

    @property
    def key_file(self) -> Path:
        return (Path("data") if self.is_postgres else Path(self.database).parent) / "secret-key"

    def secret(self) -> bytes:
        """The secret key; if unset, generated once into a file of mode 0600. Raises SettingsError."""
        if self.secret_key:
            return self.secret_key.get_secret_value().encode()
        path = self.key_file
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            kept = path.read_bytes().strip()
            if len(kept) < KEY_SHORTEST:
                raise SettingsError(f"the file {path} holds no secret key; restore it from a backup") from None
            return kept
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return path.read_bytes().strip()


def variables_in(path: Path) -> dict[str, str]:
    """Variable → value, from `NAME=value` lines; the prefix is optional, `#` begins a comment line. Raises SettingsError.

    Values are literal, except for quotes around them: a password may contain `#` and `$`.
    """
    found = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"the settings file {path} cannot be read: {why}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.strip().startswith("#"):
            continue
        name, _, value = line.partition("=")
        if not NAME.fullmatch(name.strip()) or "=" not in line:
            raise SettingsError(f"{path}, line {number}: write NAME=value")
        found[PREFIX + name.strip().upper().removeprefix(PREFIX)] = value.strip().strip("\"'")
    return found


def load(**given: Any) -> Settings:
    """The settings; `given` overrides all other sources. Raises SettingsError, naming every wrong variable."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(map(sentence, error.errors(include_input=False)))) from None


def sentence(error: Mapping[str, Any]) -> str:
    """A sentence on a wrong variable, without its value."""
    name = PREFIX + str(error["loc"][0]).removeprefix(PREFIX).upper()
    match error["type"]:
        case "extra_forbidden":
            return no_such(name)
        case "value_error":
            return f"{name} {error['ctx']['error']}"
        case "literal_error":
            return f"{name} must be {error['ctx']['expected']}".replace("'", "")
        case "bool_parsing" | "bool_type":
            return f"{name} must be true or false"
        case "string_type":
            return f"{name} must be a text"
    return f"{name} must be a whole number"


def unknown(environment: Mapping[str, str]) -> list[str]:
    """A sentence on each variable with our prefix that is no setting, without its value."""
    known = {FILE, *map(variable, Settings.model_fields)}
    return [no_such(name) for name in sorted(environment) if name.startswith(PREFIX) and name not in known]


def no_such(name: str) -> str:
    """`MODERATION_PUBLICURL: no such setting (did you mean MODERATION_PUBLIC_URL?)`."""
    known = {one.replace("_", ""): one for one in (FILE, *map(variable, Settings.model_fields))}
    near = get_close_matches(name.upper().replace("_", ""), known, 1, 0.8)
    meant = f" (did you mean {known[near[0]]}?)" if near else ""
    return f"{name}: no such setting{meant}; see docs/settings.md"


def is_postgres(address: str) -> bool:
    return address.startswith(("postgresql://", "postgres://"))


def reach_of(host: str, port: int) -> str:
    host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104  (compared, not bound)
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def is_address(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_base(url: str) -> bool:
    """Whether paths can follow this address."""
    parts = urlsplit(url)
    segments = unquote(parts.path).rstrip("/").removeprefix("/").split("/")
    plain = not (parts.query or parts.fragment) and origin_if_any(url) is not None
    return plain and (segments == [""] or not {"", ".", ".."} & set(segments))


def networks_in(text: str) -> tuple[Any, ...]:
    """Raises ValueError."""
    return tuple(ip_network(entry.strip(), strict=False) for entry in text.split(",") if entry.strip())


def origins_in(text: str) -> frozenset[str]:
    """As browsers send them. Raises ValueError."""
    return frozenset(origin_of(entry.strip()) for entry in text.split(",") if entry.strip())


def table() -> str:
    """The settings as Markdown."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if str(field.default) else "unset"
        rows.append(f"| `{variable(name)}` | {default} | {field.description} |")
    rows.append(
        f"| `{FILE}` | unset | A file with `NAME=value` lines, one for each of the above; the environment wins. |"
    )
    return "\n".join(rows) + "\n"
