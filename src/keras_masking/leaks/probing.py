"""A model's inputs as padded data: made longer, cut shorter, other values in padded steps."""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_masking._keras import leading


@dataclass(frozen=True, eq=False)
class Padded:
    """One input of a model.

    Attributes:
        values: `(batch, time, ...)`.
        mask: `(batch, time)` or more leading axes, True = valid; None for an input without steps.
        fill: what a padded step holds; None where that is read from the padded steps there are.
        given: whether the mask is handed to the model with the input, since no layer makes it.
        told: whether the model knows the padded steps other than by their values.
        is_mask: whether the values tell the valid steps, as an input named `padding_mask` does.
    """

    values: np.ndarray
    mask: np.ndarray | None = None
    fill: Any = None
    given: bool = False
    told: bool = False
    is_mask: bool = False

    @property
    def padding(self) -> np.ndarray:
        """A padded step: `fill`, or a step there is, or 0."""
        step = np.zeros(self.values.shape[self.mask.ndim :], self.values.dtype)
        if self.fill is not None:
            return np.full_like(step, self.fill)
        if not self.is_mask and not self.mask.all():
            return self.values[~self.mask][0]
        return step

    def longer(self, steps: int, left: bool) -> "Padded":
        """The same with more padded steps."""
        if self.mask is None:
            return self
        width = (steps, 0) if left else (0, steps)
        rest = [(0, 0)] * (self.mask.ndim - 2)
        mask = np.pad(self.mask, [(0, 0), width, *rest])
        values = np.broadcast_to(self.padding, (*mask.shape, *self.padding.shape)).copy()
        first = steps if left else 0
        values[:, first : first + self.values.shape[1]] = self.values
        return replace(self, values=values, mask=mask)

    def shorter(self, rows: np.ndarray) -> "Padded":
        """The same with one valid step left in these samples, the one farthest from padding."""
        if self.mask is None:
            return self
        mask = self.mask.copy()
        left = on_the_left(mask)
        for row in np.flatnonzero(rows):
            valid = np.flatnonzero(mask[row].any(axis=tuple(range(1, mask[row].ndim))))
            mask[row, valid[:-1] if left else valid[1:]] = False
        values = self.values.copy()
        values[self.mask & ~mask] = self.padding
        return replace(self, values=values, mask=mask)

    def other(self, random: np.random.Generator, sign: float) -> "Padded":
        """The same with other values in padded steps, where the model is told which those are."""
        if self.mask is None or self.is_mask or not self.told or self.mask.all():
            return self
        values = self.values.copy()
        padded = ~self.mask
        if values.dtype.kind in "iu":
            # only indices that the data holds are sure to be in the vocabulary
            values[padded] = random.choice(values[self.mask].ravel(), values[padded].shape)
        elif values.dtype.kind == "f":
            values[padded] = noise(values[padded].shape, values[self.mask], random, sign)
        return replace(self, values=values)


def noise(shape: tuple, valid: np.ndarray, random: np.random.Generator, sign: float) -> np.ndarray:
    """Finite values from 2 to 4 times as large as the valid ones, so that a maximum sees them.

    At most 4e4, which float16 holds too.
    """
    finite = np.abs(valid[np.isfinite(valid)].astype("float64"))
    scale = min(finite.max(initial=0.0) or 1.0, 1e4)
    return sign * scale * random.uniform(2, 4, shape)


def on_the_left(mask: np.ndarray) -> bool:
    """Whether all padding stands in front of the data."""
    steps = mask.any(axis=tuple(range(2, mask.ndim))).astype(int) if mask.ndim > 2 else mask
    steps = steps.astype(int)
    return bool(not steps.all() and (np.diff(steps, axis=1) >= 0).all())


def padded(model: keras.Layer, arrays: Any, masks: list) -> list[Padded]:
    """The inputs, flat, with what is known of their masks before the model has run."""
    return share_masks(
        [
            Padded(values, mask=values.astype(bool), is_mask=True)
            if _is_mask(name, values)
            # a model may know index 0 for padding, whatever mask it is given
            else Padded(
                values,
                mask,
                given=mask is not None,
                told=mask is not None and values.dtype.kind == "f",
            )
            for name, values, mask in zip(
                _names(model, arrays), tree.flatten(arrays), masks, strict=True
            )
        ]
    )


def _names(model: keras.Layer, arrays: Any) -> list[str]:
    paths = tree.flatten_with_path(arrays)
    symbolic = getattr(model, "inputs", None) or []
    if len(symbolic) == len(paths) and not isinstance(arrays, dict):
        return [x.name for x in symbolic]
    return [str(path[-1]) if path else "" for path, _ in paths]


def _is_mask(name: str, values: np.ndarray) -> bool:
    return name.endswith("mask") and values.ndim == 2 and bool(np.isin(values, (0, 1)).all())


def share_masks(inputs: list[Padded]) -> list[Padded]:
    """Gives an input without a mask that of another with the same steps."""
    masked = [x for x in inputs if x.mask is not None]

    def shared(x: Padded) -> Padded:
        for other in masked:
            if x.mask is None and leading(x.values.shape, other.mask.shape):
                return replace(x, mask=other.mask, told=other.is_mask)
        return x

    return [shared(x) for x in inputs]


def pack(structure: Any, inputs: list[Padded]) -> tuple[Any, Any]:
    """Arrays and the masks to hand over, in the structure of the model's inputs."""
    arrays = tree.pack_sequence_as(structure, [x.values for x in inputs])
    return arrays, tree.pack_sequence_as(structure, [x.mask if x.given else None for x in inputs])
