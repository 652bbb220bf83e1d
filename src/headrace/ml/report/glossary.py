"""The words of the report, explained to somebody who knows no machine learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.metrics import METRICS
from headrace.ml.metrics.unlabelled import UNLABELLED

TERMS: dict[str, str] = {
    "95 % interval": (
        "If the test were repeated with other rows, the value would fall into this range 95 times out of 100."
    ),
    "Baseline": (
        "The simplest possible solution, such as always giving the most frequent answer. A model that does not "
        "beat it is worth nothing."
    ),
    "Bias and variance": (
        "Two sources of error: too simple a model (bias), and a model that changes with the rows it happened "
        "to see (variance)."
    ),
    "Calibration": (
        "Whether probabilities can be taken at their word: of the rows given 30 %, about 30 % should come true."
    ),
    "Candidate": "One algorithm with one setting that was tried.",
    "Class": "One of the answers a model chooses from.",
    "Confusion matrix": "A table of true answers against predicted ones.",
    "Cross-validation, fold": (
        "The training rows are cut into parts (folds); each part is predicted by a model that learnt from the others."
    ),
    "Ensemble": "A mixture of several models whose predictions are averaged with weights.",
    "Expected value": "The money that a decision by the model earns on average, after its costs.",
    "Feature": "A piece of information about a row that the model reads: a column, or something made of columns.",
    "Hyperparameter": "A setting of an algorithm, chosen before it learns.",
    "Imputation": "Filling missing values with a sensible guess.",
    "KPI": "Key performance indicator: a measure of success that the charter sets, with its bound.",
    "Leak": "Information in the table that would not be known when a prediction is needed, and gives the answer away.",
    "Outlier": "A value far away from the rest.",
    "Overfitting, underfitting": (
        "Learning the training rows by heart (good on them, worse on new ones), or not learning enough."
    ),
    "Permutation importance": "How much worse the model gets when one column's values are shuffled.",
    "Positive class": "The answer that is looked for, such as ‘will cancel’.",
    "Precision and recall": (
        "Of the alarms raised, the share that were right; of the cases that exist, the share that were found."
    ),
    "Residual": "The error of one prediction: true value minus predicted value.",
    "ROC curve": "Cases found against false alarms, for every threshold.",
    "Target": "The column to be predicted; also called label.",
    "Threshold": "The probability from which the model says yes.",
    "Train, validation, test": (
        "The model learns from the first part, choices are made on the second, and the third, never seen "
        "before, gives the honest figures."
    ),
}

DISCOVERED: dict[str, str] = {
    "Adjusted Rand index": "How far two groupings of the same rows agree: 1 fully, 0 as much as by chance.",
    "Basket": "The items that were bought, watched or used together.",
    "Confidence": "Of the baskets with the first items of a rule, the share that also have the other.",
    "Conviction": "How much more often a rule would fail if its items had nothing to do with each other.",
    "Leverage": "The share of baskets with all items of a rule, less the share that chance would give.",
    "Lift": "How much more often the items of a rule go together than by chance: 1 is chance.",
    "Medoid": "A row in the middle of its cluster: a typical one.",
    "Support": "The share of all baskets that have all items of a rule.",
    "Window": "The values of a series that are looked at together.",
}
"""Further words of tables without a label."""


def glossary(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Terms with their explanations in alphabetical order, with the metrics that the document uses."""
    judged = [found for m in document["metrics"]["test"] if (found := METRICS.get(m) or UNLABELLED.get(m))]
    used = {one.title: one.meaning.capitalize() + "." for one in judged}
    further = DISCOVERED if document.get("discovery") else {}
    return sorted((TERMS | further | used).items(), key=lambda item: item[0].lower())
