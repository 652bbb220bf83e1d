"""Peers that serve the same model, each from its own environment with one worker and one thread."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import psutil
from benchmarks.environments import peer_python
from benchmarks.server.servers import Server

SCRIPTS = Path(__file__).parents[1] / "peers"
PEERS = {
    "mlserver": ("/v2/models/served/infer", "/v2/models/served/ready"),
    "bentoml": ("/predict", "/readyz"),
    "litserve": ("/predict", "/health"),
}
"""By name: the paths of a prediction, and of what tells that it is ready."""


def request_of(name: str, server: Server, row: bytes) -> bytes:
    """Return the bytes of a peer's request for one row, which is given as CSV."""
    values = [float(value) for value in row.split(b",")]
    body: dict[str, object] = {"row": values}
    if name == "mlserver":
        given = {"name": "input", "shape": [1, len(values)], "datatype": "FP32", "data": values}
        body = {"inputs": [given]}
    encoded = json.dumps(body).encode()
    lines = [
        f"POST {PEERS[name][0]} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Content-Type: application/json",
        f"Content-Length: {len(encoded)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + encoded


@contextmanager
def served(name: str, folder: Path) -> Iterator[Server]:
    """Serve `folder`/model.txt by a peer until the end."""
    port = _free_port()
    place = folder / name
    place.mkdir()
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            _command(name, port, folder / "model.txt", place),
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=place,
            env=_environment(folder, place),
        )
    try:
        _wait_for(name, port, process, place / "log")
        yield Server(name, port, psutil.Process(process.pid), "", "", place)
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, left = psutil.wait_procs([psutil.Process(process.pid), *children], timeout=20)
        for each in left:
            each.kill()


def _command(name: str, port: int, model: Path, place: Path) -> list[str]:
    python = peer_python(name)
    if name == "mlserver":
        ports = (port, _free_port(), _free_port())
        settings = dict(zip(("http_port", "grpc_port", "metrics_port"), ports, strict=True))
        (place / "settings.json").write_text(json.dumps({**settings, "host": "127.0.0.1", "parallel_workers": 0}))
        implementation = {"name": "served", "implementation": "mlserver_lightgbm.LightGBMModel"}
        (place / "model-settings.json").write_text(
            json.dumps({**implementation, "parameters": {"uri": str(model.with_suffix(".bst")), "version": "1"}})
        )
        model.with_suffix(".bst").write_bytes(model.read_bytes())
        return [str(python.parent / "mlserver"), "start", str(place)]
    if name == "bentoml":
        (place / "service.py").write_text((SCRIPTS / "bentoml_peer.py").read_text())
        bind = ["--host", "127.0.0.1", "--port", str(port)]
        return [str(python.parent / "bentoml"), "serve", "service:Served", *bind]
    return [str(python), str(SCRIPTS / "litserve_peer.py"), str(port)]


def _environment(folder: Path, place: Path) -> dict[str, str]:
    own = {
        "OMP_NUM_THREADS": "1", "MODEL": str(folder / "model.txt"), "BENTOML_HOME": str(place),
        "BENTOML_DO_NOT_TRACK": "True", "LIT_DISABLE_VERSION_CHECK": "1",
    }  # fmt: skip
    return {**os.environ, **own}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(name: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}{PEERS[name][1]}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{name} did not start:\n{log.read_text()[-3000:]}")
