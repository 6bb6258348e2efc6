"""Curves → SVG, by hand: a frame, a grid, lines and a legend. Readable in light and dark, without a script or a font."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]
Range = tuple[float, float]

WIDTH, HEIGHT = 640, 420
LEFT, TOP, RIGHT, BOTTOM = 64, 44, 20, 56
COLOURS = ("#1b6ac9", "#c0392b", "#1e8449", "#8e44ad", "#b9770e", "#117a8b", "#6c757d", "#d63384")
DASHES = ("", "6 3", "2 3", "8 3 2 3")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.t{font-size:15px;font-weight:600}.g{stroke:#ddd}"
    ".f{fill:none;stroke:#888}.b{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}.g{stroke:#444}.f{stroke:#999}.b{fill:#181a1b}}"
)


def chart(
    title: str,
    across: str,
    up: str,
    lines: Mapping[str, Points],
    x: Range = (0, 1),
    y: Range = (0, 1),
    diagonal: bool = False,
    dots: bool = False,
    legend: str = "below",
) -> str:
    """One chart. Points outside the ranges are left out; `diagonal` draws where both axes are equal;
    legend: `above` or `below`."""

    def px(value: float) -> float:
        return round(LEFT + (value - x[0]) / (x[1] - x[0]) * (WIDTH - LEFT - RIGHT), 1)

    def py(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - y[0]) / (y[1] - y[0]) * (HEIGHT - TOP - BOTTOM), 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title><style>{STYLE}</style>',
        f'<rect class="b" width="{WIDTH}" height="{HEIGHT}"/><text class="t" x="{LEFT}" y="24">{escape(title)}</text>',
    ]
    for step in range(6):
        at_x, at_y = x[0] + step * (x[1] - x[0]) / 5, y[0] + step * (y[1] - y[0]) / 5
        out += [
            f'<path class="g" d="M{px(at_x)} {TOP}V{HEIGHT - BOTTOM}M{LEFT} {py(at_y)}H{WIDTH - RIGHT}"/>',
            f'<text x="{px(at_x)}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{at_x:.6g}</text>',
            f'<text x="{LEFT - 8}" y="{py(at_y) + 4}" text-anchor="end">{at_y:.6g}</text>',
        ]
    out.append(
        f'<rect class="f" x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"/>'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
    )
    if diagonal:
        low, high = max(x[0], y[0]), min(x[1], y[1])
        out.append(f'<path class="f" stroke-dasharray="3 3" d="M{px(low)} {py(low)}L{px(high)} {py(high)}"/>')
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dash = DASHES[number // len(COLOURS) % len(DASHES)]
        inside = [(px(a), py(b)) for a, b in points if x[0] <= a <= x[1] and y[0] <= b <= y[1]]
        if inside:
            way = "L".join(f"{a} {b}" for a, b in inside)
            out.append(f'<path fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" d="M{way}"/>')
        if dots:
            out += [f'<circle cx="{a}" cy="{b}" r="3.5" fill="{colour}"/>' for a, b in inside]
        at = TOP + 22 + 18 * number if legend == "above" else HEIGHT - BOTTOM - 12 - 18 * (len(lines) - 1 - number)
        out.append(
            f'<path stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}" d="M{LEFT + 12} {at - 4}h22"/>'
            f'<text x="{LEFT + 40}" y="{at}">{escape(name)}</text>'
        )
    return "\n".join([*out, "</svg>", ""])
