"""Models of keras.io and its guides, rebuilt small: as their sources have them where masks are
concerned, with other sizes and without dropout. `cured` applies what the table names as a cure.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_masking import MaskedConv1D, MaskedMaxPooling1D, MaskedMultiHeadAttention, MaskedSoftmax
from sitekit.measured.examples.parts import (
    STEPS,
    WIDTH,
    WORDS,
    Block,
    CausalBlock,
    Decoder,
    Fourier,
    HubDecoder,
    ListDecoder,
    MaskedBlock,
    MaskingPositioned,
    OneMaskDecoder,
    Positioned,
    Positions,
    ToldBlock,
    causal_mask,
    classes,
    dense,
    embed,
    feed_forward,
    ids,
    maximum,
    mean,
    positioned,
    probability,
    vectors,
)

# --- text --------------------------------------------------------------------------------------


def text_from_scratch(cured=False):
    convolve = MaskedConv1D if cured else layers.Conv1D
    words = ids(dtype="int64")
    x = embed(words, cured)
    for _ in range(2):
        x = convolve(WIDTH, 3, strides=2, activation="relu")(x)
    return keras.Model(words, probability(dense(maximum(x, cured))))


def transformer_classifier(steps=STEPS, cured=False):
    words = ids(steps, None)
    x = mean(Block(supports_masking=cured)(positioned(words, cured)))
    return keras.Model(words, classes(dense(x)))


def bidirectional_lstm(cured=False):
    words = ids()
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(embed(words, cured))
    return keras.Model(words, probability(layers.Bidirectional(layers.LSTM(4))(x)))


def pretrained_embeddings(cured=False):
    """The row of the padding holds zeros: no file of word vectors has it."""
    table = np.random.default_rng(1).normal(size=(WORDS, WIDTH))
    table[0] = 0
    initializer = keras.initializers.Constant(table)
    convolve = MaskedConv1D if cured else layers.Conv1D
    pool = MaskedMaxPooling1D if cured else layers.MaxPooling1D
    words = ids()
    x = layers.Embedding(WORDS, WIDTH, initializer, trainable=False, mask_zero=cured)(words)
    x = pool(2)(convolve(WIDTH, 3, activation="relu")(x))
    x = convolve(WIDTH, 3, activation="relu")(x)
    return keras.Model(words, classes(dense(maximum(x, cured))))


def active_learning(steps=STEPS, cured=False):
    words = ids(steps, None)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(embed(words, cured))
    return keras.Model(words, probability(dense(maximum(x, cured))))


def character_translation(cured=False):
    source, target = vectors(), vectors()
    x = layers.Masking()(source) if cured else source
    _, *states = layers.LSTM(4, return_state=True)(x)
    x, *_ = layers.LSTM(4, return_sequences=True, return_state=True)(target, initial_state=states)
    return keras.Model([source, target], classes(x))


def addition(steps=STEPS, cured=False):
    digits = vectors(steps)
    x = layers.LSTM(4)(layers.Masking()(digits) if cured else digits)
    x = layers.LSTM(4, return_sequences=True)(layers.RepeatVector(4)(x))
    return keras.Model(digits, classes(x))


def translation():
    source, target = ids(None, "int64", "encoder_inputs"), ids(None, "int64", "decoder_inputs")
    encoded = MaskedBlock(supports_masking=True)(positioned(source, True))
    x = ListDecoder(supports_masking=True)([positioned(target, True), encoded])
    return keras.Model({"encoder_inputs": source, "decoder_inputs": target}, classes(x))


def hub_translation(cured=False):
    source, target = ids(None, None, "encoder_inputs"), ids(None, None, "decoder_inputs")
    encoded = MaskedBlock(supports_masking=True)(positioned(source, cured))
    state = vectors(name="decoder_state_inputs")
    x = HubDecoder(supports_masking=True)(positioned(target, cured), state)
    decoder = keras.Model([target, state], classes(x))
    return keras.Model([source, target], decoder([target, encoded]))


class Tagger(keras.Model):
    def __init__(self, cured=False):
        super().__init__()
        self.positioned = MaskingPositioned() if cured else Positioned()
        self.block = Block()
        self.hidden = layers.Dense(WIDTH, activation="relu")
        self.tags = layers.Dense(5, activation="softmax")

    def call(self, ids):
        return self.tags(self.hidden(self.block(self.positioned(ids))))


def language_model(steps=STEPS, cured=False):
    """Called layer by layer; each `+` would lose a mask, and so would `MultiHeadAttention`."""
    add = (lambda x, y: layers.Add()([x, y])) if cured else (lambda x, y: x + y)
    attention = MaskedMultiHeadAttention if cured else layers.MultiHeadAttention
    words = ids(steps, "int64")
    x = embed(words, cured)
    x = add(x, Positions()(x))
    x = layers.LayerNormalization()(add(x, attention(2, 4)(x, x, x)))
    x = layers.LayerNormalization(name="encoded")(add(x, feed_forward()(x)))
    return keras.Model(words, layers.Dense(WORDS, activation="softmax")(x))


def language_model_classifier(steps=STEPS, cured=False):
    model, words = language_model(steps, cured), ids(steps, "int64")
    encoder = keras.Model(model.input, model.get_layer("encoded").output)
    return keras.Model(words, probability(dense(maximum(encoder(words), cured))))


def miniature_gpt(steps=STEPS):
    words = ids(steps)
    x = CausalBlock()(positioned(words))
    return keras.Model(words, [layers.Dense(WORDS)(x), x])


def fnet_generation():
    source, target = ids(name="encoder_inputs"), ids(name="decoder_inputs")
    encoded = Fourier()(positioned(source, True))
    state = vectors(name="decoder_state_inputs")
    x = OneMaskDecoder(supports_masking=True)(positioned(target, True), state)
    decoder = keras.Model([target, state], classes(x))
    return keras.Model([source, target], decoder([target, encoded]))


def fnet_classifier():
    words = ids(dtype="int64", name="input_ids")
    x = positioned(words, True)
    for _ in range(3):
        x = Fourier()(x)
    return keras.Model(words, probability(mean(x)))


def hub_classifier():
    """That with which the FNet is compared."""
    words = ids(dtype="int64", name="input_ids")
    x = positioned(words, True)
    for _ in range(3):
        x = MaskedBlock(supports_masking=True)(x)
    return keras.Model(words, probability(mean(x)))


class Switch(layers.Layer):
    """Each word of the batch goes to one of two experts; each takes a limited number of them."""

    def __init__(self, tokens, **kwargs):
        super().__init__(**kwargs)
        self.tokens = tokens
        self.route, self.experts = layers.Dense(2), [feed_forward(), feed_forward()]

    def call(self, x):
        words = ops.reshape(x, (self.tokens, WIDTH))
        odds = ops.softmax(self.route(words))
        chosen = ops.one_hot(ops.argmax(odds, axis=-1), 2)
        room = ops.cast(ops.cumsum(chosen, axis=0) <= self.tokens // 2, chosen.dtype)
        gates = odds * chosen * room
        mixed = sum(gates[:, i, None] * expert(words) for i, expert in enumerate(self.experts))
        return ops.reshape(mixed, ops.shape(x))


class SwitchBlock(Block):
    def __init__(self, tokens, **kwargs):
        super().__init__(**kwargs)
        self.feed = Switch(tokens)

    def compute_output_shape(self, shape):
        return shape


def switch_transformer():
    """It takes batches of three, as that of the example takes batches of fifty."""
    words = ids(STEPS, None)
    x = SwitchBlock(tokens=3 * STEPS)(positioned(words))
    return keras.Model(words, classes(dense(mean(x))))


def bert(words, segments, padding_mask):
    x = embed(words) + layers.Embedding(2, WIDTH)(segments)
    return ToldBlock()(layers.LayerNormalization()(x + Positions()(x)), padding_mask)


def span_extraction(steps=STEPS, cured=False):
    inputs = words, segments, mask = [ids(steps) for _ in range(3)]
    encoded = bert(words, segments, mask)
    scores = [layers.Flatten()(layers.Dense(1, use_bias=False)(encoded)) for _ in range(2)]
    normalized = MaskedSoftmax(axis=1) if cured else None
    if cured:
        return keras.Model(inputs, [normalized(score, mask=mask) for score in scores])
    return keras.Model(inputs, [layers.Activation("softmax")(score) for score in scores])


def sentence_similarity(steps=STEPS, cured=False):
    inputs = words, mask, segments = [
        ids(steps, name=name) for name in ("input_ids", "attention_masks", "token_type_ids")
    ]
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(
        bert(words, segments, mask), **{"mask": ops.cast(mask, "bool")} if cured else {}
    )
    return keras.Model(inputs, classes(layers.concatenate([mean(x), maximum(x, cured)])))


def sentence_embeddings():
    """It averages with the mask of the preprocessor, handed to the pooling layer by hand."""
    inputs = {name: ids(name=name) for name in ("token_ids", "padding_mask")}
    words, mask = inputs.values()
    x = embed(words)
    x = layers.GlobalAveragePooling1D()(ToldBlock()(x + Positions()(x), mask), mask)
    return keras.Model(inputs, layers.UnitNormalization(axis=1)(x))


class Option(layers.Layer):
    def __init__(self, index, **kwargs):
        super().__init__(**kwargs)
        self.index = index

    def call(self, x):
        return x[:, self.index]


def multiple_choice():
    """One classifier, run on each of four options; the last axis is that of the steps."""
    inputs = {
        name: keras.Input((4, None), dtype="int32", name=name)
        for name in ("token_ids", "padding_mask")
    }
    words, mask = ids(), ids()
    x = embed(words)
    x = ToldBlock()(x + Positions()(x), mask)
    classifier = keras.Model([words, mask], layers.Dense(1)(dense(x[:, 0])))
    logits = [classifier([Option(i)(x) for x in inputs.values()]) for i in range(4)]
    return keras.Model(inputs, layers.Softmax()(layers.Concatenate()(logits)))


def float8_classifier(cured=False):
    words = ids(name="input_ids")
    x = CausalBlock(supports_masking=True)(positioned(words, cured))
    return keras.Model(words, probability(dense(mean(x))))


# --- recommendation, music, speech, video ------------------------------------------------------


class Recommender(keras.Model):
    """SASRec. It looks for the last item by the number of padded steps, not of valid ones."""

    def __init__(self, cured=False):
        super().__init__()
        self.items, self.positions = layers.Embedding(WORDS, WIDTH), Positions()
        self.blocks = [CausalBlock(), CausalBlock()]
        self.norm, self.cured = layers.LayerNormalization(), cured

    def call(self, inputs):
        x = self.items(inputs["item_ids"])
        x = x + self.positions(x)
        for block in self.blocks:
            x = block(x)
        x, mask = self.norm(x), inputs["padding_mask"]
        counted = mask if self.cured else ops.logical_not(mask)
        last = ops.maximum(ops.sum(ops.cast(counted, "int32"), axis=1) - 1, 0)
        last = ops.squeeze(ops.take_along_axis(x, last[:, None, None], axis=1), axis=1)
        scores = ops.matmul(last, ops.transpose(self.items.embeddings))
        return {"item_sequence_embedding": x, "predictions": scores}


def gru_recommender(cured=False):
    movies = ids()
    return keras.Model(movies, layers.GRU(WIDTH)(embed(movies, cured)))


class MusicAttention(layers.Layer):
    """Of Music Transformer: a score for each distance between two notes, and one mask for the
    future and the padding, where 1 means do not look."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query, self.key, self.value, self.out = (layers.Dense(WIDTH) for _ in range(4))

    def build(self, shape):
        self.distances = self.add_weight(shape=(STEPS, WIDTH))

    def call(self, x, hidden):
        steps = ops.shape(x)[1]
        query = self.query(x)
        back = ops.arange(steps)[:, None] - ops.arange(steps)
        by_distance = ops.take(self.distances, ops.maximum(back, 0), axis=0)
        scores = ops.matmul(query, ops.swapaxes(self.key(x), 1, 2))
        scores = scores + ops.einsum("bqf,qkf->bqk", query, by_distance)
        scores = scores / WIDTH**0.5 + ops.cast(hidden, scores.dtype) * -1e9
        return self.out(ops.matmul(ops.softmax(scores), self.value(x)))


class Music(keras.Model):
    PAD = WORDS - 1

    def __init__(self):
        super().__init__()
        self.notes, self.positions = layers.Embedding(WORDS, WIDTH), Positions()
        self.attention, self.feed = MusicAttention(), feed_forward()
        self.norm_1, self.norm_2 = layers.LayerNormalization(), layers.LayerNormalization()
        self.out = layers.Dense(WORDS)

    def call(self, notes):
        x = self.notes(notes) * WIDTH**0.5
        x = x + self.positions(x)
        future = ops.logical_not(causal_mask(x))
        attended = self.attention(x, ops.logical_or(ops.equal(notes, self.PAD)[:, None], future))
        x = self.norm_1(attended + x)
        return self.out(self.norm_2(x + self.feed(attended)))


class Speech(keras.Model):
    """Three convolutions with strides shorten the sound, then a Transformer writes the text."""

    def __init__(self):
        super().__init__()
        shorten = [
            layers.Conv1D(WIDTH, 5, strides=2, padding="same", activation="relu") for _ in range(3)
        ]
        self.encoder = keras.Sequential([*shorten, Block(), Block()])
        self.characters, self.decoder = Positioned(), Decoder()
        self.out = layers.Dense(WORDS)

    def call(self, inputs):
        sound, text = inputs
        return self.out(self.decoder(self.characters(text), self.encoder(sound)))


def speech_ctc():
    """Convolutions over time and frequency, then recurrent layers; no mask."""
    sound = vectors(name="input")
    x = layers.Reshape((-1, WIDTH, 1))(sound)
    for strides in ((2, 2), (1, 2)):
        x = layers.Conv2D(4, (5, 5), strides, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Reshape((-1, x.shape[-2] * x.shape[-1]))(x)
    for _ in range(2):
        x = layers.Bidirectional(layers.GRU(4, return_sequences=True))(x)
    return keras.Model(sound, classes(layers.ReLU()(layers.Dense(WIDTH)(x))))


def video_gru(steps=STEPS):
    frames, mask = vectors(steps), ids(steps, "bool")
    x = layers.GRU(6, return_sequences=True)(frames, mask=mask)
    return keras.Model([frames, mask], classes(dense(layers.GRU(4)(x))))


class FramePositions(layers.Layer):
    """It adds a table of positions, and masks the frames that hold nothing but zeros."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.positions = layers.Embedding(STEPS, WIDTH)

    def call(self, frames):
        return frames + self.positions(ops.arange(ops.shape(frames)[1]))

    def compute_output_shape(self, shape):
        return shape

    def compute_mask(self, frames, mask=None):
        return ops.any(ops.cast(frames, "bool"), axis=-1)


def video_transformer(cured=False):
    frames = vectors()
    x = MaskedBlock(supports_masking=cured)(FramePositions()(frames))
    return keras.Model(frames, classes(maximum(x, cured)))


class Captions(keras.Model):
    """Of images: the words are masked by hand; the features of the image have no padding."""

    def __init__(self):
        super().__init__()
        self.image, self.words = Block(), Positioned()
        self.decoder, self.out = Decoder(), layers.Dense(WORDS, activation="softmax")

    def call(self, inputs):
        image, caption = inputs
        x, mask = self.words(caption), ops.not_equal(caption, 0)
        own = {"attention_mask": ops.logical_and(mask[:, None], causal_mask(x))}
        across = {"attention_mask": mask[:, :, None]}
        return self.out(self.decoder.decode(x, self.image(image), own, across))


# --- guides ------------------------------------------------------------------------------------


def ticket(cured=False):
    title, body = ids(None, None, "title"), ids(None, None, "body")
    tags = keras.Input((6,), name="tags")
    x = [layers.LSTM(4)(embed(words, cured)) for words in (title, body)]
    x = layers.concatenate([*x, tags])
    return keras.Model([title, body, tags], [layers.Dense(1)(x), layers.Dense(4)(x)])


def recurrent_pair(cured=False):
    source, target = ids(None, None), ids(None, None)
    _, *state = layers.LSTM(4, return_state=True, name="encoder")(embed(source, cured))
    x = embed(target, cured)
    x = layers.LSTM(4, name="decoder")(
        x, initial_state=state, **{"mask": ops.not_equal(target, 0)} if cured else {}
    )
    return keras.Model([source, target], layers.Dense(5)(x))


def guide_lstm():
    words = ids()
    return keras.Model(words, layers.LSTM(4)(embed(words, mask_zero=True)))


class PassingActivation(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        return ops.relu(x)


def guide_activation():
    words = ids()
    return keras.Model(words, layers.LSTM(4)(PassingActivation()(embed(words, mask_zero=True))))


class TemporalSoftmax(layers.Layer):
    """It sums over the features, where the guide means the steps: 1 in each valid step."""

    def call(self, x, mask=None):
        mask = ops.cast(mask, x.dtype)[..., None]
        x = ops.exp(x) * mask
        return x / ops.sum(x * mask, axis=-1, keepdims=True)


def guide_softmax():
    words = ids()
    return keras.Model(words, TemporalSoftmax()(layers.Dense(1)(embed(words, mask_zero=True))))
