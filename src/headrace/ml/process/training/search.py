"""The search: trials start in order, race on their first fold, and are scored on all of them."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import replace
from typing import Any

import numpy as np

from headrace.ml.contract import View
from headrace.ml.metrics import better
from headrace.ml.process.progress import Progress
from headrace.ml.process.training.fitting import FEWEST_SCORED_ROWS, find_result
from headrace.ml.process.training.matrices import Matrices
from headrace.ml.process.training.pool import FitFailedError, FitStoppedError
from headrace.ml.process.training.proposals import Proposals
from headrace.ml.process.training.setting import Setting
from headrace.ml.process.training.trial import FAILED, FITTED, OPEN, PRUNED, STOPPED, Trial, score_trial

LAG = 4
"""A trial starts when all but the last LAG - 1 before it are closed, and is judged by those: the order in which
fits happen to end changes nothing."""
NOISE, NOISE_WITHIN = 1.5, 0.5
"""A trial is given up when its first fold is worse than that of the best earlier trial by more than so many standard
deviations of its folds; trials of one algorithm err alike, so that less tells them apart."""

PATIENCE = 40
"""Within a budget, the search ends when so many trials in a row were no better than the best before them."""


def most_trials(rows: int, trials: int | None) -> int:
    """How many configurations are tried at most; on few rows, more would only fit the noise."""
    return int(np.clip(rows // 5, 15, 150)) if trials is None else trials


class Race:
    """Runs trials on the workers until their number or the time is reached; `trials` are in order of their start."""

    def __init__(self, setting: Setting, *, trials: int | None, progress: Progress) -> None:
        self.setting, self.progress = setting, progress
        self.trials: list[Trial] = []
        self.final: Matrices | None = None
        self._most = most_trials(len(setting.preparation.train), trials)
        self._proposals = Proposals(
            setting.algorithms, greater_is_better=setting.metric.greater_is_better, seed=setting.seed
        )
        self._exhausted, self._patience = False, PATIENCE if trials is None else self._most

    def run(self) -> list[Trial]:
        """Run until done; matrices of further folds and of the final model are prepared while workers fit."""
        self.progress.tell("preparing the training data")
        self.setting.prepare_fold()
        while True:
            self._collect()
            self._advance()
            if self._out_of_time():
                self._stop()
                break
            self._open_trials()
            if all(trial.closed for trial in self.trials) and (self._exhausted or len(self.trials) >= self._most):
                break
            if len(self.setting.folds) < self.setting.fold_count and self._pays(len(self.setting.preparation.train)):
                self.setting.prepare_fold()
            elif self.final is None and self._pays(len(self.setting.final_rows)):
                self.final = self.setting.prepare_final()
            else:
                self._wait()
        if self.final is None and self._pays(len(self.setting.final_rows)):
            self.final = self.setting.prepare_final()
        return self.trials

    def _pays(self, rows: int) -> bool:
        """Whether the time for matrices of so many rows, which nothing can stop, is there."""
        return self.setting.timetable.left() > self.setting.seconds_a_row * rows

    def growth(self) -> float:
        """Rows of the final fit by rows of a fold's fit."""
        return len(self.setting.final_rows) / max(1, len(self.setting.folds[0].fit))

    def best(self) -> Trial | None:
        """The best trial so far."""
        best: Trial | None = None
        for trial in self.trials:
            if trial.score is not None and (
                best is None or best.score is None or better(self.setting.metric, trial.score, best.score)
            ):
                best = trial
        return best

    def _out_of_time(self) -> bool:
        timetable = self.setting.timetable
        if not any(trial.status == FITTED for trial in self.trials):
            return timetable.left_for_first_model() <= 0
        growth, rest = self.growth(), self.setting.preparation.rest
        largest = growth if rest is None else growth * (1 + rest.rows / max(1, len(self.setting.final_rows)))
        return timetable.left_for_search(self.trials, self.setting.metric.greater_is_better, growth, largest) <= 0

    def _open_trials(self) -> None:
        while len(self.trials) < self._most and not self._exhausted:
            index = len(self.trials)
            known = self.trials[: max(0, index - LAG + 1)]
            if not all(trial.closed for trial in known):
                return
            proposal = None if self._stalled(known) else self._proposals.next(index, known)
            if proposal is None:
                self._exhausted = True
                return
            algorithm, hyperparameters = proposal
            number = 1 + sum(trial.algorithm is algorithm for trial in self.trials)
            trial = Trial(index, f"{algorithm.name}-{number}", algorithm, hyperparameters)
            self.trials.append(trial)
            self._plan_rows(trial)
            self._advance()

    def _stalled(self, known: list[Trial]) -> bool:
        """Whether trying further has not paid for long: what it costs is then better saved."""
        sign, best, last = (1.0 if self.setting.metric.greater_is_better else -1.0), -np.inf, 0
        for trial in known:
            if trial.score is not None and sign * trial.score > best:
                best, last = sign * trial.score, trial.index
        return len(known) - last > self._patience

    def _plan_rows(self, trial: Trial) -> None:
        """Fix the rows of the trial's fits by the limits; close it where even few rows would take too long."""
        first = self.setting.folds[0]
        rows, columns = len(first.fit), first.columns[trial.algorithm.view]
        columns -= first.indicators if trial.algorithm.view == View.TREES else 0
        trial.rows = self.setting.limits.rows_for(trial.algorithm, rows, columns, self.setting.classes)
        if trial.rows is None:
            trial.status = STOPPED
            trial.reason = f"not tried: {rows:,} rows of {columns:,} features would take longer than the budget allows"
        elif trial.rows < rows:
            trial.reason = f"fitted on a sample of {trial.rows:,} of {rows:,} rows, to keep within its limits"

    def _advance(self) -> None:
        """Start what each open trial needs next, or close it; in order of the trials."""
        for trial in self.trials:
            if trial.status != OPEN or trial.running:
                continue
            if not trial.results:
                self._start(trial, range(1))
            elif len(trial.results) == 1 < self.setting.fold_count and self._is_beaten(trial):
                trial.status = PRUNED
                trial.reason = "; ".join(filter(None, [trial.reason, "given up: clearly worse on the first fold"]))
            elif len(trial.results) < self.setting.fold_count:
                self._start(trial, range(1, len(self.setting.folds)))
            else:
                self._close(trial)

    def _close(self, trial: Trial) -> None:
        setting = self.setting
        score_trial(
            trial,
            setting.workspace,
            setting.folds[: setting.fold_count],
            setting.held_rows,
            setting.held_target,
            setting.metric,
        )
        best = self.best()
        if best is not None and best.score is not None:
            done = sum(each.closed for each in self.trials)
            self.progress.tell(
                f"trial {done}: {trial.name}", best=f"{setting.metric.title} {best.score:.4g} ({best.name})"
            )

    def _is_beaten(self, trial: Trial) -> bool:
        """Whether the first fold is worse than that of an earlier trial by more than the noise of its folds."""
        known = [each for each in self.trials[: max(0, trial.index - LAG + 1)] if each.status == FITTED]
        if not known or len(self.setting.folds[0].scored) < FEWEST_SCORED_ROWS:
            return False
        sign = 1.0 if self.setting.metric.greater_is_better else -1.0
        score = trial.fold_scores()[0]

        def worse(rivals: list[Trial], noise: float) -> bool:
            scores = max((each.fold_scores() for each in rivals), key=lambda scores: sign * scores[0])
            return bool(sign * (scores[0] - score) > noise * np.std(scores, ddof=1))

        related = [each for each in known if each.algorithm is trial.algorithm]
        return worse(known, NOISE) or (bool(related) and worse(related, NOISE_WITHIN))

    def _start(self, trial: Trial, folds: range) -> None:
        """Queue the fits of these folds that are not there yet."""
        for fold in folds:
            if fold in trial.results or fold in trial.running or trial.closed:
                continue
            data = self.setting.folds[fold]
            rows = None if trial.rows is None or trial.rows >= len(data.fit) else trial.rows
            fit = self.setting.fit_of(trial.algorithm, trial.hyperparameters, data, rows=rows, keep=fold == 0)
            trial.fits[fold] = fit
            if (result := find_result(self.setting.workspace, fit)) is not None:
                trial.results[fold] = result
            else:
                trial.running[fold] = self.setting.workers.submit(fit.request(), (trial.index, fold))

    def _collect(self) -> None:
        """Take in the fits that ended."""
        for trial in self.trials:
            for fold, future in list(trial.running.items()):
                if not future.done():
                    continue
                del trial.running[fold]
                try:
                    trial.results[fold] = future.result()
                except (FitStoppedError, CancelledError):
                    continue
                except FitFailedError as error:
                    trial.status, trial.reason = FAILED, str(error)
            if trial.closed and trial.running:
                self.setting.workers.stop(trial.running.values())
                trial.running.clear()

    def _shorten(self) -> None:
        """Judge by fewer folds where a trial clearly best on the first one did not end in time on all of them."""
        setting = self.setting
        sign = 1.0 if setting.metric.greater_is_better else -1.0
        begun = [trial for trial in self.trials if trial.status in (OPEN, FITTED) and 0 in trial.results]
        if not begun or (best := max(begun, key=lambda trial: sign * trial.fold_scores()[0])).status == FITTED:
            return
        complete = [trial.fold_scores() for trial in begun if trial.status == FITTED]
        rival = max(complete, key=lambda scores: sign * scores[0], default=())
        if len(rival) > 1 and sign * (best.fold_scores()[0] - rival[0]) <= NOISE * np.std(rival, ddof=1):
            return
        count = next(fold for fold in range(setting.fold_count + 1) if fold not in best.results)
        setting.limits = replace(setting.limits, folds=count)
        for trial in begun:
            if all(fold in trial.results for fold in range(count)):
                trial.results = {fold: trial.results[fold] for fold in range(count)}
                self._close(trial)

    def _wait(self) -> None:
        running: list[Future[dict[str, Any]]] = [each for trial in self.trials for each in trial.running.values()]
        wait(running, timeout=0.25, return_when=FIRST_COMPLETED)

    def _stop(self) -> None:
        """Close every open trial: the time is up."""
        self.setting.workers.stop([each for trial in self.trials for each in trial.running.values()])
        self._collect()
        self._shorten()
        for trial in self.trials:
            if not trial.closed:
                trial.running.clear()
                trial.status, trial.reason = STOPPED, "stopped: the time for the search was up"
