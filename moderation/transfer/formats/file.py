"""The imported file: plain or gzipped, of any size, read a piece at a time."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from moderation.core.problem import BadRequest, NotFound

HEAD = 64 * 1024
PIECE = 64 * 1024
LINE = 32 * 1024 * 1024
ROW = 2 * 1024 * 1024
"""Characters of the longest accepted line, and of the longest row of a JSON array."""
_BETWEEN = re.compile(r"[\s,\[]*")


class File:
    """`head` is its unpacked beginning, enough to detect the format."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._raw = self._opened(path)
        self.size = 0 if path == "-" else os.fstat(self._raw.fileno()).st_size
        packed = self._peek()[:2] == b"\x1f\x8b"
        self._stream: BinaryIO = gzip.GzipFile(fileobj=self._raw) if packed else self._raw  # type: ignore[assignment]
        self.head = self._read(HEAD)

    def _opened(self, path: str) -> BinaryIO:
        if path == "-":
            return sys.stdin.buffer
        try:
            if not self.path.is_file():
                raise NotFound(f"There is no file {path}.")
            return open(self.path, "rb", buffering=HEAD)
        except OSError as error:
            raise BadRequest(f"{path} cannot be read: {error.strerror}.") from None

    def _peek(self) -> bytes:
        return self._raw.peek(2)  # type: ignore[attr-defined,no-any-return]

    def _read(self, size: int) -> bytes:
        """Reads this many bytes; fewer only at the end."""
        found = []
        try:
            while size > 0 and (piece := self._stream.read(size)):
                found.append(piece)
                size -= len(piece)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise BadRequest("The file is cut short or damaged (gzip). Copy or download it again.") from None
        return b"".join(found)

    def close(self) -> None:
        if self._raw is not sys.stdin.buffer:
            self._raw.close()

    @property
    def done(self) -> float | None:
        """The read part, 0 to 1, if known."""
        return min(1.0, self._raw.tell() / self.size) if self.size else None

    def pieces(self) -> Iterator[bytes]:
        piece = self.head
        while piece:
            yield piece
            piece = self._read(PIECE)

    def lines(self) -> Iterator[tuple[int, bytes | None]]:
        """(number, line) of each non-empty line; None for one that is too long."""
        number, rest, too_long = 1, bytearray(), False
        for piece in self.pieces():
            first, *more = piece.split(b"\n")
            too_long |= len(rest) + len(first) > LINE
            if not too_long:
                rest += first
            for line in more:
                if too_long or rest.strip():
                    yield number, None if too_long else bytes(rest)
                number, rest, too_long = number + 1, bytearray(line), False
        if too_long or rest.strip():
            yield number, None if too_long else bytes(rest)

    def rows(self) -> Iterator[tuple[int, Any]]:
        """(number, element) of a JSON array of any length. Raises BadRequest at an error, after all complete elements."""
        decode, decoder = json.JSONDecoder().raw_decode, codecs.getincrementaldecoder("utf-8-sig")("replace")
        pieces, text, at, number, needed = self.pieces(), "", 0, 0, 0
        more = True
        while True:
            at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
            if text[at : at + 1] == "]":
                return
            if at < len(text) and (len(text) - at >= needed or not more):
                try:
                    found, at = decode(text, at)
                except (ValueError, RecursionError):
                    needed = 2 * (len(text) - at)  # the row may continue in the next piece
                else:
                    number, needed = number + 1, 0
                    yield number, found
                    continue
            if not more or needed > 2 * ROW:
                raise BadRequest(
                    f"After row {number} the file is no JSON: it is cut short or damaged. Make it again, and run this again; "
                    "nothing comes in twice."
                )
            piece = next(pieces, b"")
            more = bool(piece)
            text, at = text[at:] + decoder.decode(piece, not more), 0
