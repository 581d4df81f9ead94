"""Runs a model once and writes down where its masks go."""

import functools
import inspect
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops, tree

from keras_masking._keras import (
    Functional,
    get_mask,
    interposed,
    is_mask_name,
    is_tensor,
    kept_losses,
    leading,
    mask_arguments,
    sublayers,
    to_numpy,
)
from keras_masking.attached import Attached
from keras_masking.batches import batches
from keras_masking.events import events
from keras_masking.inputs import (
    UnusableInput,
    check_indices,
    check_inputs,
    check_model,
    flat_masks,
    tensors,
)
from keras_masking.records import Call, Tensor, Trace

DESTROYS = "does not support masking and will therefore destroy the mask"


def trace(model: keras.Layer, inputs: Any, mask: Any = None) -> Trace:
    """Run a model once, in inference mode, and record every mask on its way.

    Symbolic tensors of a Functional model can claim a mask that the run does not have; this looks
    at the run. Nothing is changed: weights, seeds and the states of stateful layers are the same
    after as before, also where the model raises.

    Args:
        model: a built Keras model, or a single layer.
        inputs: as `find_leaks` takes them; of a dataset the first batch.
        mask: booleans `(batch, time)`, True = use, for an input that has no layer to make its
            mask; a subclassed model gets it as its argument `mask`. For several inputs the same
            structure, with None where there is none.

    Returns:
        A `Trace`. It holds masks and shapes, no activations.

    Raises:
        UnusableInput: a ValueError whose one sentence says what does not fit and what to do.
        Exception: what the model itself raises, with a note that says where.
    """
    check_model(model)
    batch = next(batches(model, inputs), None)
    if batch is None:
        raise UnusableInput("The dataset has no batch.")
    arrays, masks = check_inputs(batch.model, batch.inputs, mask)
    recorder = Recorder(batch.model)
    with unchanged(batch.model), recorder.running():
        run(batch.model, arrays, masks)
    return recorder.trace()


def run(model: keras.Layer, arrays: Any, masks: Any = None) -> Any:
    """The results of a batch, its masks passed as whoever calls such a model does.

    A subclassed model gets them as its argument `mask`, and its inputs carry none: what its layers
    know of them is what its `call` tells. Keras itself puts them on the inputs of a Functional
    model, and a layer finds them there in a model.
    """
    subclassed = isinstance(model, keras.Model) and not isinstance(
        model, (Functional, keras.Sequential)
    )
    if masks is None or not (subclassed and mask_arguments(model)):
        return model(tensors(arrays, masks), training=False)
    flat = [None if x is None else ops.convert_to_tensor(x) for x in flat_masks(arrays, masks)]
    return model(tensors(arrays), mask=tree.pack_sequence_as(arrays, flat), training=False)


@contextmanager
def unchanged(
    model: keras.Layer, state: Sequence[tuple[keras.Variable, Any]] = ()
) -> Iterator[None]:
    """What a layer assigns while this is open goes nowhere, so no weights need to be copied.

    Args:
        state: variables that have another value in it.
    """
    with kept_losses(model), keras.StatelessScope(state, initialize_variables=False):
        yield


class Masked(NamedTuple):
    """A tensor that carried a mask, without the tensor: to hold it would hold every activation."""

    tensor: Tensor
    path: str | None


@dataclass
class Frame:
    """A call that is under way, and the tensors seen inside it so far.

    Attributes:
        place: its number among the calls of the frame around it, after the place of that frame;
            the same in every run, even of a layer that the model makes again each time.
        lost: the call that lost the mask of a tensor it was given.
        listed: whether it has a row.
        note: what a kind of recorder remembers of it.
    """

    operation: keras.Operation
    path: str
    depth: int
    place: tuple[int, ...] = ()
    row: int | None = None
    calls: int = 0
    seen: Attached = field(default_factory=Attached)
    masked: list[Masked] = field(default_factory=list)
    repeats: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    used: bool = False
    latest: str | None = None
    lost: int | None = None
    listed: bool = True
    note: Any = None

    @property
    def loops(self) -> bool:
        """Whether it calls the layers inside it once for each step."""
        return isinstance(self.operation, (layers.RNN, layers.TimeDistributed))

    @property
    def of_keras(self) -> bool:
        """Whether the code that runs in it is Keras's own, whose operations are no riddle."""
        return is_stock(self.operation)

    @property
    def has_code(self) -> bool:
        """Whether code may run in it outside any layer. In a Functional model each operation is
        called as one, and an input that numpy copies on the way in is no riddle."""
        return not self.of_keras and type(self.operation).call is not Functional.call

    def learn(self, flat: list, described: tuple[Tensor, ...], path: str | None) -> None:
        self.latest = path
        for x, tensor in zip(flat, described, strict=True):
            self.seen[x] = True
            # the mask of attention scores, (batch, 1, time, time), is of pairs of steps
            if tensor.mask is not None and leading(tensor.shape, tensor.mask.shape):
                self.masked.append(Masked(tensor, path))

    def source(self, x: Tensor) -> Masked | None:
        """The newest masked tensor that a tensor from outside any layer may come from."""
        for masked in reversed(self.masked):
            of_steps = leading(x.shape, masked.tensor.mask.shape)
            of_steps &= len(x.shape) >= len(masked.tensor.shape)  # not as many features as steps
            same_batch = x.shape[:1] == masked.tensor.shape[:1]
            near = masked.path == self.latest and same_batch
            if (of_steps or near) and _is_float(masked.tensor) == _is_float(x):
                return masked
        return None


class Recorder:
    """Stands in for the calls of layers and writes a row for each."""

    def __init__(self, model: keras.Layer):
        self.model = model
        self.rows: list[Call | None] = []
        self.frames: list[Frame] = []
        self.whole: Call | None = None
        self.own = {id(layer) for layer in [model, *sublayers(model)]}
        self.caught: list[warnings.WarningMessage] = []
        self.muted = False
        self.raised_in = ""
        self._masks: dict[int, tuple[Any, np.ndarray]] = {}
        self.lost = Attached()

    @contextmanager
    def running(self) -> Iterator[None]:
        with warnings.catch_warnings(record=True) as self.caught:
            warnings.simplefilter("always")
            try:
                with interposed(self.handle):
                    yield
            except UnusableInput:
                raise
            except Exception as error:
                error.add_note(f"keras_masking: raised in {self.raised_in or self.model.name}.")
                raise
        for warning in self.caught:
            if DESTROYS not in str(warning.message):
                warnings.warn_explicit(
                    warning.message, warning.category, warning.filename, warning.lineno
                )

    def trace(self) -> Trace:
        whole = self.whole
        return Trace(
            model=self.model.name,
            class_name=type(self.model).__name__,
            backend=keras.backend.backend(),
            keras=keras.__version__,
            inputs=whole.inputs,
            outputs=whole.outputs,
            calls=tuple(self.rows),
        )

    def handle(self, operation: keras.Operation, call, args: tuple, kwargs: dict) -> Any:
        parent = self.frames[-1] if self.frames else None
        inner = parent and parent.of_keras and not isinstance(operation, keras.Layer)
        if self.muted or inner:
            return call(*args, **kwargs)
        if parent and parent.loops and operation.name in parent.rows:
            row = parent.rows[operation.name]
            self.rows[row] = replace(self.rows[row], times=self.rows[row].times + 1)
            self.muted = True
            try:
                return call(*args, **kwargs)
            finally:
                self.muted = False
        if id(operation) in self.own and lacks_weights(operation):
            raise UnusableInput(
                f"The layer {operation.name!r} was never built, so it has no weights to run with. "
                "Call the model once on a batch first."
            )
        return self.record(parent, operation, call, args, kwargs)

    def entered(self, frame: Frame, flat: list) -> None:
        """Told of a call before it runs, and of the tensors it is given."""

    def passed_on(self, frame: Frame, row: Call, flat: list, outputs: Any) -> Any:
        """What goes on in the place of the outputs of a call on `flat`, the tensors it was given.

        A probe puts other values in their padded steps.
        """
        return outputs

    def record(self, parent: Frame | None, operation, call, args: tuple, kwargs: dict) -> Any:
        given, explicit = arguments(operation, args, kwargs)
        flat = [x for _, x in given]
        if isinstance(operation, layers.Embedding):
            check_indices(operation, flat[0])
        inputs = tuple(self.describe(x, name) for name, x in given)
        frame = self.enter(parent, operation, flat, inputs)
        caught = len(self.caught)
        outputs = self.ran(frame, call, args, kwargs)

        flat_outputs = [x for x in tree.flatten(outputs) if is_tensor(x)]
        results = tuple(
            self.describe(x, f"[{i}]" if len(flat_outputs) > 1 else "")
            for i, x in enumerate(flat_outputs)
        )
        if frame.rows and frame.has_code and not any(x.mask is not None for x in results):
            self.record_gaps(frame, flat_outputs, results, after=None)
        row = self.row_of(parent, frame, flat, inputs, results, explicit, caught)
        if parent:
            parent.used |= "uses" in row.events
        else:
            self.whole = row
        if row.kind == "operation" and _only_makes_masks(inputs, results):
            self.rows.pop()  # Keras computes masks in the graph of a Functional model
            frame.listed = False
        elif frame.row is not None:
            self.rows[frame.row] = row
        if frame.listed:
            self.lose(row, flat, flat_outputs, frame.lost)
        outputs = self.passed_on(frame, row, flat, outputs)
        if parent:
            flat_outputs = [x for x in tree.flatten(outputs) if is_tensor(x)]
            parent.learn(flat_outputs, results, frame.path)
        return outputs

    def enter(self, parent: Frame | None, operation, flat: list, inputs: tuple) -> Frame:
        if parent is None:
            frame = Frame(operation, "", -1)
            if not isinstance(operation, keras.Model):
                # a single layer is a call like any other, a model is what they happen in
                frame = Frame(operation, operation.name, 0, row=0)
                self.rows.append(None)
        else:
            frame = self.inside(parent, operation)
            if parent.has_code:
                self.record_gaps(parent, flat, inputs, after=frame.path)
            frame.row = parent.rows[operation.name] = len(self.rows)
            self.rows.append(None)
        frame.lost = self.lost_by(flat)
        frame.learn(flat, inputs, None)
        self.entered(frame, flat)
        return frame

    def inside(self, parent: Frame, operation: keras.Operation) -> Frame:
        names = [parent.path, operation.name]
        if isinstance(parent.operation, layers.TimeDistributed):
            # it calls its layer's `call` itself, so only what is inside that layer is seen
            names.insert(1, parent.operation.layer.name)
        path = "/".join(filter(None, names))
        times = parent.repeats[path] = parent.repeats.get(path, 0) + 1
        parent.calls += 1
        return Frame(
            operation,
            path if times == 1 else f"{path}#{times}",
            parent.depth + 1,
            (*parent.place, parent.calls),
        )

    def ran(self, frame: Frame, call, args: tuple, kwargs: dict) -> Any:
        self.frames.append(frame)
        try:
            return call(*args, **kwargs)
        except Exception:
            self.raised_in = self.raised_in or frame.path
            del self.rows[frame.row or 0 :]  # the layer around may know what to do instead
            raise
        finally:
            self.frames.pop()

    def row_of(
        self,
        parent: Frame | None,
        frame: Frame,
        flat: list,
        inputs: tuple,
        results: tuple,
        explicit: dict,
        caught: int,
    ) -> Call:
        operation = frame.operation
        warning = self.warning_of(operation, caught)
        read = {name: self.read(mask) for name, mask in explicit.items()}
        masks = {name: values for name, values in read.items() if values is not None}
        found = events(operation, inputs, results, masks, frame.used, warning is not None)
        row = Call(
            index=frame.row or 0,
            parent=parent.row if parent else None,
            depth=frame.depth,
            kind="layer" if isinstance(operation, keras.Layer) else "operation",
            name=operation.name,
            class_name=_class_name(operation),
            path=frame.path,
            inputs=tuple(
                replace(described, taken=described.mask is not None and get_mask(x) is None)
                for described, x in zip(inputs, flat, strict=True)
            ),
            outputs=results,
            explicit=masks,
            events=found,
            warning=warning,
        )
        lost = frame.lost
        if row.loses and lost is not None and any(x.taken for x in self.rows[lost].inputs):
            return replace(row, cause=lost)
        return row

    def record_gaps(self, frame: Frame, flat: list, described: tuple, after: str | None) -> None:
        """Rows for masks lost in code that Keras does not see: a tensor that no call in this
        frame has given, and that carries no mask, comes from one that did."""
        for x, tensor in zip(flat, described, strict=True):
            if tensor.mask is not None or x in frame.seen:
                continue
            source = frame.source(tensor)
            if source is None:
                continue
            frame.seen[x] = True
            index = len(self.rows)
            self.rows.append(
                Call(
                    index=index,
                    parent=frame.row,
                    depth=frame.depth + 1,
                    kind="gap",
                    name="",
                    class_name="",
                    path=frame.path,
                    inputs=(source.tensor,),
                    outputs=(tensor,),
                    explicit={},
                    events=("drops silently",),
                    before=source.path,
                    after=after,
                )
            )
            self.lost[x] = index

    def lost_by(self, flat: list) -> int | None:
        """The first call that lost the mask of one of these tensors."""
        return min((self.lost.get(x) for x in flat if x in self.lost), default=None)

    def lose(self, row: Call, flat: list, flat_outputs: list, lost: int | None) -> None:
        """Remember for each tensor without a mask the call that lost it."""
        for x, described in zip(flat, row.inputs, strict=True):
            if described.taken:
                self.lost[x] = row.index
        index = lost if not row.loses or row.cause is not None else row.index
        for x, described in zip(flat_outputs, row.outputs, strict=True):
            if index is not None and described.mask is None and x not in self.lost:
                self.lost[x] = index

    def describe(self, x: Any, name: str) -> Tensor:
        return Tensor(
            name=name,
            shape=tuple(x.shape),
            dtype=keras.backend.standardize_dtype(x.dtype),
            mask=self.read(get_mask(x)),
        )

    def read(self, mask: Any) -> np.ndarray | None:
        """The values of a mask, read once: layers hand the same tensor on."""
        if mask is None:
            return None
        if id(mask) not in self._masks:
            values = to_numpy(mask)
            if values is None:
                return None
            values = values.astype(bool)
            values.flags.writeable = False
            self._masks[id(mask)] = mask, values
        return self._masks[id(mask)][1]

    def warning_of(self, operation: keras.Operation, since: int) -> str | None:
        for warning in self.caught[since:]:
            text = str(warning.message)
            if text.startswith(f"Layer '{operation.name}' ") and DESTROYS in text:
                return text
        return None


def arguments(operation, args: tuple, kwargs: dict) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    """The tensors a call is given, by the name of the argument, and its masks apart."""
    parameters = _parameters(operation)
    named = dict(zip(parameters, args, strict=False))
    # `*args` takes what is left
    named |= {f"{i}": x for i, x in enumerate(args[len(named) :], len(named))}
    named |= kwargs
    given, masks = [], {}
    for name, value in named.items():
        flat = [x for x in tree.flatten(value) if is_tensor(x)]
        if is_mask_name(name):
            masks |= {name if len(flat) == 1 else f"{name}[{i}]": x for i, x in enumerate(flat)}
        elif len(flat) == 1 and not tree.is_nested(value):
            given.append((name, flat[0]))
        else:
            given += [(f"{name}[{i}]", x) for i, x in enumerate(flat)]
    return given, masks


def lacks_weights(layer: keras.Layer) -> bool:
    """Whether a call would make weights. A layer without a `build` of its own can do without one,
    and one that has weights made them when it was made."""
    return not layer.built and any(
        not x.built and not x.weights and type(x).build is not keras.Layer.build
        for x in [layer, *sublayers(layer)]
    )


def is_stock(operation: keras.Operation) -> bool:
    """Whether it is a layer or operation of Keras or of this package, and no model of layers."""
    module = type(operation).__module__
    ours = module.startswith(("keras.", "keras_masking."))
    return ours and not isinstance(operation, keras.Model)


def _parameters(operation: keras.Operation) -> tuple[str, ...]:
    signature = getattr(operation, "_call_signature", None)
    if signature is not None:
        return tuple(signature.parameters)
    return _parameters_of(type(operation))


@functools.cache
def _parameters_of(cls: type) -> tuple[str, ...]:
    return tuple(inspect.signature(cls.call).parameters)[1:]


def _class_name(operation: keras.Operation) -> str:
    name = type(operation).__name__
    inner = None
    if isinstance(operation, layers.Wrapper):
        inner = operation.layer
    elif isinstance(operation, layers.Bidirectional):
        inner = operation.forward_layer
    elif type(operation) is layers.RNN:
        inner = operation.cell
    return name if inner is None else f"{name}({type(inner).__name__})"


def _only_makes_masks(inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> bool:
    """Whether it gives booleans, or computes with the numbers that masks are made of."""
    if all(x.dtype == "bool" for x in outputs):
        return True
    return not any(_is_float(x) or x.mask is not None for x in (*inputs, *outputs))


def _is_float(x: Tensor) -> bool:
    return "float" in x.dtype
