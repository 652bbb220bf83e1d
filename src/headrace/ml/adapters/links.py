"""How raw scores become predictions: the last nodes of most forms."""

from __future__ import annotations

import numpy as np

from headrace.ml.contract import Graph, Predictions

IDENTITY = "identity"
COMPLEMENT = "complement"
SIGMOID = "sigmoid"
SOFTMAX = "softmax"
NORMALISED_SIGMOID = "normalised_sigmoid"
EXPONENTIAL = "exponential"
LINKS = (IDENTITY, COMPLEMENT, SIGMOID, SOFTMAX, NORMALISED_SIGMOID, EXPONENTIAL)

SMALLEST = np.array(1e-12, np.float32)
"""Lower bound of a one-against-the-rest probability, so that a row which no class claims has a sum to divide by."""
ONE = np.array(1, np.float32)
SIGNS = np.array([[1, -1]], np.float32)


def link_to_onnx(graph: Graph, link: str, scores: str) -> str:
    """Add the link's nodes after `scores` [rows, outputs] and return the predictions' name.

    identity: values or probabilities as they are. complement: the probability of class 1 [rows, 1] gives both.
    sigmoid: the log-odds of class 1 [rows, 1] give both. softmax: a score a class.
    normalised_sigmoid: one-against-the-rest log-odds a class, scaled to the sum 1. exponential: logarithms of values.
    The sigmoid is 1 / (1 + exp(-x)): ONNX Runtime's own is off by 1e-7, which is much of a small probability.
    """
    if link == IDENTITY:
        return scores
    if link == SOFTMAX:
        return graph.node("Softmax", [scores], axis=-1)
    if link == EXPONENTIAL:
        return graph.node("Exp", [scores])
    if link == NORMALISED_SIGMOID:
        opposite = graph.node("Exp", [graph.node("Neg", [scores])])
        odds = graph.node("Reciprocal", [graph.node("Add", [opposite, graph.constant(ONE, "one")])])
        odds = graph.node("Max", [odds, graph.constant(SMALLEST, "smallest")])
        total = graph.node("ReduceSum", [odds, graph.constant(np.array([1], np.int64), "axis")], keepdims=1)
        return graph.node("Div", [odds, total])
    if link == SIGMOID:
        opposite = graph.node("Exp", [graph.node("Mul", [scores, graph.constant(SIGNS, "signs")])])
        return graph.node("Reciprocal", [graph.node("Add", [opposite, graph.constant(ONE, "one")])])
    one = graph.constant(ONE, "one")
    scores = graph.node("Clip", [scores, graph.constant(np.array(0, np.float32), "zero"), one])
    return graph.node("Concat", [graph.node("Sub", [one, scores]), scores], axis=1)


def apply_link(link: str, scores: Predictions) -> Predictions:
    """Do in NumPy what `link_to_onnx` writes: scores [rows, outputs] to [rows, classes], or to values [rows]."""
    if link == IDENTITY:
        return scores[:, 0] if scores.shape[1] == 1 else scores
    if link == EXPONENTIAL:
        return np.exp(scores[:, 0])
    if link == SOFTMAX:
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
    if link == NORMALISED_SIGMOID:
        odds = np.maximum(sigmoid(scores), SMALLEST)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
    if link == SIGMOID:
        return np.hstack([sigmoid(-scores), sigmoid(scores)])
    return np.hstack([1 - scores, scores])


def sigmoid(scores: Predictions) -> Predictions:
    """Return 1 / (1 + exp(-scores)) without overflow."""
    shrunk = np.exp(-np.abs(scores))
    return np.asarray(np.where(scores >= 0, 1, shrunk) / (1 + shrunk))
