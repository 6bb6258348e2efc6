"""Site settings. One model declares each setting with type, bounds, default and meaning: checks, error messages, the API's schema and
the table in docs/defences.md come from it. A change is checked once, when it is made; comments cost no check."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)

from classifier.labels import LABELS
from moderation.core.offload import LISTS
from moderation.core.problem import FieldError, Invalid
from moderation.core.signing import Signer
from moderation.core.times import iso, moment
from moderation.text.addresses import checked_email, checked_url
from moderation.text.wordlist import AUTHOR, Listed

MOST, LONGEST = 10_000, 200
"""Entries of a list, and characters of an entry."""
FEW = 50
"""Entries up to which a list is compiled at once."""
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

Skippable = Literal[
    "honeypot",
    "disposable",
    "blocked-word",
    "many-links",
    "form-token",
    "label",
    "first-time",
    "stranger-with-link",
]
"""The rules that trusted authors may skip: all that hold, except `unscored` and `review-all`."""
SKIPPABLE: tuple[str, ...] = get_args(Skippable)


def texts(value: Any) -> tuple[str, ...]:
    """The texts without duplicates and empty ones, with single spaces. Raises ValueError."""
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise ValueError("must be a list of texts")
    return tuple(dict.fromkeys(" ".join(entry.split()) for entry in value if entry.strip()))


def entries(value: Any, info: ValidationInfo) -> tuple[str, ...]:
    """The checked entries of a list. With a Signer as the context an email address becomes its author's key. Raises ValueError."""
    kept = texts(value)
    if len(kept) > MOST:
        raise ValueError(f"has {len(kept)} entries; at most {MOST}")
    for entry in kept:
        if len(entry) > LONGEST or UNFIT.search(entry):
            raise ValueError(f"has an entry longer than {LONGEST} characters, or with a control character")
        if not entry.strip("*. "):
            raise ValueError(f"has the entry {entry!r}, which would match everything")
        if "*" in entry.strip("*").removeprefix("*."):
            raise ValueError("has an entry with * inside a word; it may stand before and after one")
    if not isinstance(info.context, Signer):
        return kept
    return tuple(dict.fromkeys(without_address(entry, info.context) for entry in kept))


def without_address(entry: str, signer: Signer) -> str:
    """An entry with an email address replaced by the author's key, so that a list contains no readable address."""
    if "@" not in entry.strip("@") or " " in entry:
        return entry
    email = checked_email(entry)
    return AUTHOR + signer.author_key(email, "") if email else entry


def ends(value: Any, info: ValidationInfo) -> dict[str, str]:
    """Entry → its end in RFC 3339, with an email address replaced as in a list. Raises ValueError."""
    if not isinstance(value, dict) or len(value) > MOST:
        raise ValueError(f"must give times for at most {MOST} entries of `disallowed`")
    found: dict[str, str] = {}
    for entry, at in value.items():
        until = iso(moment(at))
        if until is None or not isinstance(entry, str):
            raise ValueError("must give each entry a time like 2027-01-31T12:00:00Z")
        found[without_address(entry, info.context) if isinstance(info.context, Signer) else entry] = until
    return found


def skippable(value: Any) -> tuple[str, ...]:
    """Raises ValueError."""
    kept = texts(value)
    if not set(kept) <= set(SKIPPABLE):
        raise ValueError(f"must be some of {', '.join(SKIPPABLE)}")
    return kept


def address(value: Any) -> str:
    """Raises ValueError."""
    text = value.strip() if isinstance(value, str) else None
    url = checked_url(text) if text and len(text) <= LONGEST else text
    if url is None or (text and len(url) > LONGEST):
        raise ValueError(
            f"must be an address like https://blog.example.org/privacy, at most {LONGEST} characters, or empty"
        )
    return url


def share(value: Any) -> float:
    """Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


def labelled(value: Any) -> Any:
    """Raises ValueError for keys that are no labels."""
    if not isinstance(value, dict) or not value.keys() <= set(LABELS):
        raise ValueError(f"must give thresholds for some of {', '.join(LABELS)}")
    return value


Entries = Annotated[
    tuple[str, ...],
    BeforeValidator(entries),
    WithJsonSchema({"type": "array", "items": {"type": "string", "maxLength": LONGEST}, "maxItems": MOST}),
]
Ends = Annotated[
    dict[str, str],
    BeforeValidator(ends),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string", "format": "date-time"}}),
]
Skips = Annotated[tuple[Skippable, ...], BeforeValidator(skippable)]
Address = Annotated[str, BeforeValidator(address), WithJsonSchema({"type": "string", "maxLength": LONGEST})]
Action = Literal["hold", "spam", "off"]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[float, BeforeValidator(share), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Thresholds = Annotated[dict[str, Share], BeforeValidator(labelled)]


class SiteSettings(BaseModel):
    """The settings of a site. The defaults are the policy of a new site."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )

    require_name: bool = Field(default=True, description="A comment needs a name.")
    require_email: bool = Field(default=True, description="A comment needs an email address.")
    privacy_url: Address = Field(
        default="", description="The site's privacy policy, an `http` or `https` address; every form links to it."
    )
    language: Literal["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "zh-Hans"] = Field(
        default="en", description="Language of the mails about the site."
    )
    max_body: int = Field(
        default=10_000,
        ge=1,
        le=65_525,
        description="Longest comment in characters; 65,525 bytes of UTF-8 is the limit in any case.",
    )
    articles: Literal["open", "registered"] = Field(
        default="open",
        description="`open`: the first comment on an article adds it; `registered`: only registered articles take comments.",
    )
    new_articles_an_hour: Count = Field(
        default=100, description="New articles that one network address may open in an hour."
    )
    disallowed: Entries = Field(
        default=(),
        description="Words, networks, domains and email addresses; a comment that matches one is filed as spam.",
    )
    disallowed_until: Ends = Field(
        default_factory=dict,
        description="Entry of `disallowed` → the time at which it ends; entries without one stay.",
    )
    blocked: Entries = Field(default=(), description="Entries of the same kinds; a comment that matches one is held.")
    max_links: int = Field(
        default=3, ge=0, le=1_000, description="Number of links from which a comment is held; 0 turns the rule off."
    )
    spam_at: Share = Field(default=0.99, description="Spam score from which a comment is filed as spam.")
    hold_at: Thresholds = Field(
        default_factory=dict,
        description="Label → score from which a comment is held; labels without an entry keep the model card's threshold.",
    )
    per_author_a_minute: Count = Field(
        default=10, description="Comments of one author from one network address in a minute; 0 turns the limit off."
    )
    per_address_a_minute: Count = Field(
        default=60,
        description="Answers to one network address (an IPv6 /64) in a minute, refusals included; 0 turns the limit off.",
    )
    honeypot: Action = Field(default="hold", description="Action on a form whose hidden field has a value.")
    form_youngest: int = Field(
        default=1,
        ge=0,
        le=3_600,
        description="Seconds that must pass before the service's own form is sent.",
    )
    form_oldest: int = Field(
        default=24 * 60,
        ge=1,
        le=60 * 24 * 366,
        description="Minutes within which it must be sent.",
    )
    disposable: Action = Field(default="off", description="Action on an email address of a disposable mail service.")
    close_after_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Days until an article's comments close, from its publication, else from its first comment; 0: never.",
    )
    hold: Literal["suspects", "newcomers", "all"] = Field(
        default="suspects",
        description="How much waits for a person: `suspects`: what a rule holds; `newcomers`: also comments of authors without "
        "proof of an approved comment; `all`: every comment.",
    )
    reports_hold: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Number of readers from which a reported comment waits for a person, unless one has decided on it; 0: never.",
    )
    author_links: Literal["after-approval", "always", "never"] = Field(
        default="after-approval",
        description="When an author's website is a link: once a person has approved the comment, or its author has proved an "
        "approved one; always; never.",
    )
    trust_skips: Skips = Field(
        default=("first-time", "stranger-with-link"),
        description="Rules that an author with such a proof skips.",
    )

    @classmethod
    def of(cls, stored: dict[str, Any]) -> SiteSettings:
        """The settings of a stored JSON object, unchecked; unknown settings of a newer version are ignored."""
        known = {name: value for name, value in stored.items() if name in cls.model_fields}
        return cls.model_construct(None, **{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})

    def stored(self) -> dict[str, Any]:
        return self.model_dump()

    @property
    def are_compiled(self) -> bool:
        """Whether the lists are compiled, or so short that it does not matter; thousands of entries take up to a second."""
        return {"disallows", "blocks"} <= self.__dict__.keys() or len(self.disallowed) + len(self.blocked) <= FEW

    async def compile(self) -> None:
        """Compiles long lists off the event loop. To be called outside of transactions."""
        if not self.are_compiled:
            await LISTS.run(lambda: (self.disallows, self.blocks))

    def reading(self, length: int) -> int:
        """The number of characters that the lists read in a text of this length."""
        return length * (self.disallows.passes + self.blocks.passes)

    def over(self, now: int) -> frozenset[str]:
        """The entries of `disallowed` whose time is over."""
        return frozenset(entry for entry, until in self.ending if until <= now)

    def in_force(self, now: int) -> SiteSettings:
        """The settings without the entries whose time is over: those that comments are judged by."""
        if not self.ending or not (over := self.over(now)):
            return self
        kept: tuple[frozenset[str], SiteSettings] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] != over:  # the same for every comment until the next end, so that lists compile once
            kept = self.__dict__["_kept"] = over, self.without(over)
        return kept[1]

    def without(self, entries: Collection[str]) -> SiteSettings:
        """The settings without these entries of `disallowed`."""
        rest = tuple(entry for entry in self.disallowed if entry not in entries)
        until = {entry: at for entry, at in self.disallowed_until.items() if entry not in entries}
        return SiteSettings.model_construct(None, **self.stored() | {"disallowed": rest, "disallowed_until": until})

    @property
    def ending(self) -> tuple[tuple[str, int], ...]:
        """Entry, and the time of its end in Unix milliseconds."""
        if not self.disallowed_until:
            return ()
        known: tuple[tuple[str, int], ...] | None = self.__dict__.get("ending")
        if known is None:
            pairs = [(entry, moment(until)) for entry, until in self.disallowed_until.items()]
            known = self.__dict__["ending"] = tuple((entry, at) for entry, at in pairs if at is not None)
        return known

    @property
    def disallows(self) -> Listed:
        return self._compiled("disallows", self.disallowed)

    @property
    def blocks(self) -> Listed:
        return self._compiled("blocks", self.blocked)

    def _compiled(self, name: str, entries: tuple[str, ...]) -> Listed:
        """A `cached_property` of Python 3.11 has one lock for all instances: one site's long list would stop every other site."""
        known: Listed | None = self.__dict__.get(name)
        if known is None:
            known = self.__dict__[name] = Listed(entries)
        return known


FIELDS = SiteSettings.model_fields
NEW_SITE = SiteSettings()
"""The settings of a new site."""
DEFAULTS = NEW_SITE.stored()
CHOICES: dict[str, tuple[str, ...]] = {
    name: get_args(field.annotation) for name, field in FIELDS.items() if get_origin(field.annotation) is Literal
}


def nullable(name: str) -> Any:
    """The field of a change: as in SiteSettings, or null, and without a default, because an omitted setting keeps its value."""
    field = FIELDS[name]
    extra: Any = {"json_schema_extra": lambda schema: schema.pop("default")}
    return field.rebuild_annotation() | None, Field(None, description=field.description, **extra)


SiteSettingsIn: Any = create_model(
    "SiteSettingsIn",
    __config__=SiteSettings.model_config,
    __doc__="A change of a site's settings: null restores a default, an omitted setting keeps its value.",
    **{name: nullable(name) for name in FIELDS},
)


def checked(given: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The values of a change; null is the default. Raises Invalid, naming every wrong setting. Ten thousand email addresses take
    seconds."""
    wrong = [unknown(name) for name in given if name not in FIELDS]
    try:
        change = SiteSettingsIn.model_validate({n: v for n, v in given.items() if n in FIELDS}, context=signer)
    except ValidationError as error:
        raise Invalid(*wrong, *wrong_settings(error)) from None
    if wrong:
        raise Invalid(*wrong)
    values = {name: getattr(change, name) for name in change.model_fields_set}
    return {name: DEFAULTS[name] if value is None else value for name, value in values.items()}


def with_values(settings: SiteSettings, values: Mapping[str, Any]) -> SiteSettings:
    """The settings with checked values. An end goes with its entry."""
    after = settings.stored() | dict(values)
    listed = set(after["disallowed"])
    after["disallowed_until"] = {entry: at for entry, at in after["disallowed_until"].items() if entry in listed}
    return SiteSettings.model_construct(None, **after)


def changed(settings: SiteSettings, given: Mapping[str, Any], signer: Signer) -> SiteSettings:
    """The settings with the given changes; null restores a default. Raises Invalid, naming every wrong setting."""
    return with_values(settings, checked(given, signer))


def unknown(name: str) -> FieldError:
    shown = name if re.fullmatch("[a-z_]{1,64}", name) else "rules"
    return FieldError(shown, "invalid", f"no such setting; there are {', '.join(FIELDS)}")


def wrong_settings(error: ValidationError) -> list[FieldError]:
    """One error for each wrong setting."""
    found: dict[str, FieldError] = {}
    for one in error.errors(include_url=False, include_input=False):
        name = str(one["loc"][0])
        message = str(one["ctx"]["error"]) if one["type"] == "value_error" else must_be(schema()[name])
        found.setdefault(name, FieldError(name, "invalid", message))
    return list(found.values())


@cache
def schema() -> dict[str, Any]:
    """Each setting's JSON schema."""
    found: dict[str, Any] = SiteSettings.model_json_schema()["properties"]
    return found


def must_be(told: Mapping[str, Any]) -> str:
    """The requirement of a JSON schema, in words."""
    match told:
        case {"enum": values}:
            return f"must be one of {', '.join(values)}"
        case {"type": "boolean"}:
            return "must be true or false"
        case {"type": "integer", "minimum": low, "maximum": high}:
            return f"must be a whole number from {low} to {high}"
    return "must be a text"


def values_in_words(told: Mapping[str, Any]) -> str:
    """The values that a JSON schema allows, for the docs' table."""
    match told:
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "integer" | "number", "minimum": low, "maximum": high}:
            return f"{low:,} to {high:,}"
        case {"type": "array", "items": {"enum": values}}:
            return f"some of {', '.join(f'`{value}`' for value in values)}"
        case {"type": "array", "maxItems": most}:
            return f"at most {most:,} entries"
        case {"type": "object", "additionalProperties": {"format": "date-time"}}:
            return "a time for some entries"
        case {"type": "object"}:
            return "0 to 1 for some labels"
    return f"at most {told['maxLength']} characters"


def table() -> str:
    """The settings as Markdown."""
    rows = ["| setting | values | default | meaning |", "|---|---|---|---|"]
    for name, told in schema().items():
        value = DEFAULTS[name]
        shown = ", ".join(value) if isinstance(value, tuple) else value if isinstance(value, str) else json.dumps(value)
        default = f"`{shown}`" if value or shown in ("0", "false") else "empty"
        rows.append(f"| `{name}` | {values_in_words(told)} | {default} | {told['description']} |")
    return "\n".join(rows) + "\n"


def is_list(name: str) -> bool:
    """Whether a setting is a list, whose entries can name people: only its length is reported."""
    return isinstance(DEFAULTS[name], tuple) and name != "trust_skips"


def names_entries(name: str) -> bool:
    """Whether a setting is a list, or says something about the entries of one."""
    return is_list(name) or name == "disallowed_until"


def differences(before: SiteSettings, after: SiteSettings) -> dict[str, list[Any]]:
    """[before, after] of each changed setting; for a list only the lengths, because its entries can name people."""
    found: dict[str, list[Any]] = {}
    for name in DEFAULTS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found[name] = [len(old), len(new)] if names_entries(name) else [old, new]
    return found
