"""Counts refusals past a threshold instead of copying each: nobody fills the disk by being refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

from headrace.server.security.audit.entry import Entry, event_source, event_time

MINUTE, DAY = 60_000, 86_400_000
SAME_A_MINUTE = 10
"""Refusals alike that are recorded one by one in a minute."""
ALL_A_MINUTE = 120
"""Refusals of all kinds together that are recorded one by one in a minute, of known and of unknown callers each."""
ALL_A_DAY = 20_000
MOST_KINDS = 256
"""Kinds of refusal told apart in memory; those beyond share one count per error code."""
MOST_CODES = 64
FLOOD_PERIOD = 3_600_000
"""Milliseconds between summaries once a day's share of single records is used up."""


@dataclass
class Kind:
    """Refusals of one caller (or address), operation and error: how many, and an example."""

    minute: int
    recorded: int
    example: Entry
    counted: int = 0
    first: int = 0
    last: int = 0


class Floods:
    """Decides which refusals are recorded; memory and writes are bounded whoever sends whatever."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kinds: dict[tuple[str, ...], Kind] = {}
        self._recorded: dict[tuple[bool, int, int], int] = {}
        self._drained = 0

    def admits(self, entry: Entry) -> bool:
        """Tell whether a refusal is to be recorded by itself; otherwise it has been counted."""
        minute = entry.now // MINUTE
        known = bool(entry.caller.account)
        with self._lock:
            kind = self._kind(entry, minute, known)
            if kind.minute != minute:
                kind.minute, kind.recorded = minute, 0
            if kind.recorded < SAME_A_MINUTE and self._spend(known, entry.now):
                kind.recorded += 1
                return True
            if not kind.counted:
                kind.first, kind.example = entry.now, replace(entry, parameters=None)
            kind.counted += 1
            kind.last = entry.now
            return False

    def drain(self, now: int, *, everything: bool = False) -> list[Entry]:
        """Return one entry for each kind that was counted, and forget kinds that ended more than a minute ago."""
        with self._lock:
            busy = any(self._recorded.get((known, DAY, now // DAY), 0) >= ALL_A_DAY for known in (True, False))
            if busy and not everything and now - self._drained < FLOOD_PERIOD:
                return []
            self._drained = now
            minute = now // MINUTE
            summaries = [_summary(kind) for kind in self._kinds.values() if kind.counted]
            for kind in self._kinds.values():
                kind.counted = 0
            self._kinds = {key: kind for key, kind in self._kinds.items() if kind.minute >= minute}
            return summaries

    def _kind(self, entry: Entry, minute: int, known: bool) -> Kind:
        who = entry.caller.arn if known else entry.source_address
        key: tuple[str, ...] = (who, event_source(entry), entry.operation[:128], entry.error_code)
        if key not in self._kinds and len(self._kinds) >= MOST_KINDS:
            self._kinds = {each: kind for each, kind in self._kinds.items() if kind.counted or kind.minute >= minute}
        if key not in self._kinds and len(self._kinds) >= MOST_KINDS:
            key = ("many", entry.error_code)
        if key not in self._kinds and len(self._kinds) >= MOST_KINDS + MOST_CODES:
            key = ("many", "")
        return self._kinds.setdefault(key, Kind(minute, 0, replace(entry, parameters=None)))

    def _spend(self, known: bool, now: int) -> bool:
        shares = (((known, MINUTE, now // MINUTE), ALL_A_MINUTE), ((known, DAY, now // DAY), ALL_A_DAY))
        if any(self._recorded.get(share, 0) >= most for share, most in shares):
            return False
        if len(self._recorded) > 16:
            self._recorded = {share: spent for share, spent in self._recorded.items() if share[2] == now // share[1]}
        for share, _ in shares:
            self._recorded[share] = self._recorded.get(share, 0) + 1
        return True


def _summary(kind: Kind) -> Entry:
    counted = {
        "refusalsCounted": kind.counted,
        "firstRefusal": event_time(kind.first // 1000),
        "lastRefusal": event_time(kind.last // 1000),
    }
    return replace(kind.example, now=kind.last, additional=counted)
