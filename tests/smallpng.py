"""A screenshot as a small file: few colours, as a page has them, one byte a pixel or less (PNG 1.2, colour type 3)."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser

COLOURS = 64
PIXELS = """async (png) => {
  const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const bytes = canvas.getImageData(0, 0, width, height).data;
  const parts = [];
  for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return [width, height, btoa(parts.join(""))];
}"""


def small(browser: Browser, png: bytes) -> bytes:
    """The browser that made it takes it apart."""
    page = browser.new_page()
    width, height, told = page.evaluate(PIXELS, base64.b64encode(png).decode())
    page.close()
    pixels = np.frombuffer(base64.b64decode(told), np.uint8).reshape(-1, 4)[:, :3]
    return packed(pixels, width, height)


def packed(pixels: Any, width: int, height: int) -> bytes:
    """The commonest colours stay what they are; the rest, at the edges of letters, become the nearest of them."""
    codes = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int32)
    if len(colours) > COLOURS:
        kept = [int(np.argmax(counts))]
        apart = np.full(len(colours), np.inf)
        for _ in range(COLOURS - 1):  # common ones first, and none that is all but there already
            apart = np.minimum(apart, ((rgb - rgb[kept[-1]]) ** 2).sum(axis=1))
            kept.append(int(np.argmax(counts * np.minimum(apart, 2_000))))
        nearest = np.stack([((rgb - rgb[k]) ** 2).sum(axis=1) for k in kept]).argmin(axis=0)
        which, rgb = nearest[which], rgb[kept]
    index = which.reshape(height, width).astype(np.uint8)
    rows = np.concatenate([np.zeros((height, 1), np.uint8), index], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", rgb.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def write(browser: Browser, png: bytes, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(small(browser, png))
    print(f"{file.name} {file.stat().st_size // 1000} kB")
