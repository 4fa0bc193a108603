"""Every test here keeps its files in a place of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, settings: Any) -> Path:
    """``VAR_DIR`` of this test."""
    settings.VAR_DIR = tmp_path
    return tmp_path
