"""Post-trade messages and their fields: there and back, the groups in order, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.post_trade import (
    AccountLine,
    AckStatus,
    FillLine,
    MessageKind,
    OrderLine,
    PostTradeMessage,
    TransType,
    from_json,
    to_json,
)
from venues.domain.fix_codec import parse
from venues.domain.fix_groups import dictionary_text, entry_of
from venues.domain.post_trade import wire_name, write
from venues.domain.post_trade_reading import read

AT = datetime(2026, 11, 26, 10, 30, 15, 123000, UTC)
LINE = AccountLine(
    ref="1001", account="ACME-1", qty=Decimal(100), avg_px=Decimal("72.5"), commission=Decimal("7.25"),
    fees=Decimal("1.10"), net=Decimal("7258.35"),
)  # fmt: skip
BLOCK = PostTradeMessage(
    kind=MessageKind.ALLOCATION_INSTRUCTION,
    ref="B-7-1",
    counterparty="SIM1",
    transact_at=AT,
    block_ref="B-7",
    side="1",
    symbol="BARC.L",
    isin="GB0031348658",
    mic="XLON",
    currency="GBP",
    qty=Decimal(300),
    avg_px=Decimal("72.5"),
    trade_date=date(2026, 11, 26),
    settlement_date=date(2026, 11, 30),
    orders=(OrderLine("02611000001.1", "SIM1-O1", Decimal(300), Decimal("72.5")),),
    fills=(FillLine("E-1", Decimal(100), Decimal("72.4")), FillLine("E-2", Decimal(200), Decimal("72.55"))),
    accounts=(LINE, replace(LINE, ref="1002", account="ACME-2", qty=Decimal(200), fees=None, commission=None)),
)
CONFIRMATION = replace(
    BLOCK, kind=MessageKind.CONFIRMATION, ref="K-1", ref_of="B-7-1", allocation_ref="1001", capacity="A", fills=(),
    qty=LINE.qty, accounts=(replace(LINE, gross=Decimal("7250.00")),),
)  # fmt: skip


def test_an_instruction_is_written_as_the_specification_has_it() -> None:
    text = "|".join(f"{tag}={value}" for tag, value in write(BLOCK, begin_string="FIX.4.4"))
    assert text == (
        "35=J|70=B-7-1|71=0|626=1|793=B-7|857=1|73=1|11=02611000001.1|37=SIM1-O1|799=72.5|800=300|124=2|32=100|17=E-1|31=72.4"
        "|32=200|17=E-2|31=72.55|54=1|55=BARC.L|48=GB0031348658|22=4|207=XLON|53=300|15=GBP|6=72.5|75=20261126"
        "|60=20261126-10:30:15.123|64=20261130|118=14516.7|78=2"
        "|79=ACME-1|80=100|467=1001|12=7.25|13=3|153=72.5|154=7258.35|136=1|137=1.1|138=GBP|139=7"
        "|79=ACME-2|80=200|467=1002|153=72.5|154=7258.35"
    )


def test_an_instruction_of_4_2_has_no_field_that_4_2_lacks() -> None:
    tags = {tag for tag, _ in write(BLOCK, begin_string="FIX.4.2")}
    assert tags.isdisjoint({626, 793, 857, 467, 799, 800})
    again = read(write(BLOCK, begin_string="FIX.4.2"), counterparty="SIM1")
    assert (again.block_ref, [line.ref for line in again.accounts]) == ("B-7-1", ["", ""])
    assert [line.account for line in again.accounts] == ["ACME-1", "ACME-2"]


def test_a_confirmation_says_what_each_figure_is() -> None:
    values = entry_of(write(CONFIRMATION, begin_string="FIX.4.4")).values
    said = {tag: values[tag] for tag in (664, 70, 467, 79, 80, 6, 381, 118, 12, 13, 665, 666, 773)}
    assert said == {
        664: "K-1", 70: "B-7-1", 467: "1001", 79: "ACME-1", 80: "100", 6: "72.5", 381: "7250", 118: "7258.35", 12: "7.25",
        13: "3", 665: "4", 666: "0", 773: "2",
    }  # fmt: skip


_names = st.text("ABCDEFGHIJ0123456789-.", min_size=1, max_size=12)
_optional_name = st.one_of(st.just(""), _names)
_qty = st.integers(1, 10**9).map(Decimal)
_px = st.decimals("0.0001", "99999", places=4)
_money = st.one_of(st.none(), st.decimals("0", "9999999", places=2))
_days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
_lines = st.builds(
    AccountLine,
    ref=_names,
    account=_names,
    qty=_qty,
    avg_px=_px,
    gross=_money,
    commission=_money,
    fees=_money,
    net=_money,
)
_messages = st.builds(
    PostTradeMessage,
    kind=st.sampled_from(MessageKind),
    ref=_names,
    counterparty=st.just("SIM1"),
    transact_at=st.just(AT),
    ref_of=_names,
    block_ref=_names,
    trans_type=st.sampled_from(TransType),
    text=_optional_name,
    side=st.sampled_from(["1", "2", "5", "6"]),
    symbol=_names,
    isin=_optional_name,
    mic=_optional_name,
    currency=st.sampled_from(["", "GBP", "USD"]),
    qty=_qty,
    avg_px=_px,
    trade_date=_days,
    settlement_date=st.one_of(st.none(), _days),
    orders=st.lists(st.builds(OrderLine, _names, _optional_name, _qty, _px), max_size=3).map(tuple),
    fills=st.lists(st.builds(FillLine, _names, _qty, _px), max_size=3).map(tuple),
    accounts=st.lists(_lines, max_size=4).map(tuple),
)


def as_it_can_be_said(message: PostTradeMessage) -> PostTradeMessage:
    """What FIX has fields for, kind by kind."""
    match message.kind:
        case MessageKind.CONFIRMATION:
            line = (message.accounts or (LINE,))[0]
            line = replace(line, gross=line.gross or Decimal(1), net=line.net or Decimal(2))
            return replace(
                message,
                fills=(),
                accounts=(line,),
                allocation_ref=line.ref,
                capacity="P",
                qty=line.qty,
                avg_px=line.avg_px,
            )
        case MessageKind.ALLOCATION_INSTRUCTION | MessageKind.ALLOCATION_REPORT:
            is_report = message.kind is MessageKind.ALLOCATION_REPORT
            is_new = message.trans_type is TransType.NEW
            return replace(
                message,
                ref_of="" if is_new and not is_report else message.ref_of,
                ack_status=AckStatus.ACCEPTED if is_report else None,
                accounts=tuple(replace(line, gross=None) for line in message.accounts),
            )
        case kind:
            is_affirmation = kind is MessageKind.CONFIRMATION_ACK
            status = AckStatus.AFFIRMED if is_affirmation else AckStatus.REJECTED
            return PostTradeMessage(
                kind, f"{message.ref_of}:{status.value}", "SIM1", AT, message.ref_of,
                "" if is_affirmation else message.block_ref, ack_status=status, text=message.text,
                reject_code="" if is_affirmation else "2", trade_date=message.trade_date,
            )  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(_messages)
def test_what_is_written_is_read_again(message: PostTradeMessage) -> None:
    said = as_it_can_be_said(message)
    fields = write(said, begin_string="FIX.4.4")
    assert read(fields, counterparty="SIM1") == said
    assert from_json(to_json(said)) == said
    assert from_json({**to_json(message), "wire_message_id": 7, "session": "SIM1-A"}) == message
    assert parse("\x01".join(f"{tag}={value}" for tag, value in fields)) == tuple(fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ([(35, "J"), (70, "A"), (71, "0"), (78, "2"), (79, "X"), (80, "1")], "entry 2 is not there"),
        (
            [(35, "J"), (70, "A"), (71, "0"), (78, "1"), (79, "X"), (80, "1"), (79, "Y"), (80, "1")],
            "more entries follow",
        ),
        ([(35, "J"), (70, "A"), (71, "0"), (78, "x")], "not a number of entries"),
        ([(35, "J"), (70, "A"), (71, "0"), (78, "1"), (80, "1"), (79, "X")], "does not begin with 79"),
        ([(35, "J"), (70, "A"), (70, "B"), (71, "0")], "comes twice"),
        ([(35, "J"), (70, "A"), (71, "9")], "71='9' is not in the specification"),
        ([(35, "J"), (70, "A"), (71, "1")], "names no earlier message"),
        ([(35, "J"), (71, "0")], "tag 70 is missing"),
        ([(35, "P"), (70, "A"), (87, "8"), (60, "20261126-10:00:00")], "87='8' is not in the specification"),
        ([(35, "P"), (70, "A"), (87, "0")], "is a time"),
        ([(35, "AU"), (664, "A"), (940, "0"), (60, "20261126-10:00:00")], "940='0' is not in the specification"),
        ([(35, "D")], "no post-trade message"),
    ],
)
def test_what_breaks_the_specification_is_refused(fields: list[tuple[int, str]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(fields, counterparty="SIM1")


@pytest.mark.parametrize("tag", [31, 54, 53, 6, 75, 79, 80, 153, 154, 12, 13, 64, 137])
def test_a_value_that_cannot_be_is_refused_wherever_it_stands(tag: int) -> None:
    wrong = [(t, "nonsense" if t == tag else v) for t, v in write(BLOCK, begin_string="FIX.4.4")]
    if tag == 79:  # any text is an account
        assert read(wrong, counterparty="SIM1").accounts[0].account == "nonsense"
        return
    with pytest.raises(ValueError, match="nonsense"):
        read(wrong, counterparty="SIM1")


@pytest.mark.parametrize(
    ("message", "begin_string", "why"),
    [
        (replace(BLOCK, ref=""), "FIX.4.4", "ref is missing"),
        (replace(BLOCK, qty=None), "FIX.4.4", "qty is missing"),
        (replace(BLOCK, trans_type=TransType.CANCEL), "FIX.4.4", "ref_of is missing"),
        (replace(BLOCK, text="a\x0179=other"), "FIX.4.4", "field separator"),
        (CONFIRMATION, "FIX.4.2", "FIX.4.2 has no confirmation"),
        (replace(CONFIRMATION, accounts=()), "FIX.4.4", "not of 0"),
        (replace(CONFIRMATION, accounts=(LINE,)), "FIX.4.4", "gross is missing"),
        (
            PostTradeMessage(MessageKind.ALLOCATION_ACK, "", "SIM1", AT, "A", ack_status=AckStatus.AFFIRMED),
            "FIX.4.4",
            "cannot say",
        ),
        (PostTradeMessage(MessageKind.ALLOCATION_ACK, "", "SIM1", AT, "A"), "FIX.4.4", "cannot say None"),
    ],
)
def test_what_cannot_be_said_is_not_sent(message: PostTradeMessage, begin_string: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write(message, begin_string=begin_string)


def test_a_reason_of_ours_travels_as_other_with_its_code_in_the_text() -> None:
    no = PostTradeMessage(
        MessageKind.CONFIRMATION_ACK, "x", "SIM1", AT, "K-1", ack_status=AckStatus.REJECTED, trade_date=date(2026, 11, 26),
        reject_code="FEES_DIFFER", text="by 1.00",
    )  # fmt: skip
    assert write(no, begin_string="FIX.4.4")[-2:] == ((774, "99"), (58, "FEES_DIFFER: by 1.00"))
    assert wire_name(no) == "K-1:rejected"


def test_a_commission_a_unit_is_the_quantity_times_it_and_a_share_of_the_value_is_refused() -> None:
    fields = [
        (tag, {12: "0.02", 13: "1"}.get(tag, value)) for tag, value in write(CONFIRMATION, begin_string="FIX.4.4")
    ]
    assert read(fields, counterparty="SIM1").accounts[0].commission == Decimal("2.00")
    with pytest.raises(ValueError, match="13=2"):
        read([(tag, "2" if tag == 13 else value) for tag, value in fields], counterparty="SIM1")


def test_the_engines_dictionary_knows_every_type_and_requires_nothing() -> None:
    text = dictionary_text("FIX.4.2")
    assert text.startswith('<fix major="4" minor="2">')
    assert 'required="Y"' not in text
    assert text.count("msgtype=") == 62 + 62 * 62
