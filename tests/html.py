"""Pages as tests read them: through a parser, by element, field, link and words."""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag


def words(element: Tag) -> str:
    """The text of an element as a reader sees it: character references resolved, white space folded."""
    return " ".join(element.get_text().split())


def attribute(element: Tag, name: str) -> str:
    """Of an element that has it. Raises AssertionError for one that does not."""
    value = element.get(name)
    assert value is not None, f"no {name} on {element}"
    return value if isinstance(value, str) else " ".join(value)


class Page:
    """A document or a fragment of one. Selectors are CSS."""

    def __init__(self, source: str) -> None:
        self.root = BeautifulSoup(source, "html.parser")

    def all(self, selector: str) -> list[Tag]:
        return list(self.root.select(selector))

    def has(self, selector: str) -> bool:
        return self.root.select_one(selector) is not None

    def one(self, selector: str) -> Tag:
        """Raises AssertionError unless there is exactly one."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector} in {self.root}"
        return found[0]

    def texts(self, selector: str) -> list[str]:
        """What each of these elements says, in the order of the page."""
        return [words(element) for element in self.all(selector)]

    def text(self, selector: str = "body") -> str:
        """What the one element says."""
        return words(self.one(selector))

    def attributes(self, selector: str, name: str) -> list[str]:
        """The attribute of each of these elements, in the order of the page."""
        return [attribute(element, name) for element in self.all(selector)]

    def form(self, action: str) -> Form:
        """The one form that is sent to this address."""
        return Form(self.one(f'form[action="{action}"]'))

    def value(self, name: str) -> str:
        """What the fields of this name hold. Several forms may carry it, all with one value."""
        values = {value_of(field) for field in self.all(f'[name="{name}"]')}
        assert len(values) == 1, f"{name}: {values or 'no such field'} in {self.root}"
        return values.pop()

    def link(self, label: str) -> str:
        """Where the links of these words lead, all to one place."""
        found = {attribute(a, "href") for a in self.all("a[href]") if words(a) == label}
        assert len(found) == 1, f"{label}: {found or 'no such link'} in {self.root}"
        return found.pop()


class Form(Page):
    """One form of a page."""

    def __init__(self, element: Tag) -> None:
        super().__init__(str(element))

    def filled(self) -> dict[str, str]:
        """Name → value of what a browser sends when nothing is changed and no button is named."""
        return {
            attribute(field, "name"): value_of(field)
            for field in self.all("input[name], textarea[name], select[name]")
            if field.get("type") not in ("checkbox", "radio", "submit") or field.has_attr("checked")
        }


def value_of(field: Tag) -> str:
    """As a browser would send it: an area without its first line break, a list's chosen option."""
    if field.name == "textarea":
        return field.get_text().removeprefix("\n")
    if field.name == "select":
        options = field.select("option")
        chosen = [option for option in options if option.has_attr("selected")] or options[:1]
        return str(chosen[0].get("value", words(chosen[0]))) if chosen else ""
    return str(field.get("value", "on" if field.get("type") == "checkbox" else ""))


def csrf(source: str) -> str:
    """The token that the forms of a page carry."""
    return Page(source).value("csrf_token")
