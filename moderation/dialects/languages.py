"""The languages that the shipped model covers, and the language of a text.

The script decides for Chinese, Korean and Japanese. For other texts py3langid does, among some forty languages. A text
that neither can tell has the default language.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock, Thread
from typing import TYPE_CHECKING

import numpy as np

from classifier.streamsafe import normalize

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

log = logging.getLogger("moderation.dialects.languages")

DEFAULT = "en"
"""The language of short texts and emoji."""
COVERED: Mapping[str, frozenset[str]] = {
    "spam": frozenset({"en"}),
    "toxicity": frozenset({"en", "de", "ko", "pt", "tr", "zh"}),
    "severe_toxicity": frozenset({"en"}),
    "obscene": frozenset({"en", "de"}),
    "threat": frozenset({"en"}),
    "insult": frozenset({"en", "de"}),
    "identity_attack": frozenset({"en", "de", "ko"}),
}
"""Label → the languages that the shipped model was trained in and measured in on a test file, by its card: `sources` and
`metrics.languages`. Indonesian and Russian spam are trained and have no test file."""
IN_LATIN = {
    "ca", "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "hu", "id", "it", "lt", "lv", "nl", "no", "pl", "pt", "ro", "sk", "sl",
    "sq", "sv", "tr", "vi",
}  # fmt: skip
IN_OTHER_SCRIPTS = {"ar", "bg", "bn", "el", "fa", "he", "hi", "ja", "ko", "ru", "ta", "te", "th", "uk", "zh"}
"""The candidates by their script, without languages that short texts confuse with one of these, such as Malay with Indonesian."""
SURE = 0.9
"""The probability from which a detection counts. Of 2,400 comments of English and German corpora up to 300 characters, five then
have another language, and rightly (`python -m benchmarks.languages`)."""
SAMPLE = 1000
"""Characters of a text that are read."""
FEWEST = 4
"""Letters of a script, fewer of which can be an emoticon: ¯\\_(ツ)_/¯, ಠ_ಠ."""

TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_][A-Za-z0-9]{1,8})*")
"""A language tag (BCP 47): language, script, and the rest, which does not matter here."""
SCRIPTS = {
    "en": ("latn",),
    "de": ("latn",),
    "ko": ("kore", "hang"),
    "zh": ("hans", "hant", "hani"),
    "pt": ("latn",),
    "tr": ("latn",),
}
"""The scripts that a tag may name for a covered language."""
NO_WORDS = re.compile(r"https?://\S+|www\.\S+|[@#]\w+")
LETTER = re.compile(r"[^\W\d_]")
LATIN = re.compile("[A-Za-zªºÀ-ÖØ-öø-ʯᴀ-ᶿḀ-ỿⱠ-ⱿꜢ-ꟿꬰ-ꭤ]")
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
KANA = re.compile("[ぁ-ゖァ-ヺㇰ-ㇿ]")
HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\ua960-\ua97c가-\ud7fb]")


@dataclass(frozen=True, slots=True)
class Detection:
    language: str
    """ISO 639-1."""
    is_readable: bool = True
    """Some model reads the text's script."""


class Detector:
    """py3langid's model, loaded on first use: half a second and 65 MB, which a service without these requests never spends.
    Until then, and where it cannot be loaded, the script alone decides."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._identifier: LanguageIdentifier | None = None
        self._thread: Thread | None = None

    @property
    def is_loading(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begins to load beside the event loop, once."""
        if self._thread is None:
            self._thread = Thread(target=self._load_or_log, name="languages", daemon=True)
            self._thread.start()

    def load(self) -> None:
        """Reads the model, once."""
        with self._lock:
            if self._identifier is None:
                self._identifier = identifier()

    def _load_or_log(self) -> None:
        try:
            self.load()
        except Exception as error:
            log.error("no language is detected but by script", exc_info=error)

    def detect(self, text: str) -> Detection:
        """The language of a text, in 0.3 ms at most."""
        sample = normalize("NFKC", NO_WORDS.sub(" ", text[:SAMPLE]))[:SAMPLE]  # one character can become eighteen
        language, is_readable = by_script(sample)
        if language or self._identifier is None:
            return Detection(language or DEFAULT, is_readable)
        found, probability = self._identifier.classify(sample)
        if not is_readable:
            return Detection(found, False)
        is_sure = probability >= SURE and found in IN_LATIN and LETTER.search(sample)
        return Detection(found if is_sure else DEFAULT)


def identifier() -> LanguageIdentifier:
    """py3langid for the candidates alone, which needs a third of the memory."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    columns = [number for number, language in enumerate(whole.nb_classes) if language in IN_LATIN | IN_OTHER_SCRIPTS]
    return LanguageIdentifier(
        np.ascontiguousarray(whole.nb_ptc[:, columns]),
        whole.nb_pc[columns],
        [whole.nb_classes[number] for number in columns],
        whole.tk_nextmove,
        whole.tk_output,
        norm_probs=True,
        tk_row=whole.tk_row,
    )


def by_script(sample: str) -> tuple[str, bool]:
    """The language where the script has only one, else empty; and whether some model reads the script."""
    if sample.isascii():
        return "", True
    letters, latin = len(LETTER.findall(sample)), len(LATIN.findall(sample))
    han, kana, hangul = (len(script.findall(sample)) for script in (HAN, KANA, HANGUL))
    japanese = kana + han if kana * 8 > han else kana
    chinese = kana + han - japanese
    other = letters - latin - han - kana - hangul
    most = max(latin, chinese, hangul, japanese, other)
    if most < FEWEST and most in (japanese, other):
        return "", True
    if most in (latin, other):
        return "", most == latin
    if most == japanese and most != chinese:
        return "", False
    return ("ko", True) if most == hangul else ("zh", True)


def covers(label: str, tag: str) -> bool:
    """Whether a label's scores were measured in the language of a tag, such as `en`, `en-US` or `zh-Hans-CN`."""
    parts = TAG.fullmatch(tag)
    if parts is None:
        return False
    language, script = parts[1].lower(), (parts[2] or "").lower()
    return language in COVERED[label] and (not script or script in SCRIPTS[language])
