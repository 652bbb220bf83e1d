"""How much memory a table may take, by the machine and by its control groups in both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.ml.tables import memory

MEBIBYTE = 2**20


def group(root: Path, path: str, names: tuple[str, str, str], limit: object, used: int, cached: int) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    most, current, reclaimable = names
    (folder / most).write_text(f"{limit}\n")
    (folder / current).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{reclaimable} {cached}\n")


OLD = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
NEW = ("memory.max", "memory.current", "inactive_file")


def test_every_group_above_counts_and_what_the_kernel_can_take_back_is_free(tmp_path: Path) -> None:
    groups = tmp_path / "cgroup"
    groups.write_text("4:cpu,memory:/jobs/one\n0::/\n")
    group(tmp_path, "memory/jobs/one", OLD, 2**40, 50, 0)
    group(tmp_path, "memory/jobs", OLD, 1000, 700, 200)
    assert sorted(memory._groups_leave(groups, tmp_path))[0] == 500


def test_the_unified_hierarchy_is_read_too_and_no_limit_is_none(tmp_path: Path) -> None:
    groups = tmp_path / "cgroup"
    groups.write_text("0::/user/run\n")
    group(tmp_path, "user/run", NEW, "max", 50, 0)
    group(tmp_path, "user", NEW, 100, 250, 20)
    assert list(memory._groups_leave(groups, tmp_path)) == [0]


def test_where_there_are_no_groups_nothing_is_left_out(tmp_path: Path) -> None:
    assert list(memory._groups_leave(tmp_path / "absent", tmp_path)) == []


@pytest.mark.parametrize(
    ("available", "allowed"),
    [(64 * 2**30, 2**30), (2 * 2**30, 2**30), (2 * 2**30 - 1, 2**29), (600 * MEBIBYTE, 2**28), (0, 2**26)],
)
def test_the_allowance_is_a_round_part_of_what_is_available(
    available: int, allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: available)
    assert memory.allowance() == allowed


def test_this_machine_has_some_memory() -> None:
    assert memory.available_memory() > MEBIBYTE
