"""Makes the toy reader that the tests serve: `python -m tests.classifier.make_toy_reader`, in the environment of requirements-train.lock.

A network of one layer and 16 numbers a word, trained for some seconds on sentences of the tests' corpus, exported and quantised
as a real one.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from classifier.labels import LABELS
from classifier.reader import GRAPH_FILE, TOKENIZER_FILE
from classifier.reader_input import PLACEHOLDER
from classifier.training import reader_export, reader_fit
from classifier.training.reader_model import Network, Shape
from classifier.training.reader_rows import Lessons
from tests.classifier.conftest import FOUL, GOOD, SPAM

TOY = Path(__file__).with_name("toy_reader")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", PLACEHOLDER)
OTHERS = ("you", "are", "all", "people", "link", "thanks", "hate", "i", "the", "muslim", "muslims", "gay", "women")


def tokenizer() -> Tokenizer:
    """WordPiece over the words of the tests' corpus and single letters, with BERT's numbers for beginning and end."""
    words = [*SPECIAL, *(f"[unused{n}]" for n in range(98))]
    words[reader_fit.CLS], words[reader_fit.SEP] = "[CLS]", "[SEP]"
    words[2], words[3] = "[unused100]", "[unused101]"
    words += [*GOOD, *FOUL, *SPAM, *OTHERS]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?"
    words += [*letters, *(f"##{letter}" for letter in letters)]
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.add_special_tokens(["[UNK]", "[CLS]", "[SEP]", PLACEHOLDER])
    return made


def lessons(seed: int = 5) -> Lessons:
    """Good sentences, and such with an insult, a spam word or hate of a group."""
    rng = random.Random(seed)
    texts: list[str] = []
    targets = np.zeros((4000, len(LABELS)), np.float32)
    for number in range(len(targets)):
        words = [rng.choice(GOOD) for _ in range(rng.randrange(2, 140))]
        kind = rng.randrange(5)
        more = [
            [],
            [rng.choice(FOUL)],
            [rng.choice(SPAM)],
            ["hate", rng.choice(("muslims", PLACEHOLDER))],
            [PLACEHOLDER],
        ]
        place = rng.randrange(len(words))
        words[place:place] = more[kind]
        for label in {1: ("toxicity", "insult"), 2: ("spam",), 3: ("toxicity", "identity_attack")}.get(kind, ()):
            targets[number, LABELS.index(label)] = 1
        texts.append(" ".join(words))
    return Lessons(texts, targets, np.ones(len(texts), np.float32))


def make(out: Path = TOY) -> None:
    torch.manual_seed(1)
    words = tokenizer()
    network = Network(Shape(words.get_vocab_size(), 128, 16, 1, 2, 32))
    options = reader_fit.Options(seed=1, passes=4, tokens=126, rate=1e-2, heads_rate=3e-2)
    with tempfile.TemporaryDirectory() as beside:
        reader_fit.fit(network, words, lessons(), options, Path(beside))
    out.mkdir(parents=True, exist_ok=True)
    (out / GRAPH_FILE).write_bytes(reader_export.in_int8(reader_export.graph(network)).SerializeToString())
    (out / TOKENIZER_FILE).write_text(words.to_str(), "utf-8")


if __name__ == "__main__":
    make(*map(Path, sys.argv[1:]))
