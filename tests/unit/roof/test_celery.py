"""Which queue a background task waits in: a task of a room that no line routes would stand before the desk's own work."""

from __future__ import annotations

from oms_project.celery import app
from oms_project.house.roles import QUEUES


def queue_of(name: str) -> str:
    """The queue that a task sent by its name goes to."""
    return str(app.amqp.router.route({}, name)["queue"].name)


def test_every_task_waits_in_a_queue_that_the_worker_reads_and_none_before_the_desks_work() -> None:
    app.loader.import_default_modules()
    ours = {name: queue_of(name) for name in app.tasks if not name.startswith("celery.")}

    assert {"allocations.issue_notes", "orders.work_upload", "operations.prove_invariants"} <= set(ours)
    assert {name for name, queue in ours.items() if queue != "batch"} == {
        name for name in ours if name.startswith("allocations.")
    }
    assert set(ours.values()) == {"batch", "post_trade"}
    assert set(ours.values()) < set(QUEUES.split(","))


def test_what_the_clock_starts_is_a_task_that_exists() -> None:
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
