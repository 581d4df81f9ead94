"""A loss and metrics of padded batches in which each sample, or each token, weighs the same."""

import keras
from keras import ops
from keras.src.backend import get_keras_mask  # Keras publishes no name for it


@keras.saving.register_keras_serializable(package="keras_masking")
class SampleMeanLoss(keras.losses.Loss):
    """The mean over samples of each sample's mean loss over its unmasked steps.

    Losses of Keras average over all unmasked steps of the batch, so a long sample weighs more
    than a short one. Here every sample weighs the same. The mask is the one that `y_pred` carries.
    Padded steps never count, whatever `y_true` and `y_pred` hold there, nan and inf included, and
    their gradient is 0. Nor do steps that `loss` leaves out by a mask on what it returns, as losses
    of Keras do with `ignore_class`. A row without a step that counts is no sample; a batch of
    nothing else gives 0. Without a mask this is the plain mean, up to rounding.

    Args:
        loss: what a step loses: the name of a loss of Keras, a function of `y_true` and `y_pred`
            that returns one value per step, or a `keras.losses.Loss` with its default reduction.
        name, dtype: those of `keras.losses.Loss`.

    Call arguments:
        y_true, y_pred: numbers of shape `(batch, time, ...)`.
        sample_weight: factors of the losses, one per sample, `(batch,)` or `(batch, 1)`, or one per
            step, `(batch, time)`. As in Keras they multiply the losses and do not change by what
            the sums are divided. With weight 0 a step adds 0 and has the gradient 0, whatever
            it holds, nan in `y_true` included; with another weight nan goes into the result.

    Returns:
        One number in the loss's dtype; float16 and bfloat16 are added up in float32.

    Raises:
        ValueError: `loss` has another reduction, it does not return one value per step, or
            `y_true` or `sample_weight` does not fit the mask; or `sample_weight` of shape
            `(batch,)` meets `y_true` of shape `(batch, time)`: Keras makes such weights of
            `class_weight`, by an argmax over time.
    """

    def __init__(self, loss, name: str | None = None, dtype: str | None = None):
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
        values, mask, weights = _steps(self.call, y_true, y_pred, mask, sample_weight)
        means, counts = _sample_means(values if weights is None else values * weights, mask)
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
    def __init__(self, fn, name: str | None = None, dtype: str | None = None):
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

    The mask is the one that `y_pred` carries. Padded steps never count, whatever they hold
    and however many there are; nor do steps that `fn` leaves out by a mask on what it returns. A
    row without a step that counts is no sample. Within `fit` on JAX the predictions that Keras
    gives to metrics carry no mask, in `evaluate` and as validation they do.

    Args:
        fn: a function of `y_true` and `y_pred` that returns one value per step, such as
            `keras.metrics.sparse_categorical_accuracy`.
        name: by default the name of the function.
        dtype: that of the result.

    Call arguments of `update_state`:
        y_true, y_pred: numbers of shape `(batch, time, ...)`.
        sample_weight: one weight per sample, `(batch,)` or `(batch, 1)`; the result is the weighted
            mean. With weight 0 nan does no harm, in `y_true` either.

    Raises:
        ValueError: `fn` does not return one value per step, `y_true` or `sample_weight` does not
            fit the mask, or `sample_weight` has the shape that comes of `class_weight`, as in
            `SampleMeanLoss`.
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = get_keras_mask(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            if tuple(sample_weight.shape[1:]) not in ((), (1,)):
                raise ValueError(
                    "`sample_weight` must hold one weight per sample. Received: shape "
                    f"{tuple(sample_weight.shape)}. For weights of steps use TokenMeanMetric."
                )
        values, mask, _ = _steps(self.fn, y_true, y_pred, mask, sample_weight)
        means, counts = _sample_means(values, mask)
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, counts.dtype), (-1,))
            counts = ops.where(counts > 0, weights, 0)
        super().update_state(means, sample_weight=counts)


@keras.saving.register_keras_serializable(package="keras_masking")
class TokenMeanMetric(_MaskedMetric):
    """The mean over all unmasked steps seen, each with the same weight.

    Metrics of Keras divide what each batch adds by its padded length, so a step of a batch that
    is padded further weighs less. Here padding changes nothing. The mask is the one that `y_pred`
    carries; as for all metrics, there is none within `fit` on JAX.

    Args:
        fn, name, dtype: as in `SampleMeanMetric`.

    Call arguments of `update_state`:
        y_true, y_pred: numbers of shape `(batch, time, ...)`.
        sample_weight: one weight per sample, `(batch,)` or `(batch, 1)`, or one per step,
            `(batch, time)`; the result is the weighted mean. With weight 0 nan does no harm, in
            `y_true` either.

    Raises:
        ValueError: as in `SampleMeanMetric`.
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        mask = get_keras_mask(y_pred)
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        values, mask, weights = _steps(self.fn, y_true, y_pred, mask, sample_weight)
        if weights is None:
            weights = ops.cast(mask, values.dtype)
        super().update_state(ops.reshape(values, (-1,)), ops.reshape(weights, (-1,)))


def _steps(function, y_true, y_pred, mask, sample_weight):
    """One value per step, booleans that say which steps count, and their weights or None.

    Values and weights are 0 in steps that do not count, and values where the weight is 0.
    """
    kept = None
    if mask is not None:
        kept = mask = ops.cast(mask, "bool")
        _check_leading_axes("`y_true`", y_true, mask.shape)
        y_true = _where(mask, y_true)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight)
        fewest = min(y_true, y_pred, key=lambda y: len(y.shape)) if mask is None else mask
        _check_weights(sample_weight, fewest.shape)
        weighted = ops.cast(sample_weight, "bool")
        kept = weighted if mask is None else mask & _with_axes_of(mask, weighted)
    # `y_true` stays where only the weight is 0: by its labels the function leaves steps out
    values = function(y_true, y_pred if kept is None else _where(kept, y_pred))
    left_in = get_keras_mask(values)
    values = ops.convert_to_tensor(values)
    if keras.backend.standardize_dtype(values.dtype) not in ("float32", "float64"):
        values = ops.cast(values, "float32")
    steps = y_pred.shape[:1] if mask is None else mask.shape
    _check_leading_axes("What the function returns", values, steps)
    if left_in is not None:
        left_in = ops.cast(left_in, "bool")
        _check_leading_axes("The mask that the function sets", left_in, steps)
    if mask is None:
        mask = ops.ones_like(values, dtype="bool")
    values, mask = _mean_of_a_step(values, mask, left_in)
    if sample_weight is None:
        return ops.where(mask, values, 0), mask, None
    _check_weights(sample_weight, values.shape)
    _check_class_weight(sample_weight, y_true, y_pred, values)
    weights = ops.where(mask, _with_axes_of(values, ops.cast(sample_weight, values.dtype)), 0)
    return ops.where(ops.cast(weights, "bool"), values, 0), mask, weights


def _mean_of_a_step(values, mask, left_in):
    """The mean over the axes after those of the mask, of what the function left in."""
    axes = tuple(range(len(mask.shape), len(values.shape)))
    if left_in is None:
        return ops.mean(values, axis=axes), mask
    left_in = ops.broadcast_to(_with_axes_of(values, left_in), ops.shape(values))
    count = ops.sum(ops.cast(left_in, values.dtype), axis=axes)
    total = ops.sum(ops.where(left_in, values, 0), axis=axes)
    return total / ops.maximum(count, 1), mask & (count > 0)


def _sample_means(values, mask):
    """The mean of each sample, and 1, or 0 and 0 where it has no unmasked step."""
    axes = tuple(range(1, len(values.shape)))
    steps = ops.sum(ops.cast(mask, values.dtype), axis=axes)
    return ops.sum(values, axis=axes) / ops.maximum(steps, 1), ops.minimum(steps, 1)


def _check_weights(weights, shape):
    given, expected = tuple(weights.shape), tuple(shape)
    if not 1 <= len(given) <= len(expected) or any(
        m not in (1, n) and None not in (m, n) for m, n in zip(given, expected, strict=False)
    ):
        raise ValueError(
            "`sample_weight` must hold one weight per sample or one per step. Received: shape "
            f"{given} for steps of shape {expected}. Use (batch, 1) or (batch, time)."
        )


def _check_class_weight(weights, y_true, y_pred, values):
    """Refuse what comes of `class_weight`: a loss gets its weights without their origin."""
    label_a_step = len(values.shape) == 2 or tuple(y_pred.shape[2:]) == (1,)
    labels = tuple(y_true.shape)
    if len(weights.shape) == 1 and label_a_step and len(labels) == 2 and labels[1] != 1:
        raise ValueError(
            "With a label per step, one weight per sample must have the shape (batch, 1), because "
            "weights of shape (batch,) are what Keras makes of `class_weight`, by an argmax over "
            f"time that means nothing. Received: shape {tuple(weights.shape)} for labels of shape "
            f"{labels}. To weight classes, give one weight per step: "
            "`sample_weight=weight_of_class[y_true]`, of shape (batch, time)."
        )


def _where(kept, x):
    return ops.where(_with_axes_of(x, kept), x, ops.zeros_like(x))


def _with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def _check_leading_axes(what, x, shape):
    shape, leading = tuple(shape), tuple(x.shape)[: len(shape)]
    if len(shape) != len(leading) or any(
        m != n and None not in (m, n) for m, n in zip(shape, leading, strict=True)
    ):
        raise ValueError(
            f"{what} must have one entry per step. Received: shape {tuple(x.shape)} for steps of "
            f"shape {shape}. A loss must not average over time, and where `y_pred` has the shape "
            "(batch, time, 1), `y_true` needs that last axis too. CTC has no steps to average: "
            "drop the mask and give it the lengths."
        )
