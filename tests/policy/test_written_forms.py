"""Markup is neutral: a comment has one score, whether it came as JSON, from WordPress's form, from an import or out of a corpus."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.base import Base, open_base
from classifier.examples import Asked
from moderation.text import body

SAYINGS = [
    ("I {b}really{/b} liked the part about {a}the compost heap{/a}, thank you.", "https://garden.example/compost"),
    ("Buy {b}cheap pills{/b} at {a}our pharmacy{/a} now & save 70 %!", "http://www.pills.example/buy-now/"),
    ("You {b}stupid{/b} idiot, read {a}this{/a} before you write.", "https://news.example/a_long_story?page=2"),
    ("Merci {b}beaucoup{/b}, voir {a}mon blog{/a} & à bientôt.", "http://blog.example/"),
    ("Спасибо за {b}статью{/b}, вот {a}мой ответ{/a}.", "https://ru.example/otvet"),
]
FORMS = {
    "no emphasis, the address bare": (body.MARKDOWN, "", "", "{words} {to}"),
    "Markdown": (body.MARKDOWN, "**", "**", "[{words}]({to})"),
    "other Markdown": (body.MARKDOWN, "_", "_", "[{words}](<{to}> 'more')"),
    "HTML where Markdown is read": (body.MARKDOWN, "<strong>", "</strong>", '<a href="{to}">{words}</a>'),
    "BBCode": (body.MARKDOWN, "[b]", "[/b]", "[url={to}]{words}[/url]"),
    "WordPress's form": (body.HTML, "<strong>", "</strong>", '<a href="{to}" rel="nofollow">{words}</a>'),
    "WordPress's form, other tags": (body.HTML, "<em>", "</em>", "<a href='{to}' title='x'>{words}</a>"),
    "an import": (body.HTML, "<p><b>", "</b>", '<a href="{to}">{words}</a>'),
}


@pytest.fixture(scope="module")
def shipped() -> Base:
    return open_base(None)


def written(saying: str, to: str, form: tuple[str, str, str, str]) -> str:
    format, begin, end, link = form
    head, _, rest = saying.partition("{a}")
    words, _, tail = rest.partition("{/a}")
    text = f"{head}{link.format(words=words, to=to)}{tail}".replace("{b}", begin).replace("{/b}", end)
    if format == body.HTML:
        text = text.replace(" & ", " &amp; ")
    return body.plain(text, format)


@pytest.mark.parametrize(("saying", "to"), SAYINGS)
def test_the_form_of_a_comment_moves_no_score(shipped: Base, saying: str, to: str) -> None:
    asked = [Asked(written(saying, to, form)) for form in FORMS.values()]
    spread = np.ptp(shipped.read(asked), axis=0)
    assert spread.max() < 0.1, dict(zip(FORMS, shipped.read(asked)[:, 0].tolist(), strict=True))


@pytest.mark.parametrize(
    "mark", ["<b>{}</b>", "<strong>{}</strong>", "**{}**", "*{}*", "[b]{}[/b]", "<p>{}</p>", "`{}`"]
)
def test_emphasis_tells_nothing(shipped: Base, mark: str) -> None:
    text = "The second chapter was the best one."
    both = shipped.read([Asked(text), Asked(body.plain(mark.format(text), body.MARKDOWN))])
    assert np.abs(both[0] - both[1]).max() < 0.1
