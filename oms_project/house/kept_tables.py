"""A PostgreSQL with every table made, kept for the next throw-away house: making them takes longer than most tests.

What is kept lies under the digest of everything that makes it: migrations, what of ours they import, how a cluster is
made, and with what. Another migration is another digest, so nothing stale is ever taken; whoever takes a copy may still
migrate and finds nothing to do. Copies are whole or not there: they are made beside their place and moved into it.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from oms_project.house.binaries import find_postgres
from oms_project.house.paths import ROOT

MOST_KEPT = 8
MAKERS = ("settings", *(f"house/{name}" for name in ("postgres", "throwaway", "migrating", "database", "kept_tables")))
LIBRARIES = ("django", "django-guardian", "django-simple-history", "psycopg")


class Made(StrEnum):
    """``TABLES``: a database ``oms_tables`` of the superuser, to make others of. ``READY``: ``oms`` of its owner, with grants."""

    TABLES = "tables"
    READY = "ready"


def is_kept(made: Made) -> bool:
    """Whether a copy will most likely be found."""
    return _ours(_place()) and (_place() / f"{made}-{digest()}").is_dir()


def fetch(made: Made, data: Path) -> bool:
    """Put a copy in the place of a data directory that does not exist; False where none is kept."""
    source = _place() / f"{made}-{digest()}"
    if not _ours(source.parent):
        return False
    try:
        shutil.copytree(source, data)
    except OSError:  # none is kept, or somebody removes it in this moment
        shutil.rmtree(data, ignore_errors=True)
        return False
    with contextlib.suppress(OSError):
        os.utime(source)
    return True


def keep(made: Made, data: Path) -> None:
    """Keep a copy of the data directory of a server that was stopped cleanly; those not used for longest go.

    Where that cannot be, the next house makes its tables itself.
    """
    place = _place()
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o755, exist_ok=True)
    if not _ours(place):
        return
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=place))
    try:
        with contextlib.suppress(OSError):  # no room, or another run was first and kept the same
            shutil.copytree(data, making / "data")
            (making / "data").rename(place / f"{made}-{digest()}")
    finally:
        shutil.rmtree(making, ignore_errors=True)
    kept = sorted((one for one in place.iterdir() if not one.name.startswith(".")), key=lambda one: one.stat().st_mtime)
    for old in kept[:-MOST_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def digest() -> str:
    """Of everything that makes the tables."""
    answer = hashlib.sha256(repr((sys.version, find_postgres(), [version(name) for name in LIBRARIES])).encode())
    for path in sorted(sources()):
        answer.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return answer.hexdigest()[:32]


def sources() -> set[Path]:
    """The migrations of every room, the modules of ours that they import, and what those import."""
    found: set[Path] = set()
    waiting = [*ROOT.glob("*/migrations/*.py"), *(ROOT / "oms_project" / f"{name}.py" for name in MAKERS)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            if "oms_project" not in path.parts:
                waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import(names=names):
                modules = [name.name for name in names]
            case ast.ImportFrom(module=str(module), names=names):
                modules = [module, *(f"{module}.{name.name}" for name in names)]
            case ast.Call(func=ast.Name(id="import_module"), args=[ast.Constant(value=str(module))]):
                modules = [module]
            case _:
                continue
        for module in modules:
            base = ROOT.joinpath(*module.split("."))
            yield from (file for file in (base.with_name(f"{base.name}.py"), base / "__init__.py") if file.is_file())


def _place() -> Path:
    return Path(tempfile.gettempdir()) / f"oms-tables-{os.getuid()}"


def _ours(place: Path) -> bool:
    """Whether nobody else made it in our name: then nothing is found there and nothing is kept."""
    return place.is_dir() and not place.is_symlink() and place.stat().st_uid == os.getuid()
