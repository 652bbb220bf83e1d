"""Layers of long short-term memory over whole windows, forwards and backwards through time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
State = tuple[Array, Array]
"""What a layer hides and what its cells hold, each [rows, cells]."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the way back needs of one layer.

    Inputs [time, rows, inputs], gates [time, rows, 4 cells] after their functions, hidden and cells
    [time + 1, rows, cells] from before the first period on, the squashed new cells [time, rows, cells], and `hold`.
    """

    inputs: Array
    gates: Array
    hidden: Array
    cells: Array
    squashed: Array
    hold: Array


def draw_layer(random: np.random.Generator, inputs: int, cells: int, number: int) -> dict[str, NDArray[np.float32]]:
    """Draw the parameters of layer `number`: input, recurrent [., 4 cells] and biases, those of the forget gate 1."""
    reach = np.sqrt(6 / (inputs + cells))
    recurrent = [np.linalg.qr(random.normal(size=(cells, cells)))[0] for _ in range(4)]
    biases = np.zeros(4 * cells)
    biases[cells : 2 * cells] = 1
    drawn = {
        f"input_{number}": random.uniform(-reach, reach, (inputs, 4 * cells)),
        f"recurrent_{number}": np.concatenate(recurrent, axis=1),
        f"gates_{number}": biases,
    }
    return {name: values.astype(np.float32) for name, values in drawn.items()}


def run_layer(
    inputs: Array, weights: Array, recurrent: Array, biases: Array, state: State, hold: Array
) -> tuple[Seen, State]:
    """Run one layer over inputs [time, rows, inputs]; what it hides is `hidden[1:]` of the answer.

    Columns of the gates are input, forget, output, candidate. `hold` [time or 1, rows or 1, cells or 1] is the share of
    hidden and cells that stays as it was: 0 or 1 drawn at random in training, its mean in forecasting, which is zoneout
    (Krueger et al., 2017).
    """
    time, rows, width = inputs.shape
    cells = recurrent.shape[0]
    gates = (inputs.reshape(-1, width) @ weights + biases).reshape(time, rows, 4 * cells)
    hidden = np.empty((time + 1, rows, cells), gates.dtype)
    held = np.empty_like(hidden)
    squashed = np.empty((time, rows, cells), gates.dtype)
    hidden[0], held[0] = state
    for period in range(time):
        gate = gates[period]
        gate += hidden[period] @ recurrent
        soft = gate[:, : 3 * cells]
        soft *= 0.5
        np.tanh(gate, out=gate)
        soft *= 0.5
        soft += 0.5
        fresh = held[period + 1]
        np.multiply(gate[:, cells : 2 * cells], held[period], out=fresh)
        fresh += gate[:, :cells] * gate[:, 3 * cells :]
        np.tanh(fresh, out=squashed[period])
        np.multiply(gate[:, 2 * cells : 3 * cells], squashed[period], out=hidden[period + 1])
        stay = hold[period if len(hold) > 1 else 0]
        if hold.size > 1 or stay[0, 0]:
            fresh += stay * (held[period] - fresh)
            hidden[period + 1] += stay * (hidden[period] - hidden[period + 1])
    return Seen(inputs, gates, hidden, held, squashed, hold), (hidden[-1], held[-1])


def layer_gradient(slope: Array, seen: Seen, weights: Array, recurrent: Array) -> tuple[dict[str, Array], Array]:
    """Return the gradient by "input", "recurrent" and "gates", and the slope by the inputs, all the way through time.

    `slope` [time, rows, cells] is the loss's by what the layer hides.
    """
    time, rows, cells = slope.shape
    by_gates = np.empty_like(seen.gates)
    by_hidden, by_cells = np.zeros_like(slope[0]), np.zeros_like(slope[0])
    for period in range(time - 1, -1, -1):
        gate, bent = seen.gates[period], by_gates[period]
        into, forget = gate[:, :cells], gate[:, cells : 2 * cells]
        out, candidate = gate[:, 2 * cells : 3 * cells], gate[:, 3 * cells :]
        squashed = seen.squashed[period]
        stay = seen.hold[period if len(seen.hold) > 1 else 0]
        by_hidden += slope[period]
        fresh_hidden = by_hidden * (1 - stay)
        fresh_cells = by_cells * (1 - stay) + fresh_hidden * out * (1 - squashed * squashed)
        bent[:, :cells] = fresh_cells * candidate * into * (1 - into)
        bent[:, cells : 2 * cells] = fresh_cells * seen.cells[period] * forget * (1 - forget)
        bent[:, 2 * cells : 3 * cells] = fresh_hidden * squashed * out * (1 - out)
        bent[:, 3 * cells :] = fresh_cells * into * (1 - candidate * candidate)
        by_cells = by_cells * stay + fresh_cells * forget
        by_hidden = by_hidden * stay + bent @ recurrent.T
    flat = by_gates.reshape(time * rows, -1)
    found = {
        "input": seen.inputs.reshape(time * rows, -1).T @ flat,
        "recurrent": seen.hidden[:-1].reshape(time * rows, -1).T @ flat,
        "gates": flat.sum(axis=0),
    }
    return found, (flat @ weights.T).reshape(seen.inputs.shape)
