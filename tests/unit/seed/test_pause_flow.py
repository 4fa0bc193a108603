"""The pause of the demo flow is a file that survives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from operations.services.pause_flow import is_paused, pause_flow, resume_flow


def test_pause_and_resume(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path / "var"
    assert not is_paused()
    resume_flow()
    assert not is_paused()
    pause_flow()
    pause_flow()
    assert is_paused()
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["flow_paused"]
    resume_flow()
    assert not is_paused()
