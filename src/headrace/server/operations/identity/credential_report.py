"""The credential report: one CSV row for each user, telling the state of its password, keys and MFA devices."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.identity import last_use
from headrace.server.operations.identity.entities import QUOTAS, USER
from headrace.server.operations.identity.mfa import devices_of
from headrace.server.operations.identity.password_policy import longest_age
from headrace.server.resources import Stored
from headrace.server.security import credentials
from headrace.server.stores.metadata import MetadataStore

LIFETIME = 4 * 3_600_000
"""Milliseconds for which a report is given out again (AWS page: Getting credential reports)."""

_COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active", "access_key_1_active", "access_key_1_last_rotated",
    "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
    "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
    "access_key_2_last_used_region", "access_key_2_last_used_service", "cert_1_active", "cert_1_last_rotated",
    "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip


class Report(NamedTuple):
    """A report as it was generated; it lives in this server's memory, as it can be made again at any time."""

    content: bytes
    generated: int


_reports: WeakKeyDictionary[MetadataStore, dict[str, Report]] = WeakKeyDictionary()


def generate_credential_report(context: Context) -> dict[str, Any]:
    """Make a report unless one of the last four hours is there. AWS page: GenerateCredentialReport."""
    held = _reports.setdefault(context.platform.metadata, {})
    report = held.get(context.place.account)
    if report is not None and context.now - report.generated < LIFETIME:
        return {"state": "COMPLETE"}
    held[context.place.account] = Report(_content(context), context.now)
    description = "No report exists. Starting a new report generation task"
    return {"state": "STARTED", "description": description}


def get_credential_report(context: Context) -> dict[str, Any]:
    """Return the report that was generated last; raises NotFound. AWS page: GetCredentialReport."""
    report = _reports.get(context.platform.metadata, {}).get(context.place.account)
    if report is None:
        raise NotFound(
            "No report has been generated; call GenerateCredentialReport first", code="ReportNotPresent", status=410
        )
    if context.now - report.generated >= LIFETIME:
        raise NotFound("The report has expired; call GenerateCredentialReport again", code="ReportExpired", status=410)
    return {"content": report.content, "report_format": "text/csv", "generated_time": moment(report.generated)}


def _content(context: Context) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, restval="N/A", lineterminator="\n")
    writer.writeheader()
    writer.writerow(_root(context))
    users = resources.listing(context.connection, USER, context.place, limit=QUOTAS[USER.kind][1])
    writer.writerows(_user(context, each) for each in users.items)
    return text.getvalue().encode()


def _root(context: Context) -> dict[str, str]:
    account = context.place.account
    return {
        "user": "<root_account>",
        "arn": credentials.root(account, context.place.partition).arn,
        "user_creation_time": "not_supported",
        "password_enabled": "not_supported",
        "password_last_changed": "not_supported",
        "password_next_rotation": "not_supported",
        "password_last_used": "no_information",
        "mfa_active": "false",
        **_keys(context, account),
    }


def _user(context: Context, stored: Stored) -> dict[str, str]:
    password = stored.record.get("password")
    age = longest_age(context)
    row = {
        "user": stored.name,
        "arn": stored.arn,
        "user_creation_time": _time(stored.created),
        "password_enabled": _flag(password),
        "mfa_active": _flag(devices_of(context, stored.record["id"])),
        **_keys(context, stored.record["id"]),
    }
    if password:
        row["password_last_used"] = "no_information"  # noqa: S105
        row["password_last_changed"] = _time(password["changed"])
        row["password_next_rotation"] = _time(password["changed"] + age * 86_400_000) if age else "not_supported"
    return row


def _keys(context: Context, owner: str) -> dict[str, str]:
    columns = {"access_key_1_active": "false", "access_key_2_active": "false"}
    columns |= {"cert_1_active": "false", "cert_2_active": "false"}
    for number, key in enumerate(credentials.access_keys_of(context.connection, owner)[:2], 1):
        prefix = f"access_key_{number}"
        columns[f"{prefix}_active"] = _flag(key.active)
        columns[f"{prefix}_last_rotated"] = _time(key.created)
        used = last_use.of(context, key.access_key_id)
        if used:
            columns[f"{prefix}_last_used_date"] = _time(used.used)
            columns[f"{prefix}_last_used_region"] = used.region
            columns[f"{prefix}_last_used_service"] = used.service
    return columns


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _time(milliseconds: int) -> str:
    when: datetime = moment(milliseconds)
    return when.replace(microsecond=0).isoformat()
