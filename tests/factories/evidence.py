"""Exports in a test, and the verdict of the verifier over them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from journal.services.export_evidence import export_evidence
from journal.verify_evidence import verify
from tests.factories.seals import Sealing


def export(sealing: Sealing, directory: Path, **scope: Any) -> Path:
    """A run of seals into a new directory."""
    return export_evidence(directory=directory, actor="process:test", at=sealing.at, build="test", **scope).directory


def codes(directory: Path, **options: Any) -> list[str]:
    """The codes of the verdict, each once, in order."""
    return list(dict.fromkeys(finding["code"] for finding in verify(directory, **options)["findings"]))


def as_a_stranger(directory: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run the copy in the export alone: no path of ours, no variables. (exit code, verdict, what it complained of)."""
    command = [sys.executable, "-I", str(directory / "verify_evidence.py"), str(directory), "--json", *options]
    done = subprocess.run(
        command, cwd="/", env={"PATH": os.defpath}, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr
