"""What a model is run on: checked against the model, and made into tensors of our own."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import layers, ops, tree

from keras_masking._keras import (
    get_mask,
    is_mask_name,
    is_tensor,
    readers,
    set_mask,
    sublayers,
    symbolic_inputs,
    to_numpy,
)

NUMBERS_ONLY = "give it the numbers that a TextVectorization layer or a tokenizer makes of them."


class UnusableInput(ValueError):
    """A model, an input or a mask that cannot be run; the message says what to do."""

    # Keras wraps the message of an error without this in a list of the layer's arguments
    _keras_call_info_injected = True


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
        inputs: an array `(batch, time, ...)` or nested lists of numbers, or a list, tuple or dict
            of arrays. The names in a dict are the model's own or those of its `keras.Input`s.
        mask: booleans, or 0 and 1, that have the leading axes of the input. For several inputs a
            list with None where an input has no mask, or a dict with the names of those that do.
            Without it the masks that the inputs carry.

    Returns:
        The arrays, in the dtypes of the model's `keras.Input`s where it has some; and the masks in
        the same structure with None where there is none, or None without any.

    Raises:
        UnusableInput: with one sentence that says what was received and what to do.
    """
    arrays = tree.traverse(lambda x: None if _is_structure(x) else as_array(x), inputs)
    expected = symbolic_inputs(model)
    if expected is not None:
        arrays = _fitted(arrays, expected)
    names = names_of(arrays, expected)
    flat = tree.flatten(arrays)
    if not flat:
        raise UnusableInput("There is no input: received an empty structure.")
    for array, title in zip(flat, titles(names), strict=True):
        if array.ndim == 0:
            raise UnusableInput(
                f"{title} is a single value; a batch of shape (batch, time, ...) is needed."
            )
        if array.size == 0:
            raise UnusableInput(
                f"{title} is empty, of shape {array.shape}: "
                "at least one sample of one step is needed."
            )
    if len({len(array) for array in flat}) > 1:
        shapes = ", ".join(str(array.shape) for array in flat)
        raise UnusableInput(f"The inputs differ in their number of samples: {shapes}.")
    if mask is None:
        mask = _carried(inputs)
    return arrays, None if mask is None else _masks(arrays, mask, names)


def _carried(inputs: Any) -> Any:
    """The masks on tensors that a layer has made, in the structure of the inputs."""
    given = [x for x in tree.flatten(inputs) if is_tensor(x)]
    if all(get_mask(x) is None for x in given):
        return None
    return tree.map_structure(get_mask, inputs)


def check_indices(layer: layers.Embedding, indices: Any) -> None:
    """
    Raises:
        UnusableInput: the layer has no row for some index. On JAX it would give nan for it.
    """
    values = to_numpy(indices)
    # a reversible embedding is also called on features
    if values is None or not whole(values):
        return
    wrong = values[(values < 0) | (values >= layer.input_dim)]
    if wrong.size:
        raise UnusableInput(
            f"The layer {layer.name!r} has rows for the indices 0 to {layer.input_dim - 1}, and "
            f"received {wrong[0]:g}: give it a batch made with the model's own vocabulary."
        )


def tensors(arrays: Any, masks: Any = None) -> Any:
    """Fresh tensors, with their masks attached as a layer before the model would have done."""

    def tensor(array: np.ndarray, mask: np.ndarray | None) -> Any:
        x = ops.convert_to_tensor(array)
        if mask is not None:
            set_mask(x, ops.convert_to_tensor(mask))
        return x

    flat = zip(tree.flatten(arrays), flat_masks(arrays, masks), strict=True)
    return tree.pack_sequence_as(arrays, [tensor(x, mask) for x, mask in flat])


def flat_masks(arrays: Any, masks: Any) -> list[np.ndarray | None]:
    """The masks in the order of the flattened inputs, None where there is none."""
    return tree.flatten(tree.map_structure(lambda _: None, arrays) if masks is None else masks)


def random_inputs(model: keras.Layer, samples: int, steps: int, seed: int) -> Any:
    """A batch made from the model's own input shapes: rows of unequal length, padded on the right.

    Indices are drawn from 1 up to the vocabulary of the Embedding that reads them, other numbers
    from a normal distribution; a mask is True up to the end of its row. Padding is what the
    Masking layer that reads an input masks, elsewhere 0.

    Args:
        samples, steps: the sizes that the model leaves open.

    Raises:
        UnusableInput: the model does not say what it takes.
    """
    check_model(model)
    expected = symbolic_inputs(model)
    if expected is None:
        raise UnusableInput(
            f"The model {model.name!r} does not say what it takes: it has no keras.Input. "
            "Give it an input."
        )
    random = np.random.default_rng(seed)
    smallest = _vocabulary(sublayers(model), default=10)

    def draw(x: keras.KerasTensor) -> np.ndarray:
        batch = samples if x.shape[0] is None else x.shape[0]
        shape = (batch, *(steps if size is None else size for size in x.shape[1:]))
        dtype = keras.backend.standardize_dtype(x.dtype)
        read_by = readers(model, x)
        feature_axes = 0
        padding = 0
        if dtype == "bool" or is_mask_name(x.name):
            values = np.ones(shape)
        elif "int" in dtype or any(isinstance(layer, layers.Embedding) for layer in read_by):
            vocabulary = _vocabulary(read_by, default=smallest)
            values = random.integers(min(1, vocabulary - 1), vocabulary, shape)
        elif "float" in dtype:
            values = random.normal(size=shape)
            feature_axes = 1
            padding = next((y.mask_value for y in read_by if isinstance(y, layers.Masking)), 0)
        else:
            raise UnusableInput(f"The input {x.name!r} takes {dtype}: {NUMBERS_ONLY}")
        if len(shape) >= 2 + feature_axes:
            lengths = np.linspace(shape[1], max(1, shape[1] // 3), batch).round()
            values[np.arange(shape[1]) >= lengths[:, None]] = padding
        return values.astype(dtype)

    return tree.map_structure(draw, expected)


def _vocabulary(read_by: Iterable[keras.Layer], default: int) -> int:
    return min((x.input_dim for x in read_by if isinstance(x, layers.Embedding)), default=default)


def _is_structure(x: Any) -> bool:
    """Whether it holds several arrays. Nested lists of numbers are one array."""
    if isinstance(x, dict):
        return True
    return isinstance(x, (list, tuple)) and any(
        item is None or getattr(item, "shape", ()) != () or _is_structure(item) for item in x
    )


def as_array(x: Any, what: str = "The input") -> np.ndarray:
    if x is None:
        raise UnusableInput(
            "An input is missing: received None. Give it an array, or where the model takes "
            "it as optional, give a model that is made without it."
        )
    if isinstance(x, keras.KerasTensor):
        raise UnusableInput(f"{what} is symbolic, a keras.Input: give it numbers.")
    pad_it = "pad it to a dense batch first, as keras.utils.pad_sequences does."
    if type(x).__name__ in ("RaggedTensor", "SparseTensor"):
        raise UnusableInput(f"{what} is a {type(x).__name__}: {pad_it}")
    try:
        array = ops.convert_to_numpy(x) if ops.is_tensor(x) else np.asarray(x)
    except ValueError:
        raise UnusableInput(f"{what} has rows of unequal length: {pad_it}") from None
    if array.dtype.kind in "SU" or (array.dtype.kind == "O" and _holds_text(array)):
        raise UnusableInput(f"{what} holds strings: {NUMBERS_ONLY}")
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise UnusableInput(
            f"{what} is no array of numbers or booleans: "
            f"received {_kind(x)} of dtype {array.dtype}."
        )
    return array


def _holds_text(array: np.ndarray) -> bool:
    return array.size > 0 and isinstance(array.flat[0], (str, bytes))


def _fitted(arrays: Any, expected: Any) -> Any:
    """The arrays in the model's structure, each checked against its keras.Input."""
    if isinstance(arrays, dict):
        if isinstance(expected, dict):
            _check_names(arrays, expected)
            return {name: _fitted(arrays[name], expected[name]) for name in expected}
        names = [x.name for x in tree.flatten(expected)]
        _check_names(arrays, names)
        arrays = [arrays[name] for name in names]
    wanted, flat = tree.flatten(expected), tree.flatten(arrays)
    names = ", ".join(repr(x.name) for x in wanted)
    if len(flat) != len(wanted):
        count = "1 input" if len(wanted) == 1 else f"{len(wanted)} inputs"
        raise UnusableInput(f"The model takes {count} ({names}), received {len(flat)}.")
    if isinstance(expected, dict) and len(wanted) > 1:
        raise UnusableInput(f"The model takes its inputs by name ({names}): give a dict.")
    called = titles([x.name for x in wanted])
    fitted = [_cast(*each) for each in zip(flat, wanted, called, strict=True)]
    return tree.pack_sequence_as(expected, fitted)


def _check_names(received: Iterable[str], expected: Iterable[str]) -> None:
    received, expected = list(received), list(expected)
    missing = [name for name in expected if name not in received]
    unknown = [name for name in received if name not in expected]
    if missing or unknown:
        said = [f"lacks {listed(missing)}"] if missing else []
        said += [f"has no use for {listed(unknown)}"] if unknown else []
        raise UnusableInput(
            f"The model takes inputs named {listed(expected)}; "
            f"what it was given {' and '.join(said)}."
        )


def _cast(array: np.ndarray, x: keras.KerasTensor, title: str) -> np.ndarray:
    """The array in the shape and the dtype that Keras would give it: a single feature may lack its
    axis. Casting later would lose a mask on some releases of Keras."""
    shape, dtype = tuple(x.shape), keras.backend.standardize_dtype(x.dtype)
    given = array
    if array.ndim == len(shape) - 1 and shape[-1] == 1:
        array = array[..., None]
    elif array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != len(shape) or any(
        want not in (None, size) for want, size in zip(shape, array.shape, strict=True)
    ):
        raise UnusableInput(f"{title} takes shape {shape}, received {given.shape}.")
    if dtype == "string":
        raise UnusableInput(f"{title} takes strings: {NUMBERS_ONLY}")
    if "int" in dtype and not whole(array):
        raise UnusableInput(f"{title} takes {dtype}, received {array.dtype} with fractions or nan.")
    return array.astype(dtype)


def whole(array: np.ndarray) -> bool:
    """Whether it holds whole numbers alone, of whatever dtype."""
    return array.dtype.kind in "biu" or bool((array == np.trunc(array)).all())


def _masks(arrays: Any, mask: Any, names: list[str]) -> Any:
    """The masks in the structure of the arrays, each checked against its array."""
    read = tree.traverse(
        lambda x: None if x is None or _is_structure(x) else _truth(as_array(x, "The mask")), mask
    )
    flat = tree.flatten(arrays)
    if isinstance(read, dict):
        by_name = {_path(path): x for path, x in tree.flatten_with_path(read)}
        if unknown := sorted(by_name.keys() - names):
            raise UnusableInput(
                f"There is a mask for {listed(unknown)}, and no such input; "
                f"the inputs are {listed(names)}."
            )
        given = [by_name.get(name) for name in names]
    else:
        given = tree.flatten(read)
        if len(given) != len(flat):
            raise UnusableInput(
                f"There are {len(flat)} inputs ({listed(names)}) and masks for {len(given)}: "
                "give a list with None where an input has no mask, or a dict by their names."
            )
    for x, values in zip(flat, given, strict=True):
        if values is not None and (values.ndim < 2 or values.shape != x.shape[: values.ndim]):
            raise UnusableInput(
                f"The mask of shape {values.shape} does not fit the input of shape {x.shape}: "
                f"a mask has the leading axes of its input, here {x.shape[:2]}."
            )
    return tree.pack_sequence_as(arrays, given)


def _truth(values: np.ndarray) -> np.ndarray:
    if not np.isin(values, (0, 1)).all():
        raise UnusableInput(
            "A mask holds True for each step to use and False for padding (or 1 and 0), "
            f"received other values of dtype {values.dtype}."
        )
    return values.astype(bool)


def names_of(arrays: Any, expected: Any) -> list[str]:
    """The names of the flattened inputs: keys of a dict, else those of the keras.Inputs."""
    if expected is not None and not isinstance(expected, dict):
        return [x.name for x in tree.flatten(expected)]
    return [_path(path) for path, _ in tree.flatten_with_path(arrays)]


def _path(path: tuple) -> str:
    return "/".join(map(str, path))


def titles(names: list[str]) -> list[str]:
    return ["The input"] if len(names) == 1 else [f"The input {name!r}" for name in names]


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _kind(x: Any) -> str:
    return f"{type(x).__module__}.{type(x).__name__}".removeprefix("builtins.")
