"""Everything this package needs of Keras that Keras does not publish, in one place."""

import functools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import tree
from keras.src.backend import get_keras_mask as get_mask
from keras.src.backend import set_keras_mask as set_mask
from keras.src.backend.common.keras_tensor import any_symbolic_tensors
from keras.src.layers.merging.base_merge import Merge
from keras.src.models.functional import Functional
from keras.src.random.seed_generator import global_seed_generator

__all__ = [
    "Functional",
    "Handler",
    "Merge",
    "any_length",
    "get_mask",
    "graph_nodes",
    "global_seed_generator",
    "in_short",
    "interposed",
    "is_mask_name",
    "is_tensor",
    "kept_losses",
    "kept_nodes",
    "leading",
    "mask_arguments",
    "readers",
    "set_mask",
    "string_inputs",
    "sublayers",
    "symbolic_inputs",
    "to_numpy",
    "with_sublayers",
]

Handler = Callable[[keras.Operation, Callable, tuple, dict], Any]

_lock = threading.RLock()
_active = threading.local()


@contextmanager
def interposed(handler: Handler) -> Iterator[None]:
    """While this is open, `handler(operation, call, args, kwargs)` replaces every call of a
    layer or an operation in this thread; `call(*args, **kwargs)` runs it as Keras would.

    Calls on symbolic tensors are not passed to it. Other threads see Keras as it is.
    """
    before = getattr(_active, "handler", None)
    with _lock:
        _install()
        try:
            _active.handler = handler
            yield
        finally:
            _active.handler = before
            _uninstall()


_originals: list[tuple[type, Callable]] = []
_depth = 0


def _install() -> None:
    global _depth
    _depth += 1
    if _depth > 1:
        return
    for owner in (keras.Operation, keras.Layer):
        original = owner.__dict__["__call__"]
        _originals.append((owner, original))
        owner.__call__ = _through_handler(owner, original)


def _uninstall() -> None:
    global _depth
    _depth -= 1
    if _depth == 0:
        while _originals:
            owner, original = _originals.pop()
            owner.__call__ = original


def _through_handler(owner: type, original: Callable) -> Callable:
    @functools.wraps(original)
    def call(self, *args, **kwargs):
        handler = getattr(_active, "handler", None)
        # Layer.__call__ goes through Operation.__call__: pass a layer to it only once
        inner = owner is keras.Operation and isinstance(self, keras.Layer)
        if handler is None or inner or any_symbolic_tensors(args, kwargs):
            return original(self, *args, **kwargs)
        return handler(self, functools.partial(original, self), args, kwargs)

    return call


def is_tensor(x) -> bool:
    return isinstance(x, np.ndarray) or keras.ops.is_tensor(x)


def to_numpy(x) -> np.ndarray | None:
    """The values of a tensor; None where it has none yet, inside a compiled loop."""
    try:
        return np.asarray(keras.ops.convert_to_numpy(x))
    except Exception:  # each backend has its own error for a tensor without values
        return None


def leading(shape: tuple, mask_shape: tuple) -> bool:
    """Whether a mask of this shape fits a tensor of that shape: it has its leading axes."""
    return len(mask_shape) <= len(shape) and tuple(shape[: len(mask_shape)]) == tuple(mask_shape)


def mask_arguments(layer: keras.Operation) -> tuple[str, ...]:
    """The arguments of `call` that take a mask."""
    signature = getattr(layer, "_call_signature", None)
    if signature is None or not getattr(layer, "_fn_expects_mask_arg", True):
        return ()  # a Lambda takes a mask for a function that may not
    return tuple(name for name in signature.parameters if is_mask_name(name))


def is_mask_name(name: str) -> bool:
    return name == "mask" or name.endswith("_mask")


def sublayers(layer: keras.Layer) -> list[keras.Layer]:
    return list(layer._flatten_layers(include_self=False))


def with_sublayers(layer: keras.Layer) -> list[keras.Layer]:
    return [layer, *sublayers(layer)]


def makes_mask(layer: keras.Layer) -> bool:
    """Whether a layer of Keras's makes a mask from values."""
    return isinstance(layer, keras.layers.Masking) or bool(getattr(layer, "mask_zero", False))


@contextmanager
def kept_losses(model: keras.Layer) -> Iterator[None]:
    """The losses that layers have added in an earlier call are there again in the end."""
    kept = [(x, x._losses[:], set(x._loss_ids)) for x in with_sublayers(model)]
    try:
        yield
    finally:
        for layer, losses, ids in kept:
            layer._losses[:], layer._loss_ids = losses, ids


def symbolic_inputs(model: keras.Layer) -> Any:
    """What a model declares by `keras.Input`, in its structure; None where it declares nothing."""
    functional = getattr(model, "_functional", None) or model
    return getattr(functional, "_inputs_struct", None)


def readers(model: keras.Layer, x: keras.KerasTensor) -> list[keras.Layer]:
    """The layers that are given this symbolic input as it is, those of nested models too."""
    found = []
    for node in graph_nodes(model):
        layer = node.operation
        for i, given in enumerate(node.input_tensors):
            if given is x and isinstance(layer, keras.Layer):
                declared = symbolic_inputs(layer)
                inner = [] if declared is None else tree.flatten(declared)
                # a nested model may be given its mask after its inputs
                found += readers(layer, inner[i]) if i < len(inner) else [layer]
    return found


def graph_nodes(model: keras.Layer) -> list[Any]:
    """The calls in the graph of a model, in the order in which they run; none without a graph."""
    by_depth = getattr(getattr(model, "_functional", None) or model, "_nodes_by_depth", {})
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


@contextmanager
def kept_nodes(model: keras.Layer) -> Iterator[None]:
    """Calls of the model's operations on symbolic tensors leave nothing in them. A model made
    meanwhile keeps its own graph."""
    operations = [node.operation for node in graph_nodes(model)]
    kept = [(x, x._inbound_nodes[:], x._outbound_nodes[:]) for x in operations]
    try:
        yield
    finally:
        for operation, inbound, outbound in kept:
            operation._inbound_nodes[:], operation._outbound_nodes[:] = inbound, outbound


def in_short(error: Exception) -> str:
    """An error in one line: Keras and TensorFlow wrap theirs in several, with colours."""
    text = re.sub(r"\x1b\[\d+m|\{\{.*?\}\} ?", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Exception encountered when calling"):
        lines = lines[1:]
    return ": ".join([type(error).__name__, *lines[:1]])


def string_inputs(model: Any) -> list[keras.KerasTensor]:
    """The symbolic inputs of a model that take strings."""
    declared = symbolic_inputs(model) if isinstance(model, keras.Layer) else None
    return [
        x
        for x in tree.flatten(declared)
        if isinstance(x, keras.KerasTensor) and keras.backend.standardize_dtype(x.dtype) == "string"
    ]


@contextmanager
def any_length() -> Iterator[None]:
    """While this is open, models take inputs of other lengths than their `keras.Input`s declare,
    as far as their layers can."""
    original = Functional._assert_input_compatibility
    with _lock:
        Functional._assert_input_compatibility = lambda self, *given: None
        try:
            yield
        finally:
            Functional._assert_input_compatibility = original
