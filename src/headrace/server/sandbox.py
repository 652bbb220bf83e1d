"""Confines commands that run a user's code: bubblewrap where it works, another user id where we are root.

In bubblewrap the command has its own users, processes, network, host name and /tmp; it sees the system and the
interpreter to read, its folder to write, and of everything else nothing. As another user id it sees what is readable
to all, may write its folder only, can't signal processes of others, and has no network where `unshare` works.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from pathlib import Path

import psutil

from headrace.server.errors import Unavailable

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
CONFIGURATION = (
    "alternatives", "ca-certificates", "fonts", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "localtime", "nsswitch.conf", "passwd", "pki", "resolv.conf", "ssl", "timezone",
)  # fmt: skip
NAMESPACES = (
    "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--uid", "65534",
    "--gid", "65534", "--hostname", "sandbox", "--cap-drop", "ALL", "--die-with-parent", "--new-session",
)  # fmt: skip
UNSHARE = ("unshare", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
SETPRIV = (
    "setpriv",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--pdeathsig",
    "KILL",
)
FIRST_USER, USERS = 61184, 4336  # the range that systemd keeps for users that exist while a unit runs


class Isolation(Enum):
    """How a user's code is kept apart."""

    BUBBLEWRAP = "bubblewrap"
    USER = "another user id"
    NONE = "not at all, as the scripts are trusted"


@dataclass(frozen=True)
class Folder:
    """A folder that the command sees, at the same path or at another, to read or to write."""

    path: Path
    at: str = ""
    writable: bool = False


@dataclass(frozen=True)
class Confined:
    """What to start: `subprocess.Popen(confined.command, env=confined.environment, cwd=folder)`."""

    command: list[str]
    environment: dict[str, str] = field(repr=False)
    isolation: Isolation


def isolation(*, trust: bool = False) -> Isolation:
    """Return the best isolation that works here; raises Unavailable where there is none and scripts are not trusted."""
    if _bubblewrap_works():
        return Isolation.BUBBLEWRAP
    if os.getuid() == 0 and shutil.which("setpriv"):
        return Isolation.USER
    if trust:
        return Isolation.NONE
    raise Unavailable(
        "code of users can't be isolated here: bubblewrap is missing or may not make namespaces, and this is not root; "
        "install bubblewrap, or start with --trust-scripts to run their code with all rights of the server"
    )


def sandboxed(
    command: Sequence[str],
    *,
    folder: Path,
    folders: Sequence[Folder] = (),
    environment: Mapping[str, str] | None = None,
    network: bool = False,
    hidden: Sequence[Path] = (),
    trust: bool = False,
) -> Confined:
    """Return how to start `command` confined to `folder`, where it runs and may write.

    Its /tmp is `folder`/.tmp. `folders` are others that it sees; `environment` is all that it finds set beside PATH,
    HOME, TMPDIR and LANG; `hidden` are covered even where a folder that is seen holds them, unless they hold one that
    is given here. Raises Unavailable when it can't be confined as asked.
    """
    how = isolation(trust=trust)
    temporary = _temporary(folder)
    settings = {"PATH": _search_path(), "HOME": str(folder), "TMPDIR": str(temporary), "LANG": "C.UTF-8"}
    settings |= environment or {}
    shown = [Folder(folder, writable=True), *folders]
    if how is Isolation.BUBBLEWRAP:
        prefix = _bubblewrap(["--bind", str(temporary)], shown, hidden, network=network)
        return Confined([*prefix, "--chdir", str(folder), "--", *command], settings, how)
    moved = next((item for item in folders if item.at and item.at != str(item.path)), None)
    if moved is not None:
        raise Unavailable(f"{moved.path} can't be shown as {moved.at} without bubblewrap; install bubblewrap")
    if how is Isolation.USER:
        return Confined([*_other_user(shown, network=network), *command], settings, how)
    return Confined(list(command), settings, how)


def ask_to_stop(process: int) -> None:
    """Send SIGTERM to what runs in a sandbox, not to the sandbox around it (which would kill at once)."""
    try:
        inside = psutil.Process(process)
        commands = [inside, *inside.children(recursive=True)]
    except psutil.Error:
        return
    for each in commands:
        try:
            if each.name() != "bwrap":
                each.send_signal(signal.SIGTERM)
        except psutil.Error:
            continue


def _bubblewrap(
    temporary: Sequence[str], shown: Sequence[Folder], hidden: Sequence[Path], *, network: bool
) -> list[str]:
    words = ["bwrap", *NAMESPACES, *([] if network else ["--unshare-net"])]
    words += ["--proc", "/proc", "--dev", "/dev", *temporary, "/tmp"]  # noqa: S108
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            words += ["--ro-bind", str(path), str(path)]
    for name in CONFIGURATION:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for path in _interpreter():
        words += ["--ro-bind", str(path), str(path)]
    covered = [path.resolve() for path in hidden]
    for path in covered:
        if any(path.is_relative_to(other) for other in [*map(Path, SYSTEM), *_interpreter()]):
            words += ["--tmpfs", str(path)]
    for item in shown:
        if any(path.is_relative_to(item.path.resolve()) for path in covered):
            raise Unavailable(f"{item.path} holds a folder that the sandbox must not see; give a folder beside it")
        words += ["--bind" if item.writable else "--ro-bind", str(item.path.resolve()), item.at or str(item.path)]
    return words


def _other_user(shown: Sequence[Folder], *, network: bool) -> list[str]:
    user = FIRST_USER + zlib.crc32(os.fsencode(shown[0].path)) % USERS
    for item in shown:
        closed = next((path for path in item.path.resolve().parents if not path.stat().st_mode & 0o001), None)
        if closed is not None:
            raise Unavailable(
                f"{item.path} can't be reached by another user id, as {closed} is closed to others; install bubblewrap"
            )
        if item.writable:
            _give(item.path, user)
    if not network and not _unshare_works():
        raise Unavailable("a network can't be taken away here without bubblewrap; install it, or ask for the network")
    apart = [*UNSHARE, *([] if network else ["--net"])] if _unshare_works() else []
    return [*apart, *SETPRIV, f"--reuid={user}", f"--regid={user}", "--"]


def _temporary(folder: Path) -> Path:
    """Return the folder that is the command's /tmp: on disk, as files in memory would be held by nobody's count."""
    path = folder / ".tmp"
    if path.is_symlink():
        path.unlink()
    path.mkdir(exist_ok=True)
    return path


def _give(folder: Path, user: int) -> None:
    for path, _, names in os.walk(folder):
        os.chown(path, user, user, follow_symlinks=False)
        for name in names:
            os.chown(Path(path) / name, user, user, follow_symlinks=False)


def _interpreter() -> list[Path]:
    """Return the folders of this Python and of what it imports, outermost only."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2]}
    found |= {path.resolve() for path in found}
    outside = [path for path in found if not any(path.is_relative_to(system) for system in SYSTEM)]
    return [path for path in outside if not any(path != other and path.is_relative_to(other) for other in outside)]


def _search_path() -> str:
    return os.pathsep.join([str(Path(sys.prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])


@cache
def _bubblewrap_works() -> bool:
    trial = _bubblewrap(["--tmpfs"], [], (), network=False) if shutil.which("bwrap") else []
    return bool(trial) and _succeeds([*trial, "--", "true"])


@cache
def _unshare_works() -> bool:
    return _succeeds([*UNSHARE, "--net", "true"])


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
