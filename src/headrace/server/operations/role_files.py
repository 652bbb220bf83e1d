"""The role's credentials of a running script: a file that every AWS SDK reads anew, and that is renewed in time."""

from __future__ import annotations

import json
from pathlib import Path

from headrace.server.clock import moment
from headrace.server.operations.acting import Actor
from headrace.server.sandbox import Folder

LIFE = 12 * 3600
RENEWED = LIFE // 2
"""Seconds that credentials are valid, and after which others take their place."""

PLACE = "/run/role"
"""Where the script finds the files."""


class RoleFiles:
    """A folder with a configuration of the AWS SDKs, whose credential_process prints what the role may do next."""

    def __init__(self, actor: Actor, folder: Path) -> None:
        """Write the files into a folder that the script sees and can't write."""
        self._actor, self.folder = actor, folder
        self._due = 0
        folder.mkdir(exist_ok=True, mode=0o755)
        (folder / "config").write_text(f"[default]\ncredential_process = /bin/cat {PLACE}/credentials.json\n")
        self.renew()

    @property
    def shown(self) -> tuple[Folder, ...]:
        """The folder, as the script sees it."""
        return (Folder(self.folder, at=PLACE),)

    @property
    def variables(self) -> dict[str, str]:
        """The variables that lead an SDK to the files and to this server."""
        return self._actor.address() | {"AWS_CONFIG_FILE": f"{PLACE}/config"}

    def renew(self) -> None:
        """Write other credentials where half the life of those in the file is over."""
        now = self._actor.platform.clock()
        if now < self._due:
            return
        session = self._actor.credentials(seconds=LIFE)
        content = {
            "Version": 1,
            "AccessKeyId": session.access_key_id,
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": moment(now + LIFE * 1000).isoformat(),
        }
        new = self.folder / "new"
        new.write_text(json.dumps(content))
        new.rename(self.folder / "credentials.json")
        self._due = now + RENEWED * 1000
