"""The page of a forecast, from its report.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts import forecasting as draw
from headrace.ml.report.charts.specification import Chart
from headrace.ml.report.formats import money, number, percent
from headrace.ml.report.listings import forecasting as listings
from headrace.ml.report.page import STEPS, render_page, visible
from headrace.ml.report.summary import DECISIONS, ICONS

_MEANINGS = {
    "go": "The forecasts beat what costs nothing, in every backtest window. They can be put to use.",
    "go-with-conditions": "The forecasts are better than what costs nothing, with the conditions below.",
    "no-go": "The forecasts are no better than last season's or the last values. The reasons are below.",
}
_QUESTIONS = {
    "business_problem": "What are the forecasts for, and what do mistakes cost?",
    "problem_framing": "What is forecast, how far, and how is success measured?",
    "datasets": "Which series are there, and are they fit for the purpose?",
    "preparation": "How were forecasts tried before they are trusted?",
    "exploration": "What do the series look like?",
    "feature_engineering": "What do the models get to know beside the history?",
    "training": "Which models were tried, and how much does each count?",
    "evaluation": "How good are the forecasts where the answer was known, and what drives them?",
    "business_goals": "What should be stocked, what does it cost, and are the forecasts worth using?",
}


def render_forecasting(document: Mapping[str, Any]) -> str:
    """Render the page from the document."""
    document = visible(document)
    steps = [(name, title, _QUESTIONS[name]) for name, title, _ in STEPS]
    tables = {
        name: getattr(listings, name)(document) for name in ("accuracy", "windows", "items", "stocking", "timings")
    }
    return render_page(
        "forecasting.html", _charts(document), document=document, steps=steps, facts=document["steps"],
        summary=_summary(document), tables=tables,
    )  # fmt: skip


def _charts(document: Mapping[str, Any]) -> dict[str, list[Chart]]:
    facts, target = document["steps"]["evaluation"], str(document["target"])
    levels = document["steps"]["problem_framing"]["quantiles"]
    fans = [draw.fan(f"series-{i}", each, target, levels[-1] - levels[0]) for i, each in enumerate(facts["series"])]
    stocking = document["business"]["stocking"]
    found: dict[str, Sequence[Chart | None]] = {
        "forecasts": [*fans[:3]],
        "more_forecasts": [*fans[3:]],
        "exploration": draw.parts(document["steps"]["exploration"]["decomposition"]),
        "training": [draw.accuracy_by_window(document["candidates"], document["metric"]),
                     draw.shares(document["candidates"])],
        "evaluation": [draw.errors_by_item(facts["items"]), draw.errors_by_step(facts["by_step"]),
                       draw.promised(facts["reliability"]), draw.impacts(facts["impacts"])],
        "money": [draw.costs(stocking["policies"], document["business"]["currency"])] if stocking else [],
    }  # fmt: skip
    return {place: [each for each in made if each is not None] for place, made in found.items()}


def _summary(document: Mapping[str, Any]) -> dict[str, Any]:
    title, tone, _ = DECISIONS.get(document["decision"], (str(document["decision"]), "neutral", ""))
    return {
        "title": title, "tone": tone, "icon": ICONS[tone], "meaning": _MEANINGS.get(document["decision"], ""),
        "cards": _cards(document), "next": _next(document),
    }  # fmt: skip


def _cards(document: Mapping[str, Any]) -> list[dict[str, str]]:
    own, base, metric = document["metrics"]["test"], document["baseline"], document["metric"]
    framing, cards = document["steps"]["problem_framing"], []
    stocking = document["business"]["stocking"]
    if stocking:
        currency = document["business"]["currency"]
        cards.append({
            "label": "To stock", "value": f"the {percent(stocking['level'], 0)} quantile",
            "note": f"It would have cost {money(stocking['policies'][0]['cost'], currency)} a period in the backtest "
                    f"windows, {money(abs(stocking['saving']), currency)} "
                    f"{'less' if stocking['saving'] >= 0 else 'more'} than the best other way.",
        })  # fmt: skip
    beside = ""
    if base["name"]:
        beside = f"That of {base['name'].replace('_', ' ')} is {number(base['metrics'].get(metric))}. "
    cards.append({
        "label": f"{metric} in the backtest windows", "value": number(own.get(metric)),
        "note": f"{beside}WAPE {percent(own['WAPE'])}: the errors' sum as a share of what came.",
    })  # fmt: skip
    levels = framing["quantiles"]
    cards.append({
        "label": f"Between {percent(levels[0], 0)} and {percent(levels[-1], 0)} quantile",
        "value": percent(own["coverage"]), "note": f"of the values came; {percent(levels[-1] - levels[0], 0)} were to.",
    })  # fmt: skip
    cards.append({
        "label": "Forecast", "value": f"{framing['horizon']} × {framing['period']}",
        "note": f"of {number(framing['items'])} {'items' if framing['items'] > 1 else 'item'}, in forecasts.csv.",
    })  # fmt: skip
    return cards


def _next(document: Mapping[str, Any]) -> list[str]:
    first = {
        "no-go": "Do not rely on these forecasts; give a longer history, related series or metadata, and run again.",
    }.get(document["decision"], "Use forecasts.csv.")
    again = "When new values have come: headrace forecast NEW_TABLE --model model, run in the folder of this report."
    costs = "Say what a unit too many and too few cost (--cost-over, --cost-under) to know what to stock."
    return [first, again, *([] if document["business"]["stocking"] else [costs])]
