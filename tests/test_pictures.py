"""The docs show every page of the console, and no picture that is not there; what makes pictures small keeps them true."""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np

from tests import smallpng
from tests.conftest import ROOT

DOC = ROOT / "docs" / "console.md"


def test_every_page_of_the_console_is_shown_in_the_docs() -> None:
    shown = set(re.findall(r"\]\(images/console/([a-z-]+)\.png\)", DOC.read_text("utf-8")))
    taken = {file.stem for file in (ROOT / "docs" / "images" / "console").glob("*.png")}
    templates = (ROOT / "moderation").glob("*/templates/[!_]*.html")
    console = [file for file in templates if '{% extends "web/console.html"' in file.read_text("utf-8")]
    pages = {file.stem.removeprefix("console-") for file in console}
    assert shown == taken, "taken again? then docs/console.md must show each, and no other"
    assert pages <= shown


def test_few_colours_are_kept_as_they_are_and_many_become_the_nearest() -> None:
    few = np.array([[255, 255, 255], [10, 20, 30], [255, 255, 255], [200, 0, 0]], np.uint8)
    many = np.array([[n, n, n] for n in range(256)], np.uint8)
    for pixels, width, height, off in ((few, 2, 2, 0), (many, 16, 16, 8)):
        png = smallpng.packed(pixels, width, height)
        parts, at = {}, 8
        while at < len(png):
            (size,) = struct.unpack(">I", png[at : at + 4])
            name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
            assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + data)
            parts[name] = data
            at += 12 + size
        palette = np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3).astype(int)
        rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)[:, 1:]
        assert np.abs(palette[rows.ravel()] - pixels).max() <= off
