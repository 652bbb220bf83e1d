"""Clients of the server that a model is deployed to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from headrace.cli.environment import variables_of
from headrace.cli.running import need_running
from headrace.ml.errors import HeadraceError, OptionError
from headrace.server.settings import load_settings


class DeployError(HeadraceError):
    """The server refused, or an endpoint did not come up."""

    exit_code = 1


class Clients:
    """botocore's clients with one set of credentials; `local` tells that they are those of a data folder."""

    def __init__(self, options: dict[str, Any], *, local: bool, data: Path | None) -> None:
        from botocore.config import Config
        from botocore.session import Session

        self._session, self.local, self.data = Session(), local, data
        self._options = {"config": Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}), **options}
        self.endpoint = options.get("endpoint_url") or os.environ["AWS_ENDPOINT_URL"]
        self._made: dict[str, Any] = {}

    def __getattr__(self, service: str) -> Any:
        """Return the client of a service: `clients.s3`."""
        if service.startswith("_"):
            raise AttributeError(service)
        if service not in self._made:
            self._made[service] = self._session.create_client(service, **self._options)
        return self._made[service]

    @cached_property
    def account(self) -> str:
        """The 12 digits of the caller's account."""
        return str(self.sts.get_caller_identity()["Account"])

    @property
    def region(self) -> str:
        """The region of every client."""
        return str(self.sts.meta.region_name)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn what botocore raises into one sentence."""
        from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError

        try:
            yield
        except ClientError as error:
            said = error.response.get("Error", {})
            raise DeployError(
                f"{error.operation_name} was refused ({said.get('Code')}): {said.get('Message')}"
            ) from error
        except EndpointConnectionError as error:
            raise DeployError(f"no server answers at {self.endpoint}; start one with: headrace serve") from error
        except NoCredentialsError as error:
            raise OptionError(
                "AWS_ENDPOINT_URL is set and no credentials are; set them with: "
                'eval "$(headrace env)", or name the data folder with --data'
            ) from error
        except BotoCoreError as error:
            raise DeployError(f"the server at {self.endpoint} can't be asked: {error}") from error


def open_clients(data: Path | None) -> Clients:
    """Return clients of the server that listens on a data folder, or without one of that which AWS_ENDPOINT_URL names.

    Raises OptionError when no server listens on the folder.
    """
    if data is None and os.environ.get("AWS_ENDPOINT_URL"):
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        return Clients({"region_name": region or load_settings().region}, local=False, data=None)
    settings = load_settings(data=data)
    variables = variables_of(settings.data, need_running(settings.data), proxy=False)
    options = {
        "endpoint_url": variables["AWS_ENDPOINT_URL"],
        "region_name": variables["AWS_REGION"],
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }
    return Clients(options, local=True, data=data)
