"""Servers of their own processes to measure: Headrace, moto's, and an empty one."""

from __future__ import annotations

import configparser
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
from benchmarks.environments import peer_python
from botocore.config import Config

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
CONFIG = Config(retries={"max_attempts": 1}, read_timeout=300, s3={"addressing_style": "path"})


@dataclass
class Server:
    """A server that listens on 127.0.0.1."""

    name: str
    port: int
    process: psutil.Process
    access_key: str
    secret_key: str
    data: Path

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str) -> Any:
        """Return a boto3 client of it."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=CONFIG,
        )

    def cpu_seconds(self) -> float:
        """Return the processor seconds that it has used so far, in user and in system mode."""
        times = self.process.cpu_times()
        return times.user + times.system

    def resident(self) -> int:
        """Return the bytes of memory that it holds now."""
        return int(self.process.memory_info().rss)


def command_of(name: str, port: int, data: Path) -> list[str]:
    """Return how a server is started; Headrace chooses its proxy's port by itself."""
    if name == "moto":
        return [str(peer_python("moto").parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    if name == "empty":
        app = "benchmarks.server.empty:application"
        return [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    headrace = [sys.executable, "-m", "headrace", "serve", "--data", str(data)]
    return [*headrace, "--port", str(port), "--proxy-port", "0"]


@contextmanager
def running(name: str, folder: Path) -> Iterator[Server]:
    """Start the server of that name with its files in `folder`; its log goes into `folder`/NAME.log, as by default."""
    port, data = _free_port(), folder / "data"
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "HEADRACE_", "HTTP"))}
    variables |= {key: value for key, value in os.environ.items() if key == "HEADRACE_PEERS"}
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            command_of(name, port, data), stdout=log, stderr=subprocess.STDOUT, env=variables, cwd=ROOT
        )
    try:
        _wait_for(port, process, folder / f"{name}.log")
        keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}
        if name == "headrace":
            parser = configparser.ConfigParser()
            parser.read(data / "credentials")
            keys = dict(parser["default"])
        told = psutil.Process(process.pid)
        yield Server(name, port, told, keys["aws_access_key_id"], keys["aws_secret_access_key"], data)
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"{process.args} did not start:\n{log.read_text()}")
