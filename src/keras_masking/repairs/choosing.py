"""Which edits may mend a leak, the most likely first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import ops, tree
from keras.src.ops import nn as nn_ops
from keras.src.ops import numpy as numpy_ops

import keras_masking.layers as ours
from keras_masking._keras import (
    Functional,
    Merge,
    graph_nodes,
    mask_arguments,
    symbolic_inputs,
)
from keras_masking.leaks.probes import Bench
from keras_masking.leaks.probing import Padded
from keras_masking.leaks.remedies import REPLACEMENTS
from keras_masking.records import Call, Leak
from keras_masking.repairs import rewiring
from keras_masking.repairs.edits import Edit
from keras_masking.tracing import is_stock

REDUCTIONS = {
    numpy_ops.Max: ours.MaskedMax,
    numpy_ops.Mean: ours.MaskedMean,
    numpy_ops.Min: ours.MaskedMin,
    numpy_ops.Std: ours.MaskedStd,
    numpy_ops.Sum: ours.MaskedSum,
}
# what they do to the steps of a tensor they do to its mask
MOVES = (numpy_ops.Flip, numpy_ops.Roll)
SOFTMAX = (nn_ops.Softmax, keras.layers.Softmax)
PRODUCTS = (keras.layers.Dot, numpy_ops.Matmul, numpy_ops.Einsum)

# what to write by hand, by what is to be done about a leak
LINES = {
    "flag": "self.supports_masking = True  # in __init__, after super().__init__()",
    "gap": "x = KeepMask()([x, masked])  # masked: the tensor that x was computed from",
    "own-call": "def call(self, x, mask=None): ...  # use mask wherever call computes over steps",
    "own-call-mask": "x = ops.where(mask[..., None], x, 0)  # before call computes over steps",
    "no-mask": "x = KeepMask()(x, mask=mask)  # booleans (batch, time), True = use",
    "attention-mask": "attention_mask = mask[:, None, :]",
}


class Choice:
    """The edits of the leaks in a run of a copy.

    Args:
        bench: with the run.
        origin: by `id`, the operation of the model given that one of the copy is made from.
    """

    def __init__(self, bench: Bench, origin: dict[int, keras.Operation]):
        self.trace, self.model, self.inputs = bench.trace, bench.model, bench.inputs
        self.operations, self.origin = bench.base.operations, origin

    def key(self, leak: Leak) -> tuple:
        """What tells a leak from others, the same in the runs of all copies."""
        return self.at(leak.call), leak.place, self.at(leak.lost_at)

    def at(self, index: int | None) -> tuple | None:
        if index is None:
            return None
        parent = self.trace[index].parent
        around = None if parent is None else self.operation(parent)
        return id(self.operation(index)), self.number(index), id(around)

    def operation(self, index: int) -> keras.Operation | None:
        """Of the model given; None of a gap, and of what an edit has added."""
        return self.origin.get(id(self.operations.get(index)))

    def number(self, index: int) -> int:
        """Which call of its operation this is in the graph that holds it."""
        call = self.trace[index]
        return sum(
            self.operations.get(other.index) is self.operations.get(index)
            for other in self.trace.calls[:index]
            if other.parent == call.parent
        )

    def in_graph(self, index: int) -> bool:
        """Whether it is called in a graph, which code of a layer may hold."""
        parent = self.trace[index].parent
        around = self.model if parent is None else self.operations.get(parent)
        return isinstance(around, (Functional, keras.Sequential))

    def in_model(self, index: int) -> bool:
        """Whether it is called in the graph of the model, or in one that is called there."""
        return self.code_of(index) == ""

    def over_steps(self, index: int) -> bool:
        """Whether an operation works along axis 1 alone."""
        axis, given = self.operation(index).axis, self.trace[index].inputs
        axes = [axis] if isinstance(axis, int) else axis or []
        return bool(given) and [x % len(given[0].shape) for x in axes] == [1]

    def edits(self, leak: Leak) -> Iterator[Edit]:
        lost = leak.lost_at
        made = (keras.layers.Embedding, keras.layers.Masking)
        if leak.call is not None and _is_softmax(self.operation(leak.call)):
            yield from self.told_softmax(leak.call)
        if lost is None or isinstance(self.operation(lost), made):
            yield from self.making()
        if lost is not None:
            yield from self.keeping(lost)
        if leak.call is not None and leak.call != lost:
            yield from self.using(leak.call, ignored=lost is None)

    def keeping(self, index: int) -> Iterator[Edit]:
        """What lost the mask keeps it."""
        operation, call = self.operation(index), self.trace[index]
        yield from self.around_code(index)
        yield from self.in_code(index)
        if operation is None:
            return
        if type(operation) is not keras.layers.Lambda:  # whose function may know no mask
            yield from self.using(index, ignored=True)
        if not self.in_graph(index):
            return
        if isinstance(operation, numpy_ops.GetItem):
            yield self.around(index, "KeepMask()(x[...], mask=mask[...])", "kept", rewiring.sliced)
        if isinstance(operation, MOVES) and self.over_steps(index):
            yield self.around(index, _then_kept(call.class_name), "kept", rewiring.moved)
        if isinstance(operation, numpy_ops.Concatenate) and self.over_steps(index):
            layer = keras.layers.Concatenate(axis=1, name=operation.name)
            done = rewiring.layer_instead(layer)
            yield self.around(index, "layers.Concatenate(axis=1)", "layer", done)
        if isinstance(operation, keras.layers.Reshape):
            yield self.around(index, _then_kept("Reshape"), "joined", rewiring.joined)
        if isinstance(operation, PRODUCTS):
            yield self.around(index, _then_kept(call.class_name), "kept", rewiring.summed_values)
        yield self.around(index, _then_kept(call.class_name), "kept", rewiring.kept)
        yield from self.replaced(index)
        if isinstance(operation, keras.layers.ZeroPadding1D):
            yield self.around(index, _then_kept("ZeroPadding1D"), "kept", rewiring.with_inserted)

    def around_code(self, index: int) -> Iterator[Edit]:
        """What code of a layer lost is on what the layer gives."""
        outer = index
        while not self.in_graph(outer):
            outer = self.trace[outer].parent
            if outer is None:
                return
        call = self.trace[outer]
        if outer == index or self.operation(outer) is None:
            return
        yield self.around(outer, _then_kept(call.class_name), "kept", rewiring.kept)
        for _, held in self.known_indices():
            after = f"{call.class_name} → KeepMask(mask=ids != {held:g})"
            yield self.around(outer, after, "mask-made", rewiring.index_masked(held))

    def in_code(self, index: int) -> Iterator[Edit]:
        """What code of a layer loses it keeps, or its layer says what the mask is."""
        call = self.trace[index]
        for other in self.trace.calls:
            before = other.parent == call.parent is not None and other.index < index
            if (before or other.parent == index) and any(x.taken for x in other.inputs):
                yield from self.replaced(other.index)
        at = index
        while at is not None and not self.in_graph(at):
            operation, call = self.operation(at), self.trace[at]
            if operation is not None and not is_stock(operation):
                yield from self.saying(operation, call)
            at = call.parent

    def saying(self, layer: keras.Layer, call: Call) -> Iterator[Edit]:
        """A layer of one's own says what its mask is."""
        of = {"code_of": call.class_name}
        for x, held in self.known_indices():
            if call.inputs and call.inputs[0].shape == x.values.shape:
                after, done = f"compute_mask: ids != {held:g}", _with_mask_of_indices(held)
                yield Edit(layer, call.path, call.class_name, after, "mask-said", **of, set=done)
        if not layer.supports_masking:
            after = "supports_masking = True"
            yield Edit(layer, call.path, call.class_name, after, "flag-set", **of, set=_with_flag)

    def known_indices(self) -> Iterator[tuple[Padded, float]]:
        """The inputs `(batch, time)` whose padding is known by the number that it holds."""
        for x in self.inputs:
            indices = x.is_padded and not x.is_mask and x.values.ndim == 2
            if indices and (held := _held(x)) is not None:
                yield x, held.item()

    def using(self, index: int, ignored: bool) -> Iterator[Edit]:
        """What computes over steps uses the mask.

        Args:
            ignored: whether it had a mask.
        """
        operation, call = self.operation(index), self.trace[index]
        if operation is None:
            return
        if self.in_graph(index):
            yield from self.with_mask(index)
        if ignored:
            yield from self.replaced(index)
        merges = isinstance(operation, Merge) and not isinstance(operation, keras.layers.Dot)
        if self.in_graph(index) and merges:
            yield self.around(index, f"zeros → {call.class_name}", "zeroed", rewiring.zeroed)

    def with_mask(self, index: int) -> Iterator[Edit]:
        operation, call = self.operation(index), self.trace[index]
        if type(operation) in REDUCTIONS and self.over_steps(index):
            layer = REDUCTIONS[type(operation)](keepdims=operation.keepdims, name=operation.name)
            done = rewiring.layer_instead(layer)
            yield self.around(index, type(layer).__name__, "replaced", done)
        if _is_softmax(operation):
            axis = getattr(operation, "axis", -1)
            done = rewiring.layer_instead(ours.MaskedSoftmax(axis, name=operation.name))
            yield self.around(index, "MaskedSoftmax", "replaced", done)
        if type(operation) in SOFTMAX:
            after = "MaskedSoftmax()(scores, mask=mask[:, None])"
            yield self.around(index, after, "replaced", rewiring.softmax_of_scores)
        if "query_mask" in call.explicit and "value_mask" not in call.explicit:
            after = f"{call.class_name}()(…, value_mask=…)"
            yield self.around(index, after, "handed", rewiring.with_value_mask)
        if "mask" in mask_arguments(operation) and "mask" not in call.explicit:
            after = f"{call.class_name}()(…, mask=…)"
            yield self.around(index, after, "handed", rewiring.handed)
        if _on_last_axis(operation):
            cls = _of_ours(operation)
            yield self.around(
                index, f"{cls.__name__} before Permute", "replaced", rewiring.over_last(cls)
            )
        if getattr(operation, "go_backwards", False):
            after = f"{call.class_name} → flip → KeepMask"
            yield self.around(index, after, "turned", rewiring.turned)

    def told_softmax(self, index: int) -> Iterator[Edit]:
        """A softmax over the steps has the mask that is an input of the model."""
        scores = self.trace[index].inputs[0].shape
        for i, x in enumerate(self.inputs) if self.in_model(index) else ():
            if x.is_mask and x.values.shape == scores:
                after = "MaskedSoftmax()(scores, mask=mask)"
                done = rewiring.softmax_by_input
                yield self.around(index, after, "mask-given", done, of_input=i)

    def replaced(self, index: int) -> Iterator[Edit]:
        """A layer of this package in the place of one of Keras."""
        operation = self.operation(index)
        if type(operation) is keras.layers.TimeDistributed:
            cls = _of_ours(operation.layer)
            if cls is not None:
                after = f"TimeDistributed({cls.__name__})"
                yield self.instead(index, after, "replaced", _with_inner(cls))
        cls = _of_ours(operation)
        if cls is not None and not _on_last_axis(operation):
            yield self.instead(index, cls.__name__, "replaced", cls.from_keras)

    def making(self) -> Iterator[Edit]:
        """A mask is made of the padding, where none was."""
        for x in self.inputs:
            if x.is_padded and not x.is_mask and x.mask.ndim == 2:
                if x.vocabulary is not None:
                    yield from self.masking_indices(x)
                elif x.values.ndim == 2:
                    yield from self.masking_numbers(x)
                else:
                    yield from self.masking_vectors(x)

    def masking_numbers(self, x: Padded) -> Iterator[Edit]:
        """Of indices that no Embedding reads, what is made of them first."""
        symbolic, held = self.symbolic(x), _held(x)
        for index, at in sorted(self.operations.items(), key=lambda item: item[0] or 0):
            reads = any(y is symbolic for y in self.given_to(at))
            if held is not None and reads and index is not None and self.in_graph(index):
                after = f"{self.trace[index].class_name} → KeepMask(mask=ids != {held:g})"
                yield self.around(index, after, "mask-made", rewiring.index_masked(held.item()))

    def masking_indices(self, x: Padded) -> Iterator[Edit]:
        held = _held(x)
        value = None if held is None else held.item()
        for index, at in sorted(self.operations.items(), key=lambda item: item[0] or 0):
            operation = self.origin.get(id(at))
            if type(operation) is not keras.layers.Embedding or operation.mask_zero:
                continue
            if self.reads_another(at, x):
                continue
            for i in self.masks_of(x) if self.in_model(index) else ():
                after = "KeepMask()(Embedding(ids), mask=mask)"
                yield self.around(index, after, "mask-given", rewiring.by_input, of_input=i)
            if value == 0:
                yield self.instead(index, "Embedding(mask_zero=True)", "mask-zero", _with_mask_zero)
            elif value is not None and self.in_graph(index):
                after = f"KeepMask()(Embedding(ids), mask=ids != {value:g})"
                yield self.around(index, after, "mask-made", rewiring.index_masked(value))

    def reads_another(self, operation: keras.Operation, x: Padded) -> bool:
        """Whether it is given another input of the model than this one."""
        others = [self.symbolic(other) for other in self.inputs if other is not x]
        return any(y is other for y in self.given_to(operation) for other in others)

    def given_to(self, operation: keras.Operation) -> list[keras.KerasTensor]:
        """By the graph of the model itself."""
        nodes = (node for node in graph_nodes(self.model) if node.operation is operation)
        return [x for node in nodes for x in node.input_tensors]

    def masking_vectors(self, x: Padded) -> Iterator[Edit]:
        symbolic, held = self.symbolic(x), _held(x)
        if symbolic is None:
            yield from self.masking_for_code(x)
            return
        layer = self.origin.get(id(symbolic._keras_history.operation))
        if layer is None:
            return
        where = layer, layer.name, "Input"
        for i in self.masks_of(x):
            done = {"around": rewiring.by_input, "of_input": i}
            yield Edit(*where, "KeepMask()(x, mask=mask)", "mask-given", **done)
        if held is None or x.values.ndim != 3:
            return
        if (held == held.flat[0]).all():
            done = rewiring.value_masked(float(held.flat[0]))
            yield Edit(*where, f"Masking({held.flat[0]:g})", "mask-made", around=done)
        else:
            done, after = rewiring.step_masked(held), "KeepMask()(x, mask=ops.any(x != step, -1))"
            yield Edit(*where, after, "mask-made", around=done)

    def masking_for_code(self, x: Padded) -> Iterator[Edit]:
        """Vectors that code gives to a graph which it holds: what reads them first there."""
        held = _held(x)
        if held is None or x.values.ndim != 3 or (held != held.flat[0]).any():
            return
        for call in self.trace:
            given = call.inputs[0].shape if call.inputs else None
            if given == x.values.shape and self.in_graph(call.index):
                after = f"Masking({held.flat[0]:g}) → {call.class_name}"
                done = rewiring.after_masking(float(held.flat[0]))
                yield self.around(call.index, after, "mask-made", done)
                return

    def masks_of(self, x: Padded) -> Iterator[int]:
        """The inputs that tell which steps of this one are valid."""
        for i, other in enumerate(self.inputs):
            if other.is_mask and np.array_equal(other.mask, x.mask):
                yield i

    def symbolic(self, x: Padded) -> keras.KerasTensor | None:
        declared = symbolic_inputs(self.model)
        if declared is None:
            return None
        return tree.flatten(declared)[next(i for i, y in enumerate(self.inputs) if y is x)]

    def around(self, index: int, after: str, why: str, around: Callable, **options) -> Edit:
        call, number = self.trace[index], self.number(index)
        where = self.operation(index), call.path, call.class_name
        of_code = self.code_of(index)
        return Edit(*where, after, why, of_code, around=around, number=number, **options)

    def instead(self, index: int, after: str, why: str, made: Callable) -> Edit:
        call = self.trace[index]
        where = self.operation(index), call.path, call.class_name
        return Edit(*where, after, why, self.code_of(index), made=made)

    def code_of(self, index: int) -> str:
        """The class whose own code calls a layer, or holds the graph that calls it; "" where the
        model is a graph down to there."""
        while self.in_graph(index):
            index = self.trace[index].parent
            if index is None:
                return ""
        parent = self.trace[index].parent
        return self.trace.class_name if parent is None else self.trace[parent].class_name


def _then_kept(name: str) -> str:
    return f"{name} → KeepMask"


def _of_ours(layer: keras.Operation) -> type | None:
    """The class of this package that takes the place of a layer of Keras."""
    name = type(layer).__name__
    cls = getattr(ours, REPLACEMENTS.get(name, ""), None)
    stock = getattr(keras.layers, name, None) is type(layer)
    return cls if stock and hasattr(cls, "from_keras") else None


def _held(x: Padded) -> np.ndarray | None:
    """What every padded step of an input holds and no valid one; None where there is no such."""
    step = x.values[~x.mask][0]
    same = (x.values == step).reshape(*x.mask.shape, -1).all(axis=-1)
    return step + 0 if np.array_equal(same, ~x.mask) else None  # 0 for -0


def _is_softmax(operation: keras.Operation | None) -> bool:
    by_name = type(operation) is keras.layers.Activation
    by_name = by_name and operation.activation is keras.activations.softmax
    return by_name or type(operation) is nn_ops.Softmax


def _on_last_axis(layer: keras.Operation) -> bool:
    """Whether it pools steps that are the last axis."""
    pooling = keras.layers.GlobalAveragePooling1D, keras.layers.GlobalMaxPooling1D
    return type(layer) in pooling and layer.data_format == "channels_first"


def _with_inner(cls: type) -> Callable:
    def made(operation):
        config = operation.get_config() | {"layer": cls.from_keras(operation.layer)}
        return type(operation)(**config)

    return made


def _with_flag(layer: keras.Layer) -> None:
    layer.supports_masking = True


def _with_mask_of_indices(value: float) -> Callable[[keras.Layer], None]:
    def done(layer):
        layer.compute_mask = lambda ids, mask=None: ops.not_equal(ids, value)
        layer.supports_masking = True

    return done


def _with_mask_zero(embedding):
    new = type(embedding).from_config(embedding.get_config() | {"mask_zero": True})
    if embedding.built:
        new.build()
        new.set_weights(embedding.get_weights())
    return new
