import keras
import numpy as np
from keras import ops

from keras_masking.layers._masks import boolean_mask, with_axes_of, zero_where_masked
from keras_masking.layers._stand_in import StandIn


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedReshape(StandIn, keras.layers.Reshape):
    """Reshape a padded batch, and its mask with it, as long as steps stay whole.

    The mask follows the time axis where that stays, is split, or is joined with other axes of
    steps: `(batch, 12, features)` becomes `(batch, 3, 4, features)` with a `(batch, 3, 4)` mask.
    Padded steps become 0. Without a mask this is `keras.layers.Reshape`.

    Args:
        target_shape: as in `keras.layers.Reshape`.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        Shape `(batch, *target_shape)` and the dtype of `inputs`, with a mask that has the leading
        axes of the result up to the features.

    Raises:
        ValueError: the result has steps that are part of one step and part of another, or steps
            joined with their features; the mask does not fit the inputs or holds values other
            than 0 and 1 (seen in eager calls only); or the inputs are ragged or strings.
    """

    def call(self, inputs, mask=None):
        mask = boolean_mask(mask, inputs)
        if mask is None:
            return super().call(inputs)
        self.axes_of_steps(inputs, mask)
        return super().call(zero_where_masked(inputs, mask))

    def compute_mask(self, inputs, previous_mask=None):
        mask = boolean_mask(previous_mask, inputs)
        if mask is None:
            return None
        before, after = self.axes_of_steps(inputs, mask)
        one = inputs[(..., *[0] * (len(inputs.shape) - before))]
        steps = ops.logical_and(with_axes_of(one, mask), ops.ones_like(one, dtype="bool"))
        target = self.compute_output_shape(inputs.shape)[1:after]
        return keras.layers.Reshape(tuple(-1 if n is None else n for n in target))(steps)

    def axes_of_steps(self, inputs, mask):
        """How many axes hold steps, before and after."""
        shape, target = tuple(inputs.shape), self.compute_output_shape(inputs.shape)
        for before in range(len(mask.shape), max(len(mask.shape) + 1, len(shape))):
            for after in range(2, len(target) + 1):
                parts = (shape[before:], target[after:]), (shape[1:before], target[1:after])
                if any(None not in (*a, *b) and np.prod(a) == np.prod(b) for a, b in parts):
                    return before, after
        raise ValueError(
            "The steps of the inputs must stay whole where they have a mask. Received: "
            f"target_shape={self.target_shape} for inputs of shape {shape} with a mask of shape "
            f"{tuple(mask.shape)}. Keep the features after the steps, as in "
            f"`MaskedReshape((-1, {', '.join(map(str, shape[len(mask.shape) :]))}))`, use "
            "MaskedFlatten to have one mask entry per element, or DropMask to let padding count."
        )
