"""The official examples whose padding is examined: where they are published, their small models,
and a batch padded as each pads its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import keras
import numpy as np

from sitekit.measured.examples import of_books as books
from sitekit.measured.examples import of_keras as io
from sitekit.measured.examples.parts import STEPS, WIDTH, WORDS

# The targets of a decoder have other lengths, so that no mask fits by chance.
LENGTHS, TARGET_LENGTHS, TARGET_STEPS = (12, 9, 7), (5, 9, 2), 9


@dataclass(frozen=True, eq=False)
class Input:
    """One input of a model.

    Attributes:
        values: as the pipeline of the example pads them.
        valid: which steps hold data, booleans `(batch, steps)`, or `(batch, outer, steps)`; None
            where the input has no padding.
        value: what every padded step holds and in no other, if there is such a number.
    """

    values: np.ndarray
    valid: np.ndarray | None = None
    value: int | None = None

    @property
    def padding(self) -> int | np.ndarray | None:
        """As `find_leaks` takes it: a number, booleans with True = padding, or None."""
        if self.valid is None:
            return None
        return ~self.valid if self.value is None else self.value


def steps_of(lengths: tuple, steps: int, left: bool = False) -> np.ndarray:
    valid = np.arange(steps) < np.array(lengths)[..., None]
    return valid[..., ::-1] if left else valid


def words(lengths=LENGTHS, steps=STEPS, left=False, pad=0) -> Input:
    valid = steps_of(lengths, steps, left)
    ids = np.random.default_rng(steps).integers(2, WORDS - 1, valid.shape)
    return Input(np.where(valid, ids, pad).astype("int32"), valid, pad)


def targets() -> Input:
    return words(TARGET_LENGTHS, TARGET_STEPS)


def frames(lengths=LENGTHS, steps=STEPS) -> Input:
    """Vectors of features, padded with zeros."""
    valid = steps_of(lengths, steps)
    x = np.random.default_rng(steps).normal(size=(*valid.shape, WIDTH))
    return Input((x * valid[..., None]).astype("float32"), valid, 0)


def characters(lengths=LENGTHS, steps=STEPS, left=False, zeros=False) -> Input:
    """One-hot characters, padded with spaces, which sequences hold as well, or with zeros."""
    valid = steps_of(lengths, steps, left)
    ids = np.where(valid, np.random.default_rng(steps).integers(0, WIDTH, valid.shape), 0)
    x = np.eye(WIDTH, dtype="float32")[ids]
    return Input(x * valid[..., None], valid, 0) if zeros else Input(x, valid)


def mask_of(x: Input, dtype: str = "int32") -> Input:
    return Input(x.valid.astype(dtype), x.valid, 0)


def segments(x: Input) -> Input:
    """0 for the first sentence and for padding, 1 for the second."""
    second = np.arange(x.valid.shape[1]) >= x.valid.sum(1, keepdims=True) // 2
    return Input((second & x.valid).astype("int32"), x.valid)


def features(*shape: int) -> Input:
    x = np.random.default_rng(shape[0]).normal(size=(len(LENGTHS), *shape))
    return Input(x.astype("float32"))


@dataclass(frozen=True)
class Example:
    """An official example.

    Attributes:
        name, url: its title and where it is published.
        feeds: how it pads, a key of the texts.
        build: makes the small model. One of fixed length takes `steps`, None for any.
        inputs: what it is fed: an input, or a list or dict of them.
        cure: what would keep the padding out, a key of the texts; none where it is free of it.
        cured: makes the cured model, where that is a line or two, as far as we can tell.
        cured_inputs: what it is fed, where the cure pads otherwise.
        alone: how a sample is run without its padding. "cut": by the model itself. "free": by one
            with the same weights that takes any length. "content": not at all, the model takes
            one length; other words are written into the padded steps instead.
    """

    name: str
    url: str
    feeds: str
    build: Callable[..., keras.Model]
    inputs: Any
    cure: str | None = None
    cured: Callable[..., keras.Model] | None = None
    cured_inputs: Any = None
    alone: Literal["cut", "free", "content"] = "cut"


# --- the examples ------------------------------------------------------------------------------

KERAS = "https://keras.io"
TEXT = "https://www.tensorflow.org/text/tutorials"
BOOK = "https://github.com/fchollet/deep-learning-with-python-notebooks/blob/master"


def cured(build, *args, **kwargs):
    return partial(build, *args, cured=True, **kwargs)


TOKENS = words()
LEFT = words((12, 9, 7), left=True)
OPTIONS = words(((12, 9, 7, 10), (8, 8, 3, 5), (4, 9, 9, 2)))
PAIR, NAMED_PAIR = (
    [words(), targets()],
    {"encoder_inputs": words(), "decoder_inputs": targets()},
)

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "keras-io": (
        Example(
            "Text classification from scratch",
            f"{KERAS}/examples/nlp/text_classification_from_scratch/",
            "vectorization",
            io.text_from_scratch,
            TOKENS,
            "convolutions",
            cured(io.text_from_scratch),
        ),
        Example(
            "Text classification with Transformer",
            f"{KERAS}/examples/nlp/text_classification_with_transformer/",
            "left",
            io.transformer_classifier,
            LEFT,
            "right-and-mask",
            cured(io.transformer_classifier),
            TOKENS,
            alone="free",
        ),
        Example(
            "Bidirectional LSTM on IMDB",
            f"{KERAS}/examples/nlp/bidirectional_lstm_imdb/",
            "left",
            io.bidirectional_lstm,
            LEFT,
            "mask-zero",
            cured(io.bidirectional_lstm),
        ),
        Example(
            "Using pre-trained word embeddings",
            f"{KERAS}/examples/nlp/pretrained_word_embeddings/",
            "vectorization",
            io.pretrained_embeddings,
            words((16, 13, 10), 16),
            "convolutions",
            cured(io.pretrained_embeddings),
        ),
        Example(
            "Review classification using active learning",
            f"{KERAS}/examples/nlp/active_learning_review_classification/",
            "vectorization",
            io.active_learning,
            TOKENS,
            "mask-zero-and-max",
            cured(io.active_learning),
            alone="free",
        ),
        Example(
            "Character-level sequence-to-sequence model",
            f"{KERAS}/examples/nlp/lstm_seq2seq/",
            "spaces",
            io.character_translation,
            [characters(), characters(TARGET_LENGTHS, TARGET_STEPS)],
            "zeros-and-masking",
            cured(io.character_translation),
            [characters(zeros=True), characters(TARGET_LENGTHS, TARGET_STEPS)],
        ),
        Example(
            "Sequence to sequence learning for performing number addition",
            f"{KERAS}/examples/nlp/addition_rnn/",
            "spaces-left",
            io.addition,
            characters(left=True),
            "zeros-and-masking",
            cured(io.addition),
            characters(left=True, zeros=True),
            alone="free",
        ),
        Example(
            "English-to-Spanish translation with a Transformer",
            f"{KERAS}/examples/nlp/neural_machine_translation_with_transformer/",
            "vectorization",
            io.translation,
            NAMED_PAIR,
        ),
        Example(
            "English-to-Spanish translation with KerasHub",
            f"{KERAS}/examples/nlp/neural_machine_translation_with_keras_hub/",
            "packer",
            io.hub_translation,
            PAIR,
            "mask-zero",
            cured(io.hub_translation),
        ),
        Example(
            "Named entity recognition using Transformers",
            f"{KERAS}/examples/nlp/ner_transformers/",
            "padded-batch",
            io.Tagger,
            TOKENS,
            "compute-mask",
            cured(io.Tagger),
        ),
        Example(
            "End-to-end masked language modeling with BERT",
            f"{KERAS}/examples/nlp/masked_language_modeling/",
            "vectorization",
            io.language_model,
            TOKENS,
            "mask-zero-and-add",
            cured(io.language_model),
            alone="free",
        ),
        Example(
            "The same, its sentiment classifier",
            f"{KERAS}/examples/nlp/masked_language_modeling/",
            "vectorization",
            io.language_model_classifier,
            TOKENS,
            "mask-zero-add-max",
            cured(io.language_model_classifier),
            alone="free",
        ),
        Example(
            "Text generation with a miniature GPT",
            f"{KERAS}/examples/generative/text_generation_with_miniature_gpt/",
            "vectorization",
            io.miniature_gpt,
            TOKENS,
            alone="free",
        ),
        Example(
            "Text generation using FNet",
            f"{KERAS}/examples/generative/text_generation_fnet/",
            "vectorization",
            io.fnet_generation,
            PAIR,
            "by-design",
        ),
        Example(
            "Text classification using FNet",
            f"{KERAS}/examples/nlp/fnet_classification_with_keras_hub/",
            "tokenizer",
            io.fnet_classifier,
            TOKENS,
            "by-design",
        ),
        Example(
            "The same, the Transformer it is compared with",
            f"{KERAS}/examples/nlp/fnet_classification_with_keras_hub/",
            "tokenizer",
            io.hub_classifier,
            TOKENS,
        ),
        Example(
            "Text classification with Switch Transformer",
            f"{KERAS}/examples/nlp/text_classification_with_switch_transformer/",
            "left",
            io.switch_transformer,
            LEFT,
            "by-batch",
            alone="content",
        ),
        Example(
            "Text extraction with BERT",
            f"{KERAS}/examples/nlp/text_extraction_with_bert/",
            "mask-input",
            io.span_extraction,
            [TOKENS, segments(TOKENS), mask_of(TOKENS)],
            "softmax",
            cured(io.span_extraction),
            alone="free",
        ),
        Example(
            "Semantic similarity with BERT",
            f"{KERAS}/examples/nlp/semantic_similarity_with_bert/",
            "mask-input",
            io.sentence_similarity,
            [TOKENS, mask_of(TOKENS), segments(TOKENS)],
            "mask-and-max",
            cured(io.sentence_similarity),
            alone="free",
        ),
        Example(
            "Sentence embeddings using Siamese RoBERTa-networks",
            f"{KERAS}/examples/nlp/sentence_embeddings_with_sbert/",
            "mask-input",
            io.sentence_embeddings,
            {"token_ids": words(pad=1), "padding_mask": mask_of(TOKENS)},
        ),
        Example(
            "Multiple choice task with transfer learning",
            f"{KERAS}/examples/nlp/multiple_choice_task_with_transfer_learning/",
            "mask-input",
            io.multiple_choice,
            {"token_ids": OPTIONS, "padding_mask": mask_of(OPTIONS)},
        ),
        Example(
            "Float8 training and inference with a simple Transformer",
            f"{KERAS}/examples/keras_recipes/float8_training_and_inference_with_transformer/",
            "tokenizer",
            io.float8_classifier,
            TOKENS,
            "mask-zero",
            cured(io.float8_classifier),
        ),
        Example(
            "Sequential retrieval using SASRec",
            f"{KERAS}/keras_rs/examples/sas_rec/",
            "mask-input",
            io.Recommender,
            {"item_ids": TOKENS, "padding_mask": mask_of(TOKENS, "bool")},
            "inverted",
            cured(io.Recommender),
        ),
        Example(
            "Sequential retrieval with GRU4Rec",
            f"{KERAS}/keras_rs/examples/sequential_retrieval/",
            "zeros-by-hand",
            io.gru_recommender,
            TOKENS,
            "mask-zero",
            cured(io.gru_recommender),
        ),
        Example(
            "Music generation with Transformer models",
            f"{KERAS}/examples/generative/midi_generation_with_transformer/",
            "pad-token",
            io.Music,
            words(pad=io.Music.PAD),
        ),
        Example(
            "Automatic speech recognition with Transformer",
            f"{KERAS}/examples/audio/transformer_asr/",
            "frames",
            io.Speech,
            [frames((32, 25, 20), 32), targets()],
            "convolutions-and-mask",
        ),
        Example(
            "Automatic speech recognition using CTC",
            f"{KERAS}/examples/audio/ctc_asr/",
            "padded-batch",
            io.speech_ctc,
            frames((24, 18, 14), 24),
            "convolutions-and-mask",
        ),
        Example(
            "Video classification with a CNN-RNN architecture",
            f"{KERAS}/examples/vision/video_classification/",
            "frames-and-mask",
            io.video_gru,
            [frames(), mask_of(frames(), "bool")],
            alone="free",
        ),
        Example(
            "Video classification with Transformers",
            f"{KERAS}/examples/vision/video_transformers/",
            "frames",
            io.video_transformer,
            frames(),
            "supports-and-max",
            cured(io.video_transformer),
        ),
        Example(
            "Image captioning",
            f"{KERAS}/examples/vision/image_captioning/",
            "vectorization",
            io.Captions,
            [features(10, WIDTH), targets()],
        ),
    ),
    "guides": (
        Example(
            "The functional API: tickets",
            f"{KERAS}/guides/functional_api/",
            "variable",
            io.ticket,
            [targets(), words(), features(6)],
            "mask-zero",
            cured(io.ticket),
        ),
        Example(
            "Working with RNNs: encoder and decoder",
            f"{KERAS}/guides/working_with_rnns/",
            "variable",
            io.recurrent_pair,
            PAIR,
            "mask-zero-and-state",
            cured(io.recurrent_pair),
        ),
        Example(
            "Understanding masking and padding: LSTM",
            f"{KERAS}/guides/understanding_masking_and_padding/",
            "post",
            io.guide_lstm,
            TOKENS,
        ),
        Example(
            "The same, a layer that passes the mask",
            f"{KERAS}/guides/understanding_masking_and_padding/",
            "post",
            io.guide_activation,
            TOKENS,
        ),
        Example(
            "The same, a softmax over the steps",
            f"{KERAS}/guides/understanding_masking_and_padding/",
            "post",
            io.guide_softmax,
            TOKENS,
        ),
    ),
    "text": (
        Example(
            "Neural machine translation with a Transformer",
            f"{TEXT}/transformer",
            "ragged",
            books.TutorialTransformer,
            PAIR,
            "attention",
            cured(books.TutorialTransformer),
        ),
        Example(
            "Neural machine translation with attention",
            f"{TEXT}/nmt_with_attention",
            "ragged",
            books.TutorialTranslator,
            PAIR,
        ),
        Example(
            "Text classification with an RNN",
            f"{TEXT}/text_classification_rnn",
            "vectorization",
            books.tutorial_reviews,
            TOKENS,
        ),
        Example(
            "Image captioning with visual attention",
            f"{TEXT}/image_captioning",
            "ragged",
            books.TutorialCaptions,
            [features(10, WIDTH), targets()],
        ),
        Example(
            "Word embeddings",
            f"{TEXT}/word_embeddings",
            "vectorization",
            books.tutorial_embeddings,
            TOKENS,
            "mask-zero",
            cured(books.tutorial_embeddings),
        ),
    ),
    "book": (
        Example(
            "First edition, 6.1: embeddings and `Flatten`",
            f"{BOOK}/first_edition/6.1-using-word-embeddings.ipynb",
            "left",
            books.first_flatten,
            LEFT,
            "flatten",
            alone="content",
        ),
        Example(
            "First edition, 6.2: LSTM",
            f"{BOOK}/first_edition/6.2-understanding-recurrent-neural-networks.ipynb",
            "left",
            books.first_lstm,
            LEFT,
            "mask-zero",
            cured(books.first_lstm),
        ),
        Example(
            "Second edition, 11: LSTM on embeddings",
            f"{BOOK}/second_edition/chapter11_part02_sequence-models.ipynb",
            "vectorization",
            books.reviews_lstm,
            TOKENS,
            "mask-zero",
            cured(books.reviews_lstm),
        ),
        Example(
            "Second edition, 11: Transformer encoder",
            f"{BOOK}/second_edition/chapter11_part03_transformer.ipynb",
            "vectorization",
            books.reviews_transformer,
            TOKENS,
            "mask-zero-supports-max",
            cured(books.reviews_transformer),
        ),
        Example(
            "Second edition, 11: the same with positions",
            f"{BOOK}/second_edition/chapter11_part03_transformer.ipynb",
            "vectorization",
            books.positioned_reviews_transformer,
            TOKENS,
            "supports-and-max",
            cured(books.positioned_reviews_transformer),
        ),
        Example(
            "Second edition, 11: translation with a Transformer",
            f"{BOOK}/second_edition/chapter11_part04_sequence-to-sequence-learning.ipynb",
            "vectorization",
            books.second_translation,
            PAIR,
            "supports",
            cured(books.second_translation),
        ),
        Example(
            "Second edition, 12: text generation",
            f"{BOOK}/second_edition/chapter12_part01_text-generation.ipynb",
            "vectorization",
            books.second_generation,
            TOKENS,
            "mask-by-hand",
            cured(books.second_generation),
        ),
        Example(
            "Third edition, 14: LSTM on one-hot words",
            f"{BOOK}/chapter14_text-classification.ipynb",
            "vectorization",
            books.third_one_hot_lstm,
            TOKENS,
            "mask-by-hand",
            cured(books.third_one_hot_lstm),
            alone="free",
        ),
        Example(
            "Third edition, 14: LSTM on embeddings",
            f"{BOOK}/chapter14_text-classification.ipynb",
            "vectorization",
            books.third_reviews_lstm,
            TOKENS,
            alone="free",
        ),
        Example(
            "Third edition, 15: translation with a GRU",
            f"{BOOK}/chapter15_language-models-and-the-transformer.ipynb",
            "vectorization",
            books.recurrent_translation,
            PAIR,
        ),
        Example(
            "Third edition, 15: translation with a Transformer",
            f"{BOOK}/chapter15_language-models-and-the-transformer.ipynb",
            "vectorization",
            books.third_translation,
            PAIR,
        ),
        Example(
            "Third edition, 16: text generation",
            f"{BOOK}/chapter16_text-generation.ipynb",
            "generated",
            books.third_generation,
            TOKENS,
        ),
    ),
}
