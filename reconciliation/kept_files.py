"""Where the bytes of files lie: ``VAR_DIR/feeds/<sha256>``, one file a content, private, whole or not there.

Copied, hashed and measured in one pass, flushed to the disk, then moved to its name: whoever finds a kept file finds all of
it. A manifest that came with a file lies beside it under the same name, where readers look for it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from kernel.ids import new_id

CHUNK = 1 << 20
MANIFEST = ".manifest"
MANIFEST_LIMIT = 1 << 20


class TooLarge(Exception):
    """More bytes than were agreed; none are kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``path`` names the copy that everything is read from."""

    sha256: str
    size: int
    path: Path


def feeds_dir() -> Path:
    """The directory of kept files; made at first use, entered by us alone."""
    directory = Path(settings.VAR_DIR) / "feeds"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def kept_path(sha256: str) -> Path:
    """Where the content of a digest lies."""
    return feeds_dir() / sha256


def keep_stream(source: BinaryIO, *, limit: int) -> Kept:
    """Copy a stream whole. Raises TooLarge beyond ``limit`` bytes, OSError when the disk does not take it."""
    directory = feeds_dir()
    making = directory / f".{new_id().hex}.part"
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        final = directory / digest.hexdigest()
        making.rename(final)
        _flush_directory(directory)
    finally:
        making.unlink(missing_ok=True)
    return Kept(digest.hexdigest(), size, final)


def keep_manifest(source: BinaryIO, *, of: Kept) -> Path:
    """Keep the manifest of a kept file beside it. Raises TooLarge for one that is none."""
    target = of.path.with_name(of.path.name + MANIFEST)
    kept = keep_stream(source, limit=MANIFEST_LIMIT)
    kept.path.rename(target)
    _flush_directory(target.parent)
    return target


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
