"""Lets an environment import packages of the server's own: those it names and what they need, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def link(distributions: Iterable[str], packages: Path) -> dict[str, str]:
    """Link distributions that this Python has, with all that they require, into another's site-packages.

    Returns the versions of all that is linked, by canonical name. Links name each package by itself, so that neither
    Headrace nor what else the server has installed can be imported.
    """
    found: dict[str, str] = {}
    for name in distributions:
        closure = _closure(name)
        if closure is None:
            continue
        for distribution in closure:
            found[canonicalize_name(distribution.name)] = distribution.version
            _link(distribution, packages)
    return found


def can_link(distributions: Iterable[str]) -> bool:
    """Tell whether this Python has distributions with all that they require."""
    return all(_closure(name) is not None for name in distributions)


def _closure(name: str) -> list[metadata.Distribution] | None:
    """Return a distribution and those that it requires, or None where one of them is not here."""
    found: dict[str, metadata.Distribution] = {}
    wanted = [name]
    while wanted:
        each = wanted.pop()
        if each in found:
            continue
        try:
            found[each] = metadata.distribution(each)
        except metadata.PackageNotFoundError:
            return None
        requirements = map(Requirement, found[each].requires or ())
        wanted += [item.name for item in requirements if item.marker is None or item.marker.evaluate({"extra": ""})]
    return list(found.values())


def _link(distribution: metadata.Distribution, packages: Path) -> None:
    tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    for top in tops:
        target = packages / top
        source = Path(str(distribution.locate_file(top)))
        if source.exists() and not target.is_symlink():
            target.symlink_to(source.resolve())
