"""A used database: orders of every fate, from the doors to the wire and back, with everything the relay would have done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import orjson
from django.db import connection, transaction

from accounts.models import CashBalance, TradingAccount
from accounts.services.ask_withdrawal import ask_withdrawal
from accounts.services.book_statement import Statement, book_statement, open_statement, weigh_statement
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from allocations.domain.confirm_messages import confirmation
from allocations.domain.confirm_rules import read_change
from allocations.domain.standing import StandingTerms
from allocations.models import Allocation, Block, Confirmation, ContractNote, SettlementInstruction, WashAccount
from allocations.selectors.cases import said_for
from allocations.selectors.confirming import standings
from allocations.selectors.noted import list_unnoted
from allocations.services import on_allocated_confirm
from allocations.services.affirm_confirmation import affirm_confirmation
from allocations.services.book_allocation import book_allocation
from allocations.services.complete_blocks import complete_blocks
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.intend_allocation import intend_allocation
from allocations.services.issue_due_notes import issue_due_notes
from allocations.services.issue_notes import issue_notes
from allocations.services.on_post_trade_received import take_records
from allocations.services.receive_statuses import receive_statuses
from allocations.services.record_counterparty import Told
from allocations.services.reissue_note import reissue_note
from allocations.services.set_first_confirm_rules import set_first_confirm_rules
from allocations.services.set_standing_instructions import Setting, set_standing_instructions
from authorisation.domain.principal import process_principal
from journal.domain.retention import HoldTerms
from journal.services.place_hold import place_hold
from journal.services.run_listener import run_listener
from journal.services.seal_events import seal_events
from journal.services.set_retention import set_retention
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from oms_project.flow import LISTENERS
from operations.services.watch_exceptions import watch_exceptions
from orders.models import Order, OrderRequest
from orders.scenario_file import read_scenarios
from orders.scenario_play import play
from reconciliation.services._tell_breaks import tell_breaks
from reconciliation.services.settle_policies import settle_policies
from refdata.models import CorporateAction
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from tests.factories import AT, DeskWorld, give_stock, make_listing, set_mark
from tests.factories.accounts import located
from tests.factories.actions import approved, sweep
from tests.factories.books import book_openings
from tests.factories.breaks import Repairing, make_break, their_fill
from tests.factories.confirming import agree, allow
from tests.factories.noted import listen_to_allocations
from tests.factories.reviews import make_review_house
from tests.factories.trading import GROUP, Desk, relay
from tests.factories.webhooks import make_hooks
from venues.scenario_database import DatabaseHouse
from venues.scenario_world import make_world
from venues.services.mark_silent import mark_silent

SCRIPTS = Path(__file__).resolve().parents[2] / "venue_scripts"
PLAYED = ("A.1.a", "B.1.b", "C.1.b", "C.1.a", "D.2.a", "E.1.a", "F.1.a", "G.1.a", "H.1.c", "J.1.b", "J.1.c", "4.2/D18")


def play_scenarios(names: tuple[str, ...] = PLAYED) -> None:
    """The main path of some scenarios through doors, raw messages and tables."""
    wanted = [s for s in read_scenarios(SCRIPTS / "order_state_scenarios.json") if s.id in names]
    assert len(wanted) == len(names)
    for run, scenario in enumerate(sorted(wanted, key=lambda s: s.spec_version), start=1):
        phoned = any(step.direction == "in" and not step.order for step in scenario.paths[0].steps)
        house = DatabaseHouse(make_world(scenario.spec_version), scenario.spec_version, run, phoned=phoned)
        assert play(scenario.paths[0], house, spec_version=scenario.spec_version) == ()


def use_the_desk() -> None:
    """Orders of every fate on a desk of its own."""
    desk = Desk()
    set_mark("open_notional", "100000000")
    set_mark("daily_gross", "100000000", scope="desk", scope_id=desk.world.desk.pk)
    set_mark("open_orders", "1000", scope="account", scope_id=desk.world.account.id)
    desk.buy()
    desk.send(at=AT)
    mark_silent(group=GROUP, older_than=timedelta(seconds=10), sentence="No answer.", at=AT + timedelta(seconds=11))
    live, filled = desk.buy(), desk.buy()
    sold = desk.buy(side=Side.SELL)
    desk.buy(outcome="refused", order_qty=Decimal(200_000))
    desk.buy(outcome="pending_authorisation", order_qty=Decimal(55_000))
    approved = desk.buy(outcome="pending_authorisation", order_qty=Decimal(51_000))
    declined = desk.buy(outcome="pending_authorisation", order_qty=Decimal(52_000))
    desk.decide(approved, "approve")
    desk.decide(declined, "decline")
    desk.cancel(desk.buy())
    desk.batch()
    TradingAccount.objects.filter(id=desk.world.account.id).update(short_allowed=True)
    located(desk.world.account, desk.world.listing.instrument_id, "150", ref="FSK-L")
    desk.buy(side=Side.SELL_SHORT, order_qty=Decimal(100), locate_ref="FSK-L")
    desk.send(at=AT + timedelta(seconds=20))
    desk.say(live, "0", "0", t38=1000, t14=0, t151=1000)
    desk.say(live, "F", "1", exec_id="T1", t38=1000, t32=300, t31="72.5", t14=300, t151=700)
    desk.say(filled, "F", "2", exec_id="T2", t38=1000, t32=1000, t31="72.49", t14=1000, t151=0)
    desk.say(filled, "F", "2", exec_id="T3", t38=1000, t32=10, t31="72.48", t14=1010, t151=0)  # more than was ordered
    desk.stray()
    desk.say(sold, "F", "1", exec_id="T4", t38=1000, t32=400, t31="72.51", t14=400, t151=600)
    desk.say(sold, "H", "1", exec_id="T5", t19="T4", t38=1000, t32=400, t31="72.51", t14=0, t151=1000)
    # Counted only from here on: what was traded before is summed up.
    set_mark("daily_net", "100000000", scope="instrument", scope_id=desk.world.listing.instrument_id)
    desk.say(approved, "0", "0", t38=51000, t14=0, t151=51000)
    trade_a_block(desk)
    mend_a_break(desk)  # sends all that waits: before what is to stay unsent
    live.refresh_from_db()
    desk.replace(live, order_qty=Decimal(1200))
    desk.cancel(sold)
    desk.send(at=AT + timedelta(seconds=30))
    desk.babble()
    desk.buy(ord_type=OrdType.MARKET, price=None)
    ask_withdrawal(
        actor=replace(desk.world.dealer, rights=frozenset({"ask_static_data"})), at=AT, idempotency_key="w1",
        account_id=desk.world.account.id, currency="GBP", amount=Decimal("77.77"), purpose="To the client",
    )  # fmt: skip
    relay()
    divide_the_block()
    stop_and_go(desk.world.account.id)
    let_out(desk.world)
    keep_records()


def trade_a_block(desk: Desk) -> None:
    """An order for two clients, who were named before it traded; one of them may not have its share."""
    actor, made = process_principal("test"), []
    for code, cash, name in (
        ("BLK", "5000", "block"),
        ("BLK-R", "5", "house"),
        ("BLK-C1", "900", "standard"),
        ("BLK-C2", "1", "standard"),
    ):
        account = open_account(
            actor=actor, at=AT, business_date=AT.date(), code=code, name=code, client=desk.world.account.client,
            group=desk.world.group, base_currency="GBP", account_class=name,
        )  # fmt: skip
        deposit(
            actor=actor, at=AT, business_date=AT.date(), deposits=[Deposit(account.id, Decimal(cash), currency="GBP")]
        )
        made.append(account)
    WashAccount.objects.create(
        account=made[0], desk=desk.world.desk, rounding_account=made[1], error_account=made[1]
    )  # fmt: skip
    order = desk.buy(account="BLK", order_qty=Decimal(1001))
    lines = [{"account": "BLK-C1", "target": "700"}, {"account": "BLK-C2", "target": "301"}]
    intend_allocation(actor=actor, at=AT, order_id=order.id, method="pro_rata", lines=lines)
    desk.send(at=AT + timedelta(seconds=31))
    desk.say(order, "F", "2", exec_id="T9", t38=1001, t32=1001, t31="72.49", t14=1001, t151=0)


def divide_the_block() -> None:
    """As was said."""
    block = Block.objects.get(kind="block")
    said = said_for(block)
    assert said is not None
    done = book_allocation(
        actor=process_principal("test"), at=AT, idempotency_key="fsck", block_ref=block.ref, method=said.method,
        lines=said.lines, parameters=said.parameters,
    )  # fmt: skip
    assert (done.outcome, done.parked) == ("booked", 1)


def stop_and_go(account_id: UUID) -> None:
    """A block that stood for a while."""
    actor, scope = process_principal("test"), {"scope": "account", "scope_id": str(account_id), "source": "test"}
    impose_block(actor=actor, at=AT + timedelta(hours=2), reason="test", **scope)
    lift_block(actor=actor, at=AT + timedelta(hours=3), reason="test", **scope)


def keep_records() -> None:
    """A hold that stands and a rule that two people made."""
    terms = HoldTerms(AT, None)
    place_hold(actor="user:1", at=AT, matter="FSK", reason="test", subject_kind="everything", subject="", terms=terms)
    set_retention(actor="user:2", at=AT, record_class="price_ticks", kept_days=30, reason="test", asked_by="user:1")


def act() -> None:
    """A dividend on what the desk trades, and a split with fractions of what it only holds."""
    account = TradingAccount.objects.get(code="ACC-FSK")
    give_stock(account, make_listing("BARC.L", last="240"), "75")
    book_openings()
    approved("cash_dividend")
    approved("split", symbol="BARC.L", ratio_new="3", ratio_old="2")
    sweep()
    assert set(CorporateAction.objects.values_list("state", flat=True)) == {"ex_applied", "applied"}


def review_access() -> None:
    """A review that a second person closed with one right removed, and one that is open with a word said."""
    house = make_review_house()
    closed = house.open(scope="role", scope_name="trader")
    house.say("h.one", house.line(closed, user__username="d.two"), "remove")
    house.keep_rest(closed)
    house.close(closed)
    house.say("h.one", house.line(house.open(scope="role", scope_name="trader"), user__username="d.one"))


def let_out(world: DeskWorld) -> None:
    """A subscription that a second person approved, with a secret, running."""
    make_hooks(world).subscribe("https://hooks.example.com/oms", kinds=("order.reported",))


def state_balances() -> None:
    """A bank that says three more than we have booked."""
    account_id = Order.objects.filter(account__code="SCN").values_list("account_id", flat=True)[0]
    settled = CashBalance.objects.get(account_id=account_id, currency="GBP").settled
    statement = Statement(new_id(), new_id(), "BANK", "cash", AT, AT.date())
    with transaction.atomic(), connection.cursor() as cursor:
        open_statement(statement)
        cursor.execute("INSERT INTO accounts_wanted VALUES (%s, 'GBP', %s)", [account_id, settled + 3])
        weigh_statement(statement)
        book_statement(actor=process_principal("test"), at=AT, statement=statement)


def break_and_block() -> None:
    """A break that stops its account in its instrument."""
    item = make_break(Order.objects.filter(account__code="ACC-FSK").order_by("id").first())
    tell_breaks(run=item.last_run, actor="process:test", at=AT)
    assert settle_policies(at=AT).changed == 1


def mend_a_break(desk: Desk) -> None:
    """An execution that two people booked from a file."""
    house = Repairing(desk)
    order = house.working()
    item = make_break(order, theirs=their_fill(order))
    assert house.mend(item, "book_execution").outcome == "applied"


def settle_some() -> None:
    """What was allocated, instructed for one account: one of it settled in part, one refused; the others wait."""
    relay()
    actor = process_principal("test")
    first = SettlementInstruction.objects.order_by("ref").first()
    assert first is not None
    terms = StandingTerms("", first.currency, "CRSTGB22", "HARBGB2L", "SAFE", "CASH", date(2000, 1, 1))
    set_standing_instructions(actor=actor, at=AT, settings=[Setting(first.account_id, terms)])
    at_once = read_change("sending", {"leaves": "on_booking", "valid_from": "2000-01-01"})
    set_first_confirm_rules(actor=actor, at=AT, changes=[at_once])
    assert instruct_settlements(at=AT) > 0
    sent = SettlementInstruction.objects.filter(state="instructed").order_by("ref")
    lines = [f"{sent[0].ref},partial,P1,1,0.70,{first.currency},,,2026-11-20T09:00:00Z"]
    header = "our_ref,status,their_ref,quantity,amount,currency,reason_code,reason,effective_at"
    content = "\n".join([header, *lines]).encode()
    assert receive_statuses(actor=actor, at=AT, content=content, source="HARBGB2L").moved == 1
    relay()


def note_trades() -> None:
    """What clients and other systems were told of every trade, and once more of one account."""
    listen_to_allocations()
    actor, at = process_principal("test"), AT + timedelta(days=3, hours=13)
    assert issue_due_notes(at=at) > 0
    for one in list_unnoted(since=date(2026, 1, 1), most=10):
        issue_notes(actor=actor, at=at, mic=one.key.mic, day=one.key.trade_date)
    reissue_note(actor=actor, at=at, note_id=ContractNote.objects.get(number=1).id, reason="test")
    assert ContractNote.objects.filter(state="issued").count() >= 3


def confirm_trades() -> None:
    """Trades of clients' own orders, confirmed by file: one affirmed by rule, one by a person on the telephone."""
    for party in sorted(set(Block.objects.values_list("session_group", flat=True))):
        agree(counterparty=party, confirms_direct=True, channel="file")
    allow("*", counterparty="", auto_affirm=True)
    kinds = next(listener.kinds for listener in LISTENERS if listener.name == "allocations.confirm")
    assert run_listener(name="allocations.confirm", kinds=kinds, handle=on_allocated_confirm.handle, at=AT).handled
    first, second, *_ = standings(Confirmation.objects.order_by("ref"))
    whole = confirmation(first.line, ref="K-1", at=AT)
    assert take_records(first.row.counterparty, [Told(whole, "file:test:2", new_id())], at=AT) == 1
    affirm_confirmation(
        actor=replace(process_principal("test"), actor="user:1", rights=frozenset({"work_post_trade"})), at=AT, idempotency_key="c1",
        route="test", confirmation_ids=[second.row.id], reason="Read over the telephone",
    )  # fmt: skip
    assert set(Confirmation.objects.filter(id__in=[first.row.id, second.row.id]).values_list("state", flat=True)) == {
        "affirmed"
    }


def make_used_database() -> None:
    """Everything above, committed."""
    play_scenarios()
    use_the_desk()
    act()
    review_access()
    break_and_block()
    relay()
    state_balances()
    relay()
    of_blocks = Allocation.objects.count()
    assert complete_blocks(at=AT) == Allocation.objects.count() - of_blocks > 0
    settle_some()
    note_trades()
    relay()
    confirm_trades()
    while watch_exceptions(at=AT + timedelta(seconds=60)):
        pass
    actor = process_principal("test")
    account_id = Order.objects.filter(account__code="SCN").values_list("account_id", flat=True)[0]
    deposit(actor=actor, at=AT, business_date=AT.date(), deposits=[Deposit(account_id, Decimal(5), currency="GBP")])
    assert OrderRequest.objects.filter(state="unknown").count() == 1
    assert seal_events(at=AT).sealed


def write_truth(directory: Path) -> Path:
    """What a venue would say of the desk's orders that are at rest, in the form of the simulator's file."""
    venue = directory / "V"
    venue.mkdir()
    lines = []
    for order in Order.objects.filter(session_group=GROUP, ord_status__isnull=False).order_by("id"):
        trades = order.executions.filter(effective_qty__gt=0)
        state = {
            "order_id": order.venue_order_id, "lineage": [order.requests.get(seq=1).cl_ord_id],
            "ord_status": order.ord_status, "order_qty": str(order.order_qty), "cum_qty": str(order.cum_qty),
            "leaves_qty": str(order.leaves_qty), "price": str(order.price) if order.price else None,
        }  # fmt: skip
        lines.append(
            {
                "at": AT.isoformat(), "kind": "carried", "delivery": "sent", "order": state, "execution": None,
                "trades": {row.exec_id: [str(row.effective_qty), str(row.effective_px)] for row in trades},
            }
        )  # fmt: skip
    (venue / "truth.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return directory


def write_foreign_order(directory: Path) -> Path:
    """A venue at which an order lives that is none of ours."""
    venue = directory / "V"
    venue.mkdir()
    state = {"order_id": "V-1", "lineage": ["NOBODY.1"], "leaves_qty": "100"}
    line = {
        "at": AT.isoformat(),
        "kind": "carried",
        "delivery": "sent",
        "order": state,
        "execution": None,
        "trades": {},
    }
    (venue / "truth.jsonl").write_bytes(orjson.dumps(line) + b"\n")
    return venue / "truth.jsonl"
