"""Where everything of one house lives: ``var/`` in the project (or ``OMS_VAR_DIR``) and one short socket directory.

Socket paths may have 107 characters at most, so sockets never live below ``var/``.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from oms_project.house.failures import CannotRun

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_DIRECTORY = 80


@dataclass(frozen=True, slots=True)
class House:
    """The files of one house. Two houses (another clone, a throw-away one) never share any."""

    root: Path
    var: Path

    @property
    def postgres_data(self) -> Path:
        return self.var / "postgres"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def state_file(self) -> Path:
        """What runs now, as JSON; written by the supervisor, read by ``status`` and by the next start."""
        return self.run / "house.json"

    @property
    def marker(self) -> Path:
        """Says that everything beside it was made by the house, so that ``reset`` may remove it."""
        return self.var / ".oms-house"

    @property
    def lock_file(self) -> Path:
        return self.run / "house.lock"

    @property
    def secret_key_file(self) -> Path:
        return self.var / "secret_key"

    @property
    def sign_ins_file(self) -> Path:
        """The demo's personas with password and token, mode 0600, written by the seed."""
        return self.var / "demo_sign_ins.json"

    def prepare(self) -> None:
        """Create what is missing; a directory that cannot be written is a sentence, not a traceback."""
        ours = not self.var.exists() or {path.name for path in self.var.iterdir()} <= {"tools"}
        try:
            for directory in (self.var, self.logs, self.run):
                directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise CannotRun(
                f"{self.var} cannot be created ({problem.strerror}); set OMS_VAR_DIR to a directory of your own."
            ) from problem
        if not os.access(self.run, os.W_OK):
            raise CannotRun(f"{self.var} belongs to another user; set OMS_VAR_DIR to a directory of your own.")
        if ours:
            self.marker.touch()


def this_house() -> House:
    """The house of this clone, at ``OMS_VAR_DIR`` when that is set."""
    return House(root=ROOT, var=Path(os.environ.get("OMS_VAR_DIR") or ROOT / "var").resolve())


def socket_directory(house: House, server: str) -> Path:
    """A directory (0700) for one server's socket, with a short, stable name. Refuses one that somebody else made.

    One for each server, because root's PostgreSQL may have to own its directory as another user.
    """
    name = f"oms-{os.geteuid()}-{hashlib.sha256(str(house.var).encode()).hexdigest()[:8]}-{server}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    for parent in (runtime, "/tmp"):  # noqa: S108 - the directory itself is 0700 and its owner is checked
        path = Path(parent) / name
        if not parent or len(str(path)) > LONGEST_DIRECTORY or not os.access(parent, os.W_OK | os.X_OK):
            continue
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or (found.st_uid != os.geteuid() and os.geteuid() != 0):
            raise CannotRun(f"{path} belongs to somebody else; remove it, or set XDG_RUNTIME_DIR, and start again.")
        path.chmod(0o700)
        return path
    raise CannotRun("No place for Unix sockets was found; set XDG_RUNTIME_DIR to a short directory of your own.")


def write_private(path: Path, text: str) -> None:
    """Write ``text`` so that only its owner can read it (0600) and no reader ever sees half of it."""
    temporary = path.with_name(f"{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    temporary.replace(path)
