"""``./oms verify DIR``: the stand-alone verifier, run as a stranger would run it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from journal import verify_evidence


def run(arguments: Namespace) -> int:
    """The verb: the verifier's answer and exit code."""
    options = ["--json"] if arguments.json else []
    options += ["--trust", arguments.trust] if arguments.trust else []
    options += ["--anchors", str(Path(arguments.anchors).resolve())] if arguments.anchors else []
    return verify_evidence.main([str(Path(arguments.directory).resolve()), *options])
