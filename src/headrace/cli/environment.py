"""`headrace env` and `headrace exec`: what points AWS's clients at the server."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from headrace.cli.running import Running, find_running, need_running
from headrace.ml.errors import OptionError
from headrace.server.security.credentials import read_credentials
from headrace.server.security.secrets import write_private
from headrace.server.settings import Settings, load_settings

LOCAL = "127.0.0.1,localhost,::1"


def env_command(data: Path | None, port: int | None, *, proxy: bool, profile: str | None) -> None:
    """Print `export NAME=value` lines for a shell, or write an AWS CLI profile."""
    settings = load_settings(data=data, port=port)
    running = find_running(settings.data) if port is None else None
    endpoint = running.endpoint if running else settings.url
    if profile is not None:
        print(_write_profile(profile, settings, endpoint))  # noqa: T201
        return
    variables = variables_of(settings, endpoint, need_running(settings.data) if proxy else None)
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
    environment |= variables_of(settings, running.endpoint, running if running.proxy else None)
    os.execve(program, command, environment)  # noqa: S606


def variables_of(settings: Settings, endpoint: str, running: Running | None) -> dict[str, str]:
    """Return the environment variables for AWS's clients; those of the HTTPS proxy too where `running` has one.

    Raises OptionError when the server has no proxy, or no credentials yet.
    """
    access_key_id, secret = _credentials(settings.data)
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    if running is None:
        return variables
    if not running.proxy:
        raise OptionError("the server runs without its HTTPS proxy; start it without --no-proxy")
    bundle = str(settings.data / "keys" / "ca.pem")
    return variables | {
        "HTTPS_PROXY": running.proxy,
        "https_proxy": running.proxy,
        "NO_PROXY": LOCAL,
        "no_proxy": LOCAL,
        "AWS_CA_BUNDLE": bundle,
    }


def _credentials(data: Path) -> tuple[str, str]:
    path = data / "credentials"
    if not path.exists():
        raise OptionError(f"{path} does not exist; start the server once: headrace serve --data {data}")
    return read_credentials(path)


def _write_profile(profile: str, settings: Settings, endpoint: str) -> str:
    if not profile.strip() or any(character in profile for character in "[]\n\r"):
        raise OptionError(f"the profile name {profile!r} is not allowed; use letters, digits and dashes")
    access_key_id, secret = _credentials(settings.data)
    home = Path.home() / ".aws"
    config = Path(os.environ.get("AWS_CONFIG_FILE", home / "config")).expanduser()
    credentials = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", home / "credentials")).expanduser()
    section = "default" if profile == "default" else f"profile {profile}"
    _set(config, section, {"region": settings.region, "endpoint_url": endpoint})
    _set(credentials, profile, {"aws_access_key_id": access_key_id, "aws_secret_access_key": secret})
    host = urlsplit(endpoint).netloc
    return f"the profile {profile} points at {host}; use it with: aws --profile {shlex.quote(profile)} …"


def _set(path: Path, section: str, values: dict[str, str]) -> None:
    """Set values in one section of an INI file; every other line of it stays as it is."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    header = f"[{section}]"
    start = next((number for number, line in enumerate(lines) if line.strip() == header), None)
    if start is None:
        lines += [*([""] if lines else []), header]
        start = len(lines) - 1
    end = next((n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")), len(lines))
    kept = [line for line in lines[start + 1 : end] if line.partition("=")[0].rstrip() not in values]
    lines[start + 1 : end] = [*(f"{name} = {value}" for name, value in values.items()), *kept]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, ("\n".join(lines) + "\n").encode())
