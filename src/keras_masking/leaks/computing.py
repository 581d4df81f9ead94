"""How a backend computes while runs are compared."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import keras

_IN_HASTE = "jax_disable_most_optimizations"


@contextmanager
def for_comparison() -> Iterator[None]:
    """Products of matrices have all digits of float32. On a GPU, TensorFlow and JAX round what they
    multiply to ten bits (TensorFloat-32), and PyTorch does so in convolutions and recurrent layers,
    but not in every shape. A sample alone then differs from the same one in its batch by 1e-3, and
    that is no padding.

    JAX compiles without most optimizations, which take longer than the few runs of a program. What
    it compiled so is not used again outside, where products have another precision; where they have
    the same, it compiles as always.
    """
    if keras.backend.backend() == "jax":
        import jax

        apart = jax.config.jax_default_matmul_precision != "highest"
        in_haste = jax.config.values[_IN_HASTE] or apart
        with _jax_compiles(in_haste), jax.default_matmul_precision("highest"):
            yield
    elif keras.backend.backend() == "tensorflow":
        from tensorflow.config import experimental as config

        before = config.tensor_float_32_execution_enabled()
        config.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            config.enable_tensor_float_32_execution(before)
    elif keras.backend.backend() == "torch":
        from torch.backends import cudnn

        with cudnn.flags(cudnn.enabled, cudnn.benchmark, cudnn.benchmark_limit, allow_tf32=False):
            yield
    else:
        yield


@contextmanager
def optimized() -> Iterator[None]:
    """JAX compiles with optimizations. Without them the way back through a minimum looks for it
    among numbers that are computed again and rounded otherwise, and may not find it."""
    with _jax_compiles(False) if keras.backend.backend() == "jax" else nullcontext():
        yield


@contextmanager
def _jax_compiles(in_haste: bool) -> Iterator[None]:
    import jax

    before = jax.config.values[_IN_HASTE]
    jax.config.update(_IN_HASTE, in_haste)
    try:
        yield
    finally:
        jax.config.update(_IN_HASTE, before)
