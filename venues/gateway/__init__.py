"""The gateway process: one per session group, the only one that may put an order on the wire.

``run`` waits until it is the only gateway of its group, then ties three things together: the engine (its own threads),
the recorder (one thread, stores every message) and this loop (claims intents, hands over, sends, asks for the fate of
what was not answered). ``stop()`` of the engine always runs.
"""

from __future__ import annotations

import threading
from pathlib import Path

from django.conf import settings

from journal.singleton import Singleton
from venues.gateway.loop import Gateway

__all__ = ["run"]

LEASE_S = 15.0
"""A gateway that has not gone round its loop for so long is frozen: a stand-by cuts it off and takes its sessions."""


def run(stop: threading.Event, *, group: str = "SIM1", store: Path | None = None) -> None:
    """Serve the sessions of ``group`` until ``stop`` is set. A second gateway of the group waits here as stand-by."""
    singleton = Singleton(f"gateway:{group}", lease_s=LEASE_S)
    try:
        while not stop.is_set():
            if not singleton.take():
                stop.wait(0.5)
                continue
            Gateway(
                group=group,
                singleton=singleton,
                store=store or Path(settings.VAR_DIR) / "fix" / group,
            ).serve(stop)
            singleton.release()
            stop.wait(0.5)
    finally:
        singleton.release()
