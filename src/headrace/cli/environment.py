"""`headrace env` and `headrace exec`: what points AWS's clients at the server."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from headrace.cli.running import Running, find_running, need_running
from headrace.ml.errors import OptionError
from headrace.server.security.credentials import read_credentials
from headrace.server.security.secrets import write_private
from headrace.server.settings import load_settings

LOCAL = "127.0.0.1,localhost,::1"
PROFILE = re.compile(r"[A-Za-z0-9_.@%/+:-]+")
REPLACED = ("aws_session_token",)
"""Goes with the keys that are replaced."""
STRONGER = (
    "services", "credential_process", "credential_source", "role_arn", "source_profile", "web_identity_token_file",
    "sso_session", "sso_start_url", "ignore_configured_endpoint_urls",
)  # fmt: skip
"""What in a profile would win over its endpoint and its keys."""


def env_command(data: Path | None, port: int | None, *, proxy: bool, profile: str | None) -> None:
    """Print `export NAME=value` lines for a shell, or write an AWS CLI profile."""
    settings = load_settings(data=data, port=port)
    running = find_running(settings.data) if port is None else None
    if running is None:
        running = need_running(settings.data) if proxy else Running("", 0, settings.url, "", settings.region)
    if profile is not None:
        print(_write_profile(profile, settings.data, running))  # noqa: T201
        return
    variables = variables_of(settings.data, running, proxy=proxy)
    if "AWS_SESSION_TOKEN" in os.environ:
        print("unset AWS_SESSION_TOKEN")  # noqa: T201
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201


def exec_command(data: Path | None, command: list[str]) -> None:
    """Replace this process by `command`, with everything set that points AWS's clients at the running server."""
    if not command:
        raise OptionError("no command is given; write: headrace exec -- COMMAND ARGUMENTS")
    program = shutil.which(command[0])
    if program is None:
        raise OptionError(f"the command {command[0]!r} is not found; check its spelling, or give its path")
    settings = load_settings(data=data)
    running = need_running(settings.data)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("AWS_SESSION_TOKEN", "AWS_PROFILE")
    }
    environment |= variables_of(settings.data, running, proxy=bool(running.proxy))
    try:
        os.execve(program, command, environment)  # noqa: S606
    except OSError as error:
        raise OptionError(f"the command {program} can't be run: {error.strerror}; make it a program") from None


def variables_of(data: Path, running: Running, *, proxy: bool) -> dict[str, str]:
    """Return the environment variables for AWS's clients; with `proxy` those of the HTTPS proxy too.

    Raises OptionError when the server has no proxy, or no credentials yet.
    """
    access_key_id, secret = _credentials(data)
    variables = {
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_DEFAULT_REGION": running.region,
        "AWS_REGION": running.region,
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    if not proxy:
        return variables
    if not running.proxy:
        raise OptionError("the server runs without its HTTPS proxy; start it without --no-proxy")
    return variables | {
        "HTTPS_PROXY": running.proxy,
        "https_proxy": running.proxy,
        "NO_PROXY": LOCAL,
        "no_proxy": LOCAL,
        "AWS_CA_BUNDLE": str(data / "keys" / "ca.pem"),
    }


def _credentials(data: Path) -> tuple[str, str]:
    path = data / "credentials"
    if not path.exists():
        raise OptionError(f"{path} does not exist; start the server once: headrace serve --data {data}")
    return read_credentials(path)


def _write_profile(profile: str, data: Path, running: Running) -> str:
    if not PROFILE.fullmatch(profile):
        raise OptionError(f"the profile name {profile!r} is not allowed; use letters, digits and dashes")
    access_key_id, secret = _credentials(data)
    home = Path.home() / ".aws"
    config = Path(os.environ.get("AWS_CONFIG_FILE") or home / "config").expanduser()
    credentials = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials").expanduser()
    section = "default" if profile == "default" else f"profile {profile}"
    _set(config, section, {"region": running.region, "endpoint_url": running.endpoint}, STRONGER)
    _set(credentials, profile, {"aws_access_key_id": access_key_id, "aws_secret_access_key": secret}, REPLACED)
    host = urlsplit(running.endpoint).netloc
    return f"the profile {profile} points at {host}; use it with: aws --profile {profile} …"


def _set(path: Path, section: str, values: dict[str, str], replaced: tuple[str, ...] = ()) -> None:
    """Set values in one section of an INI file; every other line of it stays as it is, but for those `replaced`."""
    path = path.resolve()
    text = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    lines = text.splitlines(keepends=True)
    start = next((number for number, line in enumerate(lines) if line.strip() == f"[{section}]"), None)
    if start is None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines += [*(["\n"] if lines else []), f"[{section}]\n"]
        start = len(lines) - 1
    end = next((n for n in range(start + 1, len(lines)) if lines[n].startswith("[")), len(lines))
    gone = {*values, *replaced}
    kept = [line for line in lines[start + 1 : end] if line.partition("=")[0].rstrip() not in gone]
    lines[start] = lines[start].rstrip() + "\n"
    lines[start + 1 : end] = [*(f"{name} = {value}\n" for name, value in values.items()), *kept]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, "".join(lines).encode("utf-8", "surrogateescape"))
