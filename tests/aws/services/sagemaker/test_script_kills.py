"""`kill -9` of the server while it makes a script's environment, and while the script runs."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from headrace.server.sandbox import Isolation, isolation

pytestmark = pytest.mark.skipif(
    isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="scripts need bubblewrap for /opt/ml"
)
NO_OTHER_INDEX = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
ANOTHER_RELEASE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1"


class Killed:
    """A server that is killed and started again on the same data."""

    def __init__(self, serve: Callable[..., Any]) -> None:
        self._serve = serve
        self.server: Any = None

    def start(self, **environment: str) -> None:
        self.server = self._serve(environment=environment)

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()

    @property
    def environments(self) -> list[Path]:
        folder = self.server.data / "environments"
        return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []

    def processes(self, word: str = "") -> list[list[str]]:
        """Return the commands of processes other than the server's that name its data folder, and a word."""
        found = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])]
        return [
            each for each in found
            if "serve" not in each and any(str(self.server.data) in part for part in each) and word in " ".join(each)
        ]  # fmt: skip


@pytest.fixture
def killed(serve: Callable[..., Any]) -> Killed:
    return Killed(serve)


@pytest.fixture
def client(killed: Killed) -> Callable[..., Any]:
    """Return what makes clients of the server that runs at present."""
    if killed.server is None:
        killed.start()
    return lambda *given, **options: killed.server.client(*given, **options)


@pytest.fixture
def index_that_hangs() -> Iterator[str]:
    """Return the URL of a package index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/simple"


@pytest.mark.slow
def test_a_script_is_run_again_and_none_is_left(
    killed: Killed, client: Any, job: Any, until: Any, wait: Any, bucket: str
) -> None:
    script = """
import pathlib, subprocess, time
mark = pathlib.Path("/opt/ml/checkpoints/mark")
if not mark.exists():
    subprocess.Popen(["sleep", "613"], start_new_session=True)
    mark.write_text("an attempt began")
    time.sleep(613)
"""
    request = job({"train.py": script}, CheckpointConfig={"S3Uri": f"s3://{bucket}/checkpoints"})
    client("sagemaker").create_training_job(**request)

    def marked() -> bool:
        try:
            return bool(client("s3").head_object(Bucket=bucket, Key="checkpoints/mark"))
        except ClientError:
            return False

    wait(lambda: {"marked": marked()}, lambda answer: answer["marked"])
    assert killed.processes("bwrap")
    killed.kill()
    wait(lambda: {"left": killed.processes()}, lambda answer: not answer["left"], 10)
    assert not [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "613"]]
    killed.start()
    ended = until(request["TrainingJobName"])
    assert ended["TrainingJobStatus"] == "Completed", ended


@pytest.mark.slow
def test_an_environment_that_is_half_made_is_not_used(
    killed: Killed, index_that_hangs: str, request: pytest.FixtureRequest, wait: Any
) -> None:
    killed.start(**NO_OTHER_INDEX, PIP_INDEX_URL=index_that_hangs)
    client, job, until = map(request.getfixturevalue, ("client", "job", "until"))
    asked = job({"train.py": "pass"}, image=ANOTHER_RELEASE)
    client("sagemaker").create_training_job(**asked)
    wait(lambda: {"pip": killed.processes("--dry-run")}, lambda answer: bool(answer["pip"]))
    assert [path.suffix for path in killed.environments] == [".new"]
    killed.kill()
    wait(lambda: {"left": killed.processes()}, lambda answer: not answer["left"], 10)
    assert [path.suffix for path in killed.environments] == [".new"]
    killed.start(**NO_OTHER_INDEX, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    ended = until(asked["TrainingJobName"])
    assert ended["FailureReason"].startswith(
        "ClientError: scikit-learn can't be installed: the package index can't be reached (Failed to establish a new "
    )
    assert killed.environments == []


@pytest.mark.slow
def test_a_job_is_stopped_while_its_environment_is_made(
    killed: Killed, index_that_hangs: str, request: pytest.FixtureRequest, wait: Any
) -> None:
    killed.start(**NO_OTHER_INDEX, PIP_INDEX_URL=index_that_hangs)
    client, job, until = map(request.getfixturevalue, ("client", "job", "until"))
    asked = job({"train.py": "pass"}, image=ANOTHER_RELEASE)
    client("sagemaker").create_training_job(**asked)
    wait(lambda: {"pip": killed.processes("--dry-run")}, lambda answer: bool(answer["pip"]))
    client("sagemaker").stop_training_job(TrainingJobName=asked["TrainingJobName"])
    assert until(asked["TrainingJobName"])["TrainingJobStatus"] == "Stopped"
    assert not killed.processes()
