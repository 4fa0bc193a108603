"""Roads by which files come. Each lists what is complete, hands one over, and is told what became of it.

A road decides nothing about a file: it only makes sure that a half-written one is not taken, that one is taken once, and
that nothing outside its place can be reached by a name. The watched folder (``folder.py``) is the road in use. A client of
SFTP, or of an object store, is another class with these three methods: ``list`` reads the remote directory, ``fetch`` opens
the remote file, ``done`` renames it there. Nothing else in the house has to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Offered:
    """A name on a road. ``why_not`` says why it is no file to be taken; empty: it is one, and it is complete."""

    name: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file, open. ``resumed``: it was fetched before by somebody who did not come to tell what became of it."""

    name: str
    content: BinaryIO
    manifest: bytes = b""
    signature: bytes = b""
    resumed: bool = False


class Transport(Protocol):
    """``place`` names the road for people and for the lock; one process at a time works it."""

    place: str

    def list(self, *, now: datetime) -> Sequence[Offered]:
        """What lies there, by name: complete files, and what is none with why."""

    def fetch(self, name: str) -> AbstractContextManager[Delivery | None]:
        """The file, claimed; None when it is gone."""

    def done(self, name: str, *, taken: bool) -> None:
        """It was dealt with: it must not be listed again."""
