"""Images of one's own, run by a stand-in for a container engine: it takes docker's words and runs programs in bubblewrap."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.server.sandbox import Isolation, isolation

pytestmark = pytest.mark.skipif(
    isolation(trust=True) is not Isolation.BUBBLEWRAP, reason="the stand-in needs bubblewrap"
)
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
ENGINE = '''#!{python} -I
"""info, run, port, stop and rm of docker, for an image whose `train` and `serve` are programs in a folder."""

import os, signal, subprocess, sys, time
from pathlib import Path

state = Path({state!r})
command, *words = sys.argv[1:]
name = words[words.index("--name") + 1] if "--name" in words else " ".join(words)
if command in ("run", "rm"):
    (state / "told").open("a").write(f"{{command}} {{name}}\\n")
if command == "info":
    sys.exit(not (state / "answers").exists())
if command == "run":
    given, mounts, variables, entry, port = {{}}, [], {{}}, [], ""
    while words[0].startswith("--"):
        option = words.pop(0)
        if option in ("--rm",):
            continue
        given[option] = words.pop(0)
        if option == "--mount":
            parts = dict(part.partition("=")[::2] for part in given[option].split(","))
            bind = "--ro-bind" if "readonly" in parts else "--bind"
            mounts += [bind, parts["source"], parts["target"]]
        if option == "--env-file":
            variables |= dict(line.split("=", 1) for line in Path(given[option]).read_text().splitlines())
    image, *arguments = words
    (state / "ran").open("a").write(repr([given, image, arguments]) + "\\n")
    if "--publish" in given:
        assert given["--publish"] == "127.0.0.1::8080"
        import socket
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = variables["PORT"] = str(free.getsockname()[1])
    system = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"]
    system += ["--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    system += [word for place in {interpreter!r} for word in ("--ro-bind", place, place)]
    system += ["--ro-bind", str(state / "image"), "/image", *mounts]
    network = ["--unshare-net"] if given.get("--network") == "none" else []
    name = state / given["--name"]
    entry = [given["--entrypoint"]] if "--entrypoint" in given else []
    if not entry:
        arguments[0] = "/image/" + arguments[0]
    process = subprocess.Popen(
        ["bwrap", "--unshare-pid", *network, *system, "--", *entry, *arguments], env=variables | {{"PATH": "/bin"}}
    )
    name.write_text(f"{{process.pid}} {{port}}")
    code = process.wait()
    name.unlink(missing_ok=True)
    sys.exit(128 - code if code < 0 else code)
name = state / words[-1 if command != "port" else 0]
if not name.exists():
    sys.exit("no such container")
process, port = (name.read_text() + " ").split(" ")[:2]
if command == "port":
    print(f"127.0.0.1:{{port}}")
else:
    inside = [int(process)]
    for each in inside:
        try:
            inside += map(int, Path(f"/proc/{{each}}/task/{{each}}/children").read_text().split())
        except OSError:
            continue
    for number in (signal.SIGTERM, signal.SIGKILL) if command == "stop" else (signal.SIGKILL,):
        for each in inside[1:]:
            try:
                os.kill(each, number)
            except ProcessLookupError:
                continue
        time.sleep(0.5 if number == signal.SIGTERM else 0)
    if command == "rm":
        name.unlink(missing_ok=True)
'''
TRAIN = """#!/bin/sh
cat /opt/ml/input/data/train/rows.csv > /opt/ml/model/rows
cat /opt/ml/input/config/hyperparameters.json > /opt/ml/model/hyperparameters
/bin/cat /run/role/credentials.json > /dev/null && env > /opt/ml/output/data/variables
if [ "$MODE" = fail ]; then echo "out of ideas" > /opt/ml/output/failure; exit 3; fi
if [ "$MODE" = wait ]; then echo "it waits"; while true; do sleep 1; done; fi
"""
SERVE = """#!{python} -I
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = open("/opt/ml/model/rows").read().split()[0]
        self.answer(200, f"{{said}} {{body.decode()}} {{self.headers['Content-Type']}}".encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Return the state of an engine that stands first on the path of `server` and answers."""
    state = tmp_path / "engine"
    (state / "image").mkdir(parents=True)
    interpreter = [path for path in (sys.base_prefix,) if not path.startswith("/usr")]
    python = os.path.realpath(sys.executable)
    programs = {
        "docker": ENGINE.format(python=python, state=str(state), interpreter=interpreter),
        "image/train": TRAIN,
        "image/serve": SERVE.format(python=python),
    }
    for name, text in programs.items():
        (state / name).write_text(text)
        (state / name).chmod(0o755 | stat.S_IXUSR)
    (state / "answers").touch()
    return state


@pytest.fixture
def server(engine: Path, serve: Callable[..., Any]) -> Any:
    return serve(environment={"PATH": f"{engine}{os.pathsep}{os.environ['PATH']}"})


@pytest.fixture
def own(upload: Any, request_of: Any, channel: Any) -> Callable[..., dict[str, Any]]:
    """Return what makes the request of a job in the image."""

    def make(**members: Any) -> dict[str, Any]:
        rows = upload("train/rows.csv", b"1,2\n").rpartition("/")[0]
        made: dict[str, Any] = request_of([channel("train", rows)], {"depth": "3"}, image=IMAGE, **members)
        return made

    return make


def told(engine: Path, name: str) -> list[str]:
    """Return what the engine was told to run and to remove, of a container."""
    return [line for line in (engine / "told").read_text().splitlines() if line.endswith(name)]


def containers(engine: Path) -> list[str]:
    return [path.name for path in engine.iterdir() if path.name.startswith("headrace-")]


@pytest.mark.slow
def test_an_own_image_trains_and_serves(
    engine: Path,
    server: Any,
    client: Any,
    own: Any,
    train: Any,
    until: Any,
    logged: Any,
    role: str,
    endpoint: Any,
    wait: Any,
) -> None:
    ended = train(own())
    assert ended["TrainingJobStatus"] == "Completed", ended["FailureReason"]
    assert "'--network': 'host'" in (engine / "ran").read_text()
    failed = train(own(Environment={"MODE": "fail"}, EnableNetworkIsolation=True))
    assert failed["FailureReason"] == "AlgorithmError: out of ideas, exit code: 3"
    assert "'--network': 'none'" in (engine / "ran").read_text()

    waiting = own(Environment={"MODE": "wait"})
    client("sagemaker").create_training_job(**waiting)
    logged(waiting["TrainingJobName"], "it waits")
    client("sagemaker").stop_training_job(TrainingJobName=waiting["TrainingJobName"])
    assert until(waiting["TrainingJobName"])["TrainingJobStatus"] == "Stopped"

    name = "own"
    container = {"Image": IMAGE, "ModelDataUrl": ended["ModelArtifacts"]["S3ModelArtifacts"]}
    client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client("sagemaker").create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    served = endpoint(name)
    answer = client("sagemaker-runtime").invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"x")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"1,2 x text/csv", "text/plain")
    client("sagemaker").delete_endpoint(EndpointName=served)
    wait(lambda: {"left": containers(engine)}, lambda answer: not answer["left"], 30)


@pytest.mark.slow
def test_a_container_that_a_killed_server_left_makes_room(
    engine: Path, server: Any, client: Any, own: Any, logged: Any, serve: Any, wait: Any
) -> None:
    asked = own(Environment={"MODE": "wait"})
    client("sagemaker").create_training_job(**asked)
    logged(asked["TrainingJobName"], "it waits")
    server.process.kill()
    server.process.wait()
    (name,) = containers(engine)
    serve(environment={"PATH": f"{engine}{os.pathsep}{os.environ['PATH']}"})
    expected = [f"rm --force {name}", f"run {name}"] * 2
    wait(lambda: {"told": told(engine, name)}, lambda answer: answer["told"] == expected)


def test_an_engine_that_does_not_answer_is_none(engine: Path, client: Any, own: Any, train: Any, role: str) -> None:
    (engine / "answers").unlink()
    reason = train(own())["FailureReason"]
    assert f"ClientError: image {IMAGE} is not one of AWS's known images" in reason
    assert "docker does not answer here" in reason
    with pytest.raises(ClientError, match="needs a container engine, and docker does not answer here"):
        client("sagemaker").create_model(ModelName="own", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=role)
