"""A base model and a site's correction, opened and ready to score. numpy only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifier import kernel, memory, registry
from classifier.author import NAME_READ, AuthorReader, website_words
from classifier.combine import LIMIT, Combine
from classifier.examples import Asked, Author
from classifier.hashing import BUCKETS, ROWS, SITE_BUCKETS, Hasher
from classifier.hidden import Hidden
from classifier.kernel import Kernel
from classifier.known_spam import FILE as KNOWN_FILE
from classifier.known_spam import KnownSpam
from classifier.labels import LABELS
from classifier.linear import FINGERPRINTS_FILE, VIEWS, Floats, Table
from classifier.markup import plain
from classifier.reader import Reading, open_reader
from classifier.reader_input import Masker
from classifier.registry import Array, Folder, ModelError
from classifier.sentences import FILE as VECTORS_FILE
from classifier.sentences import Sentences
from classifier.structure import Structure
from classifier.together import Together
from classifier.views import Fold, as_written, normalised


class Base:
    """One base model, ready to score: the table, and the second reader of a version that has one, unless `reader` is False."""

    def __init__(self, folder: Folder, reader: bool = True) -> None:
        weights, bias = folder.arrays.get("weights"), folder.arrays.get("bias")
        if weights is None or weights.shape != (VIEWS, ROWS, len(LABELS) + 1) or weights.dtype != np.float16:
            raise ModelError(f"{folder.version}/weights.npy is not of the shape this program reads")
        if bias is None or bias.shape != (VIEWS, len(LABELS)):
            raise ModelError(f"{folder.version}/bias.npy is not of the shape this program reads")
        fingerprints = folder.arrays.get(FINGERPRINTS_FILE)
        if fingerprints is None or fingerprints.shape != (BUCKETS,) or fingerprints.dtype != np.uint8:
            raise ModelError(f"{folder.version}/{FINGERPRINTS_FILE}.npy is not of the shape this program reads")
        try:
            hidden = Hidden.read(folder.arrays)
        except ValueError as error:
            raise ModelError(f"{folder.version}/{error}.npy is not of the shape this program reads") from None
        try:
            if folder.card["labels"] != list(LABELS):
                raise ModelError(f"{folder.version} has other labels than this program")
            self.fold = Fold(folder.data["confusables"])
            self.structure = Structure(folder.data["shorteners"], folder.data["disposable"])
            # float32 in memory: half the time of converting what each text needs (31 µs against 87 µs a text)
            rows = memory.zeros((ROWS, VIEWS, len(LABELS) + 1), np.float32)
            rows[:] = weights.swapaxes(0, 1)
            hasher = Hasher(folder.data["identity"], np.array(fingerprints))
            self.table = Table(rows.swapaxes(0, 1), np.array(bias), hasher, hidden)
            self.combine = Combine(folder.card["calibration"])
            self.kernel = None if kernel.problem() else Kernel(self.table, self.fold, self.combine)
            self.thresholds: dict[str, float] = {label: float(folder.card["thresholds"][label]) for label in LABELS}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"{folder.version}/card.json lacks something: {error}") from None
        try:
            self.known_spam = KnownSpam(folder.arrays.get(KNOWN_FILE, np.zeros(0, np.uint32)), self.fold)
        except ValueError as error:
            raise ModelError(f"{folder.version}/{error}") from None
        self.sentences = _sentences(folder)
        """How a site's correction reads sentence vectors; None in a version whose anchors have none."""
        self._author = author_correction(folder, self)
        self._author_reader = AuthorReader(self._author_log_odds)
        self.version = folder.version
        self.checksum = folder.checksum
        self.folder = folder
        masker = Masker(folder.data["identity"], self.fold)
        self.reader = open_reader(folder, masker, self.badness) if reader else None
        if self.reader and self.sentences and self.sentences.width != self.reader.width:
            raise ModelError(f"{folder.version}/{VECTORS_FILE}.npy is not of the shape this program reads")
        self.together: Together | None = None
        self.read_thresholds = self.thresholds
        """Of table and reader together; the table's without a reader."""
        if self.reader:
            self.together, self.read_thresholds = _together(folder)

    def log_odds(self, asked: Sequence[Asked], sites: Sequence[Correction | None] = ()) -> Floats:
        """[texts, labels]; `sites`: per text the correction of its site, or None."""
        texts = [plain(one.text) for one in asked]
        shape = self.structure.rows(texts, [one.author for one in asked])
        if not any(sites):
            return self._log_odds(texts, shape, None)
        out = np.empty((len(texts), len(LABELS)), np.float32)
        for correction in {id(one): one for one in sites}.values():
            mine = [number for number, one in enumerate(sites) if one is correction]
            out[mine] = self._log_odds([texts[number] for number in mine], shape[mine], correction)
        return out

    def read(
        self, asked: Sequence[Asked], sites: Sequence[Correction | None] = (), reading: Reading | None = None
    ) -> Floats:
        """[texts, labels] log-odds by table and reader together; the table's alone in a version without a reader. A site's
        correction is added to them as it is to the table's, with what it learnt of sentences. reading: of these texts, where they
        are read already."""
        corrected = self.log_odds(asked, sites)
        if self.reader is None or self.together is None:
            return corrected
        table = self.log_odds(asked) if any(sites) else corrected
        reading = self.reader.read([one.text for one in asked]) if reading is None else reading
        moved = corrected - table
        if self.sentences and any(one and one.vector_weights is not None for one in sites):
            sentences = self.sentences.features(reading.vectors, reading.scripted)
            for number, one in enumerate(sites):  # a row at a time: a text's score depends on no other text
                if one and one.vector_weights is not None:
                    moved[number] = np.clip(moved[number] + sentences[number] @ one.vector_weights, -LIMIT, LIMIT)
        return self.together.log_odds(table, reading) + moved

    def badness(self, texts: Sequence[str]) -> Floats:
        """[texts] how far the label that is nearest to being held stands above its threshold, by the table."""
        held = np.array([min(max(self.thresholds[label], 1e-6), 1 - 1e-6) for label in LABELS])
        above = self.log_odds([Asked(text) for text in texts]) - np.log(held / (1 - held))
        return np.asarray(above.max(axis=1), dtype=np.float32)

    def author_log_odds(self, authors: Sequence[Author]) -> list[dict[str, Floats]]:
        """Per author `name` and `url` → [labels] log-odds, of the fields that are given. Empty for a version that does not read
        them."""
        if self._author is None:
            return [{} for _ in authors]
        fields = [
            {"name": one.name[:NAME_READ].strip(), "url": website_words(one.url) if one.url else ""} for one in authors
        ]
        texts = [text for given in fields for text in given.values() if text]
        scores = iter(self._author_reader.log_odds(texts))
        return [{field: next(scores) for field, text in given.items() if text} for given in fields]

    def _author_log_odds(self, texts: Sequence[str]) -> Floats:
        shape = self.structure.rows(texts, [Author()] * len(texts))
        return self._log_odds(texts, shape, self._author)

    def _log_odds(self, texts: Sequence[str], shape: Floats, correction: Correction | None) -> Floats:
        """By the kernel where there is one, else by numpy."""
        if built := correction.kernel if correction else self.kernel:
            return built.log_odds(texts, shape)
        views = [as_written(text) for text in texts], [normalised(text, self.fold) for text in texts]
        linear = self.table.score(views, [correction.weights] * len(texts) if correction else ())
        if correction:
            linear.site[:] += correction.shift
        return self.combine.log_odds(linear, shape)


@dataclass(frozen=True, slots=True)
class Correction:
    """The correction of one site. weights: [SITE_BUCKETS, labels]; shift: [labels], added to every text of the site; vector_weights:
    [width, labels], of sentence vectors, which only a base with a reader reads."""

    version: str
    weights: Floats
    shift: Floats
    card: Mapping[str, Any]
    kernel: Kernel | None
    vector_weights: Floats | None = None


def author_correction(folder: Folder, base: Base) -> Correction | None:
    """The correction for names and websites, of a version that has one. Raises ModelError."""
    spam, shift = folder.arrays.get("author_spam"), folder.arrays.get("author_shift")
    if spam is None and shift is None:
        return None
    if spam is None or spam.shape != (SITE_BUCKETS,) or not np.isfinite(spam).all():
        raise ModelError(f"{folder.version}/author_spam.npy is not of the shape this program reads")
    if shift is None or shift.shape != (len(LABELS),) or not np.isfinite(shift).all():
        raise ModelError(f"{folder.version}/author_shift.npy is not of the shape this program reads")
    weights = np.zeros((SITE_BUCKETS, len(LABELS)), np.float32)
    weights[:, LABELS.index("spam")] = spam
    return correction_of(base, folder.version, {"weights": weights, "shift": shift}, folder.card)


def _together(folder: Folder) -> tuple[Together, dict[str, float]]:
    """The stage of table and reader, and the thresholds of both. Raises ModelError."""
    about = folder.card["reader"]
    try:
        return Together(about["stages"]), {label: float(about["thresholds"][label]) for label in LABELS}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder.version}/card.json lacks something of the reader: {error}") from None


def open_base(models: Path | None, version: str | None = None, reader: bool = True) -> Base:
    """The base that the operator's folder points to, else the shipped one; or a version of either by name. reader: whether the
    second reader of a version that has one is opened too. Raises ModelError."""
    if version is not None:
        own = models is not None and (models / version).is_dir()
        return Base(registry.read(models if own and models else registry.SHIPPED, version), reader)
    home = base_home(models)
    name = registry.pointer(home)
    if name is None:
        raise ModelError("the model folder has no `current`")
    return Base(registry.read(home, name), reader)


def base_home(models: Path | None) -> Path:
    """The folder whose pointer names the base: the operator's if it has a pointer, even a broken one, else the package's."""
    if models is None or (models.is_dir() and not os.path.lexists(models / "current")) or not os.path.lexists(models):
        return registry.SHIPPED
    return models


def open_correction(folder: Path, version: str, base: Base) -> Correction:
    """One correction. Raises ModelError, also for a correction of another base."""
    read = registry.read(folder, version)
    if read.card.get("base") != base.checksum:
        raise ModelError(f"{version} corrects another base than {base.version}, so it is ignored")
    weights = read.arrays.get("weights")
    if weights is None or weights.shape != (SITE_BUCKETS, len(LABELS)) or not np.isfinite(weights).all():
        raise ModelError(f"{version}/weights.npy is not of the shape this program reads")
    shift = read.arrays.get("shift", np.zeros(len(LABELS), np.float32))
    if shift.shape != (len(LABELS),) or not np.isfinite(shift).all():
        raise ModelError(f"{version}/shift.npy is not of the shape this program reads")
    vectors = read.arrays.get("vector_weights")
    if vectors is not None:
        width = base.sentences.width if base.sentences else 0
        if vectors.shape != (width, len(LABELS)) or not np.isfinite(vectors).all():
            raise ModelError(f"{version}/vector_weights.npy is not of the shape this program reads")
    return correction_of(base, version, read.arrays | {"shift": shift}, read.card)


def correction_of(base: Base, version: str, arrays: Mapping[str, Array], card: Mapping[str, Any]) -> Correction:
    """A correction of `base`, ready to score, from the arrays that a folder keeps."""
    weights, shift = arrays["weights"].astype(np.float32), arrays["shift"].astype(np.float32)
    own = Kernel(base.table, base.fold, base.combine, weights, shift) if base.kernel else None
    vectors = arrays["vector_weights"].astype(np.float32) if "vector_weights" in arrays else None
    return Correction(version, weights, shift, card, own, vectors)


def _sentences(folder: Folder) -> Sentences | None:
    """How sentence vectors are read, of a version whose anchors have some. Raises ModelError."""
    vectors, starts = folder.arrays.get(VECTORS_FILE), folder.arrays.get("anchor_start")
    if vectors is None:
        return None
    try:
        if starts is None or len(vectors) != len(starts) - 1:
            raise ValueError(VECTORS_FILE)
        return Sentences(np.array(vectors))
    except ValueError as error:
        raise ModelError(f"{folder.version}/{error}.npy is not of the shape this program reads") from None
