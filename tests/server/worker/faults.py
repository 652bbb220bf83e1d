"""Kill -9 of the process itself at its n-th write: statement, commit (before and after), rename, fsync, start of a process."""

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


def kill_at(number: int, engine: Engine, *, with_worker: bool = False) -> Callable[[], int]:
    """Arm the fault; returns a function that tells how many points were passed so far."""
    passed = 0

    def point() -> None:
        nonlocal passed
        passed += 1
        if passed == number:
            if with_worker:
                os.kill(int(os.environ["TEST_WORKER"]), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    def before_statement(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            point()

    def before(function: Callable[..., Any], *, and_after: bool = False) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            point()
            answer = function(*arguments, **named)
            if and_after:
                point()
            return answer

        return called

    event.listen(engine, "before_cursor_execute", before_statement)
    engine.dialect.do_commit = before(engine.dialect.do_commit, and_after=True)  # type: ignore[method-assign]
    os.rename, os.fsync = before(os.rename), before(os.fsync)
    subprocess.Popen.__init__ = before(subprocess.Popen.__init__, and_after=True)  # type: ignore[method-assign]
    return lambda: passed
