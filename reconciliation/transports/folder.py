"""The watched folder: ``VAR_DIR/incoming/<folder>``, written by others, emptied by us.

* A file is complete when its size and the time of its last change are the same at two looks a moment apart, and that change
  is ``STILL`` old. Names ending in ``.part`` or ``.tmp``, and those that begin with a dot, are being written.
* It is claimed by moving it to ``taking/`` beside, which one process can do; read from there; then moved to ``done/`` or
  ``refused/``. What lies in ``taking/`` when nobody works the place was left by a process that died: it is taken first.
* ``<file>.manifest`` and ``<file>.sig`` belong to the file and travel with it. They may come up to ``COMPANIONS`` later.
* Only plain files are taken, by names without a path, opened without following a link.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from reconciliation.kept_files import MANIFEST, MANIFEST_LIMIT
from reconciliation.signatures import SIGNATURE
from reconciliation.transports import Delivery, Offered

STILL = timedelta(seconds=3)
COMPANIONS = timedelta(minutes=2)
LOOKS_APART_S = 0.05
MOST_A_LOOK = 200
TAKING, DONE, REFUSED = "taking", "done", "refused"
OURS = frozenset({TAKING, DONE, REFUSED})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ +-]{0,199}")
_BEING_WRITTEN = (".part", ".tmp", ".filepart", ".crdownload")
_BESIDE = (MANIFEST, SIGNATURE)


class FolderTransport:
    """``signed``: the files of this place come with a signature, which is waited for."""

    def __init__(self, directory: Path, *, signed: bool = False) -> None:
        self.place = directory.name
        self._directory = directory
        self._signed = signed
        for name in ("", *sorted(OURS)):
            (directory / name).mkdir(mode=0o750, parents=True, exist_ok=True)

    def list(self, *, now: datetime) -> Sequence[Offered]:
        left = [Offered(name) for name in sorted(os.listdir(self._directory / TAKING)) if not name.endswith(_BESIDE)]
        names = sorted(os.listdir(self._directory))[: 10 * MOST_A_LOOK]
        first = {name: self._look(name) for name in names if name not in OURS and not _is_passed_over(name)}
        if first:
            time.sleep(LOOKS_APART_S)
        found = [self._judge(name, seen, now) for name, seen in first.items()]
        return [*left, *(one for one in found if one is not None)][:MOST_A_LOOK]

    @contextmanager
    def fetch(self, name: str) -> Iterator[Delivery | None]:
        taking = self._directory / TAKING / name
        resumed = taking.exists()
        if not resumed and not self._claim(name):
            yield None
            return
        descriptor = os.open(taking, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as content:
            yield Delivery(name, content, self._beside(name, MANIFEST), self._beside(name, SIGNATURE), resumed)

    def done(self, name: str, *, taken: bool) -> None:
        target = self._directory / (DONE if taken else REFUSED)
        free = _free_name(target, name)
        for suffix in (*_BESIDE, ""):  # the file last: while it lies there, it is not dealt with
            lying = self._directory / TAKING / f"{name}{suffix}"
            if lying.exists():
                lying.rename(target / f"{free}{suffix}")

    def put_aside(self, name: str) -> None:
        """What is no file to be taken goes to ``refused`` as it is, so that it is told once."""
        (self._directory / name).rename(self._directory / REFUSED / _free_name(self._directory / REFUSED, name))

    def _claim(self, name: str) -> bool:
        """Move it, its companions first, so that a claimed file has them."""
        for suffix in (*_BESIDE, ""):
            try:
                (self._directory / f"{name}{suffix}").rename(self._directory / TAKING / f"{name}{suffix}")
            except FileNotFoundError:
                if not suffix:
                    return False
        return True

    def _beside(self, name: str, suffix: str) -> bytes:
        try:
            descriptor = os.open(
                self._directory / TAKING / f"{name}{suffix}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            )
        except OSError:
            return b""
        with os.fdopen(descriptor, "rb") as file:
            return file.read(MANIFEST_LIMIT)

    def _look(self, name: str) -> os.stat_result | None:
        try:
            return os.lstat(self._directory / name)
        except FileNotFoundError:
            return None

    def _judge(self, name: str, first: os.stat_result | None, now: datetime) -> Offered | None:
        second = self._look(name)
        if first is None or second is None:
            return None
        if not stat.S_ISREG(second.st_mode):
            return Offered(name, "it is no plain file")
        if _NAME.fullmatch(name) is None:
            return Offered(name, "its name has signs that no agreed name has")
        if (first.st_size, first.st_mtime_ns, first.st_ino) != (second.st_size, second.st_mtime_ns, second.st_ino):
            return None
        age = now.timestamp() - max(second.st_mtime, second.st_ctime)
        if age < STILL.total_seconds():
            return None
        waits = self._signed and not (self._directory / f"{name}{SIGNATURE}").exists()
        return None if waits and age < COMPANIONS.total_seconds() else Offered(name)


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith((*_BEING_WRITTEN, *_BESIDE))


def _free_name(directory: Path, name: str) -> str:
    """The name, or the name with a number where one lies there already."""
    free, number = name, 1
    while (directory / free).exists() or (directory / free).is_symlink():
        number += 1
        free = f"{name}.{number}"
    return free
