"""What people have at hand for a batch: datasets, labels beside it, unequal rows, texts."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import IDS, Subclassed, embedding, functional, not_on_jax

from keras_masking import MaskedMean, UnusableInput, find_leaks, trace

FULL = np.array([[1, 2, 3, 4], [5, 1, 2, 3]])
LABELS = np.array([0.0, 1.0])
TEXTS = np.array(["a b c d a", "b c"])


def leaky():
    return functional(layers.GlobalMaxPooling1D(name="pool"))


def healthy():
    return functional(MaskedMean())


def notes(report):
    return {note.key: note.details for note in report.notes}


class Batches(keras.utils.PyDataset):
    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def of_tensorflow(*batches):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature=keras.tree.map_structure(
            lambda x: tf.TensorSpec(x.shape, x.dtype), batches[0]
        ),
    )


def of_torch(*batches):
    """Batches in a list, as torch's collate function makes them, from a class in its module."""
    loader = type("DataLoader", (list,), {"__module__": "torch.utils.data.dataloader"})
    return loader(list(batch) if isinstance(batch, tuple) else batch for batch in batches)


DATASETS = pytest.mark.parametrize("dataset", [Batches, of_tensorflow, of_torch])


class TestDatasets:
    @DATASETS
    def test_the_first_batch_with_padding_is_taken(self, dataset):
        report = find_leaks(leaky(), dataset((FULL, LABELS), (IDS, LABELS), (FULL, LABELS)))
        assert notes(report) == {"batch": {"index": "1"}}
        assert report.trace["embedding"].mask.tolist() == (IDS != 0).tolist()
        assert report.verdict == "leaks"

    @DATASETS
    @pytest.mark.parametrize("more", [(), (LABELS,), (LABELS, LABELS)])
    def test_features_labels_and_weights_are_told_apart(self, dataset, more):
        report = find_leaks(healthy(), dataset((IDS, *more) if more else IDS))
        assert report.ok

    @DATASETS
    def test_inputs_by_name(self, dataset):
        x = {name: keras.Input((None,), dtype="int32", name=name) for name in ("a", "b")}
        model = keras.Model(
            x, layers.Add()([MaskedMean()(embedding(f"words_{name}")(x[name])) for name in x])
        )
        assert find_leaks(model, dataset(({"a": IDS, "b": IDS}, LABELS))).ok

    @DATASETS
    def test_without_a_padded_batch(self, dataset):
        with pytest.raises(UnusableInput, match="No batch of the dataset has a padded step"):
            find_leaks(healthy(), dataset((FULL, LABELS), (FULL, LABELS)))

    def test_a_batch_with_padding_beside_valid_steps_goes_first(self):
        empty = np.array([[1, 2, 3, 4], [0, 0, 0, 0]])
        report = find_leaks(leaky(), Batches(FULL, empty, IDS))
        assert (report.verdict, notes(report)) == ("leaks", {"batch": {"index": "2"}})
        report = find_leaks(leaky(), Batches(FULL, empty, FULL, empty))
        assert (report.verdict, notes(report)["batch"]) == ("leaks", {"index": "1"})
        assert "steps-padded" in notes(report)

    def test_a_hundred_batches_are_looked_at(self):
        assert find_leaks(healthy(), Batches(*[FULL] * 99, IDS)).ok
        with pytest.raises(UnusableInput, match="of the first 100"):
            find_leaks(healthy(), Batches(*[FULL] * 100, IDS))

    def test_padding_is_said_of_the_batch_that_has_it(self):
        x = keras.Input((None,), dtype="int32")
        model = keras.Model(x, layers.GlobalMaxPooling1D(name="pool")(layers.Embedding(6, 4)(x)))
        report = find_leaks(model, Batches(FULL, IDS), padding=0)
        assert (report.verdict, notes(report)["batch"]) == ("leaks", {"index": "1"})

    def test_a_dataset_that_never_ends(self):
        class Endless(Batches):
            @property
            def num_batches(self):
                return None

        assert find_leaks(healthy(), Endless(IDS)).ok

    def test_no_batch_at_all(self):
        with pytest.raises(UnusableInput):
            find_leaks(healthy(), Batches())
        with pytest.raises(UnusableInput, match="no batch"):
            trace(healthy(), Batches())

    def test_a_trace_takes_the_first_batch(self):
        found = trace(healthy(), Batches((FULL, LABELS), (IDS, LABELS)))
        assert found["embedding"].mask.all()

    def test_a_real_data_loader(self):
        torch = pytest.importorskip("torch")
        rows = torch.utils.data.TensorDataset(torch.tensor(IDS), torch.tensor(LABELS))
        assert find_leaks(healthy(), torch.utils.data.DataLoader(rows, batch_size=2)).ok


@not_on_jax
class TestLabelsBeside:
    @pytest.mark.parametrize("more", [(LABELS,), (LABELS, LABELS), (LABELS.tolist(),)])
    def test_they_are_no_inputs(self, more):
        assert find_leaks(healthy(), (IDS, *more)).ok

    def test_beside_inputs_by_name(self):
        ids = keras.Input((None,), dtype="int32", name="ids")
        model = keras.Model({"ids": ids}, MaskedMean()(embedding()(ids)))
        assert find_leaks(model, ({"ids": IDS}, LABELS)).ok

    def test_beside_several_inputs_in_order(self):
        a, b = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
        model = keras.Model(
            [a, b], layers.Add()([MaskedMean()(embedding(f"words_{x.name}")(x)) for x in (a, b)])
        )
        assert find_leaks(model, ([IDS, IDS], LABELS)).ok
        assert find_leaks(model, (IDS, IDS)).ok

    def test_beside_features_and_rows(self):
        model = keras.Sequential([keras.Input((None, 1)), layers.Masking(), layers.LSTM(2)])
        x = np.array([[1.0, 2, 3], [4, 5, 0]])
        assert find_leaks(model, (x[..., None], LABELS)).ok
        assert find_leaks(model, (x, LABELS)).ok
        assert find_leaks(model, (np.ones((3, 1)), np.ones((2, 1)))).trace.inputs[0].shape == (
            2,
            3,
            1,
        )

    def test_a_subclassed_model_of_two_inputs_gets_both(self):
        model = Subclassed(
            lambda self, x: self.mean(self.embed(x[0])) + self.mean(self.embed(x[1])),
            {"embed": embedding(), "mean": MaskedMean()},
        )
        model((IDS, IDS))
        assert len(find_leaks(model, (IDS, IDS)).trace.inputs) == 2


@not_on_jax
class TestRowsOfUnequalLength:
    rows = [[1, 2, 3], [4, 5]]

    def test_of_indices(self):
        report = find_leaks(leaky(), self.rows)
        assert notes(report) == {"padded-here": {"value": "0"}}
        assert report.trace["embedding"].mask.tolist() == [[True] * 3, [True, True, False]]
        assert report.verdict == "leaks"

    def test_of_arrays_of_features(self):
        random = np.random.default_rng(0)
        rows = [random.normal(size=(n, 3)).astype("float32") for n in (4, 2)]
        model = keras.Sequential([keras.Input((None, 3)), layers.LSTM(2, name="lstm")])
        report = find_leaks(model, rows)
        assert (report.verdict, report.trace.inputs[0].shape) == ("leaks", (2, 4, 3))
        masked = keras.Sequential([keras.Input((None, 3)), layers.Masking(-1.0), layers.LSTM(2)])
        report = find_leaks(masked, rows)
        assert report.ok and notes(report) == {"padded-here": {"value": "-1"}}

    def test_a_valid_step_that_holds_the_padding_is_valid(self):
        x = keras.Input((None,), dtype="int32")
        model = keras.Model(x, layers.GlobalAveragePooling1D()(layers.Embedding(6, 4)(x)))
        report = find_leaks(model, [[0, 2, 0], [4]])
        table = ops.convert_to_numpy(model.layers[1].embeddings)
        expected = np.abs(table[4] - (table[4] + 2 * table[0]) / 3).max()
        assert report.probes[0].result == pytest.approx(expected, rel=1e-5)

    def test_each_input_by_itself(self):
        a, b = (keras.Input((None,), dtype="int32", name=name) for name in "ab")
        model = keras.Model(
            [a, b], layers.Add()([MaskedMean()(embedding(f"words_{x.name}")(x)) for x in (a, b)])
        )
        ragged = [np.array([1, 2, 3]), np.array([4])], [np.array([1]), np.array([4, 5])]
        assert find_leaks(model, list(ragged)).ok
        named = keras.Model({"a": a, "b": b}, model.outputs[0])
        assert find_leaks(named, dict(zip("ab", ragged, strict=True))).ok

    def test_ragged_tensors(self):
        tf = pytest.importorskip("tensorflow")
        report = find_leaks(leaky(), tf.ragged.constant(self.rows))
        assert (report.verdict, notes(report)) == ("leaks", {"padded-here": {"value": "0"}})

    def test_ragged_tensors_of_one_length_and_of_a_hierarchy(self):
        tf = pytest.importorskip("tensorflow")
        ragged = tf.RaggedTensor.from_row_lengths([1, 2, 0, 4, 5, 0], [3, 3])
        assert find_leaks(healthy(), ragged, padding=0).ok
        x = keras.Input((None, None), dtype="int32")
        words = layers.Embedding(6, 4)(x)
        nested = tf.ragged.constant([[[1, 2], [3]], [[4]]])
        assert find_leaks(keras.Model(x, words), nested).ok
        assert not find_leaks(keras.Model(x, ops.mean(words, axis=(1, 2))), nested).ok

    def test_of_inputs_by_name_in_the_order_of_the_model(self):
        b, a = (keras.Input((None,), dtype="int32", name=name) for name in "ba")
        pooled = [layers.GlobalAveragePooling1D()(layers.Embedding(6, 4)(x)) for x in (b, a)]
        model = keras.Model([b, a], layers.Concatenate()(pooled))
        report = find_leaks(
            model, {"a": [[1, 2, 3], [4]], "b": [[1, 2], [3, 0]]}, padding={"b": None}
        )
        assert report.trace.inputs[0].shape == (2, 2)
        assert report.verdict == "leaks"

    def test_indices_beside_masked_features(self):
        ids = keras.Input((None,), dtype="int32", name="ids")
        series = keras.Input((None, 1), name="series")
        masked = embedding("words")(ids), layers.Masking(-1.0)(series)
        model = keras.Model([ids, series], layers.Add()([MaskedMean()(x) for x in masked]))
        rows = [np.ones((3, 1)), np.ones((2, 1))]
        report = find_leaks(model, [self.rows, rows])
        assert report.ok
        assert [note.details["value"] for note in report.notes[:2]] == ["0", "-1"]

    def test_an_empty_row_is_left_out(self):
        assert find_leaks(healthy(), [[1, 2, 3], [], [4]]).ok

    def test_beside_labels(self):
        assert find_leaks(healthy(), (self.rows, LABELS)).ok

    def test_rows_whose_steps_differ_are_refused(self):
        with pytest.raises(UnusableInput, match="rows of unequal length"):
            find_leaks(healthy(), [[[1, 2], [3]], [[4]]])


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="text needs TensorFlow")
class TestTexts:
    def model(self, *body):
        pytest.importorskip("tensorflow")
        text = keras.Input((1,), dtype="string", name="text")
        x = layers.TextVectorization(vocabulary=["a", "b", "c", "d"], name="tokens")(text)
        for layer in body:
            x = layer(x)
        return keras.Model(text, x, name="reader")

    def embed(self, **options):
        return layers.Embedding(7, 3, name="words", **options)

    @pytest.mark.parametrize("shape", [(2,), (2, 1)])
    @pytest.mark.parametrize("form", ["numpy", "list", "tensorflow"])
    def test_they_are_made_into_numbers(self, shape, form):
        tf = pytest.importorskip("tensorflow")
        texts = TEXTS.reshape(shape)
        texts = {"numpy": texts, "list": texts.tolist(), "tensorflow": tf.constant(texts)}[form]
        report = find_leaks(self.model(self.embed(mask_zero=True), layers.GRU(3)), texts)
        assert (report.verdict, notes(report)) == ("clear", {"behind-texts": {"layer": "tokens"}})
        assert report.trace.model == "reader"
        assert report.trace["words"].mask.tolist() == [[True] * 5, [True, True] + [False] * 3]

    def test_the_numbers_are_taken_too(self):
        model = self.model(self.embed(), layers.GlobalAveragePooling1D(name="mean"))
        ids = model.get_layer("tokens")(TEXTS.tolist())
        report = find_leaks(model, np.asarray(ids), padding=0)
        assert report.leaks[0].remedy.details == {"embedding": "words"}

    def test_of_a_sequential_model(self):
        model = keras.Sequential(
            [
                keras.Input((1,), dtype="string"),
                layers.TextVectorization(vocabulary=["a", "b", "c", "d"]),
                self.embed(mask_zero=True),
                layers.GRU(3),
            ]
        )
        assert find_leaks(model, TEXTS).ok
        assert trace(model, TEXTS)["words"].mask.sum() == 7

    def test_in_a_dataset(self):
        model = self.model(self.embed(mask_zero=True), layers.GRU(3))
        assert find_leaks(model, Batches((np.array(["a b", "c d"]), LABELS), (TEXTS, LABELS))).ok

    def test_a_model_that_cannot_be_cut_names_the_layer(self):
        class Reader(keras.Model):
            def __init__(self):
                super().__init__(name="reader")
                self.tokens = layers.TextVectorization(vocabulary=["a", "b"], name="tokens")
                self.embed = layers.Embedding(6, 3, mask_zero=True)

            def call(self, x):
                return self.embed(self.tokens(x))

        tf = pytest.importorskip("tensorflow")
        if keras.backend.backend() != "tensorflow":
            pytest.skip("other backends run no strings")
        model = Reader()
        model(tf.constant(TEXTS))
        with pytest.raises(UnusableInput, match="'tokens'"):
            find_leaks(model, TEXTS)
