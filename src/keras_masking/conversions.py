"""Masks of PyTorch and of Hugging Face as masks of Keras, and back.

In Keras True means use. In PyTorch's `nn.MultiheadAttention` and `nn.Transformer` True means
ignore; its `scaled_dot_product_attention` is the exception, there True means use, as here. The
tokenizers of Hugging Face give 1 for use. Its models turn that into booleans, True for use, if
their attention is `sdpa`, the default of Transformers 5.24.0. If it is `eager`, they make numbers
that are added to the scores: 0 for use, a large negative number for ignore.

Every function takes what numpy can make an array of, including a PyTorch tensor on the CPU, also
in bfloat16, and returns a numpy array.
"""

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "from_additive_mask",
    "from_hf_attention_mask",
    "from_torch_attn_mask",
    "from_torch_key_padding_mask",
    "to_additive_mask",
    "to_hf_attention_mask",
    "to_torch_attn_mask",
    "to_torch_key_padding_mask",
]

IGNORED = -1000
"""An additive mask ignores at this number and below. Seen in use: -10000, -1e9, the least number
of a dtype, -inf."""


def from_torch_key_padding_mask(key_padding_mask: ArrayLike) -> np.ndarray:
    """A `key_padding_mask` of PyTorch as a mask of Keras.

    Args:
        key_padding_mask: booleans, or the integers 0 and 1, of shape (batch, keys) or (keys,);
            True = ignore.

    Returns:
        Booleans of the same shape, True = use: `value_mask` of attention, or the mask of a batch.

    Raises:
        ValueError: another number of axes, or other values; numbers that are added to the scores
            are for `from_additive_mask`.
    """
    return ~_booleans(key_padding_mask, "key_padding_mask", (1, 2))


def to_torch_key_padding_mask(mask: ArrayLike) -> np.ndarray:
    """A mask of Keras as a `key_padding_mask` of PyTorch.

    Args:
        mask: booleans, or the numbers 0 and 1, of shape (batch, time) or (time,); True = use.

    Returns:
        Booleans of the same shape, True = ignore: `key_padding_mask` or `src_key_padding_mask`.

    Raises:
        ValueError: another number of axes, or other values.
    """
    return ~_booleans(mask, "mask", (1, 2), numbers=True)


def from_torch_attn_mask(attn_mask: ArrayLike, num_heads: int | None = None) -> np.ndarray:
    """An `attn_mask` of PyTorch as an `attention_mask` of Keras.

    Args:
        attn_mask: booleans, or the integers 0 and 1, of shape (queries, keys) or
            (batch * heads, queries, keys); True = must not attend.
        num_heads: the number of heads, which the second shape needs.

    Returns:
        `attention_mask` of Keras: booleans of shape (queries, keys) or
        (batch, heads, queries, keys); True = may attend.

    Raises:
        ValueError: another shape, or other values; numbers that are added to the scores are for
            `from_additive_mask`.
    """
    allowed = ~_booleans(attn_mask, "attn_mask", (2, 3))
    if allowed.ndim == 2:
        return allowed
    if not num_heads or len(allowed) % num_heads:
        raise ValueError(
            "With three axes the first of `attn_mask` is batch * heads. Received: shape "
            f"{allowed.shape} and num_heads={num_heads}. Give the number of heads of the layer."
        )
    return allowed.reshape(-1, num_heads, *allowed.shape[1:])


def to_torch_attn_mask(attention_mask: ArrayLike, num_heads: int | None = None) -> np.ndarray:
    """An `attention_mask` of Keras as an `attn_mask` of PyTorch.

    Args:
        attention_mask: booleans, or the numbers 0 and 1, of shape (queries, keys),
            (batch, queries, keys) or (batch, heads, queries, keys); True = may attend.
        num_heads: the number of heads, which the second shape needs, and the third where its
            heads are 1.

    Returns:
        Booleans of shape (queries, keys) or (batch * heads, queries, keys);
        True = must not attend.

    Raises:
        ValueError: another shape, or other values.
    """
    ignored = ~_booleans(attention_mask, "attention_mask", (2, 3, 4), numbers=True)
    if ignored.ndim == 2:
        return ignored
    by_head = ignored if ignored.ndim == 4 else ignored[:, None]
    if by_head.shape[1] == 1:
        if not num_heads:
            raise ValueError(
                "PyTorch's `attn_mask` has one entry for each sample and head. Received: shape "
                f"{ignored.shape} and num_heads={num_heads}. Give the number of heads of the layer."
            )
        by_head = np.repeat(by_head, num_heads, axis=1)
    elif num_heads not in (None, by_head.shape[1]):
        raise ValueError(
            "`num_heads` must be the number of heads of the mask. Received: shape "
            f"{ignored.shape} and num_heads={num_heads}. Leave it out, or correct the mask."
        )
    return by_head.reshape(-1, *by_head.shape[2:])


def from_hf_attention_mask(attention_mask: ArrayLike) -> np.ndarray:
    """The `attention_mask` of a tokenizer of Hugging Face as a mask of Keras.

    Args:
        attention_mask: of a tokenizer: the numbers 0 and 1, or booleans, of shape (batch, time);
            1 = use.

    Returns:
        Booleans of the same shape, True = use.

    Raises:
        ValueError: another number of axes, or other values. A mask that a model has made of it,
            with four axes, is for `from_additive_mask`.
    """
    return _booleans(attention_mask, "attention_mask", (2,), numbers=True)


def to_hf_attention_mask(mask: ArrayLike) -> np.ndarray:
    """A mask of Keras as an `attention_mask` of Hugging Face.

    Args:
        mask: booleans, or the numbers 0 and 1, of shape (batch, time); True = use.

    Returns:
        int64 of the same shape, as tokenizers give it; 1 = use.

    Raises:
        ValueError: another number of axes, or other values.
    """
    return _booleans(mask, "mask", (2,), numbers=True).astype("int64")


def from_additive_mask(additive_mask: ArrayLike) -> np.ndarray:
    """A mask that is added to the scores as booleans.

    Args:
        additive_mask: floats that are added to the scores, of any shape that attention takes,
            such as (batch, 1, queries, keys); 0 = use, -1000 and less, -inf too, = ignore.

    Returns:
        Booleans of the same shape, True = use: `attention_mask` of Keras.

    Raises:
        ValueError: other values, such as a bias for positions, which no mask can express, or no
            floats: booleans do not say their polarity.
    """
    mask = _array(additive_mask)
    if not np.issubdtype(mask.dtype, np.floating):
        raise ValueError(
            f"`additive_mask` must hold floats that are added to scores. Received: {mask.dtype}. "
            "Take the function that is named after the mask you have."
        )
    used = mask == 0
    if not np.all(used | (mask <= IGNORED)):
        raise ValueError(
            f"`additive_mask` must hold 0 for use, and {IGNORED} or less for ignore. Received: "
            f"other values, such as {mask[~used & ~(mask <= IGNORED)][0]}. A bias is no mask: add "
            "it to the scores."
        )
    return used


def to_additive_mask(attention_mask: ArrayLike, dtype: str = "float32") -> np.ndarray:
    """Booleans as a mask that is added to the scores.

    Args:
        attention_mask: booleans, or the numbers 0 and 1, of any shape; True = use.
        dtype: float16, float32 or float64, as the scores have it. For bfloat16 take float16, and
            cast the result: the least number of float32 would become -inf.

    Returns:
        Numbers of this dtype and the same shape: 0 = use, the least number of the dtype = ignore.
        It is not -inf, because a softmax over -inf alone is nan.

    Raises:
        ValueError: other values, or another dtype.
    """
    if dtype not in ("float16", "float32", "float64"):
        raise ValueError(
            f"`dtype` must be float16, float32 or float64. Received: {dtype!r}. "
            "For bfloat16 take float16, and cast the result: it stays finite."
        )
    used = _booleans(attention_mask, "attention_mask", None, numbers=True)
    return np.where(used, 0, np.finfo(dtype).min).astype(dtype)


def _array(mask: ArrayLike) -> np.ndarray:
    """Also of a tensor of PyTorch on a GPU, or with a gradient. bfloat16 becomes float32: PyTorch
    gives numpy none, and numpy has no such float."""
    if hasattr(mask, "detach"):
        mask = mask.detach().cpu()
    if str(getattr(mask, "dtype", "")) == "torch.bfloat16":
        mask = mask.float()
    mask = np.asarray(mask)
    return mask.astype("float32") if mask.dtype.name == "bfloat16" else mask


def _booleans(
    mask: ArrayLike, name: str, axes: tuple[int, ...] | None, numbers: bool = False
) -> np.ndarray:
    """
    Args:
        axes: how many it may have.
        numbers: whether floats may represent booleans. In PyTorch they are added to scores.
    """
    mask = _array(mask)
    if axes is not None and mask.ndim not in axes:
        raise ValueError(
            f"`{name}` must have {' or '.join(map(str, axes))} axes. Received: shape {mask.shape}. "
            "The function's text says which shapes it takes."
        )
    kinds = "biuf" if numbers else "biu"
    if mask.dtype.kind not in kinds or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"`{name}` must hold booleans, or {'numbers' if numbers else 'integers'} 0 and 1. "
            f"Received: dtype {mask.dtype}{' with other values' * (mask.dtype.kind in kinds)}. "
            "Numbers that are added to scores are for `from_additive_mask`."
        )
    return mask.astype(bool)
