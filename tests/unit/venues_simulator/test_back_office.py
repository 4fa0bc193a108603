"""The broker's back office: answers, its own money, replacements, busts, a client of ours, a restart, and each way to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kernel.post_trade import AccountLine, AckStatus, FillLine, MessageKind, OrderLine, PostTradeMessage, TransType
from venues.domain.fix_codec import Fields, format_message
from venues.domain.post_trade import write
from venues.domain.post_trade_reading import read
from venues.simulator import interventions
from venues.simulator.back_office import BackOffice, read_ledger
from venues.simulator.exchange import Exchange
from venues.simulator.misbehaviour import Script, parse_plan

from .floor_helpers import AT, SESSION, TODAY, exchange, new

SETTLES = date(2026, 11, 24)


class Desk:
    """A back office over an exchange where B bought 100 for 9,933.33 (30 at 99, 70 at 99.5), and what it says."""

    def __init__(self, directory: Path, begin_string: str = "FIX.4.4") -> None:
        self.floor: Exchange = exchange()
        for one in (new("S1", "2", 30, "99"), new("S2", "2", 70, "99.5"), new("B", "1", 100, "100")):
            self.floor.handle(one, at=AT)
        self.directory, self.begin_string = directory, begin_string
        self.script = Script(None)
        self.told: list[PostTradeMessage] = []
        self.clock = 0.0
        self.open()

    def open(self) -> None:
        self.office = BackOffice(
            self.floor, directory=self.directory, line=self, script=self.script, begin_string=self.begin_string
        )

    def send_fields(self, session: str, fields: Fields) -> None:
        self.told.append(read(fields, counterparty=session))

    def follow(self, *rules: dict[str, Any], **errors: Any) -> None:
        plan = parse_plan({"post_trade": [{"id": f"r{n}", **rule} for n, rule in enumerate(rules)], **errors})
        self.script.post_trade.plan = plan.post_trade

    def hear(self, message: PostTradeMessage, *, wait: float = 5) -> list[str]:
        raw = format_message("FIX.4.4", [*write(message, begin_string="FIX.4.4"), (34, "7"), (52, "20261120-12:00:00")])
        assert self.office.takes(raw)
        before = len(self.told)
        assert self.office.hear(SESSION, raw, clock=self.clock, at=AT) is None
        return self.after(wait, before)

    def after(self, wait: float, before: int | None = None) -> list[str]:
        """In short what is said until then."""
        start = len(self.told) if before is None else before
        self.clock += wait
        self.office.run_due(clock=self.clock, at=AT)
        return [short(message) for message in self.told[start:]]


def short(message: PostTradeMessage) -> str:
    names = {
        MessageKind.ALLOCATION_ACK: "P", MessageKind.ALLOCATION_REPORT: "AS", MessageKind.CONFIRMATION: "AK",
        MessageKind.ALLOCATION_REPORT_ACK: "AT", MessageKind.CONFIRMATION_ACK: "AU", MessageKind.ALLOCATION_INSTRUCTION: "J",
    }  # fmt: skip
    rest = (
        message.ack_status.value
        if message.ack_status and message.kind.value.endswith("ack")
        else message.trans_type.value
    )
    account = message.accounts[0].account if message.kind is MessageKind.CONFIRMATION else message.reject_code
    return f"{names[message.kind]} {rest} {account}".strip()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def instruction(ref: str = "J-1", shares: tuple[int, ...] = (60, 40), **changes: Any) -> PostTradeMessage:
    """What the member allocates of B; it states its commission for the first account only."""
    px = Decimal("99.35")
    lines = tuple(AccountLine(f"A-{n}", f"ACC-{n}", Decimal(qty), px) for n, qty in enumerate(shares, 1))
    lines = (replace(lines[0], commission=Decimal("2.00"), fees=Decimal("3.00")), *lines[1:])
    message = PostTradeMessage(
        kind=MessageKind.ALLOCATION_INSTRUCTION, ref=ref, block_ref="B-1", counterparty=SESSION, transact_at=AT, side="1",
        symbol="VOD.L", isin="GB00BH4HKS39", mic="XLON", currency="GBP", qty=Decimal(sum(shares)), avg_px=px, trade_date=TODAY,
        settlement_date=SETTLES, orders=(OrderLine("B", "", Decimal(100), px),), accounts=lines,
    )  # fmt: skip
    return replace(message, **changes)


WHOLE = ["P received", "P accepted", "AS new", "AK new ACC-1", "AK new ACC-2"]


def test_a_block_is_received_accepted_reported_and_confirmed_with_the_brokers_own_money(desk: Desk) -> None:
    """By hand: 60 x 99.35 = 5,961.00; 40 x 99.35 = 3,974.00, 5 bp are 1.99, 50 bp duty 19.87."""
    assert desk.hear(instruction(), wait=0) == ["P received"]
    assert [desk.after(0.3), desk.after(0.3)] == [["P accepted"], WHOLE[2:]]
    first, second = (message.accounts[0] for message in desk.told[-2:])
    assert (first.gross, first.commission, first.fees, first.net) == (
        Decimal(5961), Decimal(2), Decimal(3), Decimal(5966),
    )  # fmt: skip
    assert (second.gross, second.commission, second.fees, second.net) == (
        Decimal(3974), Decimal("1.99"), Decimal("19.87"), Decimal("3995.86"),
    )  # fmt: skip
    assert {(m.block_ref, m.ref_of, m.settlement_date) for m in desk.told[2:]} == {("B-1", "J-1", SETTLES)}
    assert [message.allocation_ref for message in desk.told[3:]] == ["A-1", "A-2"]
    names = [message.ref for message in desk.told[2:]]
    assert len(set(names)) == 3
    affirmed = PostTradeMessage(
        MessageKind.CONFIRMATION_ACK, "", SESSION, AT, names[1], ack_status=AckStatus.AFFIRMED, trade_date=TODAY
    )
    assert desk.hear(affirmed) == []
    assert desk.office.broker.words[names[1]] is AckStatus.AFFIRMED


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (instruction(avg_px=Decimal("99.3502")), "2"),
        (instruction(shares=(60, 50)), "1"),
        (instruction(qty=Decimal(90)), "8"),
        (instruction(side="2"), "11"),
        (instruction(orders=(), isin="", symbol="X"), "11"),
        (instruction(orders=(OrderLine("X", "", Decimal(1), Decimal(1)),)), "12"),
        (instruction(orders=(), fills=(FillLine("nobody's", Decimal(1), Decimal(1)),)), "10"),
        (instruction(trans_type=TransType.CANCEL, ref_of="J-0"), "7"),
        (instruction(trans_type=TransType.REPLACE, ref_of="J-0"), "7"),
    ],
)
def test_what_does_not_agree_is_rejected_with_its_code(desk: Desk, message: PostTradeMessage, code: str) -> None:
    assert desk.hear(message) == ["P received", f"P rejected {code}"]
    assert desk.hear(instruction("J-2")) == WHOLE


def test_an_instruction_that_names_no_order_is_of_all_that_was_executed_of_its_kind(desk: Desk) -> None:
    assert desk.hear(instruction(orders=())) == WHOLE


def test_its_executions_serve_as_well_as_orders_and_several_instructions_share_a_block(desk: Desk) -> None:
    trades = desk.floor.find(SESSION, "B").trades  # type: ignore[union-attr]
    fills = tuple(
        FillLine(name, Decimal(trade.qty) / 10**8, Decimal(trade.px) / 10**8) for name, trade in trades.items()
    )
    assert desk.hear(instruction(shares=(60,), orders=(), fills=fills)) == WHOLE[:4]
    assert desk.hear(instruction("J-2", shares=(40,))) == WHOLE[:4]
    assert desk.hear(instruction("J-3", shares=(1,))) == ["P received", "P rejected 1"]
    assert desk.hear(instruction("J-2", shares=(40,))) == ["P rejected 7"]  # and the first J-2 stands
    assert desk.office.broker.instructions["J-2"].confirmed


def test_a_replacement_says_again_only_what_changed_and_a_cancel_takes_all_back(desk: Desk) -> None:
    desk.hear(instruction(shares=(60, 30, 10)))
    kept = desk.told[3].ref
    again = instruction("J-2", shares=(60, 40), trans_type=TransType.REPLACE, ref_of="J-1")
    assert desk.hear(again) == ["P received", "P accepted", "AS replace", "AK replace ACC-2", "AK cancel ACC-3"]
    assert desk.told[-3].ref_of == desk.told[2].ref
    assert desk.office.broker.instructions["J-2"].confirmed["A-1"].ref == kept
    affirmed = PostTradeMessage(
        MessageKind.CONFIRMATION_ACK, "", SESSION, AT, kept, ack_status=AckStatus.AFFIRMED, trade_date=TODAY
    )
    desk.hear(affirmed)
    gone = instruction("J-3", trans_type=TransType.CANCEL, ref_of="J-2")
    assert desk.hear(gone) == ["P received", "P accepted", "AS cancel", "AK cancel ACC-1", "AK cancel ACC-2"]
    assert [message.text for message in desk.told[-2:]] == [
        "Canceled by the client after it was affirmed", "Canceled by the client",
    ]  # fmt: skip
    assert desk.hear(instruction("J-4")) == WHOLE


def test_after_a_bust_nothing_of_the_block_stands_until_it_is_allocated_anew(desk: Desk) -> None:
    desk.hear(instruction())
    order = desk.floor.find(SESSION, "B")
    assert order is not None
    interventions.bust(desk.floor, order, next(iter(order.trades)), at=AT)
    desk.office.amended(order.order_id, clock=desk.clock, at=AT)
    assert desk.after(5) == ["AS cancel", "AK cancel ACC-1", "AK cancel ACC-2"]
    px = Decimal("99.5")
    anew = instruction("J-2", (40, 30), trans_type=TransType.REPLACE, ref_of="J-1", avg_px=px)
    assert desk.hear(replace(anew, accounts=tuple(replace(line, avg_px=px) for line in anew.accounts))) == WHOLE


def test_a_client_allocates_to_us_and_affirms_what_we_confirm(desk: Desk) -> None:
    desk.follow({"do": "client_allocates", "cl_ord_id": "B", "accounts": {"CLI-1": "75", "CLI-2": "25"}})
    (rule,) = desk.script.post_trade.due_clients()
    assert desk.office.follow_clients(rule, clock=desk.clock, at=AT)
    asked = desk.told[0]
    assert (asked.kind, asked.qty, asked.avg_px) == (MessageKind.ALLOCATION_INSTRUCTION, Decimal(100), Decimal("99.35"))
    assert [(line.account, line.qty) for line in asked.accounts] == [("CLI-1", Decimal(75)), ("CLI-2", Decimal(25))]
    report = replace(asked, kind=MessageKind.ALLOCATION_REPORT, ref="R-1", ref_of=asked.ref)
    line = replace(asked.accounts[0], gross=Decimal(1), net=Decimal(1))
    confirmation = replace(asked, kind=MessageKind.CONFIRMATION, ref="C-1", ref_of=asked.ref, accounts=(line,))
    assert (desk.hear(report), desk.hear(confirmation)) == (["AT accepted"], ["AU affirmed"])
    canceled = replace(confirmation, ref="C-1-X", ref_of="C-1", trans_type=TransType.CANCEL)
    assert desk.hear(canceled) == ["AU received"]
    assert not desk.script.post_trade.due_clients()
    assert not desk.office.follow_clients(replace(rule, cl_ord_id="X"), clock=desk.clock, at=AT)


def wrong(name: str) -> Callable[[AccountLine, PostTradeMessage], Any]:
    return lambda line, message: getattr(message if name == "settlement_date" else line, name)


@pytest.mark.parametrize(
    ("rule", "field", "value", "net"),
    [
        ({"do": "wrong_price", "by": "0.10"}, "avg_px", "99.45", "5972.00"),
        ({"do": "wrong_fee", "by": "1.50"}, "fees", "4.50", "5967.50"),
        ({"do": "wrong_commission"}, "commission", "3.00", "5967.00"),
        ({"do": "wrong_net", "by": "-7"}, "net", "5959", "5959"),
        ({"do": "wrong_settlement_date"}, "settlement_date", date(2026, 11, 25), "5966"),
        ({"do": "wrong_account", "account": "ELSE"}, "account", "ELSE", "5966"),
    ],
)
def test_one_confirmation_is_wrong_in_one_thing_and_the_next_is_right(
    desk: Desk, rule: dict[str, Any], field: str, value: Any, net: str
) -> None:
    desk.follow({**rule, "when": {"allocation_ref": "A-1"}})
    desk.hear(instruction())
    message = desk.told[3]
    said = wrong(field)(message.accounts[0], message)
    assert said == (Decimal(value) if isinstance(said, Decimal) else value)
    assert message.accounts[0].net == Decimal(net)
    assert desk.told[4].accounts[0].net == Decimal("3995.86")
    mended = desk.hear(instruction("J-2", trans_type=TransType.REPLACE, ref_of="J-1"))
    assert mended == ["P received", "P accepted", "AS replace", "AK replace ACC-1"]


@pytest.mark.parametrize(
    ("rule", "said", "later"),
    [
        ({"do": "late", "seconds": 90, "when": {"account": "ACC-2"}}, WHOLE[:4], WHOLE[4:]),
        ({"do": "missing"}, [*WHOLE[:3], WHOLE[4]], []),
        ({"do": "missing", "times": 0}, WHOLE[:3], []),
        ({"do": "duplicate", "when": {"account": "ACC-1"}}, [*WHOLE, WHOLE[3]], []),
        ({"do": "reject_block"}, ["P received", "P rejected 7"], []),
        ({"do": "late", "seconds": 90, "when": {"kind": "allocation_ack", "status": "accepted"}}, [WHOLE[0], *WHOLE[2:]], [WHOLE[1]]),
        ({"do": "cancel_and_resend", "when": {"account": "ACC-1"}}, [*WHOLE, "AK cancel ACC-1", "AK new ACC-1"], []),
    ],
)  # fmt: skip
def test_messages_come_late_twice_never_or_not_as_they_should(
    desk: Desk, rule: dict[str, Any], said: list[str], later: list[str]
) -> None:
    desk.follow(rule)
    assert desk.hear(instruction()) == said
    assert desk.after(100) == later


def test_a_client_may_say_no(desk: Desk) -> None:
    desk.follow({"do": "reject", "when": {"kind": "confirmation_ack"}})
    line = replace(instruction().accounts[0], gross=Decimal(1), net=Decimal(1))
    desk.hear(instruction(kind=MessageKind.CONFIRMATION, ref="C-1", accounts=(line,)))
    assert (short(desk.told[-1]), desk.told[-1].text) == ("AU rejected 99", "We do not agree")


def test_a_late_confirmation_that_became_untrue_is_not_said(desk: Desk) -> None:
    desk.follow({"do": "late", "seconds": 90, "times": 0})
    desk.hear(instruction())
    assert desk.hear(instruction("J-2", trans_type=TransType.CANCEL, ref_of="J-1")) == [
        "P received",
        "P accepted",
        "AS cancel",
    ]
    assert desk.after(200) == []


def test_errors_by_seed_are_the_same_every_time_and_as_many_as_asked(tmp_path: Path) -> None:
    def run(seed: int, place: str) -> list[PostTradeMessage]:
        (tmp_path / place).mkdir()
        desk = Desk(tmp_path / place)
        desk.follow(post_trade_errors={"seed": seed, "one_in": 5})
        desk.hear(instruction(shares=(2,) * 50), wait=1000)
        return [message for message in desk.told if message.kind is MessageKind.CONFIRMATION]

    first, again, other = run(1, "a"), run(1, "b"), run(2, "c")
    assert (first, first == other) == (again, False)
    right = [m for m in first if m.accounts[0].net == first[-1].accounts[0].net and m.settlement_date == SETTLES]
    assert 0.6 < len(right) / len(first) < 0.95


def test_a_killed_back_office_knows_what_it_heard_and_said(desk: Desk) -> None:
    desk.hear(instruction())
    desk.hear(instruction("J-2", shares=(60, 30), trans_type=TransType.REPLACE, ref_of="J-1"))
    desk.hear(instruction("J-9", shares=(99,)), wait=0.1)  # one too many, and killed before it could say so
    stood = {ref: (one.undone, dict(one.confirmed), one.report) for ref, one in desk.office.broker.instructions.items()}
    counter = desk.office.broker.counter
    desk.office.close()
    with (desk.directory / "post_trade.jsonl").open("ab") as ledger:
        ledger.write(b'{"half a')
    desk.open()
    again = desk.office.broker
    assert {r: (one.undone, one.confirmed, one.report) for r, one in again.instructions.items() if r != "J-9"} == stood
    assert again.counter == counter
    assert desk.hear(instruction("J-3", trans_type=TransType.CANCEL, ref_of="J-2"))[2:] == [
        "AS cancel", "AK cancel ACC-1", "AK cancel ACC-2",
    ]  # fmt: skip
    assert len(list(read_ledger(desk.directory / "post_trade.jsonl"))) > 8


def test_over_4_2_only_the_instruction_is_answered(tmp_path: Path) -> None:
    assert Desk(tmp_path, "FIX.4.2").hear(instruction()) == ["P received", "P accepted"]


def test_what_cannot_be_read_is_answered_as_such(desk: Desk) -> None:
    raw = format_message("FIX.4.4", [(35, "J"), (34, "9"), (70, "J-1"), (71, "7")])
    refused = desk.office.hear(SESSION, raw, clock=0, at=AT)
    assert refused is not None
    assert (refused.ref_msg_type, refused.ref_seq_num, "71='7'" in refused.text) == ("J", "9", True)


@pytest.mark.parametrize(
    "plan",
    [
        {"post_trade": [{"id": "x", "do": "explode"}]},
        {"post_trade": [{"id": "x", "do": "late", "when": {"weather": "bad"}}]},
        {"post_trade": [{"do": "late"}]},
        {"post_trade": [{"id": "x", "do": "wrong_fee", "by": "much"}]},
    ],
)
def test_a_script_of_another_shape_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, ArithmeticError)):
        parse_plan(plan)
