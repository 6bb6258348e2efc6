"""A client of the Perspective paths in this process, and what its answers must look like."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.conftest import Service

ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
DISCOVERY = "/$discovery/rest"
SIX = ("TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT")


def asked(text: str = "What a lovely garden, thank you.", **more: Any) -> dict[str, Any]:
    """The body of a request to analyze; TOXICITY unless other attributes are given."""
    return {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}} | more


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error of an answer, in Google's form."""
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    error: dict[str, Any] = json.loads(answer.content)["error"]
    assert error["code"] == answer.status_code and error["message"] and error["status"]
    assert isinstance(error["details"][0], dict) and error["details"][0]["@type"].startswith("type.googleapis.com/")
    return error


@dataclass
class Client:
    service: Service
    key: str

    async def post(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        """Any bytes, without a content type of our own."""
        return await self.service.client.post(path, params={"key": self.key}, content=content, headers=headers)

    async def ask(self, body: Any, **headers: str) -> httpx.Response:
        return await self.post(ANALYZE, json.dumps(body).encode(), **headers)

    async def analyze(self, body: Any, **headers: str) -> dict[str, Any]:
        answer = await self.ask(body, **headers)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    async def refused(self, body: Any, **headers: str) -> dict[str, Any]:
        answer = await self.ask(body, **headers)
        assert answer.status_code == 400, answer.text
        return error_of(answer)


async def client_of(service: Service, scopes: str = "score", site: str = "default") -> Client:
    return Client(service, (await service.token(scopes, site))["Authorization"].removeprefix("Bearer "))
