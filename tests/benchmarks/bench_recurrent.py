"""LSTM and GRU with a mask against the same without one: predict and training, ratios in one run.

On any backend that trains, on the device that it finds: KERAS_BACKEND=torch on a GPU shows what it
costs that a mask rules cuDNN out. Both models are given the mask; without one it only adds zeros.
Samples are padded at the end, from half of the steps to none. Each time is the median of seven,
after two that compile. The numbers on the page of costs are of this measurement on a GPU.
"""

import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

FEATURES = 64
SIZES = ((32, 100, 128), (64, 400, 256))  # samples, steps, units
REPEATS = 7


def model_of(layer: keras.Layer, steps: int, masked: bool) -> keras.Model:
    x = keras.Input((steps, FEATURES))
    mask = keras.Input((steps,), dtype="bool")
    y = layer(x, mask=mask) if masked else layer(x) + 0 * ops.cast(mask[:, :1], "float32")
    model = keras.Model([x, mask], y)
    model.compile("sgd", "mse")
    return model


def milliseconds(function: Callable[[], object]) -> float:
    taken = []
    for repeat in range(-2, REPEATS):  # the first two compile and warm up
        start = time.perf_counter()
        function()
        if repeat >= 0:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e3


def times(kind: type[keras.Layer], size: tuple[int, int, int], masked: bool) -> tuple[float, float]:
    """Of a prediction and of a step of training."""
    samples, steps, units = size
    random = np.random.default_rng(0)
    x = random.normal(size=(samples, steps, FEATURES)).astype("float32")
    lengths = random.integers(steps // 2, steps + 1, size=(samples, 1))
    inputs, y = [x, np.arange(steps) < lengths], np.zeros((samples, units), "float32")
    model = model_of(kind(units), steps, masked)
    return (
        milliseconds(lambda: model.predict_on_batch(inputs)),
        milliseconds(lambda: model.train_on_batch(inputs, y)),
    )


def device() -> str:
    """What the backend computes on."""
    match keras.backend.backend():
        case "torch":
            import torch

            return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
        case "jax":
            import jax

            return jax.devices()[0].device_kind
    import tensorflow as tf

    return "gpu" if tf.config.list_physical_devices("GPU") else "cpu"


def main() -> None:
    print(f"{keras.backend.backend()} on {device()}, Keras {keras.__version__}")
    for size in SIZES:
        for kind in (layers.LSTM, layers.GRU):
            plain, masked = times(kind, size, False), times(kind, size, True)
            row = f"  {kind.__name__:5}{size!s:16}"
            for name, before, after in zip(("predict", "train"), plain, masked, strict=True):
                row += f"{name:>9}{before:9.1f} ms{after:9.1f} ms{after / before:6.1f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
