"""The SageMaker Python SDK, versions 2 and 3: their sessions call AWS's own addresses, which the proxy answers."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.clients

PROGRAM = Path(__file__).with_name("sagemaker_session.py")


@pytest.mark.parametrize("way", ["env --proxy", "exec"])
@pytest.mark.parametrize("release", ["2", "3"])
def test_a_session_makes_its_bucket_and_fills_it(
    server: Any, python_of: Callable[[str], Path], run: Any, headrace: Any, release: str, way: str
) -> None:
    python = python_of(f"sagemaker{release}")
    if way == "exec":
        done = run(*headrace("exec", "--", str(python), str(PROGRAM)))
    else:
        eval_it = f'eval "$({shlex.join(headrace("env", "--proxy"))})"'
        done = run("bash", "-euc", f"{eval_it}; {shlex.join([str(python), str(PROGRAM)])}")
    told = json.loads(done.stdout.splitlines()[-1])
    account = server.client("sts").get_caller_identity()["Account"]
    assert told["version"].startswith(f"{release}.")
    assert told["bucket"] == told["again"] == f"sagemaker-us-east-1-{account}"
    assert told["where"] == f"s3://{told['bucket']}/data"
    assert told["read"] == "1,2\n"
    assert told["files"] == ["data/a.csv", "data/b.csv"]
    kept = server.client("s3").get_object(Bucket=told["bucket"], Key="data/b.csv")["Body"].read()
    assert kept == b"3,4\n"
