"""A loss and metrics of padded batches in which each sample, or each token, weighs the same."""

import keras
from keras import ops
from keras.src.backend import get_keras_mask  # Keras publishes no name for it


@keras.saving.register_keras_serializable(package="keras_masking")
class SampleMeanLoss(keras.losses.Loss):
    """The mean over samples of each sample's mean loss over its unmasked steps.

    Losses of Keras average over all unmasked steps of the batch, so a long sample weighs more
    than a short one. Here every sample weighs the same. The mask is the one that `y_pred` carries.
    Padded steps never count, whatever stands in `y_true` and `y_pred` there, nan and inf
    included, and their gradient is 0. A fully padded row counts as no sample; a batch of nothing
    else gives 0. Without a mask this is the plain mean, up to rounding.

    Args:
        loss: what a step loses: the name of a loss of Keras, a function of `y_true` and `y_pred`
            that returns one value a step, or a `keras.losses.Loss` with its default reduction.
        name, dtype: those of `keras.losses.Loss`.

    Call arguments:
        y_true, y_pred: numbers of shape `(batch, time, ...)`.
        sample_weight: factors of the losses, one a sample, `(batch,)` or `(batch, 1)`, or one a
            step, `(batch, time)`. As in Keras they multiply the losses and do not change by what
            the sums are divided.

    Returns:
        One number in the loss's dtype; float16 and bfloat16 are added up in float32.

    Raises:
        ValueError: `loss` has another reduction, it does not return one value a step, or
            `y_true` or `sample_weight` does not fit the mask.
    """

    def __init__(self, loss, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.loss = keras.losses.get(loss)
        if not callable(self.loss):
            raise ValueError(
                "`loss` must be the name of a loss of Keras, a function, or a `keras.losses.Loss`. "
                f"Received: {loss!r}. Give one of them, such as 'mse'."
            )
        reduction = getattr(self.loss, "reduction", self.reduction)
        if reduction not in ("sum_over_batch_size", "mean"):
            raise ValueError(
                "`loss` must have its default reduction, because SampleMeanLoss takes the mean. "
                f"Received: {loss!r} with reduction={reduction!r}. Leave the reduction out."
            )

    def call(self, y_true, y_pred):
        if isinstance(self.loss, keras.losses.Loss):
            return self.loss.call(y_true, y_pred)
        return self.loss(y_true, y_pred)

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = get_keras_mask(y_pred)
        y_true, y_pred = (ops.convert_to_tensor(y, dtype=self.dtype) for y in (y_true, y_pred))
        values, mask = _values_and_mask(self.call, y_true, y_pred, mask)
        if sample_weight is not None:
            values = ops.where(mask, values * _weights_for(values, sample_weight), 0)
        means, counts = _sample_means(values, mask)
        total = ops.sum(means) / ops.maximum(ops.sum(counts), 1)
        return _Reduced(dtype=self.dtype)(total[None], total[None])

    def get_config(self):
        loss = keras.saving.serialize_keras_object(self.loss)
        return {"loss": loss, "name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "loss": keras.saving.deserialize_keras_object(config["loss"])})


class _Reduced(keras.losses.Loss):
    """What Keras does last with any loss: it divides by the number of replicas."""

    def call(self, y_true, y_pred):
        return y_pred


class _MaskedMetric(keras.metrics.Mean):
    def __init__(self, fn, name=None, dtype=None):
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        if not callable(fn):
            raise ValueError(
                f"`fn` must be a function of y_true and y_pred. Received: {fn!r}. "
                "Give one, such as `keras.metrics.sparse_categorical_accuracy`."
            )
        self.fn = fn

    def get_config(self):
        return {**super().get_config(), "fn": keras.saving.serialize_keras_object(self.fn)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "fn": keras.saving.deserialize_keras_object(config["fn"])})


@keras.saving.register_keras_serializable(package="keras_masking")
class SampleMeanMetric(_MaskedMetric):
    """The mean over all samples seen of each sample's mean over its unmasked steps.

    The mask is the one that `y_pred` carries. Padded steps never count, whatever stands in them
    and however many there are; a fully padded row counts as no sample.

    Args:
        fn: a function of `y_true` and `y_pred` that returns one value a step, such as
            `keras.metrics.sparse_categorical_accuracy`.
        name: by default the name of the function.
        dtype: that of the result.

    Call arguments of `update_state`:
        y_true, y_pred: numbers of shape `(batch, time, ...)`.
        sample_weight: one weight a sample, `(batch,)` or `(batch, 1)`; the result is the weighted
            mean.

    Raises:
        ValueError: `fn` does not return one value a step, or `y_true` or `sample_weight` does not
            fit the mask.
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = get_keras_mask(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        means, counts = _sample_means(*_values_and_mask(self.fn, y_true, y_pred, mask))
        if sample_weight is not None:
            weights = ops.convert_to_tensor(sample_weight, dtype=counts.dtype)
            if tuple(weights.shape[1:]) not in ((), (1,)):
                raise ValueError(
                    "`sample_weight` must hold one weight a sample. Received: shape "
                    f"{tuple(weights.shape)}. For weights of steps use TokenMeanMetric."
                )
            counts = ops.where(counts > 0, ops.reshape(weights, (-1,)), 0)
        super().update_state(means, sample_weight=counts)


@keras.saving.register_keras_serializable(package="keras_masking")
class TokenMeanMetric(_MaskedMetric):
    """The mean over all unmasked steps seen, each with the same weight.

    Metrics of Keras divide what each batch adds by its padded length, so a step of a batch that
    is padded further weighs less. Here padding changes nothing. The mask is the one that `y_pred`
    carries.

    Args:
        fn, name, dtype: as in `SampleMeanMetric`.

    Call arguments of `update_state`:
        y_true, y_pred: numbers of shape `(batch, time, ...)`.
        sample_weight: one weight a sample, `(batch,)` or `(batch, 1)`, or one a step,
            `(batch, time)`; the result is the weighted mean.

    Raises:
        ValueError: as in `SampleMeanMetric`.
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = get_keras_mask(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        values, mask = _values_and_mask(self.fn, y_true, y_pred, mask)
        weights = ops.cast(mask, values.dtype)
        if sample_weight is not None:
            weights = ops.where(mask, _weights_for(values, sample_weight), 0)
        super().update_state(ops.reshape(values, (-1,)), ops.reshape(weights, (-1,)))


def _values_and_mask(function, y_true, y_pred, mask):
    """One value a step, 0 in padded ones, and booleans of the same shape."""
    if mask is not None:
        mask = ops.cast(mask, "bool")
        _check_leading_axes("`y_true`", y_true, mask.shape)
        y_true, y_pred = (
            ops.where(_with_axes_of(y, mask), y, ops.zeros_like(y)) for y in (y_true, y_pred)
        )
    values = ops.convert_to_tensor(function(y_true, y_pred))
    if keras.backend.standardize_dtype(values.dtype) not in ("float32", "float64"):
        values = ops.cast(values, "float32")
    if mask is None:
        _check_leading_axes("What the function returns", values, y_pred.shape[:1])
        return values, ops.ones_like(values, dtype="bool")
    _check_leading_axes("What the function returns", values, mask.shape)
    values = ops.mean(values, axis=tuple(range(len(mask.shape), len(values.shape))))
    return ops.where(mask, values, 0), mask


def _sample_means(values, mask):
    """The mean of each sample, and 1, or 0 and 0 where it has no unmasked step."""
    axes = tuple(range(1, len(values.shape)))
    steps = ops.sum(ops.cast(mask, values.dtype), axis=axes)
    return ops.sum(values, axis=axes) / ops.maximum(steps, 1), ops.minimum(steps, 1)


def _weights_for(values, sample_weight):
    weights = ops.convert_to_tensor(sample_weight, dtype=values.dtype)
    shape, expected = tuple(weights.shape), tuple(values.shape)
    if not 1 <= len(shape) <= len(expected) or any(
        m not in (1, n) and None not in (m, n) for m, n in zip(shape, expected, strict=False)
    ):
        raise ValueError(
            "`sample_weight` must hold one weight a sample or one a step. Received: shape "
            f"{shape} for steps of shape {expected}. Use (batch,) or (batch, time)."
        )
    return _with_axes_of(values, weights) * ops.ones_like(values)


def _with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def _check_leading_axes(what, x, shape):
    shape, leading = tuple(shape), tuple(x.shape)[: len(shape)]
    if len(shape) != len(leading) or any(
        m != n and None not in (m, n) for m, n in zip(shape, leading, strict=True)
    ):
        raise ValueError(
            f"{what} must have one entry a step. Received: shape {tuple(x.shape)} for steps of "
            f"shape {shape}. A loss must not average over time, and where `y_pred` has the shape "
            "(batch, time, 1), `y_true` needs that last axis too."
        )
