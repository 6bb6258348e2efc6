"""The second reader: a small transformer encoder in int8, which reads sentences where the table reads words.

It serves with `onnxruntime` and `tokenizers` alone, and is safe to call from several threads. Each window is computed alone:
activations are quantised over what is computed at once, so a text's score depends on no other text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.reader_input import MOST_WINDOWS, WINDOW, Masker, known_script, known_words, windows
from classifier.registry import Folder, ModelError

GRAPH_FILE = "reader.onnx"
TOKENIZER_FILE = "tokenizer.json"
OPSET = 20
INPUTS, OUTPUTS = ("ids", "seen"), ("log_odds", "vectors")
IDENTITY = LABELS.index("identity_attack")
Rank = Callable[[Sequence[str]], Floats]
"""Windows of a text → how bad the table finds each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """log_odds: [texts, labels]; vectors: [texts, width], of the masked text; scripted: [texts] whether the reader knows the script;
    known: [texts] 0..1 how far it knows the words."""

    log_odds: Floats
    vectors: Floats
    scripted: npt.NDArray[np.bool_]
    known: Floats

    def part(self, which: slice) -> Reading:
        """The rows `which`, as views into these arrays."""
        return Reading(self.log_odds[which], self.vectors[which], self.scripted[which], self.known[which])


class Reader:
    """graph: an ONNX file; tokenizer: its JSON; excess: per label what the logarithm of the number of windows is worth."""

    def __init__(self, graph: bytes, tokenizer: str, masker: Masker, rank: Rank, excess: Mapping[str, float]) -> None:
        import onnxruntime  # here, since a model without a reader needs neither package
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        given = tuple(one.name for one in self._session.get_inputs())
        returned = {one.name: one.shape for one in self._session.get_outputs()}
        if given != INPUTS or tuple(returned) != OUTPUTS or returned["log_odds"][-1] != len(LABELS):
            raise ValueError("its inputs and outputs are not those of a reader")
        self.width = int(returned["vectors"][-1])
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._begin, self._end = (self._tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
        if self._begin is None or self._end is None:
            raise ValueError("its tokenizer lacks the tokens that begin and end a text")
        self._masker, self._rank = masker, rank
        self.excess = np.array([float(excess.get(label, 0.0)) for label in LABELS], np.float32)
        if not np.isfinite(self.excess).all():
            raise ValueError("its excess of long texts is not finite")

    def log_odds(self, texts: Sequence[str]) -> Floats:
        """[texts, labels]"""
        return self.read(texts).log_odds

    def vectors(self, texts: Sequence[str]) -> Floats:
        """[texts, width] the mean of the last layer over a text's windows."""
        return self.read(texts).vectors

    def read(self, texts: Sequence[str]) -> Reading:
        """Both, and whether the script is known. Any text is legal; one that stands there twice is read once."""
        log_odds = np.zeros((len(texts), len(LABELS)), np.float32)
        vectors = np.zeros((len(texts), self.width), np.float32)
        scripted, known = np.zeros(len(texts), bool), np.zeros(len(texts), np.float32)
        first: dict[str, int] = {}
        for number, text in enumerate(texts):
            if (before := first.setdefault(text, number)) != number:
                for array in (log_odds, vectors, scripted, known):
                    array[number] = array[before]
                continue
            masked, original = self._masker.read(text)
            log_odds[number], vectors[number], known[number] = self._whole(masked)
            if original is not None:
                log_odds[number, IDENTITY] = self._whole(original)[0][IDENTITY]
            scripted[number] = known_script(masked if original is None else original)
        return Reading(log_odds, vectors, scripted, known)

    def without(self, text: str, spans: Sequence[tuple[int, int]]) -> Floats:
        """[spans, labels] how far the log-odds of a text fall without each of its spans. They are read together, in a fifth of the time
        of one after the other, so they are near what each alone would get; windows beyond the first are left out."""
        shown = [self._masker.read(one) for one in (text, *(f"{text[:start]} {text[end:]}" for start, end in spans))]
        log_odds = self._together([masked for masked, _ in shown])
        if shown[0][1] is not None:
            log_odds[:, IDENTITY] = self._together([original or masked for masked, original in shown])[:, IDENTITY]
        return np.asarray(log_odds[0] - log_odds[1:], dtype=np.float32)

    def known(self, text: str) -> tuple[bool, float]:
        """Whether the script of a text is known, and how far its words are: as in a Reading."""
        masked, original = self._masker.read(text)
        return known_script(masked if original is None else original), known_words(self._encoded(masked).tokens)

    def _together(self, plain: Sequence[str]) -> Floats:
        """[texts, labels] log-odds of the first window of each text, read in one batch."""
        rows = [[self._begin, *self._encoded(one).ids[:WINDOW], self._end] for one in plain]
        ids, seen = np.zeros((2, len(rows), max(map(len, rows))), np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            seen[number, : len(row)] = 1
        return np.asarray(self._session.run(OUTPUTS[:1], {"ids": ids, "seen": seen})[0], dtype=np.float32)

    def windows(self, text: str) -> int:
        """The number of windows of a text."""
        return len(windows(self.tokens(text)))

    def tokens(self, text: str) -> int:
        """The number of tokens of a text, as it is read."""
        return len(self._encoded(self._masker.read(text)[0]).ids)

    def reads_again(self, text: str) -> bool:
        """Whether a text has identity terms, and so is read once more with these."""
        return self._masker.read(text)[1] is not None

    def _encoded(self, plain: str) -> Any:
        # An unpaired surrogate is no text for the tokenizer.
        return self._tokenizer.encode(plain.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=False)

    def _whole(self, plain: str) -> tuple[Floats, Floats, float]:
        """The highest window's log-odds, less what so many windows reach by chance, the mean vector, and how far the words are
        known."""
        encoding = self._encoded(plain)
        ids: list[int] = encoding.ids
        every = windows(len(ids))
        read = every
        if len(every) > MOST_WINDOWS:
            offsets = encoding.offsets
            inner = [plain[offsets[first][0] : offsets[end - 1][1]] for first, end in every[1:-1]]
            worst = np.argsort(-self._rank(inner), kind="stable")[: MOST_WINDOWS - 2]
            read = [every[0], *(every[1 + place] for place in sorted(worst.tolist())), every[-1]]
        found = [self._window(ids[first:end]) for first, end in read]
        log_odds = np.max([one for one, _ in found], axis=0) - self.excess * math.log(len(every))
        return log_odds, np.mean([vector for _, vector in found], axis=0), known_words(encoding.tokens)

    def _window(self, ids: Sequence[int]) -> tuple[Any, Any]:
        given = np.array([[self._begin, *ids, self._end]], np.int64)
        log_odds, vectors = self._session.run(OUTPUTS, {"ids": given, "seen": np.ones_like(given)})
        return log_odds[0], vectors[0]


def open_reader(folder: Folder, masker: Masker, rank: Rank) -> Reader | None:
    """The reader of a version that has one. Raises ModelError."""
    about = folder.card.get("reader")
    if about is None:
        return None
    graph, tokenizer = folder.content(GRAPH_FILE), folder.content(TOKENIZER_FILE)
    try:
        return Reader(graph, tokenizer.decode("utf-8"), masker, rank, about["excess"])
    except ImportError as error:
        raise ModelError(f"{folder.version} has a reader, which needs the package {error.name}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder.version}/card.json lacks something of the reader: {error}") from None
    except Exception as error:  # onnxruntime and tokenizers raise types of their own, as plain exceptions
        raise ModelError(f"{folder.version}/{GRAPH_FILE} cannot be used: {type(error).__name__}") from None
