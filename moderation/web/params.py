"""Bodies and parameters as pydantic models: every wrong field at once, in words, without the sent values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from starlette.datastructures import QueryParams

from moderation.core.problem import FieldError, Invalid

M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """A JSON body. Types are strict; unknown fields are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Query(BaseModel):
    """A query string. An empty value counts as missing."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Says:
    """A field's requirement in words: its description, and the message for a wrong value."""

    words: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"description": self.words}


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text from a fixed set."""

    values: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"must be one of {', '.join(filter(None, self.values))}"

    def check(self, value: str) -> str:
        if value not in self.values:
            raise ValueError
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(self.values)}


def words_in(declared: Any) -> str:
    """The requirement of a type in words, searched from the outside in; empty without one."""
    found = [each.words for each in get_args(declared) if isinstance(each, Says | OneOf)]
    return found[-1] if found else next(filter(None, map(words_in, get_args(declared))), "")


def whole_number(value: Any) -> Any:
    """A query's text as a number: at most eight ASCII digits."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else None
    return value


def storable(value: str) -> str:
    """A text that every database can store: without lone surrogates (which JSON can escape) and U+0000."""
    if "\0" in value:
        raise PydanticCustomError("nul", "U+0000")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PydanticCustomError("string_unicode", "a lone surrogate") from None
    return value


def limited(most: int) -> Any:
    """The type of a `limit`, the number of entries on a page of a list."""
    return Annotated[
        int,
        BeforeValidator(whole_number),
        Field(ge=1, le=most),
        Says(f"must be a whole number from 1 to {most}"),
    ]


Text = Annotated[str, AfterValidator(storable)]
Cursor = Annotated[str, AfterValidator(storable), Says("must be the `next` of an earlier answer")]
"""The start of a page of a list. Opaque: the `next` of an earlier answer."""

WORDS = {
    "string_type": "must be a text",
    "string_unicode": "has a broken character (a lone surrogate)",
    "nul": "must have no U+0000",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "missing": "must be given",
}
"""The messages for pydantic's error types."""


def checked(model: type[M], given: Mapping[str, Any]) -> M:
    """The document as `model`. Raises Invalid, naming every wrong field."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise Invalid(*errors_of(model, error)) from None


def errors_of(model: type[BaseModel], error: ValidationError) -> list[FieldError]:
    """One for each wrong field of the document."""
    found: dict[str, FieldError] = {}
    hints = get_type_hints(model, include_extras=True)
    for one in error.errors(include_url=False, include_input=False):
        field, kind = str(one["loc"][0]) if one["loc"] else "", one["type"]
        said = words_in(hints[field]) if field in hints else ""
        message = WORDS[kind] if kind in ("string_unicode", "nul") else said or words_of(kind, one.get("ctx", {}))
        found.setdefault(field, FieldError(field, "invalid", message))
    return list(found.values())


def words_of(kind: str, context: Mapping[str, Any]) -> str:
    if kind in ("literal_error", "enum"):
        return f"must be one of {context['expected']}"
    if kind == "string_too_long":
        return f"at most {context['max_length']} characters"
    return WORDS.get(kind, "is not valid")


def query_of(model: type[M], params: QueryParams) -> M:
    """The query string as `model`. Raises Invalid, naming every wrong parameter. The last of repeated values counts, except
    for a list."""
    given: dict[str, Any] = {}
    for name, declared in model.model_fields.items():
        values = [value for value in params.getlist(name) if value or declared.annotation is int]
        if values:
            given[name] = values if get_origin(declared.annotation) in (list, tuple) else values[-1]
    return checked(model, given)
