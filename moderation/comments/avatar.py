"""Avatars: patterns drawn from a keyed hash of the shown name, independent of the email address."""

import hashlib

_CELLS = 5
_HUES = (12, 34, 88, 140, 168, 192, 214, 236, 262, 288, 318, 342)


def draw(token: str) -> str:
    """A mirrored 5×5 pattern as SVG, with its own background for light and dark pages."""
    bits = int.from_bytes(hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest())
    hue = _HUES[bits % len(_HUES)]
    bits >>= 8
    half = (_CELLS + 1) // 2
    path = []
    for row in range(_CELLS):
        for column in range(half):
            if bits >> (row * half + column) & 1:
                path += [f"M{x + 1.5} {row + 1.5}h1v1h-1z" for x in {column, _CELLS - 1 - column}]
    if len(path) < _CELLS:  # nearly empty: a plain mark instead
        path.append("M3.5 1.5h1v1h-1zM3.5 5.5h1v1h-1zM1.5 3.5h5v1h-5z")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" width="64" height="64" role="img">'
        "<title>Avatar</title>"
        f'<rect width="8" height="8" rx="1.6" fill="hsl({hue},32%,40%)"/>'
        f'<path fill="hsl({hue},55%,90%)" d="{"".join(sorted(path))}"/>'
        "</svg>"
    )
