"""What a preview says of a block that traded: shares, costs by class, checks, what was said beforehand. It writes and locks nothing."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import TradingAccount
from allocations.models import Allocation, BlockFill, IntendedAllocation, Scheme
from allocations.services.book_allocation import book_allocation
from allocations.services.preview_allocation import AllocationPreview, preview_allocation, preview_json
from journal.models import Event
from kernel.errors import Invalid, NotFound, NotPermitted, OmsError, Refused
from kernel.ids import new_id
from risk.models import Restriction
from tests.factories import AT, make_desk, make_principal
from tests.factories.allocations import booked_block, direct_trade
from tests.factories.blocks import BlockWorld, block_world

pytestmark = pytest.mark.django_db
TARGETS = [{"account": "C1", "target": "600"}, {"account": "C2", "target": "600"}]


def preview(world: BlockWorld, **asked: Any) -> AllocationPreview:
    return preview_allocation(actor=world.dealer, at=AT, block_ref=world.block.ref, **asked)


def refusal(world: BlockWorld, kind: type[OmsError], **asked: Any) -> OmsError:
    with pytest.raises(kind) as caught:
        preview(world, **asked)
    return caught.value


def stamp(order_id: Any, method: str, lines: list[dict[str, Any]], **values: Any) -> None:
    version = IntendedAllocation.objects.filter(order_id=order_id).count() + 1
    IntendedAllocation.objects.create(
        order_id=order_id,
        version=version,
        method=method,
        lines=lines,
        stamped_by="user:1",
        stamped_at=AT,
        event_id=new_id(),
        **values,
    )


def scheme(code: str, method: str, lines: list[dict[str, Any]], **values: Any) -> None:
    Scheme.objects.create(
        code=code, version=1, name=code, method=method, lines=lines, event_id=new_id(), recorded_at=AT, **values
    )


def weights(**pairs: str) -> list[dict[str, Any]]:
    return [{"account": account, "weight": weight} for account, weight in pairs.items()]


def shares(found: AllocationPreview) -> dict[str, D]:
    return {line.account: line.line.qty for line in found.lines}


def test_lines_are_divided_charged_and_checked_and_nothing_is_written() -> None:
    world = block_world(charged=True)
    world.traded((600, "72.40"), (400, "72.525"))
    TradingAccount.objects.filter(code="C3").update(state="frozen")
    lines = weights(C1="5", C2="3", C3="2")
    events = Event.objects.count()

    with CaptureQueriesContext(connection) as queries:
        found = preview(world, method="weights", lines=lines)

    texts = [query["sql"] for query in queries.captured_queries]
    assert not [text for text in texts if text.split()[0] in ("INSERT", "UPDATE", "DELETE") or " FOR " in text]
    assert (Event.objects.count(), Allocation.objects.count()) == (events, 0)
    # 724.50 for 1,000; each client pays its own commission of 7 pounds and half a per cent of duty
    assert {line.account: (line.line.qty, line.line.gross, line.fees, line.net) for line in found.lines} == {
        "C1": (D(500), D("-362.25"), D("8.81"), D("-371.06")),
        "C2": (D(300), D("-217.35"), D("8.09"), D("-225.44")),
        "C3": (D(200), D("-144.90"), D("7.72"), D("-152.62")),
    }
    assert found.gross + found.plan.residual == world.block.cash
    assert [(line.account, [check.code for check in line.checks]) for line in found.lines if line.checks] == [
        ("C3", ["ACCOUNT_FROZEN"])
    ]
    assert [why.code for why in found.whys] == ["NOT_SAID_BEFORE"]
    told = orjson.loads(preview_json(found))
    assert told["digest"] == found.digest == preview(world, method="weights", lines=lines).digest
    assert told["lines"][2]["checks"] == [["ACCOUNT_FROZEN", "The account is frozen."]]
    assert told["lines"][0]["charges"] == [["commission", "commission", 1, "7"], ["tax", "uk_sdrt", 1, "1.81"]]


def test_the_booking_books_what_the_preview_showed() -> None:
    """And a preview of a booked block counts what each account would give back first."""
    world = block_world(cash="400")
    order = world.traded((600, "72.40"), (400, "72.525"))
    stamp(order.order_id, "pro_rata", [{"account": "C1", "target": "500"}, {"account": "C2", "target": "500"}])
    found = preview(world)
    wanted = found.case.wanted
    book_allocation(
        actor=world.dealer, at=AT, idempotency_key="k", block_ref=world.block.ref, preview_hash=found.digest,
        method=wanted.method, lines=wanted.lines, parameters=wanted.parameters,
    )  # fmt: skip
    booked = Allocation.objects.filter(is_rounding=False).values_list("account__code", "qty", "gross", "net")
    assert sorted(booked) == [(line.account, line.line.qty, line.line.gross, line.net) for line in found.lines]

    again = preview(world)
    assert (again.digest, again.parked) == (found.digest, 0)  # 37.75 in cash, and 362.25 that it would have back
    assert [why.code for why in again.whys] == ["BOOKED_BEFORE"]
    more = preview(world, method="weights", lines=weights(C1="6", C2="4"))
    assert [(line.account, [check.sentence for check in line.checks]) for line in more.lines] == [
        ("C1", ["34.7 GBP is missing to pay for it."]),
        ("C2", []),
    ]
    assert [(line.account, line.difference) for line in more.lines] == [("C1", D(100)), ("C2", D(-100))]


def test_the_rulebook_is_asked_for_the_account_that_gets_the_share() -> None:
    world = block_world()
    world.traded((1000, "72.50"))
    Restriction.objects.create(
        id=new_id(), reference="R-1", list="restricted", subject="instrument",
        subject_id=str(world.desk.listing.instrument_id), scope="client", scope_id=str(world.clients["C1"].client_id),
        sides="buy", effective_from=AT, asked_at=AT, subject_name="VOD", source="s", reason="secret", owner="c",
    )  # fmt: skip
    Restriction.objects.update(approved_at=AT)
    found = preview(world, method="weights", lines=weights(C1="1", C2="1"))
    assert {line.account: [(check.code, check.sentence) for check in line.checks] for line in found.lines} == {
        "C1": [("RESTRICTED", "Restricted: contact compliance.")],
        "C2": [],
    }


def test_what_was_said_beforehand_is_shown_beside_what_is_asked_for() -> None:
    world = block_world()
    order = world.traded((1000, "72.50"))
    assert refusal(world, Invalid).code == "METHOD_MISSING"
    scheme("DAY", "percentage", [{"account": "C1", "percent": "100"}], wash_account=world.wash)
    by_default = preview(world)
    assert (by_default.case.wanted.scheme, shares(by_default), by_default.whys) == ("DAY", {"C1": D(1000)}, ())

    stamp(order.order_id, "pro_rata", TARGETS)
    said = preview(world)
    assert (shares(said), said.plan.allocation.partial) == ({"C1": D(500), "C2": D(500)}, True)
    assert (said.whys, said.differing) == ((), 0)
    other = preview(world, method="weights", lines=weights(C1="3", C3="1"))
    assert other.left_out == {"C2": D(500)}
    assert [(line.account, line.said) for line in other.lines] == [("C1", D(500)), ("C3", D(0))]
    assert ([why.code for why in other.whys], other.differing) == (["NOT_AS_INTENDED"], 3)
    assert shares(preview(world, scheme="DAY")) == {"C1": D(1000)}


def test_an_order_that_trades_on_two_days_gives_nobody_more_than_was_intended() -> None:
    """In order: 400 of C1's 500 came on the first day; the second gives it the 100 that are left, and the rest to C2."""
    world = block_world(cash="100000")
    order = world.traded((500, "72.50"))
    ref = world.block.ref
    first = booked_block(world.desk, [(world.clients["C1"], 400)], wash=world.wash, number=77)
    BlockFill.objects.create(
        execution_id=new_id(), block=first.block, order_id=order.order_id, qty=400, px=D("72.45"), cash=D("-289.80"),
        event_id=new_id(), updated_at=AT,
    )  # fmt: skip
    lines = [{"account": "C1", "qty": "500"}, {"account": "C2", "qty": "500"}]
    stamp(order.order_id, "fixed", lines, parameters={"partial": "in_order"})
    found = preview_allocation(actor=world.dealer, at=AT, block_ref=ref)
    assert shares(found) == {"C1": D(100), "C2": D(400)}


def test_the_firms_own_account_is_the_house_whatever_is_typed() -> None:
    world = block_world()
    order = world.traded((1000, "72.50"))
    TradingAccount.objects.filter(code="C2").update(account_class="house")
    stamp(order.order_id, "pro_rata", [{"account": "C1", "target": "1000"}, {"account": "C2", "target": "200"}])
    found = preview(world)
    assert shares(found) == {"C1": D(1000), "C2": D(0)}
    assert [line.line.house for line in found.lines] == [False, True]


def test_refused_and_nothing_seen() -> None:
    world = block_world()
    world.traded((1000, "72.50"))
    stranger = make_desk("EQ2", symbol="BARC.L")
    fine = weights(C1="1")

    unseen = refusal(world, Invalid, method="weights", lines=[*fine, {"account": "ACC-EQ2", "weight": "1"}])
    assert isinstance(unseen, Invalid)
    assert list(unseen.fields) == ["lines.2"]
    assert refusal(world, Invalid, method="weights", lines=[*fine, *fine]).code == "LINES_AT_FAULT"
    assert refusal(world, Invalid, method="best", lines=fine).code == "METHOD_UNKNOWN"
    assert refusal(world, Invalid, scheme="NONE").code == "SCHEME_UNKNOWN"
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        preview_allocation(actor=world.desk.dealer, at=AT, block_ref=world.block.ref)
    other = make_principal("other", role="allocator", rights=("allocate_block",), desks=(stranger.desk,))
    for actor, ref in (
        (other, world.block.ref),
        (world.dealer, "B-999999"),
        (world.dealer, "B-x"),
        (world.dealer, "²"),
    ):
        with pytest.raises(NotFound, match="BLOCK_UNKNOWN"):
            preview_allocation(actor=actor, at=AT, block_ref=ref)
    direct = direct_trade(stranger)
    with pytest.raises(Refused, match="BLOCK_DIRECT"):
        preview_allocation(actor=other, at=AT, block_ref=direct.block.ref)
