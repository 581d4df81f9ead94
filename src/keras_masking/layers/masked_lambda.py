import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_masking")
class MaskedLambda(keras.layers.Lambda):
    """A function as a layer, which hands the mask on.

    Padded steps become 0 in front of the function and behind it, so a function that works within
    each step is free of padding, even where it gives nan or inf for it. One that joins steps must
    take the mask, as an argument `mask`, and use it. Without a mask this is `keras.layers.Lambda`.

    Args:
        function, output_shape, arguments: as in `keras.layers.Lambda`.
        mask: as in `keras.layers.Lambda`, a function of the inputs and their mask that gives that
            of the result, or a tensor. By default the mask of the inputs goes on. Give
            `lambda inputs, mask: None` where the function takes the time axis away.

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

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(function, output_shape, mask, arguments, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None, training=None):
        if all(part is None for part in keras.tree.flatten(mask)):
            return super().call(inputs, training=training)
        _refuse_several(inputs, "inputs")
        mask = _boolean_mask(mask, inputs)
        result = super().call(_zero_where_masked(inputs, mask), mask=mask, training=training)
        left = self.compute_mask(inputs, mask)
        if left is None:
            return result
        _refuse_several(result, "result")
        if self.mask is None and tuple(result.shape)[: len(left.shape)] != tuple(left.shape):
            raise ValueError(
                "The result must keep the axes of the mask in front. Received: a result of shape "
                f"{tuple(result.shape)} with a mask of shape {tuple(left.shape)}. Give "
                "`mask=lambda inputs, mask: ...` that returns the mask of the result, or None."
            )
        return _zero_where_masked(result, _boolean_mask(left, result))

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask if self.mask is None else super().compute_mask(inputs, previous_mask)


def _refuse_several(x, name):
    if not hasattr(x, "shape"):
        raise ValueError(
            "A function under a mask must take and give one tensor. Received: "
            f"{type(x).__name__} as its {name}. Write a layer for it, or use keras.layers.Lambda "
            "with its argument `mask`."
        )


def _zero_where_masked(x, mask):
    return ops.cast(ops.where(_with_axes_of(x, mask), x, 0), x.dtype)


def _with_axes_of(x, mask):
    return mask[(..., *[None] * (len(x.shape) - len(mask.shape)))]


def _boolean_mask(mask, inputs):
    dtype = keras.backend.standardize_dtype(inputs.dtype)
    if dtype == "string" or hasattr(inputs, "row_splits"):
        raise ValueError(
            "The inputs must be a dense tensor of numbers. Received: "
            f"{'strings' if dtype == 'string' else 'a ragged tensor'} of shape {inputs.shape}. "
            "Turn strings into numbers first, and a ragged tensor into a padded one with its mask."
        )
    if mask is None:
        return None
    mask = ops.convert_to_tensor(mask)
    shape, leading = tuple(mask.shape), tuple(inputs.shape)[: len(mask.shape)]
    if not 2 <= len(shape) == len(leading) or any(
        m != n and None not in (m, n) for m, n in zip(shape, leading, strict=True)
    ):
        raise ValueError(
            "The mask must have the shape of the leading axes of the inputs, at least "
            f"(batch, time). Received: a mask of shape {shape} for inputs of shape "
            f"{tuple(inputs.shape)}. Give one entry a step, True where the step counts."
        )
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype == "bool":
        return mask
    try:
        truth = dtype[:3] in ("int", "uin", "flo", "bfl") and bool(
            ops.all((mask == 0) | (mask == 1))
        )
    except TypeError:  # compiled: the values are not known yet
        truth = True
    if not truth:
        raise ValueError(
            "The mask must hold booleans, or the numbers 0 and 1. Received: a mask of dtype "
            f"{dtype} with other values. Compare first, such as `scores > 0` or `lengths != 0`."
        )
    return ops.cast(mask, "bool")
