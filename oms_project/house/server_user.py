"""As whom PostgreSQL runs, because it refuses to run as root.

A normal user runs it as himself. Under root, data that belongs to another user is served as that user; root's own in
a user namespace that shows uid 0 as 65534, so that every file keeps its owner. Where namespaces are forbidden, or the
data lies below another user's private directory (a namespace loses root's right to pass), the data is given to the
owner of the directory around it, else to ``nobody``.
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
        return self == ServerUser() or self.run(["test", "-r", str(path)]).returncode == 0


@cache
def namespaces_work() -> bool:
    """True when root may map itself away here."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def nearest(path: Path) -> Path:
    """``path``, or the first directory above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def neighbours(path: Path) -> list[int]:
    """Whom root may give data at ``path`` to: its owner, owners of directories above it, ``nobody`` last."""
    here = nearest(path)
    owners = [directory.stat().st_uid for directory in (here, *here.parents)]
    return [*dict.fromkeys(uid for uid in owners if uid != 0), NOBODY]


def give(data: Path, uid: int) -> ServerUser:
    """The user ``uid``, who now owns ``data`` and everything in it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if data.stat().st_uid != uid:
        for path in (data, *data.rglob("*")):
            os.chown(path, uid, uid, follow_symlinks=False)
    return ServerUser(uid=uid)


def choose_user(data: Path) -> ServerUser:
    """As whom the server of ``data`` runs; gives the directory to that user where that is another one."""
    if os.geteuid() != 0:
        return ServerUser()
    found = nearest(data)
    mapped = ServerUser(prefix=NAMESPACE)
    if found.stat().st_uid == 0 and namespaces_work() and mapped.run(["test", "-w", str(found)]).returncode == 0:
        return mapped
    for uid in neighbours(data):
        user = give(data, uid)
        if user.can_read(data):
            return user
    raise CannotRun(
        f"PostgreSQL may not run as root and no other user can enter {data.parent}; start as a normal user, "
        "or set OMS_VAR_DIR to a directory every user may enter."
    )
