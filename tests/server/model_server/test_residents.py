"""The models that a process holds: each loaded once, and the one asked for longest ago out first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from headrace.server.containers.contract import ClientError, Predictor
from headrace.server.model_server.residents import Residents, resident_bytes

SIZE = 64 << 20


class Heavy(Predictor):
    """A model of 64 MiB."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.weights = np.ones(SIZE, dtype=np.uint8)

    def invoke(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        return body, self.name


def test_a_model_is_loaded_once_however_many_ask() -> None:
    loaded: list[str] = []
    together = threading.Barrier(8)

    def load(folder: str) -> Predictor:
        loaded.append(folder)
        return Heavy(folder)

    residents = Residents(load)

    def ask(_: int) -> Predictor:
        together.wait(20)
        return residents.predictor("one")

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(8)))
    assert len(found) == len(loaded) == len(residents) == 1


def test_the_least_lately_asked_for_goes_when_memory_is_short() -> None:
    loaded: list[str] = []

    def load(folder: str) -> Predictor:
        loaded.append(folder)
        return Heavy(folder)

    residents = Residents(load, most=resident_bytes() + 4 * SIZE + SIZE // 2)
    for name in "abcd":
        residents.predictor(name)
    assert len(residents) == 4
    residents.predictor("a")
    residents.predictor("e")
    assert len(residents) == 4
    for name in "acde":
        residents.predictor(name)
    assert loaded == list("abcde")
    residents.predictor("b")
    assert loaded == list("abcdeb")


def test_one_that_is_larger_than_the_bound_is_held_alone() -> None:
    residents = Residents(Heavy, most=1)
    for name in "abc":
        assert residents.predictor(name).invoke(b"", "", "") == (b"", name)
        assert len(residents) == 1


def test_one_that_fails_is_tried_again() -> None:
    outcomes: list[Any] = [ClientError("no model"), Heavy("good")]

    def load(folder: str) -> Predictor:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome  # type: ignore[no-any-return]

    residents = Residents(load)
    with pytest.raises(ClientError, match="no model"):
        residents.predictor("one")
    assert len(residents) == 0
    assert isinstance(residents.predictor("one"), Heavy)
    residents.forget("one")
    assert len(residents) == 0
