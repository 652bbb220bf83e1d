"""`headrace deploy`: one command from a run's model to an endpoint, again, with another model, and refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

import headrace as library

from .conftest import Command


@pytest.fixture(scope="module")
def other_run(churn_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return another finished run on the same table."""
    return library.run(churn_csv, "churn", trials=1, exclude=["joined"], out=tmp_path_factory.mktemp("out") / "r").out


@pytest.fixture
def name(server: Any) -> Any:
    """Return a name for an endpoint, which is deleted with the test."""
    made = f"churn-{uuid4().hex[:8]}"
    yield made
    sagemaker = server.client("sagemaker")
    if made in [each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]]:
        sagemaker.delete_endpoint(EndpointName=made)


@pytest.fixture
def deploy(headrace: Command, server: Any, name: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda model, *flags: headrace("deploy", model, "--name", name, "--data", server.data, *flags)


def answers(server: Any, name: str, rows: pl.DataFrame) -> list[str]:
    answer = server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType="text/csv", Body=rows.write_csv(), Accept="text/csv"
    )
    return [line.split(",")[0] for line in answer["Body"].read().decode().splitlines()]


@pytest.mark.slow
def test_a_model_is_deployed_by_one_command_and_replaced_by_another(
    server: Any, deploy: Any, name: str, finished_run: Path, other_run: Path, churn_csv: Path
) -> None:
    done = deploy(finished_run / "model")
    assert done.returncode == 0, done.stderr
    rows = pl.read_csv(churn_csv).drop("churn").head(50)
    expected = library.load(finished_run / "model").predict(rows)["prediction"].to_list()
    assert answers(server, name, rows) == expected

    again = deploy(finished_run)
    assert again.returncode == 0, again.stderr
    assert "has this model already" in again.stderr
    assert again.stdout == done.stdout

    for run, flags in ((other_run, ()), (finished_run, ("--instances", "2"))):
        refused = deploy(run, *flags)
        assert refused.returncode == 2
        assert f"an endpoint {name} exists already (InService) and is not this model's" in refused.stderr
        assert "--replace" in refused.stderr
    replaced = deploy(other_run, "--replace", "--instances", "2")
    assert replaced.returncode == 0, replaced.stderr
    described = server.client("sagemaker").describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "InService"
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    expected = library.load(other_run / "model").predict(rows)["prediction"].to_list()
    assert answers(server, name, rows.drop("joined")) == expected


def test_what_it_prints_runs_when_it_is_pasted(
    server: Any, deploy: Any, finished_run: Path, tmp_path: Path, headrace: Command
) -> None:
    done = deploy(finished_run / "model")
    assert done.returncode == 0, done.stderr
    shell, python = done.stdout.split("Ask it with the AWS CLI:\n\n")[1].split("\n\nor with boto3")
    programs = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    pasted = subprocess.run(
        ["bash", "-euc", shell], env=programs, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert pasted.returncode == 0, pasted.stderr
    answer, _ = json.JSONDecoder().raw_decode(pasted.stdout)
    (tmp_path / "ask.py").write_text(python.split(":\n\n", 1)[1])
    asked = headrace("exec", "--data", server.data, "--", sys.executable, "ask.py")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout) == answer


@pytest.mark.parametrize("wrong", ["churn_1", "a" * 64, "a-"])
def test_a_name_that_no_endpoint_may_have_is_refused(headrace: Command, finished_run: Path, wrong: str) -> None:
    refused = headrace("deploy", finished_run / "model", "--data", "nowhere", f"--name={wrong}")
    assert refused.returncode == 2
    assert f"the endpoint name {wrong!r} is not allowed" in " ".join(refused.stderr.split())


def test_a_folder_that_is_no_model_is_refused(deploy: Any, finished_run: Path, tmp_path: Path) -> None:
    absent = deploy(tmp_path / "absent")
    assert absent.returncode != 0
    assert "does not exist; give the model folder that headrace run left" in " ".join(absent.stderr.split())
    empty = deploy(tmp_path)
    assert empty.returncode != 0
    assert "it has no manifest.json" in " ".join(empty.stderr.split())
    (tmp_path / "manifest.json").write_text("{}")
    damaged = deploy(tmp_path)
    assert damaged.returncode != 0
    assert "Traceback" not in damaged.stderr
    few = deploy(finished_run, "--instances", "0")
    assert few.returncode == 2
    assert "--instances 0" in few.stderr


def test_no_server_and_no_permission_are_said_in_a_sentence(
    headrace: Command, server: Any, person: Any, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = headrace("deploy", finished_run, "--name", "churn", "--data", tmp_path / "none")
    assert stopped.returncode == 2
    assert "no server listens on the data folder" in " ".join(stopped.stderr.split())
    assert "headrace serve" in stopped.stderr
    keys = person().keys
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["aws_access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["aws_secret_access_key"])
    forbidden = headrace("deploy", finished_run, "--name", "churn")
    assert forbidden.returncode == 1
    assert "DescribeEndpoint was refused (AccessDeniedException)" in " ".join(forbidden.stderr.split())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    nobody = headrace("deploy", finished_run, "--name", "churn")
    assert nobody.returncode == 1
    assert "no server answers at http://127.0.0.1:1" in " ".join(nobody.stderr.split())
