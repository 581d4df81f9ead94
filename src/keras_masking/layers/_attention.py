"""What the layers of attention share."""

from keras import ops

from keras_masking.layers._masks import boolean_mask
from keras_masking.layers._stand_in import StandIn


class Attention(StandIn):
    def compute_output_spec(self, query, value, key=None, **kwargs):
        inputs = {"query": query, "value": value, "key": value if key is None else key}
        for name, x in inputs.items():
            mask_of_steps(kwargs.pop(f"{name}_mask", None), x)
        return super().compute_output_spec(query, value, key, **kwargs)


def mask_of_steps(mask, inputs):
    return boolean_mask(mask, inputs if mask is None else inputs[..., 0])


def allowed(steps, attention_mask, shape):
    """Who may attend to whom, of shape (batch, heads, queries, keys), where sizes may be 1."""
    steps = None if steps is None else ops.expand_dims(steps, 1)
    if attention_mask is None:
        return steps
    mask = boolean_mask(attention_mask, attention_mask)
    wanted = shape if len(mask.shape) == 4 else shape[:1] * (len(mask.shape) == 3) + shape[2:]
    if len(mask.shape) != len(wanted) or any(
        m not in (n, 1) and None not in (m, n) for m, n in zip(mask.shape, wanted, strict=True)
    ):
        raise ValueError(
            "`attention_mask` must have the shape (batch, queries, keys), where sizes may be 1, or "
            f"(batch, heads, queries, keys). Received: shape {tuple(mask.shape)} for scores of "
            f"shape {shape}. A mask of padded keys, (batch, keys), is `value_mask`."
        )
    while len(mask.shape) < 4:
        mask = ops.expand_dims(mask, -3)
    return mask if steps is None else ops.logical_and(mask, steps)


def kept(x, mask):
    return ops.cast(ops.where(mask[..., None], x, 0), x.dtype)
