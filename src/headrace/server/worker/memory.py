"""How much memory a job's processes hold, measured, as no limit of the kernel counts what we mean."""

from __future__ import annotations

from contextlib import suppress

import psutil


def held(process: int, limit: int) -> int:
    """Return the bytes that a process and all below it hold.

    The sum of resident sizes counts shared pages once a process; it is exact enough below `limit`. Above it the
    proportional sizes are summed, which cost more to read.
    """
    try:
        top = psutil.Process(process)
        processes = [top, *top.children(recursive=True)]
    except psutil.Error:
        return 0
    resident = 0
    for each in processes:
        with suppress(psutil.Error):
            resident += each.memory_info().rss
    return resident if resident <= limit else _proportional(processes)


def readable(size: int) -> str:
    """Return a size in words: "2.1 GiB".

    >>> readable(2_254_857_830), readable(512)
    ('2.1 GiB', '512 bytes')
    """
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}".replace(".0 ", " ")
    return f"{size} bytes"


def _proportional(processes: list[psutil.Process]) -> int:
    total = 0
    for each in processes:
        with suppress(psutil.Error):
            full = each.memory_full_info()
            total += getattr(full, "pss", full.uss)
    return total
