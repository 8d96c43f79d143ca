"""Many small neural networks at once, one per user: the layers of all of them are batched matrix products."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Job", "Training", "predict_many"]

Floats = npt.NDArray[np.float32]
Job = tuple[Floats, Floats, Floats]
"""One network: inputs ``(n, size)``, what they shall give ``(n, outputs)`` in 0..1, inputs to predict ``(m, size)``."""

_HIDDEN = (32, 16)
_BATCH = 1 << 14
"""Padded inputs that are trained on at once; bounds the memory of a batch."""


@dataclass(frozen=True)
class Training:
    """How networks with hidden layers of 32 and 16 rectified units are trained, on all of a user's ratings at once.

    Parameters
    ----------
    rate, decay
        Learning rate and weight decay of AdamW (Loshchilov & Hutter 2019).
    stops
        Numbers of steps after which predictions are made.
    start
        Logits before training, one or one per output; None to start the last layer at random, too.
    seed
        Of the start weights, which differ from network to network.
    """

    rate: float
    decay: float
    stops: tuple[int, ...]
    start: float | tuple[float, ...] | None
    seed: int


def predict_many(jobs: Sequence[Job], training: Training) -> list[Floats]:
    """Logits ``(stops, m, outputs)`` of each job's network; networks do not influence each other."""
    order = sorted(range(len(jobs)), key=lambda at: len(jobs[at][0]))
    found: list[Floats] = [np.empty(0, np.float32)] * len(jobs)
    first = 0
    while first < len(order):
        # Jobs of like length are padded to the longest of them.
        last = first + 1
        while last < len(order) and (last + 1 - first) * max(len(jobs[order[last]][0]), 1) <= _BATCH:
            last += 1
        chosen = order[first:last]
        with _one_thread():
            said = _batch([jobs[at] for at in chosen], chosen, training)
        for at, logits in zip(chosen, said, strict=True):
            found[at] = logits
        first = last
    return found


@contextmanager
def _one_thread() -> Iterator[None]:
    """Small products gain nothing from threads, which wait for each other when several processes compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _batch(jobs: Sequence[Job], numbers: Sequence[int], training: Training) -> list[Floats]:
    inputs, mask = _padded([job[0] for job in jobs])
    wanted, _ = _padded([job[1] for job in jobs])
    asked, _ = _padded([job[2] for job in jobs])
    share = mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
    layers = _layers(numbers, inputs.shape[2], wanted.shape[2], training)
    optimiser = torch.optim.AdamW(layers, lr=training.rate, weight_decay=training.decay, fused=True)
    said = []
    for step in range(1, max(training.stops) + 1):
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(_forward(layers, inputs), wanted, reduction="none")
        total: Any = (loss.mean(dim=2) * share).sum()
        total.backward()
        optimiser.step()
        if step in training.stops:
            with torch.no_grad():
                said.append(_forward(layers, asked).numpy())
    stacked = np.stack(said, axis=1)
    return [rows[:, : len(job[2])] for rows, job in zip(stacked, jobs, strict=True)]


def _padded(rows: Sequence[Floats]) -> tuple[torch.Tensor, torch.Tensor]:
    """Arrays ``(n, size)`` as one tensor ``(arrays, most, size)``, and which of its rows are there."""
    most = max(len(row) for row in rows)
    together = np.zeros((len(rows), max(most, 1), rows[0].shape[1]), np.float32)
    mask = np.zeros(together.shape[:2], np.float32)
    for at, row in enumerate(rows):
        together[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return torch.from_numpy(together), torch.from_numpy(mask)


def _layers(numbers: Sequence[int], inputs: int, outputs: int, training: Training) -> list[torch.Tensor]:
    """Weights and biases in turn, each ``(networks, ...)``, with PyTorch's usual start values."""
    sizes = list(pairwise((inputs, *_HIDDEN, outputs)))
    shapes = [shape for wide, narrow in sizes for shape in ((wide, narrow), (1, narrow))]
    bounds = [1 / np.sqrt(wide) for wide, _ in sizes for _ in range(2)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    drawn = np.stack(
        [np.random.default_rng([training.seed, 40, number]).uniform(-1, 1, ends[-1]) for number in numbers]
    )
    pieces = np.split(drawn.astype(np.float32), ends[:-1], axis=1)
    values = [
        (piece * np.float32(bound)).reshape(-1, *shape)
        for piece, bound, shape in zip(pieces, bounds, shapes, strict=True)
    ]
    if training.start is not None:
        values[-2][:], values[-1][:] = 0, np.broadcast_to(np.asarray(training.start, np.float32), (1, outputs))
    return [torch.from_numpy(value).requires_grad_() for value in values]


def _forward(layers: Sequence[torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    for at in range(0, len(layers), 2):
        inputs = torch.baddbmm(layers[at + 1], inputs, layers[at])
        if at + 2 < len(layers):
            inputs = torch.relu(inputs)
    return inputs
