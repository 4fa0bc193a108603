"""Several at once about the same trades: exactly one state, nothing lost, whoever is first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from allocations.locks import lock_counterparties
from allocations.models import Confirmation, CounterpartyRecord
from allocations.services import on_post_trade_received
from allocations.services.affirm_confirmation import affirm_confirmation
from allocations.services.on_allocated_confirm import confirm_blocks
from allocations.services.on_post_trade_received import RECEIVED, take_records
from allocations.services.record_counterparty import Told
from journal.domain.chain import verify_chain
from journal.models import Event
from journal.selectors import stream_events
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict
from kernel.ids import new_id
from kernel.post_trade import PostTradeMessage, TransType, to_json
from tests.concurrency.threads import together
from tests.factories import AT, make_principal
from tests.factories.allocations import reversed_block
from tests.factories.confirming import (
    PARTY,
    ConfirmingWorld,
    allow,
    confirming_world,
    event,
    records,
    their_confirmation,
)

pytestmark = pytest.mark.django_db(transaction=True)


@transaction.atomic
def made(*shares: int) -> ConfirmingWorld:
    return confirming_world(shares)


def worker_of(*messages: PostTradeMessage) -> Callable[[], None]:
    """One worker with its slice of events, appended beforehand."""
    drafts = [
        event(RECEIVED, f"post-trade:{PARTY}", to_json(one) | {"wire_message_id": f"{new_id()}", "session": "T1-A"}, AT)
        for one in messages
    ]
    append_to_stream(drafts=drafts, at=AT)
    slice_ = records([draft.id for draft in drafts])

    @transaction.atomic
    def work() -> None:
        on_post_trade_received.handle(slice_)

    return work


def from_file(*messages: PostTradeMessage) -> Callable[[], int]:
    """The same as lines of a file."""

    @transaction.atomic
    def work() -> int:
        lock_counterparties([PARTY])
        told = [Told(one, f"file:sum:{place}", new_id()) for place, one in enumerate(messages)]
        return take_records(PARTY, told, at=AT)

    return work


def sound(world: ConfirmingWorld) -> None:
    """The chain of the block holds, and its last word about each confirmation is the state it has."""
    stream = f"confirmations:{world.made.block.id}"
    assert verify_chain(stream_events(stream)) == []
    last: dict[str, str] = {}
    for one in Event.objects.filter(stream=stream).order_by("seq"):
        for line in one.payload["confirmations"]:
            last[line["ref"]] = one.kind.removeprefix("Confirmations").lower()
    said = {"made": "waiting"}
    assert {ref: said.get(word, word) for ref, word in last.items()} == world.states()


def test_two_workers_and_a_file_with_the_same_counterpartys_words_agree_on_one_state() -> None:
    """Each confirmation comes by two workers and a file at once; the third account's only wrongly, then replaced by one of them."""
    with transaction.atomic():
        allow("*", auto_affirm=True)
    world = made(100, 200, 300)
    said = [their_confirmation(world, place) for place in range(3)]
    wrong = replace(said[2], accounts=(replace(said[2].accounts[0], net=said[2].accounts[0].qty),))
    mended = replace(
        said[2], ref="K-2b", ref_of="K-2", trans_type=TransType.REPLACE, transact_at=AT + timedelta(minutes=5)
    )
    works = [worker_of(said[0], said[1], wrong), worker_of(said[1], said[0], mended), from_file(said[0], said[1])]
    assert [one for one in together(works) if isinstance(one, Exception)] == []
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "affirmed", "C-1002-1": "affirmed"}
    rows = CounterpartyRecord.objects.filter(state="paired").values_list("their_ref", "confirmation__ref")
    assert sorted(rows) == [("K-0", "C-1000-1"), ("K-1", "C-1001-1"), ("K-2b", "C-1002-1")]
    assert CounterpartyRecord.objects.count() == 8
    sound(world)


@pytest.mark.parametrize("round_", [1, 2])
def test_a_person_affirms_while_what_it_confirms_is_undone(round_: int) -> None:
    world = made(100, 200)
    world_said = [their_confirmation(world, place) for place in (0, 1)]
    worker_of(*world_said)()
    actor = make_principal(
        "ops", role="ops", rights=("work_post_trade",), desks=(world.desk.desk,), groups=(world.desk.group,), persona="operations"
    )  # fmt: skip
    ids = list(Confirmation.objects.values_list("id", flat=True))
    with transaction.atomic():
        reversed_block(world.made, at=AT)

    def affirm() -> object:
        return affirm_confirmation(
            actor=actor, at=AT, idempotency_key="k", route="test", confirmation_ids=ids, reason=""
        )

    @transaction.atomic
    def undo() -> None:
        confirm_blocks([world.made.block.id], at=AT)

    answers = together([affirm, undo] if round_ == 1 else [undo, affirm])
    failed = [one for one in answers if isinstance(one, Exception)]
    assert set(world.states().values()) == {"canceled"}
    told = Event.objects.filter(kind="AnomalyRaised", payload__kind="CONFIRMATION_UNDONE").count()
    affirmed = Confirmation.objects.exclude(affirmed_at=None).count()
    if failed:
        assert isinstance(failed[0], Conflict)
        assert (failed[0].code, told, affirmed) == ("CONFIRMATION_STATE", 0, 0)
    else:
        assert (told, affirmed) == (1, 2)  # both had agreed, and somebody is told that it is undone
    sound(world)
