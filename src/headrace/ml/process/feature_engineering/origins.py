"""Which columns each feature was made of: contributions of features are summed to those of columns by it."""

from __future__ import annotations

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.categories import CategoryPairs, Encodings, OneHot
from headrace.ml.process.feature_engineering.dates import DateCycles, DateParts
from headrace.ml.process.feature_engineering.execution import Part
from headrace.ml.process.feature_engineering.interactions import NumberPairs
from headrace.ml.process.feature_engineering.plan import FittedPlan

Origins = list[tuple[str, ...]]


def feature_origins(plan: FittedPlan, view: View) -> Origins:
    """Return, for each feature of a view's matrix in order, the columns that it was made of."""
    return [columns for part in plan.parts(view) for columns in part_origins(part)]


def part_origins(part: Part) -> Origins:
    """Return the columns of each feature of a part; all that the part reads, where nothing finer is known."""
    match part:
        case NumberPairs():
            return [tuple(dict.fromkeys(columns)) for _, *columns in part.pairs]
        case CategoryPairs():
            names = part.vocabulary.columns
            pairs = [(names[i], names[j]) for i, j in zip(part.left, part.right, strict=True)]
            return [pair for pair in pairs for _ in range(len(part.names) // max(1, len(pairs)))]
        case Encodings():
            return [(part.vocabulary.columns[place // part.table.shape[1]],) for place in part.kept]
        case OneHot():
            return [(part.vocabulary.columns[place],) for place in part.places]
        case DateParts() | DateCycles():
            return [_named(name, part.sources) for name in part.names]
    if part.names == part.sources:
        return [(source,) for source in part.sources]
    return [_named(name, part.sources) for name in part.names]


def _named(name: str, sources: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns whose names a feature's name begins with or joins by ' - ', the longest first; else all."""
    if len(sources) > 1:
        for source in sorted(sources, key=len, reverse=True):
            rest = name.removeprefix(source)
            if rest != name and rest[:3] == " - ":
                others = [other for other in sources if rest[3:].startswith(other)]
                return (source, max(others, key=len)) if others else sources
            if rest != name and rest[:1] in (":", " "):
                return (source,)
    return sources
