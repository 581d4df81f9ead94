"""Takes what people have at hand for a batch: a dataset, labels beside it, texts, unequal rows."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops, tree

from keras_masking._keras import (
    graph_nodes,
    kept_nodes,
    readers,
    string_inputs,
    sublayers,
    symbolic_inputs,
)
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
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(element)
        batch = _batch(model, inputs)
        yield batch._replace(notes=(Note("batch", {"index": str(i)}), *batch.notes))


def _without_labels(model: keras.Layer, data: Any) -> Any:
    """Of `(x, y)` or `(x, y, sample_weight)` the first, where the model takes no such tuple."""
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        return data
    expected = symbolic_inputs(model)
    if expected is None:
        several = isinstance(data[0], (dict, list, tuple)) and _has_arrays(data[0])
        return data[0] if several else data
    return data[0] if _fits(data[0], expected) and not _fits(data, expected) else data


def _has_arrays(x: Any) -> bool:
    return any(getattr(item, "shape", ()) != () for item in tree.flatten(x))


def _fits(x: Any, expected: Any) -> bool:
    """Whether the axes of these inputs are as many as the model declares."""
    if isinstance(x, dict):
        return True
    declared = tree.flatten(expected)
    given = [x] if len(declared) == 1 else x
    return (
        isinstance(given, (list, tuple))
        and len(given) == len(declared)
        and all(_axes_fit(_axes(i), tuple(j.shape)) for i, j in zip(given, declared, strict=True))
    )


def _axes_fit(axes: int | None, declared: tuple) -> bool:
    """A single feature may lack its axis."""
    return axes == len(declared) or (axes == len(declared) - 1 and declared[-1] == 1)


def _axes(x: Any) -> int | None:
    """How many axes it has, also as nested lists of numbers; None where they differ inside."""
    if not isinstance(x, (list, tuple)):
        return len(getattr(x, "shape", ()))
    inside = {_axes(item) for item in x if not (isinstance(item, (list, tuple)) and not item)}
    return None if len(inside) != 1 or None in inside else inside.pop() + 1


def _batch(model: keras.Layer, inputs: Any) -> Batch:
    notes: list[Note] = []
    model, inputs = _behind_texts(model, inputs, notes)
    if not isinstance(model, keras.Layer):
        return Batch(model, inputs, {}, ())
    lengths: dict[int, np.ndarray] = {}
    dense = []
    for i, (place, x) in enumerate(_flat(model, inputs)):
        value = _value(model, i)
        made = _dense(x, value)
        if made is not None:
            x, lengths[i] = made
            notes.append(Note("padded-here", {"value": f"{np.ravel(value)[0]:g}"}))
        dense.append((place, x))
    return Batch(model, _packed(inputs, dense), lengths, tuple(dict.fromkeys(notes)))


def _value(model: keras.Layer, i: int) -> Any:
    """What the Masking layer that reads an input masks, elsewhere 0."""
    structure = symbolic_inputs(model)
    declared = [] if structure is None else tree.flatten(structure)
    read_by = readers(model, declared[i]) if i < len(declared) else sublayers(model)
    return next((x.mask_value for x in read_by if isinstance(x, layers.Masking)), 0)


def _flat(model: keras.Layer, inputs: Any) -> list[tuple[Any, Any]]:
    """Each input by its key, in the order of the model's; those of nested structures are left as
    they are."""
    expected = symbolic_inputs(model)
    if isinstance(inputs, dict):
        in_order = expected is None or isinstance(expected, dict)
        names = sorted(inputs) if in_order else [x.name for x in tree.flatten(expected)]
        return [(name, inputs[name]) for name in names if name in inputs]
    several = _holds_several(inputs) if expected is None else len(tree.flatten(expected)) > 1
    if isinstance(inputs, (list, tuple)) and several:
        return list(enumerate(inputs))
    return [(None, inputs)]


def _holds_several(inputs: Any) -> bool:
    """Whether a list holds inputs, and not the rows of one."""
    return isinstance(inputs, (list, tuple)) and any(
        getattr(x, "ndim", len(getattr(x, "shape", ()))) > 1 for x in inputs
    )


def _packed(inputs: Any, dense: list[tuple[Any, Any]]) -> Any:
    if isinstance(inputs, dict):
        return inputs | dict(dense)
    if dense and dense[0][0] is not None:
        return type(inputs)(x for _, x in dense) if type(inputs) in (list, tuple) else inputs
    return dense[0][1] if dense else inputs


def _dense(x: Any, value: Any) -> tuple[Any, np.ndarray] | None:
    """A ragged tensor or a list of rows of unequal length, padded, and its valid steps."""
    if type(x).__name__ == "RaggedTensor":
        ones = x.with_flat_values(np.ones(x.flat_values.shape[:1], bool))
        return x.to_tensor(np.asarray(value, x.dtype.as_numpy_dtype)), np.asarray(ones.to_tensor())
    rows = _rows(x)
    return None if rows is None else _padded(rows, value)


def _rows(x: Any) -> list[np.ndarray] | None:
    """The rows of a list, where they are of unequal length."""
    if not isinstance(x, (list, tuple)) or not x or not all(np.ndim(_safe(row)) for row in x):
        return None
    rows = [_safe(row) for row in x]
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
    """The part of a model after its layers for text, and what they make of these inputs."""
    texts = string_inputs(model)
    if not texts:
        reader = _reader_of_texts(model) if isinstance(model, keras.Layer) else None
        if reader is not None and any(_holds_strings(x) for x in tree.flatten(inputs)):
            raise _starts_with_text(model, reader)
        return model, inputs
    operations, rest = _after_texts(model, texts[0])
    ((_, given),) = _flat(model, inputs)
    if _holds_strings(given):
        strings = np.asarray(given)
        if strings.ndim < len(texts[0].shape):
            strings = strings[..., None]
        # no other backend has tensors of strings, and its layers for text take lists
        on_tensorflow = keras.backend.backend() == "tensorflow"
        x = ops.convert_to_tensor(strings) if on_tensorflow else strings.tolist()
        for operation in operations:
            x = operation(x)
        inputs = ops.convert_to_numpy(x)
    notes.append(Note("behind-texts", {"layer": operations[-1].name}))
    return rest, inputs


def after_texts(model: keras.Layer) -> keras.Layer:
    """What takes the numbers that a model's layers for text make; the model without such."""
    texts = string_inputs(model)
    return _after_texts(model, texts[0])[1] if texts else model


def _after_texts(
    model: keras.Model, text: keras.KerasTensor
) -> tuple[list[keras.Operation], keras.Model]:
    operations, cut = _cut(model, text) if len(model.inputs) == 1 else ([], None)
    if cut is None:
        raise _starts_with_text(model, _reader_of_texts(model) or "text")
    with kept_nodes(model):
        rest = keras.Model(cut, model.outputs[0] if len(model.outputs) == 1 else model.outputs)
    rest.name = model.name
    return operations, rest


def _reader_of_texts(model: keras.Layer) -> str | None:
    of_texts = (layers.TextVectorization, layers.StringLookup, layers.Hashing)
    return next((x.name for x in sublayers(model) if isinstance(x, of_texts)), None)


def _starts_with_text(model: keras.Layer, layer: str) -> UnusableInput:
    return UnusableInput(
        f"The model {model.name!r} starts with text: call its layers up to {layer!r} on the texts "
        "yourself, and give the tools a model that starts after them."
    )


def _holds_strings(x: Any) -> bool:
    if type(x).__name__ == "EagerTensor":
        return x.dtype.name == "string"
    array = np.asarray(x)
    return array.dtype.kind in "SU" or (
        array.dtype.kind == "O" and array.size > 0 and isinstance(array.flat[0], (str, bytes))
    )


def _cut(model: keras.Model, text: keras.KerasTensor) -> tuple[list[keras.Operation], Any]:
    """The operations on a text, one after the other, and the symbolic numbers that the last one
    makes; None where they are not one after the other."""
    operations, here = [], text
    while keras.backend.standardize_dtype(here.dtype) == "string":
        following = [
            node for node in graph_nodes(model) if any(x is here for x in node.input_tensors)
        ]
        if len(following) != 1 or len(following[0].output_tensors) != 1:
            return operations, None
        operations.append(following[0].operation)
        here = following[0].output_tensors[0]
    return operations, here
