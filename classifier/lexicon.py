"""What each token of ordinary text adds to its score, worked out once per token. numpy only.

n-grams end at white space, so all that a token adds, in both views, depends on the token alone; only pairs of words
reach across. Comments repeat the same few thousand tokens, so a text is a look-up per token and a sum, where hashing its
characters anew costs several times as much (`python -m classifier evaluate` prints both). What does not fit (the windows
of a long text, letters spaced out over tokens, a token that its normalised view splits or swallows) is not guessed at:
`score` says which texts it holds for, and `Table.score` does the others, by the same sums.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from classifier.hashing import LONG, ROWS, Ints, identity_pair_rows, pair_rows
from classifier.labels import LABELS
from classifier.linear import SITE_BUCKETS, SITE_SCALE, VIEWS, WORDS, Floats, Table, log_odds
from classifier.views import BREAK, Fold, normal_tokens

Bools = npt.NDArray[np.bool_]

KEPT = 1 << 14
"""Tokens that are remembered (2 MB). When they are too many all are forgotten: hostile text cannot grow us."""
LONGEST_TOKEN = 64
_COUNT = len(LABELS)
_SUMS = VIEWS * 2 * (_COUNT + 1)
_LENGTH = slice(_SUMS, _SUMS + VIEWS)
_ODD = _SUMS + VIEWS
_SITE = _ODD + 1
_HEAD = re.compile(r"[._*\-]?[a-z](?![a-z0-9])")
_TAIL = re.compile(r"(?:\A|.*[^a-z0-9])[a-z][._*\-]?\Z", re.DOTALL)
_TWO = re.compile(r"(?<![a-z0-9])[a-z][._*\-]{1,2}[a-z](?![a-z0-9])")


class Lexicon:
    """Scores texts by their tokens, with one site's correction or none. Safe to call from several threads."""

    def __init__(self, table: Table, fold: Fold, correction: Floats | None = None) -> None:
        self._table, self._fold, self._correction = table, fold, correction
        self._lock = Lock()
        self._number: dict[str, int] = {}
        # Of a token: the sums of its character and of its word rows in each view, its length in each view, whether it
        # is odd, and what the correction adds. Number 0 is the odd token that stands for all that are not kept.
        self._values = np.zeros((KEPT, _SITE + (VIEWS * 2 * _COUNT if correction is not None else 0)), np.float32)
        self._blocks = self._values[:, :_SUMS].reshape(KEPT, VIEWS, 2, _COUNT + 1)
        self._moved = self._values[:, _SITE:].reshape(KEPT, VIEWS, 2, -1)
        # A lone letter at its head, one at its tail, two in a row: with its neighbours' they may be one word spaced out.
        self._head, self._tail, self._two = (np.zeros(KEPT, bool) for _ in range(3))
        # Of a token in each view: its first and its last word, as pairs of words see them.
        self._words = np.zeros((2, VIEWS * KEPT), np.uint32)
        self._named = np.zeros((2, VIEWS * KEPT), np.uint32)
        self._masked = np.zeros((2, VIEWS * KEPT), bool)
        self._has_word = np.zeros(VIEWS * KEPT, bool)
        self._forget()

    def _forget(self) -> None:
        self._number.clear()
        self._values[0] = 0
        self._values[0, _ODD] = 1
        self._count = 1

    def score(self, texts: Sequence[str]) -> tuple[Floats, Floats, Bools]:
        """[texts, views, labels] log-odds, [texts, labels] what the correction adds, [texts] where both hold."""
        tokens = [text.split() if len(text) < LONG else [] for text in texts]
        whole = np.zeros((len(texts), VIEWS, _COUNT), np.float32)
        site = np.zeros((len(texts), _COUNT), np.float32)
        good = np.array([bool(some) for some in tokens])
        if good.any():
            with self._lock:
                whole[good], site[good], good[good] = self._sum([some for some in tokens if some])
        return whole, site, good

    def _sum(self, texts: list[list[str]]) -> tuple[Floats, Floats, Bools]:
        ids = self._ids([token for tokens in texts for token in tokens])
        count = len(texts)
        sizes = np.array([len(tokens) for tokens in texts])
        of = np.repeat(np.arange(count), sizes)
        sums = np.add.reduceat(self._values.take(ids, axis=0), np.cumsum(sizes) - sizes, axis=0)
        good = (sums[:, _ODD] == 0) & (sums[:, _LENGTH] <= LONG).all(axis=1)
        linked = self._tail.take(ids[:-1]) & self._head.take(ids[1:]) & (of[1:] == of[:-1])
        if linked.any():  # "it's a" is no spaced word, "s a t" and "s.a t" are: three letters
            spaced = linked & (self._two.take(ids[:-1]) | self._two.take(ids[1:]))
            spaced[1:] |= linked[1:] & linked[:-1]
            good[of[1:][spaced]] = False
        blocks = sums[:, :_SUMS].reshape(count, VIEWS, 2, _COUNT + 1)
        moved = sums[:, _SITE:].reshape(count, VIEWS, 2, -1)
        self._add_pairs(ids, of, blocks, moved)
        chars, words = blocks[:, :, 0], blocks[:, :, 1]
        site = np.zeros((count, _COUNT), np.float32)
        if self._correction is not None:
            scale = SITE_SCALE / np.sqrt(blocks[..., _COUNT] + 1)
            scale[:, :, 1] *= WORDS
            site = (moved * scale[..., None]).sum(axis=(1, 2))
        return log_odds(chars, words) + self._table.bias, site, good

    def _add_pairs(self, ids: Ints, of: Ints, blocks: Floats, moved: Floats) -> None:
        """The pairs of words that reach from one token to the next, both views in one run."""
        count = len(blocks)
        both, owner = np.concatenate([ids, ids + KEPT]), np.concatenate([of, of + count])
        worded = self._has_word.take(both)
        both, owner = both[worded], owner[worded]
        follows = owner[1:] == owner[:-1]
        left, right, owner = both[:-1][follows], both[1:][follows], owner[1:][follows]
        if not len(owner):
            return
        second = (owner >= count) * ROWS
        self._add(pair_rows(self._words[1].take(left), self._words[0].take(right)), second, owner, blocks, moved)
        masked = self._masked[1].take(left) | self._masked[0].take(right)
        if masked.any():
            left, right, owner, second = left[masked], right[masked], owner[masked], second[masked]
            rows = identity_pair_rows(self._named[1].take(left), self._named[0].take(right))
            self._add(rows, second, owner, blocks, moved)

    def _add(self, rows: Ints, second: Ints, owner: Ints, blocks: Floats, moved: Floats) -> None:
        """Adds each row to its owner's words. `owner` rises: view × texts + text."""
        starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        view, text = np.divmod(owner[starts], len(blocks))
        values = self._table.flat.take(rows + second, axis=0)
        blocks[text, view, 1] += np.add.reduceat(values, starts, axis=0)
        if self._correction is not None:
            lengths = np.sqrt(values[:, _COUNT:])
            more = self._correction.take(rows % SITE_BUCKETS, axis=0) * lengths
            moved[text, view, 1] += np.add.reduceat(more, starts, axis=0)

    def _ids(self, tokens: list[str]) -> Ints:
        number = self._number
        found = list(map(number.get, tokens))
        if None in found:
            new = {token for token, known in zip(tokens, found, strict=True) if known is None}
            if self._count + len(new) > KEPT:
                self._forget()
                new = set(tokens)
            fit = [token for token in new if len(token) <= LONGEST_TOKEN and BREAK not in token]
            if fit:
                self._learn(fit[: KEPT - self._count])
            return np.array([number.get(token, 0) for token in tokens])
        return np.array(found)

    def _learn(self, tokens: list[str]) -> None:
        low = self._count
        normal = [
            (folded, one if one and len(one) < LONG else None) for folded, one in normal_tokens(tokens, self._fold)
        ]
        texts = [token.lower() for token in tokens] + [one or "" for _, one in normal]
        grams = self._table.hasher.grams(texts)
        count = len(tokens)
        starts, _, first, last = np.array(grams.segments).T  # a token is short, so it is one segment
        worded = last > first
        places = np.concatenate([np.arange(low, low + count)] * 2)
        at = places + np.repeat((0, KEPT), count)
        second = starts[count], first[count]
        for part, (rows, from_, whose) in enumerate(
            ((grams.chars, starts, slice(None)), (grams.words, first[worded], worded))
        ):
            if not len(rows):
                continue
            flat, begins = rows.ravel(), from_ * rows.shape[1]
            view = np.zeros(len(flat), np.int64)
            view[second[part] * rows.shape[1] :] = ROWS
            found = self._table.flat.take(flat + view, axis=0)
            sums = np.zeros((2 * count, _COUNT + 1), np.float32)
            sums[whose] = np.add.reduceat(found, begins, axis=0)
            self._blocks[low : low + count, :, part] = sums.reshape(VIEWS, count, -1).swapaxes(0, 1)
            if self._correction is not None:
                more = self._correction.take(flat % SITE_BUCKETS, axis=0) * np.sqrt(found[:, _COUNT:])
                moved = np.zeros((2 * count, _COUNT), np.float32)
                moved[whose] = np.add.reduceat(more, begins, axis=0)
                self._moved[low : low + count, :, part] = moved.reshape(VIEWS, count, -1).swapaxes(0, 1)
        lengths = np.array([len(text) + 1 for text in texts])
        self._values[low : low + count, _LENGTH] = lengths.reshape(VIEWS, count).T
        self._has_word[at] = worded
        for end, word in ((0, first[worded]), (1, last[worded] - 1)):
            self._words[end, at[worded]] = grams.seen[word]
            self._named[end, at[worded]] = grams.hashes[word]
            self._masked[end, at[worded]] = grams.masked[word] if grams.masked is not None else False
        for number, (folded, one) in enumerate(normal, low):
            self._values[number, _ODD] = one is None
            plain = folded.isalpha() and len(folded) > 1  # most are: no lone letter anywhere
            self._head[number] = not plain and _HEAD.match(folded) is not None
            self._tail[number] = not plain and _TAIL.match(folded) is not None
            self._two[number] = not plain and _TWO.search(folded) is not None
        self._number.update(zip(tokens, range(low, low + count), strict=True))
        self._count += count
