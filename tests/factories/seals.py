"""A place for a signing key and for anchors in a test, and what a superuser may do to evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from journal.anchors import anchor_path
from journal.services.check_seals import SealCheck, check_seals
from journal.services.seal_events import SealPass, seal_events
from tests.factories.journal import AT


@dataclass
class Sealing:
    """A key file and anchor directories, and the clock they are used with."""

    key_file: Path
    places: list[str]
    at: datetime = AT

    def seal(self, **options: Any) -> SealPass:
        """One pass without patience, a second later than the one before."""
        self.at += timedelta(seconds=1)
        return seal_events(at=self.at, **{"patience": timedelta(0), **options})

    def check(self, **options: Any) -> SealCheck:
        """Everything, as it would be looked at ten minutes later."""
        return check_seals(at=self.at + timedelta(minutes=10), **options)

    def codes(self, **options: Any) -> list[str]:
        """The codes of the findings, each once, in order."""
        return list(dict.fromkeys(finding.code for finding in self.check(**options).findings))

    @property
    def anchors(self) -> Path:
        return anchor_path(self.places[0])


def sealing_in(directory: Path, settings: Any, *, places: int = 1) -> Sealing:
    """Point the settings to files below ``directory``."""
    settings.SEAL_KEY_FILE = str(directory / "keys" / "seal.pem")
    settings.ANCHOR_DIRS = [str(directory / f"anchors{number}") for number in range(1, places + 1)]
    return Sealing(Path(settings.SEAL_KEY_FILE), settings.ANCHOR_DIRS)


@contextmanager
def guards_off() -> Iterator[Any]:
    """A cursor of a superuser whom no trigger stops."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield cursor
        finally:
            cursor.execute("SET session_replication_role = origin")
