"""After a sudden death: which reports stand in the truth but never reached the engine's store.

The engine keeps every message it was given in ``<session>.body``; the tail of that file is compared with the tail
of the truth. Only lines younger than the store count: a store that began anew (a new day, a reset) has no memory of
older ones, and sending those again would be a lie about when they were said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from venues.simulator.wire import SOH, read_fields

LINES_BACK = 2_000
BYTES_BACK = 4 * 1024 * 1024


def unsent_reports(
    lines: Sequence[Mapping[str, Any]], *, session: str, store: Path, prefix: str, began: datetime | None
) -> list[dict[str, str]]:
    """Reports of a session to be sent now, oldest first.

    ``prefix`` names the engine's files (FIX.4.4-SIM1-OMS); ``began`` is when the store began to count, None for never.
    """
    if began is None:
        return []
    below = _next_number(store / f"{prefix}.seqnums")
    known = _known(store / f"{prefix}.body", begins=f"8={prefix.partition('-')[0]}{SOH}", below=below)
    missing = []
    for line in lines[-LINES_BACK:]:
        if line["session"] != session or line["delivery"] == "silent" or not line["report"]:
            continue
        if datetime.fromisoformat(line["at"]) >= began and _key(line["report"]) not in known:
            missing.append(dict(line["report"]))
    return missing


def _key(report: Mapping[str, str]) -> tuple[str, str]:
    if report.get("msg_type") == "8":
        return "8", report.get("exec_id", "")
    return report.get("msg_type", ""), report.get("cl_ord_id", "")


def _known(body: Path, *, begins: str, below: int) -> set[tuple[str, str]]:
    """Keys of stored reports numbered ``below``. A message whose number was not yet counted up will be overwritten."""
    try:
        with body.open("rb") as file:
            size = body.stat().st_size
            file.seek(max(size - BYTES_BACK, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return set()
    stored = (read_fields(part) for part in text.split(begins))
    return {_key(fields) for fields in stored if int(fields.get("msg_seq_num", below)) < below}


def _next_number(path: Path) -> int:
    """The number the engine gives its next message; its file says ``next out : next in``."""
    try:
        return int(path.read_text().partition(":")[0])
    except (OSError, ValueError):
        return 0
