import keras
from keras import ops

from keras_masking.layers._masks import (
    boolean_mask,
    outer_steps,
    valid_where_masked,
    with_axes_of,
    zero_where_masked,
)
from keras_masking.layers._stand_in import StandIn
from keras_masking.layers._statistics import batch_normalized


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedTimeDistributed(StandIn, keras.layers.TimeDistributed):
    """Apply a layer to every outer step of a padded batch, each with the mask of its inner steps.

    What padded outer steps hold does not reach the layer, and they become 0 after it; padded
    inner steps become 0 before it. Without a mask this is `keras.layers.TimeDistributed`.

    Args:
        layer: as in `keras.layers.TimeDistributed`.

    Call arguments:
        inputs: numbers of shape `(batch, outer, ...)`, such as `(batch, outer, inner, features)`.
        training: passed on to the layer if it takes it.
        mask: booleans, or the numbers 0 and 1, of shape `(batch, outer)`, or with inner steps too,
            `(batch, outer, inner)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        What the layer gives, in shape `(batch, outer, ...)`. The mask is `(batch, outer)`, True
        where any inner step is; where the layer passes the mask of inner steps on, it is
        `(batch, outer, inner)`.

    Raises:
        ValueError: the mask does not fit the inputs or holds values other than 0 and 1 (seen in
            eager calls only), a `BatchNormalization` inside the layer is in training, or the inputs
            are ragged or strings.

    Method: outer steps are samples to the layer, which runs once for all of them. One
    without a valid inner step is replaced by the first that has one: many layers give nan for a
    fully padded row, or have no finite slope at 0. A `BatchNormalization` is given the mask.
    """

    def call(self, inputs, training=None, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs, training=training)
        outer, options = outer_steps(mask), {}
        x = zero_where_masked(inputs, mask)
        if isinstance(self.layer, keras.layers.BatchNormalization):
            return parted(batch_normalized(self.layer, joined(x), joined(mask), training), outer)
        if training:
            refuse_statistics(self.layer)
        if self.layer._call_has_training_arg:
            options["training"] = training
        if self.layer._call_has_mask_arg and len(mask.shape) > 2:
            inner = valid_where_masked(ops.cast(mask, "int32"), outer)
            options["mask"] = joined(ops.cast(inner, "bool"))
        result = self.layer.call(joined(valid_where_masked(x, outer)), **options)
        return zero_where_masked(parted(result, outer), outer)

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None:
            return None
        outer = outer_steps(mask)
        if len(mask.shape) == 2 or not self.layer.supports_masking:
            return outer
        first = mask[:, 0]
        inner = self.layer.compute_mask(inputs[:, 0], first)
        if inner is None or inner is first:
            return outer if inner is None else mask
        if isinstance(mask, keras.KerasTensor) and None in (*inputs.shape[1:], *inner.shape[1:]):
            raise ValueError(
                "A layer that changes the mask of inner steps needs sizes that are known before "
                f"the run. Received: {self.layer} for inputs of shape {inputs.shape}. Give "
                "keras.Input all sizes but the batch."
            )
        inner = parted(self.layer.compute_mask(joined(inputs), joined(mask)), outer)
        return ops.logical_and(inner, with_axes_of(inner, outer))


def joined(x):
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))


def parted(x, outer):
    return ops.reshape(x, (-1, ops.shape(outer)[1], *ops.shape(x)[1:]))


def refuse_statistics(layer):
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.BatchNormalization) and part.trainable:
            raise ValueError(
                "In training a BatchNormalization inside another layer would count padded outer "
                f"steps. Received: {part.name!r} inside {layer.name!r}. Wrap the layers before and "
                "after it separately, with a MaskedBatchNormalization between them."
            )
