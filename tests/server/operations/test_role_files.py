"""The credentials that a running script finds are renewed before they end."""

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from botocore.credentials import ProcessProvider
from botocore.session import Session

from headrace.server.context import Platform
from headrace.server.operations import role_files
from headrace.server.operations.acting import Actor
from headrace.server.operations.role_files import LIFE, PLACE, RENEWED, RoleFiles
from headrace.server.resources import Place
from headrace.server.security.credentials import Caller, open_session
from headrace.server.security.secrets import Keyring

NOON = 4_000_000_000_000
ROLE = Caller("AssumedRole", "111122223333", "arn:aws:sts::111122223333:assumed-role/worker/SageMaker", "AROA:SageMaker",
              "arn:aws:iam::111122223333:role/worker", "SageMaker")  # fmt: skip


def test_credentials_are_renewed_at_half_their_life(tmp_path: Path) -> None:
    now, keyring = [NOON], Keyring(b"k" * 32)
    platform = SimpleNamespace(keyring=keyring, clock=lambda: now[0], url="http://127.0.0.1:4599")
    files = RoleFiles(Actor(cast(Platform, platform), ROLE, Place("111122223333", "eu-west-1")), tmp_path / "role")

    def read() -> dict[str, Any]:
        found: dict[str, Any] = json.loads((files.folder / "credentials.json").read_text())
        return found

    first = read()
    now[0] += (RENEWED - 1) * 1000
    files.renew()
    assert read() == first
    now[0] += 1000
    files.renew()
    second = read()
    assert second["AccessKeyId"] != first["AccessKeyId"]
    assert datetime.fromisoformat(second["Expiration"]).timestamp() * 1000 == now[0] + LIFE * 1000
    key = open_session(keyring, second["SessionToken"], second["AccessKeyId"])
    assert key is not None
    assert (key.secret, key.caller.arn, key.caller.session_expires) == (
        second["SecretAccessKey"], ROLE.arn, now[0] + LIFE * 1000,
    )  # fmt: skip
    assert sorted(path.name for path in files.folder.iterdir()) == ["config", "credentials.json"]
    assert files.variables == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4599",
        "AWS_CONFIG_FILE": f"{PLACE}/config",
    }


def test_sdks_read_the_files(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(role_files, "PLACE", str(tmp_path / "role"))
    platform = SimpleNamespace(keyring=Keyring(b"k" * 32), clock=lambda: NOON, url="")
    files = RoleFiles(Actor(cast(Platform, platform), ROLE, Place("111122223333", "eu-west-1")), tmp_path / "role")
    session = Session()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(files.folder / "config"))
    loaded = ProcessProvider("default", lambda: session.full_config).load()
    assert loaded is not None
    assert loaded.access_key == json.loads((files.folder / "credentials.json").read_text())["AccessKeyId"]
