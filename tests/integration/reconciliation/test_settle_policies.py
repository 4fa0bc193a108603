"""What a break stops, from the run that found it to the close: imposed once, enforced by risk's own check, lifted with it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.errors import Invalid
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.check_boundaries import check_boundaries
from orders.services.replace_order import replace_order
from reconciliation.domain import transitions as moves
from reconciliation.models import Break
from reconciliation.services.lift_effects import lift_effects
from reconciliation.services.settle_policies import Settled, settle_policies
from risk.models import Block
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from risk.services.set_blocks import Stop, set_blocks
from tests.factories import AT, give_stock, make_listing
from tests.factories.breaks import make_break, make_run, set_policy, their_fill
from tests.factories.trading import Desk

pytestmark = pytest.mark.django_db
NOTHING = Settled()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def working(desk: Desk) -> Order:
    order = desk.buy()
    desk.send(at=AT)
    desk.say(order, "0", "0")
    order.refresh_from_db()
    return order


def standing() -> list[tuple[str, str, str]]:
    rows = Block.objects.filter(lifted_at__isnull=True, source__startswith="break:").order_by("source", "scope_id")
    return [(row.scope, row.scope_id, row.source) for row in rows]


def close(item: Break, *, at: Any = AT) -> None:
    """As matching closes one whose facts agree."""
    with transaction.atomic():
        lift_effects(break_ids=[item.id], at=at)
        item.refresh_from_db()
        item.close()
        item.closed_as, item.closed_at, item.closing_sentence = "agreed", at, "The facts agree."
        item.save()


def test_the_account_is_blocked_in_the_instrument_and_there_alone(desk: Desk) -> None:
    order = working(desk)
    item = make_break(order)
    assert settle_policies(at=AT, run_id=item.first_run_id) == Settled(changed=1)
    where = f"{order.account_id}:{item.instrument_id}"
    assert standing() == [("position", where, f"break:{item.ref}")]
    refused = desk.buy(outcome="refused").requests.get()
    assert refused.outcome_code == "NO_STANDING_BLOCK"
    assert f"{item.ref}: {item.why}" in refused.outcome_text
    other = make_listing("BARC.L")
    give_stock(desk.world.account, other, "10")
    assert desk.buy(symbol="BARC.L").request_state == "released"


def test_said_twice_and_by_the_sweeper_nothing_changes(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT, run_id=item.first_run_id)
    events = Event.objects.count()
    assert (settle_policies(at=AT, run_id=item.first_run_id), settle_policies(at=AT)) == (NOTHING, NOTHING)
    assert Event.objects.count() == events


def test_what_waits_unsent_does_not_leave_and_a_cancel_does(desk: Desk) -> None:
    order = desk.buy()
    item = make_break(order)
    settle_policies(at=AT)
    request = OrderRequest.objects.get(order=order)
    assert check_boundaries(request_ids=[request.id], at=AT)[request.id].code == "NO_STANDING_BLOCK"
    desk.cancel(order)
    assert item.ref in Block.objects.get(source__startswith="break:").reason


def test_the_block_goes_in_the_transaction_that_closes_the_break(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT)
    with transaction.atomic():
        close(item)
        assert standing() == []
        transaction.set_rollback(True)
    assert len(standing()) == 1
    close(item)
    item.refresh_from_db()
    assert (standing(), item.effect, settle_policies(at=AT)) == ([], "", NOTHING)
    assert desk.buy().request_state == "released"


def test_a_close_that_forgot_its_block_is_healed_by_the_sweeper(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT)
    item.refresh_from_db()
    item.close()
    item.closed_as, item.closed_at = "agreed", AT
    item.save()
    assert settle_policies(at=AT) == Settled(changed=1)
    assert standing() == []


@pytest.mark.parametrize("state", [moves.SUSPECT, moves.RUNNING, moves.FAILED])
def test_a_suspect_or_unfinished_run_imposes_nothing(desk: Desk, state: str) -> None:
    item = make_break(working(desk), run=make_run(state=state))
    assert (settle_policies(at=AT + timedelta(days=2)), standing(), item.effect) == (NOTHING, [], "")


def test_a_suspect_run_lifts_nothing_either(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT)
    Break.objects.filter(id=item.id).update(last_run=make_run(state=moves.SUSPECT))
    assert (settle_policies(at=AT), len(standing())) == (NOTHING, 1)


def test_a_replace_passes_where_only_new_orders_are_stopped(desk: Desk) -> None:
    set_policy("allow_existing")
    order = working(desk)
    item = make_break(order)
    settle_policies(at=AT)
    assert standing() == [("position", f"{order.account_id}:{item.instrument_id}", f"break:{item.ref}:new")]
    desk.buy(outcome="refused")
    asked = replace_order(
        actor=desk.world.dealer, at=AT, idempotency_key="more", route="api", order_id=order.id,
        terms=ReplaceTerms(order_qty=Decimal(1100)),
    )  # fmt: skip
    assert asked.outcome == "released"


def test_a_new_version_of_the_policy_changes_what_stands(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT)
    set_policy("block_account")
    assert settle_policies(at=AT) == Settled(changed=1)
    assert standing() == [("account", str(item.account_id), f"break:{item.ref}")]
    set_policy("nothing")
    settle_policies(at=AT)
    assert standing() == []


def test_the_working_order_ends_through_the_normal_door_when_their_record_names_it(desk: Desk) -> None:
    set_policy("cancel_working")
    order = working(desk)
    make_break(order, theirs=their_fill(order))
    assert settle_policies(at=AT) == Settled(changed=1, canceled=1)
    cancel = OrderRequest.objects.get(order=order, kind="cancel")
    assert (cancel.state, cancel.payload["reason"][:10]) == ("released", "BRK-000001")
    told = Event.objects.get(kind="AnomalyRaised", payload__kind="ORDER_CANCELED_BY_POLICY")
    assert (told.payload["subject_id"], settle_policies(at=AT)) == (str(order.id), NOTHING)
    order.refresh_from_db()
    assert order.is_open  # only the venue's word ends it


@pytest.mark.parametrize("kind", ["executions", "positions"])
def test_without_their_record_or_of_another_kind_nothing_is_canceled(desk: Desk, kind: str) -> None:
    set_policy("cancel_working", kind=kind)
    order = working(desk)
    theirs = their_fill(order) if kind == "positions" else {}
    make_break(order, run=make_run(kind), theirs=theirs)
    assert settle_policies(at=AT) == Settled(changed=1, canceled=0)
    assert not OrderRequest.objects.filter(order=order, kind="cancel").exists()


def test_recovery_stops_the_markets_of_the_session(desk: Desk) -> None:
    set_policy("recovery")
    item = make_break(working(desk))
    settle_policies(at=AT)
    assert standing() == [("venue", "XLON", f"break:{item.ref}")]
    desk.buy(outcome="refused")
    close(item)
    assert standing() == []


def test_who_is_not_known_is_told_once_and_no_longer_when_it_is(desk: Desk) -> None:
    item = make_break()
    settle_policies(at=AT)
    settle_policies(at=AT)
    item.refresh_from_db()
    assert (item.effect, standing()) == ("nobody_to_block", [])
    kinds = [event.kind for event in Event.objects.filter(payload__kind="BREAK_NOBODY_TO_BLOCK").order_by("position")]
    assert kinds == ["AnomalyRaised"]
    order = working(desk)
    Break.objects.filter(id=item.id).update(account_id=order.account_id)
    settle_policies(at=AT)
    assert standing() == [("account", str(order.account_id), f"break:{item.ref}")]
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="BREAK_NOBODY_TO_BLOCK").count() == 1


def test_it_is_told_as_late_once_at_its_second(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT)
    late = AT + timedelta(minutes=15)
    assert settle_policies(at=late - timedelta(seconds=1)) == NOTHING
    assert (settle_policies(at=late), settle_policies(at=late)) == (Settled(escalated=1), NOTHING)
    told = Event.objects.get(kind="AnomalyRaised", payload__kind="RECONCILIATION_BREAK")
    assert (told.payload["severity"], told.payload["dedupe_key"]) == ("high", f"break:{item.key}")


def test_nobody_lifts_or_imposes_a_block_of_a_break_by_hand(desk: Desk) -> None:
    item = make_break(working(desk))
    settle_policies(at=AT)
    scope, scope_id, source = standing()[0]
    person = desk.world.dealer
    actor = type(person)(
        user_id=person.user_id, username="ops", actor=person.actor, persona="ops", rights=frozenset({"impose_block"})
    )
    with pytest.raises(Invalid, match="stands and falls with the break"):
        lift_block(actor=actor, at=AT, scope=scope, scope_id=scope_id, source=source, reason="let me")
    with pytest.raises(Invalid, match="stands and falls with the break"):
        impose_block(actor=actor, at=AT, scope=scope, scope_id=scope_id, source="break:BRK-9", reason="mine")
    assert item.ref in source
    assert len(standing()) == 1


def test_hundreds_are_settled_late_and_lifted_by_a_handful_of_statements(desk: Desk) -> None:
    order = working(desk)
    run = make_run()
    known = [make_break(order, run=run) for _ in range(30)]
    unknown = [make_break(run=run) for _ in range(10)]
    for item in unknown[5:]:
        Break.objects.filter(id=item.id).update(account_id=order.account_id)
    with CaptureQueriesContext(connection) as asked:
        assert settle_policies(at=AT, run_id=run.id, batch=25) == Settled(changed=40)
    assert len(asked) < 60
    where = f"{order.account_id}:{known[0].instrument_id}"
    assert set(standing()) == {("position", where, f"break:{item.ref}") for item in known} | {
        ("account", str(order.account_id), f"break:{item.ref}") for item in unknown[5:]
    }
    told = Event.objects.filter(kind="BreakEffectChanged")
    assert (told.count(), Event.objects.filter(kind="BlockImposed", payload__source__startswith="break:").count()) == (
        40,
        35,
    )
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="BREAK_NOBODY_TO_BLOCK").count() == 5
    assert settle_policies(at=AT + timedelta(days=2)) == Settled(escalated=40)
    with CaptureQueriesContext(connection) as asked:
        assert lift_effects(break_ids=[item.id for item in known + unknown], at=AT) == 40
    assert len(asked) < 20
    assert standing() == []
    assert Event.objects.filter(kind="BlockLifted", payload__source__startswith="break:").count() == 35


@pytest.mark.parametrize(
    ("source", "stop"),
    [
        ("kill_switch", Stop("account", "1", "kill_switch", "why")),
        ("break:BRK-1", Stop("account", "1", "break:BRK-2", "why")),
        ("break:BRK-1", Stop("firm", "", "break:BRK-1", "why")),
        ("break:BRK-1", Stop("account", "1", "break:BRK-1", " ")),
    ],
)
def test_many_blocks_at_once_are_set_for_breaks_alone_and_whole(source: str, stop: Stop) -> None:
    with pytest.raises(Invalid) as refused:
        set_blocks(actor=process_principal("x"), at=AT, sources=[source], stops=[stop], lifted={source: "why"})
    assert (refused.value.code, Block.objects.count(), Event.objects.count()) == ("BLOCK_INVALID", 0, 0)
