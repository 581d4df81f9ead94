"""What a batch is to a model: which inputs have steps, which steps are padding, and where the
tool puts some."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import tree

from keras_masking._keras import any_length, makes_mask, readers, sublayers, symbolic_inputs
from keras_masking.batches import FIRST, batches, is_dataset
from keras_masking.inputs import UnusableInput, check_inputs, flat_masks, listed, names_of
from keras_masking.leaks import probing, valid
from keras_masking.leaks.following import Scout, embedding_of
from keras_masking.leaks.probes import other_seeds
from keras_masking.leaks.probing import Padded
from keras_masking.padding import UNSAID, NothingMarked, read_padding
from keras_masking.records import Note
from keras_masking.tracing import run, unchanged

NONE_PADDED = (
    f"No batch of the dataset has a padded step, of the first {FIRST} or all there are: "
    "give a batch that has some."
)


class Prepared(NamedTuple):
    """A batch that was run once.

    Attributes:
        scout: that run.
        inputs: flat, with their masks; names: theirs.
        notes: what was done to the data.
    """

    scout: Scout
    structure: Any
    inputs: list[Padded]
    names: list[str]
    notes: tuple[Note, ...]


def prepared(model: keras.Layer, data: Any, mask: Any, padding: Any) -> list[Prepared]:
    """The batch as it is, where it shows padding, and with padding put into the inputs that show
    none.

    Raises:
        UnusableInput: as `find_leaks`.
    """
    first = _first(model, data, mask, padding)
    structure, names, before = first.structure, first.names, first.inputs
    known = _shared(first.scout.model, structure, before)
    for x, name in zip(known, names, strict=True):
        if x.mask is not None and not x.mask.any():
            raise UnusableInput(f"All steps of the input {name!r} are padding: nothing is left.")
    notes = first.notes
    if complete := [name for x, name in zip(known, names, strict=True) if x.may_be_padded]:
        notes += (Note("taken-as-complete", {"inputs": listed(complete)}),)
    as_it_is = first._replace(inputs=known, notes=notes)
    inputs, given = _with_padding(before, known)
    if not given:
        return [as_it_is]
    if _shows_padding(known):
        note = Note("inputs-padded", {"inputs": listed(names[i] for i in given)})
        return [as_it_is, as_it_is._replace(inputs=inputs, notes=(*notes, note))]
    return [as_it_is._replace(inputs=inputs, notes=(*notes, Note("steps-padded")))]


def _first(model: keras.Layer, data: Any, mask: Any, padding: Any) -> Prepared:
    """The first batch that shows padding beside valid steps, or else that has any, with what is
    known of each input by itself."""
    found = None
    for batch in batches(model, data):
        arrays, masks = check_inputs(batch.model, batch.inputs, mask)
        flat = flat_masks(arrays, masks)
        names = names_of(arrays, symbolic_inputs(batch.model))
        told = [batch.lengths.get(i, UNSAID) for i in range(len(flat))]
        fills = [None] * len(flat)
        if padding is not None:
            try:
                said, fills = read_padding(_with_indices(batch.model, arrays), names, padding, flat)
            except NothingMarked:
                if is_dataset(data):
                    continue
                raise
            told = [x if y is UNSAID else y for x, y in zip(told, said, strict=True)]
        scout = Scout(batch.model, probing.padded(batch.model, arrays, flat, told))
        scout.start(arrays, other_seeds(batch.model))
        known = probing.unnamed_masks(scout.found(), names)
        known = [x.filled_with(fill) for x, fill in zip(known, fills, strict=True)]
        if all(x.mask is None for x in known):
            raise UnusableInput(_what_to_say(batch.model, names))
        one = Prepared(scout, arrays, known, names, batch.notes)
        if not is_dataset(data) or _shows_padding(known):
            return one
        if found is None and any(x.is_padded for x in known):
            found = one
    if found is None:
        raise UnusableInput(NONE_PADDED)
    return found


def _shows_padding(inputs: list[Padded]) -> bool:
    """Whether a sample that is valid in every input has padding in one of them."""
    rows = probing.valid_samples(inputs)
    return any(x.shows_padding(rows) for x in inputs)


def _with_indices(model: keras.Layer, arrays: Any) -> Any:
    """The arrays, those that an Embedding reads as integers: a keras.Input without a dtype takes
    indices for floats, whose last axis would be features."""
    declared = symbolic_inputs(model)
    if declared is None:
        return arrays
    flat = tree.flatten(arrays)
    for i, x in enumerate(tree.flatten(declared)):
        if any(embedding_of(layer) is not None for layer in readers(model, x)):
            flat[i] = flat[i].astype("int64")
    return tree.pack_sequence_as(arrays, flat)


def _what_to_say(model: keras.Layer, names: list[str]) -> str:
    how = "padding=0" if len(names) == 1 else f"padding={{{names[0]!r}: 0}}"
    makers = [x.name for x in sublayers(model) if makes_mask(x)]
    why = f"No layer of {model.name!r} makes a mask"
    if makers:
        why = f"The mask of {makers[0]!r} could not be seen to be of the steps of an input"
    return (
        f"{why}, so it is not known which steps are padding: "
        f"say it with padding=, such as {how} for steps that hold nothing but 0, the lengths, or "
        "booleans (batch, time) with True = padding; the model is not told."
        + ("" if len(names) == 1 else f" The inputs are {listed(names)}.")
    )


def _shared(model: keras.Layer, structure: Any, known: list[Padded]) -> list[Padded]:
    """What is known of the inputs of which nothing was said: those that show the padding of
    another share it, or where the model takes none of them shorter alone, those as long."""
    if len(known) == 1:
        return known
    shared = probing.share_masks(known)
    if not any(x.is_padded for x in shared):
        return shared
    by_size = [probing.share_masks(known, by_size=True, pairs=pairs) for pairs in (True, False)]
    # the fewest that share it first: an input may have as many steps by chance
    one_more = [
        [*shared[:i], reading[i], *shared[i + 1 :]]
        for i, x in enumerate(shared)
        for reading in by_size
        if x.mask is None and reading[i].mask is not None
    ]
    readings = [shared, *one_more, *by_size]
    for i, (x, y) in enumerate(zip(known, shared, strict=True)):
        if x.mask is None and y.mask is not None:  # as many features as steps, by chance
            readings.append([*shared[:i], x, *shared[i + 1 :]])
    readings.append(known)
    # a mask is of some other input
    readings = [x for x in readings if any(y.is_padded and not y.is_mask for y in x)] or [known]
    runs = (reading for reading in readings if _runs_shorter(model, structure, reading))
    return next(runs, readings[0])


def _by_chance(before: Padded, after: Padded) -> bool:
    """Whether in a batch without padding only its size tells that an input, or an axis of it, has
    the steps of another: there may be as many features."""
    if after.mask is None or after.is_mask:
        return False
    said_open = after.sizes is not None and None in after.sizes[1:2]
    shared = before.mask is None and not said_open and not after.is_padded
    # what a layer knows by the value of whole steps has features on axis 2
    known = after.fill is not None or (after.pairs and after.is_padded)
    return shared or (not known and probing.shows_pairs(after, after.mask))


def _runs_shorter(model: keras.Layer, structure: Any, inputs: list[Padded]) -> bool:
    """Whether samples can be run alone by this reading of the inputs: of each that is padded the
    longest one with padding."""
    rows = [
        row
        for row in range(len(inputs[0].values))
        if all(x.mask is None or x.mask[row].any() for x in inputs)
    ]
    padded = [
        [(x.own_lengths(row), row) for row in rows if not x.mask[row].all()]
        for x in inputs
        if x.is_padded
    ]
    try:
        for row in {max(of)[1] for of in padded if of}:
            arrays, masks = probing.pack(structure, [x.alone([row])[0] for x in inputs])
            with unchanged(model), any_length():
                run(model, arrays, masks)
    except Exception:  # whatever a model raises on a batch it was not given
        return False
    return True


def _with_padding(before: list[Padded], known: list[Padded]) -> tuple[list[Padded], list[int]]:
    """The inputs with padding in the place of steps, where they have none beside valid steps and
    it is known what a padded step holds; and which ones got some.

    Those of as many steps get the same, since these may be the same steps.

    Args:
        before: what was known of each input by itself.
    """
    rows = probing.valid_samples(known)
    left = any(x.shows_padding(rows) and probing.on_the_left(x.mask[rows]) for x in known)
    inputs, given = list(known), []
    complete = [i for i, x in enumerate(known) if x.is_complete(rows) and x.mask.shape[1] > 1]
    for steps in {known[i].mask.shape[1] for i in complete} if rows.any() else ():
        alike = [i for i in complete if known[i].mask.shape[1] == steps]
        group = [known[i] for i in alike]
        said = all(x.knows_padding or not x.said for x in group)
        if not said or not any(x.knows_padding for x in group):
            continue
        if any(_by_chance(before[i], known[i]) for i in alike):
            continue
        others = [
            valid.flat(x.mask) for x in known if x.shows_padding(rows) and x.mask.shape[1] == steps
        ]
        own = _own_steps(rows, steps, left, others)
        for i, x in zip(alike, group, strict=True):
            inputs[i] = x.with_mask(x.mask & own.reshape(own.shape + (1,) * (x.mask.ndim - 2)))
        given += alike
    return inputs, sorted(given)


def _own_steps(rows: np.ndarray, steps: int, left: bool, others: list[np.ndarray]) -> np.ndarray:
    """Booleans `(batch, steps)`: half of them in every other of these samples, all in the rest,
    and not just as many as in another input, whose padding would then stand for this one's."""
    own = np.ones((len(rows), steps), bool)
    half = (steps + 1) // 2
    for row in np.flatnonzero(rows)[::2]:
        for count in (half, half + 1, half - 1):
            kept = np.arange(steps) >= steps - count if left else np.arange(steps) < count
            if 0 < count < steps and not any(np.array_equal(kept, x[row]) for x in others):
                own[row] = kept
                break
    return own
