"""Delivers the trails of a data folder in a process of its own, which kills itself at a step: DATA TIME STEP."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headrace.cli.opening import open_platform
from headrace.server.operations.trails import delivery, digests
from headrace.server.settings import load_settings
from headrace.server.stores.objects import FileStore


def killing(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def run(*given: Any, **named: Any) -> Any:
        if after:
            function(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return run


def main() -> None:
    folder, now, step = sys.argv[1:]
    name, _, when = step.partition(" ")
    after = when == "after"
    holders: dict[str, tuple[Any, str]] = {
        "stage": (delivery, "stage"),
        "put": (delivery, "put_log_file"),
        "commit": (FileStore, "commit"),
        "remember": (delivery, "_remember"),
        "logs": (delivery, "_commit"),
        "digest": (digests, "put_log_file"),
        "whole": (delivery, "_sweep"),
    }
    holder, attribute = holders[name]
    setattr(holder, attribute, killing(getattr(holder, attribute), after=after))
    with open_platform(load_settings(data=Path(folder))) as opened:
        delivery.deliver(opened.platform, int(now))


if __name__ == "__main__":
    main()
