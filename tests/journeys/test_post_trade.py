"""One fill becomes many records, and a bust undoes them: allocated, asked for, confirmed, disputed, affirmed, settled, failed, busted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import ROOT, House, wait_until
from tests.journeys.test_accessibility import scan

pytestmark = [pytest.mark.ui, pytest.mark.timeout(400)]  # a busy machine: a quiet one needs a tenth
VENUE = """
import django; django.setup()
import json, sys
from decimal import Decimal
from authorisation.models import User
from authorisation.selectors import get_principal
from allocations.services.intend_allocation import intend_allocation
from kernel.clock import utc_now
from kernel.fix import ExecType, OrdStatus, OrdType, Side
from orders.domain.report import Position, Report
from orders.domain.terms import OrderTerms
from orders.models import Order
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.record_hand_over import record_hand_over
from orders.services.record_routes import record_routes
from refdata.models import Listing
from refdata.selectors import business_date

asked = json.loads(sys.argv[1])
at = utc_now()

def say(order, seq, kind, status, **more):
    mic = Listing.objects.get(pk=order.listing_id).market_id
    apply_reports(reports=[Report(
        msg_type="8", position=Position("e1", seq), identity=f"{order.id}:{seq}", received_at=at, event_at=at,
        trade_date=business_date(mic, at), exec_type=kind, ord_status=status, cl_ord_id=order.cl_ord_id,
        venue_order_id=f"V{order.ref}", exec_id=f"{order.ref}-X{seq}", session="SIM1-A", **more)], at=at)

if "bust" in asked:
    order = Order.objects.get(ref=asked["bust"])
    say(order, 9, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id=f"{order.ref}-X2")
else:
    dealer = get_principal(User.objects.get(username="a.khan"))
    price = Listing.objects.get(symbol=asked["symbol"]).referenceprice.last
    qty = Decimal(asked["qty"])
    done = capture_order(
        actor=dealer, at=at, idempotency_key=asked["key"], route="journey", source="ticket",
        terms=OrderTerms(account="BLOCK-EQ1-UK", symbol=asked["symbol"], side=Side.BUY, ord_type=OrdType.LIMIT,
                         order_qty=qty, price=price))
    assert done.outcome == "released", done.sentence
    intend_allocation(actor=dealer, at=at, order_id=done.order_id, method="pro_rata",
                      lines=[{"account": code, "target": str(units)} for code, units in asked["targets"].items()])
    record_routes(routes={done.order_id: "SIM1"}, at=at)
    record_hand_over(request_ids=[done.request_id], at=at)
    order = Order.objects.get(pk=done.order_id)
    for seq, units in ((2, qty * 2 / 5), (3, qty * 3 / 5)):
        whole = OrdStatus.FILLED if seq == 3 else OrdStatus.PARTIALLY_FILLED
        say(order, seq, ExecType.TRADE, whole, last_qty=units, last_px=price)
print(json.dumps({"order": order.ref}))
"""
MINE = (
    "SELECT b.number FROM allocations_block b JOIN allocations_blockfill f ON f.block_id = b.id "
    "JOIN orders_order o ON o.id = f.order_id WHERE o.ref = %s LIMIT 1"
)
TARGETS = {"AC4471": 500, "AC4472": 300, "AC4473": 200}


def venue(house: House, **asked: Any) -> str:
    """What a dealer sends and the venue answers, or takes back; the order's reference."""
    house.fresh_prices()
    run = subprocess.run(
        [sys.executable, "-c", VENUE, json.dumps(asked)], cwd=ROOT, env=house.environment, check=False, timeout=120,
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return str(json.loads(run.stdout.splitlines()[-1])["order"])


def block_of(house: House, order: str) -> str:
    number = wait_until(lambda: house.sql(MINE, order), seconds=60, what="the block of the order")[0][0]
    return f"B-{number}"


def state_of(house: House, ref: str) -> str:
    return str(house.sql("SELECT state FROM allocations_block WHERE number = %s", int(ref[2:]))[0][0])


def lines_of(house: House, ref: str) -> dict[str, tuple[str, str, Decimal]]:
    """By account: its newest line, what it is and how many units."""
    rows = house.sql(
        "SELECT t.code, 'A-' || a.number, a.state, a.qty FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id "
        "JOIN accounts_tradingaccount t ON t.id = a.account_id WHERE b.number = %s AND NOT a.is_rounding ORDER BY a.number",
        int(ref[2:]),
    )
    return {code: (line, state, qty) for code, line, state, qty in rows}


def test_post_trade_day(house: House, sign_in: SignIn, tmp_path: Path) -> None:
    house.start("relay")
    try:
        order = venue(house, key="j-1", symbol="VOD.L", qty=1000, targets=TARGETS)
        ref = block_of(house, order)
        wait_until(lambda: state_of(house, ref) == "ready", seconds=60, what="the block complete")
        _allocate(house, sign_in("a.khan", path="/alloc"), ref)
        _allocate_otherwise(house, sign_in)
        _confirm(house, sign_in("r.silva", path="/confirmations"), ref, tmp_path)
        _settle(house, sign_in("b.ferri", path="/settlement"), sign_in, ref, tmp_path)
        _bust(house, sign_in("r.silva", path=f"/alloc/{ref}"), ref, order)
    finally:
        house.end("relay")


def _allocate(house: House, page: Page, ref: str) -> None:
    """What was said before the trade is shown and booked by one person."""
    page.get_by_role("link", name=ref, exact=True).press("Enter")
    page.wait_for_url(re.compile(rf"/alloc/{ref}$"))
    form = page.locator("#alloc-form")
    expect(form).to_contain_text("the block, in units and in money")
    expect(form).to_contain_text("May be booked by one person")
    assert scan(page, "a block with its preview") == []
    page.get_by_role("button", name=re.compile("^Book 1,000 VOD.L to 3 accounts")).press("Enter")
    expect(page.locator("#alloc-story")).to_contain_text("Booked lines · ", timeout=30_000)
    got = lines_of(house, ref)
    assert {code: qty for code, (_, _, qty) in got.items()} == {code: Decimal(qty) for code, qty in TARGETS.items()}
    assert state_of(house, ref) == "booked"


def _allocate_otherwise(house: House, sign_in: SignIn) -> None:
    """Who divides a block otherwise than it was said asks with a reason, and compliance decides."""
    order = venue(house, key="j-2", symbol="BARC.L", qty=500, targets={"AC4471": 250, "AC4472": 250})
    ref = block_of(house, order)
    page = sign_in("a.khan", path=f"/alloc/{ref}")
    amount = page.get_by_label("Target, units of line 1")
    amount.fill("200")
    page.get_by_label("Target, units of line 2").fill("300")
    page.get_by_label("Target, units of line 2").press("Control+Enter")
    expect(page.locator("#alloc-form")).to_contain_text("A second person decides", timeout=30_000)
    page.fill("#a-reason", "The client of AC4471 asked for less at 10:05.")
    page.get_by_role("button", name=re.compile("^Ask a second person")).press("Enter")
    expect(page.locator("#alloc-story")).to_contain_text("the request", timeout=30_000)
    request = house.sql("SELECT request_id FROM allocations_block WHERE number = %s", int(ref[2:]))[0][0]

    checker = sign_in("c.young", path="/approvals")
    _approve(house, checker, request, saying="asked for less at 10:05")
    wait_until(lambda: state_of(house, ref) == "booked", seconds=60, what="the approved allocation booked")
    assert {code: qty for code, (_, _, qty) in lines_of(house, ref).items()} == {"AC4471": 200, "AC4472": 300}


def _approve(house: House, checker: Page, request: Any, saying: str = "Reason") -> None:
    checker.goto(f"{house.url}/approvals?view=all&id={request}")
    expect(checker.locator("main")).to_contain_text(saying)
    expect(checker.locator(".decide [data-primary]")).to_contain_text("Approve")
    hands.approve(checker, timeout=30_000)


def _confirm(house: House, page: Page, ref: str, place: Path) -> None:
    """A file of the counterparty: one right, one with another net, one not in it; the difference is for two people."""
    rows = wait_until(lambda: _allocated(house, ref), seconds=60, what="confirmations of the block")
    head = "their_ref,our_ref,account,isin,mic,side,trade_date,settlement_date,currency,qty,avg_px,gross,commission,fees,net"
    said = []
    for account, row in rows.items():
        more = Decimal("1.00") if account == "AC4472" else Decimal(0)
        said.append(
            f"K-{account},{row['line']},{account},{row['isin']},{row['mic']},BUY,{row['trade_date']},{row['settlement_date']},GBP,"
            f"{row['qty']},{row['avg_px']},{row['gross']},{row['commission']},{row['fees']},{row['net'] + more}"
        )
    file = place / "confirmations.csv"
    file.write_text("\n".join([head, *said[:2]]) + "\n")
    page.get_by_text("Tolerances, terms with counterparties, and files").press("Enter")
    upload = page.locator("form[action='/confirmations/upload']")
    upload.locator("[name=counterparty]").fill("SIM1")
    upload.locator("[name=file]").set_input_files(file)
    upload.get_by_role("button", name="Take in").press("Enter")
    good, bad, silent = (rows[account]["confirmation"] for account in TARGETS)
    expect(page.locator("main")).to_contain_text("2 lines are new, 0 were known, 0 could not be read.", timeout=30_000)
    # With SIM1 what matches is affirmed by itself: its tolerance says so.
    assert [confirmed(house, one) for one in (good, bad, silent)] == ["affirmed", "mismatched", "sent"]

    page.goto(f"{house.url}/confirmations/{bad}")
    expect(page.locator("#confirmation-detail .differs")).to_have_text("1")
    assert scan(page, "a confirmation that differs") == []
    page.fill("#act-reason", "Their fee is a pound higher by the schedule of this month.")
    page.get_by_role("button", name="Accept the difference").press("Enter")
    expect(page.locator("#confirmation-detail")).to_contain_text("second person", timeout=30_000)
    assert confirmed(house, bad) == "mismatched"


def confirmed(house: House, ref: str) -> str:
    return str(house.sql("SELECT state FROM allocations_confirmation WHERE ref = %s", ref)[0][0])


def _allocated(house: House, ref: str) -> dict[str, dict[str, Any]]:
    """By account, what a counterparty has to say to agree."""
    names = (
        "line",
        "confirmation",
        "isin",
        "mic",
        "trade_date",
        "settlement_date",
        "qty",
        "avg_px",
        "gross",
        "commission",
        "fees",
        "net",
    )
    found = house.sql(
        "SELECT t.code, 'A-' || a.number, c.ref, n.isin, l.market_id, a.trade_date::text, a.settlement_date::text, a.qty, "
        "round(a.avg_px, 8), abs(a.gross), coalesce((SELECT sum((x ->> 3)::numeric) FROM jsonb_array_elements(a.charges) x "
        "WHERE x ->> 0 = 'commission'), 0), coalesce((SELECT sum((x ->> 3)::numeric) FROM jsonb_array_elements(a.charges) x "
        "WHERE x ->> 0 <> 'commission'), 0), abs(a.net) FROM allocations_confirmation c "
        "JOIN allocations_allocation a ON a.id = c.allocation_id JOIN allocations_block b ON b.id = a.block_id "
        "JOIN accounts_tradingaccount t ON t.id = a.account_id JOIN refdata_listing l ON l.id = b.listing_id "
        "JOIN refdata_instrument n ON n.id = l.instrument_id WHERE b.number = %s AND c.state <> 'canceled' ORDER BY t.code",
        int(ref[2:]),
    )
    rows = {code: dict(zip(names, rest, strict=True)) for code, *rest in found}
    return rows if set(rows) == set(TARGETS) else {}


INSTRUCTED = (
    "SELECT t.code, i.ref, i.state FROM allocations_settlementinstruction i JOIN allocations_allocation a ON a.id = i.allocation_id "
    "JOIN allocations_block b ON b.id = a.block_id JOIN accounts_tradingaccount t ON t.id = i.account_id "
    "WHERE b.number = %s AND a.compensates_id IS NULL AND i.state <> 'canceled' ORDER BY i.created_at"
)


def instructed(house: House, ref: str) -> dict[str, tuple[str, str]]:
    return {code: (name, state) for code, name, state in house.sql(INSTRUCTED, int(ref[2:]))}


AFFIRMED_LEFT = {"AC4471": "instructed", "AC4472": "waiting", "AC4473": "waiting"}


def _leave_at_once(house: House, page: Page, sign_in: SignIn) -> None:
    """One of operations asks for another rule, another decides."""
    page.reload()
    expect(page.locator("main")).to_contain_text("waits for the affirmation, until")
    page.fill("#r-mic", "XLON")
    page.select_option("#r-leaves", "on_booking")
    page.fill("#r-from", "2026-01-02")
    page.fill("#r-reason", "The custodian wants them early.")
    page.get_by_role("form", name="Ask for a rule").get_by_role("button").press("Enter")
    page.wait_for_url(re.compile("/approvals"))
    request = house.sql(
        "SELECT id FROM authorisation_authorisationrequest WHERE subject_type = 'sending' AND state = 'pending'"
    )[0][0]
    _approve(house, sign_in("r.silva", path="/approvals"), request)
    page.goto(f"{house.url}/settlement")


def _settle(house: House, page: Page, sign_in: SignIn, ref: str, place: Path) -> None:
    """What is affirmed has left; the rest leaves when two people say so. One settled, one failed, of the third nothing is said."""
    wait_until(
        lambda: {code: state for code, (_, state) in instructed(house, ref).items()} == AFFIRMED_LEFT,
        seconds=60,
        what="what is affirmed sent to the custodian",
    )
    _leave_at_once(house, page, sign_in)
    wait_until(
        lambda: (
            {state for _, state in instructed(house, ref).values()} == {"instructed"}
            and len(instructed(house, ref)) == len(TARGETS)
        ),
        seconds=60,
        what="instructions sent to the custodian",
    )
    names = {code: name for code, (name, _) in instructed(house, ref).items()}
    now = house.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")[0][0]
    file = place / "statuses.csv"
    file.write_text(
        "our_ref,status,their_ref,quantity,amount,currency,reason_code,reason,effective_at\n"
        f"{names['AC4471']},settled,CU-1,,,,,,{now}\n"
        f"{names['AC4472']},failed,CU-2,,,,LACK,The seller lacks the stock,{now}\n"
    )
    page.reload()
    page.fill("#s-source", "CUSTODIAN")
    page.set_input_files("#s-file", file)
    page.locator("form[action='/settlement/file']").get_by_role("button", name="Take in").press("Enter")
    wait_until(
        lambda: [state for _, state in instructed(house, ref).values()] == ["settled", "failed", "instructed"],
        seconds=60,
        what="what the custodian said",
    )
    page.goto(f"{house.url}/settlement/{names['AC4472']}")
    expect(page.locator("main")).to_contain_text("The seller lacks the stock")
    assert scan(page, "an instruction that failed") == []


WASH = (
    "SELECT sum(h.settled + h.pending) FROM accounts_holding h JOIN accounts_tradingaccount t ON t.id = h.account_id "
    "JOIN refdata_listing l ON l.instrument_id = h.instrument_id WHERE t.code = 'BLOCK-EQ1-UK' AND l.symbol = 'VOD.L'"
)


def _bust(house: House, page: Page, ref: str, order: str) -> None:
    """The venue takes the first execution back: what settled is undone by a trade of today, the rest is booked anew."""
    before = house.sql(WASH)[0][0]
    venue(house, bust=order)
    wait_until(
        lambda: state_of(house, ref) == "booked" and lines_of(house, ref)["AC4473"][2] == 120,
        seconds=90,
        what="the cascade",
    )
    rows = house.sql(
        "SELECT t.code, a.state, a.side, a.qty FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id "
        "JOIN accounts_tradingaccount t ON t.id = a.account_id WHERE b.number = %s AND NOT a.is_rounding ORDER BY a.number",
        int(ref[2:]),
    )
    assert [(state, side, qty) for code, state, side, qty in rows if code == "AC4471"] == [
        ("booked", "1", 500),
        ("booked", "2", 200),
    ]
    assert [(state, qty) for code, state, _, qty in rows if code == "AC4472"] == [("reversed", 300), ("booked", 180)]
    assert house.sql(WASH)[0][0] == before  # the wash account is as flat as it was
    wait_until(
        lambda: (
            set(
                house.sql(
                    "SELECT c.state FROM allocations_confirmation c JOIN allocations_allocation a ON a.id = c.allocation_id "
                    "JOIN allocations_block b ON b.id = a.block_id WHERE b.number = %s AND a.state = 'reversed'",
                    int(ref[2:]),
                )
            )
            == {("canceled",)}
        ),
        seconds=60,
        what="confirmations of what is undone canceled",
    )
    page.reload()
    expect(page.locator("#alloc-story")).to_contain_text("120")
    assert house.sql("SELECT reason FROM risk_block WHERE source = 'picture' AND lifted_at IS NULL") == []
