"""The backtest: models forecast the windows, across items in one piece and others in chunks, as time allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor.assignments import Answer, Assignment, perform
from headrace.ml.applications.forecasting.predictor.plan import GLOBAL_SHARE, REFERENCES, Clock, affordable
from headrace.ml.applications.forecasting.predictor.trials import Trial, Trials, empty_trial, put
from headrace.ml.applications.forecasting.predictor.windows import Window
from headrace.ml.applications.forecasting.predictor.workers import STOPPED, Workers
from headrace.ml.errors import BudgetError

PILOT_ITEMS, CHUNK_SECONDS, MOST_CHUNK = 8, 3.0, 1_000
QUICK = 1e-6
"""The seconds of a fit that tell a model to do with as little as it can."""
Teller = Callable[[str, float], None]


class Backtest:
    """One backtest under way: what was forecast, how long models take, and what went wrong."""

    def __init__(
        self, panel: Panel, options: TrainingOptions, windows: Sequence[Window], models: Sequence[str],
        levels: tuple[float, ...], workers: Workers, clock: Clock, tell: Teller,
    ) -> None:  # fmt: skip
        self._panel, self._options, self._workers, self._clock, self._tell = panel, options, workers, clock, tell
        self._windows, self._models, self._levels = tuple(windows), tuple(models), levels
        self._trials: list[Trial] = [empty_trial(panel, window, len(models), len(levels)) for window in windows]
        self._spent: dict[str, float] = {}
        self._errors: dict[str, str] = {}
        self._done, self._expected = 0, 1
        self.notes: tuple[str, ...] = ()
        self.seconds: dict[str, float] = {}
        """What a forecast of all items takes of one core, by model that is not across items."""
        self.limits: dict[str, float | None] = {}
        """The seconds that these models are told when they fit: None, or `QUICK`."""

    def run(self) -> Trials:
        """Return the trials of the models that forecast; raises `BudgetError` where none did."""
        for reference in (name for name in REFERENCES if name in self._models):  # whatever the time, and the workers
            for assignment in self._chunks([reference], len(self._windows), {}):
                self._take(perform(assignment, self._panel))
        across = [name for name in self._models if MODELS[name].across_items]
        alone = [name for name in self._models if name not in across and name not in REFERENCES]
        used = len(self._windows)
        if self._clock.end is None:
            self._do([*map(self._across, across), *self._chunks(alone, used, {})], 1.0)
        else:
            pilots = [pilot for name in alone for pilot in self._pilots(name, None)]
            self._do([*pilots[:2], *map(self._across, across), *pilots[2:]], 0.6)
            used, chosen = self._plan(alone, used)
            self._do(self._chunks(chosen, used, self.seconds), 0.9)
            alone = list(chosen)
        tried = [name for name in self._models if name in (*across, *alone, *REFERENCES)]
        found = [name for name in tried if self._forecast_any(name)]
        self.notes += tuple(
            f"{name} failed on some items: {error}" if name in found else f"{name} was left out: {error}"
            for name, error in self._errors.items()
        )
        if not found:
            reason = next(iter(self._errors.values()), "no history is long enough")
            raise BudgetError(f"no model forecast the backtest windows ({reason}); give more time or longer histories")
        return Trials(self._models, self._levels, tuple(self._trials[:used])).of(found)

    def _forecast_any(self, name: str) -> bool:
        return bool((~np.isnan(self._trials[0].means[self._models.index(name)])).any())

    def _do(self, assignments: Sequence[Assignment], part: float) -> None:
        self._expected = self._done + len(assignments)
        self._workers.run(assignments, self._take, until=self._clock.until(part))

    def _take(self, answer: Answer) -> None:
        done = answer.assignment
        self._done += 1
        self._tell(f"backtesting: {done.model.replace('_', ' ')}", self._done / self._expected)
        if answer.error:
            late = answer.error == STOPPED
            self._errors.setdefault(done.model, "it ran out of time" if late else answer.error)
            return
        self._spent[done.model] = answer.forecasting / max(1, len(done.items) * len(done.cuts))
        cuts = [window.cut for window in self._windows]
        for cut, forecast in zip(done.cuts, answer.forecasts, strict=True):
            put(self._trials[cuts.index(cut)], self._models.index(done.model), done.items, forecast)

    def _across(self, name: str) -> Assignment:
        """A model across items learns once, before the oldest window, and forecasts all of them."""
        oldest = self._windows[-1]
        cuts = tuple(window.cut for window in self._windows)
        return self._assignment(name, oldest.items(self._panel), cuts, self._clock.share(GLOBAL_SHARE), oldest.cut)

    def _pilots(self, name: str, seconds: float | None) -> list[Assignment]:
        """Two tastes of what a model costs: the first has libraries to load and to warm up."""
        items = self._windows[0].items(self._panel)
        spread = np.unique(np.linspace(0, len(items) - 1, PILOT_ITEMS + 2).astype(int)) if items.size else items
        parts = [items[spread[1:-1:4]], items[spread]] if seconds is None else [items[spread]]
        return [self._assignment(name, part, (self._windows[0].cut,), seconds) for part in parts if part.size]

    def _plan(self, alone: Sequence[str], windows: int) -> tuple[int, tuple[str, ...]]:
        """Choose, by what the pilots took, the models that fit into the time left: slow ones with less effort."""
        self.limits = dict.fromkeys(alone, None)
        used, chosen, notes = self._affordable(alone, windows)
        slow = [name for name in alone if name not in chosen and name in self._spent]
        if slow:
            self._do([pilot for name in slow for pilot in self._pilots(name, QUICK)], 0.2)
            self.limits |= dict.fromkeys(slow, QUICK)
            used, chosen, notes = self._affordable(alone, windows)
        self.notes += notes
        return max(1, used), chosen

    def _affordable(self, alone: Sequence[str], windows: int) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
        count = len(self._windows[0].items(self._panel))
        self.seconds = {name: each * count for name, each in self._spent.items() if name in alone}
        order = [name for name in alone if name in self.seconds]
        wall = {name: 1.15 * seconds / max(1, self._workers.count) for name, seconds in self.seconds.items()}
        return affordable(wall, order, windows, 0.85 * (self._clock.left() or 0.0))

    def _chunks(self, models: Sequence[str], windows: int, seconds: dict[str, float]) -> list[Assignment]:
        """Cut what is not forecast yet into pieces of a few seconds, window by window and model by model."""
        found = []
        for name in models:
            for window, trial in list(zip(self._windows, self._trials, strict=True))[:windows]:
                items = window.items(self._panel)
                todo = items[np.isnan(trial.means[self._models.index(name), items, 0])]
                each = seconds.get(name, 0.0) / max(1, len(items))
                size = (
                    int(np.clip(CHUNK_SECONDS / max(each, 1e-9), 1, MOST_CHUNK))
                    if each
                    else (MOST_CHUNK if name in REFERENCES else PILOT_ITEMS * 4)
                )
                found += [
                    self._assignment(name, todo[i : i + size], (window.cut,), self.limits.get(name))
                    for i in range(0, len(todo), size)
                ]
        return found

    def _assignment(
        self,
        name: str,
        items: npt.NDArray[np.integer],
        cuts: tuple[int, ...],
        seconds: float | None,
        fit_cut: int | None = None,
    ) -> Assignment:
        chosen = tuple(int(i) for i in items)
        return Assignment(name, chosen, cuts, self._options.horizon, self._levels, fit_cut, self._options.seed, seconds)
