"""The log on standard error: one line a record, as JSON or as text."""

from __future__ import annotations

import json
import logging
import sys
import time
from functools import lru_cache

QUIET = ("botocore", "urllib3", "asyncio", "alembic", "uvicorn.error")
"""Loggers of libraries that tell errors only."""


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object; `facts` of it are members of the object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, its traceback (never the values in it) as one more member."""
        facts = {"time": _time(record), "level": record.levelname.lower(), "logger": record.name}
        told = getattr(record, "facts", None)
        facts |= told if told is not None else {"message": record.getMessage()}
        if record.exc_info:
            facts["traceback"] = self.formatException(record.exc_info)
        return _encode(facts)


class TextLines(logging.Formatter):
    """Writes a record as words; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        told = getattr(record, "facts", None)
        words = " ".join(str(value) for value in told.values()) if told is not None else record.getMessage()
        line = f"{_time(record)} {record.levelname.lower()} {words}".replace("\n", " ")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(form: str, level: str) -> None:
    """Send what this process logs to standard error, in a form ("json" or "text") and from a level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # No line tells which thread wrote it, nor from where: Python's own advice is not to find that out (Optimization).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _time(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


_encode = json.JSONEncoder(default=str).encode
