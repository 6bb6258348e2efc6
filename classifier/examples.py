"""The questions and answers of the classifier, and the examples that it learns from. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from classifier.labels import Scores
from classifier.values import value


@value(frozen=True, slots=True)
class Author:
    """The author of a text, without the local part of the email and without the IP."""

    name: str = ""
    url: str = ""
    email_domain: str = ""


NOBODY = Author()


@value(frozen=True, slots=True)
class Asked:
    """One text to score. site: whose correction applies, if it has one."""

    text: str
    author: Author = NOBODY
    site: str = ""


@value(frozen=True, slots=True)
class Scored:
    """A probability per label, the highest of text, name and website, and the version of the model that gave them."""

    scores: Scores
    model: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """Label → `name` or `url`, where that is higher than the text, or `known`, where the text is known spam."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The part of a label's score that one feature carries.

    weight: log-odds, above 0 where it raises the score; spans: code points of the text; share: of the absolute weights of all
    features of the label, 0..1."""

    label: str
    feature: str
    weight: float
    spans: tuple[tuple[int, int], ...] = ()
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its labels. An absent label is unknown."""

    text: str
    labels: Mapping[str, float]
    author: Author = NOBODY
    source: str = ""
    group: str = ""
    """A blog, a video, a thread. All texts of a group stand on one side of a split."""
    author_key: str = ""
    """An opaque name of the author, by which the decisions on one author are counted."""
    when: float = field(default=0.0)
    """Unix seconds of the decision, for splits by time."""
