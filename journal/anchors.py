"""Anchor files: every seal once more outside the database, one JSON line each, each line naming the hash of the one before.

A line counts when its end of line is there; what a crash tore off is cut back and written again. A file that ends before
a seal we know to have been flushed into it was cut by somebody: it goes on behind its present end, so that the hole stays
visible for ever.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from journal.domain.seals import NO_SEAL, AnchorLine, SignedSeal, anchor_line, read_anchor_line
from journal.seal_key import flush_directory

FILE_NAME = "seals.jsonl"
TAIL_BYTES = 8192


@dataclass(frozen=True, slots=True)
class AnchorEnd:
    """Where a file ends: its last whole line, None when it is empty. ``readable`` is false when that line is not ours."""

    line: AnchorLine | None = None
    readable: bool = True

    @property
    def number(self) -> int:
        return self.line.number if self.line else 0

    @property
    def hash(self) -> bytes:
        return self.line.hash if self.line else NO_SEAL


def anchor_path(place: str) -> Path:
    """The anchor file of a directory."""
    return Path(place) / FILE_NAME


def read_end(path: Path) -> AnchorEnd:
    """The end of a file; a missing one is empty. Raises OSError."""
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(size - TAIL_BYTES, 0))
            tail = handle.read()
    except FileNotFoundError:
        return AnchorEnd()
    whole = tail.rpartition(b"\n")[0]
    last = whole.rpartition(b"\n")[2]
    if not last:
        return AnchorEnd(readable=size <= len(tail))
    line = read_anchor_line(last)
    return AnchorEnd(line, readable=line is not None)


def append_lines(path: Path, seals: Sequence[tuple[SignedSeal, bytes]], *, end: AnchorEnd) -> list[AnchorLine]:
    """Write (seal, public key) pairs behind ``end`` and flush them to the disk. Raises OSError.

    ``end`` must still be the end of the file; otherwise another house writes to it and BlockingIOError is raised.
    """
    fresh = not path.exists()
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    written: list[AnchorLine] = []
    with path.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if read_end(path) != end:
            raise BlockingIOError(f"{path} is written by somebody else")
        _drop_torn_line(path)
        chain = end.hash
        for seal, public_key in seals:
            text = anchor_line(seal, public_key=public_key, chain=chain)
            line = read_anchor_line(text)
            assert line is not None
            handle.write(text + b"\n")
            written.append(line)
            chain = line.hash
        handle.flush()
        os.fsync(handle.fileno())
    if fresh:
        flush_directory(path.parent)
    return written


def _drop_torn_line(path: Path) -> None:
    """Cut a last line that has no end: a crash tore it, and its seal comes again."""
    with path.open("rb+") as handle:
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(size - TAIL_BYTES, 0))
        tail = handle.read()
        torn = len(tail) - (tail.rfind(b"\n") + 1)
        if torn:
            handle.truncate(size - torn)


def read_lines(path: Path) -> Iterator[AnchorLine | None]:
    """Every whole line of a file in order, None for one that is not ours. Raises OSError, a missing file too."""
    with path.open("rb") as handle:
        for text in handle:
            if text.endswith(b"\n"):
                yield read_anchor_line(text[:-1])
