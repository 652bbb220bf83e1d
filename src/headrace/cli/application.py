"""The commands of `headrace`, with their options and examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headrace.cli.forecast import register as register_forecast
from headrace.cli.serving import register
from headrace.version import __version__

application = typer.Typer(
    name="headrace",
    help="A table and a business goal in; a decision, a report and a compiled model out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
charter_application = typer.Typer(
    help="The charter: the goal, the KPIs and the money, as a YAML file.", no_args_is_help=True
)
application.add_typer(charter_application, name="charter")

TableArgument = Annotated[
    str, typer.Argument(metavar="TABLE", help="CSV, TSV, JSON, Parquet, Arrow, Excel, SQLite or an SQL URL.")
]
ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL_DIR", help="The model folder that a run left (OUT/model).")
]

JoinOption = Annotated[
    list[str] | None,
    typer.Option(
        "--join",
        metavar="TABLE:KEY[@TIME]",
        help="A table to join on KEY (LEFT=RIGHT, or several with commas); of rows with TIME only earlier ones count.",
    ),
]


def _version(shown: bool) -> None:
    if shown:
        typer.echo(f"headrace {__version__}")
        raise typer.Exit


@application.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def _examples(*lines: str) -> str:
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(f"  {line}" for line in lines)


@application.command(
    epilog=_examples(
        "headrace run churn.csv --target Churn",
        "headrace run churn.csv --target Churn --charter charter.yaml --budget 5m --out result",
        "headrace run houses.parquet --target price --exclude id --metric mae --seed 7",
        "headrace run loans.csv --target default --time issued --sensitive gender --trials 20",
        "headrace run customers.csv --target Churn --time asked --join calls.csv:customer_id@called",
        "headrace run --resume 20261122-101500-a1b2c3",
    )
)
def run(
    table: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="CSV, TSV, JSON, Parquet, Arrow, Excel, SQLite or an SQL URL.")
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COL", help="The column to predict.")] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="binary, multiclass, regression, clustering, anomaly_detection, association_rules, forecasting."
        ),
    ] = None,
    test: Annotated[str | None, typer.Option(metavar="TABLE", help="A test table, in place of a random fifth.")] = None,
    charter: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The goal in YAML (headrace charter init).")
    ] = None,
    budget: Annotated[str, typer.Option(help="Wall time from start to result: 60s, 5m, 1h.")] = "60s",
    trials: Annotated[
        int | None, typer.Option(metavar="N", help="Try exactly N candidates, whatever the time: repeats exactly.")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="What candidates are chosen by, such as roc_auc or mae.")] = None,
    seed: Annotated[int, typer.Option(help="Makes every random step repeat.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the results go (default: headrace-out).")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier result.")] = False,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="A column not to learn from (may repeat).")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="A column to learn from though it looks like a leak or a key."),
    ] = None,
    sensitive: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="A column whose groups are compared (may repeat).")
    ] = None,
    mitigate: Annotated[
        str | None, typer.Option(metavar="COL", help="Select the groups of this column at the same rate.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COL", help="Split by this time: the newest rows are the test.")
    ] = None,
    group: Annotated[str | None, typer.Option(metavar="COL", help="Rows with the same value stay in one part.")] = None,
    coverage: Annotated[
        float, typer.Option(metavar="SHARE", help="How often intervals and prediction sets hold the truth.")
    ] = 0.9,
    join: JoinOption = None,
    item: Annotated[
        str | None, typer.Option(metavar="COL", help="association_rules: the item of --group. forecasting: the series.")
    ] = None,
    contamination: Annotated[
        float | None, typer.Option(metavar="SHARE", help="anomaly_detection: the share of rows to call anomalies.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(metavar="N", help="anomaly_detection: look at N values in a row (1: each by itself).")
    ] = None,
    horizon: Annotated[int | None, typer.Option(metavar="N", help="forecasting: how many periods ahead.")] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="ID", help="Go on with a run that was stopped or killed; `list` names them.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Walk the nine steps from TABLE and a goal to go or no-go, and leave a report and a compiled model."""
    from headrace.cli.run import run_command

    run_command(
        table, target, task=task, test=test, charter=charter, budget=budget, trials=trials, metric=metric, seed=seed,
        out=out, overwrite=overwrite, exclude=tuple(exclude or ()), keep=tuple(keep or ()),
        sensitive=tuple(sensitive or ()), mitigate=mitigate, time=time, group=group, joins=tuple(join or ()),
        coverage=coverage, item=item, contamination=contamination, window=window, horizon=horizon, resume=resume, quiet=quiet,
    )  # fmt: skip


@application.command(
    epilog=_examples(
        "headrace predict headrace-out/model new.csv",
        "headrace predict headrace-out/model new.csv --join calls.csv:customer_id",
        "headrace predict headrace-out/model new.parquet --proba --set -o predictions.csv",
    )
)
def predict(
    model: ModelArgument,
    table: TableArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write CSV, Parquet or JSON Lines here (default: CSV to the screen)."
        ),
    ] = None,
    join: JoinOption = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add a probability for every class.")] = False,
    sets: Annotated[bool, typer.Option("--set", help="Add the set of classes that cannot be ruled out.")] = False,
) -> None:
    """Predict every row of TABLE with a compiled model."""
    from headrace.cli.predict import predict_command

    predict_command(model, table, output=output, proba=proba, sets=sets, joins=tuple(join or ()))


@application.command(epilog=_examples("headrace explain headrace-out/model new.csv --row 3"))
def explain(
    model: ModelArgument,
    table: TableArgument,
    row: Annotated[int, typer.Option(metavar="N", help="The row to explain, counted from 1.")],
    join: JoinOption = None,
    seed: Annotated[int, typer.Option(help="Makes the sampling repeat.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which values of one row moved its prediction, and by how much."""
    from headrace.cli.predict import explain_command

    explain_command(model, table, row=row, seed=seed, as_json=as_json, joins=tuple(join or ()))


@application.command(
    epilog=_examples(
        "headrace monitor headrace-out/model new.csv",
        "headrace monitor headrace-out/model new.csv --target Churn --out monitoring",
        "headrace monitor headrace-out/model new.csv --json > monitoring.json || echo look",
    )
)
def monitor(
    model: ModelArgument,
    table: TableArgument,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="The column of true values, where they are known.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write monitoring.html and .json here.")] = None,
    join: JoinOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Say what drifted in TABLE, how the model does on it, and whether to retrain; exit code 3 if something did."""
    from headrace.cli.monitor import monitor_command

    return monitor_command(model, table, target=target, out=out, as_json=as_json, joins=tuple(join or ()))


@application.command(
    epilog=_examples(
        "headrace decide headrace-out --cost-fn 500 --cost-fp 20",
        "headrace decide headrace-out --capacity '200 a week' --rate '1000 a week'",
        "headrace decide headrace-out --at-least recall=0.8 --at-most share=25%",
        "headrace decide headrace-out --cost-fn 500 --cost-fp 20 --currency EUR --write",
        "headrace decide tickets-out --cost urgent:spam=200 --cost '*:*=1'",
        "headrace decide houses-out --cost-under 2 --cost-over 1",
    )
)
def decide(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that a run left.")],
    cost_fn: Annotated[float | None, typer.Option(metavar="MONEY", help="What a missed case costs.")] = None,
    cost_fp: Annotated[float | None, typer.Option(metavar="MONEY", help="What acting in vain costs.")] = None,
    gain_tp: Annotated[float | None, typer.Option(metavar="MONEY", help="What acting rightly brings.")] = None,
    cost_tp: Annotated[
        float | None, typer.Option(metavar="MONEY", help="What acting rightly costs, on balance.")
    ] = None,
    gain_tn: Annotated[float | None, typer.Option(metavar="MONEY", help="What rightly leaving alone brings.")] = None,
    cost_under: Annotated[
        float | None, typer.Option(metavar="MONEY", help="Predicted numbers: what a unit too low costs.")
    ] = None,
    cost_over: Annotated[
        float | None, typer.Option(metavar="MONEY", help="Predicted numbers: what a unit too high costs.")
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACTUAL:PREDICTED=MONEY", help="Several classes: what a mistake costs, '*' for any (may repeat)."
        ),
    ] = None,
    costs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Several classes: all of them, in YAML or as a CSV matrix.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="The currency of all money.")] = None,
    capacity: Annotated[
        str | None, typer.Option(help="How many rows can be acted on: '200 a week', 20%, or none for no limit.")
    ] = None,
    rate: Annotated[str | None, typer.Option(help="How many rows arrive: '1000 a week'.")] = None,
    at_least: Annotated[
        list[str] | None, typer.Option(metavar="KPI=BOUND", help="A KPI to be met, recall=0.8 (may repeat).")
    ] = None,
    at_most: Annotated[
        list[str] | None, typer.Option(metavar="KPI=BOUND", help="The same from above, share=25% (may repeat).")
    ] = None,
    threshold: Annotated[float | None, typer.Option(metavar="P", help="Look at this threshold.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Let model and report follow; the earlier decision stays in the report.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Decide anew from what a run left, by other costs, bounds or capacity: within a second, without training.

    What is not given stays as the run's charter has it. The threshold is chosen on held-out rows; what it brings
    is measured on the test part.
    """
    from headrace.cli.decide import decide_command

    decide_command(
        out, cost_fn=cost_fn, cost_fp=cost_fp, gain_tp=gain_tp, cost_tp=cost_tp, gain_tn=gain_tn,
        cost_under=cost_under, cost_over=cost_over, cost=cost or [], costs=costs, currency=currency, capacity=capacity, rate=rate,
        at_least=at_least or [], at_most=at_most or [], threshold=threshold, write=write, as_json=as_json,
    )  # fmt: skip


@application.command(epilog=_examples("headrace report headrace-out", "headrace report headrace-out --no-open"))
def report(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that a run left.")],
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:
    """Render report.html anew from report.json, and open it."""
    from headrace.cli.report import report_command

    report_command(out, open_browser=open_browser)


@charter_application.command("init", epilog=_examples("headrace charter init", "headrace charter init goal.yaml"))
def charter_init(
    path: Annotated[Path, typer.Argument(metavar="[PATH]", help="Where to write it.")] = Path("charter.yaml"),
) -> None:
    """Write a charter with every key explained, to be filled in."""
    from headrace.ml.process.business_problem import write_charter_template

    write_charter_template(path)
    typer.echo(f"{path} is written; fill it in, then: headrace run TABLE --target COL --charter {path}")


register_forecast(application)
register(application)
