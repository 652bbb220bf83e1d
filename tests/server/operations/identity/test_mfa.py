"""Virtual MFA devices: seeds, QR codes, consecutive codes, and who has which."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from headrace.server.errors import AlreadyExists, Denied, InUse, NotFound
from headrace.server.operations.identity import mfa, mfa_codes
from headrace.server.security.credentials import find_key
from headrace.server.security.secrets import Keyring


def code(device: Any, milliseconds: int) -> str:
    """Return what an authenticator app shows."""
    seed = base64.b32decode(device["base32_string_seed"])
    return TOTP(seed, 6, SHA1(), 30).generate(milliseconds // 1000).decode()


def enabled(world: Any, user_name: str, name: str = "phone", drift: int = 0) -> Any:
    device = world("create_virtual_mfa_device", virtual_mfa_device_name=name)["virtual_mfa_device"]
    now = world.now + drift
    world(
        "enable_mfa_device", user_name=user_name, serial_number=device["serial_number"],
        authentication_code1=code(device, now - 30_000), authentication_code2=code(device, now),
    )  # fmt: skip
    return device


def test_a_device_is_made_enabled_and_taken_away(world_of_each: Any) -> None:
    world = world_of_each
    world.user("ann")
    device = world(
        "create_virtual_mfa_device", virtual_mfa_device_name="phone", path="/p/", tags=[{"key": "a", "value": "b"}]
    )
    device = device["virtual_mfa_device"]
    serial = device["serial_number"]
    assert serial == "arn:aws:iam::111122223333:mfa/p/phone"
    assert len(device["base32_string_seed"]) == 64
    assert device["qr_code_png"].startswith(b"\x89PNG")
    with pytest.raises(AlreadyExists, match=r"MFADevice entity at the same path and name already exists\."):
        world("create_virtual_mfa_device", virtual_mfa_device_name="phone", path="/p/")
    codes = {"authentication_code1": code(device, world.now), "authentication_code2": code(device, world.now + 30_000)}
    for wrong in ({"authentication_code1": "000000"}, {"authentication_code2": codes["authentication_code1"]}):
        with pytest.raises(Denied) as caught:
            world("enable_mfa_device", user_name="ann", serial_number=serial, **(codes | wrong))
        assert caught.value.code == "InvalidAuthenticationCode"
    [free] = world("list_virtual_mfa_devices", assignment_status="Unassigned")["virtual_mfa_devices"]
    assert free == {"serial_number": serial}
    world("enable_mfa_device", user_name="ann", serial_number=serial, **codes)
    [mine] = world("list_mfa_devices", user_name="ann")["mfa_devices"]
    assert (mine["user_name"], mine["serial_number"]) == ("ann", serial)
    [given] = world("list_virtual_mfa_devices", assignment_status="Assigned")["virtual_mfa_devices"]
    assert given["user"]["user_name"] == "ann"
    assert world("get_mfa_device", serial_number=serial)["user_name"] == "ann"
    for function, reason in (("delete_virtual_mfa_device", "Must deactivate first"),):
        with pytest.raises(InUse, match=reason):
            world(function, serial_number=serial)
    with pytest.raises(InUse, match="must delete MFA device first"):
        world("delete_user", user_name="ann")
    world("deactivate_mfa_device", user_name="ann", serial_number=serial)
    assert world("list_mfa_devices", user_name="ann")["mfa_devices"] == []
    world("delete_virtual_mfa_device", serial_number=serial)
    with pytest.raises(NotFound, match=r"VirtualMFADevice with serial number .* doesn't exist\."):
        world("delete_virtual_mfa_device", serial_number=serial)


def test_a_clock_that_is_wrong_is_resynchronised(world: Any) -> None:
    ann = world.user("ann")
    device = enabled(world, "ann", drift=-300_000)
    serial = {"serial_number": device["serial_number"]}
    world.caller = ann
    token = {"of": "sts", **serial}
    world("get_session_token", token_code=code(device, world.now - 300_000), **token)
    with pytest.raises(Denied, match="MultiFactorAuthentication failed with invalid MFA one time pass code"):
        world("get_session_token", token_code=code(device, world.now + 60_000), **token)
    world.now += 60_000
    two = {"authentication_code1": code(device, world.now), "authentication_code2": code(device, world.now + 30_000)}
    world("resync_mfa_device", user_name="ann", **serial, **two)
    world.now += 60_000
    world("get_session_token", token_code=code(device, world.now), **token)


def test_a_code_is_good_once(world: Any) -> None:
    world.caller = world.user("ann")
    device = enabled(world, "ann")
    world.now += 60_000
    shown = {"serial_number": device["serial_number"], "token_code": code(device, world.now)}
    world("get_session_token", of="sts", **shown)
    with pytest.raises(Denied):
        world("get_session_token", of="sts", **shown)
    world.now += 30_000
    world("get_session_token", of="sts", **(shown | {"token_code": code(device, world.now)}))


def test_a_device_proves_nothing_for_others(world: Any) -> None:
    world.user("ann")
    device = enabled(world, "ann")
    world.caller = world.user("bob")
    with pytest.raises(Denied):
        world(
            "get_session_token", of="sts", serial_number=device["serial_number"],
            token_code=code(device, world.now + 30_000),
        )  # fmt: skip
    with pytest.raises(NotFound):
        world("deactivate_mfa_device", user_name="bob", serial_number=device["serial_number"])
    with pytest.raises(AlreadyExists, match="already in use"):
        two = {"authentication_code1": "123456", "authentication_code2": "123456"}
        world("enable_mfa_device", user_name="bob", serial_number=device["serial_number"], **two)


def test_the_seed_is_not_stored_in_the_clear(world: Any) -> None:
    device = world("create_virtual_mfa_device", virtual_mfa_device_name="phone")["virtual_mfa_device"]
    seed = base64.b32decode(device["base32_string_seed"])
    with world.metadata.reading() as connection:
        rows = str(connection.exec_driver_sql("SELECT record FROM resources").all())
    assert base64.b64encode(seed).decode()[:40] not in rows
    assert device["base32_string_seed"].decode() not in rows


def test_the_guard_may_ask_for_a_code_without_spending_it(world: Any) -> None:
    world.caller = ann = world.user("ann")
    device = enabled(world, "ann")
    world.now += 60_000
    shown = code(device, world.now)
    with world.metadata.reading() as connection:
        platform = world.context(connection).platform
        proof = (platform, connection, ann, device["serial_number"])
        assert mfa.presented(*proof, shown, world.now)
        assert mfa.presented(*proof, shown, world.now)
        assert not mfa.presented(*proof, "12345", world.now)
        assert not mfa.presented(platform, connection, ann, "none", shown, world.now)
    session = world("get_session_token", of="sts", serial_number=device["serial_number"], token_code=shown)
    with world.metadata.reading() as connection:
        token = session["credentials"]["session_token"]
        key = find_key(connection, world.keyring, session["credentials"]["access_key_id"], token)
    assert key is not None
    assert key.caller.mfa_present


def test_devices_of_a_lost_signing_key_are_released(world_of_each: Any) -> None:
    world = world_of_each
    world.caller = ann = world.user("ann")
    device = enabled(world, "ann")
    world.user("bob")
    other = Keyring(b"o" * 32)
    with world.metadata.writing() as connection:
        assert mfa_codes.release_unreadable(connection, world.keyring) == 0
    world.keyring = other
    with pytest.raises(Denied):
        world("get_session_token", of="sts", serial_number=device["serial_number"], token_code="123456")
    enabled(world, "bob", "tablet")
    with world.metadata.writing() as connection:
        assert mfa_codes.release_unreadable(connection, other) == 1
    assert world("list_mfa_devices", user_name=ann.name)["mfa_devices"] == []
    assert len(world("list_mfa_devices", user_name="bob")["mfa_devices"]) == 1
    world("delete_virtual_mfa_device", serial_number=device["serial_number"])
