"""Logs: one JSON object a line on standard error. They contain ids and code positions, and no text or address."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any


class Lines(logging.Formatter):
    """Formats a record as one JSON object: time, level, origin, message and ids; no body, email or address."""

    KNOWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "what": record.getMessage(),
        }
        line |= {k: v for k, v in record.__dict__.items() if k not in self.KNOWN}
        if record.exc_info and record.exc_info[0]:
            # only the exception's type and position: its message may quote a comment
            line["error"] = record.exc_info[0].__name__
            trace, places = record.exc_info[2], []
            while trace:
                places.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
                trace = trace.tb_next
            line["where"] = places[-6:]
        return json.dumps(line, default=str)


def log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    # At DEBUG libraries log what passes through them: aiosqlite every row that it stores, addresses and all.
    # At INFO httpx logs whole addresses, and a webhook's may be a secret.
    for theirs in ("httpx", "httpcore"):
        logging.getLogger(theirs).setLevel(logging.WARNING)
    logging.basicConfig(level=max(logging.INFO, logging.getLevelName(level)), handlers=[handler], force=True)
    for ours in ("moderation", "classifier"):
        logging.getLogger(ours).setLevel(level)
