"""People's names, to teach how names are read and to measure how many real ones are held.

    python -m benchmarks.names write names.txt       names for `python -m classifier fit-author --names names.txt`
    python -m benchmarks.names measure               the share of other real names that the shipped model would hold

Names come from the packages `names-dataset` (first and last names of 30 countries, counted on a social network) and `faker` (names
of some 70 locales), which are wanted in the environment. Every first and last name of `names-dataset` belongs by its hash to one of
two halves: one is written to be learnt from, the other is only ever measured on.
"""

from __future__ import annotations

import random
import sys
from hashlib import blake2b
from pathlib import Path

from classifier.examples import Asked, Author
from classifier.labels import LABELS
from classifier.serving import Classifier

COUNTRIES = [
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "PL",
    "TR",
    "BR",
    "MX",
    "IN",
    "NG",
    "ZA",
    "RU",
    "CN",
    "JP",
    "KR",
    "SA",
    "EG",
    "ID",
    "MY",
    "PH",
    "SE",
    "FI",
    "CZ",
    "HU",
    "GR",
    "IL",
    "IR",
]
MOST_FREQUENT, OF_A_COUNTRY, OF_A_LOCALE = 1_500, 1_000, 700
LEARNT, MEASURED = 0, 1


def half(name: str) -> int:
    return blake2b(name.lower().encode(), digest_size=1).digest()[0] & 1


def real_names(which: int, of_a_country: int = OF_A_COUNTRY) -> list[str]:
    """As people write themselves: first and last name, one of them, an initial, a handle."""
    from names_dataset import NameDataset

    names, rng = NameDataset(), random.Random(17)
    written = []
    for country in COUNTRIES:
        given = names.get_top_names(n=MOST_FREQUENT, country_alpha2=country)[country]
        family = names.get_top_names(n=MOST_FREQUENT, use_first_names=False, country_alpha2=country)[country]
        firsts = [name for name in given["M"] + given["F"] if half(name) == which]
        lasts = [name for name in family if half(name) == which]
        for _ in range(of_a_country):
            first, last = rng.choice(firsts), rng.choice(lasts)
            handle = f"{first.lower()}{rng.randrange(100):02}"
            forms = (
                f"{first} {last}",
                first,
                f"{first} {last[0]}.",
                handle,
                f"{first}_{last}".lower(),
                f"{first[0]}. {last}",
            )
            written += rng.choices(forms, (60, 20, 7, 6, 4, 3))
    return written


def made_names() -> list[str]:
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    written = []
    for locale in sorted(AVAILABLE_LOCALES):
        person = Faker(locale)
        person.seed_instance(17)
        for number in range(OF_A_LOCALE):
            forms = (person.name, person.first_name, person.user_name, person.name)
            written.append(" ".join(forms[number % len(forms)]().split()))
    return written


def measure() -> None:
    classifier = Classifier()
    classifier.load()
    names = sorted(set(real_names(MEASURED)))
    held = []
    for low in range(0, len(names), 256):
        part = names[low : low + 256]
        asked = [Asked("", Author(name)) for name in part]
        for name, scored in zip(part, classifier.score(asked), strict=True):
            above = [
                label
                for label in LABELS
                if scored.fields.get(label) and scored.scores[label] >= classifier.thresholds[label]
            ]
            held += [(name, above)] if above else []
    print(f"{classifier.version}: {len(held)} of {len(names)} real names held, {len(held) / len(names):.3%}")
    for name, above in held:
        print(f"  {name}: {', '.join(above)}")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["write", path]:
            names = sorted({*real_names(LEARNT), *made_names()})
            Path(path).write_text("\n".join(names) + "\n", "utf-8")
            print(f"{len(names)} names")
        case ["measure"]:
            measure()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
