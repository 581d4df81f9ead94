"""Figures of accuracy.md."""

from keras_masking.rendering.grid import Item, Note
from sitekit.drawn.plot import Chart, Key, Point, Series, point
from sitekit.drawn.texts import Words
from sitekit.measured import accuracy


def accuracy_tested(word: Words):
    """Trained with the least padding and with the most, tested with all amounts and with none."""
    lines, facts = [_keys(word)], {}
    for steps, share in ((accuracy.STEPS[i], accuracy.record()["trained"][i]) for i in (0, -1)):
        tested = accuracy.record()["tested"]
        found = {
            model: {way: list(map(point, tested, runs[steps].T)) for way, runs in ways.items()}
            for model, ways in accuracy.results().items()
        }
        lines += [[Note(word("trained").format(share=f"{share:.0%}"))], _charts(found, word, share)]
        facts |= {f"{name}_{steps}": means for name, means in _spoken(found).items()}
    return lines, facts


def accuracy_trained(word: Words):
    """Tested with as many steps as in training."""
    shares = accuracy.record()["tested"][1:]
    found = {
        model: {
            way: [
                point(share, runs[steps][:, i])
                for i, (share, steps) in enumerate(zip(shares, accuracy.STEPS, strict=True), 1)
            ]
            for way, runs in ways.items()
        }
        for model, ways in accuracy.results().items()
    }
    return [_keys(word), _charts(found, word)], _spoken(found)


Curves = dict[str, dict[str, list[Point]]]


def _keys(word: Words) -> list[Item]:
    return [Key(way, word(way)) for way in ("right", "masking", "none")]


def _charts(found: Curves, word: Words, at: float | None = None) -> list[Item]:
    return [
        Chart(
            word(model),
            word("share"),
            [Series(*x) for x in ways.items()],
            at,
            1 / accuracy.SPEAKERS,
        )
        for model, ways in found.items()
    ]


def _spoken(found: Curves) -> dict[str, str]:
    """The means of each model and way, from the least padding to the most."""
    return {
        f"{model}_{way}": " ".join(f"{mean:.0%}" for _, _, mean, _ in curve)
        for model, ways in found.items()
        for way, curve in ways.items()
    }
