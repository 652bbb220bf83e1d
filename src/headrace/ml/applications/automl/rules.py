"""Steps 2 to 9 of association rules: which items go together, and what to recommend for a basket."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.applications.automl.output import writing
from headrace.ml.applications.automl.unlabelled import finish, frame
from headrace.ml.applications.automl.walk import Outcome, Walk
from headrace.ml.contract import Task
from headrace.ml.tables.table import shown_source


def walk(given: Walk) -> Outcome:
    """Take the steps in order; each gets the results of those before it."""
    from headrace.ml.prediction import load
    from headrace.ml.prediction.recommending import RuleSet
    from headrace.ml.process.business_goals.rules import judge_rules
    from headrace.ml.process.datasets.baskets import develop_baskets
    from headrace.ml.process.datasets.splitting import Order, split_rows
    from headrace.ml.process.evaluation.rules import evaluate_rules
    from headrace.ml.process.problem_framing.recognition import basket_columns
    from headrace.ml.process.training.rules import mine_rules

    options, watch = given.options, given.watch
    framing = frame(given, Task.ASSOCIATION_RULES)
    with watch.step("datasets", "reading the baskets"):
        data = develop_baskets(
            given.table, options.group, options.item, basket_columns(given.table.frame.columns), options.exclude
        )
    with watch.step("preparation", "splitting the baskets"):
        parts = split_rows(np.zeros(len(data.names)), framing.task, Order(), seed=options.seed)
        learnt = np.concatenate([parts.train, parts.validation])
        preparation = MappingProxyType(
            {"split": parts.described.replace(" rows", " baskets")}
            | {"train": parts.train, "validation": parts.validation, "test": parts.test}
        )
    with watch.step("training", "looking for rules"):
        training = mine_rules(data, learnt.tolist(), progress=given.progress)
    with watch.step("evaluation", "confirming the rules on the untouched test part"):
        found = training.rules
        rules = RuleSet(
            items=data.items,
            antecedents=tuple(rule.antecedent for rule in found),
            consequents=np.array([rule.consequent for rule in found], np.int64),
            confidences=np.array([rule.confidence for rule in found], np.float64),
            lifts=np.array([rule.lift for rule in found], np.float64),
            popular=training.popular,
            layout=data.layout,
        )
        evaluation = evaluate_rules(data, training, rules, parts.test.tolist(), seed=options.seed)
        facts = _write(given, rules, evaluation.metrics)
        model = load(given.partial / "model")
        facts |= _speed(model, data)
    with watch.step("business_goals", "weighing the rules against the goal"):
        goals = judge_rules(
            given.business, training, evaluation, tested=len(parts.test),
            predict_microseconds=facts["predict_microseconds"],
        )  # fmt: skip
    steps: dict[str, Any] = {
        "business_problem": given.business,
        "problem_framing": replace(framing, observations=len(data.names), features=data.items),
        "datasets": data,
        "preparation": preparation,
        "exploration": None,
        "feature_engineering": None,
        "training": training,
        "evaluation": evaluation,
        "business_goals": goals,
    }
    names = [data.names[i] for i in np.sort(parts.test).tolist()]
    baskets = rules.recommend(data.held[np.sort(parts.test)])
    predictions = pl.DataFrame(
        {
            "basket": [name for name, items in zip(names, baskets, strict=True) for _ in items],
            "rank": [rank + 1 for items in baskets for rank in range(len(items))],
            "item": [data.items[item] for items in baskets for item, _ in items],
        },
        schema={"basket": pl.String, "rank": pl.Int64, "item": pl.String},
    )
    return steps, finish(given, steps, facts, predictions)


def _write(given: Walk, rules: Any, metrics: Any) -> dict[str, Any]:
    """Write rules.json and its manifest into model/."""
    from headrace.ml.applications.automl.results import versions
    from headrace.ml.prediction.manifest import Manifest, record_content, write_text
    from headrace.ml.prediction.recommending import RULES_FILE
    from headrace.version import __version__

    folder, text = given.partial / "model", rules.to_json()
    record = record_content(text.encode())
    with writing(given.partial):
        folder.mkdir()
    write_text(folder / RULES_FILE, text)
    Manifest(
        task=Task.ASSOCIATION_RULES, target="", inputs=(), outputs=(), metrics=metrics, files={RULES_FILE: record},
        headrace_version=__version__,
        provenance={
            "source": shown_source(given.table.source), "sha256": given.table.sha256,
            "rows": given.table.frame.height, "seed": given.options.seed, "versions": versions(),
            "columns": given.table.frame.columns, "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    ).write(folder)  # fmt: skip
    return {"bytes": record.size, "sha256": record.sha256}


def _speed(model: Any, data: Any) -> dict[str, float]:
    seconds = []
    for basket in data.held[:50]:
        items = [data.items[i] for i in np.flatnonzero(basket)]
        start = time.perf_counter()
        model.predict(items)
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    model.rules.recommend(data.held[:2_000])
    rate = min(2_000, len(data.held)) / (time.perf_counter() - start)
    return {"predict_microseconds": median(seconds) * 1e6, "rows_per_second": rate}
