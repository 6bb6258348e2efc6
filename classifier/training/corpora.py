"""Public corpora → Examples: the sources with their licences and the weights of their rows.

`DIR/<source>/<part>.csv.gz`, UTF-8, a header, empty label = unknown. Missing sources are named and skipped.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from classifier.examples import Author, Example
from classifier.labels import LABELS

csv.field_size_limit(10_000_000)


@dataclass(frozen=True, slots=True)
class Source:
    """One training file. weight: of a row, relative to a row of Jigsaw; ham: its texts are not spam."""

    name: str
    part: str
    origin: str
    licence: str
    weight: float = 1.0
    ham: bool = False
    everyday: bool = False
    """Its negatives are everyday comments, whose false alarms set the thresholds."""

    @property
    def file(self) -> str:
        return f"{self.name}/{self.part}.csv.gz"


_BY = "CC BY 4.0"
_JIGSAW = "Kaggle Toxic Comment Classification (2018), parts in khanhhk/…@91c013125c75, furkancaglayan/…@78bd6d822729"

SOURCES: tuple[Source, ...] = (
    Source("jigsaw", "train_raw_partial", _JIGSAW, "CC0, text CC BY-SA 3.0", 1.0, True, True),
    Source("jigsaw", "train_normalised_sixlabel", _JIGSAW, "CC0, text CC BY-SA 3.0", 0.7, True),
    Source("civil_spans", "train", "ipavlopoulos/toxic_spans@beaf170538df", "CC0", 0.7, True),
    Source("wiki_context", "all", "ipavlopoulos/context_toxicity@5df49c294e6a", "Apache-2.0", 0.7, True, True),
    Source("impermium", "train", "AWConant/internet-hate-comments@ff7e1c971672", "none stated", 1.0, True),
    Source("davidson", "all", "t-davidson/hate-speech-and-offensive-language@cb50f7e9eb85", "MIT", 0.3),
    Source("olid", "train", "idontflow/OLID@66fa62b22d57", "none stated", 0.7),
    Source("edos", "train_dev", "rewire-online/edos@b1f1fbcca9d4", "CC0", 0.7, True),
    Source("stormfront", "train", "Vicomtech/hate-speech-dataset@b802137e8314", "CC BY-SA 3.0 ES", 0.5),
    Source("ruddit", "all", "hadarishav/Ruddit, texts FreddieHorn/…@6eb3ade0993c", "MIT", 0.7, True),
    Source("paradetox", "pairs", "s-nlp/paradetox@d97b17d08135", "CC0", 0.4, True),
    Source("zh_cold", "train", "thu-coai/COLDataset@a0c55a945497", "Apache-2.0", 0.5),
    Source("ko_beep", "train", "kocohub/korean-hate-speech@f8d05dce2b22", "CC BY-SA 4.0", 0.5),
    Source("de_germeval2018", "train", "uds-lsv/GermEval-2018-Data@9877472d3952", "CC BY 4.0", 0.5, True),
    Source("blog_comments", "all", "four blogs, see the card", "none stated", 1.0, False, True),
    Source("blog_comments_modern", "all", "two tech blogs, copied by hand", "none stated", 3.0, False, True),
    Source("youtube_uci", "all", "UCI YouTube Spam Collection, shalimanov/spamchecker@4aef47fe64e3", "CC BY 4.0", 1.0),
    Source("youtube_gambling_id", "all", "Yusufislam-id/…@c93ddaea8039", "none stated", 0.25),
    Source("reddit_ads", "all", "hokuyama0106/jigsaw-agile-community-rules@81c1a634e254", "none stated", 1.0),
    Source("sms", "all", "UCI SMS Spam Collection, slamsal101/spamfilter@8b2086e5210f", "CC BY 4.0", 0.3),
    Source("pull_request_blogs", "all", "sixty-five blogs, see the data's page", "none stated", 1.0, False, True),
    Source("telegram_ru", "all", "monalenka/telegram-spam-…@f17aa007384f, talyguryn/antispambot", "MIT; none", 0.5),
    Source("ru_vk", "all", "alla-g/toxicity-detection-thesis@651159350f42", "MIT", 0.6, True),
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
    Source("ar_mlma", "all", "HKUST-KnowComp/MLMA_hate_speech@479836984aeb", "MIT", 0.2),
    Source("ko_kmhas", "dev", "adlnlp/K-MHaS@ec7a7e775d65", "CC BY-SA 4.0", 0.4),
)
"""The sources of the shipped model, each weighed by how well its labels could be confirmed by reading (the data's page).
Non-commercial sources, those of copyleft code and test parts are excluded."""

JUDGED_AGAIN = Source("swad", "train", "dadangewp/SWAD-Repository@23d3c2e59e10", "none stated (GPL-3 repository)", 1.5)
"""Other people's labels of texts of OLID with a swear word: whether it abuses anybody. They stand in place of OLID's."""

BAGS = Source("jigsaw", "toxic_bag_of_words", "CloudioJ/IPPD, blob aee00af8", "CC0, text CC BY-SA 3.0")
"""Nearly all toxic comments of Jigsaw's training file, as lower-case words without stop words; for word weights only."""

_CONFUSABLES = "lists/unicode_confusables.txt.gz"
_SHORTENERS = "lists/url_shorteners.txt.gz"
_DISPOSABLE = "lists/disposable_email_domains.txt.gz"


def read(data: Path, source: Source) -> Iterator[Example]:
    """The rows of one source, in order. Raises ValueError with file and line of a malformed row."""
    return rows(data / source.file, source.name, source.ham)


def rows(path: Path, name: str, ham: bool = False) -> Iterator[Example]:
    """The rows of one file as Examples of the source `name`."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        for row in reader:
            text = row.get("text")
            if text is None:
                raise ValueError(f"{path.name}, line {reader.line_num}: no column `text`")
            labels = {}
            for label in LABELS:
                value = row.get(label) or ""
                if value:
                    try:
                        labels[label] = min(max(float(value), 0.0), 1.0)
                    except ValueError:
                        raise ValueError(f"{path.name}, line {reader.line_num}: {label} is not a number") from None
            labels.update(_soft_labels(name, row, labels))
            if name == "reddit_ads" and labels.get("spam") == 0:
                continue  # its zeros follow the rules of a community; most are advertising elsewhere
            if row.get("masked_conflict") == "1":
                continue  # equal to a row of the other label once groups are masked
            if ham:
                labels.setdefault("spam", 0.0)
            if text.strip() and labels:
                url = "http://blog.example" if row.get("has_author_url") == "1" else ""
                yield Example(text, labels, Author(url=url), name, group=_group(name, row))


def bags(data: Path) -> list[str]:
    """The comments of BAGS; none without the file."""
    if not (data / BAGS.file).is_file():
        return []
    with gzip.open(data / BAGS.file, "rt", encoding="utf-8", newline="") as lines:
        return [row["tokens"] for row in csv.DictReader(lines)]


def worth(example: Example) -> float:
    """The weight of an example within its source.

    The blogs' spam outnumbers their good comments seven to one, because two blogs were never moderated; the weights balance that.
    One in twenty of their spam comments is a copied harmless sentence with the link in the author's field, so spam without a link
    in the text has the lowest weight. In the blogs of pull requests spam comes in waves three times as often as good comments do."""
    if example.source == "pull_request_blogs":
        return 0.7 if example.labels.get("spam", 0) >= 0.5 else 1.3
    if example.source != "blog_comments":
        return 1.0
    if example.labels.get("spam", 0) < 0.5:
        return 3.0
    return 0.15 if "http" not in example.text and "<" not in example.text else 0.4


def _soft_labels(name: str, row: dict[str, str], labels: dict[str, float]) -> dict[str, float]:
    """Targets from raters' shares where the source gives them."""
    if name == "ruddit":
        score = float(row["raw_offensiveness"])
        return {"toxicity": min(max((score + 0.35) / 0.9, 0.0), 1.0)}
    if name == "civil_spans":
        soft = {"toxicity": 0.5 * labels["toxicity"] + 0.5 * float(row["frac_toxic"])} if row.get("frac_toxic") else {}
        for label in ("insult", "obscene", "threat", "identity_attack"):
            share = row.get(f"frac_{label}")
            if share and label in labels:
                soft[label] = 0.5 * labels[label] + 0.5 * min(1.0, 2 * float(share))
        return soft
    if name == "davidson" and row.get("raw_n_raters"):
        return {"identity_attack": float(row["raw_n_hate"]) / float(row["raw_n_raters"])}
    return {}


def _group(name: str, row: dict[str, str]) -> str:
    for column in ("group", "blog", "video", "pair", "part"):
        if row.get(column):
            return f"{name}/{row[column]}"
    return ""


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def present(data: Path) -> list[Source]:
    """The sources in the folder; missing ones are named on standard error."""
    found = [source for source in SOURCES if (data / source.file).is_file()]
    missing = [source.file for source in SOURCES if source not in found]
    if missing:
        print(f"not in the data folder: {', '.join(missing)}", file=sys.stderr)
    return found


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def confusables(data: Path) -> dict[str, str]:
    """Characters outside ASCII that look like one or two Latin letters → those letters. Empty without the list."""
    out: dict[str, str] = {}
    for line in _lines(data / _CONFUSABLES):
        fields = [field.strip() for field in line.lstrip("\ufeff").split(";")]
        try:
            left, right = fields[0].split(), fields[1].split()
            source, target = chr(int(left[0], 16)), "".join(chr(int(point, 16)) for point in right)
        except (IndexError, ValueError):
            continue
        if len(left) == 1 and not source.isascii() and target.isascii() and target.isalpha() and len(target) <= 2:
            out[source] = target.lower()
    return dict(sorted(out.items()))


def shorteners(data: Path) -> list[str]:
    """Host names of link shorteners."""
    return sorted({line.strip("/").lower() for line in _lines(data / _SHORTENERS)})


def disposable(data: Path) -> list[str]:
    """Disposable mail domains."""
    return sorted(_lines(data / _DISPOSABLE))


def test_files(data: Path) -> list[Path]:
    """Files for reports only."""
    return sorted([*data.glob("*/test*.csv.gz"), *data.glob("*/verification.csv.gz")])
