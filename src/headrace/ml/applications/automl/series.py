"""Steps 2 to 9 of forecasting: the engine of `headrace forecast`, with the goal and the costs of the charter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.ml.applications.automl.walk import Outcome, Walk
from headrace.ml.errors import ColumnError, OptionError
from headrace.ml.process.problem_framing.target import detect
from headrace.ml.tables.columns import ColumnKind

if TYPE_CHECKING:
    from headrace.ml.tables.table import Table

FEW = 12
"""The horizon, where none is asked for and the series have no shorter season."""


def walk(given: Walk) -> Outcome:
    """Take the steps in order; `--time`, `--item` and `--horizon` are found out where they are not given."""
    from headrace.ml.applications.forecasting.command import Costs, Request
    from headrace.ml.applications.forecasting.command.walk import Tables, produce
    from headrace.ml.applications.forecasting.options import Sources

    options, charter = given.options, given.business.charter
    for name in ("test", "metric", "trials", "mitigate", "group"):
        if getattr(options, name):
            raise OptionError(f"--{name} is not for forecasting; headrace forecast --help shows what is")
    with given.watch.step("problem_framing", "finding times, items and numbers"):
        time, item, target = _columns(given.table, options.time, options.item, options.target)
        money = charter.error_cost
        costs = Costs(money.over, money.under, charter.currency) if money else Costs(currency=charter.currency)
        request = Request.of(
            time=time, target=target, item=item, horizon=options.horizon or _horizon(given, time, item, target),
            budget=options.budget, costs=costs, seed=options.seed,
        )  # fmt: skip
    goal = {"problem": charter.problem, "impact": charter.impact}
    document = produce(Tables(given.table), request, given.partial, given.watch, Sources(options.source), goal=goal)
    return document["steps"], document


def _columns(table: Table, time: str | None, item: str | None, target: str | None) -> tuple[str, str | None, str]:
    """Return the columns of times, of items (None for one series) and of numbers, asked for or found by their kind."""
    names = table.frame.columns
    for name in (time, item, target):
        if name is not None and name not in names:
            raise ColumnError(f"the table has no column '{name}'; it has {', '.join(names[:10])}")
    kinds = {name: detect(table.frame[name]).kind for name in names if name not in (time, item, target)}
    time = time or _only(kinds, ColumnKind.DATE, "times", "--time")
    target = target or _only(kinds, ColumnKind.NUMBER, "numbers", "--target")
    labels = [name for name, kind in kinds.items() if kind is ColumnKind.CATEGORY]
    if item is None and len(labels) == 1 and table.frame[time].is_duplicated().any():
        item = labels[0]
    return time, item, target


def _only(kinds: dict[str, Any], kind: ColumnKind, what: str, option: str) -> str:
    found = [name for name, each in kinds.items() if each is kind]
    if len(found) != 1:
        said = f"several columns of {what} ({', '.join(found[:5])})" if found else f"no column of {what}"
        raise OptionError(f"the table has {said}; name the one to use with {option}")
    return found[0]


def _horizon(given: Walk, time: str, item: str | None, target: str) -> int:
    """Return a season, at most a sixth of the longest history."""
    from headrace.ml.applications.forecasting.options import PanelOptions
    from headrace.ml.applications.forecasting.panel import panel_of_tables

    panel, _ = panel_of_tables(given.table, PanelOptions(time=time, target=target, item=item))
    season = panel.frequency.season
    return max(1, min(season if season > 1 else FEW, int(panel.lengths.max()) // 6))
