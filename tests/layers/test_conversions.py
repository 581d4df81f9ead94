import numpy as np
import pytest
from conftest import EXAMPLES, array, needs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops

import keras_masking
from keras_masking import (
    MaskedMultiHeadAttention,
    conversions,
    from_additive_mask,
    from_hf_attention_mask,
    from_torch_attn_mask,
    from_torch_key_padding_mask,
    to_additive_mask,
    to_hf_attention_mask,
    to_torch_attn_mask,
    to_torch_key_padding_mask,
)

MASK = np.array([[True, True, False], [True, False, False]])
CAUSAL = np.tri(3, dtype=bool)


def same(one, other, dtype=bool):
    np.testing.assert_array_equal(one, other)
    assert one.dtype == dtype


def test_each_is_exported():
    assert set(conversions.__all__) <= set(keras_masking.__all__)


def test_key_padding_mask_of_pytorch_is_true_where_it_ignores():
    same(from_torch_key_padding_mask([[False, False, True], [False, True, True]]), MASK)
    same(to_torch_key_padding_mask(MASK), [[False, False, True], [False, True, True]])
    same(from_torch_key_padding_mask([0, 0, 1]), MASK[0])
    same(to_torch_key_padding_mask([1.0, 1.0, 0.0]), [False, False, True])


def test_attn_mask_of_pytorch_is_true_where_it_does_not_attend():
    torch_causal = np.triu(np.ones((3, 3), bool), k=1)
    same(from_torch_attn_mask(torch_causal), CAUSAL)
    same(to_torch_attn_mask(CAUSAL), torch_causal)


def test_attn_mask_by_head_counts_the_heads_of_a_sample_one_after_another():
    by_head = np.random.default_rng(0).random((2, 4, 3, 5)) < 0.5
    given = np.stack([~by_head[b, h] for b in range(2) for h in range(4)])
    same(from_torch_attn_mask(given, num_heads=4), by_head)
    same(to_torch_attn_mask(by_head), given)
    same(to_torch_attn_mask(by_head, num_heads=4), given)


def test_an_attention_mask_of_samples_is_repeated_for_the_heads():
    pairs = MASK[:, :, None] & MASK[:, None]
    expected = ~np.stack([pairs[0], pairs[0], pairs[1], pairs[1]])
    same(to_torch_attn_mask(pairs, num_heads=2), expected)
    same(to_torch_attn_mask(pairs[:, None], num_heads=2), expected)


def test_attention_mask_of_hugging_face_is_1_where_it_uses():
    same(from_hf_attention_mask([[1, 1, 0], [1, 0, 0]]), MASK)
    same(to_hf_attention_mask(MASK), [[1, 1, 0], [1, 0, 0]], "int64")


@pytest.mark.parametrize("ignored", [-1000, -10000, -1e9, np.finfo("float32").min, -np.inf])
def test_additive_masks_are_0_where_they_use(ignored):
    additive = np.where(MASK, 0, ignored).astype("float32")[:, None, None]
    same(from_additive_mask(additive), MASK[:, None, None])


def test_what_is_small_enough_to_count_is_a_bias_and_no_mask():
    with pytest.raises(ValueError, match=r"-999\.5.* A bias is no mask"):
        from_additive_mask(np.array([[0, -999.5]], "float32"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_additive_masks_are_finite_in_their_dtype(dtype):
    additive = to_additive_mask(MASK, dtype)
    same(additive, np.where(MASK, 0, np.finfo(dtype).min), dtype)
    assert np.isfinite(additive).all()


def test_an_additive_mask_for_bfloat16_is_cast_from_float16():
    rows = np.array([[True, False], [False, False]])
    cast = ops.cast(to_additive_mask(rows, "float16"), "bfloat16")
    np.testing.assert_array_equal(array(ops.softmax(cast)), [[1, 0], [0.5, 0.5]])
    assert np.isinf(array(ops.cast(to_additive_mask(rows), "bfloat16"))).any()


class TorchBfloat16:
    """As a tensor of PyTorch, which this environment does not have."""

    dtype = "torch.bfloat16"

    def __init__(self, values):
        self.values = values

    def float(self):
        return np.asarray(self.values, "float32")

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Got unsupported ScalarType BFloat16")


@pytest.mark.parametrize("bfloat16", [lambda x: ops.cast(x, "bfloat16"), TorchBfloat16])
def test_bfloat16_is_taken(bfloat16):
    same(from_additive_mask(bfloat16(np.where(MASK, 0.0, -1e4))), MASK)
    same(from_hf_attention_mask(bfloat16(np.where(MASK, 1.0, 0.0))), MASK)
    with pytest.raises(ValueError, match="such as -0.5. A bias"):
        from_additive_mask(bfloat16(np.array([0, -0.5])))


class OnGpu:
    """As a tensor of PyTorch on a GPU, which this environment does not have."""

    def __init__(self, values):
        self.values = values

    def detach(self):
        return self

    def cpu(self):
        return self.values

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert cuda:0 device type tensor to numpy.")


def test_a_mask_on_a_gpu_is_taken():
    same(from_torch_key_padding_mask(OnGpu(~MASK)), MASK)
    same(from_additive_mask(OnGpu(np.where(MASK, 0.0, -1e4))), MASK)


@settings(max_examples=EXAMPLES, derandomize=True)
@given(mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2)), heads=st.integers(1, 3))
def test_there_and_back_is_the_same(mask, heads):
    same(from_torch_key_padding_mask(to_torch_key_padding_mask(mask)), mask)
    same(from_torch_attn_mask(to_torch_attn_mask(mask)), mask)
    by_head = np.repeat(mask[None, None], heads, axis=1)
    same(from_torch_attn_mask(to_torch_attn_mask(by_head, heads), heads), by_head)
    same(from_hf_attention_mask(to_hf_attention_mask(mask)), mask)
    same(from_additive_mask(to_additive_mask(mask)), mask)


@needs["tensorflow"]  # the functions are numpy on every backend
def test_the_layers_take_what_comes_out():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    attend = MaskedMultiHeadAttention(2, 3)
    expected = array(attend(x, x, value_mask=MASK))
    additive = to_additive_mask(np.broadcast_to(MASK[:, None, None], (2, 1, 3, 3)))
    torch = to_torch_attn_mask(np.broadcast_to(MASK[:, None], (2, 3, 3)), num_heads=2)
    for mask in (
        {"value_mask": from_torch_key_padding_mask(~MASK)},
        {"value_mask": from_hf_attention_mask(MASK.astype("int64"))},
        {"attention_mask": from_additive_mask(additive)},
        {"attention_mask": from_torch_attn_mask(torch, num_heads=2)},
    ):
        np.testing.assert_allclose(array(attend(x, x, **mask)), expected, rtol=1e-6)


REFUSED = {
    "added numbers as booleans": (
        from_torch_key_padding_mask,
        [[0.0, -1e9]],
        "`key_padding_mask` must hold .* dtype float64. Numbers that .* `from_additive_mask`",
    ),
    "floats that PyTorch would add": (from_torch_attn_mask, [[0.0, 1.0]], "integers 0 and 1"),
    "lengths": (to_torch_key_padding_mask, [[3, 1]], "numbers 0 and 1.*with other values"),
    "strings": (from_hf_attention_mask, [["1", "0"]], "dtype <U1"),
    "nan": (to_hf_attention_mask, [[np.nan, 1]], "with other values"),
    "a mask of four axes": (
        from_hf_attention_mask,
        np.ones((1, 1, 2, 2)),
        r"must have 2 axes. Received: shape \(1, 1, 2, 2\)",
    ),
    "heads unknown": (from_torch_attn_mask, np.ones((4, 3, 3), bool), "num_heads=None. Give"),
    "heads that do not divide": (
        lambda mask: from_torch_attn_mask(mask, 3),
        np.ones((4, 3, 3), bool),
        r"shape \(4, 3, 3\) and num_heads=3",
    ),
    "heads to repeat unknown": (to_torch_attn_mask, np.ones((2, 3, 3)), "num_heads=None. Give"),
    "heads that contradict": (
        lambda mask: to_torch_attn_mask(mask, 3),
        np.ones((2, 4, 3, 3)),
        "num_heads=3. Leave it out",
    ),
    "a bias": (from_additive_mask, [[0.0, -0.5]], "such as -0.5. A bias is no mask"),
    "nan as bias": (from_additive_mask, [[0.0, np.nan]], "such as nan"),
    "booleans as additive": (from_additive_mask, MASK, "Received: bool"),
    "another dtype": (lambda mask: to_additive_mask(mask, "int32"), MASK, "Received: 'int32'"),
    "bfloat16": (lambda mask: to_additive_mask(mask, "bfloat16"), MASK, "bfloat16 take float16"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused(case):
    convert, mask, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        convert(mask)
