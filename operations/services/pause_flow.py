"""Pause and resume the demo flow. The flag is a file in the state directory and survives a restart."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

FLAG = "flow_paused"


def pause_flow() -> None:
    """From the next order on the demo flow enters nothing; prices go on. Pausing twice is the same as once."""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    _flag().touch()


def resume_flow() -> None:
    """The demo flow goes on."""
    _flag().unlink(missing_ok=True)


def is_paused() -> bool:
    """Whether the demo flow is paused."""
    return _flag().exists()


def _flag() -> Path:
    return Path(settings.VAR_DIR) / FLAG
