"""Steps 2 to 9 where the table has a label: binary, multiclass and regression."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace.ml.applications.automl.closing import closing_seconds, evaluation_seconds, import_ahead
from headrace.ml.applications.automl.walk import Outcome, Walk
from headrace.ml.process import STEPS

if TYPE_CHECKING:
    from headrace.ml.process.datasets import Dataset
    from headrace.ml.process.preparation import Preparation


def walk(given: Walk) -> Outcome:
    """Take the steps in order; each gets the results of those before it."""
    from headrace.ml.process.datasets import develop_datasets
    from headrace.ml.process.datasets.leak_scores import seconds_to_weigh
    from headrace.ml.process.exploration import explore_data
    from headrace.ml.process.feature_engineering import engineer_features
    from headrace.ml.process.preparation import prepare_data
    from headrace.ml.process.preparation.rest import find_rest
    from headrace.ml.process.problem_framing import frame_problem
    from headrace.ml.process.training import train_models
    from headrace.ml.process.training.trust import learn_from_held_out

    options, watch, business = given.options, given.watch, given.business
    seed = options.seed
    with watch.step("problem_framing", "finding out the task"):
        framing = frame_problem(
            given.table, options.target, business, task=options.task, metric=options.metric, time=options.time
        )
    with watch.step("datasets", "typing the columns and checking readiness"):
        weighed = given.progress.spares(seconds_to_weigh(given.table.frame.width, len(framing.classes)))
        dataset = develop_datasets(
            given.table, business, framing, test=given.test, exclude=options.exclude, keep=options.keep,
            sensitive=options.sensitive, time=options.time, group=options.group, seed=seed,
            weighed=weighed,
        )  # fmt: skip
        business = replace(business, timeline=timeline(dataset))
    with watch.step("preparation", "cleaning and splitting"):
        preparation = prepare_data(
            dataset, framing, seed=seed, budget=given.progress.affordable(), time=options.time, group=options.group
        )
    shuffled = options.time is None and options.group is None and not options.joins
    rest = find_rest(given.table, dataset, framing, preparation.columns, shuffled=shuffled)
    preparation = replace(preparation, rest=rest)
    with watch.step("exploration", "describing the training part"):
        exploration = explore_data(dataset, preparation, framing, seed=seed)
    with watch.step("feature_engineering", "making features and testing what they are worth"):
        engineering = engineer_features(preparation, framing, exploration, seed=seed, progress=given.progress)
    given.progress.closing = closing_seconds(preparation.frame.height, _texts(preparation))
    with watch.step("training", "fitting the first candidates"):
        import_ahead()
        training = train_models(
            preparation, framing, business, engineering, seed=seed, trials=options.trials,
            workspace=given.workspace, progress=given.progress, workers=given.workers,
        )  # fmt: skip
        training = learn_from_held_out(
            training, preparation, framing, coverage=options.coverage, seed=seed, progress=given.progress
        )
    left_out = () if weighed else ("what leaks are worth was not measured: the machine was too busy",)
    training = replace(training, notes=(*training.notes, *left_out, *given.resumption()))
    steps = dict(
        zip(STEPS, (business, framing, dataset, preparation, exploration, engineering, training), strict=False)
    )
    return steps, _judge(given, steps)


def _judge(given: Walk, steps: dict[str, Any]) -> dict[str, Any]:
    """Compile the model, take the last two steps with it (they are added to `steps`), and write what a run leaves."""
    from headrace.ml.applications.automl.choices import choices_of
    from headrace.ml.applications.automl.results import build_model, write_results
    from headrace.ml.process.business_goals import choose_threshold, evaluate_business_goals
    from headrace.ml.process.business_goals.mitigation import mitigate, weigh_mitigation
    from headrace.ml.process.evaluation import evaluate_model
    from headrace.ml.process.training.prediction_sets import fit_sets

    business, framing, dataset, preparation, _, _, training = steps.values()
    options, watch, progress = given.options, given.watch, given.progress
    with watch.step("evaluation", "compiling the model"):
        threshold = choose_threshold(business, framing, training, preparation)
        mitigation = None
        if options.mitigate is not None:
            mitigation = mitigate(options.mitigate, business, framing, training, preparation, threshold)
            threshold = mitigation.threshold
            training = steps["training"] = fit_sets(mitigation.training, preparation, coverage=options.coverage)
        built = build_model(
            given.partial / "model", options, given.table, dataset, preparation, framing, training, threshold,
            shift=mitigation.shift if mitigation else None,
        )  # fmt: skip
        progress.tell("measuring on the untouched test part")
        treated = () if options.mitigate is None else (options.mitigate,)
        sensitive = tuple(dict.fromkeys((*treated, *options.sensitive, *business.charter.sensitive_columns)))
        slowdown = progress.pace.slowdown()
        seconds = float("inf")
        if options.budget is not None:
            rows, texts = preparation.frame.height, _texts(preparation)
            seconds = evaluation_seconds(progress.remaining(), slowdown, rows, texts)
        steps["evaluation"] = evaluation = evaluate_model(
            preparation, framing, training, built.model,
            sensitive=sensitive, private=frozenset(dataset.personal), seed=options.seed, seconds=seconds,
            slowdown=slowdown,
        )  # fmt: skip
    with watch.step("business_goals", "weighing the model against the goal"):
        steps["business_goals"] = evaluate_business_goals(
            business, framing, preparation, training, evaluation, threshold,
            predict_microseconds=built.facts["predict_microseconds"], seed=options.seed,
            suspicious=dataset.suspicious,
        )  # fmt: skip
    _keep_evidence(given, steps)
    records = {**steps, "threshold": threshold, "choices": choices_of(steps, threshold, options)}
    if mitigation is not None:
        records["mitigation"] = weigh_mitigation(mitigation, business, framing, preparation, evaluation)
    return write_results(given.partial, options, records, built, watch.seconds, progress)


def _texts(preparation: Preparation) -> int:
    """Return how many columns hold texts or pictures, which take longer than others to predict from."""
    from headrace.ml.tables.columns import CONTENT

    return sum(column.kind in CONTENT for column in preparation.columns)


def _keep_evidence(given: Walk, steps: dict[str, Any]) -> None:
    """Leave what `headrace decide` decides anew from."""
    from headrace.ml.applications.automl.output import writing
    from headrace.ml.process.business_goals.evidence import EVIDENCE_FILE, Evidence

    preparation, training, evaluation = steps["preparation"], steps["training"], steps["evaluation"]
    evidence = Evidence.of(
        preparation.target[training.held_out_rows], training.held_out,
        preparation.target[preparation.test], evaluation.test_predictions, seed=given.options.seed,
    )  # fmt: skip
    with writing(given.partial):
        (given.partial / EVIDENCE_FILE).write_bytes(evidence.to_bytes())


def timeline(dataset: Dataset) -> tuple[tuple[str, float], ...]:
    """Estimate the weeks a phase takes, now that the size and the state of the data are known."""
    from polars import String

    from headrace.ml.process.business_problem import estimate_timeline

    frame = dataset.frame
    cells = max(1, frame.height * frame.width)
    missing = sum(series.null_count() for series in frame)
    missing += sum(int((series == "").sum()) for series in frame if series.dtype == String)
    problems = sum(check.status in ("warn", "fail") for check in dataset.readiness)
    return estimate_timeline(frame.height, frame.width, missing / cells, readiness_problems=problems)
