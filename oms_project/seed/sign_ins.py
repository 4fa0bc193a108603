"""The file of demo sign-ins: readable by its owner only, replaced in one step, written last."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

FILE = "demo_sign_ins.json"


@dataclass(frozen=True, slots=True)
class SignIn:
    """How one persona comes in. A service account has no password."""

    persona: str
    username: str
    password: str | None
    token: str


def sign_ins_file() -> Path:
    """Where the sign-ins are kept."""
    return Path(settings.VAR_DIR) / FILE


def read_sign_ins() -> tuple[SignIn, ...]:
    """The sign-ins of the last seed, or nothing when there is no file or it cannot be read."""
    try:
        return tuple(SignIn(**row) for row in json.loads(sign_ins_file().read_text()))
    except (OSError, ValueError, TypeError):
        return ()


def write_sign_ins(rows: Sequence[SignIn]) -> None:
    """Replace the file, mode 0600 from its first byte on."""
    target = sign_ins_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump([asdict(row) for row in rows], stream, indent=1)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(target)
