"""`headrace forecast`: from a table of series to forecasts, a report and a saved model."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from headrace.ml.errors import OptionError

EXAMPLES = (
    "headrace forecast sales.csv --time date --item sku --target units --horizon 28",
    "headrace forecast sales.csv --time date --item sku --target units --horizon 8 --frequency W --related prices.csv",
    "headrace forecast sales.csv --time date --item sku --target units --horizon 28 --cost-over 1 --cost-under 4",
    "headrace forecast passengers.csv --time month --target passengers --horizon 12 --quantiles .05,.5,.95",
    "headrace forecast newer.csv --model headrace-out/model --out next",
)


def register(application: typer.Typer) -> None:
    """Add the command to the application."""
    lines = "\n\n".join(f"  {line}" for line in EXAMPLES)
    application.command(epilog=f"[bold]Examples[/bold]\n\n{lines}")(forecast)


def forecast(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The history: a row for each time (and item).")],
    time: Annotated[str | None, typer.Option(metavar="COL", help="The column of time stamps.")] = None,
    target: Annotated[str | None, typer.Option(metavar="COL", help="The column of numbers to forecast.")] = None,
    item: Annotated[
        str | None, typer.Option(metavar="COL", help="The column that tells series apart (none: one series).")
    ] = None,
    horizon: Annotated[int | None, typer.Option(metavar="N", help="How many periods to forecast.")] = None,
    dimension: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="A further column that tells series apart (may repeat).")
    ] = None,
    related: Annotated[
        str | None, typer.Option(metavar="TABLE", help="Numbers beside each series, such as prices, the future's too.")
    ] = None,
    items: Annotated[
        str | None, typer.Option(metavar="TABLE", help="What is known of each item, those without history too.")
    ] = None,
    frequency: Annotated[
        str | None, typer.Option(metavar="F", help="The length of a period: 15min, H, D, W, M, Q, Y (default: found).")
    ] = None,
    quantiles: Annotated[str | None, typer.Option(metavar="LIST", help="Quantiles to forecast: .1,.5,.9.")] = None,
    holidays: Annotated[str | None, typer.Option(metavar="COUNTRY", help="Know its holidays: US, DE, US-CA.")] = None,
    budget: Annotated[str, typer.Option(help="Wall time from start to result: 60s, 5m, 1h.")] = "120s",
    cost_over: Annotated[
        float | None, typer.Option(metavar="MONEY", help="What a unit too many costs; says what to stock.")
    ] = None,
    cost_under: Annotated[float | None, typer.Option(metavar="MONEY", help="What a unit too few costs.")] = None,
    currency: Annotated[str, typer.Option(help="The currency of all money.")] = "USD",
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Forecast with this model (OUT/model) instead of training one.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the results go (default: headrace-out).")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result.")] = False,
    fill: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="middle=zero, back=nan, aggregation=mean, price:future=interpolate, ..."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="What time stamps with an offset are brought to: Europe/Berlin.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="What models are chosen by: wQL (default), WAPE, RMSE, MAPE or MASE.")
    ] = None,
    windows: Annotated[int | None, typer.Option(metavar="N", help="Backtest windows, 1 to 5 (default: found).")] = None,
    algorithm: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Use only this algorithm (may repeat): ets, arima, ...")
    ] = None,
    seed: Annotated[int, typer.Option(help="Makes every random step repeat.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Forecast every series of TABLE with quantiles, and say how good that is beside naive forecasts."""
    asked = {
        "time": time, "target": target, "item": item, "horizon": horizon, "frequency": frequency,
        "quantiles": quantiles, "holidays": holidays, "time_zone": time_zone, "metric": metric, "windows": windows,
        "dimensions": tuple(dimension or ()), "fills": tuple(fill or ()), "algorithms": tuple(algorithm or ()),
    }  # fmt: skip
    from headrace.ml.applications.forecasting.command import Costs

    costs = Costs(cost_over or 0.0, cost_under or 0.0, currency)
    sources = (table, related, items)
    written = {"out": out, "overwrite": overwrite}
    if quiet:
        _do(sources, asked, costs, model, budget, seed, written)
        return
    from headrace.cli.screen import Screen

    with Screen(sys.stderr) as screen:
        record = _do(sources, asked, costs, model, budget, seed, written | {"listener": screen.show})
    _summarise(record.document, record.out)


def _do(
    tables: tuple[str, str | None, str | None], asked: dict[str, Any], costs: Any, model: Path | None, budget: str,
    seed: int, more: dict[str, Any],
) -> Any:  # fmt: skip
    """Check what is asked, and do it."""
    from headrace.cli import STARTED
    from headrace.ml.applications.automl.options import parse_duration
    from headrace.ml.applications.forecasting.command import Request, forecast, forecast_again, parse_quantiles
    from headrace.ml.applications.forecasting.options import Sources

    sources = Sources(*tables)
    given = {name: value for name, value in asked.items() if value not in (None, ())}
    if model is not None:
        if given:
            name = next(iter(given)).replace("_", "-").removesuffix("s")
            raise OptionError(f"--model has its own columns and horizon; leave --{name} out, or train without --model")
        return forecast_again(sources, model, costs=costs, **more)
    for name, said in (
        ("time", "the column of time stamps"),
        ("target", "the column to forecast"),
        ("horizon", "how many periods to forecast"),
    ):
        if given.get(name) is None:
            raise OptionError(
                f"--{name} is not given; name {said}" if name != "horizon" else f"--horizon is not given; say {said}"
            )
    if "quantiles" in given:
        given["quantiles"] = parse_quantiles(given["quantiles"])
    request = Request.of(**given, costs=costs, budget=parse_duration(budget), seed=seed)
    return forecast(sources, request, started=STARTED, **more)


def _summarise(document: Mapping[str, Any], out: Path) -> None:
    """Print the decision, the accuracy beside naive forecasts, what to stock, and where everything is."""
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from headrace.ml.report.formats import money, number, percent, sentence

    console = Console(stderr=True, highlight=False)
    colour = {"go": "green", "go-with-conditions": "yellow", "no-go": "red"}[document["decision"]]
    lines = [Text(document["decision"].upper(), style=f"bold {colour}")]
    lines += [Text(f"• {sentence(reason)}") for reason in document["reasons"]]
    console.print(Panel(Group(*lines), title="Decision", title_align="left"))
    table = Table(title="In the backtest windows", title_justify="left", box=None, padding=(0, 2))
    shown = [c for c in document["candidates"] if c["algorithm"] in ("ensemble", "naive", "seasonal_naive")]
    for heading in ("metric", *(c["title"] for c in shown)):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for name in ("wQL", "WAPE", "RMSE", "MAPE", "MASE"):
        table.add_row(name, *(number(c["metrics"][name]) for c in shown))
    console.print(table)
    stocking = document["business"]["stocking"]
    if stocking:
        currency, saving = document["business"]["currency"], stocking["saving"]
        said = f"{money(abs(saving), currency)} {'less' if saving >= 0 else 'more'} than the best other way"
        cost = money(stocking["policies"][0]["cost"], currency)
        console.print(f"stock the {percent(stocking['level'], 0)} quantile: {cost} a period in the backtests, {said}")
    for finding in document["steps"]["datasets"]["findings"][:6]:
        console.print(Text(f"note         {sentence(finding)}"), soft_wrap=True)
    for title, name in (("report", "report.html"), ("forecasts", "forecasts.csv"), ("model", "model")):
        console.print(Text(f"{title:12} {out / name}"), soft_wrap=True)
