"""Models of invocations as a sandboxed multi-model container sees them: copies in its own folder."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

MOST = 48
"""Copies that are kept, more than a container holds models in memory; the least lately used one goes."""


class Targets:
    """Copies, as the process may write to its folder, and other models are none of its business."""

    def __init__(self, folder: Path) -> None:
        """Keep the copies in a folder that is made when the first one is."""
        self._folder = folder
        self._lock = threading.Lock()
        self._copies: OrderedDict[str, Path] = OrderedDict()

    def shown(self, head: dict[str, Any]) -> dict[str, Any]:
        """Return a message's head with the target_folder that the process sees; one that is unloaded is dropped."""
        folder = head.get("target_folder", "")
        if not folder:
            return head
        with self._lock:
            path = self._copies.get(folder) or self._copy(folder)
            self._copies.move_to_end(folder)
            if head["operation"] == "unload":
                shutil.rmtree(self._copies.pop(folder), ignore_errors=True)
        return head | {"target_folder": str(path)}

    def _copy(self, folder: str) -> Path:
        path = self._folder / hashlib.sha256(folder.encode()).hexdigest()[:16]
        shutil.rmtree(path, ignore_errors=True)
        self._folder.mkdir(mode=0o755, exist_ok=True)
        shutil.copytree(folder, path)
        self._copies[folder] = path
        while len(self._copies) > MOST:
            shutil.rmtree(self._copies.popitem(last=False)[1], ignore_errors=True)
        return path
