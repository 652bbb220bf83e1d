"""Loading once, however many ask at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from headrace.aws.specification.once import once


def test_threads_that_come_together_load_once():
    together, loads, slow = Barrier(8), [], Event()

    @once
    def load(name: str) -> str:
        loads.append(name)
        slow.wait(0.05)
        return name.upper()

    def ask(_: int) -> str:
        together.wait()
        return load("sts")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"STS"}
    assert loads == ["sts"]
    assert load("s3") == "S3"


def test_what_failed_is_tried_again():
    given = iter([None])

    @once
    def load() -> str:
        if next(given, "there") is None:
            raise LookupError("not yet")
        return "there"

    with pytest.raises(LookupError):
        load()
    assert load() == "there"
