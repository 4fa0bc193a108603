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

from journal.domain.records import Anomaly, Severity
from journal.notify import EVENTS_CHANNEL, wait_for
from journal.selectors.horizon import Horizon
from journal.services.run_listener import Handle, run_listener
from journal.services.set_anomaly import set_anomaly
from journal.singleton import Singleton
from kernel.clock import utc_now
from kernel.errors import Unavailable
from oms_project.flow import LISTENERS, SWEEPERS

logger = logging.getLogger(__name__)

IDLE_S = 0.5
STAND_BY_S = 1.0
TRANSIENT = (OperationalError, InterfaceError, Unavailable)
SWEEPER_FAILING = "SWEEPER_FAILING"


@dataclass(slots=True)
class Sweep:
    """A sweeper and when it is due next (monotonic seconds)."""

    module: str
    run: Callable[..., object]
    every_s: float
    reads_journal: bool = False
    due: float = field(default=0.0)
    failing: bool | None = None  # None: whether a relay before this one said so is not known yet


def run(stop: threading.Event) -> None:
    """Work until ``stop``; a lost database or lock is waited out, never an end."""
    handles = {one.name: importlib.import_module(one.module).handle for one in LISTENERS}
    sweeps = [Sweep(one.module, service(one.module), one.every_s, one.reads_journal) for one in SWEEPERS]
    singleton = Singleton("relay")
    horizon = Horizon()
    try:
        while not stop.is_set():
            if not singleton.take():
                stop.wait(STAND_BY_S)
                continue
            try:
                more = turn(handles, sweeps, horizon)
            except TRANSIENT as error:
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
            limit=listener.most,
            horizon=horizon,
        )
        more = more or result.more
    now = time.monotonic()
    for one in sweeps:
        if one.due <= now:
            one.due = now + one.every_s
            sweep(one, horizon)
    return more


def sweep(one: Sweep, horizon: Horizon) -> None:
    """Run it once. What fails for a reason of its own is told once, tried again when due, and stops nothing beside it."""
    at = utc_now()
    try:
        if one.reads_journal:
            one.run(at=at, horizon=horizon)
        else:
            one.run(at=at)
    except TRANSIENT:
        raise
    except Exception as error:
        logger.exception("sweeper %s failed", one.module)
        _tell(one, f"The sweeper {one.module} fails: {type(error).__name__}: {error}"[:2000], wrong=True)
    else:
        _tell(one, f"The sweeper {one.module} works again.", wrong=False)


def _tell(one: Sweep, sentence: str, *, wrong: bool) -> None:
    if one.failing is wrong:
        return
    anomaly = Anomaly(
        kind=SWEEPER_FAILING,
        severity=Severity.HIGH,
        subject_type="process",
        subject_id="relay",
        sentence=sentence,
        dedupe_key=f"sweeper:{one.module}",
        evidence={"module": one.module},
    )
    set_anomaly(anomaly=anomaly, wrong=wrong, actor="process:relay", at=utc_now())
    one.failing = wrong
