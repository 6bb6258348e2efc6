"""Errors of the Perspective API, in the form of Google's services: `error.details[0]` is always an object."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moderation.core import problem as problems

TYPES = "type.googleapis.com/google."
SURROGATE = re.compile("[\ud800-\udfff]")
SHOWN = 200
"""Characters of a client's own words that an error repeats."""
NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of "
    "API consumer identity to call this API."
)
QUOTA = "Quota exceeded for quota metric 'Analysis requests (AnalyzeComment)'"


class PerspectiveError(Exception):
    """An unsuccessful answer. `code` is the HTTP status, `status` Google's name of it."""

    def __init__(
        self, code: int, status: str, message: str, detail: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.detail = code, status, message, dict(detail)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        return {
            "error": {"code": self.code, "message": self.message, "status": self.status, "details": [self.detail]},
        }


def storable(text: str) -> str:
    """The text with U+FFFD, which is as wide, for each lone surrogate."""
    return text if text.isascii() else SURROGATE.sub("\ufffd", text)


def invalid(message: str, error_type: str = "INVALID_REQUEST", **more: Any) -> PerspectiveError:
    """A request that cannot be analyzed."""
    detail = {"@type": f"{TYPES}commentanalyzer.v1alpha1.Error", "errorType": error_type} | more
    return PerspectiveError(400, "INVALID_ARGUMENT", shown(message), detail)


def language_not_supported(
    attribute: str, uncovered: Sequence[str], requested: Sequence[str], detected: str
) -> PerspectiveError:
    languages = {
        "attribute": attribute,
        "requestedLanguages": [shown(language) for language in requested],
        "detectedLanguages": [detected],
    }
    return invalid(
        f"Attribute {attribute} does not support request languages: {', '.join(uncovered)}",
        "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        languageNotSupportedByAttributeError=languages,
    )


def not_json(description: str) -> PerspectiveError:
    """A body that is not JSON, or has a field of another type."""
    description = shown(description)
    detail = {"@type": f"{TYPES}rpc.BadRequest", "fieldViolations": [{"description": description}]}
    return PerspectiveError(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {description}", detail)


def info(
    code: int, status: str, message: str, reason: str, headers: Mapping[str, str] | None = None
) -> PerspectiveError:
    """An error that is not about the comment."""
    detail = {
        "@type": f"{TYPES}rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "commentanalyzer.googleapis.com"},
    }
    return PerspectiveError(code, status, message, detail, headers)


def no_key() -> PerspectiveError:
    return info(403, "PERMISSION_DENIED", NO_KEY, "CREDENTIALS_MISSING")


def unknown_key() -> PerspectiveError:
    return info(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")


def blocked(why: str) -> PerspectiveError:
    """A known key that may not do this."""
    message = f"Requests to this API commentanalyzer.googleapis.com method are blocked: {why}."
    return info(403, "PERMISSION_DENIED", message, "API_KEY_SERVICE_BLOCKED")


def not_found() -> PerspectiveError:
    return info(404, "NOT_FOUND", "Requested entity was not found.", "NOT_FOUND")


def failed() -> PerspectiveError:
    return info(500, "INTERNAL", "Internal error encountered.", "INTERNAL")


def of_problem(problem: problems.Problem) -> PerspectiveError:
    """A problem of the service in this form."""
    headers = {name: value for name, value in problem.headers.items() if name != "WWW-Authenticate"}
    match problem:
        case problems.Unauthorized():
            return unknown_key()
        case problems.Forbidden():
            return info(403, "PERMISSION_DENIED", problem.detail, problem.code.upper(), headers)
        case problems.TooFast():
            message = f"{QUOTA}: {problem.detail}"
            return info(429, "RESOURCE_EXHAUSTED", message, "RATE_LIMIT_EXCEEDED", headers)
        case problems.Unavailable():
            return info(503, "UNAVAILABLE", problem.detail, "UNAVAILABLE", headers)
        case problems.TooLarge():
            error = invalid(f"Request payload size exceeds the limit. {problem.detail}")
            error.code, error.headers = 413, headers
            return error
        case problems.NotFound():
            return not_found()
        case problems.Conflict():
            return info(409, "ABORTED", problem.detail, problem.code.upper(), headers)
        case problems.BadRequest(code="model"):
            return invalid(problem.detail)
        case problems.BadRequest() | problems.Invalid() | problems.Unsupported():
            return not_json(problem.detail)
    return failed()


def shown(message: str) -> str:
    """The beginning of a message that may repeat the client's words, safe to send."""
    return storable(message if len(message) <= SHOWN else message[:SHOWN] + "…")
