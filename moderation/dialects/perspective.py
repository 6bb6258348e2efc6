"""The Perspective Comment Analyzer API, v1alpha1: requests into what is asked, scores into answers. No HTTP, no clock, no model.

Checks come in this order, and the first that fails is the answer: key, JSON and types, comment, attributes, score types, contexts,
languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier.labels import Scores
from moderation.dialects import perspective_errors as errors
from moderation.dialects.languages import Detection, covers
from moderation.dialects.sentences import Span, in_utf16

ATTRIBUTES: Mapping[str, str] = {
    "TOXICITY": "toxicity",
    "SEVERE_TOXICITY": "severe_toxicity",
    "IDENTITY_ATTACK": "identity_attack",
    "INSULT": "insult",
    "PROFANITY": "obscene",
    "THREAT": "threat",
    "SPAM": "spam",
}
"""Attribute → the label that was trained and measured as this. All other attributes are unknown: the New York Times' `OBSCENE`
and `ATTACK_ON_COMMENTER`, everything experimental, and names with a version, as `TOXICITY@6`."""
TEXT_BYTES = 20_480
SPANS = 256
"""Sentences scored by themselves; the last of them reaches to the end of the text."""
SUGGESTED = 0.5
"""The suggested value from which a comment has an attribute."""
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A requested attribute."""

    name: str
    threshold: float

    @property
    def label(self) -> str:
        return ATTRIBUTES[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """A request to analyze a comment."""

    text: str
    attributes: tuple[Attribute, ...]
    languages: tuple[str, ...]
    with_sentences: bool
    client_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Feedback on a comment: what its scores should have been."""

    text: str
    values: Mapping[str, float]
    """Attribute → value."""
    languages: tuple[str, ...]
    community: str
    client_token: str | None

    @property
    def decision(self) -> tuple[str, tuple[str, ...]]:
        """The moderator's action that says the same, and its labels."""
        labels = tuple(ATTRIBUTES[name] for name, value in self.values.items() if value >= SUGGESTED)
        if "spam" in labels:
            return "spam", ()
        return ("reject", labels) if labels else ("approve", ())


def analysis_of(body: Document) -> Analysis:
    """Raises PerspectiveError."""
    fields = Fields(body)
    comment, requested = fields.object("comment"), fields.objects("requestedAttributes")
    context = fields.object("context")
    given = {name: Fields(value or {}, f"requestedAttributes.{name}") for name, value in requested.items()}
    thresholds = {name: parameters.number("scoreThreshold") for name, parameters in given.items()}
    types = {name: parameters.text("scoreType") for name, parameters in given.items()}
    languages, with_sentences = fields.texts("languages"), fields.flag("spanAnnotations")
    client_token = fields.text("clientToken")
    check_unused(fields, context)

    text = comment_text(comment)
    if not requested:
        raise errors.invalid("Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES")
    check_attributes(requested)
    for name, score_type in types.items():
        if score_type not in (None, "PROBABILITY", "SCORE_TYPE_UNSPECIFIED"):
            raise errors.invalid(f"Requested score type {score_type} is not supported by attribute {name}")
    check_context(context)
    return Analysis(
        text=text,
        attributes=tuple(Attribute(name=name, threshold=thresholds[name] or 0.0) for name in requested),
        languages=languages,
        with_sentences=bool(with_sentences),
        client_token=client_token,
    )


def suggestion_of(body: Document) -> Suggestion:
    """Raises PerspectiveError."""
    fields = Fields(body)
    comment, scores = fields.object("comment"), fields.objects("attributeScores")
    context, languages = fields.object("context"), fields.texts("languages")
    client_token, community = fields.text("clientToken"), fields.text("communityId")
    values = {name: suggested(Fields(score or {}, f"attributeScores.{name}")) for name, score in scores.items()}
    check_unused(fields, context)

    text = comment_text(comment)
    if not values or None in values.values():
        raise errors.invalid("Missing attribute_scores")
    check_attributes(values)
    check_context(context)
    return Suggestion(
        text=text,
        values={name: value for name, value in values.items() if value is not None},
        languages=languages,
        community=community or "",
        client_token=client_token,
    )


def suggested(score: Fields) -> float | None:
    """The value of the whole comment, else the highest of its spans; None without any."""
    values = [score.object("summaryScore"), *(Fields(span).object("score") for span in score.list("spanScores"))]
    numbers = [value.number("value") for value in values]
    given = [number for number in numbers if number is not None]
    if not all(0 <= number <= 1 for number in given):
        raise errors.not_json(f"{score.where}: a value is not between 0 and 1")
    return numbers[0] if numbers[0] is not None else max(given, default=None)


def comment_text(comment: Fields) -> str:
    """Raises PerspectiveError for a text that cannot be analyzed."""
    text, text_type = comment.text("text"), comment.text("type")
    if not text:
        raise errors.invalid("Comment must be non-empty.", "COMMENT_EMPTY")
    if len(text) > TEXT_BYTES or len(text.encode()) > TEXT_BYTES:
        raise errors.invalid("Comment text too long.", "COMMENT_TOO_LONG")
    if text_type == "HTML":
        raise errors.invalid("Currently, only 'PLAIN_TEXT' comments are supported")
    if text_type not in (None, "PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED"):
        raise errors.invalid("Unknown text type")
    return text


def check_attributes(names: Mapping[str, Any]) -> None:
    """Raises PerspectiveError for the first that no model was trained for."""
    for name in names:
        if name not in ATTRIBUTES:
            raise errors.invalid(f"Unknown requested attribute: {name}")


def check_unused(fields: Fields, context: Fields) -> None:
    """The types of the fields that are accepted and have no effect. Raises PerspectiveError."""
    fields.flag("doNotStore")
    for name in ("sessionId", "communityId"):
        fields.text(name)
    for entry in context.list("entries"):
        Fields(entry, "context.entries").text("text")
    context.object("articleAndParentComment")


def check_context(context: Fields) -> None:
    """Raises PerspectiveError if both kinds are given."""
    if context.list("entries") and context.has("articleAndParentComment"):
        raise errors.invalid(
            "Context can have either entries or article_and_parent_comment, but both fields were populated."
        )


def check_languages(analysis: Analysis, detection: Detection) -> None:
    """Raises PerspectiveError, naming one attribute, for a language in which it was not measured."""
    if not analysis.languages and not detection.is_readable:
        raise errors.invalid("Unable to detect language", "LANGUAGE_DETECTION_FAILED")
    languages = analysis.languages or (detection.language,)
    for attribute in analysis.attributes:
        uncovered = [language for language in languages if not covers(attribute.label, language)]
        if uncovered:
            raise errors.language_not_supported(attribute.name, uncovered, analysis.languages, detection.language)


def analyzed(
    analysis: Analysis, detection: Detection, spans: Sequence[Span], whole: Scores, by_span: Sequence[Scores]
) -> dict[str, Any]:
    """The answer. `whole`: the scores of the whole text; `by_span`: those of each span, in the same order."""
    units = in_utf16(analysis.text, list(spans))
    scores = {
        attribute.name: {
            "spanScores": [
                {"begin": begin, "end": end, "score": probability(part[attribute.label])}
                for (begin, end), part in zip(units, by_span, strict=True)
            ],
            "summaryScore": probability(whole[attribute.label]),
        }
        for attribute in analysis.attributes
        if whole[attribute.label] >= attribute.threshold
    }
    return (
        ({"attributeScores": scores} if scores else {})
        | {"languages": list(analysis.languages) or [detection.language], "detectedLanguages": [detection.language]}
        | ({} if analysis.client_token is None else {"clientToken": analysis.client_token})
    )


def suggestion_taken(suggestion: Suggestion, detection: Detection) -> dict[str, Any]:
    """The answer to a suggestion."""
    return (
        ({} if suggestion.client_token is None else {"clientToken": suggestion.client_token})
        | ({"requestedLanguages": list(suggestion.languages)} if suggestion.languages else {})
        | {"detectedLanguages": [detection.language]}
    )


def probability(value: float) -> dict[str, Any]:
    return {"value": value, "type": "PROBABILITY"}


def snake(name: str) -> str:
    """`requested_attributes` of `requestedAttributes`: Google takes both."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


class Fields:
    """The fields of a JSON object, each read by its type; null is missing. Raises PerspectiveError for another type.

    In texts U+FFFD, which is as wide, replaces lone surrogates, as scripts leave them that cut an emoji."""

    def __init__(self, document: object, where: str = "") -> None:
        if not isinstance(document, dict):
            raise errors.not_json(f"{where or 'an entry of a list'} must be an object")
        self.document: dict[str, Any] = document
        self.where = where

    def has(self, name: str) -> bool:
        return self._value(name) is not None

    def text(self, name: str) -> str | None:
        value = self._value(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return None if value is None else errors.storable(value)

    def flag(self, name: str) -> bool | None:
        value = self._value(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def number(self, name: str) -> float | None:
        value = self._value(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self._wrong(name, "a number")
        return value

    def list(self, name: str) -> list[Any]:
        value = self._value(name)
        if value is not None and not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value or []

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.list(name)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(name, "a list of strings")
        return tuple(map(errors.storable, values))

    def object(self, name: str) -> Fields:
        """The fields of an object; none of a missing one."""
        value = self._value(name)
        return Fields({} if value is None else value, self._path(name))

    def objects(self, name: str) -> dict[str, dict[str, Any] | None]:
        """An object of objects or nulls, by name."""
        inner = self.object(name).document
        if not all(value is None or isinstance(value, dict) for value in inner.values()):
            raise self._wrong(name, "an object of objects")
        return inner

    def _value(self, name: str) -> Any:
        value = self.document.get(name)
        return self.document.get(snake(name)) if value is None else value

    def _path(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _wrong(self, name: str, kind: str) -> errors.PerspectiveError:
        return errors.not_json(f"{self._path(name)} must be {kind}")
