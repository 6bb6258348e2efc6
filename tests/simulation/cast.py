"""Who takes part in a simulation: people who comment, and a model that holds some of what they say."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from classifier.examples import Asked, Scored
from classifier.labels import LABELS
from moderation.comments.store import Keys
from moderation.comments.submission import check
from moderation.core.signing import Signer
from moderation.intake.admission import Arrival
from moderation.sites.site_settings import SiteSettings

EPOCH = 1_800_000_000_000
SIGNER = Signer(b"a secret key that only the tests know")
WORDS = (
    *("apple", "bread", "cloud", "dusk", "ember", "field", "grove", "heath", "ivory", "juniper", "kettle", "lantern"),
    *("meadow", "nettle", "orchard", "pebble", "quarry", "river", "sorrel", "thicket", "umber", "valley", "willow"),
)


class Model:
    """A table and a second reader: `odd` words are held by the table, `sneer` is seen by the reader alone."""

    reads_twice = reader = True
    problem, slow, version, served = None, "", "simulated", "simulated"
    thresholds = table_thresholds = dict.fromkeys(LABELS, 0.5)
    shorteners: frozenset[str] = frozenset()

    def __init__(self, happens: Callable[[str], bool]) -> None:
        self._happens = happens

    def load(self) -> None: ...

    def refresh(self) -> bool:
        return False

    def model(self, site: str) -> str:
        return self.version

    def score(self, asked: list[Asked], read: bool = True) -> list[Scored]:
        if self._happens("reader fails" if read else "table fails"):
            raise RuntimeError("a simulated fault")
        found = []
        for one in asked:
            high = "odd" in one.text or (read and "sneer" in one.text)
            found.append(Scored(dict.fromkeys(LABELS, 0.01) | {"insult": 0.9 if high else 0.01}, self.version))
        return found


@dataclass
class Person:
    """Who wants one comment stored, and asks until it is."""

    number: int
    kind: str
    arrival: Arrival
    id: str = ""
    approved: bool = False
    unsure: bool = False
    """An attempt ended without an answer: it may be stored or not."""
    statuses: set[str] = field(default_factory=set)
    """What the comment may be, after a moderator's decisions; empty without one."""

    def may_be(self) -> set[str]:
        return self.statuses or ({"approved", "pending"} if self.kind == "calm" else {"pending"})


def person(rng: random.Random, number: int) -> Person:
    kind = rng.choice(("calm", "calm", "odd", "sneer"))
    body = " ".join([kind, *rng.sample(WORDS, 8), str(number)])
    submission = check({"name": "Ann", "email": f"a{number}@example.org", "body": body}, SiteSettings())
    keys = Keys(
        author=SIGNER.author_key(submission.email, ""),
        network=SIGNER.network_key(f"198.51.100.{number}"),
        body=submission.body_key,
    )
    retry = (f"key-{number}", "hash")
    return Person(
        number, kind, Arrival(site="default", article=f"a{number % 2}", submission=submission, keys=keys, retry=retry)
    )
