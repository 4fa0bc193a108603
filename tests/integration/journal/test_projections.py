"""Snapshots and versions of projections: another version is built beside the one in force and takes its place in one step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from journal.domain.chain import EventDraft
from journal.domain.projecting import Happening
from journal.models import ProjectionInForce, Snapshot
from journal.selectors import Horizon
from journal.selectors.happenings import version_in_force
from journal.services import swap_projection as swapping
from journal.services.advance_projection import advance_projection
from journal.services.append_to_stream import append_to_stream
from journal.services.load_snapshot import load_snapshot
from journal.services.rebuild_projection import rebuild_projection
from journal.services.store_snapshot import KEPT, store_snapshot
from journal.services.swap_projection import swap_projection
from tests.factories.journal import AT, draft

pytestmark = pytest.mark.django_db(transaction=True)


class Kinds:
    """How many events of each kind there were."""

    name = "kinds"
    version = 1
    condensing = None

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def apply(self, event: Happening) -> bool:
        self.counts[event.kind] += 1
        return True

    def restore(self, events: Iterable[Happening]) -> None:
        raise AssertionError("never asked for")

    def body(self) -> dict[str, Any]:
        return dict(self.counts)

    def load(self, body: Mapping[str, Any]) -> None:
        self.counts = Counter(body)


class KindsByStream(Kinds):
    """The next version of it keeps something else, in another shape."""

    version = 2

    def apply(self, event: Happening) -> bool:
        self.counts[f"{event.stream} {event.kind}"] += 1
        return True


def happen(count: int, kind: str = "Thing") -> None:
    drafts: list[EventDraft] = [draft(f"a:{n % 3}", kind) for n in range(count)]
    append_to_stream(drafts=drafts, at=AT)


def advanced(projection: Kinds, position: int) -> int:
    return advance_projection(projection=projection, position=position, up_to=Horizon().position())


def test_a_start_reads_the_snapshot_and_what_came_after_it() -> None:
    happen(5)
    kept = Kinds()
    position = advanced(kept, 0)
    size = store_snapshot(projection=kept, position=position, at=AT)
    assert size == len(b'{"Thing":5}')
    happen(2, "Other")
    again = Kinds()
    assert load_snapshot(projection=again, at=AT) == position
    assert again.counts == {"Thing": 5}
    advanced(again, position)
    assert again.counts == {"Thing": 5, "Other": 2}


def test_only_the_latest_of_a_version_are_kept() -> None:
    for position in range(1, 7):
        store_snapshot(projection=Kinds(), position=position, at=AT)
    store_snapshot(projection=KindsByStream(), position=9, at=AT)
    kept = list(Snapshot.objects.filter(version=1).order_by("position").values_list("position", flat=True))
    assert kept == [4, 5, 6][-KEPT:]
    assert load_snapshot(projection=Kinds(), at=AT) == 6
    assert load_snapshot(projection=KindsByStream(), at=AT) == 9


def test_another_version_is_built_beside_and_takes_its_place_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    happen(7)
    live = Kinds()
    position = advanced(live, 0)
    swap_projection(projection=live, position=position, at=AT)
    assert version_in_force("kinds") == 1

    def dies(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("killed between the snapshot and the pointer")

    with monkeypatch.context() as patch:
        patch.setattr(swapping, "insert_rows", dies)
        with pytest.raises(RuntimeError):
            rebuild_projection(projection=KindsByStream(), at=AT)
    assert version_in_force("kinds") == 1
    assert not Snapshot.objects.filter(version=2).exists()
    happen(2)
    position = advanced(live, position)
    assert live.counts == {"Thing": 9}, "the one in force went on"

    built = KindsByStream()
    assert rebuild_projection(projection=built, at=AT, slice_=2) == position
    assert version_in_force("kinds") == 2
    assert ProjectionInForce.objects.count() == 1
    assert built.counts == {"a:0 Thing": 4, "a:1 Thing": 3, "a:2 Thing": 2}
    started = KindsByStream()
    assert load_snapshot(projection=started, at=AT) == position
    assert started.counts == built.counts
    older = Kinds()
    assert load_snapshot(projection=older, at=AT) < position
    assert older.counts == {"Thing": 7}, "each version starts from its own snapshots only"
