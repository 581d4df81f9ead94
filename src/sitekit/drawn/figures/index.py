"""Figures of index.md."""

from sitekit.drawn.plot import Chart, Key, Series, point
from sitekit.measured import accuracy


def padding_costs(word):
    """One model of accuracy.md: trained with the least padding, tested with more and more."""
    tested = accuracy.record()["tested"]
    ways = accuracy.results()["transformer"]
    lines, facts = [], {}
    for way in ("right", "none"):
        runs = ways[way][accuracy.STEPS[0]].T
        lines.append(Series(way, list(map(point, tested, runs))))
        facts[way] = " ".join(f"{mean:.0%}" for mean in runs.mean(1))
    keys = [Key(way, word(way)) for way in facts]
    at = accuracy.record()["trained"][0]
    return [keys, [Chart(word("accuracy"), word("share"), lines, at, 1 / accuracy.SPEAKERS)]], facts
