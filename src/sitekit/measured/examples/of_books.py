"""Models of the tutorials of TensorFlow Text and of the notebooks of "Deep Learning with
Python", rebuilt small as those of `examples_keras`.
"""

import keras
from keras import layers, ops

from keras_masking import MaskedMultiHeadAttention
from sitekit.measured.examples.parts import (
    STEPS,
    WIDTH,
    WORDS,
    CausalBlock,
    Decoder,
    MaskedBlock,
    OneMaskDecoder,
    ToldBlock,
    classes,
    dense,
    embed,
    feed_forward,
    ids,
    maximum,
    mean,
    positioned,
    probability,
)

# --- TensorFlow Text ---------------------------------------------------------------------------


class SinePositions(layers.Layer):
    """Words with `mask_zero=True`, scaled, and rows of a table of sines that is not trained."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.Embedding(WORDS, WIDTH, mask_zero=True)

    def compute_mask(self, *args, **kwargs):
        return self.words.compute_mask(*args, **kwargs)

    def call(self, ids):
        x = self.words(ids) * WIDTH**0.5
        positions = ops.arange(ops.shape(ids)[1], dtype="float32")[:, None]
        angles = positions / 100 ** (ops.arange(WIDTH, dtype="float32") / WIDTH)
        return x + ops.sin(angles)


class Attending(layers.Layer):
    """Attention, a residual by `Add` to keep the mask, and a norm, as a layer of its own."""

    def __init__(self, attention=layers.MultiHeadAttention, **kwargs):
        super().__init__(**kwargs)
        self.attention = attention(2, WIDTH)
        self.add, self.norm = layers.Add(), layers.LayerNormalization()


class SelfAttending(Attending):
    def call(self, x):
        return self.norm(self.add([x, self.attention(x, x)]))


class CausalAttending(Attending):
    def call(self, x):
        return self.norm(self.add([x, self.attention(x, x, use_causal_mask=True)]))


class CrossAttending(Attending):
    def call(self, x, context):
        return self.norm(self.add([x, self.attention(x, context)]))


class Feeding(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.feed, self.add, self.norm = feed_forward(), layers.Add(), layers.LayerNormalization()

    def call(self, x):
        return self.norm(self.add([x, self.feed(x)]))


class TutorialEncoder(layers.Layer):
    def __init__(self, attention, **kwargs):
        super().__init__(**kwargs)
        self.words = SinePositions()
        self.blocks = [layer for _ in range(2) for layer in (SelfAttending(attention), Feeding())]

    def call(self, ids):
        x = self.words(ids)
        for layer in self.blocks:
            x = layer(x)
        return x


class TutorialDecoder(layers.Layer):
    def __init__(self, attention, **kwargs):
        super().__init__(**kwargs)
        self.words = SinePositions()
        self.blocks = [
            (CausalAttending(attention), CrossAttending(attention), Feeding()) for _ in range(2)
        ]

    def call(self, ids, context):
        x = self.words(ids)
        for attend, cross, feed in self.blocks:
            x = feed(cross(attend(x), context))
        return x


class TutorialTransformer(keras.Model):
    def __init__(self, cured=False):
        super().__init__()
        attention = MaskedMultiHeadAttention if cured else layers.MultiHeadAttention
        self.encoder, self.decoder = TutorialEncoder(attention), TutorialDecoder(attention)
        self.out = layers.Dense(WORDS)

    def call(self, inputs):
        context, target = inputs
        return self.out(self.decoder(target, self.encoder(context)))


class RecurrentEncoder(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.Embedding(WORDS, WIDTH, mask_zero=True)
        self.rnn = layers.Bidirectional(layers.GRU(WIDTH, return_sequences=True), merge_mode="sum")

    def call(self, ids):
        return self.rnn(self.words(ids))


class RecurrentDecoder(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words = layers.Embedding(WORDS, WIDTH, mask_zero=True)
        self.rnn = layers.GRU(WIDTH, return_sequences=True, return_state=True)
        self.cross, self.out = CrossAttending(), layers.Dense(WORDS)

    def call(self, context, ids, state=None):
        x, _ = self.rnn(self.words(ids), initial_state=state)
        return self.out(self.cross(x, context))


class TutorialTranslator(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = RecurrentEncoder(), RecurrentDecoder()

    def call(self, inputs):
        context, target = inputs
        return self.decoder(self.encoder(context), target)


class TutorialCaptions(keras.Model):
    """The tutorial adds words and positions by `Add`, which Keras 3 refuses for a batch of one."""

    def __init__(self):
        super().__init__()
        self.words = layers.Embedding(WORDS, WIDTH, mask_zero=True)
        self.positions = layers.Embedding(STEPS, WIDTH)
        self.attend, self.cross, self.feed = CausalAttending(), CrossAttending(), Feeding()
        self.out = layers.Dense(WORDS)

    def call(self, inputs):
        image, caption = inputs
        x = self.words(caption)
        x = x + self.positions(ops.arange(ops.shape(x)[1]))
        return self.out(self.feed(self.cross(self.attend(x), image)))


def tutorial_reviews():
    words = ids()
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(embed(words, mask_zero=True))
    x = dense(layers.Bidirectional(layers.LSTM(4))(x))
    return keras.Model(words, layers.Dense(1)(x))


def tutorial_embeddings(cured=False):
    words = ids()
    return keras.Model(words, layers.Dense(1)(dense(mean(embed(words, cured)))))


# --- Deep Learning with Python, first edition ---------------------------------------------------


def first_flatten():
    words = ids(STEPS)
    return keras.Model(words, probability(layers.Flatten()(embed(words))))


def first_lstm(cured=False):
    words = ids()
    return keras.Model(words, probability(layers.LSTM(4)(embed(words, cured))))


# --- second edition ----------------------------------------------------------------------------


def reviews_lstm(steps=None, cured=False):
    words = ids(steps)
    x = layers.Bidirectional(layers.LSTM(4))(embed(words, cured))
    return keras.Model(words, probability(x))


def reviews_transformer(cured=False):
    words = ids(dtype="int64")
    x = MaskedBlock(supports_masking=cured)(embed(words, cured))
    return keras.Model(words, probability(maximum(x, cured)))


def positioned_reviews_transformer(cured=False):
    words = ids(dtype="int64")
    x = MaskedBlock(supports_masking=cured)(positioned(words, True))
    return keras.Model(words, probability(maximum(x, cured)))


def recurrent_translation():
    source, target = ids(name="english"), ids(name="spanish")
    state = layers.Bidirectional(layers.GRU(4), merge_mode="sum")(embed(source, mask_zero=True))
    x = layers.GRU(4, return_sequences=True)(embed(target, mask_zero=True), initial_state=state)
    return keras.Model([source, target], classes(x))


def second_translation(cured=False):
    source, target = ids(None, "int64", "english"), ids(None, "int64", "spanish")
    encoded = MaskedBlock(supports_masking=cured)(positioned(source, True))
    x = OneMaskDecoder(supports_masking=True)(positioned(target, True), encoded)
    return keras.Model([source, target], classes(x))


def second_generation(cured=False):
    """Its decoder attends to the words a second time, by the mask that Keras 3 does not fill."""
    words = ids(dtype="int64")
    x = positioned(words, True)
    x = OneMaskDecoder(supports_masking=True)(
        x, x, **{"mask": ops.not_equal(words, 0)} if cured else {}
    )
    return keras.Model(words, classes(x))


# --- third edition -----------------------------------------------------------------------------


class OneHot(layers.Layer):
    def call(self, ids):
        return ops.one_hot(ops.cast(ids, "int32"), WORDS)

    def compute_output_shape(self, shape):
        return (*shape, WORDS)


def third_one_hot_lstm(steps=STEPS, cured=False):
    words = ids(steps)
    x = OneHot()(words)
    mask = {"mask": ops.not_equal(words, 0)} if cured else {}
    return keras.Model(words, probability(layers.Bidirectional(layers.LSTM(4))(x, **mask)))


def third_reviews_lstm(steps=STEPS):
    """That of the second edition, with its cure."""
    return reviews_lstm(steps, cured=True)


class SourceMaskDecoder(Decoder):
    def call(self, target, source, source_mask):
        across = {"attention_mask": source_mask[:, None]}
        return self.decode(target, source, None, across)


def third_translation():
    """The mask of the source is handed to both layers by hand."""
    source, target = ids(name="english"), ids(name="spanish")
    encoded = ToldBlock()(positioned(source), source != 0)
    x = SourceMaskDecoder()(positioned(target), encoded, source != 0)
    return keras.Model([source, target], classes(x))


def third_generation():
    words = ids(name="inputs")
    x = layers.LayerNormalization()(positioned(words))
    for _ in range(2):
        x = CausalBlock()(x)
    return keras.Model(words, layers.Dense(WORDS)(x))
