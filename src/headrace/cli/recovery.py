"""`headrace keys recover`: goes on without a lost signing key."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from headrace.server.clock import system_clock
from headrace.server.operations.identity.mfa_codes import release_unreadable
from headrace.server.operations.trails import signing
from headrace.server.security.credentials import recover
from headrace.server.settings import load_settings
from headrace.server.stores.data_folder import DataFolder
from headrace.server.stores.metadata import MetadataStore


def recover_command(data: Path | None, database: str | None) -> None:
    """Make a new signing key and a new root access key, and say what was lost; no server may be running."""
    settings = load_settings(data=data, database=database)
    now = system_clock()
    repairs = (release_unreadable, partial(signing.retire_unreadable, now=now))
    with DataFolder.open(settings.data) as folder:
        metadata = MetadataStore.open(settings.database or f"sqlite:///{folder.database}", backups=folder.backups)
        try:
            with metadata.writing() as connection:
                done = recover(folder.path, connection, now=now, repairs=repairs)
        finally:
            metadata.close()
    print(  # noqa: T201
        f"account {done.account} has a new signing key and a new root access key ({done.path}); "
        f"{done.deactivated} access keys, MFA devices and trail signing keys that the lost key had sealed are "
        "deactivated: make new access keys and devices for their users"
    )
