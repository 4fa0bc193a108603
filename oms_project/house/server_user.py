"""As whom PostgreSQL runs, because it refuses to run as root.

A normal user runs it as himself. For root the owner of the data decides: another user's data is served as that user;
root's own in a user namespace that shows uid 0 as 65534, so every file keeps its owner and stays reachable wherever
root can go; only where namespaces are forbidden it becomes ``nobody`` and the data is given to it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from oms_project.house.failures import CannotRun

NOBODY = 65534
NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True, slots=True)
class ServerUser:
    """``prefix`` goes before every server command; ``uid`` is None to stay as we are."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    def run(self, command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user; output captured as text."""
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [*self.prefix, *command],
            capture_output=True,
            text=True,
            user=self.uid,
            group=self.uid,
            extra_groups=[] if self.uid is not None else None,
            check=False,
            **options,
        )

    def can_read(self, path: Path) -> bool:
        """True when a process of this user reaches ``path``."""
        return self.uid is None or self.run(["test", "-r", str(path)]).returncode == 0


@cache
def namespaces_work() -> bool:
    """True when root may map itself away here."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def owner_of(path: Path) -> int:
    """The uid that owns ``path``, or its nearest parent that exists."""
    while not path.exists():
        path = path.parent
    return path.stat().st_uid


def choose_user(data: Path) -> ServerUser:
    """As whom the server of ``data`` runs; gives the directory to that user where that is another one."""
    if os.geteuid() != 0:
        return ServerUser()
    owner = owner_of(data)
    if owner == 0 and namespaces_work():
        return ServerUser(prefix=NAMESPACE)
    user = ServerUser(uid=owner or NOBODY)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if data.stat().st_uid != user.uid:
        for path in (data, *data.rglob("*")):
            os.chown(path, user.uid or 0, user.uid or 0, follow_symlinks=False)
    if not user.can_read(data):
        raise CannotRun(
            f"PostgreSQL may not run as root and user {user.uid} cannot enter {data.parent}; start as a normal user, "
            "or set OMS_VAR_DIR to a directory every user may enter."
        )
    return user
