"""What can be done around a call, on the symbolic tensors of a model that is made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_masking._keras import get_mask
from keras_masking.inputs import UnusableInput
from keras_masking.layers import KeepMask, MaskedSoftmax, MaskedTimeDistributed


def kept(call, *args, **kwargs):
    """The mask of what a call is given goes on to what it gives."""
    given = _symbolic((args, kwargs))
    masks = [mask for mask in map(get_mask, given) if mask is not None]
    if masks:  # attention in a layer may take the mask off its input
        mask = min(masks, key=lambda mask: len(mask.shape))
        return KeepMask()(call(*args, **kwargs), mask=mask)
    # the inputs of a model get their masks when it runs
    return KeepMask()([call(*args, **kwargs), given[0]])


def sliced(call, x, key):
    """The mask is sliced as its tensor is."""
    keys = key if isinstance(key, tuple) else (key,)
    mask = _mask(x)
    of_steps = keys[: len(mask.shape)]
    if Ellipsis in of_steps or None in of_steps:
        raise UnusableInput("This slice moves the axes of the steps.")
    return KeepMask()(call(x, key), mask=mask[of_steps])


def moved(call, x):
    """The steps of a mask go where those of its tensor go."""
    mask = _mask(x)
    moved = ops.roll(mask, call.shift, axis=1) if hasattr(call, "shift") else ops.flip(mask, axis=1)
    return KeepMask()(call(x), mask=moved)


def turned(call, x, *args, **kwargs):
    """A recurrent layer that goes backwards gives its steps in the order of its input."""
    return KeepMask()([ops.flip(call(x, *args, **kwargs), axis=1), x])


def handed(call, x, *args, **kwargs):
    """The mask as an argument, which Keras fills in for a single tensor only."""
    return call(x, *args, **{**kwargs, "mask": _mask(x)})


def with_value_mask(call, *args, query_mask=None, **kwargs):
    """The mask of queries that are values as well."""
    return call(*args, query_mask=query_mask, value_mask=query_mask, **kwargs)


def zeroed(call, xs, *args, **kwargs):
    """Zeros in padded steps before tensors are merged."""
    zeros = [x if get_mask(x) is None else _with_zeros(x) for x in xs]
    return call(zeros, *args, **kwargs)


def joined(call, x):
    """Steps that become one, which is valid if one of them was."""
    before, after = x.shape[-1], call.target_shape[-1]
    if len(x.shape) != 3 or len(call.target_shape) != 2 or not before or after % before:
        raise UnusableInput("This reshape does not join whole steps.")
    parts = keras.layers.Reshape((-1, after // before))(_mask(x))
    return KeepMask()(call(_with_zeros(x)), mask=ops.any(parts, axis=-1))


def softmax_of_scores(call, scores, **kwargs):
    """Scores of keys that are padding count for nothing: the mask is that of the keys of the
    product that the scores are."""
    operation, node, _ = scores._keras_history
    keys = operation._inbound_nodes[node].input_tensors[-1]
    axis = getattr(call, "axis", -1)
    return MaskedSoftmax(axis, name=call.name)(scores, mask=ops.expand_dims(_mask(keys), 1))


def softmax_by_input(call, mask, scores):
    """A mask that is an input of the model says which scores count."""
    layer = MaskedSoftmax(getattr(call, "axis", -1), name=call.name)
    return layer(scores, mask=ops.cast(mask, "bool"))


def summed_values(call, xs, *args, **kwargs):
    """The product of weights and values has the steps of the queries that the weights are of."""
    operation, node, _ = xs[0]._keras_history
    scores = operation._inbound_nodes[node].input_tensors[0]
    operation, node, _ = scores._keras_history
    queries = operation._inbound_nodes[node].input_tensors[0]
    return KeepMask()(call(xs, *args, **kwargs), mask=_mask(queries))


def index_masked(value: float) -> Callable:
    """What is made of indices has the mask of those that are padding."""

    def call(operation, ids, *args, **kwargs):
        made = operation(ids, *args, **kwargs)
        return KeepMask()(made, mask=ops.not_equal(ids, value))

    return call


def value_masked(value: float) -> Callable:
    """An input whose padded steps hold one number."""
    return lambda call, x: keras.layers.Masking(value)(x)


def after_masking(value: float) -> Callable:
    """The same, of an input that a graph in the code of a model is given."""
    return lambda call, x, *args, **kwargs: call(keras.layers.Masking(value)(x), *args, **kwargs)


def step_masked(step: np.ndarray) -> Callable:
    """An input whose padded steps hold the same numbers."""
    return lambda call, x: KeepMask()(x, mask=ops.any(ops.not_equal(x, step), axis=-1))


def by_input(call, mask, *args, **kwargs):
    """A mask that is an input of the model belongs to what comes of another one."""
    return KeepMask()(call(*args, **kwargs), mask=ops.cast(mask, "bool"))


def layer_instead(layer: keras.Layer) -> Callable:
    """A layer does what an operation did."""
    return lambda call, x: layer(list(x) if isinstance(x, (list, tuple)) else x)


def over_last(cls: type) -> Callable:
    """A summary of steps that a Permute has made the last axis: of the steps before it."""

    def call(operation, x, mask=None):
        permute, node, _ = x._keras_history
        if getattr(permute, "dims", None) != (2, 1):
            raise UnusableInput("The steps are not on the last axis by a Permute((2, 1)).")
        return cls(name=operation.name)(permute._inbound_nodes[node].input_tensors[0])

    return call


def with_inserted(call, x):
    """Zeros that are put around the steps count as they did."""
    mask = ops.cast(_mask(x), "int32")
    padded = ops.pad(mask, ((0, 0), call.padding), constant_values=1)
    return KeepMask()(call(x), mask=ops.cast(padded, "bool"))


def _mask(x: Any) -> keras.KerasTensor:
    mask = get_mask(x)
    if mask is None:
        raise UnusableInput("The tensor that this call is given has no mask before it runs.")
    return mask


def _with_zeros(x: keras.KerasTensor) -> keras.KerasTensor:
    """In padded steps."""
    return MaskedTimeDistributed(keras.layers.Identity())(x)


def _symbolic(args: Any) -> list[keras.KerasTensor]:
    return [x for x in tree.flatten(args) if isinstance(x, keras.KerasTensor)]
