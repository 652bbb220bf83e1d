"""Small tables, the command line as a user meets it, and users of a running server."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def churn_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """Make a table with numbers, labels, dates as text, missing values and a target that can be learnt."""
    rng = np.random.default_rng(seed)
    tenure = rng.integers(1, 72, rows)
    contract = rng.choice(["Month-to-month", "One year", "Two year"], rows, p=[0.5, 0.3, 0.2])
    charges = rng.normal(65, 25, rows).round(2)
    days = rng.integers(0, 900, rows)
    chance = 1 / (1 + np.exp(-(1.5 * (contract == "Month-to-month") - 0.05 * tenure + 0.02 * (charges - 65))))
    return pl.DataFrame(
        {
            "tenure": tenure,
            "contract": contract,
            "charges": [None if i % 17 == 0 else float(v) for i, v in enumerate(charges)],
            "joined": [str(np.datetime64("2021-01-01") + int(d)) for d in days],
            "churn": np.where(rng.random(rows) < chance, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def churn_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "churn.csv"
    churn_table().write_csv(path)
    return path


@pytest.fixture
def headrace(tmp_path: Path) -> Command:
    """Run `headrace` in a folder of its own; its state stays there too."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
        return subprocess.run(
            [sys.executable, "-c", "from headrace.cli import main; main()", *map(str, arguments)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, **options,  # type: ignore[call-overload]
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def finished_run(churn_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run with two trials; tests only read it."""
    import headrace

    os.environ.setdefault("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    return headrace.run(churn_csv, "churn", trials=2, out=tmp_path_factory.mktemp("out") / "result").out


@dataclass
class Person:
    """An IAM user of the running server with a key and one inline policy."""

    server: Any
    name: str
    arn: str
    keys: dict[str, str]

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client that signs with the user's key, or with that of `options`."""
        return self.server.client(service, **self.keys | options)

    def may(self, *statements: dict[str, Any]) -> None:
        """Replace the user's policy; without statements it has none."""
        iam = self.server.client("iam")
        if statements:
            iam.put_user_policy(UserName=self.name, PolicyName="own", PolicyDocument=policy(*statements))
        else:
            iam.delete_user_policy(UserName=self.name, PolicyName="own")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def keys_of(answer: dict[str, Any]) -> dict[str, str]:
    """Return the credentials of an answer of IAM or STS as boto3 takes them."""
    keys = {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
    }
    return keys | ({"aws_session_token": answer["SessionToken"]} if "SessionToken" in answer else {})


@pytest.fixture
def person(server: Any) -> Callable[..., Person]:
    """Return a function that makes a user with a key, allowed what the statements say."""

    def make(*statements: dict[str, Any], **options: Any) -> Person:
        iam, name = server.client("iam"), f"person-{secrets.token_hex(4)}"
        user = iam.create_user(UserName=name, **options)["User"]
        made = Person(server, name, user["Arn"], keys_of(iam.create_access_key(UserName=name)["AccessKey"]))
        if statements:
            made.may(*statements)
        return made

    return make
