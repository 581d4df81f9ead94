"""The gradients of a model's weights: whether they are finite, and what padding does to them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_masking._keras import get_mask, interposed, is_tensor, leading, set_mask, to_numpy
from keras_masking.leaks import probing
from keras_masking.leaks.following import Base, Entry
from keras_masking.leaks.probing import Padded
from keras_masking.tracing import run, unchanged


class NoGradients(Exception):
    """Holds the key of the note that says why."""


Injected = Callable[[Entry, Any], Any]


def gradients(
    base: Base,
    structure: Any,
    inputs: list[Padded],
    where: list | None = None,
    inject: Injected | None = None,
) -> dict[str, np.ndarray]:
    """By the path of each trainable variable, the gradient of a sum of the valid results.

    Args:
        where: by output, flat, the entries that are summed, as booleans; None for all.
        inject: gives what goes on in the place of the output of a layer that writes into padding.

    Raises:
        NoGradients: the backend, the model or its results have none.
    """
    model = base.model
    variables = model.trainable_variables
    if not variables:
        raise NoGradients("no-weights")
    arrays, masks = probing.pack(structure, inputs)

    def total() -> Any:
        with interposed(_Injection(base, inject)):
            outputs = tree.flatten(run(model, arrays, masks))
        parts = []
        for i, (y, at) in enumerate(zip(outputs, where or [None] * len(outputs), strict=True)):
            if not is_tensor(y) or "float" not in keras.backend.standardize_dtype(y.dtype):
                continue
            # other weights for each entry, so that no two can make up for one another
            weights = np.random.default_rng(i).uniform(0.5, 1.5, tuple(y.shape))
            y = ops.cast(y, "float32") if y.dtype != "float64" else y
            weights = ops.cast(ops.convert_to_tensor(weights.astype("float32")), y.dtype)
            if at is not None:
                weights = ops.where(ops.convert_to_tensor(at), weights, ops.zeros_like(weights))
                y = ops.where(ops.convert_to_tensor(at), y, ops.zeros_like(y))
            parts.append(ops.sum(ops.cast(y * weights, "float32")))
        if not parts:
            raise NoGradients("no-float-results")
        return sum(parts[1:], parts[0])

    found = _of(model, variables, total)
    return {
        v.path: np.zeros(v.shape) if g is None else to_numpy(g).astype("float64")
        for v, g in zip(variables, found, strict=True)
    }


def _of(model: keras.Layer, variables: list, total: Callable[[], Any]) -> list:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with unchanged(model), tf.GradientTape() as tape:
            result = total()
        found = tape.gradient(result, [v.value for v in variables])
        return [g if g is None else tf.convert_to_tensor(g) for g in found]
    if backend == "jax":
        import jax

        def at(values):
            with unchanged(model, list(zip(variables, values, strict=True))):
                return total()

        return list(jax.grad(at)([v.value for v in variables]))
    if backend == "torch":
        import torch

        with torch.enable_grad(), unchanged(model):
            result = total()
        return list(torch.autograd.grad(result, [v.value for v in variables], allow_unused=True))
    raise NoGradients("no-gradients")


class _Injection:
    """Puts other values behind the layers that write into padding, and lets valid ones through."""

    def __init__(self, base: Base, inject: Injected | None):
        self.inject = inject
        self.entries = {(id(entry.layer), entry.times): entry for entry in base.entries.values()}
        self.called: dict[int, int] = {}

    def __call__(self, operation: keras.Operation, call, args: tuple, kwargs: dict) -> Any:
        outputs = call(*args, **kwargs)
        times = self.called[id(operation)] = self.called.get(id(operation), 0) + 1
        entry = self.entries.get((id(operation), times))
        if entry is None or self.inject is None or not is_tensor(outputs):
            return outputs
        if not leading(tuple(outputs.shape), entry.valid.shape):
            return outputs
        changed = self.inject(entry, outputs)
        if get_mask(outputs) is not None and changed is not outputs:
            set_mask(changed, get_mask(outputs))
        return changed
