"""What can be set: flags over environment variables (HEADRACE_PORT=…) over the config file over defaults."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_config_path, user_data_path
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from headrace.ml.errors import OptionError

SECRET = frozenset({"metrics_token", "database", "objects"})
"""Settings whose values may hold a secret."""

PERIODS = (1, 5, 10, 20, 30, 60)
"""Seconds of the periods that metrics have, up to AWS's minute."""


class Settings(BaseSettings):
    """Everything that a server can be told; each field is a flag, an environment variable and a key of the file."""

    model_config = SettingsConfigDict(env_prefix="HEADRACE_", env_ignore_empty=True, extra="forbid", frozen=True)

    data: Path = Field(default_factory=lambda: user_data_path("headrace"), description="the data folder")
    host: str = Field("127.0.0.1", description="the address to listen on")
    port: int = Field(4599, ge=0, le=65535, description="the port to listen on; 0 takes a free one")
    proxy_port: int | None = Field(None, ge=0, le=65535, description="the HTTPS proxy's port (default: port + 1)")
    proxy: bool = Field(True, description="run the HTTPS proxy for *.amazonaws.com on loopback")
    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="the region of unsigned requests")
    database: str = Field("", description="SQLAlchemy URL of the metadata (default: SQLite in the data folder)")
    objects: str = Field("", description="URL of the object store (default: files in the data folder)")
    legacy_bucket_defaults: bool = Field(False, description="new buckets take access lists and may be public")
    backup: bool = Field(True, description="back the metadata up before an upgrade")
    log_format: Literal["json", "text"] = Field("json", description="how requests are logged")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is logged")
    insecure: bool = Field(False, description="listen beyond loopback without TLS")
    tls_certificate: Path | None = Field(None, description="PEM certificate chain for TLS")
    tls_key: Path | None = Field(None, description="PEM private key for TLS")
    metrics_token: str = Field("", description="bearer token that /metrics asks of callers beyond loopback", repr=False)
    threads: int = Field(32, ge=1, le=1024, description="requests worked on at the same time")
    head_seconds: float = Field(30, gt=0, description="how long a client may take to send a request's head")
    idle_seconds: float = Field(60, gt=0, description="how long a client may stand still in the middle of a body")
    grace_seconds: int = Field(30, ge=0, description="how long requests in flight may go on at the stop")
    largest_body: int = Field(16 << 20, ge=1 << 16, description="bytes of a request body that is not an upload")
    jobs: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=0, description="jobs run at the same time")
    trust_scripts: bool = Field(False, description="run users' scripts even where they can't be sandboxed")
    trail_seconds: int = Field(300, ge=1, description="how often trails deliver log files")
    digest_seconds: int = Field(3600, ge=1, description="how often trails deliver digest files")
    scaling_seconds: int = Field(60, description="seconds of a period in which endpoints are measured to be scaled")
    forecast_seconds: int = Field(600, ge=5, description="how long the training of a forecasting predictor may take")

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("scaling_seconds")
    @classmethod
    def _whole_periods(cls, value: int) -> int:
        if value not in PERIODS:
            raise ValueError(f"it must be one of {', '.join(map(str, PERIODS))}")
        return value

    @model_validator(mode="after")
    def _protected(self) -> Settings:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TLS needs both tls_certificate and tls_key; give the other one too")
        if not (self.insecure or self.tls_certificate or is_loopback(self.host)):
            raise ValueError(
                f"host {self.host} is reachable from other machines; give tls_certificate and tls_key, or insecure"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file that HEADRACE_CONFIG names."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @property
    def url(self) -> str:
        """Where clients of this machine reach the server."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http{'s' if self.tls_certificate else ''}://{host}:{self.port}"


def config_file() -> Path:
    """Return the config file: the one that HEADRACE_CONFIG names, else config.toml in the user's config folder."""
    named = os.environ.get("HEADRACE_CONFIG")
    return Path(named).expanduser() if named else user_config_path("headrace") / "config.toml"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(**flags: Any) -> Settings:
    """Return the settings, flags that are None left to the environment, the file and the defaults.

    Raises OptionError naming the setting that is wrong.
    """
    named = os.environ.get("HEADRACE_CONFIG")
    if named and not config_file().is_file():
        raise OptionError(f"the config file {named} does not exist; make it, or unset HEADRACE_CONFIG")
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"the config file {config_file()} is no TOML: {error}; mend that line") from None
    except OSError as error:
        raise OptionError(f"the config file {config_file()} can't be read: {error.strerror}; allow it") from None
    except ValidationError as error:
        raise OptionError(_sentence(error.errors()[0], given)) from None


def _sentence(error: Any, given: Mapping[str, Any]) -> str:
    """Say what is wrong with which setting, and where it was set; values that may hold a secret are not shown."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return str(message)
    name = str(error["loc"][0])
    if name not in Settings.model_fields:
        return f"the setting {name!r} of the config file {config_file()} does not exist; mend its name or remove it"
    if name in given:
        place = f"the flag --{name.replace('_', '-')}"
    elif os.environ.get(f"HEADRACE_{name.upper()}"):
        place = f"the environment variable HEADRACE_{name.upper()}"
    else:
        place = f"the setting {name} of the config file {config_file()}"
    shown = "" if name in SECRET else f" {str(error['input'])!r}"
    return f"the value{shown} of {place} is not allowed: {message[:1].lower()}{message[1:]}; correct it"
