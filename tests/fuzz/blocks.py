"""What random models are made of: each block is a function of a `Flow`, a tensor and options.

`OPTIONS` says what is drawn for each block, `CAREFUL` what instead where a mask is to be
respected. The option `hand` means that the block hands the mask to its layer itself.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import keras_masking

VOCABULARY = 9
WIDTH = 4


class Parts:
    """The layers of a model in the order in which its code asks for them, made the first time."""

    def __init__(self):
        self.made, self.next = [], 0

    def restart(self) -> None:
        self.next = 0

    def __call__(self, make: Callable[[], keras.Layer]) -> keras.Layer:
        if self.next == len(self.made):
            self.made.append(make())
        self.next += 1
        return self.made[self.next - 1]


class Flow:
    """One run of the blocks of a recipe, symbolic or not.

    Attributes:
        make: keeps the layers.
        inputs: of the model, by name.
        valid: booleans `(batch, time)` computed from the inputs, True = valid; None where code
            cannot know, or where the steps are no longer those of the input.
    """

    def __init__(self, recipe: Any, parts: Parts, inputs: dict):
        self.recipe, self.make, self.inputs = recipe, parts, inputs
        self.valid = None

    def start(self) -> Any:
        """What stands in front of the blocks: an Embedding, or Masking."""
        main = self.recipe.inputs[0]
        x = self.inputs[main.name]
        if self.recipe.maker == "input":
            self.valid = self.inputs[self.recipe.inputs[1].name]
        elif self.recipe.maker in ("layer", "value") and self.recipe.style != "sequential":
            known = ops.not_equal(x, 0 if main.kind == "ids" else self.recipe.fill)
            self.valid = known if main.kind == "ids" else ops.any(known, axis=-1)
        if self.recipe.twist == "turned":
            x = ops.flip(x, axis=1)
            self.valid = None if self.valid is None else ops.flip(self.valid, axis=1)
        makes = self.recipe.maker == "layer"
        if main.kind == "ids":
            x = self.make(lambda: layers.Embedding(VOCABULARY, WIDTH, mask_zero=makes))(x)
        elif makes:
            x = self.make(lambda: layers.Masking(self.recipe.fill))(x)
        return self.twisted(x)

    def twisted(self, x: Any) -> Any:
        twist = self.recipe.twist
        if twist == "units":
            return self.make(lambda: layers.Rescaling(1e-6))(x)
        if twist == "times":
            return self.make(lambda: layers.Dense(WIDTH))(self.keep(x[..., 1:], x))
        if twist == "appended":
            self.valid = None
            return self.make(lambda: layers.Concatenate(axis=1))([x, ops.ones_like(x[:, :1])])
        return x

    def apply(self, block: Any, x: Any) -> Any:
        y = BLOCKS[block.name](self, x, **block.options)
        if block.name in MOVES_STEPS or len(y.shape) == 2:
            self.valid = None
        elif self.valid is not None and len(y.shape) < len(x.shape):
            self.valid = ops.any(self.valid, axis=2)  # an encoder has read the inner steps
        return y

    def on(self, layer: keras.Layer, x: Any, hand: bool, **options) -> Any:
        if hand and self.valid is not None:
            options["mask"] = self.valid
        return layer(x, **options)

    def keep(self, y: Any, x: Any, keep: bool = True) -> Any:
        """What code made of `x`, with its mask, where masks travel on tensors."""
        travels = self.recipe.maker in ("layer", "argument")
        return self.make(keras_masking.KeepMask)([y, x]) if keep and travels else y

    def head(self, x: Any) -> Any:
        last, twist = self.recipe.activation, self.recipe.twist
        if last == "argmax":
            return ops.argmax(self.make(lambda: layers.Dense(3))(x), axis=-1)
        if twist == "forbidden":
            return ops.softmax(
                ops.add(self.make(lambda: layers.Dense(3))(x), np.float32([-1e9, 0, 0]))
            )
        y = self.make(lambda: layers.Dense(3, activation=last))(x)
        if twist == "columns":
            return self.make(lambda: layers.Rescaling([1e6, 1, 1]))(y)
        if twist == "scores":
            return ops.matmul(y, ops.transpose(y))
        return y > 0.2 if twist == "above" else y

    def decoder(self, x: Any) -> Any:
        x = self.make(lambda: layers.RepeatVector(self.recipe.steps))(x)
        x = self.make(lambda: layers.GRU(WIDTH, return_sequences=True))(x)
        return self.head(x)


def _layer(name: str) -> Callable:
    return getattr(keras_masking, name, None) or getattr(layers, name)


# (batch, time, features) to the same


def dense(flow, x, wrapper, activation):
    def make():
        layer = layers.Dense(WIDTH, activation=activation)
        if wrapper == "Handing":
            return Handing(layer)
        return _layer(wrapper)(layer) if wrapper else layer

    return flow.make(make)(x)


def einsum(flow, x, layer):
    return flow.make(lambda: _layer(layer)("bti,io->bto", (None, WIDTH), bias_axes="o"))(x)


def plain(flow, x, layer):
    return flow.make(PLAIN[layer])(x)


def softmax(flow, x, layer, axis, hand):
    made = flow.make(lambda: _layer(layer)(axis=axis))
    return flow.on(made, x, hand and layer == "MaskedSoftmax")


def recurrent(flow, x, cell, zero, backwards, stateful, states, hand):
    options = {"return_sequences": True, "go_backwards": backwards, "stateful": stateful}
    layer = flow.make(lambda: _recurrent(cell, zero, return_state=states, **options))
    y = flow.on(layer, x, hand)
    if states:
        y, *rest = y
        y = flow.keep(y + rest[-1][:, None], y)
    return flow.keep(ops.flip(y, axis=1), x) if backwards else y


def started(flow, x, cell, hand):
    """A recurrent layer whose first state is made from features."""
    state = flow.make(lambda: layers.Dense(WIDTH, activation="tanh"))(flow.inputs["features"])
    layer = flow.make(lambda: _recurrent(cell, False, return_sequences=True))
    return flow.on(layer, x, hand, initial_state=[state] * (2 if cell == "LSTM" else 1))


def _recurrent(cell, zero, **options):
    if zero:
        cell = getattr(layers, f"{cell}Cell")(WIDTH)
        return layers.RNN(cell, zero_output_for_mask=True, **options)
    return getattr(layers, cell)(WIDTH, **options)


def bidirectional(flow, x, cell, merge, hand):
    layer = flow.make(
        lambda: layers.Bidirectional(
            _recurrent(cell, False, return_sequences=True), merge_mode=merge
        )
    )
    y = flow.on(layer, x, hand)
    return flow.make(layers.Add)(y) if merge is None else y


def convolve(flow, x, layer, kernel, padding, strides, hand):
    made = flow.make(lambda: _convolution(layer, kernel, padding=padding, strides=strides))
    return flow.on(made, x, hand and layer.startswith("Masked"))


def _convolution(layer, kernel, **options):
    depthwise = "Depthwise" in layer
    return _layer(layer)(*([] if depthwise else [WIDTH]), kernel, **options)


def window(flow, x, layer, strides, padding, hand):
    made = flow.make(lambda: _layer(layer)(2, strides=strides, padding=padding))
    return flow.on(made, x, hand and layer.startswith("Masked"))


def resize(flow, x, layer, masked):
    return flow.make(lambda: _layer(("Masked" if masked else "") + layer)(2))(x)


def normalize(flow, x, layer, hand):
    made = flow.make(lambda: _layer(layer)(**({"groups": 2} if "Group" in layer else {})))
    takes_mask = layer.startswith("Masked") or layer == "BatchNormalization"
    return flow.on(made, x, hand and takes_mask)


def attention(flow, x, layer, causal, add, hand):
    y = _attention(flow, x, x, layer, hand, causal)
    return flow.make(layers.Add)([x, y]) if add and y.shape[-1] == x.shape[-1] else y


def _attention(flow, x, other, layer, hand, causal=False, valid=None):
    """`valid` are the steps of `other`, by default those of `x`."""
    valid = flow.valid if valid is None else valid
    options = {"use_causal_mask": causal}
    made = flow.make(ATTENTION[layer])
    if layer in ("Attention", "AdditiveAttention"):
        if hand and valid is not None:
            options["mask"] = [None, valid]
        return made([x, other], **options)
    if hand and valid is not None:
        options["attention_mask"] = valid[:, None, :]
    return made(x, other, **options)


def transformer(flow, x, layer, order, count, causal, hand):
    def add(a, b):
        return flow.make(layers.Add)([a, b])

    if x.shape[-1] != WIDTH:
        x = flow.make(lambda: layers.Dense(WIDTH))(x)
    for _ in range(count):
        norm, after = flow.make(layers.LayerNormalization), flow.make(layers.LayerNormalization)
        wide = flow.make(lambda: layers.Dense(WIDTH, activation="tanh"))
        if order == "post":
            x = norm(add(x, _attention(flow, x, x, layer, hand, causal)))
            x = after(add(x, wide(x)))
        else:
            y = norm(x)
            x = add(x, _attention(flow, y, y, layer, hand, causal))
            x = add(x, wide(after(x)))
    return x


def pairs(flow, x):
    """Attention by a mask of each two steps, which is an input and marks padding too."""
    layer = flow.make(ATTENTION["MultiHeadAttention"])
    return layer(x, x, attention_mask=flow.inputs["pairs"])


def cross(flow, x, layer, mask, hand):
    """Attention to another sequence, padded or not, and of another length."""
    other = flow.inputs["other"]
    if len(other.shape) == 3:
        return flow.make(layers.Add)([x, _cross(flow, x, other, layer, False, None)])
    valid = ops.not_equal(other, 0)
    memory = _others(flow, mask)(other)
    return flow.make(layers.Add)([x, _cross(flow, x, memory, layer, hand, valid)])


def _others(flow, mask):
    return flow.make(lambda: layers.Embedding(VOCABULARY, WIDTH, mask_zero=mask))


def _cross(flow, x, other, layer, hand, valid):
    y = _attention(flow, x, other, layer, hand, valid=valid)
    return y if y.shape[-1] == x.shape[-1] else flow.make(lambda: layers.Dense(x.shape[-1]))(y)


def context(flow, x, how):
    """Features of the sample beside every step."""
    features = flow.make(lambda: layers.Dense(x.shape[-1], activation="tanh"))(
        flow.inputs["features"]
    )
    if how == "operator":
        return x * features[:, None]
    return flow.make(layers.Add)([x, features[:, None]])


def operate(flow, x, operator, keep):
    y = OPERATORS[operator](x)
    return flow.keep(y, x, keep)


def where(flow, x, how):
    """Zeros in padded steps, by hand."""
    if flow.valid is None:
        return x
    valid = flow.valid[..., None]
    if how == "where":
        return ops.where(valid, x, 0.0)
    if how == "operator":
        return x * ops.cast(valid, x.dtype)
    return flow.make(layers.Multiply)([x, ops.cast(valid, x.dtype)])


def merge(flow, x, layer, branch, turned, keep):
    other = flow.make(lambda: layers.Dense(x.shape[-1]))(x) if branch == "layer" else ops.sin(x)
    y = flow.make(_layer(layer))([other, x] if turned else [x, other])
    return flow.keep(y, x, keep)


def positions(flow, x, counted, table, keep):
    """A table of positions, numbered by step or by valid step."""
    rows = flow.recipe.steps if table == "short" else 20
    embed = flow.make(lambda: layers.Embedding(rows, x.shape[-1]))
    if counted and flow.valid is not None:
        places = ops.maximum(ops.cumsum(ops.cast(flow.valid, "int32"), axis=1) - 1, 0)
    else:
        places = ops.cumsum(ops.ones_like(x[..., 0], dtype="int32"), axis=1) - 1
    return flow.keep(x + embed(places), x, keep)


def shared(flow, x, layer, hand):
    """One layer twice."""
    if layer == "Dense":
        made = flow.make(lambda: layers.Dense(x.shape[-1], activation="tanh"))
        return made(made(x))
    made = flow.make(lambda: layers.GRU(x.shape[-1], return_sequences=True))
    return flow.on(made, flow.on(made, x, hand), hand)


def nested(flow, x, blocks, hand):
    """A model in a model."""

    def make():
        inner = Flow(flow.recipe, Parts(), {})
        start = keras.Input(batch_shape=x.shape)
        y = start
        for block in blocks:
            y = inner.apply(block, y)
        return keras.Model(start, y)

    return flow.on(flow.make(make), x, hand)


def own(flow, x, layer, hand):
    """A layer as users write it."""
    made = flow.make(OWN[layer])
    return flow.on(made, x, hand and layer == "CentreByMask")


def unit(flow, x, safe):
    """Divides each step by its length, which is 0 where padding is 0 and there is no bias."""
    y = flow.make(lambda: layers.Dense(WIDTH, use_bias=False))(x)
    squares = ops.sum(y**2, axis=-1, keepdims=True)
    z = y / ops.sqrt(squares + 1e-6 if safe else squares)
    return flow.keep(z, x)


def log(flow, x):
    """Finite at valid steps only, where padding is 0."""
    return flow.keep(ops.log(ops.abs(x)), x)


def mix_steps(flow, x):
    """Weights for each two steps, which need a fixed number of them."""
    y = flow.make(lambda: layers.Permute((2, 1)))(x)
    y = flow.make(lambda: layers.Dense(flow.recipe.steps))(y)
    return flow.make(lambda: layers.Permute((2, 1)))(y)


def forget(flow, x):
    """Makes a mask anew behind layers that leave nothing 0: all of it is True."""
    return flow.make(layers.Masking)(flow.make(lambda: layers.Dense(WIDTH))(x))


def neighbours(flow, x):
    """Depends on the other samples of the batch."""
    return flow.keep(x - ops.mean(x, axis=0, keepdims=True), x)


def random(flow, x):
    return flow.make(Random)(x)


# (batch, outer, inner, features) to (batch, outer, features)


def encode(flow, x, wrapper, layer, hand):
    made = flow.make(lambda: _layer(wrapper)(ENCODED[layer]()))
    return flow.on(made, x, hand and wrapper == "MaskedTimeDistributed")


def pool_inner(flow, x, layer, hand):
    if layer == "mean":
        return ops.mean(x, axis=2)
    return flow.on(flow.make(lambda: _layer(layer)(axis=2)), x, hand)


# (batch, time, features) to (batch, features)


def pool_layer(flow, x, layer, hand):
    made = flow.make(_layer(layer))
    return flow.on(made, x, hand and layer != "GlobalMaxPooling1D")


def last_state(flow, x, cell, zero, backwards, both, stateful, hand):
    def make():
        one_way = backwards and not both
        layer = _recurrent(cell, zero, go_backwards=one_way, stateful=stateful)
        return layers.Bidirectional(layer, merge_mode=both) if both else layer

    return flow.on(flow.make(make), x, hand)


def states(flow, x, cell, hand):
    """All that a recurrent layer returns, in one vector."""
    y = flow.on(flow.make(lambda: _recurrent(cell, False, return_state=True)), x, hand)
    return flow.make(layers.Concatenate)(list(y))


def reduce(flow, x, operator):
    return REDUCTIONS[operator](x)


def mean_by_hand(flow, x, of):
    """The sum of valid steps, divided by their number or by the number of all."""
    if flow.valid is None:
        return ops.mean(x, axis=1)
    valid = ops.cast(flow.valid[..., None], x.dtype)
    total = ops.sum(ops.where(flow.valid[..., None], x, 0.0), axis=1)
    number = ops.maximum(ops.sum(valid, axis=1), 1)
    if of == "all":
        number = ops.sum(ops.ones_like(valid), axis=1)
    elif of == "batch":
        number = ops.maximum(ops.sum(valid) / WIDTH, 1)
    return total / number


def ask(flow, x, layer, hand):
    """Attention of one question, made from features, to every step."""
    question = flow.make(lambda: layers.Dense(x.shape[-1]))(flow.inputs["features"])
    return _attention(flow, question[:, None], x, layer, hand)[:, 0]


def beside(flow, x, layer, mask):
    """The mean of this sequence and what becomes of another, side by side."""
    other = flow.inputs["other"]
    if len(other.shape) == 2:
        other = flow.make(
            lambda: layers.Embedding(VOCABULARY, WIDTH, mask_zero=mask, name="others")
        )(other)
    x = flow.on(flow.make(keras_masking.MaskedMean), x, True)
    return flow.make(layers.Concatenate)([x, flow.make(lambda: ENCODED[layer]())(other)])


def dot(flow, x):
    """A product of two sequences over time."""
    width = x.shape[-1]
    y = flow.make(lambda: layers.Dot(axes=1))([x, flow.make(lambda: layers.Dense(width))(x)])
    return flow.make(lambda: layers.Reshape((width * width,)))(y)


def flatten(flow, x, masked):
    """Weights for each step, which need a fixed number of them."""
    layer = keras_masking.MaskedFlatten if masked else layers.Flatten
    options = {"pass_mask": False} if masked else {}
    return flow.make(lambda: layers.Dense(WIDTH))(flow.make(lambda: layer(**options))(x))


# layers as users write them


class Handing(layers.Wrapper):
    """A wrapper that calls its layer and has no more to say about masks."""

    def call(self, x):
        return self.layer(x)


class Scale(layers.Layer):
    """Does not know of masks."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")

    def call(self, x):
        return x * self.factor


class SupportingScale(Scale):
    """Hands the mask on, and is right to."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True


class Centre(layers.Layer):
    """Hands the mask on and does not use it."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x):
        return x - ops.mean(x, axis=1, keepdims=True)


class CentreByMask(layers.Layer):
    """Uses the mask and hands it on."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None):
        if mask is None:
            return x - ops.mean(x, axis=1, keepdims=True)
        valid = ops.cast(mask[..., None], x.dtype)
        number = ops.maximum(ops.sum(valid, axis=1, keepdims=True), 1)
        return x - ops.sum(ops.where(mask[..., None], x, 0.0), axis=1, keepdims=True) / number


class Zero(layers.Layer):
    """Zeros in padded steps, and the mask handed on."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None):
        return x if mask is None else ops.where(mask[..., None], x, 0.0)


class Swallow(CentreByMask):
    """Uses the mask and hands none on."""

    def compute_mask(self, x, previous_mask=None):
        return None


class Random(layers.Layer):
    """Another result each time."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), seed=self.seed_generator)


PLAIN = {
    "Activation": lambda: layers.Activation("tanh"),
    "Dropout": lambda: layers.Dropout(0.3),
    "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.3),
    "GaussianNoise": lambda: layers.GaussianNoise(0.3),
    "LeakyReLU": layers.LeakyReLU,
    "Identity": layers.Identity,
    "DropMask": keras_masking.DropMask,
    "Lambda": lambda: layers.Lambda(lambda x: x * 2),
    "MaskedLambda": lambda: keras_masking.MaskedLambda(lambda x: x * 2),
    "MaskedCumulation": lambda: keras_masking.MaskedLambda(lambda x: ops.cumsum(x, axis=1)),
    "Reshape": lambda: layers.Reshape((-1, WIDTH)),
}
OWN = {
    each.__name__: each for each in (Scale, SupportingScale, Centre, CentreByMask, Zero, Swallow)
}
ATTENTION = {
    "Attention": layers.Attention,
    "AdditiveAttention": layers.AdditiveAttention,
    "MultiHeadAttention": lambda: layers.MultiHeadAttention(2, 2),
    "GroupQueryAttention": lambda: layers.GroupQueryAttention(2, 2, 1),
    "MaskedMultiHeadAttention": lambda: keras_masking.MaskedMultiHeadAttention(2, 2),
    "MaskedGroupQueryAttention": lambda: keras_masking.MaskedGroupQueryAttention(2, 2, 1),
}
OPERATORS = {
    "x * 2": lambda x: x * 2,
    "x + 1": lambda x: x + 1,
    "ops.tanh": ops.tanh,
    "x[..., :2]": lambda x: x[..., :2],
    "ops.cumsum": lambda x: ops.cumsum(x, axis=1),
    "ops.flip": lambda x: ops.flip(x, axis=1),
    "ops.softmax over time": lambda x: ops.softmax(x, axis=1),
    "x - mean": lambda x: x - ops.mean(x, axis=1, keepdims=True),
    "x / max": lambda x: x / (1 + ops.max(ops.abs(x), axis=1, keepdims=True)),
}
REDUCTIONS = {
    "ops.mean": lambda x: ops.mean(x, axis=1),
    "ops.max": lambda x: ops.max(x, axis=1),
    "ops.sum": lambda x: ops.sum(x, axis=1),
    "x[:, 0]": lambda x: x[:, 0],
    "x[:, -1]": lambda x: x[:, -1],
}
ENCODED = {
    "GRU": lambda: layers.GRU(WIDTH),
    "LSTM": lambda: layers.LSTM(WIDTH),
    "GlobalAveragePooling1D": layers.GlobalAveragePooling1D,
    "GlobalMaxPooling1D": layers.GlobalMaxPooling1D,
    "MaskedMean": keras_masking.MaskedMean,
    "MaskedMax": keras_masking.MaskedMax,
}

BLOCKS = {
    function.__name__: function
    for function in (
        *(
            dense,
            einsum,
            plain,
            softmax,
            recurrent,
            started,
            bidirectional,
            convolve,
            window,
            resize,
        ),
        *(normalize, attention, transformer, pairs, cross, context, operate, where, merge),
        *(positions, shared, nested, own, unit, log, mix_steps, forget, neighbours, random),
        *(encode, pool_inner),
        *(pool_layer, last_state, states, reduce, mean_by_hand, ask, beside, dot, flatten),
    )
}
# how often each is drawn
STEPS = {
    **{"dense": 3, "einsum": 0.5, "plain": 2, "softmax": 0.5, "recurrent": 3, "started": 1},
    **{
        "bidirectional": 2,
        "convolve": 1.5,
        "window": 1,
        "resize": 0.5,
        "normalize": 2,
        "attention": 3,
    },
    **{"transformer": 2, "pairs": 0.5, "cross": 1.5, "context": 1, "operate": 2, "where": 1},
    **{"merge": 2, "positions": 1, "shared": 1, "nested": 1, "own": 1.5, "unit": 0.5, "log": 0.2},
    **{"mix_steps": 0.3, "random": 0.1},
}
POOLS = {
    **{"pool_layer": 4, "last_state": 2, "states": 0.5, "reduce": 2, "mean_by_hand": 1},
    **{"ask": 0.5, "beside": 1, "dot": 0.5, "flatten": 1},
}
ENCODERS = {"encode": 4, "pool_inner": 1}
# blocks of one layer, with these options
CHAIN = {
    **dict.fromkeys(("dense", "einsum", "plain", "softmax", "convolve", "window"), {}),
    **dict.fromkeys(("resize", "normalize", "own", "encode", "pool_layer", "last_state"), {}),
    "recurrent": {"states": [False], "backwards": [False]},
    "bidirectional": {"merge": ["concat", "sum", "mul", "ave"]},
}
# behind these the steps are no longer those of the input
MOVES_STEPS = {"convolve", "window", "resize", "forget"}
# inputs that a block reads beside the main one
NEEDS = {
    "started": "features",
    "context": "features",
    "ask": "features",
    "pairs": "pairs",
    "cross": "other",
    "beside": "other",
}

CELLS = ["LSTM", "GRU", "SimpleRNN"]
HAND = [None]  # decided by who knows of padding
SOME_ATTENTION = [name for name in ATTENTION if not name.startswith("Masked")]
OPTIONS = {
    "dense": {
        "wrapper": [None, None, "TimeDistributed", "SpectralNormalization", "Handing"],
        "activation": [None, "tanh", "relu"],
    },
    "einsum": {"layer": ["EinsumDense", "MaskedEinsumDense"]},
    "plain": {"layer": [*PLAIN]},
    "softmax": {"layer": ["Softmax", "MaskedSoftmax"], "axis": [1, -1], "hand": HAND},
    "recurrent": {
        "cell": CELLS,
        "zero": [False, True],
        "backwards": [False, False, True],
        "stateful": [True, False],
        "states": [False, False, True],
        "hand": HAND,
    },
    "started": {"cell": CELLS, "hand": HAND},
    "bidirectional": {"cell": CELLS, "merge": ["concat", "sum", "mul", "ave", None], "hand": HAND},
    "convolve": {
        "layer": ["Conv1D", "DepthwiseConv1D", "SeparableConv1D", "Conv1DTranspose"],
        "kernel": [2, 3],
        "padding": ["same", "same", "valid"],
        "strides": [1, 1, 2],
        "hand": HAND,
    },
    "window": {
        "layer": ["AveragePooling1D", "MaxPooling1D"],
        "strides": [1, 2],
        "padding": ["same", "valid"],
        "hand": HAND,
    },
    "resize": {"layer": ["ZeroPadding1D", "UpSampling1D"], "masked": [False, True]},
    "normalize": {
        "layer": ["LayerNormalization", "RMSNormalization", "GroupNormalization"]
        + ["BatchNormalization", "UnitNormalization"],
        "hand": HAND,
    },
    "attention": {
        "layer": [*ATTENTION],
        "causal": [False, False, True],
        "add": [False, True],
        "hand": HAND,
    },
    "transformer": {
        "layer": ["MultiHeadAttention", "MultiHeadAttention", "GroupQueryAttention"],
        "order": ["post", "pre"],
        "count": [1, 2],
        "causal": [False, False, True],
        "hand": HAND,
    },
    "cross": {"layer": SOME_ATTENTION, "mask": [True, False], "hand": HAND},
    "context": {"how": ["layer", "operator"]},
    "operate": {"operator": [*OPERATORS], "keep": [False, True]},
    "where": {"how": ["where", "operator", "layer"]},
    "merge": {
        "layer": ["Add", "Concatenate", "Multiply", "Average", "Maximum", "Minimum", "Subtract"],
        "branch": ["layer", "operator"],
        "turned": [False, True],
        "keep": [False],
    },
    "positions": {
        "counted": [False, False, True],
        "table": ["short", "long"],
        "keep": [False, True],
    },
    "shared": {"layer": ["Dense", "GRU"], "hand": HAND},
    "nested": {"blocks": [()], "hand": [False]},
    "own": {"layer": [*OWN], "hand": HAND},
    "unit": {"safe": [False, True]},
    "encode": {
        "wrapper": ["TimeDistributed", "MaskedTimeDistributed"],
        "layer": [*ENCODED],
        "hand": HAND,
    },
    "pool_inner": {"layer": ["mean", "MaskedMean", "MaskedSum"], "hand": HAND},
    "pool_layer": {
        "layer": ["GlobalAveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D"],
        "hand": HAND,
    },
    "last_state": {
        "cell": CELLS,
        "zero": [False, True],
        "backwards": [False, False, True],
        "both": [None, None, "concat", "sum", "mul", "ave"],
        "stateful": [True, False],
        "hand": HAND,
    },
    "states": {"cell": CELLS, "hand": HAND},
    "reduce": {"operator": [*REDUCTIONS]},
    "mean_by_hand": {"of": ["valid", "all", "batch"]},
    "ask": {"layer": SOME_ATTENTION, "hand": HAND},
    "beside": {"layer": [*ENCODED], "mask": [True, False]},
    "flatten": {"masked": [False, True]},
}
CAREFUL = {
    "dense": {"wrapper": [None, None, "TimeDistributed"]},
    "einsum": {"layer": ["MaskedEinsumDense"]},
    "plain": {"layer": [name for name in PLAIN if name not in ("DropMask", "Lambda", "Reshape")]},
    "softmax": {"layer": ["MaskedSoftmax"], "axis": [1, -1]},
    "convolve": {
        "layer": ["MaskedConv1D", "MaskedDepthwiseConv1D", "MaskedSeparableConv1D"],
        "padding": ["same"],
        "strides": [1],
    },
    "window": {"layer": ["MaskedAveragePooling1D", "MaskedMaxPooling1D"], "strides": [1]},
    "resize": {"masked": [True]},
    "normalize": {
        "layer": ["LayerNormalization", "BatchNormalization", "MaskedRMSNormalization"]
        + ["MaskedGroupNormalization", "MaskedBatchNormalization"],
    },
    "transformer": {"layer": ["MultiHeadAttention", "MaskedMultiHeadAttention"]},
    "operate": {
        "operator": ["x * 2", "x + 1", "ops.tanh", "x[..., :2]", "ops.cumsum"],
        "keep": [True],
    },
    "merge": {"keep": [True]},
    "positions": {"counted": [True], "keep": [True]},
    "own": {"layer": ["SupportingScale", "CentreByMask", "Zero"]},
    "unit": {"safe": [True]},
    "encode": {
        "wrapper": ["MaskedTimeDistributed"],
        "layer": ["GRU", "LSTM", "GlobalAveragePooling1D", "MaskedMean", "MaskedMax"],
    },
    "pool_inner": {"layer": ["MaskedMean", "MaskedSum"]},
    "pool_layer": {
        "layer": ["GlobalAveragePooling1D", "MaskedMean", "MaskedMax", "MaskedMin", "MaskedSum"]
        + ["MaskedStd", "MaskedFirst", "MaskedLast", "MaskedAttentionPooling"],
    },
    "last_state": {"backwards": [False, True], "zero": [False]},
    "reduce": {"operator": ["x[:, -1]", "ops.sum"]},
    "mean_by_hand": {"of": ["valid"]},
    "cross": {"mask": [True]},
    "beside": {"layer": ["GRU", "LSTM", "GlobalAveragePooling1D", "MaskedMax"], "mask": [True]},
    "flatten": {"masked": [True]},
}
