"""Each public name as a user's typed code uses it: `make lint` has mypy read this, strictly."""

from typing import Literal, assert_type

import keras
import numpy as np

from keras_masking import (
    Call,
    Change,
    DropMask,
    KeepMask,
    Leak,
    LeakReport,
    Left,
    MaskedAttentionPooling,
    MaskedAveragePooling1D,
    MaskedBatchNormalization,
    MaskedConv1D,
    MaskedConv1DTranspose,
    MaskedCropping1D,
    MaskedDepthwiseConv1D,
    MaskedEinsumDense,
    MaskedFirst,
    MaskedFlatten,
    MaskedGroupNormalization,
    MaskedGroupQueryAttention,
    MaskedLambda,
    MaskedLast,
    MaskedMax,
    MaskedMaxPooling1D,
    MaskedMean,
    MaskedMin,
    MaskedMultiHeadAttention,
    MaskedPermute,
    MaskedRepeatVector,
    MaskedReshape,
    MaskedRMSNormalization,
    MaskedSeparableConv1D,
    MaskedSoftmax,
    MaskedStd,
    MaskedSum,
    MaskedTimeDistributed,
    MaskedUpSampling1D,
    MaskedZeroPadding1D,
    Note,
    Probe,
    Repair,
    SampleMeanLoss,
    SampleMeanMetric,
    Tensor,
    TokenMeanMetric,
    Trace,
    UnusableInput,
    assert_no_leaks,
    find_leaks,
    from_additive_mask,
    from_hf_attention_mask,
    from_torch_attn_mask,
    from_torch_key_padding_mask,
    repair,
    to_additive_mask,
    to_hf_attention_mask,
    to_torch_attn_mask,
    to_torch_key_padding_mask,
    trace,
)


def layers() -> list[keras.Layer]:
    assert_type(MaskedMean(axis=1, keepdims=True), MaskedMean)
    assert_type(MaskedConv1D(4, 3, mask_rule="all"), MaskedConv1D)
    return [
        DropMask(),
        KeepMask(),
        MaskedAttentionPooling(kernel_initializer="zeros"),
        MaskedAveragePooling1D(2),
        MaskedBatchNormalization(momentum=0.9),
        MaskedConv1DTranspose(4, 3),
        MaskedCropping1D(1),
        MaskedDepthwiseConv1D(3),
        MaskedEinsumDense("btd,de->bte", output_shape=(None, 4)),
        MaskedFirst(),
        MaskedFlatten(pass_mask=False),
        MaskedGroupNormalization(groups=2),
        MaskedGroupQueryAttention(4, 4, 2),
        MaskedLambda(abs),
        MaskedLast(),
        MaskedMax.from_keras(keras.layers.GlobalMaxPooling1D()),
        MaskedMaxPooling1D(2),
        MaskedMin(name="least"),
        MaskedMultiHeadAttention(2, 4),
        MaskedPermute((2, 1)),
        MaskedRMSNormalization(),
        MaskedRepeatVector(3),
        MaskedReshape((-1, 2)),
        MaskedSeparableConv1D(4, 3),
        MaskedSoftmax(),
        MaskedStd(),
        MaskedSum(),
        MaskedTimeDistributed(keras.layers.Dense(2)),
        MaskedUpSampling1D(2),
        MaskedZeroPadding1D(1),
    ]


def compiled(model: keras.Model) -> None:
    metrics = [SampleMeanMetric(keras.losses.mse), TokenMeanMetric(keras.losses.mse, name="token")]
    model.compile(loss=SampleMeanLoss("mse"), metrics=metrics)


def found(model: keras.Model, batch: np.ndarray) -> str | None:
    try:
        assert_no_leaks(model, batch, padding=0)
    except UnusableInput as error:
        return str(error)
    report = find_leaks(model, batch)
    assert_type(report, LeakReport)
    assert_type(report.verdict, Literal["leaks", "clear", "not measured"])
    assert_type(report.leaks, tuple[Leak, ...])
    assert_type(report.probes, tuple[Probe, ...])
    assert_type(report.notes, tuple[Note, ...])
    for leak in report.leaks:
        assert_type(leak.call, int | None)
        assert_type(report.remedy(leak), str)
    return None


def mended(model: keras.Model, batch: np.ndarray) -> keras.Layer | None:
    done = repair(model, batch, padding=0)
    assert_type(done, Repair)
    assert_type(done.changes, tuple[Change, ...])
    assert_type(done.left, tuple[Left, ...])
    assert_type(done.report, LeakReport)
    for left in done.left:
        assert_type(left.leak, Leak | None)
        assert_type(left.why, Note | None)
    return done.model


def seen(model: keras.Model, batch: np.ndarray) -> np.ndarray | None:
    run = trace(model, batch)
    assert_type(run, Trace)
    for call in run:
        assert_type(call, Call)
        assert_type(call.outputs, tuple[Tensor, ...])
        assert_type(call.loses, bool)
    return run["encoder/attention"].mask


def converted(mask: np.ndarray) -> list[np.ndarray]:
    return [
        from_additive_mask(to_additive_mask(mask, dtype="float32")),
        from_hf_attention_mask(to_hf_attention_mask(mask)),
        from_torch_attn_mask(to_torch_attn_mask(mask, num_heads=2), num_heads=2),
        from_torch_key_padding_mask(to_torch_key_padding_mask(mask)),
    ]
