"""What a model is run on: checked against the model, and made into tensors of our own."""

from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_masking._keras import set_mask


class UnusableInput(ValueError):
    """A model, an input or a mask that cannot be run; the message says what to do."""


def check_model(model: Any) -> None:
    """
    Raises:
        UnusableInput: it is no Keras model or layer, or it was never built.
    """
    if not isinstance(model, keras.Layer):
        raise UnusableInput(f"A Keras model or layer is needed, received {_kind(model)}.")
    if not model.built:
        raise UnusableInput(
            f"The model {model.name!r} was never built, so it has no weights to run with. "
            "Call it once on a batch, or start it with keras.Input."
        )


def check_inputs(model: keras.Layer, inputs: Any, mask: Any = None) -> tuple[Any, Any]:
    """The inputs and the mask as numpy arrays, in the structure the model takes.

    Args:
        inputs: an array `(batch, time, ...)`, or a list, tuple or dict of arrays.
        mask: booleans, or 0 and 1, that have the leading axes of the input; for several inputs
            the same structure, with None where an input has no mask.

    Raises:
        UnusableInput: with one sentence that says what was received and what to do.
    """
    arrays = _arrays(inputs)
    expected = _expected(model)
    if expected is not None:
        arrays = _fitted(arrays, expected)
    flat = tree.flatten(arrays)
    if not flat:
        raise UnusableInput("There is no input: received an empty structure.")
    for name, array in zip(names_of(model, arrays), flat, strict=True):
        if array.ndim == 0:
            raise UnusableInput(
                f"{name} is a single value; a batch of shape (batch, time, ...) is needed."
            )
        if len(array) == 0:
            raise UnusableInput(
                f"{name} is an empty batch of shape {array.shape}: at least one sample is needed."
            )
    if len({len(array) for array in flat}) > 1:
        shapes = ", ".join(str(array.shape) for array in flat)
        raise UnusableInput(f"The inputs differ in their number of samples: {shapes}.")
    return arrays, None if mask is None else _masks(model, arrays, mask)


def tensors(arrays: Any, masks: Any = None) -> Any:
    """Fresh tensors, with their masks attached as a layer before the model would have done."""

    def tensor(array, mask=None):
        x = ops.convert_to_tensor(array)
        if mask is not None:
            set_mask(x, ops.convert_to_tensor(mask))
        return x

    if masks is None:
        return tree.map_structure(tensor, arrays)
    flat = [tensor(x, m) for x, m in zip(tree.flatten(arrays), flat_masks(arrays, masks))]
    return tree.pack_sequence_as(arrays, flat)


def flat_masks(arrays: Any, masks: Any) -> list:
    """The masks in the order of the flattened inputs, None where there is none."""
    if masks is None:
        return [None] * len(tree.flatten(arrays))
    if not tree.is_nested(arrays):
        return [masks]
    if isinstance(arrays, dict):
        return [m for key in sorted(arrays) for m in flat_masks(arrays[key], masks.get(key))]
    return [m for x, mask in zip(arrays, masks, strict=True) for m in flat_masks(x, mask)]


def names_of(model: keras.Layer, arrays: Any) -> list[str]:
    """A name for each input, as a message and a table say it."""
    if isinstance(arrays, dict):
        return [f"input {'/'.join(map(str, path))!r}" for path, _ in _with_path(arrays)]
    flat = tree.flatten(arrays)
    symbolic = getattr(model, "_inputs", None) or []
    if len(symbolic) == len(flat):
        return [f"input {x.name!r}" for x in symbolic]
    return ["the input"] if len(flat) == 1 else [f"input {i}" for i in range(len(flat))]


def random_inputs(model: keras.Layer, samples: int, steps: int, seed: int) -> Any:
    """A batch made from the model's own input shapes: rows of unequal length, padded on the right
    with 0. Integers below the smallest vocabulary that reads them, normal floats.

    Raises:
        UnusableInput: the model does not say what it takes.
    """
    check_model(model)
    expected = _expected(model)
    if expected is None:
        raise UnusableInput(
            f"The model {model.name!r} does not say what it takes: it has no keras.Input. "
            "Give it an input file."
        )
    random = np.random.default_rng(seed)
    vocabulary = min(
        (x.input_dim for x in _layers(model) if isinstance(x, keras.layers.Embedding)), default=10
    )
    lengths: dict[int, np.ndarray] = {}

    def make(x: keras.KerasTensor) -> np.ndarray:
        batch = samples if x.shape[0] is None else x.shape[0]
        shape = (batch, *(steps if size is None else size for size in x.shape[1:]))
        dtype = keras.backend.standardize_dtype(x.dtype)
        if "int" in dtype:
            values = random.integers(min(1, vocabulary - 1), vocabulary, shape).astype(dtype)
        elif dtype == "bool":
            values = random.integers(0, 2, shape).astype(bool)
        else:
            values = random.normal(size=shape).astype(dtype)
        # one axis beside the batch counts the steps of indices, two those of features
        if len(shape) < (2 if "int" in dtype else 3) or shape[1] < 2:
            return values
        if shape[1] not in lengths:
            ends = np.linspace(shape[1], max(1, shape[1] // 3), batch).round().astype(int)
            lengths[shape[1]] = ends
        values[np.arange(shape[1]) >= lengths[shape[1]][:batch, None]] = 0
        return values

    return tree.map_structure(make, expected)


def _layers(model: keras.Layer) -> list[keras.Layer]:
    return [model, *model._flatten_layers(include_self=False)]


def _expected(model: keras.Layer) -> Any:
    """The symbolic inputs in their structure; None for a model that does not declare them."""
    functional = getattr(model, "_functional", None) or model
    return getattr(functional, "_inputs_struct", None)


def _arrays(inputs: Any) -> Any:
    if inputs is None:
        raise UnusableInput("There is no input: received None.")
    if isinstance(inputs, (list, tuple)) and not any(
        hasattr(x, "shape") or isinstance(x, (dict, np.ndarray)) for x in inputs
    ):
        return _array(inputs)
    if isinstance(inputs, dict):
        return {key: _arrays(value) for key, value in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return type(inputs)(_arrays(x) for x in inputs)
    return _array(inputs)


def _array(x: Any) -> np.ndarray:
    if type(x).__name__ in ("RaggedTensor", "SparseTensor"):
        raise UnusableInput(
            f"The input is a {type(x).__name__}: pad it to a dense batch first, "
            "as keras.utils.pad_sequences does."
        )
    try:
        array = np.asarray(ops.convert_to_numpy(x) if ops.is_tensor(x) else x)
    except ValueError:
        raise UnusableInput(
            "The input has rows of unequal length: pad them first, "
            "as keras.utils.pad_sequences does."
        ) from None
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise UnusableInput(
            f"The input has dtype {array.dtype}, and a model takes numbers or booleans."
        )
    return array


def _fitted(arrays: Any, expected: Any) -> Any:
    """The arrays in the model's structure, each checked against its keras.Input."""
    if isinstance(expected, dict) and isinstance(arrays, dict):
        missing, unknown = sorted(expected.keys() - arrays), sorted(arrays.keys() - expected)
        if missing or unknown:
            said = [f"lacks {', '.join(map(repr, missing))}"] if missing else []
            said += [f"has no use for {', '.join(map(repr, unknown))}"] if unknown else []
            raise UnusableInput(
                f"The model takes inputs named {', '.join(map(repr, expected))}; "
                f"this input {' and '.join(said)}."
            )
        return {name: _fitted(arrays[name], expected[name]) for name in expected}
    wanted = tree.flatten(expected)
    if isinstance(arrays, dict):
        by_name = {x.name: x for x in wanted}
        if by_name.keys() != arrays.keys():
            return _fitted(arrays, by_name)
        arrays = [arrays[x.name] for x in wanted]
    flat = tree.flatten(arrays)
    if len(flat) != len(wanted):
        names = ", ".join(repr(x.name) for x in wanted)
        raise UnusableInput(
            f"The model takes {len(wanted)} input{'s' * (len(wanted) > 1)} ({names}), "
            f"received {len(flat)}."
        )
    for array, x in zip(flat, wanted, strict=True):
        _check_one(array, x)
    return tree.pack_sequence_as(expected, flat)


def _check_one(array: np.ndarray, x: keras.KerasTensor) -> None:
    fits = array.ndim == len(x.shape) and all(
        want in (None, size) for want, size in zip(x.shape, array.shape, strict=True)
    )
    if not fits:
        raise UnusableInput(
            f"Input {x.name!r} takes shape {tuple(x.shape)}, received {array.shape}."
        )
    wants_integers = "int" in keras.backend.standardize_dtype(x.dtype)
    if wants_integers and array.dtype.kind == "f" and not (array == np.trunc(array)).all():
        raise UnusableInput(
            f"Input {x.name!r} takes {x.dtype}, received {array.dtype} with fractions."
        )


def _masks(model: keras.Layer, arrays: Any, mask: Any) -> Any:
    if tree.is_nested(arrays):
        if isinstance(arrays, dict) and isinstance(mask, dict):
            unknown = sorted(mask.keys() - arrays)
            if unknown:
                raise UnusableInput(
                    f"There is a mask for {', '.join(map(repr, unknown))}, and no such input; "
                    f"the inputs are {', '.join(map(repr, arrays))}."
                )
            return {
                key: None if mask.get(key) is None else _masks(model, arrays[key], mask[key])
                for key in arrays
            }
        if isinstance(arrays, dict) or not isinstance(mask, (list, tuple)):
            raise UnusableInput(
                f"There are {len(arrays)} inputs: give their masks in the same structure, "
                "with None where there is none."
            )
        if len(mask) != len(arrays):
            raise UnusableInput(f"There are {len(arrays)} inputs, received {len(mask)} masks.")
        return [
            None if m is None else _masks(model, x, m) for x, m in zip(arrays, mask, strict=True)
        ]
    try:
        values = np.asarray(ops.convert_to_numpy(mask) if ops.is_tensor(mask) else mask)
    except ValueError:
        raise UnusableInput("The mask has rows of unequal length.") from None
    if values.dtype != bool:
        if values.dtype.kind not in "iuf" or not np.isin(values, (0, 1)).all():
            raise UnusableInput(
                f"A mask holds True and False (or 1 and 0), received dtype {values.dtype}."
            )
        values = values.astype(bool)
    if values.ndim < 2 or values.shape != arrays.shape[: values.ndim]:
        raise UnusableInput(
            f"The mask of shape {values.shape} does not fit the input of shape {arrays.shape}: "
            f"a mask has the leading axes of its input, here {arrays.shape[:2]}."
        )
    return values


def _with_path(structure: Any, path: tuple = ()) -> list[tuple[tuple, Any]]:
    if isinstance(structure, dict):
        return [
            item for key in sorted(structure) for item in _with_path(structure[key], (*path, key))
        ]
    if isinstance(structure, (list, tuple)):
        return [item for i, x in enumerate(structure) for item in _with_path(x, (*path, i))]
    return [(path, structure)]


def _kind(x: Any) -> str:
    return f"{type(x).__module__}.{type(x).__name__}".removeprefix("builtins.")
