"""What a process prints reaches its log line by line, and a flood is cut and counted."""

from __future__ import annotations

import os
import threading

from headrace.server.model_server.log_lines import LONGEST, WAITING, LogLines


def test_lines_as_they_were_printed() -> None:
    read, write = os.pipe()
    seen: list[str] = []
    lines = LogLines(os.fdopen(read, "rb"), seen.append)
    with os.fdopen(write, "wb") as output:
        output.write("eins\r\n\nzwö\n".encode() + b"\xff bytes\n" + b"x" * (2 * LONGEST + 5) + b"\nlast")
    lines.finish(20)
    assert seen == ["eins", "", "zwö", "\ufffd bytes", "x" * LONGEST, "x" * LONGEST, "x" * 5, "last"]
    assert lines.last[-1] == "last"


def test_a_flood_waits_for_no_log() -> None:
    read, write = os.pipe()
    seen: list[str] = []
    let = threading.Event()
    lines = LogLines(os.fdopen(read, "rb"), lambda line: (let.wait(20), seen.append(line)))  # type: ignore[func-returns-value]
    with os.fdopen(write, "wb") as output:
        for number in range(WAITING + 5000):
            output.write(f"{number}\n".encode())
    lines._reading.join(20)
    let.set()
    lines.finish(20)
    assert len(seen) in range(WAITING, WAITING + 5)
    dropped = [line for line in seen if "were dropped" in line]
    assert len(dropped) == 1
    assert lines.last[-1] == str(WAITING + 4999)


def test_a_log_that_fails_ends_nothing() -> None:
    read, write = os.pipe()
    seen: list[str] = []

    def log(line: str) -> None:
        if line == "bad":
            raise OSError("the log is away")
        seen.append(line)

    lines = LogLines(os.fdopen(read, "rb"), log)
    with os.fdopen(write, "wb") as output:
        output.write(b"one\nbad\ntwo\n")
    lines.finish(20)
    assert seen == ["one", "two"]
