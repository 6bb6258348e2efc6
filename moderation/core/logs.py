"""Logs on standard error: one JSON object a line, or a line for people. They contain ids and code positions, and no text or address."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Literal

KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}

Form = Literal["json", "text"]


def document_of(record: logging.LogRecord) -> dict[str, Any]:
    """Time, level, origin, message and ids; no body, email or address."""
    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "from": record.name,
        "what": record.getMessage(),
    }
    line |= {k: v for k, v in record.__dict__.items() if k not in KNOWN}
    if record.exc_info and record.exc_info[0]:
        # only the exception's type and position: its message may quote a comment
        line["error"] = record.exc_info[0].__name__
        trace, places = record.exc_info[2], []
        while trace:
            places.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        line["where"] = places[-6:]
    return line


class Lines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(document_of(record), default=str)


class Sentences(logging.Formatter):
    """Formats a record as one line for people: `2026-12-01 12:51:03 WARNING moderation.outbox: it cannot be delivered (why=Timeout)`."""

    def format(self, record: logging.LogRecord) -> str:
        more = document_of(record)
        at, level, origin, what = (str(more.pop(key)) for key in ("at", "level", "from", "what"))
        if "where" in more:
            more["where"] = " > ".join(more["where"])
        ids = " ".join(f"{key}={self._on_one_line(value)}" for key, value in more.items())
        line = f"{at[:10]} {at[11:19]} {level.upper():7} {origin}: {what if what.isprintable() else json.dumps(what)}"
        return f"{line} ({ids})" if ids else line

    @staticmethod
    def _on_one_line(value: object) -> str:
        """Quoted where it is more than a word: no value can begin a line of its own, or pass for another."""
        text = str(value)
        return text if text and text.isprintable() and not set(text) & set(' ()="') else json.dumps(text)


def log_to_stderr(level: str, form: Form = "json") -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines() if form == "json" else Sentences())
    # At DEBUG libraries log what passes through them: aiosqlite every row that it stores, addresses and all.
    # At INFO httpx logs whole addresses, and a webhook's may be a secret.
    for theirs in ("httpx", "httpcore"):
        logging.getLogger(theirs).setLevel(logging.WARNING)
    logging.basicConfig(level=max(logging.INFO, logging.getLevelName(level)), handlers=[handler], force=True)
    for ours in ("moderation", "classifier"):
        logging.getLogger(ours).setLevel(level)
