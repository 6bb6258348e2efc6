"""The discovery document of the Perspective API, from which Google's clients build their methods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

VERSION = "v1alpha1"
HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
SCORE_TYPES = ["SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW"]
TEXT_TYPES = ["TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML"]


def root_url(host: str, scheme: str, base: str) -> str:
    """Where clients send all later calls, with a final slash: to the host of this request, or to `base` without a usable one."""
    return f"{scheme}://{host}/" if HOST.fullmatch(host) else f"{base}/"


def scheme_of(scheme: str, forwarded: str) -> str:
    """The scheme of a request, or what the nearest proxy, which is trusted, says of it: the last value of the header."""
    named = forwarded.rpartition(",")[2].strip().lower()
    return named if named in ("http", "https") else scheme


def document(root: str) -> dict[str, Any]:
    """The document. `root`: the public address with a final slash."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": f"commentanalyzer:{VERSION}",
        "name": "commentanalyzer",
        "version": VERSION,
        "title": "Comment Analyzer",
        "description": "Scores comments; answers as the Perspective Comment Analyzer API did.",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "servicePath": "",
        "basePath": "",
        "parameters": {
            "key": {"type": "string", "location": "query", "description": "API key: a token of the scope score."},
            "alt": {"type": "string", "location": "query", "default": "json", "enum": ["json"]},
            "prettyPrint": {"type": "boolean", "location": "query", "default": "true"},
            "quotaUser": {"type": "string", "location": "query"},
            "fields": {"type": "string", "location": "query"},
        },
        "resources": {
            "comments": {
                "methods": {
                    "analyze": method("analyze", "Scores a comment for the requested attributes.", "AnalyzeComment"),
                    "suggestscore": method(
                        "suggestscore",
                        "Says what a comment's scores should have been; kept for training.",
                        "SuggestCommentScore",
                    ),
                }
            }
        },
        "schemas": SCHEMAS,
    }


def method(name: str, description: str, schema: str) -> dict[str, Any]:
    path = f"{VERSION}/comments:{name}"
    return {
        "id": f"commentanalyzer.comments.{name}",
        "httpMethod": "POST",
        "path": path,
        "flatPath": path,
        "description": description,
        "parameterOrder": [],
        "parameters": {},
        "request": {"$ref": f"{schema}Request"},
        "response": {"$ref": f"{schema}Response"},
    }


def schema(name: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": name, "type": "object", "properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"$ref": name}


def by_name(of: Mapping[str, Any]) -> dict[str, Any]:
    """An object with any names."""
    return {"type": "object", "additionalProperties": of}


def listed(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


def one_of(values: list[str]) -> dict[str, Any]:
    return {"type": "string", "enum": values}


STRING = {"type": "string"}
NUMBER = {"type": "number", "format": "float"}
INTEGER = {"type": "integer", "format": "int32"}
ASKED = {"clientToken": STRING, "sessionId": STRING, "communityId": STRING}
SCHEMAS = {
    named["id"]: named
    for named in (
        schema(
            "AnalyzeCommentRequest",
            comment=ref("TextEntry"),
            context=ref("Context"),
            requestedAttributes=by_name(ref("AttributeParameters")),
            spanAnnotations={"type": "boolean"},
            languages=listed(STRING),
            doNotStore={"type": "boolean"},
            **ASKED,
        ),
        schema(
            "AnalyzeCommentResponse",
            attributeScores=by_name(ref("AttributeScores")),
            languages=listed(STRING),
            detectedLanguages=listed(STRING),
            clientToken=STRING,
        ),
        schema(
            "SuggestCommentScoreRequest",
            comment=ref("TextEntry"),
            context=ref("Context"),
            attributeScores=by_name(ref("AttributeScores")),
            languages=listed(STRING),
            **ASKED,
        ),
        schema(
            "SuggestCommentScoreResponse",
            clientToken=STRING,
            requestedLanguages=listed(STRING),
            detectedLanguages=listed(STRING),
        ),
        schema("AttributeParameters", scoreType=one_of(SCORE_TYPES), scoreThreshold=NUMBER),
        schema("AttributeScores", summaryScore=ref("Score"), spanScores=listed(ref("SpanScore"))),
        schema("Score", value=NUMBER, type=one_of(SCORE_TYPES)),
        schema("SpanScore", begin=INTEGER, end=INTEGER, score=ref("Score")),
        schema("TextEntry", text=STRING, type=one_of(TEXT_TYPES)),
        schema("Context", entries=listed(ref("TextEntry")), articleAndParentComment=ref("ArticleAndParentComment")),
        schema("ArticleAndParentComment", article=ref("TextEntry"), parentComment=ref("TextEntry")),
    )
}
