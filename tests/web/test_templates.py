"""Every page with a hostile context: nothing unescaped comes through, and every control has its name."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

import moderation
from moderation.intake.texts import Words
from moderation.web.templating import templates_of
from tests.web.sample_pages import EVIL, SAMPLES

ROOT = Path(moderation.__file__).parent
VOID = {"area", "br", "hr", "img", "input", "link", "meta"}


def page(name: str) -> str:
    room, template, context = SAMPLES[name]
    return templates_of(ROOT).get_template(template).render(context | ({"t": Words()} if room == "public" else {}))


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.parents: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "tags that are never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), f"an attribute twice: {tag} {attrs}"
        self.elements.append((tag, dict(attrs)))
        self.parents.append(list(self.open))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open}"
        self.open.pop()

    def all(self, *tags: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.elements if tag in tags)


@pytest.mark.parametrize("name", SAMPLES)
def test_no_hostile_text_becomes_markup(name: str) -> None:
    out = page(name)
    assert "<script>" not in out
    assert "<img src=x" not in out
    read = Page(out)
    for tag, attributes in read.elements:
        assert tag != "style"
        assert "style" not in attributes
        assert not [key for key in attributes if key.startswith("on")]
    for script in read.all("script"):
        assert script.keys() == {"src", "defer"} or (
            script.get("type") == "module" and script.keys() == {"src", "type"}
        )
        assert str(script["src"]).startswith("/static/")
        assert list(ROOT.glob("*" + str(script["src"])))
    for image in read.all("img"):
        assert image["src"] in ("/avatars/00ff.svg", "/static/gate.svg")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_control_has_a_name_and_every_reference_a_target(name: str) -> None:
    read = Page(page(name))
    ids = [str(attributes["id"]) for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), "an id twice"
    labelled = {label.get("for") for label in read.all("label")}
    for control in read.all("input", "textarea", "select"):
        if control.get("type") != "hidden":
            assert control.get("id") in labelled, control
    for _, attributes in read.elements:
        for reference in ("for", "aria-labelledby", "aria-describedby"):
            for target in (attributes.get(reference) or "").split():
                assert target in ids, (reference, target)
    for link in read.all("a"):
        href = link["href"] or ""
        if href.startswith("#"):
            assert href[1:] in ids, href
    whole = int(name not in ("fragment", "row"))  # which stand within another page
    assert sum(1 for _ in read.all("main")) == whole
    assert sum(1 for _ in read.all("h1")) == whole


@pytest.mark.parametrize("name", SAMPLES)
def test_forms_do_not_nest_and_console_posts_carry_the_token(name: str) -> None:
    read = Page(page(name))
    for (tag, _), parents in zip(read.elements, read.parents, strict=True):
        assert not (tag in ("form", "a", "button") and tag in parents), (tag, parents)
    if SAMPLES[name][0] == "console":
        posts = sum(form.get("method") == "post" for form in read.all("form"))
        assert sum(field.get("name") == "csrf_token" for field in read.all("input")) == posts


def test_what_was_typed_is_still_there() -> None:
    out = page("form")
    assert out.count(Markup.escape(EVIL)) >= 4
    assert 'aria-describedby="reply-email-error"' in out
    assert f"Email: {Markup.escape(EVIL)}" in out
    assert "Leave a Reply to" in out and "Cancel reply" in out


def test_a_closed_form_says_so_and_has_nothing_to_send() -> None:
    out = page("form-closed")
    assert "Comments are closed." in out
    assert "<form" not in out


def test_a_reply_is_offered_down_to_the_fifth_level() -> None:
    out = page("demo")
    assert out.count('class="comment"') == 5
    assert [f"?parent=c{n}#" in out for n in range(1, 6)] == [True] * 4 + [False]
    assert out.count('rel="nofollow ugc noopener"') == 3


def test_the_empty_queue() -> None:
    assert "Nothing waits. Well done." in page("queue-empty")


def test_every_template_has_a_sample() -> None:
    pages = {f"{file.parent.parent.name}/{file.name}" for file in ROOT.glob("*/templates/[!_]*.html")}
    assert pages - {"web/page.html", "web/console.html"} == {shown for _, shown, _ in SAMPLES.values()}


def test_styles_ask_no_other_host() -> None:
    sheets = list(ROOT.glob("*/static/*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text()
        assert "url(" not in text and "@import" not in text


def test_files_that_pages_load_have_different_names() -> None:
    """All slices' files are at `/static/NAME`."""
    names = [file.name for file in ROOT.glob("*/static/*")]
    assert len(names) == len(set(names)) > 10


def classes_of(sheet: str) -> set[str]:
    selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", sheet, flags=re.DOTALL)
    return set(re.findall(r"\.([a-z][\w-]*)", selectors))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_links_the_styles_of_all_that_it_shows(name: str) -> None:
    """The base, and the sheet of each slice whose pieces it has. One base is for readers, one for the console."""
    shown = Page(page(name))
    linked = [str(link["href"]).rpartition("/")[2] for link in shown.all("link") if link["rel"] == "stylesheet"]
    if not linked:  # a piece of a page
        return
    base, *slices = linked
    assert base in ("page.css", "console.css") and len(set(linked)) == len(linked)
    room = {"page.css": ("comments", "intake", "demo", "docs"), "console.css": ("queue", "policy", "learning", "team")}[
        base
    ]
    used = {word for _, element in shown.elements for word in (element.get("class") or "").split()}
    text = {sheet.name: sheet.read_text() for sheet in ROOT.glob("*/static/*.css")}
    assert {f"{slice}.css" for slice in room} >= set(slices), "of this base"
    for slice in room:
        elsewhere = classes_of("".join(text[sheet] for sheet in linked if sheet != f"{slice}.css"))
        own = used & classes_of(text[f"{slice}.css"]) - elsewhere
        assert not own or f"{slice}.css" in slices, f"{slice}.css styles {own}"


@pytest.mark.parametrize("name", ["queue", "comment"])
def test_enter_in_a_checkbox_decides_nothing(name: str) -> None:
    # Browsers press the first submit button of a form at Enter, so the first one must ask for nothing.
    decide = page(name).split('action="/moderate/decisions"', 1)[1].split("</form>", 1)[0]
    first = next(button for button in Page(f"<div>{decide[decide.index('>') + 1 :]}</div>").all("button"))
    assert (first["name"], first["value"]) == ("action", "")
