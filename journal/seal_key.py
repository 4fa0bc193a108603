"""The private key that signs seals: an Ed25519 key in a file only its owner can read. Its content is never logged.

A rotation writes the next key beside the current one (``<file>.next``), introduces it in the database, then puts it in
its place. Whoever loads the key finishes a rotation that was cut off between the last two steps.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from django.conf import settings

from journal.domain.seals import key_id_of, public_bytes
from kernel.errors import Unavailable


def key_file() -> Path:
    """Where the key is. Raises Unavailable SEAL_KEY_MISSING when none is configured."""
    if settings.SEAL_KEY_FILE is None:
        raise Unavailable("SEAL_KEY_MISSING", "OMS_SEAL_KEY_FILE must name the file of the key that signs seals.")
    return Path(settings.SEAL_KEY_FILE)


def next_file(path: Path) -> Path:
    """Where the next key waits during a rotation."""
    return path.with_name(f"{path.name}.next")


def read_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file. Raises Unavailable SEAL_KEY_MISSING, SEAL_KEY_EXPOSED or SEAL_KEY_UNREADABLE."""
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise Unavailable("SEAL_KEY_EXPOSED", f"{path} can be read by others; chmod 600 it, or make a new key.")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as problem:
        raise Unavailable("SEAL_KEY_MISSING", f"{path}, the key that signs seals, is not there.") from problem
    except (OSError, ValueError, TypeError) as problem:
        raise Unavailable("SEAL_KEY_UNREADABLE", f"{path} holds no key that can be read.") from problem
    if not isinstance(key, Ed25519PrivateKey):
        raise Unavailable("SEAL_KEY_UNREADABLE", f"{path} holds no Ed25519 key.")
    return key


def write_new_key(path: Path) -> Ed25519PrivateKey:
    """Make a key in a file that must not exist yet (0600, flushed). Raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            handle.flush()
            os.fsync(handle.fileno())
        os.link(temporary, path)  # refuses to replace, unlike a rename
    finally:
        temporary.unlink()
    flush_directory(path.parent)
    return key


def flush_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load_key(newest_key_id: str | None) -> Ed25519PrivateKey:
    """The key whose public half is the newest introduced; with none introduced yet, the one in the file.

    Outside live mode a house that has sealed nothing makes its first key. Raises Unavailable, SEAL_KEY_UNKNOWN when the
    file holds another key than the one introduced: then somebody replaced it.
    """
    path = key_file()
    if newest_key_id is None and settings.SEAL_KEY_MADE_WHEN_MISSING and not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was quicker
            write_new_key(path)
    key = read_key(path)
    if newest_key_id is None or key_id_of(public_bytes(key)) == newest_key_id:
        return key
    waiting = next_file(path)
    if waiting.exists():
        following = read_key(waiting)
        if key_id_of(public_bytes(following)) == newest_key_id:
            waiting.replace(path)
            flush_directory(path.parent)
            return following
    raise Unavailable("SEAL_KEY_UNKNOWN", f"{path} holds another key than the one that seals this journal.")
