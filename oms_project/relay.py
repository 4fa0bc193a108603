"""The relay: runs every listener of the flow behind its cursor, and the sweepers that time makes due.

Not Celery, so that orders move with Redis dead. One relay works at a time (advisory lock); more may stand by.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, connection

from journal.notify import EVENTS_CHANNEL, wait_for
from journal.selectors.horizon import Horizon
from journal.services.run_listener import Handle, run_listener
from journal.singleton import Singleton
from kernel.clock import utc_now
from kernel.errors import Unavailable
from oms_project.flow import LISTENERS, SWEEPERS

logger = logging.getLogger(__name__)

IDLE_S = 0.5
STAND_BY_S = 1.0


@dataclass(slots=True)
class Sweep:
    """A sweeper and when it is due next (monotonic seconds)."""

    run: Callable[..., object]
    every_s: float
    reads_journal: bool = False
    due: float = field(default=0.0)


def run(stop: threading.Event) -> None:
    """Work until ``stop``; a lost database or lock is waited out, never an end."""
    handles = {one.name: importlib.import_module(one.module).handle for one in LISTENERS}
    sweeps = [Sweep(service(one.module), one.every_s, one.reads_journal) for one in SWEEPERS]
    singleton = Singleton("relay")
    horizon = Horizon()
    try:
        while not stop.is_set():
            if not singleton.take():
                stop.wait(STAND_BY_S)
                continue
            try:
                more = turn(handles, sweeps, horizon)
            except (OperationalError, InterfaceError, Unavailable) as error:
                logger.warning("the relay waits: %s", error)
                connection.close()
                stop.wait(STAND_BY_S)
                continue
            if not more:
                wait_for([EVENTS_CHANNEL], IDLE_S, stop)
    finally:
        singleton.release()
        connection.close()


def service(module: str) -> Callable[..., object]:
    """The one public function of a service module, which bears its name."""
    found: Callable[..., object] = getattr(importlib.import_module(module), module.rsplit(".", 1)[1])
    return found


def turn(handles: dict[str, Handle], sweeps: list[Sweep], horizon: Horizon) -> bool:
    """Every listener once and every sweeper that is due. True when some listener has more to read."""
    more = False
    for listener in LISTENERS:
        result = run_listener(
            name=listener.name,
            kinds=listener.kinds,
            handle=handles[listener.name],
            at=utc_now(),
            horizon=horizon,
        )
        more = more or result.more
    now = time.monotonic()
    for one in sweeps:
        if one.due <= now:
            one.due = now + one.every_s
            if one.reads_journal:
                one.run(at=utc_now(), horizon=horizon)
            else:
                one.run(at=utc_now())
    return more
