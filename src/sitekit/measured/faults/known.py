"""Known ways to lose or leak a mask, each with a healthy twin: one table for every backend.

A twin differs from its fault by what repairs it and by no more. The tests hold `trace` and
`find_leaks` to this table, and the site publishes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from keras_masking import (
    MaskedAveragePooling1D,
    MaskedConv1D,
    MaskedCropping1D,
    MaskedFlatten,
    MaskedMaxPooling1D,
    MaskedMean,
    MaskedZeroPadding1D,
)
from sitekit.measured.faults.models import (
    AddPosition,
    AddPositionFromFirstValid,
    CallsInner,
    CallsInnerCall,
    Centre,
    CentreAcrossBatch,
    CentreMasked,
    Double,
    DoubleFlagTooEarly,
    DoubleInverted,
    DoubleMisspelt,
    DoublePasser,
    MeanByLongestLength,
    MeanByPaddedLength,
    MeanOfAllSteps,
    MeanWithMisnamedMask,
    ReshapePairs,
    attention_by_dot,
    attention_with,
    average,
    averaged,
    doubled,
    embed,
    embedded,
    from_state,
    nested,
    over_ids,
    over_sentences,
    over_title_and_text,
    over_two,
    over_vectors,
    post_norm,
    pre_norm,
    rescaled,
    shared_pooling,
    subclassed,
    weighted_by_softmax,
)

Gap = tuple[str, str]
Probe = Literal["length", "content", "company"]

IDS = np.array([[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0], [3, 5, 0, 0, 0, 0]])
LEFT = IDS[:, ::-1].copy()
OTHER_IDS = np.array([[2, 7, 0, 0, 0], [1, 8, 2, 8, 1], [8, 2, 8, 0, 0]])
SENTENCES = np.array(
    [
        [[3, 1, 4, 1, 5], [9, 2, 0, 0, 0], [6, 5, 3, 5, 0]],
        [[8, 0, 0, 0, 0], [9, 7, 9, 0, 0], [3, 2, 0, 0, 0]],
    ]
)
VECTORS = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32")
MASK = IDS != 0


@dataclass(frozen=True, eq=False)
class Fault:
    """
    Attributes:
        name: the key of its text in docs/shared/texts.toml.
        faulty, healthy: make the two models.
        leaks_at: the path of the first call whose valid steps padding changes, as in a trace.
        lost_at: the path of the call that loses the mask, or marks padding as valid; the paths
            around a gap; None where a right mask arrives and is ignored.
        probes: those that see it.
        inputs, mask: what both models are run on.
    """

    name: str
    faulty: Callable[[], keras.Model]
    healthy: Callable[[], keras.Model]
    leaks_at: str
    lost_at: str | Gap | None
    probes: tuple[Probe, ...] = ("length", "content")
    inputs: Any = field(default_factory=lambda: IDS)
    mask: Any = None

    def build(self, healthy: bool = False) -> keras.Model:
        """One of the two models, with the same names and weights each time."""
        # operations, such as `x * 2`, can only be named by Keras, which counts in a session
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(0)
        return self.healthy() if healthy else self.faulty()


FAULTS: dict[str, tuple[Fault, ...]] = {
    "shape": (
        Fault(
            "global-max-pooling",
            embedded(lambda x: layers.GlobalMaxPooling1D()(x)),
            embedded(average),
            leaks_at="global_max_pooling1d",
            lost_at="global_max_pooling1d",
            probes=("content",),
        ),
        Fault(
            "flatten",
            embedded(lambda x: layers.Dense(1)(layers.Flatten()(x)), steps=6),
            embedded(lambda x: layers.Dense(1)(MaskedFlatten(pass_mask=False)(x)), steps=6),
            leaks_at="flatten",
            lost_at="flatten",
            probes=("content",),
        ),
        Fault(
            "conv",
            averaged(lambda x: layers.Conv1D(4, 3, padding="same")(x)),
            averaged(lambda x: MaskedConv1D(4, 3, padding="same")(x)),
            leaks_at="conv1d",
            lost_at="conv1d",
            probes=("content",),
        ),
        Fault(
            "strided-conv",
            averaged(lambda x: layers.Conv1D(4, 3, strides=2, padding="same")(x)),
            averaged(lambda x: MaskedConv1D(4, 3, strides=2, padding="same")(x)),
            leaks_at="conv1d",
            lost_at="conv1d",
        ),
        Fault(
            "average-pooling",
            averaged(lambda x: layers.AveragePooling1D(2)(x)),
            averaged(lambda x: MaskedAveragePooling1D(2)(x)),
            leaks_at="global_average_pooling1d",
            lost_at="average_pooling1d",
        ),
        Fault(
            "max-pooling",
            averaged(lambda x: layers.MaxPooling1D(2)(x)),
            averaged(lambda x: MaskedMaxPooling1D(2)(x)),
            leaks_at="global_average_pooling1d",
            lost_at="max_pooling1d",
        ),
        Fault(
            "reshape",
            averaged(lambda x: layers.Reshape((-1, 8))(x)),
            averaged(lambda x: ReshapePairs((-1, 8))(x)),
            leaks_at="global_average_pooling1d",
            lost_at="reshape",
        ),
        Fault(
            "permute",
            embedded(
                lambda x: layers.GlobalAveragePooling1D("channels_first")(layers.Permute((2, 1))(x))
            ),
            embedded(average),
            leaks_at="global_average_pooling1d",
            lost_at="permute",
        ),
        Fault(
            "cropping",
            averaged(lambda x: layers.Cropping1D((1, 0))(x)),
            averaged(lambda x: MaskedCropping1D((1, 0))(x)),
            leaks_at="global_average_pooling1d",
            lost_at="cropping1d",
        ),
        Fault(
            "zero-padding",
            averaged(lambda x: layers.ZeroPadding1D((1, 0))(x)),
            averaged(lambda x: MaskedZeroPadding1D((1, 0))(x)),
            leaks_at="global_average_pooling1d",
            lost_at="zero_padding1d",
        ),
    ),
    "drops": (
        Fault(
            "einsum-dense",
            averaged(lambda x: layers.EinsumDense("btf,fg->btg", (None, 4))(x)),
            averaged(lambda x: layers.Dense(4)(x)),
            leaks_at="global_average_pooling1d",
            lost_at="einsum_dense",
        ),
        Fault(
            "rms-normalization",
            averaged(lambda x: layers.RMSNormalization()(x)),
            averaged(lambda x: layers.LayerNormalization()(x)),
            leaks_at="global_average_pooling1d",
            lost_at="rms_normalization",
        ),
        Fault(
            "lambda",
            averaged(lambda x: layers.Lambda(doubled)(x)),
            averaged(lambda x: layers.Lambda(doubled, mask=lambda x, mask: mask)(x)),
            leaks_at="global_average_pooling1d",
            lost_at="lambda",
        ),
        Fault(
            "embedding-without-mask-zero",
            over_ids(lambda ids: average(embed(ids, mask_zero=False))),
            over_ids(lambda ids: average(embed(ids))),
            leaks_at="global_average_pooling1d",
            lost_at="embedding",
            probes=("length",),
            mask=MASK,
        ),
    ),
    "operations": (
        # --8<-- [start:operator]
        Fault(
            "operator",
            averaged(doubled),
            averaged(rescaled),
            leaks_at="global_average_pooling1d",
            lost_at="multiply",
        ),
        # --8<-- [end:operator]
        Fault(
            "operator-in-subclass",
            subclassed(lambda: doubled),
            subclassed(lambda: layers.Rescaling(2.0)),
            leaks_at="global_average_pooling1d",
            lost_at=("embedding", "global_average_pooling1d"),
        ),
        Fault(
            "slicing",
            over_ids(lambda ids: average(embed(ids)[:, 1:])),
            over_ids(lambda ids: average(embed(ids[:, 1:]))),
            leaks_at="global_average_pooling1d",
            lost_at="get_item",
            mask=MASK,  # the twin makes one of a slice of the input, not of the input
        ),
        Fault(
            "ops-concatenate",
            averaged(lambda x: ops.concatenate([x, x], axis=-1)),
            averaged(lambda x: layers.Concatenate()([x, x])),
            leaks_at="global_average_pooling1d",
            lost_at="concatenate",
        ),
        Fault(
            "ops-mean",
            embedded(lambda x: ops.mean(x, axis=1)),
            embedded(lambda x: MaskedMean()(x)),
            leaks_at="mean",
            lost_at="mean",
        ),
        Fault(
            "softmax-over-time",
            over_ids(weighted_by_softmax(hide_padding=False)),
            over_ids(weighted_by_softmax(hide_padding=True)),
            leaks_at="softmax",
            lost_at="softmax",
        ),
    ),
    "wrong": (
        Fault(
            "group-normalization",
            averaged(lambda x: layers.GroupNormalization(2)(x)),
            averaged(lambda x: layers.LayerNormalization()(x)),
            leaks_at="group_normalization",
            lost_at=None,
        ),
        Fault(
            "layer-normalization-over-time",
            averaged(lambda x: layers.LayerNormalization(axis=1)(x), steps=6),
            averaged(lambda x: layers.LayerNormalization(axis=2)(x), steps=6),
            leaks_at="layer_normalization",
            lost_at=None,
            probes=("content",),
        ),
        Fault(
            "backwards",
            averaged(lambda x: layers.SimpleRNN(4, return_sequences=True, go_backwards=True)(x)),
            averaged(lambda x: layers.SimpleRNN(4, return_sequences=True)(x)),
            leaks_at="simple_rnn",
            lost_at=None,
            probes=("length",),
        ),
        Fault(
            "masking-nan",
            over_vectors(lambda: layers.Masking(np.nan), lambda: layers.GlobalAveragePooling1D()),
            over_vectors(lambda: layers.GlobalAveragePooling1D()),
            leaks_at="global_average_pooling1d",
            lost_at="masking",
            inputs=VECTORS,
            mask=MASK,
        ),
    ),
    "own": (
        Fault(
            "no-supports-masking",
            averaged(lambda x: Double()(x)),
            averaged(lambda x: DoublePasser()(x)),
            leaks_at="global_average_pooling1d",
            lost_at="double",
        ),
        Fault(
            "supports-masking-too-early",
            averaged(lambda x: DoubleFlagTooEarly()(x)),
            averaged(lambda x: DoublePasser()(x)),
            leaks_at="global_average_pooling1d",
            lost_at="double_flag_too_early",
        ),
        Fault(
            "supports-masking-misspelt",
            averaged(lambda x: DoubleMisspelt()(x)),
            averaged(lambda x: DoublePasser()(x)),
            leaks_at="global_average_pooling1d",
            lost_at="double_misspelt",
        ),
        Fault(
            "compute-mask-inverted",
            averaged(lambda x: DoubleInverted()(x)),
            averaged(lambda x: DoublePasser()(x)),
            leaks_at="global_average_pooling1d",
            lost_at="double_inverted",
            probes=("content",),
            inputs=IDS[1:],
        ),
        Fault(
            "no-mask-argument",
            embedded(lambda x: MeanOfAllSteps()(x)),
            embedded(lambda x: MaskedMean()(x)),
            leaks_at="mean_of_all_steps",
            lost_at="mean_of_all_steps",
        ),
        Fault(
            "mask-argument-misnamed",
            embedded(lambda x: MeanWithMisnamedMask()(x)),
            embedded(lambda x: MaskedMean()(x)),
            leaks_at="mean_with_misnamed_mask",
            lost_at="mean_with_misnamed_mask",
        ),
        Fault(
            "inner-call",
            embedded(lambda x: CallsInnerCall()(x)),
            embedded(lambda x: CallsInner()(x)),
            leaks_at="calls_inner_call",
            lost_at="calls_inner_call",
        ),
        Fault(
            "centred-over-time",
            averaged(lambda x: Centre()(x)),
            averaged(lambda x: CentreMasked()(x)),
            leaks_at="centre",
            lost_at=None,
        ),
        Fault(
            "divided-by-padded-length",
            embedded(lambda x: MeanByPaddedLength()(x)),
            embedded(lambda x: MaskedMean()(x)),
            leaks_at="mean_by_padded_length",
            lost_at=None,
            probes=("length",),
        ),
        Fault(
            "divided-by-longest-length",
            embedded(lambda x: MeanByLongestLength()(x)),
            embedded(lambda x: MaskedMean()(x)),
            leaks_at="mean_by_longest_length",
            lost_at=None,
            probes=("company",),
        ),
        Fault(
            "centred-across-batch",
            averaged(lambda x: CentreAcrossBatch()(x)),
            averaged(lambda x: layers.BatchNormalization()(x)),
            leaks_at="centre_across_batch",
            lost_at=None,
            probes=("company",),
        ),
        Fault(
            "positions-of-left-padding",
            averaged(lambda x: AddPosition()(x)),
            averaged(lambda x: AddPositionFromFirstValid()(x)),
            leaks_at="add_position",
            lost_at=None,
            probes=("length",),
            inputs=LEFT,
        ),
    ),
    "merging": (
        Fault(
            "add-unmasked",
            over_ids(lambda ids: average(layers.Add()([embed(ids), embed(ids, mask_zero=False)]))),
            over_ids(lambda ids: average(layers.Add()([embed(ids), embed(ids)]))),
            leaks_at="global_average_pooling1d",
            lost_at="add",
        ),
        Fault(
            "concatenate-unmasked",
            over_ids(
                lambda ids: average(layers.Concatenate()([embed(ids), embed(ids, mask_zero=False)]))
            ),
            over_ids(lambda ids: average(layers.Concatenate()([embed(ids), embed(ids)]))),
            leaks_at="global_average_pooling1d",
            lost_at="concatenate",
        ),
        Fault(
            "add-unlike-masks",
            over_two(lambda a, b: average(layers.Add()([a, b]))),
            over_two(lambda a, b: layers.Add()([average(a), average(b)])),
            leaks_at="add",
            lost_at=None,
            probes=("content",),
            inputs=[IDS, IDS[::-1].copy()],
        ),
        Fault(
            "dot",
            averaged(attention_by_dot),
            averaged(lambda x: layers.Attention()([x, x])),
            leaks_at="softmax",
            lost_at="dot",
        ),
    ),
    "attending": (
        Fault(
            "post-norm-transformer",
            averaged(lambda x: post_norm(post_norm(x))),
            averaged(lambda x: pre_norm(pre_norm(x))),
            leaks_at="multi_head_attention_1",
            lost_at="multi_head_attention",
        ),
        Fault(
            "cross-attention",
            over_two(lambda a, b: average(layers.MultiHeadAttention(2, 3)(a, doubled(b)))),
            over_two(lambda a, b: average(layers.MultiHeadAttention(2, 3)(a, rescaled(b)))),
            leaks_at="multi_head_attention",
            lost_at="multiply",
            inputs=[IDS, OTHER_IDS],
        ),
        Fault(
            "query-mask",
            attention_with("query_mask"),
            attention_with("value_mask"),
            leaks_at="multi_head_attention",
            lost_at="multi_head_attention",
            inputs={"vectors": VECTORS, "padding_mask": MASK.astype("int32")},
        ),
    ),
    "structure": (
        Fault(
            "time-distributed",
            over_sentences(lambda: layers.GlobalMaxPooling1D()),
            over_sentences(lambda: layers.GlobalAveragePooling1D()),
            leaks_at="time_distributed",
            lost_at=None,
            probes=("content",),
            inputs=SENTENCES,
        ),
        Fault(
            "initial-state",
            embedded(lambda x: from_state(x)),
            embedded(lambda x: from_state(x, mask=x._keras_mask)),
            leaks_at="gru",
            lost_at="gru",
        ),
        Fault(
            "bidirectional",
            embedded(lambda x: layers.Bidirectional(layers.SimpleRNN(4))(ops.relu(x))),
            embedded(lambda x: layers.Bidirectional(layers.SimpleRNN(4))(layers.ReLU()(x))),
            leaks_at="bidirectional",
            lost_at="relu",
        ),
        Fault(
            "nested-model",
            averaged(nested(doubled)),
            averaged(nested(rescaled)),
            leaks_at="global_average_pooling1d",
            lost_at="encoder/multiply",
        ),
        Fault(
            "shared-layer",
            over_two(shared_pooling(doubled)),
            over_two(shared_pooling(rescaled)),
            leaks_at="global_average_pooling1d",
            lost_at="multiply",
            inputs=[IDS, OTHER_IDS],
        ),
        Fault(
            "named-inputs",
            over_title_and_text(doubled),
            over_title_and_text(rescaled),
            leaks_at="global_average_pooling1d_1",
            lost_at="multiply",
            inputs={"title": IDS, "text": OTHER_IDS},
        ),
    ),
}
