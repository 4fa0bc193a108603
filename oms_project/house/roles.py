"""What each process of the house does. ``python -m oms_project.house.roles NAME`` runs one alone, on any machine.

The supervisor imports Django once and forks these; alone they are the production entry points. A role that loops is a
function ``run(stop, **options)`` of its room: it returns soon after ``stop`` is set.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from oms_project.house import database, processes, steps
from oms_project.house.failures import BAD_INPUT, BadInput

WEB_WORKERS = 2
WEB_THREADS = 4
MOST_CONSUMERS = 16
QUEUES = "routing,post_trade,batch"
SILENT = ("venues.simulator", "allocations.custodian")  # they are outside the house


@dataclass(frozen=True, slots=True)
class Role:
    """``serve`` runs until told to stop; ``database_role`` is whom it connects as; ``demo`` ones never run live."""

    name: str
    serve: Callable[[], int | None]
    database_role: str = database.APP
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Loop:
    """Runs ``<module>.run(stop, **options)``; SIGTERM and SIGINT set ``stop``."""

    module: str
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> int:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        from oms_project.house.beating import start_beating

        end_beating = start_beating(self.name) if self.module not in SILENT else None
        try:
            importlib.import_module(self.module).run(stop, **self.options)
        finally:
            if end_beating is not None:
                end_beating()
        return 0

    @property
    def name(self) -> str:
        """As the process reports itself: its module, and which of several it is."""
        which = self.options.get("group") or (self.options.get("number", 1) > 1 and self.options["number"])
        return self.module.rpartition(".")[2] + (f"-{which}" if which else "")


def _web_worker() -> None:
    """After its fork: no thread of its master lives in it, so it reports itself."""
    from oms_project.house.beating import start_beating

    processes.die_with_parent(signal.SIGTERM)
    start_beating("web")


def serve_web() -> int:
    """Pages and API: two WSGI workers with threads."""
    from django.conf import settings
    from gunicorn.app.base import BaseApplication

    class Web(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            memory = Path("/dev/shm")  # noqa: S108 - heartbeat files of the workers, never on a slow disk
            options = {
                "bind": [f"127.0.0.1:{settings.WEB_PORT}"],
                "workers": WEB_WORKERS,
                "threads": WEB_THREADS,
                "worker_class": "gthread",
                "timeout": 60,
                "graceful_timeout": 5,
                "keepalive": 30,
                "control_socket_disable": True,
                "worker_tmp_dir": str(memory) if os.access(memory, os.W_OK) else None,
                "post_fork": lambda server, worker: _web_worker(),
                "loglevel": "warning",
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> object:
            from oms_project.wsgi import application

            return application

    Web().run()
    return 0


def serve_stream() -> int:
    """Server-sent events: ASGI, one process, no access log."""
    import uvicorn
    from django.conf import settings

    uvicorn.run(
        "operations.stream:application",
        host="127.0.0.1",
        port=settings.STREAM_PORT,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    return 0


def serve_worker() -> int:
    """Celery worker with the beat inside; its pool and beat processes die with it."""
    from celery import signals
    from django.conf import settings

    from oms_project.celery import app
    from oms_project.house.beating import start_beating

    def report(**_: object) -> None:
        start_beating("worker")

    def die_too(**_: object) -> None:
        processes.die_with_parent(signal.SIGKILL)

    signals.worker_process_init.connect(die_too, weak=False)
    signals.worker_process_init.connect(report, weak=False)
    signals.beat_embedded_init.connect(die_too, weak=False)
    schedule = Path(settings.VAR_DIR) / "run" / "celerybeat-schedule"
    options = ["-B", "-s", str(schedule), "--concurrency=2", "--loglevel=WARNING", "--pidfile="]
    app.worker_main(["worker", "-Q", QUEUES, "--without-gossip", "--without-mingle", *options])
    return 0


def gateway(group: str) -> Role:
    """The process that speaks FIX for one session group, and alone may record hand-overs."""
    return Role(f"gateway-{group}", Loop("venues.gateway", {"group": group}), database.GATEWAY)


def inbox_consumers() -> int:
    """How many processes work the inbox: OMS_INBOX_CONSUMERS, two when absent."""
    text = os.environ.get("OMS_INBOX_CONSUMERS", "").strip() or "2"
    if not text.isdigit() or not 1 <= int(text) <= MOST_CONSUMERS:
        raise BadInput(f"OMS_INBOX_CONSUMERS is {text!r}; it must be a number from 1 to {MOST_CONSUMERS}.")
    return int(text)


def inbox(number: int) -> Role:
    """One of the inbox's consumers: ``inbox``, ``inbox-2`` … Each takes its own shards first, then what is left."""

    def serve() -> int:
        count = max(inbox_consumers(), number)
        return Loop("venues.inbox", {"number": number, "count": count})()

    return Role("inbox" if number == 1 else f"inbox-{number}", serve)


FIXED: tuple[Role, ...] = (
    Role("web", serve_web),
    Role("stream", serve_stream, database.READ),
    Role("worker", serve_worker),
    Role("relay", Loop("oms_project.relay")),
    Role("picture", Loop("operations.picture")),
    inbox(1),
    Role("prices", Loop("refdata.feeds")),
    Role("webhooks", Loop("outbound.deliverer")),
    Role("simulator", Loop("venues.simulator"), demo=True),
    Role("custodian", Loop("allocations.custodian"), demo=True),
    Role("flow", Loop("oms_project.demo_flow"), demo=True),
)


def find_role(name: str) -> Role | None:
    """The role called ``name``; ``gateway-<group>`` for any group, ``inbox-<number>`` for further consumers."""
    if name.startswith("gateway-"):
        return gateway(name.removeprefix("gateway-"))
    number = name.removeprefix("inbox-")
    if number != name and number.isdigit() and 2 <= int(number) <= MOST_CONSUMERS:
        return inbox(int(number))
    return next((role for role in FIXED if role.name == name), None)


def main(arguments: list[str]) -> int:
    """Run one role in this process, with the settings of the environment."""
    role = find_role(arguments[0]) if len(arguments) == 1 else None
    if role is None:
        names = ", ".join(role.name for role in FIXED)
        print(f"oms: one role is needed: {names}, gateway-GROUP, inbox-NUMBER.", file=sys.stderr)
        return BAD_INPUT
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms_project.settings")
    django.setup()
    processes.name_process(f"oms-{role.name}")
    if role.name == "relay":  # where every role runs apart, the start of the house is the relay's
        steps.begin_comparing()
    return role.serve() or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
