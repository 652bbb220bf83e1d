"""Virtual MFA devices: seeds for authenticator apps, and the codes that prove who holds them (RFC 6238)."""

from __future__ import annotations

import base64
import os
from typing import Any

from sqlalchemy import Connection, select

from headrace.server.clock import moment
from headrace.server.context import Context, Platform
from headrace.server.errors import AlreadyExists, Denied, InUse, NotFound
from headrace.server.operations.identity import grants, mfa_codes
from headrace.server.operations.identity.answers import user_answer
from headrace.server.operations.identity.entities import (
    MFA_DEVICE,
    MISSING,
    USER,
    by_ids,
    change,
    create,
    get,
    page,
    part,
    quota_exceeded,
    remove,
    tag_list,
)
from headrace.server.operations.identity.users import own_name
from headrace.server.resources import Stored, by_arn
from headrace.server.security.credentials import Caller
from headrace.server.stores.metadata.tables.identity import MEMBERSHIPS, UNIQUE_IDS
from headrace.server.stores.metadata.tables.resources import RESOURCES

DEVICES_PER_USER = 8
_SEED_BYTES = 40


def create_virtual_mfa_device(
    context: Context, *, virtual_mfa_device_name: str, path: str = "/", tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Make a device; its seed is answered here and never again. AWS page: CreateVirtualMFADevice."""
    seed = os.urandom(_SEED_BYTES)
    record = {"path": path, "seed": mfa_codes.sealed(context.platform.keyring, seed)}
    stored = create(context, MFA_DEVICE, virtual_mfa_device_name, record, tags=tags)
    return {
        "virtual_mfa_device": {
            "serial_number": stored.arn,
            "base32_string_seed": base64.b32encode(seed),
            "qr_code_png": mfa_codes.picture(seed, virtual_mfa_device_name, context.place.account),
            "tags": tag_list(context, stored.arn),
        }
    }


def enable_mfa_device(
    context: Context, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Give a device to a user who shows two consecutive codes of it. AWS page: EnableMFADevice."""
    user, stored = get(context, USER, user_name), device(context, serial_number)
    if stored.record.get("enabled"):
        raise AlreadyExists("MFA Device is already in use.")
    if len(devices_of(context, user.record["id"])) >= DEVICES_PER_USER:
        raise quota_exceeded("MFADevicesPerUser", DEVICES_PER_USER)
    steps = _proven(context, stored, authentication_code1, authentication_code2)
    change(context, MFA_DEVICE, stored, enabled=context.now, drift=steps)
    grants.join(context, user.record["id"], stored.record["id"])


def resync_mfa_device(
    context: Context, *, user_name: str, serial_number: str, authentication_code1: str, authentication_code2: str
) -> None:
    """Check two consecutive codes of a user's device again. AWS page: ResyncMFADevice."""
    user, stored = get(context, USER, user_name), device(context, serial_number)
    if stored.arn not in {each.arn for each in devices_of(context, user.record["id"])}:
        raise NotFound(f"MFA Device with serial number {serial_number} is not enabled for user {user_name}.")
    change(context, MFA_DEVICE, stored, drift=_proven(context, stored, authentication_code1, authentication_code2))


def deactivate_mfa_device(context: Context, *, serial_number: str, user_name: str | None = None) -> None:
    """Take a device from its user. AWS page: DeactivateMFADevice."""
    owner = (
        get(context, USER, user_name).record["id"] if user_name else get(context, USER, own_name(context)).record["id"]
    )
    stored = device(context, serial_number)
    if not grants.leave(context, owner, stored.record["id"]):
        raise NotFound(MISSING[MFA_DEVICE.kind].format(serial_number))
    change(context, MFA_DEVICE, stored, enabled=None)


def delete_virtual_mfa_device(context: Context, *, serial_number: str) -> None:
    """Delete a device that no user has; raises InUse (DeleteConflict) else. AWS page: DeleteVirtualMFADevice."""
    stored = device(context, serial_number)
    if stored.record.get("enabled"):
        raise InUse("MFA VirtualDevice is in use. Must deactivate first.")
    remove(context, stored)


def get_mfa_device(context: Context, *, serial_number: str, user_name: str | None = None) -> dict[str, Any]:
    """Describe a device that is enabled for a user. AWS page: GetMFADevice."""
    stored = device(context, serial_number)
    holder = _holder(context, stored)
    if holder is None or (user_name and holder.name != user_name):
        raise NotFound(MISSING[MFA_DEVICE.kind].format(serial_number))
    return {
        "user_name": holder.name,
        "serial_number": stored.arn,
        "enable_date": moment(stored.record["enabled"]),
    }


def list_mfa_devices(
    context: Context, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the devices of a user, or of the caller. AWS page: ListMFADevices."""
    if user_name is None and context.caller.kind == "Root":
        return {"mfa_devices": [], "is_truncated": False}
    user = get(context, USER, user_name or own_name(context))
    found = [
        (
            each.name,
            {"user_name": user.name, "serial_number": each.arn, "enable_date": moment(each.record["enabled"])},
        )
        for each in devices_of(context, user.record["id"])
    ]
    devices, paging = part(context, found, "list_mfa_devices", marker=marker, max_items=max_items)
    return {"mfa_devices": devices, **paging}


def list_virtual_mfa_devices(
    context: Context,
    *,
    assignment_status: str = "Any",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the account's devices, with whose they are. AWS page: ListVirtualMFADevices."""
    given = select(UNIQUE_IDS.c.arn).join(MEMBERSHIPS, MEMBERSHIPS.c.container == UNIQUE_IDS.c.id)
    conditions = {
        "Any": [],
        "Assigned": [RESOURCES.c.arn.in_(given)],
        "Unassigned": [RESOURCES.c.arn.not_in(given)],
    }[assignment_status]
    found, paging = page(
        context, MFA_DEVICE, "list_virtual_mfa_devices", where=conditions, marker=marker, max_items=max_items
    )
    answers = []
    for each in found:
        answer: dict[str, Any] = {"serial_number": each.arn}
        holder = _holder(context, each)
        if holder:
            answer |= {"user": user_answer(context, holder), "enable_date": moment(each.record["enabled"])}
        answers.append(answer)
    return {"virtual_mfa_devices": answers, **paging}


def device(context: Context, serial_number: str) -> Stored:
    """Return the device with this serial number; raises NotFound."""
    stored = by_arn(context.connection, serial_number)
    if stored is None or stored.kind != MFA_DEVICE.kind or stored.account != context.place.account:
        raise NotFound(MISSING[MFA_DEVICE.kind].format(serial_number))
    return stored


def devices_of(context: Context, user_id: str) -> list[Stored]:
    """Return the devices that are enabled for a user, by name."""
    ids = select(MEMBERSHIPS.c.container).where(MEMBERSHIPS.c.member == user_id)
    return by_ids(context, MFA_DEVICE, ids)


def _proven(context: Context, stored: Stored, first: str, second: str) -> int:
    steps = mfa_codes.drift(context.platform.keyring, stored, (first, second), context.now)
    if steps is None:
        raise Denied("Authentication code for device is not valid.", code="InvalidAuthenticationCode")
    return steps


def _holder(context: Context, stored: Stored) -> Stored | None:
    ids = select(MEMBERSHIPS.c.member).where(MEMBERSHIPS.c.container == stored.record["id"])
    return next(iter(by_ids(context, USER, ids)), None)


def present(context: Context, serial_number: str, code: str) -> None:
    """Spend a code of one of the caller's devices; raises Denied unless it is one. AWS page: GetSessionToken."""
    proof = (context.platform, context.connection, context.caller, serial_number, code, context.now)
    if not _shows(*proof, spend=True):
        raise Denied("MultiFactorAuthentication failed with invalid MFA one time pass code.", code="AccessDenied")


def presented(
    platform: Platform, connection: Connection, caller: Caller, serial_number: str, code: str, now: int
) -> bool:
    """Tell whether a code proves the caller's device, without spending it: aws:MultiFactorAuthPresent of a request."""
    return _shows(platform, connection, caller, serial_number, code, now, spend=False)


def _shows(
    platform: Platform,
    connection: Connection,
    caller: Caller,
    serial_number: str,
    code: str,
    now: int,
    *,
    spend: bool,
) -> bool:
    stored = by_arn(connection, serial_number)
    if stored is None or stored.kind != MFA_DEVICE.kind or caller.kind != "IAMUser":
        return False
    given = select(MEMBERSHIPS.c.member).where(
        MEMBERSHIPS.c.member == caller.user_id, MEMBERSHIPS.c.container == stored.record["id"]
    )
    held = connection.execute(given).first() is not None
    return held and mfa_codes.holds(platform, stored, code, now, spend=spend)
