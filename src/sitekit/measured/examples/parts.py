"""The layers that official examples write by hand, and what their small models share."""

import keras
from keras import layers, ops

from keras_masking import MaskedMax

WORDS, WIDTH, STEPS = 20, 8, 12


def ids(steps=None, dtype="int32", name=None):
    return keras.Input((steps,), dtype=dtype, name=name)


def vectors(steps=None, name=None):
    return keras.Input((steps, WIDTH), name=name)


def embed(x, mask_zero=False):
    return layers.Embedding(WORDS, WIDTH, mask_zero=mask_zero)(x)


def dense(x):
    return layers.Dense(WIDTH, activation="relu")(x)


def classes(x):
    return layers.Dense(5, activation="softmax")(x)


def probability(x):
    return layers.Dense(1, activation="sigmoid")(x)


def mean(x):
    return layers.GlobalAveragePooling1D()(x)


def maximum(x, masked=False):
    return (MaskedMax if masked else layers.GlobalMaxPooling1D)()(x)


def feed_forward():
    return keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(WIDTH)])


# --- layers that the examples write by hand ----------------------------------------------------


class Positioned(layers.Layer):
    """Two tables, of words and of positions, whose rows are added by an operator."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.Embedding(WORDS, WIDTH)
        self.positions = layers.Embedding(STEPS, WIDTH)

    def call(self, ids):
        return self.words(ids) + self.positions(ops.arange(ops.shape(ids)[-1]))

    def compute_output_shape(self, shape):
        return (*shape, WIDTH)


class MaskingPositioned(Positioned):
    def compute_mask(self, ids, mask=None):
        return ops.not_equal(ids, 0)


def positioned(ids, masking=False):
    return (MaskingPositioned if masking else Positioned)()(ids)


class Block(layers.Layer):
    """A Transformer block that normalizes after both residuals and says nothing of masks."""

    def __init__(self, supports_masking=False, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(2, WIDTH)
        self.feed = feed_forward()
        self.norm_1, self.norm_2 = layers.LayerNormalization(), layers.LayerNormalization()
        self.supports_masking = supports_masking

    def call(self, x):
        return self.transform(x)

    def transform(self, x, **masks):
        x = self.norm_1(x + self.attention(x, x, **masks))
        return self.norm_2(x + self.feed(x))


class MaskedBlock(Block):
    """The same, which takes the mask and hands it to its attention."""

    def call(self, x, mask=None):
        return self.transform(x, attention_mask=None if mask is None else mask[:, None])


class ToldBlock(Block):
    """The same, which is handed the mask as a second tensor."""

    def call(self, x, padding_mask):
        return self.transform(x, attention_mask=padding_mask[:, None])


class CausalBlock(Block):
    def call(self, x):
        return self.transform(x, use_causal_mask=True)


class Decoder(layers.Layer):
    """Causal attention to the target, attention to the source, two dense layers."""

    def __init__(self, supports_masking=False, **kwargs):
        super().__init__(**kwargs)
        self.attention_1 = layers.MultiHeadAttention(2, WIDTH)
        self.attention_2 = layers.MultiHeadAttention(2, WIDTH)
        self.feed = feed_forward()
        self.norm_1, self.norm_2, self.norm_3 = (layers.LayerNormalization() for _ in range(3))
        self.supports_masking = supports_masking

    def call(self, target, source):
        return self.decode(target, source)

    def decode(self, x, source, own=None, across=None):
        """`own` and `across`: the masks that the first and the second attention are given."""
        own = {"attention_mask": causal_mask(x)} | (own or {})
        x = self.norm_1(x + self.attention_1(x, x, **own))
        x = self.norm_2(x + self.attention_2(x, source, **across or {}))
        return self.norm_3(x + self.feed(x))


class ListDecoder(Decoder):
    """Target and source are one argument, a list; so are their masks."""

    def call(self, inputs, mask=None):
        own, across = (None, None) if mask is None else mask
        return self.decode(*inputs, {"query_mask": own}, {"query_mask": own, "key_mask": across})


class HubDecoder(Decoder):
    """Of keras-hub: the mask of the source is found by itself."""

    def call(self, target, source, source_mask=None):
        across = None if source_mask is None else {"attention_mask": source_mask[:, None]}
        return self.decode(target, source, None, across)


class OneMaskDecoder(Decoder):
    """Two tensors and one argument `mask`, which Keras 3 does not fill in such a layer."""

    def call(self, inputs, encoder_outputs, mask=None):
        if mask is not None:
            mask = ops.logical_and(mask[:, None], causal_mask(inputs))
        return self.decode(inputs, encoder_outputs, None, {"attention_mask": mask})


def causal_mask(x):
    steps = ops.arange(ops.shape(x)[1])
    return (steps[:, None] >= steps)[None]


class Fourier(layers.Layer):
    """The real part of a Fourier transform over steps and features, in place of attention."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.feed = feed_forward()
        self.norm_1, self.norm_2 = layers.LayerNormalization(), layers.LayerNormalization()

    def call(self, x):
        x = self.norm_1(x + ops.fft2((x, ops.zeros_like(x)))[0])
        return self.norm_2(x + self.feed(x))


class Positions(layers.Layer):
    """A table of positions, cut to the steps of the input; it keeps the mask, as in keras-hub."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, shape):
        self.table = self.add_weight(shape=(STEPS, shape[-1]))

    def call(self, x):
        return ops.broadcast_to(self.table[: ops.shape(x)[1]], ops.shape(x))

    def compute_output_shape(self, shape):
        return shape
