"""Names what one call does with a mask, from what came in and what went out."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers

from keras_masking._keras import Merge, leading, mask_arguments
from keras_masking.records import Event, Tensor


def events(
    operation: keras.Operation,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    explicit: Mapping[str, np.ndarray],
    used_inside: bool,
    warned: bool,
) -> tuple[Event, ...]:
    """
    Args:
        explicit: masks given as arguments of the call.
        used_inside: whether a layer inside this one used a mask.
        warned: whether Keras warned that this layer destroys the mask.
    """
    came = [x.mask for x in inputs if x.mask is not None]
    if not came:
        of_inputs = {"mask"} | {f"{x.name}_mask" for x in inputs}
        came = [mask for name, mask in explicit.items() if name in of_inputs]
    left = [x.mask for x in outputs if x.mask is not None]
    if not came and not left:
        return ("uses",) if explicit else ()  # such as an attention_mask, which ends here
    if not came:
        return ("creates",)
    uses = used_inside or _takes(operation, inputs, explicit)
    if left:
        treatment: tuple[Event, ...] = ("uses",) if uses else ()
        if not uses and _mixes_steps(operation, inputs):
            treatment = ("ignores",)
        return (*treatment, _what_became(operation, inputs, came, left))
    if uses and not _keeps_steps(inputs, outputs, came):
        return ("uses",)
    lost: Event = "drops" if warned else "drops silently"
    return ("uses", lost) if uses else (lost,)


def _takes(operation, inputs, explicit) -> bool:
    """Whether Keras hands the mask to `call`; a model only hands it on to its layers."""
    if isinstance(operation, keras.Model):
        return False
    names = mask_arguments(operation)
    if any(name.split("[")[0] in names for name in explicit):
        return True
    arguments = {(x.name or "").split("[")[0] for x in inputs}
    if len(arguments) == 1:
        return "mask" in names
    return any(f"{x.name}_mask" in names for x in inputs if x.mask is not None)


def _what_became(operation, inputs, came, left) -> Event:
    if isinstance(operation, Merge) and len(inputs) > 1:
        return "merges"
    if all(any(np.array_equal(after, before) for before in came) for after in left):
        return "passes"
    return "merges" if len(came) > 1 else "changes"


def _keeps_steps(inputs, outputs, came) -> bool:
    rank = min(len(x.shape) for x in inputs)
    return any(
        len(x.shape) >= rank and leading(x.shape, mask.shape) for x in outputs for mask in came
    )


def _mixes_steps(operation, inputs) -> bool:
    """Layers of Keras that hand the mask on and yet let a padded step change a valid one."""
    if isinstance(operation, layers.GroupNormalization):
        return True
    if isinstance(operation, (layers.LayerNormalization, layers.UnitNormalization)):
        (x, *_) = inputs
        axes = operation.axis if isinstance(operation.axis, (list, tuple)) else [operation.axis]
        return any(0 < axis % len(x.shape) < x.mask.ndim for axis in axes)
    return False
