"""The training of the reader's network: one pass or a few over the lessons, resumable from checkpoints.

Checkpoints are safetensors and JSON. The order of the texts and the random numbers of a step depend on the seed and the step
alone, so that a resumed training ends with the weights of one that was never stopped (same machine and threads).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional

from classifier.labels import LABELS
from classifier.progress import log
from classifier.training.reader_model import Network
from classifier.training.reader_rows import Lessons

CLS, SEP = 101, 102
"""BERT's tokens for the beginning and the end of a text."""
SORTED = 40
"""Batches that are sorted by length together, so that little is filled up."""
WARM = 0.06
"""Share of the steps in which the rate rises; then it falls to 0 in a line."""
COOL = 0.12
"""Share of a shortened training in which the rate falls to 0."""
LABEL_WEIGHT = {"threat": 2.0, "severe_toxicity": 1.5}
"""Of labels with few examples beside the others."""
LARGEST = 1.0
"""Norm to which gradients are cut."""
REPORTED = 20.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Options:
    """tokens: of a text that are read, and `batch`: of a batch, filled up; rate: of the encoder, and `heads_rate`."""

    seed: int = 1
    passes: int = 1
    tokens: int = 96
    batch: int = 2048
    rate: float = 1e-4
    heads_rate: float = 1e-3
    decay: float = 0.01
    every: int = 100
    """Steps between two checkpoints."""
    threads: int = 1


def fit(
    network: Network,
    tokenizer: Tokenizer,
    lessons: Lessons,
    options: Options,
    checkpoints: Path,
    most: int | None = None,
) -> int:
    """Trains `network` in place and returns the number of steps. With `most` it is shortened to so many: the rate falls to 0 over
    the last of them, and those before are the same as in a whole training, so that a checkpoint of the one serves the other."""
    torch.set_num_threads(options.threads)
    ids = [tokenizer.encode(text, add_special_tokens=False).ids[: options.tokens] for text in lessons.texts]
    batches = _batches([len(one) + 2 for one in ids], options)
    targets, weight = torch.from_numpy(lessons.targets), torch.from_numpy(lessons.weight)
    heads = list(network.heads.parameters())
    body = [p for p in network.parameters() if p.requires_grad and all(p is not head for head in heads)]
    groups = [{"params": body, "rate": options.rate}, {"params": heads, "rate": options.heads_rate}]
    optimiser = torch.optim.AdamW(groups, lr=0.0, weight_decay=options.decay, fused=True)
    mark = _mark(lessons, options)
    last = len(batches) if most is None else min(most, len(batches))
    first = _resume(checkpoints, mark, network, optimiser, last)
    log(
        f"{len(lessons.texts)} texts, {sum(map(len, ids))} tokens, {len(batches)} steps"
        + (f", from {first}" if first else "")
    )
    network.train()
    started = told = time.monotonic()
    mean = 0.0
    for step in range(first, last):
        torch.manual_seed(options.seed * 1_000_003 + step)
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * _share(step, len(batches), last)
        places = batches[step]
        given, seen = filled([ids[place] for place in places])
        with torch.autocast("cpu", torch.bfloat16, enabled=_bf16()):
            log_odds, _ = network(given, seen)
        loss = _loss(log_odds.float(), targets[places], weight[places])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(body + heads, LARGEST)
        optimiser.step()
        optimiser.zero_grad()
        mean += (float(loss.detach()) - mean) * (0.02 if step > first + 50 else 1 / (step - first + 1))
        done = step + 1
        if done % options.every == 0 or done == last:
            _save(checkpoints, mark, network, optimiser, done, last)
        if time.monotonic() - told >= REPORTED or done == last:
            told = time.monotonic()
            left = (told - started) / (done - first) * (last - done)
            log(f"step {done} of {last}, loss {mean:.4f}, {left / 60:.0f} min left")
    network.eval()
    return last


def filled(rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    """Token numbers, with beginning and end, filled up to the longest: ids and seen, [texts, tokens] each."""
    width = max(len(row) for row in rows) + 2
    ids, seen = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row) + 2] = [CLS, *row, SEP]
        seen[number, : len(row) + 2] = 1
    return torch.from_numpy(ids), torch.from_numpy(seen)


def _batches(lengths: Sequence[int], options: Options) -> list[list[int]]:
    out: list[list[int]] = []
    for number in range(options.passes):
        rng = random.Random(f"{options.seed}/{number}")  # noqa: S311 - an order, not a secret
        order = list(range(len(lengths)))
        rng.shuffle(order)
        typical = max(1, options.batch * len(lengths) // max(1, sum(lengths)))
        mine: list[list[int]] = []
        for low in range(0, len(order), SORTED * typical):
            batch: list[int] = []
            for place in sorted(order[low : low + SORTED * typical], key=lambda place: (lengths[place], place)):
                if batch and (len(batch) + 1) * lengths[place] > options.batch:
                    mine.append(batch)
                    batch = []
                batch.append(place)
            if batch:
                mine.append(batch)
        rng.shuffle(mine)
        out += mine
    return out


def _share(step: int, steps: int, last: int) -> float:
    """Of the highest rate, in a training of `steps` that is shortened to `last`."""
    warm = max(1.0, WARM * steps)
    share = min((step + 1) / warm, (steps - step) / max(1.0, steps - warm))
    return share if last == steps else min(share, (last - step) / max(1.0, COOL * last))


def _cools(last: int) -> float:
    """The first step whose rate a shortened training lowers."""
    return (1 - COOL) * last


def _loss(log_odds: Any, targets: Any, weight: Any) -> Any:
    """Cross-entropy of the known labels, a mean over the texts."""
    known = ~torch.isnan(targets)
    each = functional.binary_cross_entropy_with_logits(log_odds, torch.nan_to_num(targets), reduction="none")
    worth = torch.tensor([LABEL_WEIGHT.get(label, 1.0) for label in LABELS])
    return (each * known * weight[:, None] * worth).sum() / len(targets)


def _bf16() -> bool:
    """Whether the processor computes in bf16: a third of the time."""
    return bool(torch.backends.cpu.get_cpu_capability().startswith("AVX512")) and "avx512_bf16" in _flags()


def _flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return ""


def _mark(lessons: Lessons, options: Options) -> str:
    """What a checkpoint belongs to: the lessons and the options."""
    told = hashlib.sha256(json.dumps(asdict(options) | {"every": 0}).encode())
    for text in lessons.texts:
        told.update(text.encode("utf-8", "surrogatepass"))
    told.update(lessons.targets.tobytes())
    told.update(lessons.weight.tobytes())
    return told.hexdigest()


def _save(folder: Path, mark: str, network: Network, optimiser: Any, step: int, last: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"network.{name}": value.contiguous() for name, value in network.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": value.contiguous() for name, value in state.items()}
    beside = folder / "checkpoint.writing"
    save_file(tensors, str(beside), metadata={"mark": mark, "step": str(step), "last": str(last)})
    os.replace(beside, folder / "checkpoint.safetensors")


def _resume(folder: Path, mark: str, network: Network, optimiser: Any, last: int) -> int:
    """The steps that are done. A checkpoint of other lessons or options is left alone. Raises ValueError."""
    path = folder / "checkpoint.safetensors"
    if not path.is_file():
        return 0
    about = metadata(path)
    if about.get("mark") != mark:
        raise ValueError(f"{path} belongs to other data or options: name another folder for the checkpoints")
    step, other = int(about["step"]), int(about.get("last", last))
    if other != last and step > min(_cools(last), _cools(other)):
        raise ValueError(f"{path} is of a training of {other} steps, {step} of them done: it cannot go on to {last}")
    tensors = load_file(str(path))
    network.load_state_dict({name[8:]: value for name, value in tensors.items() if name.startswith("network.")})
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, number, kind = name.split(".")
            state.setdefault(int(number), {})[kind] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return step


def metadata(path: Path) -> dict[str, str]:
    """The header of a file of safetensors. Raises ValueError."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(size, 10_000_000)))
    found = header.get("__metadata__", {})
    return {str(name): str(value) for name, value in found.items()}
