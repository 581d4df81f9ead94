"""What LSTM and GRU make of a mask: for each mask and way to run, right, or how far off, or raises.

On any backend, on the device that it finds. Right is what each sample gives alone, without padding
and without cuDNN. These are the masks that the page of recurrent layers speaks of.
"""

import keras
import numpy as np
from bench_recurrent import device
from keras import layers, ops

STEPS, FEATURES, UNITS = 6, 3, 4
LENGTHS = np.array([[6], [4], [3], [1]])
AT_THE_END = np.arange(STEPS) < LENGTHS
MASKS = {
    "at the end": AT_THE_END,
    "in front": AT_THE_END[:, ::-1],
    "a gap": AT_THE_END & ~np.eye(4, STEPS, k=2, dtype=bool),
    "an empty row": AT_THE_END & (LENGTHS > 1),
}
LAYERS = {
    "LSTM": lambda **options: layers.LSTM(UNITS, **options),
    "GRU": lambda **options: layers.GRU(UNITS, **options),
    "Bidirectional": lambda **options: layers.Bidirectional(layers.LSTM(UNITS, **options)),
}


def eagerly(layer, x, mask):
    return ops.convert_to_numpy(layer(x, mask=ops.convert_to_tensor(mask)))


def predicted(layer, x, mask, **options):
    inputs = keras.Input((STEPS, FEATURES)), keras.Input((STEPS,), dtype="bool")
    model = keras.Model(inputs, layer(inputs[0], mask=inputs[1]))
    model.compile(**options)
    return model.predict([x, mask], verbose=0)


def compiled(layer, x, mask):
    return predicted(layer, x, mask, jit_compile=True)


def errors(make, mask, way, use_cudnn):
    """The largest difference from samples alone, or the name of the error."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(*mask.shape, FEATURES)).astype("float32")
    layer, alone = make(use_cudnn=use_cudnn), make(use_cudnn=False)
    layer.build(x.shape), alone.build(x.shape)
    alone.set_weights(layer.get_weights())
    try:
        result = way(layer, x, mask)
    except Exception as error:
        return type(error).__name__
    rows = [i for i, row in enumerate(mask) if row.any()]
    right = [ops.convert_to_numpy(alone(x[i : i + 1, mask[i]]))[0] for i in rows]
    return f"{np.abs(result[rows] - right).max():.1e}"


def main() -> None:
    print(f"{keras.backend.backend()} on {device()}, Keras {keras.__version__}")
    ways = [eagerly, predicted] + [compiled] * (keras.backend.backend() != "torch")
    for name, make in LAYERS.items():
        for side, mask in MASKS.items():
            for use_cudnn in ("auto", True, False):
                found = [f"{way.__name__} {errors(make, mask, way, use_cudnn)}" for way in ways]
                print(
                    f"  {name:15}{side:14}use_cudnn={use_cudnn!s:7}", "  ".join(found), flush=True
                )


if __name__ == "__main__":
    main()
