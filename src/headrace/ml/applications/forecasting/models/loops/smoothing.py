"""Exponential smoothing, Theta and complex smoothing: one series through their recursions, and the search for weights.

Nothing here checks its input: the models do. All is in one file, for numba sees changes only in that of the function
whose code it has kept. A `form` is int64 [5]: kind, error, trend, season and the season's length; weights are float64
[6]. `memory` holds the state: in a run's end it is what a forecast begins with.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from headrace.ml.adapters.compiling import compiled

ETS, THETA, COMPLEX = 0, 1, 2
NONE, ADDITIVE, MULTIPLICATIVE, DAMPED = 0, 1, 2, 2
PARTIAL, FULL = 2, 3
FAILED = 1e300


@compiled
def run_ets(form: Any, weights: Any, values: Any, memory: Any, errors: Any) -> float:
    """Return -2 log likelihood (but constants) of exponential smoothing, Hyndman et al. (2002).

    Weights: alpha, beta / alpha, gamma / (1 - alpha), phi, first level, first trend; `memory` [2 + m] holds the
    seasonal states from its third place on. `errors` get the one-step errors, relative where the form's error is.
    """
    relative, trended, season, m = form[1] == MULTIPLICATIVE, form[2], form[3], form[4]
    alpha = weights[0]
    beta, gamma = weights[1] * alpha, weights[2] * (1.0 - alpha)
    phi = weights[3] if trended == DAMPED else 1.0
    level, trend = weights[4], weights[5] if trended else 0.0
    squares, logs, phase = 0.0, 0.0, 2
    for t in range(values.size):
        drift = phi * trend
        before = level + drift
        if season == NONE:
            expected, part = before, 1.0
        elif season == ADDITIVE:
            expected, part = before + memory[phase], 1.0
        else:
            part = memory[phase]
            expected = before * part
        away = values[t] - expected
        error = away
        if (relative or season == MULTIPLICATIVE) and min(expected, before, part) <= 1e-10:
            return FAILED
        if relative:
            error = away / expected
            logs += math.log(expected)
        errors[t] = error
        squares += error * error
        move = away / part
        level = before + alpha * move
        if trended:
            trend = drift + beta * move
        if season == ADDITIVE:
            memory[phase] += gamma * away
        elif season == MULTIPLICATIVE:
            memory[phase] += gamma * away / before
        phase += 1
        if phase == 2 + m:
            phase = 2
    memory[0], memory[1] = level, trend
    if not squares < FAILED:
        return FAILED
    return float(values.size * math.log(max(squares, 1e-280)) + 2.0 * logs)


@compiled
def run_theta(form: Any, weights: Any, values: Any, memory: Any, errors: Any) -> float:
    """Return -2 log likelihood (but constants) of the optimised Theta method, Fiorucci et al. (2016).

    Weights: alpha, theta, first level. Form's trend 1 keeps the line of the whole series, 2 (dynamic) refits it at each
    value. `memory` [5] gets level, mean and the line's constant and slope. The first three errors count for nothing.
    """
    alpha, theta, level = weights[0], weights[1], weights[4]
    n, dynamic = values.size, form[2] == 2
    mean, slope = 0.0, 0.0
    for t in range(n):
        mean += values[t]
        slope += (t + 1) * values[t]
    mean /= n
    slope = 6.0 * (2.0 * slope / n - (n + 1) * mean) / (n * n - 1.0)
    constant = mean - (n + 1) * slope / 2.0
    if dynamic:
        mean, slope, constant = values[0], 0.0, values[0]
    squares, shrink = 0.0, 1.0
    for t in range(n):
        shrink *= 1.0 - alpha
        if t == 0 and dynamic:
            expected = values[0]
        else:
            before = shrink / (1.0 - alpha)
            expected = level + (1.0 - 1.0 / theta) * (constant * before + slope * (1.0 - shrink) / alpha)
        errors[t] = values[t] - expected
        if t >= 3:
            squares += errors[t] * errors[t]
        level += alpha * (values[t] - level)
        if dynamic and t:
            slope = ((t - 1) * slope + 6.0 * (values[t] - mean) / (t + 1)) / (t + 2)
            mean = (t * mean + values[t]) / (t + 1)
            constant = mean - slope * (t + 2) / 2.0
    memory[0], memory[1], memory[2], memory[3] = level, mean, constant, slope
    if not squares < FAILED:
        return FAILED
    return float(n * math.log(max(squares, 1e-280)))


@compiled
def run_complex(form: Any, weights: Any, values: Any, memory: Any, errors: Any) -> float:
    """Return -2 log likelihood (but constants) of complex exponential smoothing, Svetunkov et al. (2022).

    Weights: alpha's real and imaginary part, beta's. `memory` [4 m] holds level and potential, m of each in the simple
    seasonal form and one otherwise, then the season's m of each; three passes, the second backwards, settle the first.
    """
    season, m, n = form[3], form[4], values.size
    one, two, three, four = weights[0], weights[1], weights[2], weights[3]
    width = m if season == ADDITIVE else 1
    squares = 0.0
    for turn in range(3):
        squares = 0.0
        for step in range(n):
            t = n - 1 - step if turn == 1 else step
            here, place = t % width, 2 * m + t % m
            level, potential = memory[here], memory[m + here]
            expected = level
            if season >= PARTIAL:
                expected += memory[place]
            error = values[t] - expected
            errors[t] = error
            squares += error * error
            memory[here] = level - (1.0 - two) * potential + (one - two) * error
            memory[m + here] = level + (1.0 - one) * potential + (one + two) * error
            if season == PARTIAL:
                memory[place] += three * error
            elif season == FULL:
                level, potential = memory[place], memory[place + m]
                memory[place] = level - (1.0 - four) * potential + (three - four) * error
                memory[place + m] = level + (1.0 - three) * potential + (three + four) * error
        if not squares < 1e200:
            return FAILED
    return float(n * math.log(max(squares, 1e-280)))


@compiled
def run(form: Any, weights: Any, values: Any, first: Any, memory: Any, errors: Any) -> float:
    """Return -2 log likelihood of the form's kind, from the states `first` on, which stay as they are."""
    for i in range(first.size):
        memory[i] = first[i]
    if form[0] == ETS:
        return run_ets(form, weights, values, memory, errors)
    if form[0] == THETA:
        return run_theta(form, weights, values, memory, errors)
    return run_complex(form, weights, values, memory, errors)


@compiled
def minimise(
    form: Any, weights: Any, free: Any, low: Any, high: Any, steps: Any, values: Any, first: Any, memory: Any,
    errors: Any, most: int,
) -> float:  # fmt: skip
    """Move those weights that are `free` to a minimum within their bounds and return its -2 log likelihood.

    Nelder and Mead's simplex, from `weights` on by `steps`, at most about `most` runs; ends where likelihoods agree to
    1e-4. Each turn of the loop is one run: a corner that is new or shrunk, a reflection, or what follows it.
    """
    size = free.size
    axes, k = np.empty(size, np.int64), 0
    for i in range(size):
        if free[i]:
            axes[k] = i
            k += 1
    corners, heights = np.empty((k + 1, k)), np.full(k + 1, FAILED)
    centre, kept = np.empty(k), np.empty(k)
    for i in range(k + 1):
        for j in range(k):
            at = axes[j]
            step = steps[at] if weights[at] + steps[at] <= high[at] else -steps[at]
            corners[i, j] = max(low[at], weights[at] + step) if j == i - 1 else weights[at]
    waiting, reach, best, worst, second, height, ended = k + 1, 0.0, 0, 0, 0, FAILED, False
    for turn in range(10 * most):
        if waiting == 0 and reach == 0.0:
            best, worst = 0, 0
            for i in range(1, k + 1):
                best = i if heights[i] < heights[best] else best
                worst = i if heights[i] >= heights[worst] else worst
            second = best
            for i in range(k + 1):
                second = i if i != worst and heights[i] > heights[second] else second
            ended = turn >= most or heights[worst] - heights[best] < 1e-4
            for j in range(k):
                centre[j] = 0.0
                for i in range(k + 1):
                    centre[j] += corners[i, j] / k if i != worst else 0.0
            reach = 1.0
        corner = best if ended else waiting - 1
        for j in range(k):
            at = axes[j]
            moved = centre[j] + reach * (centre[j] - corners[worst, j])
            weights[at] = corners[corner, j] if waiting or ended else min(max(moved, low[at]), high[at])
        found = run(form, weights, values, first, memory, errors)
        if ended:
            return found
        if waiting:
            heights[waiting - 1] = found
            waiting -= 1
            if waiting - 1 == best and reach == -2.0:  # the best corner stays where it is when all others shrink
                waiting -= 1
            reach = 0.0 if waiting == 0 else reach
            continue
        if reach == 1.0:
            height = found
            for j in range(k):
                kept[j] = weights[axes[j]]
            if found < heights[best]:
                reach = 2.0
                continue
            if found >= heights[second]:
                reach = 0.5 if found < heights[worst] else -0.5
                continue
        elif found < height:
            height = found
            for j in range(k):
                kept[j] = weights[axes[j]]
        reach = 0.0
        if height < heights[worst]:
            heights[worst] = height
            for j in range(k):
                corners[worst, j] = kept[j]
            continue
        for i in range(k + 1):
            for j in range(k):
                corners[i, j] = (corners[i, j] + corners[best, j]) / 2.0
        waiting, reach = (k if best == k else k + 1), -2.0
    return FAILED


@compiled
def choose(
    forms: Any, starts: Any, frees: Any, low: Any, high: Any, steps: Any, values: Any, firsts: Any, counts: Any,
    most: int,
) -> tuple[int, Any, Any, Any]:  # fmt: skip
    """Fit each form [f, 5] from its weights [f, 6] and states [f, s], and take the one of least corrected AIC.

    `frees` is bool [f, 6], `counts` [f] the parameters that count. Returns its number, weights, memory and errors; -1
    where none could be fitted.
    """
    n = values.size
    chosen, least = -1, np.inf
    weights, memory, errors = starts.copy(), firsts.copy(), np.zeros((forms.shape[0], n))
    for f in range(forms.shape[0]):
        height = minimise(
            forms[f], weights[f], frees[f], low, high, steps, values, firsts[f], memory[f], errors[f], most
        )
        p = counts[f]
        if height >= FAILED or n - p - 1 <= 0:
            continue
        criterion = height + 2.0 * p + 2.0 * p * (p + 1.0) / (n - p - 1.0)
        if criterion < least:
            chosen, least = f, criterion
    return chosen, weights[chosen], memory[chosen], errors[chosen]
