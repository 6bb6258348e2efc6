"""Corpora → what the reader trains on: the table's rows and sources of its own, in three roles.

`TRAIN` rows are read by the training. `STAGE` rows were seen by neither table nor reader; the stage that joins both and the
thresholds are fitted on them. `REPORT` rows are for reports only. Texts of test files are in none of them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.examples import Example
from classifier.identity import TERMS
from classifier.labels import LABELS
from classifier.reader_input import Masker
from classifier.training import attack, corpora, parts, synthetic
from classifier.training.corpora import Source
from classifier.training.dataset import FEW, SYNTHETIC_OF_FEW, hashed, key, load_rows
from classifier.training.matrix import targets
from classifier.views import Fold

Floats = npt.NDArray[np.float32]

TRAIN, STAGE, REPORT = 0, 1, 2
STAGE_SHARE, REPORT_SHARE = 10, 5
"""Percent of the groups of a source that only the reader has."""
IDENTITY = LABELS.index("identity_attack")
DISGUISED = 0.35
"""Share of the training texts that are disguised: by padding half of the time, since the normalised view undoes most other
disguises, and swapped letters are the costliest of the rest."""
SECOND_PASSES = 0.6
"""Share of the texts with identity terms that are read once more with these, for `identity_attack` alone."""
SHARE = 0.85
"""Of these rows that one pass reads: three quarters of an hour on one core with bf16."""
LONGEST = 1_200
"""Characters of a training text that are read."""
OWN_WEIGHT = 1.0
"""Of the reader's own templates."""

_BY = "CC BY 4.0"
SOURCES: tuple[Source, ...] = (
    Source("pull_request_blogs", "all", "sixty-five blogs, see the data's page", "none stated", 1.0, False, True),
    Source("telegram_ru", "all", "monalenka/telegram-spam-…@f17aa007384f, talyguryn/antispambot", "MIT; none", 0.5),
    Source("ru_vk", "all", "alla-g/toxicity-detection-thesis@651159350f42", "MIT", 0.6, True),
    Source("swad", "train", "dadangewp/SWAD-Repository@23d3c2e59e10", "none stated (GPL-3 repository)", 1.5),
    Source("dynahate", "train_dev", "paul-rottger/efficient-low-resource-…@3228efa0ab83", _BY, 0.7, True),
    Source("hatemojibuild", "train_dev", "HannahKirk/Hatemoji@a626f6321615", _BY, 0.7, True),
    Source("measuring_hate_speech", "train_dev", "paul-rottger/…@3228efa0ab83", _BY, 0.7),
    Source("implicit_hate", "all", "tonazzog/implicit-hate@172e694b83d8", _BY, 0.25),
    Source("toxigen", "train", "Sanjana-Srinidhi/Hate-speech-detection@558b470eb4c0", "MIT", 0.5, True),
    Source("sbic", "dev", "shallinan1/MarcoDetoxification@9ffb7fe0b373", _BY, 0.4),
    Source("cad", "train_dev", "NoamElul/cis-5300-final@3c569a14950d", _BY, 0.3, True),
    Source("hatexplain", "all", "ChrisIsKing/Learning-From-Rules@f9f5950cd2df", "MIT", 0.3),
    Source("gab_hate", "dev", "BrendanKennedy/contextualizing-…@7b1f6719ac45", _BY, 0.4),
    Source("fox_news", "all", "sjtuprog/fox-news-comments@914b6bcdff38", "MIT", 0.3, True),
    Source("convabuse", "train_dev", "amandacurry/convabuse@c0a9469f4895", _BY, 0.5, True),
    Source("de_gahd", "train_dev", "jagol/gahd@2a4e919d5208", _BY, 0.5, True),
    Source("de_germeval2021", "train", "germeval2021toxic/SharedTask@fa5dca397aed", "none stated", 0.5, True),
    Source("pt_told", "all", "JAugusto97/ToLD-Br@7804082d06a4", "CC BY-SA 4.0", 0.5),
    Source("tr_offenseval", "train", "Nickisdope/11785_…@284e7696fa58", "CC BY 2.0", 0.4),
    Source("fr_mlma", "all", "HKUST-KnowComp/MLMA_hate_speech@479836984aeb", "MIT", 0.2),
)
"""Beside the table's. Weights follow how well the labels could be confirmed by reading (the data's page); copyleft and
non-commercial sources are left out, except the labels of `swad`, whose texts are OLID's."""

MOST: dict[str, int] = {
    "civil_spans": 9_000, "wiki_context": 4_500, "davidson": 4_500, "olid": 8_000, "edos": 9_000, "stormfront": 4_000,
    "paradetox": 7_000, "de_germeval2018": 2_500, "blog_comments": 7_000, "youtube_gambling_id": 2_500, "sms": 1_500,
    "synthetic": 4_000, "zh_cold": 0, "ko_beep": 0, "pull_request_blogs": 14_000, "telegram_ru": 2_500, "dynahate": 20_000,
    "measuring_hate_speech": 10_000, "implicit_hate": 4_000, "toxigen": 5_000, "cad": 4_000, "hatexplain": 2_500,
    "de_gahd": 3_000, "de_germeval2021": 2_000, "pt_told": 3_000, "tr_offenseval": 1_500, "fr_mlma": 700,
}  # fmt: skip
"""Rows of a large source that are read. None of Chinese and Korean: the base knows their letters hardly, and the reader is left out
of the sum there."""

LEFT_OUT: frozenset[str] = frozenset(
    f"pull_request_blogs/{blog}"
    for blog in (
        "astrotime", "EdwinWenink", "mmistakes", "cinetimes", "bryankaraffa", "lazysquirrellabs", "prutonis",
        "papagamedev", "fraulyoner", "BloggerBust", "wouterbulten",
    )
)  # fmt: skip
"""Blogs for reports only: programming, astronomy, literature and cinema, English, French, Spanish and German, spam of 2016–2026."""
FOR_STAGE: frozenset[str] = frozenset(
    f"pull_request_blogs/{blog}"
    for blog in (
        "willymcallister", "julien731", "maxandersen", "vplauzon", "DawnPaladin", "donde-la-cocina-nos-lleve",
        "buildtimes", "hajekj", "ngehlert", "dancwilliams", "zongren", "maxime-michel", "HiemSword",
    )
)  # fmt: skip
"""Blogs for the stage and the thresholds."""


@dataclass(frozen=True, slots=True)
class ReaderRows:
    """role: [rows] TRAIN, STAGE or REPORT; weight: [rows] of the source; table: [rows] whether the table had the source."""

    examples: list[Example]
    weight: Floats
    everyday: npt.NDArray[np.bool_]
    role: npt.NDArray[np.int8]
    table: npt.NDArray[np.bool_]

    def of(self, role: int) -> list[int]:
        return np.flatnonzero(self.role == role).tolist()


def load(data: Path, fold: Fold, seed: int) -> tuple[ReaderRows, list[dict[str, Any]]]:
    """All rows, and the card's line on each source of the reader's own. seed: of the table's training."""
    rows, _ = load_rows(data, fold, seed)
    examples: list[Example] = []
    weight: list[float] = []
    everyday: list[bool] = []
    role: list[int] = []
    seen = {key(example.text, fold) for part in parts.parts(data, fold) for example in part.examples}
    seen |= {key(e.text, fold) for path in corpora.test_files(data) for e in corpora.rows(path, path.parent.name)}

    def take(example: Example, worth: float, daily: bool, part: int) -> None:
        this = key(example.text, fold)
        if this not in seen:
            seen.add(this)
            examples.append(example)
            weight.append(worth)
            everyday.append(daily)
            role.append(part)

    lines = []
    swad = next((source for source in SOURCES if source.name == "swad"), None)
    relabelled = {}
    if swad and (data / swad.file).is_file():
        relabelled = {key(e.text, fold): e for e in corpora.read(data, swad)}
    # The table's rows first: what it was taught, or kept for its reports, decides where a text may stand here.
    for example, worth, daily, part, copy in zip(
        rows.examples, rows.weight, rows.everyday, rows.part, rows.copy, strict=True
    ):
        if not copy:
            better = relabelled.get(key(example.text, fold)) if example.source == "olid" else None
            unseen = STAGE if hashed(example.text, seed + 2, 2) else REPORT
            take(better or example, 1.5 if better else float(worth), bool(daily), unseen if part == 2 else TRAIN)
    own = len(examples)
    for source in SOURCES:
        if not (data / source.file).is_file():
            continue
        before = len(examples)
        for example in corpora.read(data, source):
            take(example, source.weight * _worth(example), source.everyday, _role(data, source, example, seed))
        lines.append(
            {
                "file": source.file,
                "origin": source.origin,
                "licence": source.licence,
                "sha256": corpora.checksum(data / source.file),
                "weight": source.weight,
                "rows": len(examples) - before + (len(relabelled) if source.name == "swad" else 0),
            }
        )
    before = len(examples)
    synthetic_share = 1.0 if before > FEW else SYNTHETIC_OF_FEW
    for example in synthetic.texts(seed, synthetic_share, synthetic.READER_TEMPLATES):
        take(example, OWN_WEIGHT, False, TRAIN)
    lines.append(
        {
            "file": "classifier/training/reader_templates.toml",
            "origin": "templates of our own writing: synthetic",
            "licence": "MIT",
            "weight": OWN_WEIGHT,
            "rows": len(examples) - before,
        }
    )
    result = ReaderRows(
        examples,
        np.array(weight, np.float32),
        np.array(everyday, bool),
        np.array(role, np.int8),
        np.arange(len(examples)) < own,
    )
    return result, lines


def _role(data: Path, source: Source, example: Example, seed: int) -> int:
    if source.name == "pull_request_blogs":
        return REPORT if example.group in LEFT_OUT else STAGE if example.group in FOR_STAGE else TRAIN
    if source.name == "swad":
        return TRAIN
    # Texts made from one another stand on one side; a `part` of another source is a collection, and is divided.
    whole = example.group if source.name in ("dynahate", "hatemojibuild", "de_gahd") else ""
    place = hashed(whole or example.text, seed + 3, 100)
    if place < STAGE_SHARE:
        return STAGE
    tested = (data / f"{source.name}/test.csv.gz").is_file()
    return REPORT if place < STAGE_SHARE + REPORT_SHARE and not tested else TRAIN


def _worth(example: Example) -> float:
    """Good comments of the blogs weigh more than spam, which is three times as often in waves."""
    if example.source == "pull_request_blogs":
        return 0.7 if example.labels.get("spam", 0) >= 0.5 else 1.3
    return 1.0


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the network reads. targets: [texts, labels], NaN = unknown or another pass's; weight: [texts]."""

    texts: list[str]
    targets: Floats
    weight: Floats


def lessons(rows: ReaderRows, fold: Fold, seed: int, share: float = SHARE) -> Lessons:
    """The TRAIN rows, at most MOST of a source and `share` of that, disguised in part, masked and in the second pass."""
    rng = random.Random(seed)  # noqa: S311 - which rows are read and disguised is no secret
    of: dict[str, list[int]] = {}
    for place in rows.of(TRAIN):
        of.setdefault(rows.examples[place].source, []).append(place)
    good = [
        rows.examples[place].text[:160]
        for place in rows.of(TRAIN)
        if rows.everyday[place] and max(rows.examples[place].labels.values()) < 0.5
    ] or [attack.PADDING]
    masker = Masker(TERMS, fold)
    texts: list[str] = []
    places: list[int] = []
    second: list[bool] = []
    for name, found in sorted(of.items()):
        most = round(min(MOST.get(name, 10**9), len(found)) * share)
        for place in sorted(rng.sample(found, most)):
            example = rows.examples[place]
            masked, original = masker.read(disguised(example.text, good, rng))
            if not masked:
                continue
            texts.append(masked)
            places.append(place)
            second.append(False)
            if original and "identity_attack" in example.labels and rng.random() < SECOND_PASSES:
                texts.append(original)
                places.append(place)
                second.append(True)
    y = targets([rows.examples[place] for place in places])
    other = np.array(second)
    termed = np.array([("[MASK]" in text) for text in texts])
    y[termed, IDENTITY] = np.nan  # a masked text does not say whom it is about
    y[other[:, None] & (np.arange(len(LABELS)) != IDENTITY)] = np.nan
    taught = ~np.isnan(y).all(axis=1)
    kept = np.flatnonzero(taught)
    return Lessons([texts[i] for i in kept], y[kept], rows.weight[np.array(places)[kept]])


def disguised(text: str, good: Sequence[str], rng: random.Random) -> str:
    """The beginning of a text, and with the chance DISGUISED in a disguise."""
    text = text[:LONGEST]
    if rng.random() >= DISGUISED:
        return text
    if rng.random() < 0.5:
        before, after = rng.choice(good), rng.choice(good)
        short = text[:300]
        return (f"{before} {short}", f"{short} {after}", f"{before} {short} {after}")[rng.randrange(3)]
    return attack.disguise(text, "swaps" if rng.random() < 0.5 else rng.choice(attack.KINDS[:-1]), rng)
