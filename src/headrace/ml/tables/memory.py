"""How much memory a table may take: what this machine, or the container it stands for, has to give."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MOST = 2**30
"""One GiB: what follows on reading takes three times as much again."""
SHARE = 0.5
"""Of what is available."""
_GROUPS = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ("", "memory.max", "memory.current", "inactive_file"),
)


def allowance() -> int:
    """Return the bytes that a table may take in memory.

    That is `MOST`, halved until it is at most a share of what is available: small changes of that change nothing.
    """
    allowed, available = MOST, available_memory()
    while allowed > SHARE * available and allowed > 2**26:
        allowed //= 2
    return allowed


def available_memory() -> int:
    """Return the bytes that are free for use: of the machine, or of the control group if that allows less."""
    import psutil

    return min([psutil.virtual_memory().available, *_groups_leave(_GROUPS, _ROOT)])


def _groups_leave(groups: Path, root: Path) -> Iterator[int]:
    """Yield what each control group of this process, and each above it, still leaves, in both versions of them."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller, most, used, reclaimable in _LIMITS:
            if controller not in controllers.split(",") and (controller or controllers):
                continue
            folder = root / controller / path.lstrip("/")
            for place in (folder, *(parent for parent in folder.parents if root in (parent, *parent.parents))):
                left = _left(place, most, used, reclaimable)
                if left is not None:
                    yield left


def _left(folder: Path, most: str, used: str, reclaimable: str) -> int | None:
    try:
        limit, usage = int((folder / most).read_text()), int((folder / used).read_text())
        stated = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return max(0, limit - usage + int(stated.get(reclaimable, 0)))
    except (OSError, ValueError):  # there is no limit ("max"), or no such group here
        return None
