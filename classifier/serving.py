"""Scores texts with the current base and each site's correction; safe to call from several threads. numpy only, but for the
second reader of a version that has one.

All that is loaded belongs to one immutable object, which is replaced as a whole. So a batch sees one model from its first text to
its last, and the last good version serves while a new one is broken.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from classifier import kernel, registry
from classifier.base import Base, Correction, base_home, open_base, open_correction
from classifier.combine import probability
from classifier.examples import Asked, Attribution, Scored
from classifier.explain import attributions
from classifier.known_spam import ASKED_FROM, LOG_ODDS, KnownSpam
from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.registry import ModelError
from classifier.views import LONGEST

__all__ = ["Base", "Classifier", "Correction", "ModelError", "open_base", "open_correction"]

SPAM = LABELS.index("spam")
MOST_READ, OVERLAP = 65_536, 500
"""Characters of one text that are read at most, and that two neighbouring pieces of it share."""
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Live:
    base: Base
    sites: Mapping[str, Correction] = field(default_factory=dict)


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def with_authors(log_odds: Floats, authors: Sequence[Mapping[str, Floats]]) -> list[dict[str, str]]:
    """Raises each row of `log_odds`, [texts, labels], to what its author's name and website reach, in place; returns per text the
    labels where one of them is higher than the text, with the field."""
    fields: list[dict[str, str]] = []
    for row, author in zip(log_odds, authors, strict=True):
        higher: dict[str, str] = {}
        for field_name, scores in author.items():
            above = scores > row
            if above.any():
                row[above] = scores[above]
                higher |= dict.fromkeys((LABELS[column] for column in np.flatnonzero(above)), field_name)
        fields.append(higher)
    return fields


def with_known_spam(log_odds: Floats, asked: Sequence[Asked], memory: KnownSpam) -> list[dict[str, str]]:
    """Raises the spam of known texts in place; returns per text the label where that is higher than it was, with `known`."""
    raised = []
    for row, one in zip(log_odds, asked, strict=True):
        higher = ASKED_FROM <= row[SPAM] < LOG_ODDS and memory.knows(one.text)
        if higher:
            row[SPAM] = LOG_ODDS
        raised.append({"spam": "known"} if higher else {})
    return raised


def in_pieces(asked: Sequence[Asked]) -> tuple[Sequence[Asked], list[range]]:
    """Texts longer than the model reads as overlapping pieces, and for each text the places of its pieces."""
    if all(len(one.text) <= LONGEST for one in asked):
        return asked, [range(at, at + 1) for at in range(len(asked))]
    pieces, places = list[Asked](), list[range]()
    for one in asked:
        begins = range(0, max(1, min(len(one.text), MOST_READ) - OVERLAP), LONGEST - OVERLAP)
        places.append(range(len(pieces), len(pieces) + len(begins)))
        pieces += [Asked(one.text[at : at + LONGEST], one.author, one.site) for at in begins]
    return pieces, places


def scored(base: Base, asked: Sequence[Asked], sites: Sequence[Correction | None], read: bool = True) -> list[Scored]:
    """As `Classifier.score`, by one base. sites: per text the correction of its site, or None."""
    pieces, starts = in_pieces(asked)
    of_pieces = [site for site, at in zip(sites, starts, strict=True) for _ in range(at.stop - at.start)]
    score = base.read if read else base.log_odds
    log_odds = score(pieces, of_pieces if any(sites) else ())
    if len(pieces) > len(asked):  # nothing hides behind filler: the highest piece counts
        log_odds = np.maximum.reduceat(log_odds, [at.start for at in starts], axis=0)
    known = with_known_spam(log_odds, asked, base.known_spam)
    fields = with_authors(log_odds, base.author_log_odds([one.author for one in asked]))
    version = base.version
    return [
        Scored(
            dict(zip(LABELS, row, strict=True)),
            f"{version}+{one_asked.site}.{one.version}" if one else version,
            before | higher,
        )
        for row, one, one_asked, before, higher in zip(
            probability(log_odds).tolist(), sites, asked, known, fields, strict=True
        )
    ]


class Classifier:
    """models: the operator's model folder, which need not exist; None = the shipped base alone. reader: whether a version's second
    reader reads too."""

    def __init__(self, models: Path | None = None, reader: bool = True) -> None:
        self.models = models
        self.reader = reader
        self.problem: str | None = None
        self._live: _Live | None = None
        self._stamps: list[Stamp] = []
        self._shipped = str(registry.SHIPPED / "current")
        self._own = str(models / "current") if models else ""
        self._sites = str(models / "sites") if models else ""
        self._sites_listed: Stamp = None
        self._site_pointers: list[str] = []
        self._bad_base: str | None = None
        self._bad_sites: dict[str, str] = {}

    @property
    def version(self) -> str:
        """The version of the serving base; "" before `load`."""
        return self._live.base.version if self._live else ""

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Label → the probability from which a comment is held, from held-out data; of all that the version has to read with."""
        return self._loaded().base.read_thresholds

    @property
    def table_thresholds(self) -> Mapping[str, float]:
        """The same for scores of the table alone."""
        return self._loaded().base.thresholds

    @property
    def reads_twice(self) -> bool:
        """Whether the version has a second reader, and it is open."""
        return self._loaded().base.reader is not None

    @property
    def shorteners(self) -> frozenset[str]:
        """Host names of link shorteners."""
        return self._loaded().base.structure.shorteners

    @property
    def slow(self) -> str:
        """Why scoring is slow; "" where the kernel serves."""
        return "" if self._loaded().base.kernel else f"{kernel.problem()}, so numpy scores: {kernel.BUILD}"

    def load(self) -> None:
        """Reads the base and every site's correction. A broken correction is skipped and named by `problem`. Raises ModelError."""
        if self._live is None:
            stamps = self._look()
            base = open_base(self.models, reader=self.reader)
            self._live = _Live(base, self._read_sites(base))
            self._stamps = stamps
            self._tell()

    def refresh(self) -> bool:
        """Loads versions whose pointers have moved, at the cost of one stat per pointer. Whether anything changed."""
        live = self._loaded()
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        base = live.base
        self._bad_base = None
        try:
            name = registry.pointer(base_home(self.models))
            if name != base.version:
                base = open_base(self.models, reader=self.reader)
        except ModelError as error:
            self._bad_base = str(error)
        sites = self._read_sites(base, live)
        self._tell()
        after = _Live(base, sites)
        changed = base is not live.base or {k: v.version for k, v in sites.items()} != {
            k: v.version for k, v in live.sites.items()
        }
        self._live = after
        return changed

    def score(self, asked: Sequence[Asked], read: bool = True) -> list[Scored]:
        """A finite probability per label for each text, in order. Any text is legal. read: with the second reader, where the version
        has one; else the table answers alone, and `table_thresholds` are its thresholds."""
        live = self._loaded()
        if not asked:
            return []
        sites = [live.sites.get(one.site) if one.site else None for one in asked]
        return scored(live.base, asked, sites, read)

    def explain(self, asked: Asked, model: str | None = None) -> list[Attribution]:
        """Per label the strongest attributions up and down, with spans into the text. model: an earlier version, if it is still kept."""
        live = self._loaded()
        base, correction = live.base, live.sites.get(asked.site) if asked.site else None
        if model is not None:
            name, _, rest = model.partition("+")
            if name != base.version:
                base, correction = open_base(self.models, name, reader=False), None
            version_asked = rest.rpartition(".")[2]
            if not version_asked:
                correction = None
            elif self.models is not None and (correction is None or correction.version != version_asked):
                correction = open_correction(registry.site_folder(self.models, asked.site), version_asked, base)
        return attributions(base, asked, correction.weights if correction else None)

    def serving(self, site: str) -> str:
        """The version that serves a site: its correction, else the base."""
        live = self._loaded()
        return live.sites[site].version if site in live.sites else live.base.version

    def model(self, site: str) -> str:
        """The name of the model that a score on this site carries: `BASE`, or `BASE+SITE.CORRECTION`."""
        live = self._loaded()
        return f"{live.base.version}+{site}.{live.sites[site].version}" if site in live.sites else live.base.version

    @property
    def served(self) -> str:
        """All that serves, in one name: `BASE`, with a digest of the sites' corrections where there are any."""
        live = self._loaded()
        corrections = "\n".join(f"{site} {one.version}" for site, one in sorted(live.sites.items()))
        return live.base.version + (
            f"+{blake2b(corrections.encode(), digest_size=4).hexdigest()}" if corrections else ""
        )

    def versions(self, site: str = "") -> list[str]:
        """What `at` takes: the kept bases, the shipped one, and this site's corrections."""
        versions = [kept.version for kept in registry.listed(registry.SHIPPED)]
        if self.models is not None:
            versions += [kept.version for kept in registry.listed(self.models)]
            versions += [kept.version for kept in registry.versions(self.models, site)] if site else []
        return list(dict.fromkeys(versions))

    def at(self, version: str, site: str = "") -> Classifier:
        """Another version, beside the one that serves and never in its place: a base as it is, or this site's correction
        on the base that serves. Raises ModelError. It stays what it is: no `refresh`."""
        if not registry.is_version(version):
            raise ModelError("that is not the name of a version")
        live, other = self._loaded(), Classifier(self.models, self.reader)
        if site and self.models is not None and (registry.site_folder(self.models, site) / version).is_dir():
            correction = open_correction(registry.site_folder(self.models, site), version, live.base)
            other._live = _Live(live.base, {site: correction})
        else:
            other._live = _Live(open_base(self.models, version, self.reader))
        return other

    def _loaded(self) -> _Live:
        if self._live is None:
            raise ModelError("no model is loaded")
        return self._live

    def _look(self) -> list[Stamp]:
        """What the pointers are now. A stat each, and a listing only when a site came or went: about a microsecond each."""
        if self.models is None:
            return [_stamp(self._shipped)]
        sites = _stamp(self._sites)
        if sites != self._sites_listed:
            self._sites_listed = sites
            with suppress(OSError):
                self._site_pointers = sorted(os.path.join(one.path, "current") for one in os.scandir(self._sites))
        return [_stamp(self._shipped), _stamp(self._own), sites, *map(_stamp, self._site_pointers)]

    def _read_sites(self, base: Base, live: _Live | None = None) -> dict[str, Correction]:
        corrections: dict[str, Correction] = {}
        self._bad_sites = {}
        if self.models is None or not (self.models / "sites").is_dir():
            return corrections
        for folder in sorted((self.models / "sites").iterdir()):
            site = unquote(folder.name)
            before = live.sites.get(site) if live and live.base is base else None
            try:
                version = registry.pointer(folder)
                if version is None or version == registry.BARE:
                    continue
                same = before is not None and before.version == version
                corrections[site] = before if same and before else open_correction(folder, version, base)
            except ModelError as error:
                self._bad_sites[site] = str(error)
                if before is not None:
                    corrections[site] = before
        return corrections

    def _tell(self) -> None:
        problems = [self._bad_base] if self._bad_base else []
        problems += [f"site {site}: {what}" for site, what in self._bad_sites.items()]
        self.problem = "; ".join(problems) or None
