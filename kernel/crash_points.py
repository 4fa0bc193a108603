"""Named places where a test may kill the process. No effect unless ``OMS_CRASH_POINT`` names one.

``OMS_CRASH_POINT=name`` kills at the first passage, ``name:3`` at the third.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

_passages: Counter[str] = Counter()
_wanted = os.environ.get("OMS_CRASH_POINT", "")


def crash_point(name: str) -> None:
    """End this process with SIGKILL when a test asked for it here; otherwise do nothing."""
    if not _wanted:
        return
    wanted_name, _, nth = _wanted.partition(":")
    if wanted_name == name:
        _passages[name] += 1
        if _passages[name] >= int(nth or "1"):
            os.kill(os.getpid(), signal.SIGKILL)
