"""How a page looks: to axe (WCAG 2.2 AA and its best practices) and by its width; narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDTHS, SCHEMES = (360, 1280), ("light", "dark")

WRONG = """async () => {
    // a page hears of another scheme as it draws its next picture; the one that it is at may be too old
    for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
    return (await axe.run({ resultTypes: ["violations"] })).violations;
}"""
"""Only this comes back: what is right is hundreds of kilobytes, and half of the time."""


def look(page: Page, what: str, directions: Sequence[str] = (), also: Callable[[], object] = lambda: None) -> None:
    """Nothing is wrong in any of them. Where directions are given (`ltr`, `rtl`), the page is turned to each.

    also: what else to look at in each, when the page has heard of its scheme."""
    if page.evaluate("typeof axe") == "undefined":  # once a page: it is half a megabyte
        page.evaluate(AXE_SCRIPT)
    for direction in directions or ("as it is",):
        if directions:
            page.evaluate("(dir) => { document.documentElement.dir = dir }", direction)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                wrong = page.evaluate(WRONG)
                told = "\n".join(f"{w['id']}: {w['help']}: {[node['html'] for node in w['nodes']]}" for w in wrong)
                assert not wrong, f"{what}, {direction}, {width}, {scheme}:\n{told}"
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wide <= 0, f"{what}, {direction}, is {wide} px too wide at {width} px"
                also()
