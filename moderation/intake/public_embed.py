"""The embed: the custom element as one script, its texts, and its form token."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from moderation.comments.thread_cache import is_known
from moderation.core.problem import NotFound
from moderation.intake import texts
from moderation.intake.public_form import asked_of
from moderation.services import services_of
from moderation.sites.cache import article_key
from moderation.web.cors import preflight_of
from moderation.web.operations import Media, operation

FOLDER = Path(__file__).parent / "element"
PARTS = (
    "place.js", "dom.js", "words.js", "memory.js", "service.js", "form.js", "discussion.js", "element.js", "count.js",
)  # fmt: skip
"""The parts in order, joined within one function: pages load one script without modules, and no build step is needed."""
ELSEWHERE = ("page.", "error.appeal.", "problem.no_appeal")
"""Texts that only pages of the service use."""
SAID_BY_THE_SERVICE = (
    "error.name.required", "error.email.required", "error.body.required", "error.too_long",
    "problem.duplicate", "problem.closed", "problem.edit_closed", "problem.changed",
)  # fmt: skip
"""Texts that the service's own answers have in the same English words, which the element then shows."""
FOR_ANYONE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "public, max-age=600, stale-while-revalidate=86400",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class File:
    plain: bytes
    packed: bytes
    etag: str
    kind: str

    @classmethod
    def of(cls, content: str, kind: str) -> File:
        plain = content.encode()
        return cls(plain, gzip.compress(plain, 9, mtime=0), blake2b(plain, digest_size=8).hexdigest(), kind)

    def answer(self, request: Request) -> Response:
        packs = re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", request.headers.get("accept-encoding", ""))
        etag = f'"{self.etag}{"-gzip" if packs else ""}"'
        headers = FOR_ANYONE | {"ETag": etag}
        if is_known(request.headers.get("if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packs else self.plain, media_type=self.kind, headers=headers)


# Strings, templates and regular expressions of a script, which stay as they are; comments; and space beside punctuation.
# Beside `+` and `-` it goes where no other sign follows: `a + +b`.
SPACING = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(=,:!&|?{;\[ ])/(?![/* ])(?:\[(?:[^\]\\\n]|\\.)*\]|[^/\\\n\[]|\\.)+/)"""
    r"""|/\*.*?\*/|//[ ][^\n]*|[ ]*([{}()\[\];,:?=<>*&|!]+)[ ]*|[ ]([+-])[ ](?=[\w("`])""",
    re.DOTALL,
)


def compact_script(source: str) -> str:
    """Without comments, indentation and needless space. A line break stays where it may end a statement."""
    lines = (line.strip() for line in source.splitlines())
    kept = "\n".join(line for line in lines if line and not line.startswith("//"))
    compact = SPACING.sub(lambda token: token[1] or token[2] or token[3] or "", kept)
    return re.sub(r"(?<=[;{,(\[])\n|\n(?=[})\]])", "", compact)


def compact_sheet(source: str) -> str:
    plain = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"\s*([{};,>])\s*|(?<=:)\s+", r"\1", plain).replace(";}", "}").strip()


@cache
def script() -> File:
    sheet = compact_sheet((FOLDER / "element.css").read_text("utf-8"))
    english = {
        key: text
        for key, text in texts.languages()["en"].items()
        if not key.startswith(ELSEWHERE + SAID_BY_THE_SERVICE)
    }
    lines = [
        "// leave-a-reply, MIT licence",
        "(() => {",
        '"use strict";',
        f"const CSS = {json.dumps(sheet, ensure_ascii=False)};",
        f"const ENGLISH = {json.dumps(english, ensure_ascii=False, separators=(',', ':'))};",
    ]
    lines += [compact_script((FOLDER / part).read_text("utf-8")) for part in PARTS]
    return File.of("\n".join([*lines, "})();\n"]), "text/javascript")


@cache
def words(language: str) -> File:
    return File.of(json.dumps(texts.languages()[language], ensure_ascii=False), "application/json")


@operation(
    "GET", "/embed.js", answers={200: Media("text/javascript"), 304: None}, headers=("If-None-Match",), tag="embed"
)
async def get_embed(request: Request) -> Response:
    """The custom element <leave-a-reply>, for a page of any origin."""
    return script().answer(request)


@operation(
    "GET", "/texts/{language}.json", answers={200: dict[str, str], 304: None}, headers=("If-None-Match",), tag="embed"
)
async def get_texts(request: Request) -> Response:
    """The embed's texts in the nearest available language; English for any other."""
    tag = request.path_params["language"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,35}", tag):
        raise NotFound("There is no such language.")
    return words(texts.nearest(tag) or texts.DEFAULT).answer(request)


class FormToken(TypedDict):
    """`fresh_for`: seconds after which the form asks for another token."""

    form_token: str
    required: list[str]
    max_body: int
    privacy_url: str | None
    fresh_for: int
    offer_notify: bool


TOKEN = "/sites/{site}/articles/{article}/form-token"  # noqa: S105  (a path)


@operation("GET", TOKEN, answers={200: FormToken}, tag="embed", shared=True)
async def get_form_token(request: Request) -> dict[str, Any]:
    """A fresh token for the embed's form, and the form's settings."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    article = article_key(request.path_params["article"])
    token = services.signer.form_token(site.key, article, services.intake.clock())
    return {"form_token": token} | asked_of(site) | {"offer_notify": services.mails}


routes = [get_embed, get_texts, get_form_token, preflight_of(TOKEN, "GET")]
