"""Wake-ups arrive once a commit, survive a lost connection; a singleton is one, and knows when it is not."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import transaction

from journal.locks import require_fence
from journal.models import IdempotencyKey, Lease
from journal.notify import Ear, dedicated_connection, notify
from journal.services.append_to_stream import append_to_stream
from journal.services.purge_keys import purge_keys
from journal.services.store_answer import store_answer
from journal.singleton import Singleton
from kernel.errors import Unavailable
from tests.factories.journal import AT, draft

pytestmark = pytest.mark.django_db(transaction=True)
NEVER = threading.Event()


def cut(like: str) -> None:
    """End the connections of that name, as a failing network would."""
    with dedicated_connection("scissors") as scissors:
        scissors.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [like],
        )


def _notify_and_roll_back(channel: str) -> None:
    with transaction.atomic():
        notify(channel)
        transaction.set_rollback(True)


def test_a_commit_wakes_once_and_a_rollback_never() -> None:
    ear = Ear(["oms_events", "oms_wire_X"])
    assert ear.wait(0, NEVER)
    with transaction.atomic():
        append_to_stream(drafts=[draft()], at=AT)
        append_to_stream(drafts=[draft()], at=AT)
        assert not ear.wait(0.05, NEVER)
    assert ear.wait(2, NEVER)
    assert not ear.wait(0.05, NEVER)
    _notify_and_roll_back("oms_events")
    assert not ear.wait(0.05, NEVER)
    with transaction.atomic():
        _notify_and_roll_back("oms_wire_X")
        notify("oms_wire_X")
    assert ear.wait(2, NEVER)
    ear.close()


def test_a_lost_connection_counts_as_a_wake_up_and_is_replaced() -> None:
    ear = Ear(["oms_events"])
    ear.wait(0, NEVER)
    cut("oms ear")
    assert ear.wait(0.2, NEVER)
    assert ear.wait(0.2, NEVER)
    notify()
    assert ear.wait(2, NEVER)
    ear.close()


def test_stop_ends_a_wait_soon() -> None:
    ear, stop = Ear(["oms_events"]), threading.Event()
    ear.wait(0, stop)
    threading.Timer(0.1, stop.set).start()
    begun = time.monotonic()
    assert not ear.wait(30, stop)
    assert time.monotonic() - begun < 1
    ear.close()


def test_a_singleton_is_one_and_its_fence_grows() -> None:
    first, second = Singleton("picture"), Singleton("picture")
    assert first.take()
    assert not second.take()
    other = Singleton("relay")
    assert other.take()
    other.release()
    assert first.held()
    require_fence("picture", first.fence)
    cut("oms singleton picture")
    assert not first.held()
    assert second.take()
    assert second.fence == first.fence + 1
    with pytest.raises(Unavailable) as lost:
        require_fence("picture", first.fence)
    assert lost.value.code == "SINGLETON_LOST"
    second.release()
    assert first.take()
    assert Lease.objects.get(name="picture").fence == first.fence == second.fence + 1
    first.release()
    assert not first.held()


def test_old_keys_are_forgotten_in_slices() -> None:
    for day in range(5):
        at = AT - timedelta(days=28 + day)
        store_answer(principal="p", route="r", key=str(day), payload_hash="h", status=201, answer=None, at=at)
    assert purge_keys(at=AT, limit=1) == 1
    assert purge_keys(at=AT) == 1
    assert sorted(IdempotencyKey.objects.values_list("key", flat=True)) == ["0", "1", "2"]
    with pytest.raises(ValueError, match="at least 30"):
        purge_keys(at=AT, older_than_days=29)


def test_a_holder_that_is_silent_longer_than_its_lease_is_cut_off() -> None:
    frozen, next_one = Singleton("gateway", lease_s=0.3), Singleton("gateway", lease_s=30)
    assert frozen.take()
    assert not next_one.take()
    time.sleep(0.2)
    assert frozen.held()
    time.sleep(0.2)
    assert not next_one.take(), "the lease was renewed"
    time.sleep(0.2)
    assert not next_one.take(), "this call only ends the holder's connection"
    patience = time.monotonic() + 10  # the server lets go of the lock when the ended backend next looks up
    while not next_one.take():
        assert time.monotonic() < patience, "the holder's lock outlives its connection"
    assert not frozen.held()
    assert next_one.held()
    assert next_one.fence == frozen.fence + 1
    next_one.release()
