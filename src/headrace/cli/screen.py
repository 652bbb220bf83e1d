"""What `headrace run` shows: a live line while it works, and the summary at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from headrace.ml.process.progress import Moment

_COLOURS = {"go": "green", "go-with-conditions": "yellow", "no-go": "red"}


class Screen:
    """A live display on a terminal; elsewhere a plain line whenever the step changes."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on `stream`."""
        self.console = Console(file=stream, highlight=False)
        self._begin = time.monotonic()
        self._live = (
            Live(console=self.console, refresh_per_second=8, transient=True) if self.console.is_terminal else None
        )
        self._last_step = ""

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, moment: Moment) -> None:
        """Show what the run is doing now."""
        if self._live is not None:
            self._live.update(_Display(moment))
        elif moment.step != self._last_step:
            self._last_step = moment.step
            self.console.print(
                f"{time.monotonic() - self._begin:5.1f} s  {escape(moment.step)}: {escape(moment.doing)}"
            )

    def summarise(self, document: Mapping[str, Any], out: Path) -> None:
        """Print the decision and why, the money, the test metrics with intervals, and where everything is."""
        decision = str(document["decision"])
        lines = [Text.from_markup(f"[bold {_COLOURS.get(decision, 'white')}]{decision.upper()}[/]")]
        lines += [Text(f"• {reason}") for reason in document["reasons"]]
        self.console.print(Panel(Group(*lines), title="Decision", title_align="left"))
        self.console.print(_metrics(document))
        for line in _money(document):
            self.console.print(line)
        predictions = "forecasts" if document.get("task") == "forecasting" else "predictions"
        for title, name in (("report", "report.html"), ("model", "model"), (predictions, f"{predictions}.csv")):
            self.console.print(f"{title:12} {escape(str(out / name))}", soft_wrap=True)
        if document.get("task") == "binary":
            said = "other costs, limits or KPIs: headrace decide"
            self.console.print(f"{'what if':12} {said} {escape(str(out))} --help", soft_wrap=True)


class _Display:
    """One moment, drawn anew at every refresh so that the seconds count down while a step is silent."""

    def __init__(self, moment: Moment) -> None:
        self.moment, self.at = moment, time.monotonic()

    def __rich__(self) -> Group:
        moment = self.moment
        line = Text.assemble((moment.step, "bold"), "  ", moment.doing)
        facts = []
        if moment.best:
            facts.append(f"best {moment.best}")
        if moment.remaining is not None:
            facts.append(f"{max(0.0, moment.remaining - (time.monotonic() - self.at)):.0f} s left")
        parts: list[Any] = [line, Text("   ".join(facts), style="dim")]
        if moment.fraction is not None:
            parts.insert(1, ProgressBar(total=1.0, completed=moment.fraction, width=60))
        return Group(*parts)


def _metrics(document: Mapping[str, Any]) -> Table:
    """Lay out the test metrics beside the baseline's."""
    part = "In the backtest windows" if document.get("task") == "forecasting" else "On the untouched test part"
    table = Table(title=part, title_justify="left", box=None, padding=(0, 2))
    for heading in ("metric", "model", "95 % interval", "baseline"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    baseline = document["baseline"].get("metrics", {})
    for metric, value in document["metrics"]["test"].items():
        low, high = (document["metrics_interval"].get(metric) or (None, None))[:2]
        interval = f"{_number(low)} … {_number(high)}" if low is not None else ""
        table.add_row(metric, _number(value), interval, _number(baseline.get(metric)))
    return table


def _money(document: Mapping[str, Any]) -> list[Text]:
    """Say what a decision earns, and how the KPIs fared."""
    business = document["business"]
    lines = []
    value = business.get("expected_value") or {}
    if value.get("value") is not None:
        low, high = value.get("low"), value.get("high")
        interval = f" ({_number(low)} … {_number(high)})" if low is not None else ""
        lines.append(
            Text(f"expected value: {_number(value['value'])} {business.get('currency', '')} a decision{interval}")
        )
    if business.get("threshold") is not None:
        lines.append(Text(f"threshold: {_number(business['threshold'])}"))
    lines += [
        Text(f"KPI {kpi.get('name') or kpi['metric']}: {_number(kpi.get('value'))} {kpi['status']}")
        for kpi in business.get("kpis", ())
    ]
    return lines


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1e5 else f"{value:,.0f}"
