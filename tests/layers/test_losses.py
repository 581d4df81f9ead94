import keras
import numpy as np
import pytest
from conftest import array, needs_gradients, slopes
from keras import layers, ops
from keras.src.backend import set_keras_mask

from keras_masking import SampleMeanLoss, SampleMeanMetric, TokenMeanMetric

nan, inf = np.nan, np.inf

# squared errors 1 1 1 1 and 4: 8 / 5 a token, (1 + 4) / 2 a sample
ERRORS = [[1, 1, 1, 1], [2, 0, 0, 0]]
MASK = [[1, 1, 1, 1], [1, 0, 0, 0]]


def predicted(values, mask, dtype="float32"):
    """As a model gives it to a loss: with one feature and a mask."""
    y = ops.convert_to_tensor(np.asarray(values, dtype)[..., None])
    if mask is not None:
        set_keras_mask(y, ops.convert_to_tensor(np.asarray(mask, bool)))
    return y


def of_loss(values, mask, weights=None, y_true=0.0, loss="mse", **options):
    y_pred = predicted(values, mask)
    y_true = np.full(y_pred.shape, y_true, "float32")
    return float(SampleMeanLoss(loss, **options)(y_true, y_pred, sample_weight=weights))


def of_metric(metric, batches):
    metric = metric(keras.losses.mean_squared_error)
    for values, mask, *weights in batches:
        y_pred = predicted(values, mask)
        metric.update_state(np.zeros(y_pred.shape, "float32"), y_pred, *weights)
    return float(metric.result())


# by name: errors, mask, mean of the samples' means, mean of the steps
CASES = {
    "no mask": (ERRORS, None, (1 + 1) / 2, 8 / 8),
    "unequal lengths": (ERRORS, MASK, (1 + 4) / 2, 8 / 5),
    "padding on the left and in between": ([[9, 1], [3, 9]], [[0, 1], [1, 0]], 5, 5),
    "more padding": ([[*row, 7, 7] for row in ERRORS], [[*row, 0, 0] for row in MASK], 2.5, 1.6),
    "nan and inf in padding": ([[1, 1, 1, 1], [2, nan, inf, -inf]], MASK, 2.5, 1.6),
    "a fully padded row": ([*ERRORS, [5] * 4], [*MASK, [0] * 4], 2.5, 1.6),
    "nothing but padding": ([[3, nan]], [[0, 0]], 0, 0),
    "an empty batch": (np.zeros((0, 3)), np.zeros((0, 3)), 0, 0),
    "two time axes": ([[[1, 2], [3, 9]]], [[[1, 1], [1, 0]]], 14 / 3, 14 / 3),
}


@pytest.mark.parametrize("name", CASES)
def test_named_case(name):
    values, mask, samples, tokens = CASES[name]
    assert of_loss(values, mask) == pytest.approx(samples)
    assert of_metric(SampleMeanMetric, [(values, mask)]) == pytest.approx(samples)
    assert of_metric(TokenMeanMetric, [(values, mask)]) == pytest.approx(tokens)


@pytest.mark.parametrize("padding", [0, 3])
def test_batches_of_unlike_width(padding):
    batches = [
        ([[1] * 4], [[1] * 4]),
        ([[2, *[9] * padding]], [[1, *[0] * padding]]),
        ([[1, 3]], [[1, 1]]),
    ]
    assert of_metric(SampleMeanMetric, batches) == pytest.approx((1 + 4 + 5) / 3)
    assert of_metric(TokenMeanMetric, batches) == pytest.approx((4 + 4 + 10) / 7)


@pytest.mark.parametrize("loss", ["mse", keras.losses.MeanSquaredError(), "mean_squared_error"])
def test_without_a_mask_it_is_the_loss_of_keras(loss):
    x, y = np.random.default_rng(0).normal(size=(2, 3, 5, 2)).astype("float32")
    stock = array(keras.losses.MeanSquaredError()(y, ops.array(x)))
    np.testing.assert_allclose(array(SampleMeanLoss(loss)(y, ops.array(x))), stock, rtol=1e-6)


def test_weights_multiply_the_loss():
    weights = np.array([1, 3])
    assert of_loss(ERRORS, MASK, weights) == (1 + 3 * 4) / 2
    assert of_loss(ERRORS, MASK, weights[:, None]) == (1 + 3 * 4) / 2
    assert of_loss(ERRORS, MASK, [[1, 3, 1, 3], [3, nan, nan, nan]]) == (2 + 3 * 4) / 2


def test_weights_make_a_weighted_mean_of_a_metric():
    for weights in (np.array([1, 3]), np.array([[1], [3]])):
        batch = [(ERRORS, MASK, weights)]
        assert of_metric(SampleMeanMetric, batch) == (1 + 3 * 4) / 4
        assert of_metric(TokenMeanMetric, batch) == pytest.approx((4 + 3 * 4) / 7)
    steps = [(ERRORS, MASK, [[1, 0, 0, 0], [3, nan, nan, nan]])]
    assert of_metric(TokenMeanMetric, steps) == (1 + 3 * 4) / 4
    with pytest.raises(ValueError, match="one weight per sample.*TokenMeanMetric"):
        of_metric(SampleMeanMetric, steps)


def test_labels_in_padding_need_not_be_classes():
    y_pred = np.log([[[0.5, 0.5], [0.25, 0.75]], [[0.125, 0.875], [nan, nan]]])
    y_pred = ops.convert_to_tensor(y_pred.astype("float32"))
    set_keras_mask(y_pred, ops.convert_to_tensor(np.array([[True, True], [True, False]])))
    y_true = np.array([[0, 0], [0, -1]])
    loss = SampleMeanLoss(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    expected = np.log(2) * (1.5 + 3) / 2
    assert float(loss(y_true, y_pred)) == pytest.approx(expected, rel=1e-6)
    right = SampleMeanMetric(keras.metrics.sparse_categorical_accuracy)
    right.update_state(y_true, y_pred)
    assert float(right.result()) == 0.25


# by name: labels, mask, mean of the samples' means, mean of the steps; the loss of the label 1 is
# 1, 2, 3, 4 times log 2, -7 is the label that the loss leaves out
IGNORED = {
    "no mask": ([[1, -7, 1, -7], [1, 1, -7, -7]], None, (2 + 1.5) / 2, (1 + 3 + 1 + 2) / 4),
    "within a mask": (
        [[1, -7, 1, 1], [-7, 1, -7, 1]],
        [[1, 1, 1, 0], [1, 1, 0, 0]],
        (2 + 2) / 2,
        (1 + 3 + 2) / 3,
    ),
    "nothing left out": ([[1, 1, 1, 0]], [[1, 1, 1, 0]], 2, 2),
    "padding on the left": ([[-7, 1, -7, 1]], [[0, 0, 1, 1]], 4, 4),
    "a row of which nothing is left": ([[1, 1, 1, 1], [-7] * 4], [[1] * 4] * 2, 2.5, 2.5),
    "nothing left at all": ([[-7, -7, 1, -7]], [[1, 1, 0, 0]], 0, 0),
    "an empty batch": (np.zeros((0, 4), int), np.zeros((0, 4)), 0, 0),
}


def halved(mask, rows, dtype="float32"):
    """Logits of two classes; class 1 has the probability 1/2, 1/4, 1/8 and 1/16 by step."""
    p = 0.5 ** np.arange(1, 5)
    logits = np.log(np.stack([1 - p, p], axis=-1))
    y = ops.convert_to_tensor(np.broadcast_to(logits, (rows, 4, 2)).astype(dtype))
    if mask is not None:
        set_keras_mask(y, ops.convert_to_tensor(np.asarray(mask, bool)))
    return y


def crossentropy(y_true, y_pred):
    return keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True, ignore_class=-7
    )


CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-7)


@pytest.mark.parametrize("name", IGNORED)
def test_steps_that_the_loss_leaves_out_are_not_counted(name):
    labels, mask, samples, tokens = IGNORED[name]
    labels = np.array(labels)
    for loss in (CROSSENTROPY, crossentropy):
        for y_true in (labels, labels[..., None]):
            result = SampleMeanLoss(loss)(y_true, halved(mask, len(labels)))
            assert float(result) / np.log(2) == pytest.approx(samples, rel=1e-5)
    for metric, expected in ((SampleMeanMetric, samples), (TokenMeanMetric, tokens)):
        metric = metric(crossentropy)
        metric.update_state(labels, halved(mask, len(labels)))
        assert float(metric.result()) / np.log(2) == pytest.approx(expected, rel=1e-5)


def test_weights_beside_steps_that_the_loss_leaves_out():
    labels, mask = np.array([[1, -7, 1, 1], [-7, 1, 1, -7]]), [[1, 1, 1, 0], [1, 1, 1, 1]]
    y_pred = halved(mask, 2)
    of_steps = np.array([[2, nan, 0, nan], [0, 1, 3, 0]])

    def loss(weights):
        return float(SampleMeanLoss(CROSSENTROPY)(labels, y_pred, weights)) / np.log(2)

    def metric(kind, weights):
        kind = kind(crossentropy)
        kind.update_state(labels, y_pred, weights)
        return float(kind.result()) / np.log(2)

    # the losses left are 1, 3 and 2, 3
    assert loss(of_steps) == pytest.approx(((2 * 1 + 0) / 2 + (2 + 9) / 2) / 2)
    assert loss((labels != -7).astype("float32")) == pytest.approx((2 + 2.5) / 2)
    assert loss([[1], [3]]) == pytest.approx((2 + 3 * 2.5) / 2)
    assert metric(SampleMeanMetric, [[1], [3]]) == pytest.approx((2 + 3 * 2.5) / 4)
    assert metric(TokenMeanMetric, [[1], [3]]) == pytest.approx((4 + 3 * 5) / 8)
    assert metric(TokenMeanMetric, of_steps) == pytest.approx((2 + 2 + 9) / (2 + 1 + 3))


def test_a_function_may_leave_out_a_part_of_a_step():
    values = np.array([[[1, 3], [9, nan]], [[nan, nan], [2, 2]]], "float32")[..., None]
    mask = np.array([[1, 0], [1, 1]])

    def seen(y_true, y_pred):
        result = ops.mean((y_true - y_pred) ** 2, axis=-1)
        set_keras_mask(result, y_true[..., 0] == y_true[..., 0])
        return result

    y_pred = ops.convert_to_tensor(np.zeros_like(values))
    # without a mask each number is a step
    expected = ((1 + 9 + 81) / 3 + (4 + 4) / 2) / 2
    assert float(SampleMeanLoss(seen)(values, y_pred)) == pytest.approx(expected)
    set_keras_mask(y_pred, ops.convert_to_tensor(mask.astype(bool)))
    # the first sample has one step, (1 + 9) / 2; of the second only the last step is left
    assert float(SampleMeanLoss(seen)(values, y_pred)) == pytest.approx((5 + 4) / 2)


def test_half_precision_leaves_out_the_same_steps():
    y_pred = halved([[1, 1, 1, 0]], 1, "float16")
    loss = SampleMeanLoss(CROSSENTROPY, dtype="float16")
    result = loss(np.array([[1, -7, 1, -7]]), y_pred)
    assert float(result) / np.log(2) == pytest.approx(2, rel=2e-3)


NAN_TARGETS = np.array([[1, nan, 2, 0], [3, 1, nan, inf]], "float32")[..., None]
NAN_SEEN = np.array([[1, 0, 1, 1], [1, 1, 0, 0]])


def test_nan_targets_of_weight_0_do_no_harm():
    # squared errors 0 - 1 16 and 4 1; a loss is divided by all valid steps, a metric by weights
    y_pred = predicted([[1, 2, 3, 4], [1, 2, 0, 0]], [[1] * 4, [1, 1, 1, 0]])
    mse = keras.losses.mean_squared_error
    assert float(SampleMeanLoss("mse")(NAN_TARGETS, y_pred, NAN_SEEN)) == pytest.approx(
        (17 / 4 + 5 / 3) / 2
    )
    token = TokenMeanMetric(mse)
    token.update_state(NAN_TARGETS, y_pred, NAN_SEEN)
    assert float(token.result()) == pytest.approx((1 + 16 + 4 + 1) / 5)
    sample = SampleMeanMetric(mse)
    y_true = np.array([[nan] * 4, [3, 1, 0, nan]], "float32")[..., None]
    sample.update_state(y_true, y_pred, np.array([0, 2]))
    assert float(sample.result()) == pytest.approx(5 / 3)
    assert np.isnan(float(SampleMeanLoss("mse")(NAN_TARGETS, y_pred)))


@needs_gradients
def test_gradient_is_0_where_the_weight_is_0_whatever_stands_there():
    def loss(x):
        y_pred = x * 1
        set_keras_mask(y_pred, ops.convert_to_tensor(np.array([[1] * 4, [1, 1, 1, 0]], bool)))
        return SampleMeanLoss("mse")(NAN_TARGETS, y_pred, sample_weight=NAN_SEEN)

    x = np.array([[1, nan, 3, 4], [1, 2, inf, nan]], "float32")[..., None]
    expected = [[0, 0, 1 / 4, 1], [-4 / 6, 2 / 6, 0, 0]]
    np.testing.assert_allclose(gradient(loss, x)[..., 0], expected, rtol=1e-6)


def test_half_precision_is_added_up_in_float32():
    values, mask = np.full((1, 70000), 1.0), np.ones((1, 70000))
    loss = SampleMeanLoss("mse", dtype="float16")
    y_pred = predicted(values, mask, "float16")
    result = loss(np.zeros(y_pred.shape, "float16"), y_pred)
    assert keras.backend.standardize_dtype(result.dtype) == "float16"
    assert float(result) == 1


def gradient(function, x):
    if keras.backend.backend() == "jax":
        import jax

        return array(jax.grad(function)(ops.array(x)))
    return slopes(function, x)[0]


@needs_gradients
def test_gradient_is_that_of_the_samples_alone_and_0_in_padding():
    mask = np.array(MASK, bool)

    def loss(x):
        y_pred = x * 1
        set_keras_mask(y_pred, ops.convert_to_tensor(mask))
        return SampleMeanLoss(lambda y_true, y_pred: ops.log(y_pred)[..., 0])(x * 0, y_pred)

    x = np.where(mask, [[1, 2, 4, 8], [2, 0, 0, 0]], [nan, inf, 0, -1]).astype("float32")[..., None]
    expected = [[1 / 8, 1 / 16, 1 / 32, 1 / 64], [1 / 4, 0, 0, 0]]
    np.testing.assert_allclose(gradient(loss, x)[..., 0], expected, rtol=1e-6)


def compiled(loss, jit_compile=None):
    model = keras.Sequential(
        [
            keras.Input((None, 1)),
            layers.Masking(mask_value=-9.0),
            layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    fn = keras.losses.mean_squared_error
    model.compile(
        keras.optimizers.SGD(0.1),
        loss=loss,
        metrics=[SampleMeanMetric(fn, name="sample"), TokenMeanMetric(fn, name="token")],
        jit_compile=jit_compile,
    )
    return model


def tagger(loss, jit_compile=None, **metrics):
    """Of two classes, from ids 1 to 4 the logits of `halved`; 0 is padding."""
    model = keras.Sequential(
        [keras.Input((None,), dtype="int32"), layers.Embedding(5, 2, mask_zero=True)]
    )
    model.set_weights([np.concatenate([np.zeros((1, 2)), array(halved(None, 1))[0]])])
    model.compile(keras.optimizers.SGD(0.0), loss, jit_compile=jit_compile, **metrics)
    return model


IDS = np.array([[1, 2, 3, 4], [1, 2, 0, 0], [3, 0, 0, 0]])
LABELS = np.array([[1, -7, 1, 1], [-7, 1, 0, 0], [1, 0, 0, 0]])


@needs_gradients
@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_leaves_out_what_the_loss_leaves_out(jit_compile):
    model = tagger(
        SampleMeanLoss(CROSSENTROPY), jit_compile, metrics=[TokenMeanMetric(crossentropy)]
    )
    (loss,) = model.fit(IDS, LABELS, batch_size=3, verbose=0).history["loss"]
    assert loss / np.log(2) == pytest.approx((8 / 3 + 2 + 3) / 3)
    _, metric = model.evaluate(IDS, LABELS, verbose=0)
    assert metric / np.log(2) == pytest.approx((8 + 2 + 3) / 5)


@needs_gradients
def test_fit_of_keras_hands_metrics_a_mask_except_on_jax():
    x = np.array([[1.0, -9.0]], "float32")[..., None]
    model = compiled("mse")
    logs = model.fit(x, x * 0 + 1, verbose=0).history
    assert logs["token"] == ([0.5] if keras.backend.backend() == "jax" else [0.0])
    assert model.evaluate(x, x * 0 + 1, verbose=0, return_dict=True)["token"] == 0


CLASS_WEIGHT = {0: 1.0, 1: 5.0}
REFUSED = r"weight per sample.*\(batch, 1\).*`class_weight`.*weight_of_class\[y_true\]"


def of_arrays(model, y):
    model.fit(IDS, y, class_weight=CLASS_WEIGHT, verbose=0)


def of_a_batch(model, y):
    model.train_on_batch(IDS, y, class_weight=CLASS_WEIGHT)


def of_a_dataset(model, y):
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_generator(
        lambda: zip(IDS, y, strict=True),
        output_signature=(tf.TensorSpec([None], "int32"), tf.TensorSpec([None], "int32")),
    )
    model.fit(data.padded_batch(3), class_weight=CLASS_WEIGHT, verbose=0)


@needs_gradients
@pytest.mark.parametrize("train", [of_arrays, of_a_batch, of_a_dataset])
def test_class_weight_with_a_label_a_step_is_refused(train):
    with pytest.raises(ValueError, match=REFUSED):
        train(tagger(SampleMeanLoss(CROSSENTROPY)), np.abs(LABELS) % 2)


def test_weights_of_samples_beside_labels_of_steps_have_two_axes():
    labels, y_pred = np.ones((2, 4), int), halved(MASK, 2)
    loss = SampleMeanLoss(CROSSENTROPY)
    with pytest.raises(ValueError, match=REFUSED):
        loss(labels, y_pred, np.array([1, 3]))
    for metric in (SampleMeanMetric, TokenMeanMetric):
        with pytest.raises(ValueError, match=REFUSED):
            metric(crossentropy).update_state(labels, y_pred, np.array([1, 3]))
    assert float(loss(labels, y_pred, np.array([[1], [3]]))) / np.log(2) == pytest.approx(
        (2.5 + 3 * 1) / 2
    )
    with pytest.raises(ValueError, match=REFUSED):
        SampleMeanLoss("mse")(np.zeros((2, 4)), predicted(ERRORS, None), np.array([1, 3]))
    # one label a sample: `class_weight` is right
    for y_true, y_pred in (
        (np.zeros((2, 3)), np.ones((2, 3), "float32")),
        (np.zeros((2, 1)), np.ones((2, 1, 1), "float32")),
        (np.zeros((2,)), np.ones((2, 1), "float32")),
    ):
        assert float(SampleMeanLoss("mse")(y_true, ops.array(y_pred), np.array([1, 3]))) == 2


BATCH = np.where(MASK, ERRORS, -9).astype("float32")[..., None]


def test_evaluate_gives_the_model_the_same_loss_alone_and_padded():
    model = compiled(SampleMeanLoss("mse"))
    for x in (BATCH, np.pad(BATCH, ((0, 0), (0, 3), (0, 0)), constant_values=-9)):
        for size in (1, 2):
            logs = model.evaluate(x, x * 0, batch_size=size, verbose=0, return_dict=True)
            assert logs == pytest.approx({"loss": 2.5, "sample": 2.5, "token": 1.6})
    logs = model.evaluate(BATCH, BATCH * 0, sample_weight=np.array([1.0, 3.0]), verbose=0)
    assert logs[0] == (1 + 3 * 4) / 2


@needs_gradients
@pytest.mark.parametrize("jit_compile", [False, True])
def test_fit_takes_the_step_of_the_mean_of_the_samples(jit_compile):
    model = compiled(SampleMeanLoss("mse"), jit_compile)
    history = model.fit(BATCH, BATCH * 0, verbose=0).history
    assert history["loss"] == [2.5]
    # the loss is 2.5 w², its slope at w = 1 is 5
    np.testing.assert_allclose(model.get_weights()[0], [[1 - 0.1 * 5]], rtol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
def fourth_power(y_true, y_pred):
    return ops.mean((y_true - y_pred) ** 4, axis=-1)


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        fourth_power,
        keras.losses.BinaryCrossentropy(from_logits=True),
        keras.losses.mean_absolute_error,
    ],
)
def test_saved_and_loaded(loss, tmp_path):
    model = compiled(SampleMeanLoss(loss))
    expected = model.evaluate(BATCH, BATCH * 0, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.loss, SampleMeanLoss)
    np.testing.assert_array_equal(loaded.evaluate(BATCH, BATCH * 0, verbose=0), expected)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="default reduction.*reduction='sum'"):
        SampleMeanLoss(keras.losses.MeanSquaredError(reduction="sum"))
    with pytest.raises(ValueError, match="`loss` must be the name.*Received: None"):
        SampleMeanLoss(None)
    with pytest.raises(ValueError, match=r"`fn` must be a function.*Received: 'mse'"):
        SampleMeanMetric("mse")
    for mask in (MASK, None):
        with pytest.raises(ValueError, match=r"What the function returns.*shape \(\).*average"):
            of_loss(ERRORS, mask, loss=lambda y_true, y_pred: ops.mean(y_pred))
    for wrong in (np.ones((3,)), np.ones((2, 3)), np.ones((2, 4, 1)), 1.0):
        with pytest.raises(ValueError, match="`sample_weight` must hold one weight per sample"):
            of_loss(ERRORS, MASK, wrong)
    with pytest.raises(ValueError, match=r"\(2, 4\).*`y_true` needs that last axis too"):
        SampleMeanLoss("mse")(np.zeros((2, 4)), predicted(ERRORS, MASK))
    logits = predicted(np.zeros((2, 4, 3)), None)[..., 0]
    set_keras_mask(logits, ops.convert_to_tensor(np.array(MASK, bool)))
    with pytest.raises(ValueError, match=r"CTC has no steps.*give it the lengths"):
        SampleMeanLoss(keras.losses.CTC())(np.ones((2, 2)), logits)

    def unlike(y_true, y_pred):
        result = ops.mean(y_pred, axis=-1)
        set_keras_mask(result, ops.ones((2, 3)))
        return result

    with pytest.raises(ValueError, match=r"The mask that the function sets.*\(2, 3\)"):
        of_loss(ERRORS, MASK, loss=unlike)
    with pytest.raises(ValueError, match="`y_true` must have one entry per step"):
        SampleMeanLoss("mse")(np.zeros((2, 3, 1)), predicted(ERRORS, MASK))
