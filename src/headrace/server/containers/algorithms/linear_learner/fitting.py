"""Linear Learner's optimisation: full-batch L-BFGS, or mini-batches by SGD, Adam or RMSprop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.algorithms.linear_learner.losses import Doubles, Loss

ITERATIONS_AN_EPOCH = 20
LEARNING_RATES = {"sgd": 0.05, "adam": 0.05, "rmsprop": 0.02}
FALLS_A_RUN = 10


@dataclass(frozen=True)
class Problem:
    """What is minimised: the weighted mean of `loss` over the rows, and the penalties.

    `features` are [rows, columns], dense double or CSR, `labels` [rows], `weights` [rows].
    """

    features: Any
    labels: npt.NDArray[Any]
    weights: Doubles
    outputs: int
    loss: Loss
    l1: float
    wd: float
    bias_wd: float
    use_bias: bool

    def value(self, weight: Doubles, bias: Doubles) -> tuple[float, Doubles, Doubles]:
        """Return the objective without L1 and its derivatives by weight [columns, outputs] and bias [outputs]."""
        return self.value_on(None, weight, bias)

    def value_on(self, rows: Any, weight: Doubles, bias: Doubles) -> tuple[float, Doubles, Doubles]:
        """Return the same for some of the rows, all where None."""
        features, labels, share = self.features, self.labels, self.weights
        if rows is not None:
            features, labels, share = features[rows], labels[rows], share[rows]
        share = share / max(share.sum(), np.finfo(float).tiny)
        values, slopes = self.loss(np.asarray(features @ weight) + bias, labels)
        slopes = slopes * share[:, None]
        value = float(values @ share) + self.wd / 2 * float((weight**2).sum()) + self.bias_wd / 2 * float(bias @ bias)
        by_bias = slopes.sum(axis=0) + self.bias_wd * bias
        return value, np.asarray(features.T @ slopes) + self.wd * weight, by_bias * self.use_bias


Epoch = Callable[[int, float, Doubles, Doubles], bool]
"""Called after each epoch with its number, training objective, weight and bias; True ends the training."""


def fit(problem: Problem, options: Mapping[str, Any], seed: int, after_epoch: Epoch) -> tuple[Doubles, Doubles]:
    """Minimise and return weight [columns, outputs] and bias [outputs]."""
    if options["optimizer"] is None:
        return _fit_whole(problem, options, after_epoch)
    return _fit_batches(problem, options, seed, after_epoch)


def _fit_whole(problem: Problem, options: Mapping[str, Any], after_epoch: Epoch) -> tuple[Doubles, Doubles]:
    """Minimise by L-BFGS-B; under an L1 penalty each weight is the difference of two that are not negative."""
    from scipy.optimize import minimize

    shape = problem.features.shape[1], problem.outputs
    size = shape[0] * shape[1]
    split = problem.l1 > 0

    def unpack(point: Doubles) -> tuple[Doubles, Doubles]:
        weight = point[:size] - point[size : 2 * size] if split else point[:size]
        return weight.reshape(shape), point[-problem.outputs :]

    def objective(point: Doubles) -> tuple[float, Doubles]:
        value, by_weight, by_bias = problem.value(*unpack(point))
        slopes = by_weight.ravel()
        if not split:
            return value, np.concatenate([slopes, by_bias])
        value += problem.l1 * float(point[: 2 * size].sum())
        return value, np.concatenate([problem.l1 + slopes, problem.l1 - slopes, by_bias])

    iterations = 0

    def count(intermediate_result: Any) -> None:
        nonlocal iterations
        iterations += 1
        if iterations % ITERATIONS_AN_EPOCH == 0:
            epoch = iterations // ITERATIONS_AN_EPOCH - 1
            if after_epoch(epoch, float(intermediate_result.fun), *unpack(intermediate_result.x)):
                raise StopIteration

    start = np.zeros(size * (1 + split) + problem.outputs)
    start[-problem.outputs :] = options["init_bias"] * problem.use_bias
    bounds = [(0, None)] * (2 * size) + [(None, None)] * problem.outputs if split else None
    found = minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=count,
        options={"maxiter": options["epochs"] * ITERATIONS_AN_EPOCH, "ftol": 1e-10, "gtol": 1e-7},
    )
    if iterations % ITERATIONS_AN_EPOCH:
        after_epoch(iterations // ITERATIONS_AN_EPOCH, float(found.fun), *unpack(found.x))
    return unpack(found.x)


def _fit_batches(
    problem: Problem, options: Mapping[str, Any], seed: int, after_epoch: Epoch
) -> tuple[Doubles, Doubles]:
    """Minimise by steps on mini-batches; the L1 penalty shrinks the weights after each step."""
    random = np.random.default_rng(seed)
    shape = problem.features.shape[1], problem.outputs
    if options["init_method"] == "uniform":
        weight = random.uniform(-options["init_scale"], options["init_scale"], shape)
    else:
        weight = random.normal(0, options["init_sigma"], shape)
    bias = np.full(problem.outputs, options["init_bias"] * float(problem.use_bias))
    rows = problem.features.shape[0]
    batch = min(options["mini_batch_size"], rows)
    steps = options["epochs"] * -(-rows // batch)
    rates = _rates(options, steps)
    bias_rate = options["bias_lr_mult"] or 1.0
    step_weight, step_bias = _stepper(options, weight), _stepper(options, bias)
    for epoch in range(options["epochs"]):
        order, total = random.permutation(rows), 0.0
        for start in range(0, rows, batch):
            value, by_weight, by_bias = problem.value_on(order[start : start + batch], weight, bias)
            rate = next(rates)
            weight = weight - rate * step_weight(by_weight)
            bias = bias - rate * bias_rate * step_bias(by_bias)
            if problem.l1:
                weight = np.sign(weight) * np.maximum(np.abs(weight) - rate * problem.l1, 0)
            total += value * len(order[start : start + batch])
        if after_epoch(epoch, total / rows, weight, bias):
            break
    return weight, bias


def _rates(options: Mapping[str, Any], steps: int) -> Iterator[float]:
    """Yield the learning rate of each step: multiplied by a factor every so many steps, down to a minimum."""
    rate = options["learning_rate"] or LEARNING_RATES[options["optimizer"]]
    every = options["lr_scheduler_step"] or max(1, steps // FALLS_A_RUN)
    factor = options["lr_scheduler_factor"] or 0.7
    lowest = options["lr_scheduler_minimum_lr"] or rate * 1e-3
    step = 0
    while True:
        yield rate
        step += 1
        if options["use_lr_scheduler"] and step % every == 0:
            rate = max(rate * factor, min(lowest, rate))


def _stepper(options: Mapping[str, Any], like: Doubles) -> Callable[[Doubles], Doubles]:
    """Return what turns a derivative into a step of rate 1."""
    first, second, count = np.zeros_like(like), np.zeros_like(like), 0
    momentum = 0.9 if options["momentum"] is None else options["momentum"]
    beta_1 = 0.9 if options["beta_1"] is None else options["beta_1"]
    beta_2 = 0.999 if options["beta_2"] is None else options["beta_2"]

    def sgd(slopes: Doubles) -> Doubles:
        nonlocal first
        first = momentum * first + (1 - momentum) * slopes
        return first

    def adam(slopes: Doubles) -> Doubles:
        nonlocal first, second, count
        count += 1
        first = beta_1 * first + (1 - beta_1) * slopes
        second = beta_2 * second + (1 - beta_2) * slopes**2
        deviation = np.sqrt(second / (1 - beta_2**count)) + 1e-8
        return np.asarray(first / (1 - beta_1**count) / deviation)

    def rmsprop(slopes: Doubles) -> Doubles:
        nonlocal second, count
        count += 1
        second = beta_2 * second + (1 - beta_2) * slopes**2
        return np.asarray(slopes / (np.sqrt(second / (1 - beta_2**count)) + 1e-8))

    return {"sgd": sgd, "adam": adam, "rmsprop": rmsprop}[options["optimizer"]]
