"""What each token of ordinary text adds to its score, worked out once per token. numpy only.

n-grams end at white space, so all that a token adds, in both views, depends on the token alone; only pairs of words
reach across. Comments repeat the same few thousand tokens, so a text is a look-up per token and a sum, where hashing its
characters anew costs several times as much (`python -m classifier evaluate` prints both). What does not fit (the windows
of a long text, letters spaced out over tokens, a token that its normalised view splits or swallows) is not guessed at:
`score` says which texts it holds for, and `Table.score` does the others, by the same sums.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from struct import pack
from threading import Lock

import numpy as np
import numpy.typing as npt

from classifier.hashing import LONG, NOTHING, U32, Ints, joined
from classifier.labels import LABELS
from classifier.linear import SITE_BUCKETS, SITE_SCALE, VIEWS, WORDS, Floats, Table
from classifier.views import BREAK, Fold, normal_tokens

Bools = npt.NDArray[np.bool_]

KEPT = 1 << 16
"""Tokens that are remembered (13 MB, once so many have come). When they are too many all are forgotten: hostile text cannot
grow us. With a quarter of them, a comment of a busy site has eleven words in fifty that are not known, with all five."""
KEPT_OF_SITE = 1 << 14
LONGEST_TOKEN = 64
_COUNT = len(LABELS)
_WIDE = VIEWS * (_COUNT + 1)
_SUMS = 2 * _WIDE
_ODD, _TAIL, _HEAD, _TWO, _UNEVEN, _NAMED, _BARE, _END = *range(_SUMS + VIEWS, _SUMS + VIEWS + 7), _SUMS + 2 * VIEWS + 6
_HEAD_OF = re.compile(r"[._*\-]?[a-z](?![a-z0-9])").match
_TAIL_OF = re.compile(r"(?:\A|.*[^a-z0-9])[a-z][._*\-]?\Z", re.DOTALL).match
_TWO_OF = re.compile(r"(?<![a-z0-9])[a-z][._*\-]{1,2}[a-z](?![a-z0-9])").search
_ORDINARY = re.compile(r"""[-"'(\[{<*_~.,:/]*[A-Za-z]{2,}[-,.;:!?)"'\]}>*_~/]*|[!-@\[-`{-~]+""").fullmatch
_THRICE = re.compile(r"([a-z!?.])\1\1").search
_NONE_ALONE = (False, False, False)
_PARTS = np.array([[1.0], [WORDS]], np.float32)
_STEP, _VIEW_ROWS = np.array(VIEWS, np.int64), np.arange(VIEWS)
_ONE, _ONES = np.array(1, np.float32), np.ones(LONG, np.float32)


class Lexicon:
    """Scores texts by their tokens, with one site's correction or none. Safe to call from several threads."""

    def __init__(self, table: Table, fold: Fold, correction: Floats | None = None) -> None:
        self._table, self._fold, self._correction = table, fold, correction
        self._both = table.both()
        self._flat = self._both.reshape(-1, _COUNT + 1)
        self._lock = Lock()
        self._number: dict[str, int] = {}
        kept = self._kept = KEPT if correction is None else KEPT_OF_SITE
        # Of a token: the sums of its character and of its word rows in each view, its length in each view, and counts of
        # what is rare: that it is odd; that a lone letter stands at its tail, at its head, two in a row (with its
        # neighbours' they may be one word spaced out); that it has no word, or in one view only; an identity term.
        # Number 0 is the odd token that stands for all that are not kept.
        self._values = np.zeros((kept, _END), np.float32)
        # In each view its first and its last word as pairs of words see them, and the same by their own names.
        self._ends = np.zeros((kept, 4 * VIEWS), np.uint32)
        # What the correction adds: characters and words, each view and label.
        self._moved = None if correction is None else np.zeros((kept, VIEWS * 2 * _COUNT), np.float32)
        self._forget()

    def _forget(self) -> None:
        self._number.clear()
        self._values[0] = 0
        self._values[0, _ODD] = 1
        self._count = 1

    def score(self, texts: Sequence[str]) -> tuple[Floats, Floats | None, list[bool]]:
        """[texts, views, labels] log-odds, [texts, labels] what the correction adds, if any, and where both hold."""
        tokens = [text.split() if len(text) < LONG else [] for text in texts]
        if all(tokens):
            with self._lock:
                return self._sum(tokens)
        good = [bool(some) for some in tokens]
        whole = np.zeros((len(texts), VIEWS, _COUNT), np.float32)
        site = None if self._correction is None else np.zeros((len(texts), _COUNT), np.float32)
        if any(good):
            at = np.flatnonzero(good)
            with self._lock:
                whole[at], moved, held = self._sum([some for some in tokens if some])
            if site is not None and moved is not None:
                site[at] = moved
            for number, one in zip(at.tolist(), held, strict=True):
                good[number] = one
        return whole, site, good

    def _sum(self, texts: list[list[str]]) -> tuple[Floats, Floats | None, list[bool]]:
        ids = self._ids(texts[0] if len(texts) == 1 else [token for tokens in texts for token in tokens])
        stops = list(accumulate(map(len, texts)))
        values = self._values.take(ids, axis=0)
        sums = _by_text(values, stops)
        moved = None if self._moved is None else _by_text(self._moved.take(ids, axis=0), stops)
        told: list[list[float]] = sums[:, _SUMS:].tolist()
        good = [not odd and one <= LONG and other <= LONG for one, other, odd, *_ in told]
        if values[:-1, _TAIL].dot(values[1:, _HEAD]):
            _find_spaced(values, stops, good)
        rare = told[0] if len(told) == 1 else [sum(column) for column in zip(*told, strict=True)]
        uneven, named, bare = rare[_UNEVEN - _SUMS], rare[_NAMED - _SUMS], rare[_BARE - _SUMS]
        # Where a token has a word in one view only, other words stand side by side in the other: one view at a time.
        for views in ((0, 1), (1, 2)) if uneven else ((0, VIEWS),):
            if uneven or bare:
                worded = values[:, _BARE + views[0]] == 0
                less = accumulate(int(one[_BARE + views[0] - _SUMS]) for one in told)
                left = [stop - gone for stop, gone in zip(stops, less, strict=True)]
                self._add_pairs(ids[worded], left, views, named > 0, sums, moved)
            else:
                self._add_pairs(ids, stops, views, named > 0, sums, moved)
        blocks = sums[:, :_SUMS].reshape(-1, 2, VIEWS, _COUNT + 1)
        scale = blocks[..., _COUNT] + _ONE
        np.sqrt(scale, out=scale)
        np.divide(_PARTS, scale, out=scale)
        parts = blocks[..., :_COUNT] * scale[..., None]
        whole = parts[:, 0] + parts[:, 1]
        whole += self._table.bias
        if moved is None:
            return whole, None, good
        scale *= SITE_SCALE
        return whole, (moved.reshape(-1, 2, VIEWS, _COUNT) * scale[..., None]).sum(axis=(1, 2)), good

    def _add_pairs(
        self, ids: Ints, stops: list[int], views: tuple[int, int], named: bool, sums: Floats, moved: Floats | None
    ) -> None:
        """The pairs of words that reach from one token to the next, in the views from … to."""
        if len(ids) < 2:
            return
        ends = self._ends.take(ids, axis=0)
        low, high = views
        first, last = ends[1:, low:high], ends[:-1, VIEWS + low : VIEWS + high]
        self._add(joined(last, first), stops, views, sums, moved)
        if named:
            own, own_last = ends[1:, 2 * VIEWS + low : 2 * VIEWS + high], ends[:-1, 3 * VIEWS + low : 3 * VIEWS + high]
            rows = joined(own_last, own, identity=True)
            rows[(own == first) & (own_last == last)] = NOTHING
            self._add(rows, stops, views, sums, moved)

    def _add(self, rows: U32, stops: list[int], views: tuple[int, int], sums: Floats, moved: Floats | None) -> None:
        """Adds the rows of each text's pairs to its words. rows: [tokens - 1, views]; one that reaches over is skipped."""
        low, high = views
        at = rows * _STEP
        at += _VIEW_ROWS[low:high]
        values = self._flat.take(at, axis=0)
        wide = _COUNT + 1
        sums[:, _WIDE + low * wide : _WIDE + high * wide] += _by_text(values.reshape(len(rows), -1), stops, 1)
        if moved is not None and self._correction is not None:
            more = self._correction.take(rows % SITE_BUCKETS, axis=0) * np.sqrt(values[..., _COUNT:])
            words = VIEWS * _COUNT
            moved[:, words + low * _COUNT : words + high * _COUNT] += _by_text(more.reshape(len(rows), -1), stops, 1)

    def _ids(self, tokens: list[str]) -> Ints:
        number = self._number
        found = list(map(number.get, tokens))
        if None in found:
            new = {token for token, known in zip(tokens, found, strict=True) if known is None}
            if self._count + len(new) > self._kept:
                self._forget()
                new = set(tokens)
            fit = [token for token in new if len(token) <= LONGEST_TOKEN and BREAK not in token]
            if fit:
                self._learn(fit[: self._kept - self._count])
            found = [number.get(token, 0) for token in tokens]
        return np.frombuffer(pack(f"{len(found)}q", *found), np.int64)

    def _learn(self, tokens: list[str]) -> None:
        count = len(tokens)
        where = slice(self._count, self._count + count)
        texts = [token.lower() for token in tokens]
        thrice = _THRICE(" ".join(texts)) is not None
        # Most are a word and a comma, or a number: nothing is disguised in those, and no letter is alone.
        rest = [number for number, token in enumerate(tokens) if thrice or not _ORDINARY(token)]
        told: list[tuple[int, tuple[float, ...]]] = []
        second = list(range(count))
        if rest:
            for number, (folded, one) in zip(rest, normal_tokens([tokens[n] for n in rest], self._fold), strict=True):
                odd = one is None or len(one) >= LONG
                one = texts[number] if one is None or odd else one  # of no consequence: its text is not scored here
                if one != texts[number]:
                    second[number] = len(texts)
                    texts.append(one)
                lone = _NONE_ALONE
                if len(folded) < 2 or not folded.isalpha():
                    lone = _TAIL_OF(folded) is not None, _HEAD_OF(folded) is not None, _TWO_OF(folded) is not None
                told.append((number, (len(one) + 1, odd, *lone)))
        pieces = self._table.hasher.pieces(texts)
        self._put(pieces.rows, pieces.begins, where, second)
        values, ends = self._values[where], self._ends[where]
        values[:, _SUMS:_ODD] = np.array([len(text) + 1 for text in texts[:count]])[:, None]
        values[:, _ODD:] = 0
        for number, flags in told:
            values[number, _SUMS + 1 : _UNEVEN] = flags
        words, bare, named = pieces.words, pieces.bare, pieces.named
        ends.reshape(count, 2, 2, VIEWS)[:] = np.array(words[: 2 * count], np.uint32).reshape(count, 1, 2, 1)
        if bare or named or len(texts) > count:
            for number, twin in enumerate(second):
                if number == twin and number not in bare and number not in named:
                    continue
                seen = [(words[2 * at], words[2 * at + 1]) for at in (number, twin)]
                own = [named.get(at, ends_of) for at, ends_of in zip((number, twin), seen, strict=True)]
                ends[number] = [*chain(*zip(*seen, strict=True)), *chain(*zip(*own, strict=True))]
                values[number, _BARE:] = number in bare, twin in bare
                values[number, _UNEVEN] = (number in bare) != (twin in bare)
                values[number, _NAMED] = number in named or twin in named
        self._number.update(zip(tokens, range(where.start, where.stop), strict=True))
        self._count += count

    def _put(self, rows: Ints, begins: list[int], where: slice, second: list[int]) -> None:
        """The sums of tokens' rows into their places. second: whose the second view is; one's own, or one behind all."""
        count, texts = len(second), len(begins) // 2
        found = self._both.take(rows, axis=0)
        blocks = [(self._values, np.add.reduceat(found, begins, axis=0), _COUNT + 1)]
        if self._moved is not None and self._correction is not None:
            lengths = np.sqrt(found.reshape(-1, VIEWS, _COUNT + 1)[..., _COUNT:])
            more = (self._correction.take(rows % SITE_BUCKETS, axis=0)[:, None] * lengths).reshape(len(rows), -1)
            blocks.append((self._moved, np.add.reduceat(more, begins, axis=0), _COUNT))
        at = [where.start + number for number, twin in enumerate(second) if twin != number] if texts > count else []
        for into, sums, wide in blocks:
            for part in range(2):
                mine, begin = sums[part * texts : (part + 1) * texts], part * VIEWS * wide
                into[where, begin : begin + VIEWS * wide] = mine[:count]
                if at:
                    into[at, begin + wide : begin + VIEWS * wide] = mine[count:, wide:]


def _find_spaced(values: Floats, stops: list[int], good: list[bool]) -> None:
    """Unsets the texts with a word spaced out over tokens: "it's a" is none, "s a t" and "s.a t" are: three letters."""
    linked = (values[:-1, _TAIL] > 0) & (values[1:, _HEAD] > 0)
    linked[[stop - 1 for stop in stops[:-1]]] = False
    two = values[:, _TWO] > 0
    spaced = linked & (two[:-1] | two[1:])
    spaced[1:] |= linked[1:] & linked[:-1]
    for at in np.flatnonzero(spaced).tolist():
        good[bisect_right(stops, at)] = False


def _by_text(values: Floats, stops: list[int], but: int = 0) -> Floats:
    """Sums of each text's rows, all `but` its last ones. A product with ones: a third of what `add.reduce` takes."""
    if len(stops) == 1:
        whole: Floats = np.dot(_ONES[None, : max(stops[0] - but, 0)], values)
        return whole
    sums = np.zeros((len(stops), values.shape[1]), np.float32)
    start = 0
    for number, stop in enumerate(stops):
        if stop - but > start:
            np.dot(_ONES[: stop - but - start], values[start : stop - but], sums[number])
        start = stop
    return sums
