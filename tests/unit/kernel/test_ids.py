"""Ids sort by creation, carry their shard, and fit venues."""

from __future__ import annotations

from uuid import RFC_4122, UUID

import pytest

from kernel.ids import SHARDS, cl_ord_id, new_id, new_ids, order_ref, shard_of, shard_of_cl_ord_id
from kernel.texts import id_text, id_texts


def test_new_ids_are_version_seven_and_do_not_repeat() -> None:
    ids = [new_id() for _ in range(2000)]
    assert {one.version for one in ids} == {7}
    assert len(set(ids)) == 2000


def test_ids_made_at_once_are_such_ids_too() -> None:
    before, ids, after = new_id(), new_ids(2000), new_id()
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {RFC_4122}
    assert len(set(ids)) == 2000
    assert [one.int >> 64 for one in ids] == sorted(one.int >> 64 for one in ids)
    assert before.int >> 64 <= ids[0].int >> 64 <= ids[-1].int >> 64 <= after.int >> 64
    assert new_ids(0) == []


def test_an_id_is_written_as_python_writes_it() -> None:
    ids = [UUID(int=0), UUID(int=5), UUID(int=2**128 - 1), *new_ids(100)]
    assert [id_text(one) for one in ids] == id_texts(ids) == [str(one) for one in ids]


def test_ids_of_a_later_millisecond_sort_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.ids.time.time_ns", lambda: 1_700_000_000_000_000_000)
    earlier = new_id()
    monkeypatch.setattr("kernel.ids.time.time_ns", lambda: 1_700_000_000_001_000_000)
    assert new_id() > earlier


def test_a_reference_reads_as_people_say_it() -> None:
    assert order_ref(year=2026, month=11, number=4097) == "O-2611-004097"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_cl_ord_id_carries_its_shard_and_fits_twenty_characters(shard: int) -> None:
    text = cl_ord_id(ref="O-2611-004097", request_seq=12, shard=shard)
    assert shard_of_cl_ord_id(text) == shard
    assert len(text) <= 20


@pytest.mark.parametrize("foreign", [None, "", "X", "Z2611004097.1", "a2611004097.1", "12345"])
def test_a_foreign_cl_ord_id_goes_to_shard_zero(foreign: str | None) -> None:
    assert shard_of_cl_ord_id(foreign) == 0


def test_an_account_has_one_shard() -> None:
    assert shard_of(UUID(int=35)) == 3
