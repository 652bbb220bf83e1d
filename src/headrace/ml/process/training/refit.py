"""The final fits: members fitted again on training and validation part, or the fold's models where time is short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

import numpy as np

from headrace.ml.adapters.forms import load_form
from headrace.ml.contract import Form, Predictions
from headrace.ml.process.feature_engineering import FittedPlan
from headrace.ml.process.training.fitting import Fit, find_result, read_predictions, result_folder
from headrace.ml.process.training.limits import FEWEST_ROWS
from headrace.ml.process.training.matrices import Matrices
from headrace.ml.process.training.pool import FitFailedError
from headrace.ml.process.training.setting import Setting
from headrace.ml.process.training.trial import Trial


@dataclass(frozen=True)
class Final:
    """The members' forms and in-sample predictions (for the rows of `train`), by name, and the plan they go with."""

    forms: Mapping[str, Form]
    in_sample: Mapping[str, Predictions]
    plan: FittedPlan
    refitted: bool
    notes: tuple[str, ...]


def refit_members(
    setting: Setting, members: Sequence[Trial], weights: Mapping[str, float], final: Matrices | None
) -> Final:
    """Refit in parallel; members that do not end in time are left out, unless they carry most of the weight."""
    if final is None or setting.timetable.left() <= 0:
        return _fold_models(setting, members, "the time was up before the final fit could start")
    fits = {trial.name: _final_fit(setting, trial, final) for trial in members}
    reasons = _run(setting, fits)
    finished = [trial for trial in members if trial.name not in reasons]
    notes = tuple(f"the final fit of {name} did not end well ({reason})" for name, reason in reasons.items())
    if sum(weights[trial.name] for trial in finished) < 0.5:
        return _fold_models(setting, members, "; ".join(notes))
    forms = {
        trial.name: load_form(result_folder(setting.workspace, fits[trial.name]) / "form.npz") for trial in finished
    }
    in_sample = {trial.name: _for_train(setting, final, fits[trial.name], trial.held_out) for trial in finished}
    if notes:
        notes = (*notes, "the ensemble goes on without " + ", ".join(reasons))
    return Final(forms, in_sample, final.plan, True, notes)


def _final_fit(setting: Setting, trial: Trial, final: Matrices) -> Fit:
    first = setting.folds[0]
    growth = (len(final.fit) + final.more) / max(1, len(first.fit))
    rows = None
    if trial.rows is not None and trial.rows < len(first.fit):
        rows = min(len(final.fit), max(FEWEST_ROWS, round(trial.rows * min(growth, 1.25))))
        rows = min(rows, trial.algorithm.largest or rows)
    hyperparameters = trial.refit_hyperparameters(growth)
    return setting.fit_of(trial.algorithm, hyperparameters, final, rows=rows, keep=True, stop_early=False)


def _run(setting: Setting, fits: Mapping[str, Fit]) -> dict[str, str]:
    """Run the fits; name → reason for those that did not succeed."""
    missing = {name: fit for name, fit in fits.items() if find_result(setting.workspace, fit) is None}
    futures = {name: setting.workers.submit(fit.request()) for name, fit in missing.items()}
    left = setting.timetable.left()
    wait(futures.values(), timeout=None if np.isinf(left) else max(0.0, left))
    setting.workers.stop([future for future in futures.values() if not future.done()])
    reasons = {}
    for name, future in futures.items():
        if future.cancelled():
            reasons[name] = "out of time"
            continue
        try:
            future.result()
        except FitFailedError as error:
            reasons[name] = str(error)
    return reasons


def _fold_models(setting: Setting, members: Sequence[Trial], reason: str) -> Final:
    """Use the models of the first fold, with its plan."""
    first = setting.folds[0]
    fits = {trial.name: trial.fits[0] for trial in members}
    forms = {name: load_form(result_folder(setting.workspace, fit) / "form.npz") for name, fit in fits.items()}
    in_sample = {trial.name: _for_train(setting, first, fits[trial.name], trial.held_out) for trial in members}
    note = f"the model was fitted on the first fold's {len(first.fit):,} rows only: {reason}"
    return Final(forms, in_sample, first.plan, False, (note,))


def _for_train(setting: Setting, data: Matrices, fit: Fit, held_out: Predictions | None) -> Predictions:
    """Predictions for `train`, from the model fitted on its rows; held-out ones where it was not, else NaN."""
    predictions = read_predictions(setting.workspace, fit, "in_sample")
    count = len(setting.preparation.frame)
    everything = np.full((count, *predictions.shape[1:]), np.nan)
    if held_out is not None:
        everything[setting.held_rows] = held_out
    fitted = _fitted_rows(setting, data, fit)
    everything[fitted] = predictions[: len(fitted)]  # rows that are not in the frame come last
    return np.asarray(everything[setting.preparation.train])


def _fitted_rows(setting: Setting, data: Matrices, fit: Fit) -> np.ndarray:
    if fit.rows is None:
        return data.fit
    order = np.load(setting.workspace / "data" / data.name / "order.npy")
    chosen = np.sort(order[: fit.rows])
    return np.asarray(data.fit[chosen[chosen < len(data.fit)]])
