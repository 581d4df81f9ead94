"""Takes what people have at hand for a batch: a dataset, labels beside it, texts, unequal rows."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops, tree

from keras_masking._keras import string_inputs, sublayers, symbolic_inputs
from keras_masking.inputs import UnusableInput
from keras_masking.records import Note

FIRST = 100  # batches of a dataset that are looked at


class Batch(NamedTuple):
    """
    Attributes:
        model: what takes the inputs: the model, or what follows its layers for text.
        lengths: by the place of an input in the flattened structure, the valid steps that are
            known since its rows were of unequal length, `(batch, time)` booleans.
        notes: what was done to the data.
    """

    model: keras.Layer
    inputs: Any
    lengths: dict[int, np.ndarray]
    notes: tuple[Note, ...]


def is_dataset(x: Any) -> bool:
    """Whether it gives batches one after the other, as `fit` takes them."""
    module = type(x).__module__
    return (
        hasattr(x, "element_spec")
        or isinstance(x, keras.utils.PyDataset)
        or (module.startswith("torch.utils.data") and hasattr(x, "__iter__"))
    )


def batches(model: keras.Layer, data: Any) -> Iterator[Batch]:
    """The first batches of a dataset, or the one batch there is, without labels and weights.

    Raises:
        UnusableInput: a dataset has none, or a text cannot be cut off the model.
    """
    if not is_dataset(data):
        yield _batch(model, _without_labels(model, data))
        return
    elements = (
        (data[i] for i in range(len(data)))
        if isinstance(data, keras.utils.PyDataset) and data.num_batches is not None
        else iter(data)
    )
    for i, element in enumerate(islice(elements, FIRST)):
        inputs = element[0] if isinstance(element, tuple) else element
        batch = _batch(model, inputs)
        yield batch._replace(notes=(Note("batch", {"index": str(i)}), *batch.notes))


def _without_labels(model: keras.Layer, data: Any) -> Any:
    """Of `(x, y)` or `(x, y, sample_weight)` the first, where the model takes no such tuple."""
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        return data
    expected = symbolic_inputs(model)
    several = any(isinstance(x, (dict, list, tuple)) and _has_arrays(x) for x in data[:1])
    if several or (expected is not None and len(tree.flatten(expected)) == 1):
        return data[0] if all(getattr(x, "shape", ()) != () for x in data[1:]) else data
    return data


def _has_arrays(x: Any) -> bool:
    return any(getattr(item, "shape", ()) != () for item in tree.flatten(x))


def _batch(model: keras.Layer, inputs: Any) -> Batch:
    notes: list[Note] = []
    model, inputs = _behind_texts(model, inputs, notes)
    if not isinstance(model, keras.Layer):
        return Batch(model, inputs, {}, ())
    value = next((x.mask_value for x in sublayers(model) if isinstance(x, layers.Masking)), 0)
    lengths: dict[int, np.ndarray] = {}
    dense = []
    flat = _flat(inputs)
    for i, (path, x) in enumerate(flat):
        rows = _rows(x)
        if rows is not None:
            x, lengths[i] = _padded(rows, value)
            notes.append(Note("padded-here", {"value": f"{np.ravel(value)[0]:g}"}))
        dense.append((path, x))
    return Batch(model, _packed(inputs, dense), lengths, tuple(dict.fromkeys(notes)))


def _flat(inputs: Any) -> list[tuple[Any, Any]]:
    """Each input by its key in the structure; those of nested structures are left as they are."""
    if isinstance(inputs, dict):
        return [(key, inputs[key]) for key in sorted(inputs)]
    if isinstance(inputs, (list, tuple)) and _holds_several(inputs):
        return list(enumerate(inputs))
    return [(None, inputs)]


def _holds_several(inputs: Any) -> bool:
    """Whether a list holds inputs, and not the rows of one."""
    return any(getattr(x, "ndim", len(getattr(x, "shape", ()))) > 1 for x in inputs)


def _packed(inputs: Any, dense: list[tuple[Any, Any]]) -> Any:
    if isinstance(inputs, dict):
        return dict(dense)
    if dense and dense[0][0] is not None:
        return type(inputs)(x for _, x in dense) if type(inputs) in (list, tuple) else inputs
    return dense[0][1] if dense else inputs


def _rows(x: Any) -> list[np.ndarray] | None:
    """The rows of a ragged tensor or a list of rows, where they are of unequal length."""
    if type(x).__name__ == "RaggedTensor" and x.ragged_rank == 1:
        rows = [np.asarray(row) for row in x]
    elif isinstance(x, (list, tuple)) and x and all(np.ndim(_safe(row)) for row in x):
        rows = [_safe(row) for row in x]
    else:
        return None
    same = len({len(row) for row in rows}) == 1
    if same or any(row.dtype.kind not in "biuf" for row in rows):
        return None
    return rows if len({row.shape[1:] for row in rows if len(row)}) == 1 else None


def _safe(row: Any) -> np.ndarray:
    try:
        return np.asarray(ops.convert_to_numpy(row) if ops.is_tensor(row) else row)
    except ValueError:  # unequal inside
        return np.asarray(None)


def _padded(rows: list[np.ndarray], value: Any) -> tuple[np.ndarray, np.ndarray]:
    longest = max(map(len, rows))
    features = next(row.shape[1:] for row in rows if len(row))
    dtype = np.result_type(*(row for row in rows if len(row)))
    x = np.empty((len(rows), longest, *features), dtype)
    x[:] = np.asarray(value).reshape(np.shape(value)[-len(features) :] if features else ())
    for to, row in zip(x, rows, strict=True):
        to[: len(row)] = row
    return x, np.arange(longest) < np.array([len(row) for row in rows])[:, None]


def _behind_texts(model: Any, inputs: Any, notes: list) -> tuple[Any, Any]:
    """The part of a model behind its layers for text, and what they make of these inputs."""
    texts = string_inputs(model)
    if not texts:
        return model, inputs
    layer, cut = _cut(model, texts)
    if cut is None:
        raise UnusableInput(
            f"The model {model.name!r} starts with text: call its layers up to {layer!r} on the "
            "texts yourself, and give the tools a model that starts behind them."
        )
    given = _flat(inputs)
    if len(given) == 1 and _holds_strings(given[0][1]):
        front = keras.Model(model.inputs, cut)
        strings = np.asarray(given[0][1])
        if strings.ndim < len(model.inputs[0].shape):
            strings = strings[..., None]
        numbers = front(ops.convert_to_tensor(strings))
        inputs = ops.convert_to_numpy(numbers)
    notes.append(Note("behind-texts", {"layer": layer}))
    rest = keras.Model(cut, model.outputs[0] if len(model.outputs) == 1 else model.outputs)
    rest.name = model.name
    return rest, inputs


def _holds_strings(x: Any) -> bool:
    if type(x).__name__ == "EagerTensor":
        return x.dtype.name == "string"
    array = np.asarray(x)
    return array.dtype.kind in "SU" or (
        array.dtype.kind == "O" and array.size > 0 and isinstance(array.flat[0], (str, bytes))
    )


def _cut(model: keras.Model, texts: list) -> tuple[str, Any]:
    """The last layer that takes text, and the symbolic tensor that it makes."""
    name = next(
        (x.name for x in sublayers(model) if type(x).__name__ == "TextVectorization"), "text"
    )
    if len(model.inputs) > 1 or not hasattr(model, "operations"):
        return name, None
    here = texts[0]
    while keras.backend.standardize_dtype(here.dtype) == "string":
        following = [
            node
            for operation in model.operations
            for node in operation._inbound_nodes
            if any(x is here for x in node.input_tensors)
        ]
        if len(following) != 1 or len(following[0].output_tensors) != 1:
            return name, None
        name, here = following[0].operation.name, following[0].output_tensors[0]
    return name, here
