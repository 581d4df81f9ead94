"""The same batch, padded in another way: what of it no model can tell by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from keras_masking.leaks.probing import Padded, on_the_left, taken


class Feeding(NamedTuple):
    """
    Attributes:
        why: a key of the texts.
        line: does it to the batch.
        inputs: padded so, valid steps as they were.
    """

    why: str
    line: str
    inputs: list[Padded]


RIGHT = 'x = keras.utils.pad_sequences(sequences, padding="post")'
APART = "x[padding] = 0  # padding: booleans (batch, time), True = padding"


def feedings(inputs: list[Padded]) -> Iterator[Feeding]:
    """Those that differ from how the batch is padded."""
    ways: list[tuple[str, str, Callable]] = [
        ("pad-apart", APART, _apart),
        ("pad-right", RIGHT, _right),
    ]
    for why, line, padded in ways:
        other = [padded(x) for x in inputs]
        if any(x is not y for x, y in zip(inputs, other, strict=True)):
            yield Feeding(why, line, other)


def _right(x: Padded) -> Padded:
    """Positions of valid steps no longer depend on how many padded ones there are."""
    if not x.is_padded or x.pairs or x.mask.ndim > 2 or not on_the_left(x.mask):
        return x
    places = np.argsort(~x.mask, axis=1, kind="stable")
    return replace(x, values=taken(x.values, places, 1), mask=taken(x.mask, places, 1))


def _apart(x: Padded) -> Padded:
    """Padding holds zeros, where valid steps hold what it held and none holds zeros."""
    if not x.is_padded or x.is_mask or x.pairs or x.mask.ndim > 2:
        return x
    zero = ~x.values.reshape(*x.mask.shape, -1).any(axis=-1)
    if not (zero & x.mask).any() and not zero[~x.mask].all():
        held = x.values[~x.mask]
        known = x.values[x.mask].reshape(-1, *held.shape[1:])
        if any(np.array_equal(step, held[0]) for step in known):
            values = x.values.copy()
            values[~x.mask] = 0
            return replace(x, values=values)
    return x
