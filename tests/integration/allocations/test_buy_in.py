"""A buy-in from its mark to its end: each step by two people, refused where it cannot be, over when the stock comes after all."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import Booking
from allocations.models import BuyIn, SettlementInstruction
from allocations.services.ask_buy_in import ask_buy_in
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.watch_settlements import watch_settlements
from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Invalid, NotFound, OmsError
from operations.approving import KINDS
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.allocations import BookedWorld, booked_block, reversed_block
from tests.integration.allocations.test_settlement import line, raised, say, standing
from tests.integration.allocations.test_standing_instructions import decide, keeper

pytestmark = pytest.mark.django_db
D = Decimal
LATE = datetime(2026, 11, 25, 0, 1, tzinfo=AT.tzinfo)
MARK = datetime(2026, 11, 26, 0, 1, tzinfo=AT.tzinfo)


@pytest.fixture
def failed(tmp_path: Path, settings: Any) -> tuple[DeskWorld, BookedWorld]:
    """A sale of a thousand that was to be delivered on the 24th; the rule of its market is changed to one day."""
    settings.VAR_DIR = tmp_path
    desk = make_desk()
    made = booked_block(desk, [(desk.account, 1000)], side="2")
    standing(desk, desk.account)
    handle(made.events)
    instruct_settlements(at=AT)
    say(line("S1000-1", "partial", "P", "400", "289.80"), at=datetime(2026, 11, 24, 13, tzinfo=AT.tzinfo))
    return desk, made


def row() -> SettlementInstruction:
    return SettlementInstruction.objects.get()


def ask(desk: DeskWorld, step: str, *, key: str = "", at: datetime = LATE, reason: str = "test", **said: str) -> Any:
    return ask_buy_in(
        actor=keeper(desk), at=at, idempotency_key=key or step, route="test", ref="S1000-1", said={"step": step} | said, reason=reason
    ).authorisation_id  # fmt: skip


def take(desk: DeskWorld, step: str, **said: Any) -> str:
    return str(decide(desk, ask(desk, step, **said)).outcome)


def test_initiated_executed_and_the_difference_is_named_each_by_two_people(
    failed: tuple[DeskWorld, BookedWorld],
) -> None:
    desk, _ = failed
    with pytest.raises(OmsError, match="Only what fails"):
        ask(desk, "initiate", key="early", qty="600", agent="BROKER")
    assert watch_settlements(at=LATE) == 1
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"qty": "601", "agent": "BROKER"}, "BUY_IN_REFUSED"), ({"qty": "0", "agent": "B"}, "BUY_IN_INVALID"),
        ({"qty": "5", "agent": ""}, "BUY_IN_INVALID"),
    ]  # fmt: skip
    for said, code in wrong:
        with pytest.raises(OmsError) as caught:
            ask(desk, "initiate", key=f"x{said}"[:60], **said)
        assert caught.value.code == code
    with pytest.raises(OmsError, match="No buy-in of it is open"):
        ask(desk, "execute", qty="1", amount="1", reference="R", bearer="house")
    with pytest.raises(NotFound):
        ask_buy_in(
            actor=keeper(make_desk("EQ9", symbol="BARC.L", last="240")), at=LATE, idempotency_key="o", route="test",
            ref="S1000-1", said={"step": "withdraw"}, reason="x",
        )  # fmt: skip

    request = ask(desk, "initiate", qty="600", agent="BROKER")
    with pytest.raises(OmsError, match="waits for a second person already"):
        ask(desk, "initiate", key="again", qty="1", agent="BROKER")
    assert (BuyIn.objects.count(), row().buy_in) == (0, "")
    facts = AuthorisationRequest.objects.get(pk=request)
    assert (facts.desk_id, facts.group_id) == (desk.desk.pk, desk.group.pk)
    assert decide(desk, request).outcome == "applied"
    assert (row().buy_in, BuyIn.objects.get().state) == ("started", "initiated")

    with pytest.raises(Invalid):
        ask(desk, "execute", key="minor", qty="600", amount="450.123", reference="O-77", bearer="account")
    with pytest.raises(Invalid, match="Who bears"):
        ask(desk, "execute", key="bearer", qty="600", amount="450.00", reference="O-77", bearer="nobody")
    # A house without an error account cannot bear anything: nothing is done, nothing booked.
    assert (
        take(desk, "execute", key="house", qty="600", amount="450.00", reference="O-77", bearer="house")
        == "not_applied"
    )
    assert (BuyIn.objects.get().state, Booking.objects.filter(kind="claim").count()) == ("initiated", 0)
    request = ask(desk, "execute", qty="600", amount="450.00", reference="O-77", bearer="account")
    describe = KINDS["post_trade_rules"].describe
    assert describe is not None
    from authorisation.selectors import get_request

    effect = describe(keeper(desk, second=True), get_request(keeper(desk, second=True), request, at=LATE).facts, LATE)
    assert (effect.lines[0].label, effect.lines[0].now, effect.lines[0].then) == ("Buy-in", "initiated", "executed")
    assert effect.obstacle == ""
    decided = decide(desk, request)
    # 600 of the 1,000 that were to bring 724.50 are 434.70: buying them cost 15.30 more.
    assert decided.sentence.endswith(f"It cost 15.3 GBP beyond what was instructed, borne by {desk.account.code}.")
    booked = Booking.objects.get(kind="claim")
    assert (booked.account_id, booked.layer, booked.amount) == (desk.account.id, "settled", D("-15.30"))
    one = BuyIn.objects.get()
    assert (one.state, one.done_qty, one.amount, one.difference, one.reference) == (
        "executed", D(600), D("450.00"), D("15.30"), "O-77"
    )  # fmt: skip
    assert row().buy_in == "executed"
    assert [e.payload["state"] for e in Event.objects.filter(kind="BuyInMoved").order_by("position")] == [
        "initiated",
        "executed",
    ]
    for change in ({"state": "initiated"}, {"qty": 5}):
        with pytest.raises(DatabaseError), transaction.atomic():
            BuyIn.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        BuyIn.objects.all()._raw_delete("default")


def test_cash_in_its_place_and_a_step_that_came_too_late(failed: tuple[DeskWorld, BookedWorld]) -> None:
    desk, _ = failed
    watch_settlements(at=LATE)
    assert take(desk, "initiate", qty="600", agent="BROKER") == "applied"
    late = ask(desk, "compensate", amount="25.00", reference="Agreed by mail", bearer="account")
    SettlementInstruction.objects.update(reason="x")
    assert decide(desk, late).outcome == "applied"
    assert (row().buy_in, BuyIn.objects.get().difference) == ("cash", D("25.00"))
    assert take(desk, "initiate", key="second", qty="600", agent="BROKER") == "applied"
    waiting = ask(desk, "execute", qty="600", amount="450.00", reference="O-1", bearer="account")
    say(
        line("S1000-1", "settled", "Q", "600", "434.70", at="2026-11-25T09:00:00Z"),
        at=datetime(2026, 11, 25, 10, tzinfo=AT.tzinfo),
    )
    ended = BuyIn.objects.order_by("initiated_at", "id").last()
    assert ended is not None
    assert (row().state, row().buy_in, ended.state, ended.reason) == ("settled", "", "withdrawn", "It has settled.")
    assert decide(desk, waiting).outcome == "not_applied"


def test_called_off_it_is_marked_anew_and_undone_it_ends(failed: tuple[DeskWorld, BookedWorld]) -> None:
    desk, _ = failed
    watch_settlements(at=LATE)
    SettlementInstruction.objects.update(buy_in_on=date(2026, 11, 26))
    assert watch_settlements(at=MARK) == 1
    assert row().buy_in == "due"
    assert raised("SETTLEMENT_FAILED")[-1].endswith("Its buy-in is due, by the rule of XLON since 2026-11-26.")
    assert take(desk, "initiate", qty="600", agent="BROKER") == "applied"
    assert watch_settlements(at=MARK) == 0
    assert take(desk, "withdraw") == "applied"
    assert (row().buy_in, watch_settlements(at=MARK), row().buy_in) == ("", 1, "due")


def test_what_is_undone_ends_its_buy_in(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    desk = make_desk()
    made = booked_block(desk, [(desk.account, 1000)], side="2")
    standing(desk, desk.account)
    handle(made.events)
    instruct_settlements(at=AT)
    watch_settlements(at=LATE)
    assert take(desk, "initiate", qty="1k", agent="BROKER") == "applied"
    reversed_block(made, at=MARK)
    handle(made.events)
    assert (row().state, row().buy_in, BuyIn.objects.get().state) == ("canceled", "", "withdrawn")
