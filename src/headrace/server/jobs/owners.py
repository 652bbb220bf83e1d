"""Who holds a job: a worker's name says where it runs, so that others on the same machine see that it is gone."""

from __future__ import annotations

import os
import secrets
import socket
from functools import cache
from pathlib import Path

import psutil


def this_owner() -> str:
    """Return a name for this process that no other has had: machine, process id, its start, and a random part."""
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid())}:{secrets.token_hex(4)}"


def is_gone(owner: str) -> bool:
    """Tell whether an owner is known to be dead: it ran on this machine and its process is there no longer."""
    machine, _, rest = owner.partition(":")
    process, _, rest = rest.partition(":")
    if machine != _machine() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(process)) != rest.partition(":")[0]


@cache
def _machine() -> str:
    """Name the boot and the process-id namespace: process ids compare only within both."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{socket.gethostname()}-{round(psutil.boot_time())}".replace(":", "-")


def _started(process: int) -> str:
    """Return when a process started, on Linux in ticks that no wall clock moves; "" for one that ended."""
    stat = Path(f"/proc/{process}/stat")
    try:
        if Path("/proc/self/stat").exists():
            state, *fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            return "" if state in "ZX" else fields[18]
        return str(round(psutil.Process(process).create_time()))
    except (OSError, psutil.Error):
        return ""
