"""The command line, and the one place where things are put together."""

from __future__ import annotations

import os
import signal
import sys
import time


def _seconds_since_start() -> float:
    """Return the age of this process; where the system does not tell it, the processor time it took."""
    processor = time.process_time()
    try:
        with open("/proc/self/stat", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
            ticks = int(file.read().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError, IndexError):
        return processor
    return age if processor <= age < 1 + 30 * processor else processor  # an interpreter may be long at work already


STARTED = time.monotonic() - _seconds_since_start()
"""When this process began, as a `time.monotonic()` stamp: budgets count from here."""

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")


def main() -> None:
    """Run the command line; errors of the user's making end in one sentence and their exit code."""
    from headrace.cli.application import application
    from headrace.cli.arguments import spread
    from headrace.ml.errors import HeadraceError

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = application(spread(sys.argv[1:]), standalone_mode=False)
    except HeadraceError as error:
        print(f"headrace: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("headrace: interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except MemoryError:
        print("headrace: the memory of this machine is used up; give a smaller table or more memory", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("click", "typer"):
            raise
        show = getattr(error, "show", None)
        if show is not None:
            show()
        sys.exit(getattr(error, "exit_code", 1))
    if sys.argv[1:2] in (["run"], ["forecast"]):
        _leave()
    sys.exit(code if isinstance(code, int) else 0)


def _leave() -> None:
    """End at once: unloading half a dozen libraries takes half a processor second, and budgets count them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
