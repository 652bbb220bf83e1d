"""`headrace env` and `headrace exec`, as processes."""

import configparser
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Headrace = Callable[..., subprocess.CompletedProcess[str]]


def exported(output: str) -> dict[str, str]:
    """Return what a shell would have after `eval` of these lines."""
    done = subprocess.run(
        ["bash", "-c", f"{output}\nenv -0"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)


def test_it_points_clients_at_the_running_server(headrace: Headrace, server: Any) -> None:
    said = headrace("env", "--data", server.data)
    assert said.returncode == 0
    assert all(line.startswith("export ") for line in said.stdout.splitlines())
    variables = exported(said.stdout)
    assert variables["AWS_ENDPOINT_URL"] == server.endpoint
    assert variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert variables["AWS_ACCESS_KEY_ID"] == server.credentials["aws_access_key_id"]
    assert variables["AWS_SECRET_ACCESS_KEY"] == server.credentials["aws_secret_access_key"]
    assert "HTTPS_PROXY" not in variables


def test_the_proxy_is_added_when_asked_for(headrace: Headrace, server: Any) -> None:
    variables = exported(headrace("env", "--data", server.data, "--proxy").stdout)
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == server.proxy
    assert Path(variables["AWS_CA_BUNDLE"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert "127.0.0.1" in variables["NO_PROXY"]


def test_a_foreign_session_token_is_dropped(headrace: Headrace, server: Any) -> None:
    said = headrace("env", "--data", server.data, AWS_SESSION_TOKEN="old").stdout
    assert said.splitlines()[0] == "unset AWS_SESSION_TOKEN"


def test_a_port_names_a_server_that_does_not_run_yet(headrace: Headrace, server: Any) -> None:
    said = headrace("env", "--data", server.data, "--port", "8123").stdout
    assert exported(said)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8123"


def test_before_the_first_start_there_are_no_credentials(headrace: Headrace, tmp_path: Path) -> None:
    refused = headrace("env", "--data", tmp_path / "nothing")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"headrace: {tmp_path}/nothing/credentials does not exist; start the server once: "
        f"headrace serve --data {tmp_path}/nothing\n"
    )


def test_without_a_server_there_is_no_proxy_and_nothing_to_run_under(headrace: Headrace, tmp_path: Path) -> None:
    for command in (("env", "--proxy"), ("exec",)):
        refused = headrace(*command, "--data", tmp_path, *(("--", "true") if command == ("exec",) else ()))
        assert refused.returncode == 2
        assert refused.stderr == (
            f"headrace: no server listens on the data folder {tmp_path}; start one with: headrace serve --data {tmp_path}\n"
        )


def test_odd_folders_and_killed_servers(headrace: Headrace, serve: Any) -> None:
    server = serve("--region", "eu-central-1", name='it\'s a "folder" $HOME `x`')
    variables = exported(headrace("env", "--data", server.data, "--proxy").stdout)
    assert variables["AWS_CA_BUNDLE"] == str(server.data / "keys" / "ca.pem")
    assert variables["AWS_ENDPOINT_URL"] == server.endpoint
    assert variables["AWS_REGION"] == "eu-central-1"
    done = headrace("exec", "--data", server.data, "--", "sh", "-c", 'printf %s "$AWS_CA_BUNDLE"')
    assert done.stdout == str(server.data / "keys" / "ca.pem")
    server.process.kill()
    server.process.wait()
    assert "no server listens" in headrace("exec", "--data", server.data, "--", "true").stderr
    assert exported(headrace("env", "--data", server.data).stdout)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4599"


def test_a_server_without_its_proxy(headrace: Headrace, serve: Any) -> None:
    server = serve("--no-proxy")
    refused = headrace("env", "--data", server.data, "--proxy")
    assert refused.returncode == 2
    assert refused.stderr == "headrace: the server runs without its HTTPS proxy; start it without --no-proxy\n"
    done = headrace("exec", "--data", server.data, "--", "sh", "-c", "env")
    assert f"AWS_ENDPOINT_URL={server.endpoint}" in done.stdout
    assert "HTTPS_PROXY" not in done.stdout


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_of_a_command_is_passed_on(headrace: Headrace, server: Any, code: int) -> None:
    assert headrace("exec", "--data", server.data, "--", "sh", "-c", f"exit {code}").returncode == code


def test_a_command_gets_its_own_arguments(headrace: Headrace, server: Any) -> None:
    words = ["--data", "-x", "a b", "it's", '"', "$HOME", "--", ""]
    done = headrace("exec", "--data", server.data, "--", "printf", "%s\\n", *words)
    assert done.stdout.splitlines() == words


def test_a_command_sees_no_other_profile(headrace: Headrace, server: Any) -> None:
    done = headrace("exec", "--data", server.data, "--", "env", AWS_PROFILE="work", AWS_SESSION_TOKEN="old")
    assert "AWS_PROFILE" not in done.stdout
    assert "AWS_SESSION_TOKEN" not in done.stdout
    assert f"HTTPS_PROXY={server.proxy}" in done.stdout


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ((), "no command is given; write: headrace exec -- COMMAND ARGUMENTS"),
        (("no-such-command",), "the command 'no-such-command' is not found; check its spelling, or give its path"),
    ],
)
def test_commands_that_cannot_be_run(headrace: Headrace, server: Any, command: tuple[str, ...], sentence: str) -> None:
    refused = headrace("exec", "--data", server.data, "--", *command)
    assert refused.returncode == 2
    assert refused.stderr == f"headrace: {sentence}\n"


def test_a_file_that_is_no_program(headrace: Headrace, server: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\x00\x01")
    file.chmod(0o700)
    refused = headrace("exec", "--data", server.data, "--", str(file))
    assert refused.returncode == 2
    assert refused.stderr == f"headrace: the command {file} can't be run: Exec format error; make it a program\n"


CONFIG = "# mine\r\n[default]\nregion = eu-west-1\ns3 =\n    max_queue_size = 10\n\n[profile other]\nregion=x\n[profile local]\nregion = old\noutput = json\n; end"
CREDENTIALS = (
    "[local]\naws_access_key_id = old\naws_session_token = old\nother = kept\n[work]\naws_access_key_id = AKIAWORK\n"
)


def test_a_profile_is_written_and_all_else_kept(headrace: Headrace, server: Any, tmp_path: Path) -> None:
    places = tmp_path / "config", tmp_path / "credentials"
    link = tmp_path / "linked"
    link.symlink_to(places[1])
    places[0].write_bytes(CONFIG.encode())
    places[1].write_text(CREDENTIALS)
    variables = {"AWS_CONFIG_FILE": str(places[0]), "AWS_SHARED_CREDENTIALS_FILE": str(link)}
    for _ in range(2):
        done = headrace("env", "--data", server.data, "--profile", "local", **variables)
        assert done.returncode == 0
        assert server.credentials["aws_secret_access_key"] not in done.stdout + done.stderr
    assert places[0].read_bytes().decode() == CONFIG.replace(
        "region = old\n", f"region = us-east-1\nendpoint_url = {server.endpoint}\n"
    )
    assert link.is_symlink()
    parser = configparser.ConfigParser()
    parser.read(places[1])
    assert dict(parser["local"]) == {**server.credentials, "other": "kept"}
    assert dict(parser["work"]) == {"aws_access_key_id": "AKIAWORK"}
    assert places[1].stat().st_mode & 0o077 == 0


def test_a_profile_works_for_the_aws_cli(headrace: Headrace, server: Any, tmp_path: Path) -> None:
    assert headrace("env", "--data", server.data, "--profile", "local").returncode == 0
    aws = Path(sys.executable).with_name("aws")
    done = subprocess.run(
        [str(aws), "--profile", "local", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"],
        capture_output=True, text=True, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stdout.endswith(":root\n"), done.stderr
    assert (tmp_path / ".aws").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", " ", "a b", "a]", "a\nb", "'a'"])
def test_profile_names_that_are_none(headrace: Headrace, server: Any, tmp_path: Path, name: str) -> None:
    refused = headrace("env", "--data", server.data, f"--profile={name}")
    assert refused.returncode == 2
    assert refused.stderr.startswith("headrace: the profile name ")
    assert not (tmp_path / ".aws").exists()


def test_lines_are_safe_for_a_shell(headrace: Headrace, server: Any) -> None:
    for line in headrace("env", "--data", server.data).stdout.splitlines():
        assert len(shlex.split(line)) == 2
