"""Seasonal autoregression with moving averages: its errors, their least squares, and the search for orders.

An `order` is int64 [6]: p, q, P, Q, the season's length and whether there is a mean. Parameters are the partial
autocorrelations of the four polynomials through tanh's inverse, so that all they can say is stationary and invertible,
and then the mean. All is in one file, for numba sees changes only in that of the function whose code it has kept.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headrace.ml.adapters.compiling import compiled

EDGE = 0.99
"""A partial autocorrelation beyond this is as good as a difference that was not taken: such fits are dropped."""
NUDGE, FURTHEST = 1e-5, 4.0


@compiled
def polynomial(parameters: Any, first: int, count: int) -> Any:
    """Return the coefficients [count] of lags 1, 2, … from partial autocorrelations (Durbin and Levinson)."""
    found, before = np.zeros(count), np.zeros(count)
    for k in range(count):
        reflection = math.tanh(parameters[first + k])
        for i in range(k):
            found[i] = before[i] - reflection * before[k - 1 - i]
        found[k] = reflection
        for i in range(k + 1):
            before[i] = found[i]
    return found


@compiled
def expand(short: Any, seasonal: Any, season: int) -> tuple[Any, Any]:
    """Return lags and coefficients of (1 - short) (1 - seasonal) as 1 - their sum, without those that are 0 anyway."""
    p, s = short.size, seasonal.size
    lags, values = np.empty((p + 1) * (s + 1) - 1, np.int64), np.empty((p + 1) * (s + 1) - 1)
    place = 0
    for j in range(s + 1):
        for i in range(p + 1):
            if i + j == 0:
                continue
            lags[place] = i + j * season
            values[place] = short[i - 1] if j == 0 else (seasonal[j - 1] if i == 0 else -short[i - 1] * seasonal[j - 1])
            place += 1
    return lags, values


@compiled
def terms(order: Any, parameters: Any) -> tuple[Any, Any, Any, Any]:
    """Return lags and coefficients of the past values, and those of the past errors."""
    p, q, seasonal_p, seasonal_q, m = order[0], order[1], order[2], order[3], order[4]
    past = expand(polynomial(parameters, 0, p), polynomial(parameters, p + q, seasonal_p), m)
    errors = expand(polynomial(parameters, p, q), polynomial(parameters, p + q + seasonal_p, seasonal_q), m)
    return past[0], past[1], errors[0], -errors[1]


@compiled
def run(order: Any, parameters: Any, values: Any, errors: Any) -> float:
    """Return the sum of squared one-step errors, which go to `errors`; before the series all is at the mean."""
    lags, weights, error_lags, error_weights = terms(order, parameters)
    mean = parameters[order[0] + order[1] + order[2] + order[3]] if order[5] else 0.0
    total = 0.0
    for t in range(values.size):
        error = values[t] - mean
        for k in range(lags.size):
            if lags[k] <= t:
                error -= weights[k] * (values[t - lags[k]] - mean)
        for k in range(error_lags.size):
            if error_lags[k] <= t:
                error -= error_weights[k] * errors[t - error_lags[k]]
        errors[t] = error
        total += error * error
    return total if total < 1e300 else 1e300


@compiled
def solve(matrix: Any, side: Any) -> bool:
    """Solve a positive definite system in place by Cholesky's method: `side` becomes the answer; False if it is not."""
    k = side.size
    for i in range(k):
        for j in range(i + 1):
            total = matrix[i, j]
            for a in range(j):
                total -= matrix[i, a] * matrix[j, a]
            if i == j:
                if not total > 0.0:
                    return False
                matrix[i, i] = math.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    for i in range(k):
        for a in range(i):
            side[i] -= matrix[i, a] * side[a]
        side[i] /= matrix[i, i]
    for i in range(k - 1, -1, -1):
        for a in range(i + 1, k):
            side[i] -= matrix[a, i] * side[a]
        side[i] /= matrix[i, i]
    return True


@compiled
def fit(order: Any, parameters: Any, values: Any, errors: Any, most: int) -> float:
    """Move the parameters to the least sum of squares and return it (Levenberg and Marquardt, at most `most` steps).

    Each turn of the loop is one run: at the parameters, at one a little further for the slopes, or at a trial step.
    """
    k, n, tail = parameters.size, values.size, order[5]
    slopes, other, trial = np.empty((k, n)), np.empty(n), parameters.copy()
    square, side, matrix, move = np.zeros((k, k)), np.zeros(k), np.zeros((k, k)), np.zeros(k)
    total, damping, axis, failed, steps = np.inf, 5e-2, -1, 0, 0
    while True:
        found = run(order, trial, values, other)
        if 0 <= axis < k:
            for t in range(n):
                slopes[axis, t] = (other[t] - errors[t]) / NUDGE
        elif found < total:
            gained = found < total * (1.0 - 1e-5)
            total, damping, failed = found, max(damping / 5.0, 1e-8), 0
            for j in range(k):
                parameters[j] = trial[j]
            for t in range(n):
                errors[t] = other[t]
            axis, steps = -1, steps + 1
            if not gained or steps > most or k == 0:
                return total
        else:
            damping, failed = damping * 5.0, failed + 1
            if failed == 6 or not total < np.inf:
                return total
        if axis < k:
            axis += 1
        if axis == k and failed == 0:
            for i in range(k):
                for j in range(i + 1):
                    square[i, j] = 0.0
                    for t in range(n):
                        square[i, j] += slopes[i, t] * slopes[j, t]
                side[i] = 0.0
                for t in range(n):
                    side[i] -= slopes[i, t] * errors[t]
        for j in range(k):
            trial[j] = parameters[j] + (NUDGE if j == axis else 0.0)
        if axis < k:
            continue
        for i in range(k):
            for j in range(i + 1):
                matrix[i, j] = square[i, j]
            matrix[i, i] += damping * square[i, i] + 1e-10
            move[i] = side[i]
        if solve(matrix, move):
            for j in range(k):
                trial[j] += move[j] if j >= k - tail else min(max(move[j], -1.0), 1.0)
                if j < k - tail:
                    trial[j] = min(max(trial[j], -FURTHEST), FURTHEST)


@compiled
def attempt(order: Any, values: Any, errors: Any, most: int) -> tuple[float, Any]:
    """Fit one order and return its corrected AIC, infinite where it cannot be used, and its parameters."""
    k = order[0] + order[1] + order[2] + order[3] + order[5]
    parameters = np.full(k, 0.1)
    if order[5]:
        parameters[k - 1] = values.mean()
    n = values.size
    if n - k - 2 <= 0:
        return np.inf, parameters
    total = fit(order, parameters, values, errors, most)
    for j in range(k - order[5]):
        if abs(math.tanh(parameters[j])) > EDGE:
            return np.inf, parameters
    criterion = n * math.log(max(total, 1e-280) / n) + 2.0 * (k + 1) + 2.0 * (k + 1) * (k + 2.0) / (n - k - 2.0)
    return criterion, parameters


@compiled
def search(
    values: Any, season: int, highest: int, seasonal_highest: int, mean: bool, most: int
) -> tuple[Any, Any, Any]:
    """Return order, parameters and errors of the least corrected AIC, by Hyndman and Khandakar's steps (2008).

    Four orders begin, and then each of p, q, P and Q of the best so far goes up or down by one, p and q and P and Q
    also together, and the mean comes or goes, until nothing is better. `season` 1 has none.
    """
    tried = np.zeros((highest + 1, highest + 1, seasonal_highest + 1, seasonal_highest + 1, 2), np.bool_)
    s = 1 if season > 1 and seasonal_highest > 0 else 0
    constant = 1 if mean else 0
    starts = np.array([(2, 2, s, s), (0, 0, 0, 0), (1, 0, s, 0), (0, 1, 0, s)])
    moves = np.array([
        (1, 0, 0, 0), (-1, 0, 0, 0), (0, 1, 0, 0), (0, -1, 0, 0), (1, 1, 0, 0), (-1, -1, 0, 0), (1, -1, 0, 0),
        (-1, 1, 0, 0), (0, 0, 1, 0), (0, 0, -1, 0), (0, 0, 0, 1), (0, 0, 0, -1), (0, 0, 1, 1), (0, 0, -1, -1),
        (0, 0, 0, 0),
    ])  # fmt: skip
    best_order, order = np.array([0, 0, 0, 0, season, constant]), np.array([0, 0, 0, 0, season, constant])
    best_errors, errors = np.zeros(values.size), np.zeros(values.size)
    least, best_parameters = np.inf, np.zeros(constant)
    for phase in range(94):
        better = False
        for number in range(starts.shape[0] if phase == 0 else moves.shape[0]):
            for i in range(4):
                order[i] = starts[number, i] if phase == 0 else best_order[i] + moves[number, i]
            order[5] = constant if phase == 0 else best_order[5]
            if phase and number == moves.shape[0] - 1:
                order[5] = 1 - order[5] if mean else order[5]
            p, q, seasonal_p, seasonal_q = order[0], order[1], order[2], order[3]
            if min(p, q, seasonal_p, seasonal_q) < 0 or max(p, q) > highest:
                continue
            if (
                max(seasonal_p, seasonal_q) > (seasonal_highest if season > 1 else 0)
                or p + q + seasonal_p + seasonal_q > 6
            ):
                continue
            if tried[p, q, seasonal_p, seasonal_q, order[5]]:
                continue
            tried[p, q, seasonal_p, seasonal_q, order[5]] = True
            criterion, parameters = attempt(order, values, errors, most)
            if criterion < least:
                least, best_parameters, better = criterion, parameters, True
                for i in range(6):
                    best_order[i] = order[i]
                best_errors, errors = errors, best_errors
                if phase:
                    break
        if phase and not better:
            break
    return best_order, best_parameters, best_errors
