"""Copies of a model with other layers in it, and other things done with their calls."""

from __future__ import annotations

import copy
import inspect
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import keras
from keras import tree
from keras.src.models.functional import functional_like_constructor

from keras_masking._keras import (
    Functional,
    get_mask,
    graph_nodes,
    in_short,
    is_mask_name,
    sublayers,
    symbolic_inputs,
    with_sublayers,
)
from keras_masking.inputs import UnusableInput
from keras_masking.repairs.edits import Edit


class Copy:
    """A model made anew, with edits.

    Args:
        model: it stays as it is.
        edits: of its operations.
        run: calls a model once, which builds one that no symbolic call has built.

    Attributes:
        model: the copy, with the weights, the trainable flags, the compile configuration and the
            state of the optimizer of the original.
        origin: by `id`, the operation of the original that one of the copy is made from.
        compiled: whether it is compiled as the original is.
        other_class: the class of a model that could not be kept, or "".

    Raises:
        UnusableInput: a layer cannot be made again from its config, or an edit does not fit.
    """

    def __init__(self, model: keras.Layer, edits: Sequence[Edit], run: Callable):
        self.original, self.edits = model, edits
        self.origin: dict[int, keras.Operation] = {}
        self._made: dict[int, keras.Operation] = {}
        self._applied: set[Edit] = set()
        self.other_class = ""
        self.model = self._copied(model)
        run(self.model)  # layers that other layers hold may be built by that only
        self._take_weights()
        if not edits and len(self.model.variables) != len(model.variables):
            raise UnusableInput(
                f"{model.name!r} cannot be copied: its layers share weights, as those that are "
                "given to a TimeDistributed or to two RNNs do, and their configs do not tell."
            )
        self._replace_inside()
        for edit in edits:
            if edit.set:
                edit.set(self._made[id(edit.operation)])
        self._compile()

    def _copied(self, operation: keras.Operation) -> keras.Operation:
        if id(operation) in self._made:
            return self._made[id(operation)]
        edit = next((x for x in self.edits if x.operation is operation and x.made), None)
        if edit is not None:
            new = edit.made(operation)
            self._applied.add(edit)
        elif isinstance(operation, keras.Sequential) and not self._rewired(operation):
            new = self._sequential(operation)
        elif isinstance(operation, (Functional, keras.Sequential)):
            new = self._graph(operation)
        elif isinstance(operation, keras.Layer):
            new = _from_config(operation)
        else:
            new = copy.copy(operation)
            new._inbound_nodes, new._outbound_nodes = [], []
        self._made[id(operation)] = new
        self.origin[id(new)] = operation
        return new

    def _rewired(self, model: keras.Sequential) -> bool:
        """Whether an edit does more to a layer directly in it than to put another in its place."""
        own = [*model.layers, *_input_layers(model)]
        return any(x.around and any(x.operation is layer for layer in own) for x in self.edits)

    def _sequential(self, model: keras.Sequential) -> keras.Sequential:
        first = [layer.from_config(layer.get_config()) for layer in _input_layers(model)]
        layers = [*first, *map(self._copied, model.layers)]
        cls = self._class_of(model, keras.Sequential)
        return _like(model, cls(layers, trainable=model.trainable, name=model.name))

    def _class_of(self, model: keras.Model, plain: type) -> type:
        """Its class, where that is made from layers, or from tensors, as the plain one is."""
        cls = type(model)
        of_layers = cls.__init__ is keras.Sequential.__init__
        if of_layers if plain is keras.Sequential else functional_like_constructor(cls):
            return cls
        if cls is not keras.Sequential:
            self.other_class = cls.__name__
        return plain

    def _graph(self, model: Functional | keras.Sequential) -> Functional:
        if isinstance(model, keras.Sequential) and _is_of_first_batch(model):
            with suppress(Exception):  # whatever layers raise that need the length of a first batch
                return self._wired(model, _of_any_length)
        return self._wired(model, _input_again)

    def _wired(self, model: Functional | keras.Sequential, make_input: Callable) -> Functional:
        graph = getattr(model, "_functional", None) or model
        declared = symbolic_inputs(graph)
        inputs = tree.map_structure(make_input, declared)
        nodes = _nodes(graph)
        called: Counter[int] = Counter()

        def call(operation, *args, **kwargs):
            number = called[id(operation)]
            called[id(operation)] += 1
            for name in _filled_in(nodes[id(operation)][number]):
                del kwargs[name]
            call = self._edited(self._copied(operation), operation, number, raw)
            return call(*args, **kwargs)

        raw = tree.flatten(inputs)
        given = [
            self._edited(lambda y: y, x._keras_history.operation, 0, raw)(y)
            for x, y in zip(tree.flatten(declared), raw, strict=True)
        ]
        outputs = graph._run_through_graph(given, operation_fn=lambda x: x, call_fn=call)
        made = self._class_of(model, keras.Model)(inputs, outputs, name=model.name)
        made.trainable = model.trainable
        return _like(model, made)

    def _edited(self, call: Callable, operation, number: int, inputs: list) -> Callable:
        """What is called in the place of a call of the original."""
        for edit in self.edits:
            if edit.operation is operation and edit.around and edit.number == number:
                call = edit.wrapped(call, inputs)
                self._applied.add(edit)
        return call

    def _take_weights(self) -> None:
        for old in with_sublayers(self.original):
            new = self._made.get(id(old))
            if not isinstance(new, keras.Layer):
                continue
            new.trainable = old.trainable
            _take_states(new, old)
            _take_vocabulary(new, old)
            if isinstance(old, (Functional, keras.Sequential)):
                continue
            if type(new) is not type(old):
                _take_flags(new, old)
                continue
            if len(new.variables) != len(old.variables) or len(sublayers(new)) != len(
                sublayers(old)
            ):
                raise UnusableInput(
                    f"{old.name!r} of class {type(old).__name__} cannot be copied: made again from "
                    f"its config it has {len(new.variables)} weights, and here "
                    f"{len(old.variables)}. Let its get_config give all that its weights need."
                )
            for variable, value in zip(new.variables, old.variables, strict=True):
                variable.assign(value)
            for of_new, of_old in zip(sublayers(new), sublayers(old), strict=True):
                of_new.name, of_new.trainable = of_old.name, of_old.trainable
                _take_states(of_new, of_old)
                self._made.setdefault(id(of_old), of_new)
                self.origin.setdefault(id(of_new), of_old)
            _take_flags(new, old)

    def _replace_inside(self) -> None:
        """Layers that a layer of another's own code holds, or a model that it holds."""
        for edit in self.edits:
            old = self._made.get(id(edit.operation))
            if edit.set or edit in self._applied or old is None:
                continue
            within = with_sublayers(self.model)
            models = [x for x in within if isinstance(x, (Functional, keras.Sequential))]
            holder = next((x for x in models if any(y is old for y in x.layers)), None)
            if holder is None:
                self._exchange(within, old, edit.made(old))
                continue
            of_holder = Copy(holder, [replace(edit, operation=old)], lambda model: None)
            for new in with_sublayers(of_holder.model):
                given = self.origin.get(id(of_holder.origin.get(id(new))))
                if given is not None:  # not so of what an edit has added
                    self.origin[id(new)] = given
                    self._made[id(given)] = new
            for owner in within:
                _put(owner, holder, of_holder.model)

    def _exchange(self, owners: list[keras.Layer], old: keras.Layer, new: keras.Layer) -> None:
        for owner in owners:
            _put(owner, old, new)
        self.origin[id(new)] = self.origin[id(old)]
        self._made[id(self.origin[id(new)])] = new

    def _compile(self) -> None:
        self.compiled = not getattr(self.original, "compiled", False)
        if self.compiled:
            return
        try:
            self.model.compile_from_config(self.original.get_compile_config())
            self._take_optimizer()
        except Exception:  # losses and metrics of one's own may have no config
            return
        self.compiled = True

    def _take_optimizer(self) -> None:
        before, after = self.original.optimizer, self.model.optimizer
        if before is None or not before.built:
            return
        same = dict(self._same_variables())
        after.build([same[id(v)] for v in before._trainable_variables])
        for variable, value in zip(after.variables, before.variables, strict=True):
            variable.assign(value)

    def _same_variables(self):
        for old in with_sublayers(self.original):
            new = self._made.get(id(old))
            if isinstance(new, keras.Layer) and len(new.variables) == len(old.variables):
                yield from zip(map(id, old.variables), new.variables, strict=True)


def _input_layers(model: keras.Sequential) -> list[keras.Layer]:
    """`Sequential.layers` leaves it out."""
    return [layer for layer in model._layers[:1] if isinstance(layer, keras.layers.InputLayer)]


def _nodes(graph: Functional) -> dict[int, list]:
    """The calls in a graph by the `id` of their operation, in the order in which they run."""
    found: dict[int, list] = {}
    for node in graph_nodes(graph):
        found.setdefault(id(node.operation), []).append(node)
    return found


def _filled_in(node: Any) -> list[str]:
    """The arguments of a call that Keras gave, since the tensors had these masks. A copy may give
    them others."""
    args, kwargs = node.arguments.args, node.arguments.kwargs
    masks = {name: x for name, x in kwargs.items() if is_mask_name(name) and x is not None}
    if not masks or not isinstance(node.operation, keras.Layer):
        return []
    others = {name: x for name, x in kwargs.items() if name not in masks}
    given = inspect.signature(node.operation.call).bind_partial(*args, **others).arguments
    tensors = {
        name: x
        for name, x in given.items()
        if any(isinstance(y, keras.KerasTensor) for y in tree.flatten(x))
    }
    if len(tensors) == 1:
        of = {"mask": next(iter(tensors.values()))}
    else:
        of = {f"{name}_mask": x for name, x in tensors.items()}
    return [
        name
        for name, mask in masks.items()
        if name in of
        and all(
            x is get_mask(y)
            for x, y in zip(tree.flatten(mask), tree.flatten(of[name]), strict=False)
        )
    ]


def _is_of_first_batch(model: keras.Sequential) -> bool:
    """Whether it was built by a batch, whose sizes are not those that it is meant for."""
    stateful = any(getattr(layer, "stateful", False) for layer in model.layers)
    return not stateful and any(x.shape[0] is not None for x in model.inputs)


def _like(model: keras.Model, made: keras.Model) -> keras.Model:
    made.dtype_policy = model.dtype_policy
    return made


def _take_flags(new: keras.Layer, old: keras.Layer) -> None:
    if len(new.variables) == len(old.variables):
        for variable, other in zip(new.variables, old.variables, strict=True):
            variable.trainable = other.trainable


def _take_states(new: keras.Layer, old: keras.Layer) -> None:
    """Those that a stateful recurrent layer keeps from batch to batch."""
    if getattr(old, "stateful", False):
        states = zip(tree.flatten(new.states), tree.flatten(old.states), strict=False)
        for variable, value in states:
            variable.assign(value)


def _take_vocabulary(new: keras.Layer, old: keras.Layer) -> None:
    """That which a layer for text has learned, which a `.keras` file holds as an asset."""
    if hasattr(old, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            old.save_assets(folder)
            new.load_assets(folder)


def _of_any_length(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.Input((None, *x.shape[2:]), dtype=x.dtype, name=x.name)


def _input_again(x: keras.KerasTensor) -> keras.KerasTensor:
    layer = x._keras_history.operation
    made = type(layer).from_config(layer.get_config()).output
    made.name = x.name  # by which inputs are told apart
    return made


def _from_config(layer: keras.Layer) -> keras.Layer:
    """
    Raises:
        UnusableInput: its class cannot be made from what `get_config` gives.
    """
    if type(layer) is keras.layers.Lambda:  # whose config holds its code, which is not read back
        options = {"name": layer.name, "dtype": layer.dtype_policy, "trainable": layer.trainable}
        return keras.layers.Lambda(
            layer.function, layer._output_shape, layer.mask, layer.arguments, **options
        )
    try:
        config = layer.get_config()
        for name in config:  # which knows the name of a function only
            own = name.endswith(("activation", "regularizer", "constraint"))
            if own and callable(getattr(layer, name, None)):
                config[name] = getattr(layer, name)
        new = _made_from(type(layer), config)
        new.name, new.dtype_policy = layer.name, layer.dtype_policy
        return new
    except Exception as error:  # whatever code of a class of its own raises
        raise UnusableInput(
            f"{layer.name!r} of class {type(layer).__name__} cannot be copied, since it cannot be "
            f"made again from its config ({in_short(error)}). Give the class a get_config that "
            "returns what its __init__ takes."
        ) from error


def _made_from(cls: type, config: dict) -> keras.Layer:
    taken = inspect.signature(cls.__init__).parameters.values()
    if any(x.kind is x.VAR_KEYWORD for x in taken) or "from_config" in vars(cls):
        return cls.from_config(config)
    # an __init__ of one's own that takes neither a name nor a dtype
    return cls(**{x.name: config[x.name] for x in taken if x.name in config})


def _put(owner: keras.Layer, old: keras.Layer, new: keras.Layer) -> None:
    """Another layer in the place of one that is an attribute, or in lists and dicts that are."""
    held = list(owner._layers)
    if all(layer is not old for layer in held):
        return
    owner._tracker.unlock()
    found = False
    for name, value in list(vars(owner).items()):
        if name == "_layers":
            continue
        other = _with(value, old, new)
        if other is not value:
            setattr(owner, name, other)
            found = True
    owner._tracker.lock()
    if found:
        # Keras goes on holding what was an attribute, and puts another at the end
        owner._layers[:] = [new if layer is old else layer for layer in held]


def _with(value: Any, old: keras.Layer, new: keras.Layer) -> Any:
    """A value of an attribute with another layer in it; itself where it does not hold the old."""
    if value is old:
        return new
    if isinstance(value, (list, tuple)):
        others = [_with(x, old, new) for x in value]
        if any(x is not y for x, y in zip(others, value, strict=True)):
            return type(value)(others) if type(value) in (list, tuple) else others
    if isinstance(value, dict):
        others = {key: _with(x, old, new) for key, x in value.items()}
        if any(others[key] is not x for key, x in value.items()):
            return others
    return value
