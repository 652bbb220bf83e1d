"""The roles that Amazon Forecast assumes to read and write in S3, and to use keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.server.context import Context, Platform
from headrace.server.errors import InvalidInput
from headrace.server.operations.acting import Actor, act_as, check_role
from headrace.server.operations.storage.transfer import parse_uri
from headrace.server.resources import Place, Stored

FORECAST_SERVICE = "forecast.amazonaws.com"


def check_encryption(context: Context, encryption_config: Mapping[str, Any] | None) -> None:
    """Raise InvalidInput where the role of an EncryptionConfig can't be assumed."""
    if encryption_config:
        check(context, encryption_config["role_arn"])


def check_place(context: Context, place: Mapping[str, Any]) -> None:
    """Raise InvalidInput where a DataSource's or DataDestination's path is none of S3, or its role can't be assumed."""
    config = place["s3_config"]
    parse_uri(config["path"])
    check(context, config["role_arn"])


def check(context: Context, role_arn: str) -> None:
    """Raise InvalidInput unless the role is of the caller's account, exists, and trusts Amazon Forecast."""
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise InvalidInput(f"{role_arn!r} is not the ARN of an IAM role; send one")
    if parts[4] != context.place.account:
        raise InvalidInput(f"The role {role_arn} is of another account; pass one of your own account")
    try:
        check_role(context, role_arn, principal=FORECAST_SERVICE)
    except InvalidInput as error:
        raise InvalidInput(error.message) from None


def actor_of(platform: Platform, connection: Connection, stored: Stored, role_arn: str) -> Actor:
    """Return the role at work for a resource; raises InvalidInput where it can't be assumed any more."""
    return act_as(
        platform, connection, role_arn, place_of(stored), session=stored.name[:64], principal=FORECAST_SERVICE
    )


def place_of(stored: Stored) -> Place:
    """Return where a resource lives."""
    return Place(stored.account, stored.region, stored.arn.split(":")[1])
