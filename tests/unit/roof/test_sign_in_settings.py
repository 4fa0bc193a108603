"""Live mode cannot be configured weaker: its settings refuse what the demo allows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SAY = (
    "from oms_project import settings as s; "
    "print(s.SECOND_FACTOR_REQUIRED, s.STEP_UP, s.SESSION_COOKIE_NAME, int(s.SESSION_TIMES.idle.total_seconds()))"
)


def told(tmp_path: Path, mode: str, **variables: str) -> subprocess.CompletedProcess[str]:
    secret = tmp_path / "secret"
    secret.write_text("a long random text, as far as this test is concerned, and then some more of it\n")
    secret.chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")}
    given = {"OMS_MODE": mode, "OMS_SECRET_KEY_FILE": str(secret), "OMS_VAR_DIR": str(tmp_path), **variables}
    return subprocess.run(
        [sys.executable, "-c", SAY], cwd=ROOT, env=kept | given, capture_output=True, text=True, check=False
    )


def test_live_demands_a_second_factor_and_confirming_and_the_demo_says_neither(tmp_path: Path) -> None:
    live, demo = told(tmp_path, "live"), told(tmp_path, "demo")
    assert live.stdout.split() == ["True", "always", "__Host-oms", "1800"], live.stderr
    assert demo.stdout.split() == ["False", "enrolled", "oms", "43200"], demo.stderr


@pytest.mark.parametrize(("name", "value"), [("OMS_SECOND_FACTOR", "optional"), ("OMS_STEP_UP", "enrolled")])
def test_live_refuses_to_be_weaker(tmp_path: Path, name: str, value: str) -> None:
    refused = told(tmp_path, "live", **{name: value})
    assert refused.returncode != 0
    assert f"{name} is '{value}'; in live mode it must be" in refused.stderr


@pytest.mark.parametrize("value", ["0", "-5", "soon"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    assert "OMS_IDLE_MINUTES" in told(tmp_path, "live", OMS_IDLE_MINUTES=value).stderr
