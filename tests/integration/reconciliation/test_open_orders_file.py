"""A venue's list of open orders: compared, never booked; what differs is for a person, and a break in the workbench."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from accounts.models import Booking
from orders.models import Order, OrderRequest
from reconciliation.models import Break, Run
from reconciliation.services.ask_run import ask_run
from reconciliation.services.do_run import do_run
from reconciliation.services.start_due_runs import start_due_runs
from risk.models import Block
from tests.factories import AT
from tests.factories.accounts import SEED
from tests.factories.trading import Desk
from tests.integration.reconciliation.test_take_in import LATER, codes, taken

pytestmark = pytest.mark.django_db


def test_orders_are_found_by_name_and_differences_wait() -> None:
    desk = Desk()
    agreeing, missing, over = desk.buy(), desk.buy(), desk.buy()
    desk.send(at=AT)
    for order in (agreeing, missing, over):
        desk.say(order, "0", "0", t38=1000, t14=0, t151=1000)
    desk.say(over, "4", "4", t38=1000, t14=0, t151=0)
    over.refresh_from_db()
    assert not over.is_open
    bookings = Booking.objects.count()

    def named(order: Order) -> str:
        return OrderRequest.objects.get(order=order).cl_ord_id

    rows = "".join(f"{name},XLON,buy,new,1000,0,1000\n" for name in (named(agreeing), named(over), "NOBODY.1"))
    intake = taken(listing(AT, rows), kind="open_orders", source="SIM1")

    assert (intake.state, intake.rows, intake.changed, intake.unchanged) == ("waiting", 3, 0, 1)
    assert codes(intake) == {"ORDER_NOT_OPEN": 1, "ORDER_UNKNOWN": 1, "ORDER_NOT_LISTED": 1}
    assert Booking.objects.count() == bookings

    (run_id,) = start_due_runs(actor=SEED, at=LATER, trigger="intraday")
    done = do_run(run_id=run_id, at=LATER)
    assert (done.state, done.internal, done.external, done.matched, done.written) == ("done", 3, 3, 1, 3)
    breaks = {one.category: one for one in Break.objects.filter(kind="open_orders")}
    assert breaks.keys() == {"missing_external", "missing_internal", "status"}
    assert [breaks[name].order_id for name in ("missing_external", "status")] == [missing.id, over.id]
    assert "none of ours" in breaks["missing_internal"].why or "no order of ours" in breaks["missing_internal"].why
    assert breaks["status"].ours["ord_status"] == "4"
    assert breaks["status"].theirs["ord_status"] == "0"
    assert all(one.suggestion and one.why for one in breaks.values())
    assert {one.effect for one in breaks.values()} == {"allow_existing", "nobody_to_block"}, "as of orders"
    again = do_run(run_id=asked_again(done.run_id), at=LATER)
    assert (again.written, again.standing) == (0, 3)

    # On the next day the venue lists what is open, and nothing else.
    listed = "".join(f"{named(order)},XLON,buy,new,1000,0,1000\n" for order in (agreeing, missing))
    taken(listing(LATER, listed), kind="open_orders", source="SIM1", at=LATER + timedelta(days=1))
    (next_id,) = start_due_runs(actor=SEED, at=LATER + timedelta(days=1), trigger="intraday")
    done = do_run(run_id=next_id, at=LATER + timedelta(days=1))
    assert (done.matched, done.written, done.closed) == (2, 0, 3)
    assert not Block.objects.filter(source__startswith="break:", lifted_at=None).exists()


def listing(day: datetime, rows: str) -> str:
    head = "cl_ord_id,mic,side,ord_status,order_qty,cum_qty,leaves_qty"
    return f"#STATEMENT date={day.date()}\n{head}\n{rows}#TRAILER rows={rows.count('XLON')}\n"


def asked_again(run_id: UUID) -> UUID:
    run = Run.objects.get(id=run_id)
    assert run.file is not None
    return ask_run(kind=run.kind, file=run.file, as_of=run.as_of, actor=SEED, at=LATER, trigger="by_hand")
