"""How a decision taken anew is shown in a terminal: the answer, its figures, and what each threshold would bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_COLOURS = {"go": "green", "go-with-conditions": "yellow", "no-go": "red"}
_SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_BAR = 14
Found = Mapping[str, Any]


def show(found: Found, stream: TextIO) -> None:
    """Print the decision to `stream`."""
    console = Console(file=stream, highlight=False)
    console.print(_panel(found))
    if found["task"] == "regression":
        _show_numbers(console, found)
        return
    if found["task"] == "multiclass":
        _show_classes(console, found)
        return
    console.print(_figures(found))
    for table in (_confusion(found), _kpis(found), _trade_offs(found)):
        if table is not None:
            console.print()
            console.print(table)
    for line in _candidates(found):
        console.print(line)


def _panel(found: Found) -> Panel:
    decision, was = found["decision"], found["was"]["decision"]
    head = Text(decision.upper(), style=f"bold {_COLOURS.get(decision, 'white')}")
    head.append("" if decision == was else f"  (the run said {was})", style="dim")
    return Panel(
        Group(head, *(Text(f"• {reason}") for reason in found["reasons"])), title="Decision", title_align="left"
    )


def _figures(found: Found) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column()
    table.add_column()
    threshold, currency = found["threshold"], found["currency"]
    spread = "" if threshold["low"] is None else f" (95 % interval {_span(threshold)})"
    table.add_row("threshold", Text(f"{number(threshold['value'])}{spread}, was {number(found['was']['threshold'])}"))
    table.add_row("chosen by", Text(threshold["chosen_by"]))
    money = found["expected_value"]
    if money:
        table.add_row(
            "expected value", Text(f"{number(money['value'])} {currency} a decision on the test part ({_span(money)})")
        )
        gain = money["gain"]
        table.add_row("", Text(f"{_more(gain)} than '{money['best_policy']}'"))
    if found["against_earlier"] is not None:
        table.add_row("", Text(f"{_more(found['against_earlier'])} than with the run's threshold"))
    share = found["share"]
    table.add_row("acted on", Text(f"{percent(share['value'])} of the rows{_a_period(found, share['value'])}"))
    for name, limit in found["limits"].items():
        cost = limit["cost"]
        if cost["value"] == 0:
            continue
        what = {"kpis": "KPIs cost", "capacity": "capacity costs"}.get(name, name)
        table.add_row(what, Text(f"{number(cost['value'])} {cost['unit']} ({_span(cost)})"))
    return table


def _confusion(found: Found) -> Table:
    counts, rows = found["confusion"], found["rows"]
    table = Table(title=f"Of the {rows:,} test rows", title_justify="left", box=None, padding=(0, 2))
    for heading in ("", "acted on", "left alone"):
        table.add_column(heading, justify="right" if heading else "left")
    positive = Text(f"is '{found['positive_class']}'")
    table.add_row(positive, f"{counts['true_positive']:,}", f"{counts['false_negative']:,}")
    table.add_row("is not", f"{counts['false_positive']:,}", f"{counts['true_negative']:,}")
    return table


def _kpis(found: Found) -> Table | None:
    if not found["kpis"]:
        return None
    table = Table(title="KPIs on the test part", title_justify="left", box=None, padding=(0, 2))
    for heading in ("KPI", "bound", "value", "95 % interval", "result"):
        table.add_column(heading, justify="left" if heading in ("KPI", "bound", "result") else "right")
    for kpi in found["kpis"]:
        bounds = [
            f"{sign} {kpi[side]:g}" for sign, side in (("≥", "minimum"), ("≤", "maximum")) if kpi[side] is not None
        ]
        interval = "" if kpi["low"] is None else _span(kpi)
        colour = {"met": "green", "uncertain": "yellow"}.get(kpi["status"], "red")
        table.add_row(Text(str(kpi["name"])), " ".join(bounds), number(kpi["value"]), interval,
                      Text(kpi["status"], style=colour))  # fmt: skip
    return table


def _trade_offs(found: Found) -> Table:
    """Lay out some thresholds from acting on no row to acting on all, what each brings as a bar beside it."""
    points, chosen = _some(found["curve"], found["share"]["value"], found["threshold"]["value"])
    measure = "expected_value" if found["expected_value"] else "f1"
    heading = found["currency"] if found["expected_value"] else "worth"
    title = "What each threshold would bring on held-out rows" + (
        ", money a decision" if found["expected_value"] else ""
    )
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    kpis = "meets" in points[0]
    headings = ("", "threshold", "acted on", "precision", "recall", "F1", *(("KPIs",) if kpis else ()), heading)
    for name in headings:
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    table.add_column("", no_wrap=True)
    values = [point[measure] for point in points]
    low, high = min(values), max(values)
    for point in points:
        length = round(_BAR * (point[measure] - low) / ((high - low) or 1.0))
        here = point is chosen
        cells = [
            f"{point['threshold']:.3f}",
            percent(point["share"]),
            *(f"{point[k]:.3f}" for k in ("precision", "recall", "f1")),
        ]
        cells += [{"surely": "met", "narrowly": "met?", "no": "no"}[point["meets"]]] if kpis else []
        bar = Text("█" * length or "▏", style="green" if here else "blue")
        table.add_row("▶" if here else "", *cells, number(point[measure]), bar, style="bold" if here else "")
    return table


def _some(curve: list[dict[str, Any]], share: float, threshold: float) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Pick the points nearest to round shares of rows, and the one of the threshold; from few rows to all."""
    chosen = min(curve, key=lambda point: (abs(point["threshold"] - threshold), abs(point["share"] - share)))
    near = [min(curve, key=lambda point: abs(point["share"] - wanted)) for wanted in _SHARES]
    picked = {id(point): point for point in (*near, chosen)}
    return sorted(picked.values(), key=lambda point: point["share"]), chosen


def _candidates(found: Found) -> list[Text]:
    """Say what the best candidate would have earned by the new goal."""
    if len(found["candidates"]) < 2:
        return []
    model, best = found["candidates"][:2]
    unit = f"{found['currency']} a decision" if found["expected_value"] else "F1"
    if best["value"] <= model["value"]:
        none = f"\nNone of the run's candidates would do better than the model: {number(model['value'])} {unit}"
        return [Text(f"{none} (each at its own best threshold, on held-out rows).")]
    return [
        Text(
            f"\nOf the run's candidates, {best['name']} would do best: {number(best['value'])} {unit}, the model "
            f"{number(model['value'])} (each at its own best threshold, on held-out rows)."
        )
    ]


def _show_numbers(console: Console, found: Found) -> None:
    shift, money, brings, currency = (found[k] for k in ("shift", "expected_value", "against_unshifted", "currency"))
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_row("shift", Text(f"add {number(shift['value'])} to every prediction (95 % interval {_span(shift)})"))
    under, over = (number(found["unit_costs"][side]) for side in ("under", "over"))
    prices = f"a unit too low costs {under}, one too high {over}"
    table.add_row("", Text(f"the errors' {percent(shift['level'])} quantile on held-out rows, as {prices}"))
    table.add_row(
        "it brings", Text(f"{number(brings['value'])} {currency} a prediction on the test part ({_span(brings)})")
    )
    table.add_row("expected value", Text(f"{number(money['value'])} {currency} a prediction ({_span(money)})"))
    table.add_row("", Text(f"{_more(money['gain'])} than '{money['best_policy']}'"))
    console.print(table)


def _show_classes(console: Console, found: Found) -> None:
    money, currency = found["expected_value"], found["currency"]
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_row("decided for", Text("the class of least expected cost, by the model's probabilities"))
    table.add_row(
        "expected value", Text(f"{number(money['value'])} {currency} a decision on the test part ({_span(money)})")
    )
    table.add_row("", Text(f"{_more(money['gain'])} than '{money['best_policy']}'"))
    table.add_row("", Text(f"{_more(money['over_likeliest'])} than deciding for the likeliest class"))
    held_out = found["held_out"]
    table.add_row("", Text(f"{number(held_out['value'])} {currency} on held-out rows ({_span(held_out)})"))
    console.print(table)
    title = f"Of the {found['rows']:,} test rows, and what a mistake costs"
    matrix = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    matrix.add_column("is")
    for name in found["classes"]:
        matrix.add_column(Text(f"for {name}"), justify="right")
    for name, counts in zip(found["classes"], money["confusion"], strict=True):
        prices = found["costs"][name].values()
        cells = [f"{n:,}" + (f" × {number(price)}" if price else "") for n, price in zip(counts, prices, strict=True)]
        matrix.add_row(Text(name), *cells)
    policies = Table(title="Without a model, or without costs", title_justify="left", box=None, padding=(0, 2))
    for heading in ("", f"{currency} a decision", "95 % interval"):
        policies.add_column(heading, justify="right" if heading else "left")
    likeliest = {"name": "the likeliest class"} | money["likeliest"]
    for policy in sorted((*money["policies"], likeliest), key=lambda row: -row["value"]):
        policies.add_row(Text(policy["name"]), number(policy["value"]), _span(policy))
    for part in (matrix, policies, _kpis(found)):
        if part is not None:
            console.print()
            console.print(part)


def _a_period(found: Found, share: float) -> str:
    capacity = found["capacity"]
    if not capacity or capacity["arrivals"] is None:
        return ""
    return f", about {share * capacity['arrivals']:,.4g} a {capacity['period']} of {capacity['arrivals']:,.6g}"


def _more(figure: Mapping[str, Any]) -> str:
    low, high = figure["low"], figure["high"]
    said = "more" if figure["value"] >= 0 else "less"
    return f"{number(abs(figure['value']))} {said} (95 % interval of the difference {number(low)} … {number(high)})"


def _span(figure: Mapping[str, Any]) -> str:
    return f"{number(figure['low'])} … {number(figure['high'])}"


def percent(share: float) -> str:
    """Write a share."""
    return f"{100 * share:.3g} %"


def number(value: float | None) -> str:
    """Write a figure with four digits, large ones whole."""
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
