"""Each process of the house reports itself every few seconds: alive, built of what, its clock how far off.

A thread of its own, so that a process which is busy still says that it lives; what it says of its clock is measured against the
database in the same statement. A database that is away is waited for: nothing is traded then anyway.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import Error, connection

from journal.selectors.processes import own_process_id
from journal.services.forget_process import forget_process
from journal.services.report_process import report_process
from kernel.clock import utc_now
from oms_project.house import fingerprint

EVERY_S = 5.0
logger = logging.getLogger(__name__)


def start_beating(name: str) -> Callable[[], None]:
    """Report now and go on until the function that is returned is called."""
    process_id, ended = own_process_id(), threading.Event()
    beat(process_id, name)
    connection.close()
    thread = threading.Thread(target=_run, args=(process_id, name, ended), name="beat", daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        thread.join(timeout=2)

    return end


def beat(process_id: str, name: str) -> bool:
    """One report; False when the database did not take it."""
    made = fingerprint.own()
    try:
        report_process(
            process_id=process_id,
            name=name,
            build=made.build,
            fingerprint=made.whole,
            parts=" ".join(made.parts),
            at=utc_now(),
        )
    except Error:
        logger.warning("%s could not report itself", name, exc_info=True)
        return False
    return True


def _run(process_id: str, name: str, ended: threading.Event) -> None:
    while not ended.wait(EVERY_S):
        beat(process_id, name)
        connection.close()
    try:
        forget_process(process_id=process_id)
    except Error:
        logger.info("%s ends without the database; its report grows old by itself", name)
    connection.close()
