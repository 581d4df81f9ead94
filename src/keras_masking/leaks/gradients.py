"""The gradients of a model's weights, and what padding does to them."""

from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_masking._keras import get_mask, interposed, is_tensor, leading, set_mask, to_numpy
from keras_masking.leaks import probing
from keras_masking.leaks.computing import optimized
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.rounding import SPARE, Digits, distance
from keras_masking.tracing import run, unchanged

RUNS = 6  # more than of results: an entry of a gradient has none beside it that tell of its size


class NoGradients(Exception):
    """Holds the key of the note that says why."""


class Gradients:
    """By the path of each trainable variable, the gradient of a sum of the valid results.

    Args:
        where: by output, flat, the entries that are summed, as booleans; None for all.
        entries: the valid steps of the outputs that padding goes into, by the layer and the number
            of its call; there other values can be put in.

    Raises:
        NoGradients: the backend or the model has none.
    """

    def __init__(self, model: keras.Layer, structure: Any, where: list | None, entries: dict):
        self.model, self.structure, self.where, self.entries = model, structure, where, entries
        self.variables = model.trainable_variables
        if not self.variables:
            raise NoGradients("no-weights")
        self.backend = _BACKENDS.get(keras.backend.backend())
        if self.backend is None:
            raise NoGradients("no-gradients")
        self.compiled: Any = None

    def __call__(
        self, inputs: list[Padded], share: float, weights: list | None = None
    ) -> dict[str, np.ndarray]:
        """
        Args:
            share: how much of the other values is put in, 0 or 1.
            weights: the values of the variables, in their order; None for those that they have.

        Raises:
            NoGradients: the results hold no floating-point numbers.
            Exception: whatever the model raises.
        """
        found = self.backend(self, inputs, share, weights)
        return {
            v.path: np.zeros(v.shape) if g is None else to_numpy(g).astype("float64")
            for v, g in zip(self.variables, found, strict=True)
        }

    def total(self, inputs: list[Padded], values: list, share: Any) -> Any:
        """The sum, of `values` in the place of those of the inputs."""
        _, masks = probing.pack(self.structure, inputs)
        arrays = tree.pack_sequence_as(self.structure, values)
        with interposed(_Injection(self.entries, share)):
            outputs = tree.flatten(run(self.model, arrays, masks))
        parts = []
        for i, y in enumerate(outputs):
            if not is_tensor(y) or "float" not in keras.backend.standardize_dtype(y.dtype):
                continue
            # another weight for each entry, so that no two can make up for one another
            weights = np.random.default_rng(i).uniform(0.5, 1.5, tuple(y.shape)).astype("float32")
            at = self.where[i] if self.where else None
            if at is not None:
                weights = np.where(at, weights, 0)
                y = ops.where(ops.convert_to_tensor(at), y, ops.zeros_like(y))
            parts.append(ops.sum(ops.cast(y, "float32") * ops.convert_to_tensor(weights)))
        if not parts:
            raise NoGradients("no-float-results")
        return sum(parts[1:], parts[0])

    def moved(self, inputs: list[Padded], share: float, found: dict) -> dict[str, np.ndarray]:
        """By variable how far rounding may move each entry of its gradient, measured as that of
        results is.

        Args:
            found: the gradients of these inputs and this share.
        """
        moved = {path: np.zeros(g.shape) for path, g in found.items()}
        for seed in range(RUNS):
            digits = Digits(np.random.default_rng(seed))
            others = [digits.of_input(x) for x in inputs]
            again = self(others, share, [digits.of_weight(v) for v in self.variables])
            for path, g in found.items():
                amount = distance(again[path], g)
                moved[path] = np.maximum(moved[path], np.where(np.isfinite(amount), amount, 0))
        return {path: SPARE * amount for path, amount in moved.items()}

    def having(self, weights: list | None) -> AbstractContextManager:
        """While this is open the variables have these values."""
        state = [] if weights is None else list(zip(self.variables, weights, strict=True))
        return unchanged(self.model, state)


def _tensorflow(
    gradients: Gradients, inputs: list[Padded], share: float, weights: list | None
) -> list:
    import tensorflow as tf

    with gradients.having(weights), tf.GradientTape() as tape:
        tape.watch(weights or [])
        total = gradients.total(inputs, [x.values for x in inputs], share)
    found = tape.gradient(total, weights or [v.value for v in gradients.variables])
    return [g if g is None else tf.convert_to_tensor(g) for g in found]


def _jax(gradients: Gradients, inputs: list[Padded], share: float, weights: list | None) -> list:
    import jax

    def total(weights, values, share):
        with gradients.having(weights):
            return gradients.total(inputs, values, share)

    weights = weights or [v.value for v in gradients.variables]
    given = weights, [x.values for x in inputs], share
    if gradients.compiled is None:
        gradients.compiled = jax.jit(jax.grad(total))  # once for several batches of one shape
    try:
        with optimized():
            return list(gradients.compiled(*given))
    except NoGradients:
        raise
    except Exception:  # code that cannot be compiled may run as it is
        return list(jax.grad(total)(*given))


def _torch(gradients: Gradients, inputs: list[Padded], share: float, weights: list | None) -> list:
    import torch

    for x in weights or []:
        x.requires_grad_()
    with torch.enable_grad(), gradients.having(weights):
        total = gradients.total(inputs, [x.values for x in inputs], share)
    weights = weights or [v.value for v in gradients.variables]
    return list(torch.autograd.grad(total, weights, allow_unused=True))


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


class _Injection:
    """Adds other values to padded steps after the layers that write into them."""

    def __init__(self, entries: dict[tuple[int, int], np.ndarray], share: Any):
        self.entries, self.share = entries, share
        self.called: dict[int, int] = {}

    def __call__(self, operation: keras.Operation, call, args: tuple, kwargs: dict) -> Any:
        x = call(*args, **kwargs)
        times = self.called[id(operation)] = self.called.get(id(operation), 0) + 1
        valid = self.entries.get((id(operation), times))
        if valid is None or not is_tensor(x) or not leading(tuple(x.shape), valid.shape):
            return x
        noise = np.random.default_rng(times).normal(size=tuple(x.shape)).astype("float32")
        noise[valid] = 0
        changed = x + ops.cast(ops.convert_to_tensor(noise) * self.share, x.dtype)
        if get_mask(x) is not None:
            set_mask(changed, get_mask(x))
        return changed
