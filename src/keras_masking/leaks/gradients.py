"""The gradients of a model's weights, and what padding does to them."""

from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops, tree

from keras_masking._keras import get_mask, interposed, is_tensor, leading, set_mask, to_numpy
from keras_masking.leaks import probing
from keras_masking.leaks.computing import optimized
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.rounding import DIGITS, SPARE, Digits, Inexact, Output, distance, dtype_of
from keras_masking.tracing import run, unchanged

RUNS = 6  # more than of results: an entry of a gradient has none beside it that tell of its size


class NoGradients(Exception):
    """Holds the key of the note that says why."""


class Values(NamedTuple):
    """The values of a model's trainable variables and of its others, and what outputs are
    multiplied by to have other last digits."""

    weights: list
    frozen: list
    factors: dict[Output, np.ndarray]


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
        trainable = set(map(id, self.variables))
        self.frozen = [
            v for v in model.variables if id(v) not in trainable and dtype_of(v) in DIGITS
        ]
        if not self.variables:
            raise NoGradients("no-weights")
        self.backend = _BACKENDS.get(keras.backend.backend())
        if self.backend is None:
            raise NoGradients("no-gradients")
        self.compiled: Any = None

    def __call__(
        self, inputs: list[Padded], share: float, of: Values | None = None
    ) -> dict[str, np.ndarray]:
        """
        Args:
            share: how much of the other values is put in, 0 or 1.

        Raises:
            NoGradients: the results hold no floating-point numbers.
            Exception: whatever the model raises.
        """
        found = self.backend(self, inputs, share, of or self.as_they_are())
        return {
            v.path: np.zeros(v.shape) if g is None else to_numpy(g).astype("float64")
            for v, g in zip(self.variables, found, strict=True)
        }

    def total(self, inputs: list[Padded], values: list, share: Any, factors: dict) -> Any:
        """The sum, of `values` in the place of those of the inputs."""
        _, masks = probing.pack(self.structure, inputs)
        arrays = tree.pack_sequence_as(self.structure, values)
        with interposed(_Injection(self.entries, share, factors)):
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

    def moved(
        self,
        inputs: list[Padded],
        share: float,
        found: dict[str, np.ndarray],
        inexact: dict[Output, Inexact],
    ) -> dict[str, np.ndarray]:
        """By variable how far rounding may move each entry of its gradient, measured as that of
        results is.

        Args:
            found: the gradients of these inputs and this share.
            inexact: of each output that is rounded.
        """
        moved = {path: np.zeros(g.shape) for path, g in found.items()}
        for seed in range(RUNS):
            digits = Digits(np.random.default_rng(seed))
            others = [digits.of_input(x) for x in inputs]
            again = self(others, share, self.with_other(digits, inexact))
            for path, g in found.items():
                amount = distance(again[path], g)
                moved[path] = np.maximum(moved[path], np.where(np.isfinite(amount), amount, 0))
        return {path: SPARE * amount for path, amount in moved.items()}

    def as_they_are(self) -> Values:
        return Values([v.value for v in self.variables], [v.value for v in self.frozen], {})

    def with_other(self, digits: Digits, inexact: dict[Output, Inexact]) -> Values:
        """The variables and outputs with other last digits."""
        others = {id(v): value for v, value in digits.of_weights([*self.variables, *self.frozen])}
        weights, frozen = (
            [others.get(id(v), v.value) for v in variables]
            for variables in (self.variables, self.frozen)
        )
        return Values(weights, frozen, {output: digits.factor(x) for output, x in inexact.items()})

    def having(self, weights: list, frozen: list) -> AbstractContextManager:
        """While this is open the variables have these values."""
        pairs = zip([*self.variables, *self.frozen], [*weights, *frozen], strict=True)
        return unchanged(self.model, list(pairs))


def _tensorflow(gradients: Gradients, inputs: list[Padded], share: float, of: Values) -> list:
    import tensorflow as tf

    with gradients.having(of.weights, of.frozen), tf.GradientTape() as tape:
        tape.watch(of.weights)
        total = gradients.total(inputs, [x.values for x in inputs], share, of.factors)
    found = tape.gradient(total, of.weights)
    return [g if g is None else tf.convert_to_tensor(g) for g in found]


def _jax(gradients: Gradients, inputs: list[Padded], share: float, of: Values) -> list:
    import jax

    def total(weights, frozen, factors, values, share):
        with gradients.having(weights, frozen):
            return gradients.total(inputs, values, share, factors)

    given = *of, [x.values for x in inputs], share
    if gradients.compiled is None:
        gradients.compiled = jax.jit(jax.grad(total))  # once for several batches of one shape
    try:
        with optimized():
            return list(gradients.compiled(*given))
    except NoGradients:
        raise
    except Exception:  # code that cannot be compiled may run as it is
        return list(jax.grad(total)(*given))


def _torch(gradients: Gradients, inputs: list[Padded], share: float, of: Values) -> list:
    import torch

    for x in of.weights:
        x.requires_grad_()
    with torch.enable_grad(), gradients.having(of.weights, of.frozen):
        total = gradients.total(inputs, [x.values for x in inputs], share, of.factors)
    return list(torch.autograd.grad(total, of.weights, allow_unused=True))


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


class _Injection:
    """Adds other values to padded steps after the layers that write into them, and multiplies
    outputs by factors."""

    def __init__(
        self,
        entries: dict[tuple[int, int], np.ndarray],
        share: Any,
        factors: dict[Output, Any],
    ):
        self.entries, self.share, self.factors = entries, share, factors
        self.called: dict[int, int] = {}

    def __call__(self, operation: keras.Operation, call, args: tuple, kwargs: dict) -> Any:
        outputs = call(*args, **kwargs)
        times = self.called[id(operation)] = self.called.get(id(operation), 0) + 1
        flat = tree.flatten(outputs)
        changed = [self.changed(x, (id(operation), times, i)) for i, x in enumerate(flat)]
        if all(x is y for x, y in zip(changed, flat, strict=True)):
            return outputs
        return tree.pack_sequence_as(outputs, changed)

    def changed(self, x: Any, at: Output) -> Any:
        if not is_tensor(x):
            return x
        changed, factor, valid = x, self.factors.get(at), self.entries.get(at[:2])
        if factor is not None and tuple(x.shape) == tuple(factor.shape):
            changed = changed * ops.cast(ops.convert_to_tensor(factor), x.dtype)
        if valid is not None and leading(tuple(x.shape), valid.shape):
            noise = np.random.default_rng(at[1]).normal(size=tuple(x.shape)).astype("float32")
            noise[valid] = 0
            changed = changed + ops.cast(ops.convert_to_tensor(noise) * self.share, x.dtype)
        if changed is not x and get_mask(x) is not None:
            set_mask(changed, get_mask(x))
        return changed
