"""Each mend is needed, and enough."""

import pytest


def test_a_pool_of_threads_works_at_once(run):
    code = """
        import concurrent.futures
        import threading
        try:
            threading.Thread(target=int).start()
        except RuntimeError as error:
            print(error)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            print(pool.submit(max, 3, 7).result())
            print(type(pool.submit(int, "x").exception()).__name__)
    """
    assert run(dedent(code)) == "can't start new thread\n7\nValueError\n"


def test_indices_of_64_bits_are_taken(run):
    code = """
        import numpy as np
        n = np.array([2, 1], dtype="int64")
        for function in (np.take, np.repeat):
            try:
                function.__wrapped__(np.arange(3), n[:1])
            except TypeError as error:
                print(str(error)[:17])
        print(np.take(np.arange(3), n), np.repeat(np.arange(2), n))
    """
    assert run(dedent(code)) == "Cannot cast array\nCannot cast array\n[2 1] [0 0 1]\n"


def test_shapes_are_worked_out_on_zeros(run):
    code = """
        import keras
        from keras.src.backend.numpy import core
        print(core.np.empty((2,)), core.np.float32)
        class Words(keras.layers.Layer):
            def call(self, ids):
                return keras.ops.take(keras.ops.ones((2, 3)), ids, axis=0)
        print(Words()(keras.Input((4,), dtype="int32")).shape)
    """
    assert run(dedent(code)) == "[0. 0.] <class 'numpy.float32'>\n(None, 4, 3)\n"


def test_arrays_carry_masks_and_have_numpy(run):
    code = """
        import keras
        import numpy as np
        from keras import layers, ops
        x = np.ones((1, 2, 1), dtype="float32")
        x[0, 1] = 0
        print(hasattr(x, "numpy"), hasattr(x, "_keras_mask"))
        y = layers.Masking()(x)
        print(y._keras_mask.numpy(), layers.Masking().compute_mask(x).numpy())
        print(layers.Dense(1, kernel_initializer="ones")(y)._keras_mask is not None)
        print(type(y.numpy()).__name__, hasattr(y * 1, "_keras_mask"))
        print(ops.sum(y).numpy(), [part.numpy().tolist() for part in ops.split(x, 2, axis=1)])
        print(keras.losses.MeanSquaredError()(x, x).numpy(), keras.metrics.Mean()([3.0]).numpy())
        print(type(ops.convert_to_numpy(y)).__name__)
    """
    assert run(dedent(code)) == (
        "False False\n[[ True False]] [[ True False]]\nTrue\nndarray False\n"
        "1.0 [[[[1.0]]], [[[0.0]]]]\n0.0 3.0\nndarray\n"
    )


@pytest.mark.parametrize(
    "name",
    ["keras.applications.ResNet50", "keras.layers.RandomFlip", "keras.datasets.imdb.load_data"],
)
def test_what_is_left_out_of_keras_says_so_when_it_is_used(runtime, name):
    result = runtime.run(f"import keras\nx = {name}\nx()")
    assert result["status"] == "error"
    assert result["error"].endswith("is left out in the browser: run this on your machine\n")
    assert "line 3, in <module>" in result["error"]


def test_docstrings_are_empty_and_still_strings(run):
    code = """
        import keras
        print(repr(keras.layers.Dense.__doc__), type(keras.optimizers.Adam.__doc__).__name__)
    """
    assert run(dedent(code)) == "'' str\n"


def test_a_model_is_saved_loaded_trained_in_no_way(run, runtime):
    code = """
        import keras
        import numpy as np
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.save("model.keras")
        x = np.ones((1, 2))
        print(np.array_equal(keras.models.load_model("model.keras")(x), model(x)))
        model.compile("sgd", "mse")
        print(model.evaluate(x, model(x), verbose=0))
    """
    assert run(dedent(code)) == "True\n0.0\n"
    result = runtime.run(dedent(code) + "model.fit(x, x)")
    assert result["error"].endswith("NotImplementedError: fit not implemented for NumPy backend.\n")


def dedent(code: str) -> str:
    import textwrap

    return textwrap.dedent(code)
