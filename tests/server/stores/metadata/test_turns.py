"""The order of those who wait to write."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.turns import Turns


def wait_for(count: int, turns: Turns) -> None:
    deadline = time.monotonic() + 10
    while len(turns._waiting) < count and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(turns._waiting) == count


def test_turns_come_in_the_order_of_asking() -> None:
    turns = Turns()
    came: list[int] = []

    def take(number: int) -> None:
        assert turns.take(10)
        came.append(number)
        turns.give()

    assert turns.take(0)
    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=take, args=(number,)))
        threads[-1].start()
        wait_for(number + 1, turns)
    turns.give()
    for thread in threads:
        thread.join(10)
    assert came == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_who_gives_up_is_passed_over() -> None:
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0)


def test_only_one_has_the_turn() -> None:
    turns = Turns()
    inside: list[int] = []

    def work(number: int) -> None:
        for _ in range(200):
            assert turns.take(10)
            inside.append(number)
            assert len(inside) == 1
            inside.pop()
            turns.give()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert inside == []


def test_a_thread_that_writes_without_pause_starves_nobody(metadata: MetadataStore) -> None:
    over = threading.Event()

    def hog() -> None:
        while not over.is_set():
            with metadata.writing():
                pass

    hogs = [threading.Thread(target=hog) for _ in range(2)]
    for thread in hogs:
        thread.start()
    before = time.monotonic()
    for _ in range(20):
        with metadata.writing():
            pass
    over.set()
    for thread in hogs:
        thread.join(10)
    assert time.monotonic() - before < metadata.patience
