import keras

from keras_masking.layers._masks import boolean_mask, zero_where_masked
from keras_masking.layers._stand_in import StandIn, refuse_other


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedLambda(StandIn, keras.layers.Lambda):
    """A function as a layer, which passes the mask on.

    Padded steps become 0 before the function and after it, so a function that works within
    each step is free of padding, even where it gives nan or inf for it. One that joins steps must
    take the mask, as an argument `mask`, and use it. Without a mask this is `keras.layers.Lambda`.

    Args:
        function, output_shape, arguments: as in `keras.layers.Lambda`.
        mask: as in `keras.layers.Lambda`, a function of the inputs and their mask that gives that
            of the result, or a tensor. By default the mask of the inputs goes on. Give
            `lambda inputs, mask: None` where the function removes the time axis.

    Call arguments:
        inputs: numbers of shape `(batch, time, ...)`.
        mask: booleans, or the numbers 0 and 1, in the shape of the leading axes of `inputs`,
            at least `(batch, time)`; True = use. Given by Keras when `inputs` carry a mask.

    Returns:
        What the function gives, with its mask.

    Raises:
        ValueError: the mask does not fit the inputs, or goes on and does not fit the result, or it
            holds values other than 0 and 1 (seen in eager calls only); or there are several inputs
            or results, or they are ragged or strings.
    """

    def __init__(
        self, function, output_shape=None, mask=None, arguments: dict | None = None, **kwargs
    ):
        super().__init__(function, output_shape, mask, arguments, **kwargs)
        self.supports_masking = True

    @classmethod
    def from_keras(cls, layer: keras.Layer):
        """The function of a `keras.layers.Lambda`, by itself and not as its config has it.

        Raises:
            TypeError: `layer` is of another class.
        """
        refuse_other(cls, keras.layers.Lambda, layer)
        options = {"name": layer.name, "dtype": layer.dtype_policy, "trainable": layer.trainable}
        return cls(layer.function, layer._output_shape, layer.mask, layer.arguments, **options)

    def call(self, inputs, mask=None, training=None):
        if no_mask(mask):
            return super().call(inputs, training=training)
        refuse_several(inputs, "inputs")
        mask = boolean_mask(mask, inputs)
        result = super().call(zero_where_masked(inputs, mask), mask=mask, training=training)
        left = self.compute_mask(inputs, mask)
        if left is None:
            return result
        refuse_several(result, "result")
        if self.mask is None and tuple(result.shape)[: len(left.shape)] != tuple(left.shape):
            raise ValueError(
                "The result must keep the axes of the mask in front. Received: a result of shape "
                f"{tuple(result.shape)} with a mask of shape {tuple(left.shape)}. Give "
                "`mask=lambda inputs, mask: ...` that returns the mask of the result, or None."
            )
        return zero_where_masked(result, boolean_mask(left, result))

    def compute_mask(self, inputs, previous_mask=None):
        if not no_mask(previous_mask):
            refuse_several(inputs, "inputs")
            previous_mask = boolean_mask(previous_mask, inputs)
        if self.mask is None:
            return None if no_mask(previous_mask) else previous_mask
        return keras.layers.Lambda.compute_mask(self, inputs, previous_mask)

    def compute_output_spec(self, inputs, mask=None, training=None):
        if not no_mask(mask):
            refuse_several(inputs, "inputs")
            boolean_mask(mask, inputs)
        return keras.layers.Lambda.compute_output_spec(self, inputs)


def no_mask(mask):
    return all(part is None for part in keras.tree.flatten(mask))


def refuse_several(x, name):
    if not hasattr(x, "shape"):
        raise ValueError(
            "A function under a mask must take and give one tensor. Received: "
            f"{type(x).__name__} as its {name}. Write a layer for it, or use keras.layers.Lambda "
            "with its argument `mask`."
        )
