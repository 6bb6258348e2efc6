"""The imported file: plain, gzipped or in a zip, of any size, read a piece at a time."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from moderation.core.problem import BadRequest, NotFound
from moderation.transfer.records import Skipped

HEAD = 64 * 1024
MOST_HEAD = 4 * 1024 * 1024
"""Bytes of the beginning in which a format is looked for, at first and at most: notices of PHP may stand before it."""
PIECE = 64 * 1024
LINE = 32 * 1024 * 1024
ROW = 2 * 1024 * 1024
"""Characters of the longest accepted line, and of the longest row of a JSON array."""
MOST_MEMBERS = 1_000
EXPORTS = (".xml", ".wxr", ".rss", ".json", ".jsonl", ".ndjson", ".gz")
"""Endings of the names of exports in a zip."""
ARRAY = re.compile(r"\[(?=\s*\{\s*\"|\s*\]\s*\Z)")
"""The beginning of a list of objects."""
_BETWEEN = re.compile(r"[\s,]*")
_NEXT_ROW = re.compile(r"\}\s*,\s*(?=\{)")
WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"), (b"[\0", "utf-16-le"))  # fmt: skip
"""Beginnings of a text of two bytes a character, as PowerShell's `>` writes it."""


class File:
    """`head` is its unpacked beginning, enough to detect the format; a text of two bytes a character is UTF-8 here."""

    def __init__(self, path: str, member: str = "") -> None:
        """`member` is the name of a file in the zip at `path`."""
        self.path, self.member = Path(path), member
        self._raw = self._opened(path)
        self.size = 0 if path == "-" else os.fstat(self._raw.fileno()).st_size
        self.damage = ""
        """The reason why its last part could not be unpacked."""
        packed = self._peek()[:2] == b"\x1f\x8b"
        self._stream: BinaryIO = gzip.GzipFile(fileobj=self._raw) if packed else self._raw  # type: ignore[assignment]
        if member:
            archive = zipfile.ZipFile(self._raw)
            self._stream = archive.open(member)  # type: ignore[assignment]
            if member.lower().endswith(".gz"):
                self._stream = gzip.GzipFile(fileobj=self._stream)  # type: ignore[assignment]
        self._rest = b""
        begins = self._stream_read(2)
        wide = next((name for start, name in WIDE if begins.startswith(start)), None)
        self._decoder = codecs.getincrementaldecoder(wide)("replace") if wide else None
        self._rest = self._decoder.decode(begins).encode() if self._decoder else begins
        self.head = self._read(HEAD)
        if not self.head and self.damage:
            raise BadRequest(f"{self.damage} Copy or download it again.")

    @property
    def is_zip(self) -> bool:
        return self.head.startswith((b"PK\x03\x04", b"PK\x05\x06"))

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

    def _stream_read(self, size: int) -> bytes:
        """Some bytes, or none at the end; whatever cannot be unpacked ends the file."""
        pieces: list[bytes] = []
        while size > 0 and not self.damage:
            try:
                piece = self._stream.read1(size)  # type: ignore[attr-defined]  # `read` would lose what precedes damage
            except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError):
                self.damage = "The file is cut short or damaged: its end cannot be unpacked."
                break
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _read(self, size: int) -> bytes:
        """Reads this many bytes; fewer only at the end."""
        begins, self._rest = self._rest, b""
        size -= len(begins)
        piece = self._stream_read(size)
        if self._decoder:
            piece = self._decoder.decode(piece, len(piece) < size).encode("utf-8", "replace")
        return begins + piece

    def look_further(self) -> bool:
        """Doubles `head`. False at the end of the file, and of what is looked through."""
        more = self._read(len(self.head)) if len(self.head) < MOST_HEAD else b""
        self.head += more
        return bool(more)

    def again(self) -> File:
        """The file from its beginning, for formats whose later parts explain the earlier ones. Raises BadRequest for a pipe."""
        if self._raw is sys.stdin.buffer:
            raise BadRequest("This export cannot come through a pipe: give the path of the file.")
        return File(str(self.path), self.member)

    def close(self) -> None:
        if self._raw is not sys.stdin.buffer:
            self._raw.close()

    @property
    def done(self) -> float | None:
        """The read part, 0 to 1, if known."""
        if not self.size:
            return None
        return 1.0 if self._raw.closed else min(1.0, self._raw.tell() / self.size)

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

    def rows(self, opening: re.Pattern[str] = ARRAY, *, each: bool = False) -> Iterator[tuple[int, Any]]:
        """(number, element) of a JSON array of any length; a Skipped for a part that is no JSON.

        The array begins at the end of the first match of `opening`; with `each`, that of every match. Text before is not read:
        PHP prints its notices there.
        """
        # control characters in a text are no JSON, and common
        decode, decoder = (
            json.JSONDecoder(strict=False).raw_decode,
            codecs.getincrementaldecoder("utf-8-sig")("replace"),
        )
        pieces, number, needed, is_inside = self.pieces(), 0, 0, False
        text, at, more = "", 0, True
        while True:
            if not is_inside:
                start = opening.search(text, at)
                if start:
                    at, is_inside = start.end(), True
                    continue
                at = max(at, len(text) - 1_000)
                if not more:
                    return
            elif text[(at := _BETWEEN.match(text, at).end()) :][:1] == "]":  # type: ignore[union-attr]
                if not each:
                    return
                is_inside = False
                continue
            elif at < len(text) and (len(text) - at >= needed or not more):
                try:
                    row, at = decode(text, at)
                except (ValueError, RecursionError):
                    needed = 2 * (len(text) - at)  # the row may continue in the next piece
                else:
                    number, needed = number + 1, 0
                    yield number, row
                    continue
            if is_inside and (not more or needed > 2 * ROW):
                number += 1
                following = _NEXT_ROW.search(text, at)
                yield (
                    number,
                    Skipped(
                        f"row {number}",
                        "no JSON" if following else "the file is cut short or damaged here: the rest is no JSON",
                    ),
                )
                if not following:
                    return
                at, needed = following.end(), 0
                continue
            piece = next(pieces, b"")
            more = bool(piece)
            text, at = text[at:] + decoder.decode(piece, not more), 0


class Folder(File):
    """A folder with one small file for each comment, as Staticman keeps them in a repository."""

    def __init__(self, path: str) -> None:
        self.path, self.member, self.size, self.damage, self.head = Path(path), "", 0, "", b""

    def close(self) -> None:
        """Each file in it is closed once it is read."""

    def entries(self, *suffixes: str) -> Iterator[tuple[Path, bytes | None]]:
        """(path below the folder, content) of each file with these suffixes, in order; None for one larger than a row."""
        for folder, folders, names in os.walk(self.path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if name[0] != "." and file.suffix.lower() in suffixes and file.is_file() and not file.is_symlink():
                    yield file.relative_to(self.path), file.read_bytes() if file.stat().st_size <= ROW else None


def files(path: str) -> Iterator[File]:
    """The file, the folder, or the files in a zip (WordPress.com puts its export into one). The caller closes each.

    Raises BadRequest and NotFound.
    """
    if path != "-" and Path(path).is_dir():
        yield Folder(path)
        return
    file = File(path)
    if not file.is_zip:
        yield file
        return
    file.close()
    if path == "-":
        raise BadRequest("A zip cannot come through a pipe: give the path of the file.")
    for member in members(path):
        yield File(path, member)


def members(path: str) -> list[str]:
    """The names of a zip's exports, in order."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        raise BadRequest("The zip is cut short or damaged. Copy or download it again.") from None
    names = sorted(
        entry.filename for entry in entries
        if entry.filename.lower().endswith(EXPORTS) and not is_hidden(entry.filename)
    )  # fmt: skip
    # members that share their packed bytes unpack without end (a "zip bomb", Fifield 2019)
    if len(names) > MOST_MEMBERS or sum(entry.compress_size for entry in entries) > Path(path).stat().st_size:
        raise BadRequest("The zip has more in it than an export; it was refused.")
    if any(entry.flag_bits & 1 for entry in entries):
        raise BadRequest("The zip is encrypted: unpack it, and import the files in it.")
    if not names:
        raise BadRequest("There is no export in the zip: an XML or JSON file. See docs/moving.md for how to make one.")
    return names


def is_hidden(name: str) -> bool:
    """Whether it belongs to the program that packed it, as `__MACOSX/._blog.xml`."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
