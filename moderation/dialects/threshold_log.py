"""Logs of another service's scores: JSON lines as a site writes them (docs/threshold-log.schema.json), or a recording, whose lines
are encrypted and end after some days."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from moderation.core.encryption import Cipher
from moderation.core.problem import BadRequest, Conflict, NotFound
from moderation.core.signing import Signer

DAY = 86_400_000
LINE_LONGEST = 256 * 1024
"""Characters."""
Done = Literal["published", "held", "removed"]
DONE: tuple[Done, ...] = get_args(Done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One text with its scores by attribute, 0..1; `done` is what the site did with it, empty where the log does not say."""

    text: str
    scores: Mapping[str, float] = field(default_factory=dict)
    done: str = ""


class Unreadable(BadRequest):
    """A line of a log is not one. The message names its number and the fault, and nothing of its text."""


def cipher_of(signer: Signer) -> Cipher:
    return Cipher(signer.cipher_key("recording"))


def read(file: Path, cipher: Cipher) -> Iterator[tuple[int, Entry]]:
    """Line number and entry, of every line that is not empty. Raises NotFound without the file, and Unreadable."""
    try:
        lines = file.open(encoding="utf-8-sig", errors="strict")
    except OSError:
        raise NotFound(f"{file} cannot be opened.") from None
    number = 0
    with lines:
        try:
            while line := lines.readline(LINE_LONGEST + 1):
                number += 1
                if len(line) > LINE_LONGEST:
                    raise ValueError(f"is longer than {LINE_LONGEST} characters")
                if line.strip():
                    yield number, entry_from(opened(parsed(line), cipher))
        except UnicodeDecodeError:
            raise Unreadable(f"line {number + 1} or one soon after it is not UTF-8") from None
        except ValueError as fault:
            raise Unreadable(f"line {number} {fault}") from None


def parsed(line: str) -> dict[str, Any]:
    """Raises ValueError."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")
    return document


def opened(document: dict[str, Any], cipher: Cipher) -> dict[str, Any]:
    """A line of a recording, decrypted; any other line as it is. Raises ValueError."""
    if "encrypted" not in document:
        return document
    encrypted, at = document["encrypted"], document.get("recorded")
    raw = cipher.decrypt(encrypted, str(at)) if isinstance(encrypted, str) else None
    if raw is None:
        raise ValueError("was encrypted under another secret key, or has been changed")
    return parsed(raw.decode())


def entry_from(document: Mapping[str, Any]) -> Entry:
    """Raises ValueError, in words that follow *line 3*."""
    text, done = document.get("text"), document.get("done", "")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("has no text")
    if done and done not in DONE:
        raise ValueError(f"has in done another word than {', '.join(DONE)}")
    name = document.get("attribute")
    scores = document["scores"] if "scores" in document else {str(name or ""): document.get("score")}
    if not isinstance(scores, dict) or not scores or not all(map(is_score, scores.items())):
        raise ValueError("needs attribute and score, or scores: names of attributes with numbers from 0 to 1")
    return Entry(text=text, scores={name: float(score) for name, score in scores.items()}, done=done or "")


def is_score(pair: tuple[Any, Any]) -> bool:
    name, score = pair
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    return isinstance(name, str) and 0 < len(name) <= 64 and is_number and 0 <= score <= 1


class Recording:
    """A file of encrypted lines, for its owner alone. The time of a line stands beside it, so that old lines end without the key."""

    def __init__(self, file: Path, cipher: Cipher, days: int) -> None:
        self.file, self.cipher, self.days = file, cipher, days

    def check(self) -> None:
        """Raises Conflict for a file that is no recording: a purge would empty it."""
        if not self.file.exists():
            return
        with self.file.open(encoding="utf-8", errors="replace") as lines:
            first = lines.readline(LINE_LONGEST)
        if first and not recorded(first):
            raise Conflict(f"{self.file} exists and is no recording; give a new name.")

    def add(self, entry: Entry, now: int) -> None:
        """Appends an entry. Raises OSError."""
        document = {"text": entry.text, "scores": dict(entry.scores)}
        raw = json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
        line = json.dumps({"recorded": now, "encrypted": self.cipher.encrypt(raw, str(now))}) + "\n"
        handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as lines:
            lines.write(line)

    def purge(self, now: int) -> int:
        """Deletes the lines past their days, and those that cannot be read; returns how many. Raises OSError."""
        if not self.file.exists():
            return 0
        kept, gone = [], 0
        for line in self.file.read_text("utf-8", "replace").splitlines():
            if now - self.days * DAY < recorded(line) <= now + DAY:
                kept.append(line + "\n")
            else:
                gone += 1
        if gone:
            beside = self.file.with_name(f".{self.file.name}.part")
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as lines:
                lines.writelines(kept)
            os.replace(beside, self.file)
        return gone


def recorded(line: str) -> int:
    """When a line was recorded; 0 for one that does not say."""
    try:
        at = parsed(line).get("recorded")
    except ValueError:
        return 0
    return at if isinstance(at, int) and not isinstance(at, bool) else 0
