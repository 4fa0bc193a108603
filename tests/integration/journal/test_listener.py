"""A listener moves its cursor with its effect; poison is set aside and the rest goes on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import OperationalError

from journal.domain.records import EventRecord
from journal.models import Cursor, Event, SetAside
from journal.selectors import list_cursor_lags
from journal.services.append_to_stream import append_to_stream
from journal.services.run_listener import run_listener
from kernel.errors import Unavailable
from tests.factories.journal import AT, draft

pytestmark = pytest.mark.django_db


class Ears:
    """A handler that keeps what it heard and chokes on some kinds."""

    def __init__(self, *poison: str, error: type[Exception] = ValueError) -> None:
        self.poison, self.error = poison, error
        self.heard: list[str] = []
        self.calls = 0

    def __call__(self, events: Sequence[EventRecord]) -> None:
        self.calls += 1
        for event in events:
            if event.kind in self.poison:
                raise self.error(f"cannot work {event.kind}")
        self.heard += [event.kind for event in events]


def write(count: int, stream: str = "s") -> None:
    append_to_stream(drafts=[draft(stream, kind=f"K{i}") for i in range(count)], at=AT)


def run(ears: Ears, **changes: object) -> tuple[int, int, bool]:
    done = run_listener(name="ears", kinds=None, handle=ears, at=AT, **changes)  # type: ignore[arg-type]
    return done.handled, done.set_aside, done.more


def test_slices_follow_each_other_and_kinds_are_chosen() -> None:
    write(7)
    ears = Ears()
    assert [run(ears, limit=3) for _ in range(4)] == [(3, 0, True), (3, 0, True), (1, 0, False), (0, 0, False)]
    assert ears.heard == [f"K{i}" for i in range(7)]
    some = Ears()
    done = run_listener(name="some", kinds=["K2", "K5"], handle=some, at=AT)
    assert some.heard == ["K2", "K5"]
    last = Event.objects.order_by("-position")[0].position
    assert done.position == Cursor.objects.get(name="some").position == last
    run_listener(name="some", kinds=["K2"], handle=some, at=AT)
    assert some.calls == 1


def test_poison_is_set_aside_alone_with_an_anomaly() -> None:
    write(16)
    ears = Ears("K3", "K4", "K11")
    assert run(ears)[:2] == (13, 3)
    assert ears.heard == [f"K{i}" for i in range(16) if i not in (3, 4, 11)]
    kept = list(SetAside.objects.order_by("position"))
    assert sorted(row.payload["kind"] for row in kept) == ["K11", "K3", "K4"]
    assert {row.source for row in kept} == {"ears"}
    assert kept[0].payload["payload"] == {"order_qty": "100"}
    raised = Event.objects.filter(kind="AnomalyRaised")
    assert sorted(event.payload["evidence"]["reason"] for event in raised) == [
        f"ValueError: cannot work {kind}" for kind in ("K11", "K3", "K4")
    ]
    assert run(ears)[:2] == (3, 0)
    assert ears.heard[-3:] == ["AnomalyRaised"] * 3


def test_the_listener_of_anomalies_does_not_breed_them() -> None:
    write(1)
    ears = Ears("K0", "AnomalyRaised")
    for _ in range(6):
        run(ears)
    assert SetAside.objects.count() == 2
    assert Event.objects.filter(kind="AnomalyRaised").count() == 1


@pytest.mark.parametrize("error", [OperationalError, lambda text: Unavailable("DOWN", text)])
def test_what_passes_by_itself_is_nobodys_poison(error: type[Exception]) -> None:
    write(3)
    with pytest.raises((OperationalError, Unavailable)):
        run(Ears("K1", error=error))
    assert not SetAside.objects.exists()
    assert not Cursor.objects.filter(position__gt=0).exists()
    ears = Ears()
    assert run(ears)[0] == 3


def test_a_listener_that_fails_on_everything_stops() -> None:
    write(30)
    with pytest.raises(Unavailable) as stopped:
        run(Ears(*[f"K{i}" for i in range(30)]))
    assert stopped.value.code == "LISTENER_FAILING"
    assert SetAside.objects.count() == 20


def test_nothing_to_do_writes_nothing() -> None:
    write(5)
    before = Event.objects.order_by("position")[0].position - 1  # other tests have drawn positions too
    Cursor.objects.create(name="idle", position=before)
    idle = Ears()
    done = run_listener(name="idle", kinds=["Other"], handle=idle, at=AT)
    assert (done.handled, done.position, idle.calls) == (0, before, 0)
    assert Cursor.objects.get().position == before
    write(1000, "many")
    done = run_listener(name="idle", kinds=["Other"], handle=idle, at=AT)
    assert done.position == Cursor.objects.get().position == Event.objects.order_by("-position")[0].position
    assert idle.calls == 0


def test_lag_counts_only_what_one_listens_to() -> None:
    write(5)
    run_listener(name="a", kinds=["K1"], handle=Ears(), at=AT)
    write(5, "t")
    lags = list_cursor_lags({"a": ("K1", "K2"), "b": ("K4",)}, at=AT)
    assert [(lag.name, lag.depth, lag.oldest_s) for lag in lags] == [("a", 2, 0.0), ("b", 2, 0.0)]
