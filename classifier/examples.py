"""What the classifier is asked, and what it is taught. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from classifier.labels import Scores


@dataclass(frozen=True, slots=True)
class Author:
    """What is known of who wrote a text. Never the whole email, never the IP."""

    name: str = ""
    url: str = ""
    email_domain: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One text to score; `site` picks that site's correction, if it has one."""

    text: str
    author: Author = Author()
    site: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer: a probability per label and the version of the model that gave it."""

    scores: Scores
    model: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why a label's score is what it is: `weight` (log-odds; above 0 raises) and code-point spans into the text.

    share: how much of all that raised or lowered the label this is, 0..1."""

    label: str
    feature: str
    weight: float
    spans: tuple[tuple[int, int], ...] = ()
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is known of it. A label that is absent is unknown, not negative."""

    text: str
    labels: Mapping[str, float]
    author: Author = Author()
    source: str = ""
    group: str = ""
    """Texts of one group (a blog, a video, a thread) never stand on both sides of a split."""
    author_key: str = ""
    """An opaque name for who wrote it, so that one author cannot teach too much."""
    when: float = field(default=0.0)
    """Unix seconds of the decision, for splits by time."""
