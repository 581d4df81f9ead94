"""What the table of faults is made of: layers as readers write them, repairs, small models."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

Build = Callable[[], keras.Model]
Head = Callable[[Any], Any]

# --- models ------------------------------------------------------------------------------------


def embed(ids, mask_zero=True):
    return layers.Embedding(10, 4, embeddings_initializer="glorot_normal", mask_zero=mask_zero)(ids)


def average(x):
    return layers.GlobalAveragePooling1D()(x)


def over_ids(head: Head, shape: tuple = (None,)) -> Build:
    """A model of indices, whose `head` makes its own embeddings of them."""

    def build():
        ids = keras.Input(shape, dtype="int32")
        return keras.Model(ids, head(ids))

    return build


def embedded(head: Head, steps: int | None = None) -> Build:
    """A model of indices: an embedding that makes a mask, then `head`."""
    return over_ids(lambda ids: head(embed(ids)), (steps,))


def averaged(body: Head, steps: int | None = None) -> Build:
    """The same, with the mean over the unmasked steps at the end."""
    return embedded(lambda x: average(body(x)), steps)


def from_state(x, **arguments):
    """A recurrent layer that starts from a state, to which Keras hands no mask by itself."""
    return layers.GRU(4)(x, initial_state=average(x), **arguments)


def over_sentences(make_layer: Callable[[], layers.Layer]) -> Build:
    """A model of documents, three sentences of indices, with a layer run on each sentence."""
    return over_ids(lambda ids: layers.TimeDistributed(make_layer())(embed(ids)), (3, None))


def over_two(head: Callable[[Any, Any], Any]) -> Build:
    """A model of two sequences of indices, each with an embedding that makes a mask."""

    def build():
        ids = [keras.Input((None,), dtype="int32") for _ in range(2)]
        return keras.Model(ids, head(*map(embed, ids)))

    return build


def over_title_and_text(between: Head) -> Build:
    """A model whose inputs are a dict, with `between` after the embedding of one of them."""

    def build():
        ids = {name: keras.Input((None,), dtype="int32", name=name) for name in ("title", "text")}
        title, text = embed(ids["title"]), between(embed(ids["text"]))
        return keras.Model(ids, layers.Concatenate()([average(title), average(text)]))

    return build


def over_vectors(*stack: Callable[[], layers.Layer]) -> Build:
    def build():
        return keras.Sequential([keras.Input((None, 4)), *(make() for make in stack)])

    return build


def attention_with(argument: str) -> Build:
    """Attention of vectors to themselves, told of their padding by this argument."""

    def build():
        x = keras.Input((None, 4), name="vectors")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        y = layers.MultiHeadAttention(2, 3)(x, x, **{argument: mask})
        y = layers.GlobalAveragePooling1D()(y, mask=mask)
        return keras.Model({"vectors": x, "padding_mask": mask}, y)

    return build


class Classifier(keras.Model):
    """A subclassed model: Keras does not see what is between its layers."""

    def __init__(self, between):
        super().__init__()
        self.embedding = layers.Embedding(10, 4, "glorot_normal", mask_zero=True)
        self.between = between
        self.pooling = layers.GlobalAveragePooling1D()

    def call(self, ids):
        return self.pooling(self.between(self.embedding(ids)))


def subclassed(make_between: Callable[[], Head]) -> Build:
    def build():
        model = Classifier(make_between())
        model(keras.ops.ones((1, 2), "int32"))
        return model

    return build


# --- parts of models ---------------------------------------------------------------------------


def doubled(x):
    return x * 2


def rescaled(x):
    return layers.Rescaling(2.0)(x)


def nested(between: Head) -> Head:
    def head(x):
        inner = keras.Input((None, 4))
        return keras.Model(inner, between(inner), name="encoder")(x)

    return head


def shared_pooling(between: Head) -> Callable[[Any, Any], list]:
    def head(a, b):
        pooling = layers.GlobalAveragePooling1D()
        return [pooling(a), pooling(between(b))]

    return head


def post_norm(x):
    return layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)]))


def pre_norm(x):
    y = layers.LayerNormalization()(x)
    return layers.Add()([x, layers.MultiHeadAttention(2, 3)(y, y)])


def attention_by_dot(x):
    scores = layers.Dot(axes=2)([x, x])
    return layers.Dot(axes=(2, 1))([layers.Softmax()(scores), x])


def weighted_by_softmax(hide_padding: bool) -> Head:
    """The sum of the steps, each weighted by a softmax of scores over time."""

    def head(ids):
        x = embed(ids)
        scores = layers.Dense(1)(x)
        if hide_padding:
            scores = ops.where(ops.not_equal(ids, 0)[..., None], scores, -1e9)
        return ops.sum(ops.softmax(scores, axis=1) * x, axis=1)

    return head


# --- layers as readers write them --------------------------------------------------------------


class Passer(layers.Layer):
    """Hands the mask on."""

    def __init__(self):
        super().__init__()
        self.supports_masking = True


class Consumer(layers.Layer):
    """Ends the time axis, and the mask with it."""

    def compute_mask(self, x, previous_mask=None):
        return None


class Double(layers.Layer):
    def call(self, x):
        return x * 2


class DoublePasser(Passer):
    call = Double.call


class DoubleFlagTooEarly(Double):
    def __init__(self):
        self.supports_masking = True
        super().__init__()


class DoubleMisspelt(Double):
    def __init__(self):
        super().__init__()
        self.support_masking = True


class DoubleInverted(DoublePasser):
    """True for padding, as `key_padding_mask` in PyTorch."""

    def compute_mask(self, x, previous_mask=None):
        return ops.logical_not(previous_mask)


class MeanOfAllSteps(Consumer):
    def call(self, x):
        return ops.mean(x, axis=1)


class MeanWithMisnamedMask(Consumer):
    def call(self, x, padding_mask=None):
        return ops.mean(x, axis=1) if padding_mask is None else mean(x, padding_mask)


class MeanByPaddedLength(Consumer):
    def call(self, x, mask=None):
        return ops.mean(zeroed(x, mask), axis=1)


class MeanByLongestLength(Consumer):
    def call(self, x, mask=None):
        longest = ops.max(ops.sum(ops.cast(mask, x.dtype), axis=1))
        return ops.sum(zeroed(x, mask), axis=1) / longest


class Centre(Passer):
    """Takes the mean over time from each step."""

    def call(self, x):
        return x - ops.mean(x, axis=1, keepdims=True)


class CentreMasked(Passer):
    def call(self, x, mask=None):
        return x - mean(x, mask, keepdims=True)


class CentreAcrossBatch(Passer):
    """Takes the mean of the valid steps of all samples, as they happen to be together."""

    def call(self, x, mask=None):
        return x - mean(x, mask, axis=(0, 1))


class AddPosition(Passer):
    """Adds to each step a signal of its place, counted from the first step of the array."""

    def call(self, x, mask=None):
        return x + ops.sin(ops.cast(self.places(mask), x.dtype))[..., None]

    def places(self, mask):
        return ops.arange(ops.shape(mask)[1])


class AddPositionFromFirstValid(AddPosition):
    def places(self, mask):
        return ops.cumsum(ops.cast(mask, "int32"), axis=1)


class CallsInner(Consumer):
    def __init__(self):
        super().__init__()
        self.pooling = layers.GlobalAveragePooling1D()

    def call(self, x):
        return self.pooling(x)


class CallsInnerCall(CallsInner):
    """Runs a layer by its `call`, past `__call__`, which hands the mask over."""

    def call(self, x):
        return self.pooling.call(x)


# --- repairs -----------------------------------------------------------------------------------


def zeroed(x, mask):
    return ops.where(mask[..., None], x, 0)


def mean(x, mask, axis=1, keepdims=False):
    steps = ops.sum(ops.cast(mask, x.dtype)[..., None], axis=axis, keepdims=keepdims)
    return ops.sum(zeroed(x, mask), axis=axis, keepdims=keepdims) / steps


class ReshapePairs(layers.Reshape):
    """Two steps become one, which is valid if either was."""

    def call(self, x, mask=None):
        return super().call(zeroed(x, mask))

    def compute_mask(self, x, previous_mask=None):
        return ops.logical_or(previous_mask[:, ::2], previous_mask[:, 1::2])

    def compute_output_spec(self, x, mask=None):
        return super().compute_output_spec(x)
