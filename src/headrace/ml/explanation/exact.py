"""Explanations of a saved ensemble: each member in its own space, then all together in the space that is shown."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.calibrators import Calibrator
from headrace.ml.adapters.forms import form_of_arrays
from headrace.ml.adapters.links import apply_link
from headrace.ml.adapters.present_classes import PresentClasses, spread
from headrace.ml.adapters.symmetric_trees import SymmetricTrees
from headrace.ml.adapters.trees import TreeEnsemble
from headrace.ml.errors import ModelError
from headrace.ml.explanation.tree_shap import tree_shap
from headrace.ml.prediction.explanation import Sampling, explained_class, explanation, sample_shapley, values_of
from headrace.ml.prediction.manifest import EXPLANATION_ARRAYS, EXPLANATION_GRAPH, output_name, read_content
from headrace.ml.prediction.session import direct_run, open_session, run_frame

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.prediction.model import Model

Array = npt.NDArray[np.float64]
_POINTS = 24
_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class _Member:
    """A member made of trees: its weight, and how its scores become probabilities [rows, classes], or values."""

    trees: TreeEnsemble
    weight: float
    present: npt.NDArray[np.int64] | None
    classes: int

    def answers(self, scores: Array) -> Array:
        """Turn raw scores [rows, scores] into predictions [rows, outputs]."""
        linked = apply_link(self.trees.link, scores)
        linked = linked if linked.ndim == 2 else linked[:, None]
        return linked if self.present is None else spread(linked, self.present, self.classes)


@dataclass(frozen=True, eq=False)
class _Ensemble:
    """All that explains: the members, the shares of features that belong to columns, the calibrator and the graph."""

    members: tuple[_Member, ...]
    shares: Array
    calibrator: Calibrator | None
    run: Any
    outputs: list[str]
    inputs: list[str]

    def answer(self, scores: Array, others: Array) -> Array:
        """Return predictions [rows, outputs] for all members' scores side by side, and the sum of the other members."""
        total, start = others, 0
        for member in self.members:
            width = len(member.trees.starts)
            total = total + member.weight * member.answers(scores[:, start : start + width])
            start += width
        return total if self.calibrator is None else self.calibrator.apply(total)


def explain_exactly(
    model: Model, frame: pl.DataFrame, rows: Sequence[int], *, seed: int, samples: int
) -> list[dict[str, Any]]:
    """Explain rows of a model that was saved with its trees; see `headrace.ml.explanation.explain`.

    Contributions to a member's raw scores are exact. Probabilities are not sums of raw scores, so between base and
    prediction the members' scores move together along a straight line, and each column is given what its part of the
    movement changes along it (the values of Aumann and Shapley): in proportion to its raw contribution for one booster,
    and adding up for any number of them, calibrated or not. For values no line is needed. What the members that are not
    trees add is sampled, and joins in. A feature made of several columns counts for each in equal parts.
    """
    if not len(rows):
        return []
    ensemble = _load(model)
    positions = [int(row) for row in rows]
    chosen = frame[positions]
    matrix, *rest = run_frame(ensemble.run, chosen, ensemble.inputs, ensemble.outputs, 1)
    found = [tree_shap(member.trees, matrix) for member in ensemble.members]
    raw = np.concatenate([contributions for contributions, _ in found], axis=1) @ ensemble.shares
    base = np.concatenate([start for _, start in found])
    columns = model.manifest.columns
    explanations = []
    for number, position in enumerate(positions):
        row = chosen[number]
        code = explained_class(model, row)
        width = max(1, len(model.manifest.classes))
        others, usual = np.zeros((len(columns), width)), np.zeros(width)
        if rest:
            usual, others = _sample_others(model, ensemble, row, [seed, position], samples)
        amounts = _together(ensemble, raw[number], base, others, usual, code or 0)
        prediction = float(values_of(model.predict_frame(row), code)[0])
        method = "tree_shap and sampled" if rest else "tree_shap"
        start = prediction - float(amounts.sum())
        shown = [i for i, column in enumerate(columns) if column in model.columns or amounts[i]]
        named = [columns[i] for i in shown]
        explanations.append(explanation(model, row, code, prediction, start, named, amounts[shown], method))
    return explanations


def _together(ensemble: _Ensemble, raw: Array, base: Array, others: Array, usual: Array, code: int) -> Array:
    """Return contributions [columns] to output `code` from raw ones [scores, columns] and sampled ones [columns, out].

    The line from base to prediction is integrated by Gauss and Legendre, derivatives are central differences; what is
    left over (a calibrator may have corners) is shared in proportion.
    """
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    points, weights = (points + 1) / 2, weights / 2
    start, move = np.concatenate([base, usual]), np.concatenate([raw.sum(axis=1), others.sum(axis=0)])
    parts = np.concatenate([raw, others.T])
    line = start + points[:, None] * move
    split = len(base)

    def value(places: Array) -> Array:
        return ensemble.answer(places[:, :split], places[:, split:])[:, code]

    total = np.zeros(parts.shape[1])
    for place in np.flatnonzero(np.abs(parts).any(axis=1)):
        step = _STEP * max(1.0, abs(start[place]), abs(move[place]))
        shift = np.zeros(len(start))
        shift[place] = step
        slope = weights @ ((value(line + shift) - value(line - shift)) / (2 * step))
        total += slope * parts[place]
    ends = value(np.stack([start, start + move]))
    size = np.abs(total).sum()
    return total + (ends[1] - ends[0] - total.sum()) * np.abs(total) / size if size > 0 else total


def _sample_others(
    model: Model, ensemble: _Ensemble, row: pl.DataFrame, seed: Sequence[int], samples: int
) -> tuple[Array, Array]:
    columns = model.manifest.columns

    def predict(frame: pl.DataFrame) -> Array:
        output = run_frame(ensemble.run, frame, ensemble.inputs, ensemble.outputs[1:], model.threads)[0]
        return output.astype(np.float64)

    return sample_shapley(predict, columns, model.baseline, row, seed, Sampling(samples=samples))


def _load(model: Model) -> _Ensemble:
    path = model.folder / EXPLANATION_ARRAYS
    try:
        with np.load(io.BytesIO(read_content(path)), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _read(model, arrays)
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ModelError(f"'{path}' is damaged ({error}); copy or train the model again") from error


def _read(model: Model, arrays: Mapping[str, Any]) -> _Ensemble:
    members = []
    classes = len(model.manifest.classes)
    for number, weight in enumerate(arrays["weights"].tolist()):
        form = form_of_arrays(arrays, f"member.{number}.")
        inner = form.inner if isinstance(form, PresentClasses) else form
        trees = inner.as_trees() if isinstance(inner, SymmetricTrees) else cast(TreeEnsemble, inner)
        present = form.present if isinstance(form, PresentClasses) else None
        members.append(_Member(trees, weight, present, classes))
    place = {column.name: i for i, column in enumerate(model.manifest.columns)}
    columns = np.array([place[str(name)] for name in arrays["columns"]])
    shares = np.zeros((int(arrays["features"]), len(place)))
    np.add.at(shares, (arrays["feature"], columns[arrays["column"]]), arrays["share"])
    session = open_session(read_content(model.folder / EXPLANATION_GRAPH), str(Path(EXPLANATION_GRAPH)))
    names, published = set(place), [item.name for item in session.get_outputs()]
    outputs = [name for role in ("features", "others") if (name := output_name(role, names)) in published]
    calibrator = form_of_arrays(arrays, "calibrator.") if "calibrator.form" in arrays else None
    return _Ensemble(
        members=tuple(members),
        shares=shares,
        calibrator=cast("Calibrator | None", calibrator),
        run=direct_run(session),
        outputs=outputs,
        inputs=[item.name for item in session.get_inputs()],
    )
