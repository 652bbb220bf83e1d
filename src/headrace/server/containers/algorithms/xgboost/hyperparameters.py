"""XGBoost's hyperparameters and metrics, as AWS's container has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.server.containers.contract import Metric
from headrace.server.containers.hyperparameters import TUNING_OBJECTIVE, Parameter
from headrace.server.containers.values import boolean, choice, groups, listed, real, whole, words

HIGHER_IS_BETTER = (
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
)
LOWER_IS_BETTER = (
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
WITH_THRESHOLD = ("error", "ndcg", "map")
NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
METRICS = tuple(
    Metric(f"{part}:{name}", rf".*\[[0-9]+\].*#011{part}-{name}:{NUMBER}")
    for part in ("train", "validation")
    for name in HIGHER_IS_BETTER + LOWER_IS_BETTER
)
OBJECTIVES = (
    "reg:squarederror",
    "reg:linear",
    "reg:logistic",
    "reg:gamma",
    "reg:pseudohubererror",
    "reg:squaredlogerror",
    "reg:absoluteerror",
    "reg:tweedie",
    "binary:logistic",
    "binary:logitraw",
    "binary:hinge",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:pairwise",
    "rank:ndcg",
    "rank:map",
    "survival:aft",
    "survival:cox",
)
UPDATERS = (
    "grow_colmaker",
    "distcol",
    "grow_histmaker",
    "grow_quantile_histmaker",
    "grow_skmaker",
    "sync",
    "refresh",
    "prune",
    "shotgun",
    "coord_descent",
)
NOT_PASSED = (
    "num_round",
    "early_stopping_rounds",
    "csv_weights",
    "eval_metric",
    "_kfold",
    "_num_cv_round",
    TUNING_OBJECTIVE,
    "save_model_on_termination",
    "use_dask_gpu_training",
    "predictor",
    "sketch_eps",
    "deterministic_histogram",
    "prob_buffer_row",
    "dsplit",
)
"""What is not handed to the library: the container's own, and what the library no longer has (accepted, no effect)."""


def eval_metrics(text: str) -> tuple[str, ...]:
    """Read the names of metrics, separated by commas; those of WITH_THRESHOLD may have one after an at sign."""
    names = words()(text)
    for name in names:
        plain, at, threshold = name.partition("@")
        known = plain in (WITH_THRESHOLD if at else HIGHER_IS_BETTER + LOWER_IS_BETTER)
        if not known:
            allowed = ", ".join(WITH_THRESHOLD if at else HIGHER_IS_BETTER + LOWER_IS_BETTER)
            raise ValueError(f"must name metrics of {allowed}, and '{name}' is none of them")
        if at:
            real()(threshold.rstrip("-"))
    return names


def _parameter(read: Callable[[str], Any], meaning: str, *search: Any, alias: str = "") -> Parameter:
    return Parameter(read, meaning, tunable=search or None, aliases=(alias,) if alias else ())


def _integer(low: int, high: int) -> tuple[Any, ...]:
    return ("integer", low, high, "Linear")


def _continuous(low: float, high: float) -> tuple[Any, ...]:
    return ("continuous", low, high, "Linear")


_share = real(0, 1)
_some = real(high=1, above=0)
_positive = real(0)
_switch = choice("true", "false")
PARAMETERS: Mapping[str, Parameter] = {
    "num_round": Parameter(
        whole(1), "the number of rounds to train", required=True, tunable=("integer", 1, 4000, "Linear")
    ),
    "csv_weights": Parameter(whole(0, 1), "1: the second column of CSV is the weight", default=0),
    "early_stopping_rounds": _parameter(whole(1), "rounds without a better validation metric that end the training"),
    "booster": _parameter(
        choice("gbtree", "gblinear", "dart"), "trees, a linear model, or trees with dropout (gbtree)"
    ),
    "verbosity": _parameter(whole(0, 3), "how much the library says (1)"),
    "nthread": _parameter(whole(1), "threads (all processors)"),
    "eta": _parameter(
        _share, "share of each tree's answer that is added (0.3)", *_continuous(0.1, 0.5), alias="learning_rate"
    ),
    "gamma": _parameter(_positive, "loss that a split must save (0)", *_continuous(0, 5), alias="min_split_loss"),
    "lambda": _parameter(_positive, "L2 penalty of the weights (1)", *_continuous(0, 1000), alias="reg_lambda"),
    "alpha": _parameter(_positive, "L1 penalty of the weights (0)", *_continuous(0, 1000), alias="reg_alpha"),
    "max_depth": _parameter(whole(0), "levels a tree, 0 for no limit (6)", *_integer(0, 10)),
    "min_child_weight": _parameter(_positive, "sum of second derivatives a leaf needs (1)", *_continuous(0, 120)),
    "max_delta_step": _parameter(_positive, "largest step of a leaf, 0 for no limit (0)", *_continuous(0, 10)),
    "subsample": _parameter(_some, "share of rows a tree sees (1)", *_continuous(0.5, 1)),
    "colsample_bytree": _parameter(_some, "share of columns a tree sees (1)", *_continuous(0.5, 1)),
    "colsample_bylevel": _parameter(_some, "share of those a level sees (1)", *_continuous(0.1, 1)),
    "colsample_bynode": _parameter(_some, "share of those a split sees (1)", *_continuous(0.1, 1)),
    "tree_method": _parameter(choice("auto", "exact", "approx", "hist", "gpu_hist"), "gpu_hist runs as hist (auto)"),
    "sketch_eps": _parameter(real(above=0, below=1), "accepted, no effect: the library no longer has it"),
    "scale_pos_weight": _parameter(real(above=0), "weight of positive rows (1)"),
    "updater": _parameter(words(*UPDATERS), "how trees are grown and changed"),
    "dsplit": _parameter(choice("row", "col"), "accepted, no effect: the library no longer has it"),
    "refresh_leaf": _parameter(whole(0, 1), "whether the updater refresh changes leaves too (1)"),
    "process_type": _parameter(choice("default", "update"), "grow trees, or update those of a model (default)"),
    "grow_policy": _parameter(choice("depthwise", "lossguide"), "level by level, or leaf by leaf (depthwise)"),
    "max_leaves": _parameter(whole(0), "leaves a tree, 0 for no limit (0)"),
    "max_bin": _parameter(whole(0), "bins of a column (256)"),
    "predictor": _parameter(choice("auto", "cpu_predictor", "gpu_predictor"), "accepted, no effect: one processor"),
    "monotone_constraints": _parameter(listed(whole(-1, 1)), "-1, 0 or 1 a column: falling, free, rising"),
    "interaction_constraints": _parameter(groups, "groups of columns that may meet in a branch"),
    "sample_type": _parameter(choice("uniform", "weighted"), "how dart drops trees (uniform)"),
    "normalize_type": _parameter(choice("tree", "forest"), "how dart weighs new trees (tree)"),
    "rate_drop": _parameter(_share, "share of trees that dart drops (0)"),
    "one_drop": _parameter(whole(0, 1), "1: dart drops at least one tree (0)"),
    "skip_drop": _parameter(_share, "probability that dart drops none (0)"),
    "lambda_bias": _parameter(_share, "L2 penalty of gblinear's bias (0)"),
    "tweedie_variance_power": _parameter(real(above=1, below=2), "variance power of reg:tweedie (1.5)"),
    "objective": _parameter(choice(*OBJECTIVES), "what is learnt (reg:squarederror); reg:linear is its old name"),
    "num_class": _parameter(whole(2), "the number of classes, needed for multi:softmax and multi:softprob"),
    "base_score": _parameter(_positive, "where each prediction begins (found from the labels)"),
    "_kfold": _parameter(whole(2), "folds of a cross-validation on train and validation together"),
    "_num_cv_round": _parameter(whole(1), "how often the cross-validation is repeated (1)"),
    TUNING_OBJECTIVE: _parameter(str, "the metric of a tuning job, such as validation:rmse: logged too"),
    "eval_metric": _parameter(eval_metrics, "metrics of the log, separated by commas (by objective)"),
    "seed": _parameter(whole(-(2**31) + 1, 2**31 - 2), "seed of everything random (0)"),
    "num_parallel_tree": _parameter(whole(1), "trees a round (1)"),
    "save_model_on_termination": _parameter(_switch, "accepted: a stopped job always saves its model"),
    "aft_loss_distribution": _parameter(choice("normal", "logistic", "extreme"), "noise of survival:aft (normal)"),
    "aft_loss_distribution_scale": _parameter(_positive, "scale of that noise (1)"),
    "deterministic_histogram": _parameter(_switch, "accepted, no effect: histograms always are"),
    "sampling_method": _parameter(choice("uniform", "gradient_based"), "how rows are sampled (uniform)"),
    "prob_buffer_row": _parameter(real(above=0), "accepted, no effect: the library no longer has it"),
    "use_dask_gpu_training": _parameter(boolean, "accepted, no effect: trains on processors"),
}
