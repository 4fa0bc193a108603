"""The acceptance suite every adapter passes, numbered. A new adapter adds itself to ``DIALECTS``, nothing else changes.

A01-A09 what we send · A10-A19 what the venue reports · A20-A29 rejects · A30-A39 what must not be guessed ·
A40 the declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kernel.fix import ExecType, OrdStatus, OrdType, Side, TimeInForce
from orders.domain.facts import fact_of
from orders.domain.report import Position, Report
from orders.domain.venue_rules import rules_from_json, rules_to_json
from venues.adapters import fix42, fix44
from venues.adapters.base import Adapter, InboundContext, Mapped, SentMessage
from venues.adapters.dialect import Dialect as Spoken
from venues.adapters.fix42 import Fix42
from venues.adapters.fix44 import Fix44, leaves_dialect
from venues.adapters.registry import ADAPTERS
from venues.domain.capabilities import ExecIdentity, ReplaceQuantity
from venues.domain.fix_codec import first_values, parse
from venues.domain.messages import IntentKind, OutboundIntent, Terms

AT = datetime(2026, 11, 20, 9, 30, 15, 250000, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 20, 9, 30, 16, tzinfo=UTC)
TERMS = Terms(
    account="AC1", symbol="VOD.L", mic="XLON", isin="GB00BH4HKS39", currency="GBP", side=Side.BUY,
    ord_type=OrdType.LIMIT, time_in_force=TimeInForce.DAY, order_qty=Decimal("1000"), price=Decimal("71.50"),
    stop_px=None, min_qty=None, max_floor=None, expire_at=None, expire_date=None, locate_ref="", capacity="A",
    handling="1",
)  # fmt: skip
CONTEXT = InboundContext(session="S", epoch="E1", msg_seq_num=34, received_at=RECEIVED, wire_message_id=9)


@dataclass(frozen=True)
class Dialect:
    """How a venue of this dialect says trade, bust, correction and status."""

    adapter: Adapter
    kinds: dict[str, str]
    capacity_tag: int


FOUR_FOUR = {
    "new": "150=0|", "trade": "150=F|", "bust": "150=H|", "correct": "150=G|", "status": "150=I|",
    "canceled": "150=4|", "replaced": "150=5|", "restated": "150=D|",
}  # fmt: skip
FOUR_TWO = {
    "new": "20=0|150=0|", "trade": "20=0|150=1|", "bust": "20=1|150=1|", "correct": "20=2|150=1|",
    "status": "20=3|150=1|", "canceled": "20=0|150=4|", "replaced": "20=0|150=5|", "restated": "20=0|150=D|",
}  # fmt: skip
DIALECTS = {
    "fix44": Dialect(Fix44(), FOUR_FOUR, 528),
    "fix44-leaves": Dialect(leaves_dialect(), FOUR_FOUR, 528),
    "fix44-chained": Dialect(fix44.chained_dialect(), FOUR_FOUR, 528),
    "fix44-unique": Dialect(fix44.unique_dialect(), FOUR_FOUR, 528),
    "fix44-drop-copy": Dialect(fix44.drop_copy_dialect(), FOUR_FOUR, 528),
    "fix44-no-expiry": Dialect(fix44.no_expiry_dialect(), FOUR_FOUR, 528),
    "fix42": Dialect(Fix42(), FOUR_TWO, 47),
    "fix42-chained": Dialect(fix42.chained_dialect(), FOUR_TWO, 47),
}
pytestmark = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())

Sent = Callable[..., dict[int, str]]


def send(dialect: Dialect, kind: IntentKind, **changes: object) -> dict[int, str]:
    names = (
        {"orig_cl_ord_id": "A1.1", "venue_order_id": "V1"} if kind in (IntentKind.REPLACE, IntentKind.CANCEL) else {}
    )
    cum_qty = changes.pop("cum_qty", Decimal(0))
    intent = OutboundIntent(
        kind=kind,
        cl_ord_id="A1.2" if names else "A1.1",
        orig_cl_ord_id=names.get("orig_cl_ord_id", ""),
        venue_order_id=names.get("venue_order_id", ""),
        terms=replace(TERMS, **changes),  # type: ignore[arg-type]
        transact_time=AT,
        cum_qty=cum_qty,  # type: ignore[arg-type]
    )
    fields = dialect.adapter.map_outbound(intent)
    assert fields[0][0] == 35
    assert len({tag for tag, _ in fields}) == len(fields), "a tag is sent twice"
    return first_values(fields)


def read(
    dialect: Dialect,
    kind: str,
    rest: str = "",
    *,
    context: InboundContext = CONTEXT,
    exec_id: str = "X7",
    happened: str = "15.800",
) -> Report:
    text = (
        f"35=8|34={context.msg_seq_num}|52=20261120-09:30:15.900|37=V1|17={exec_id}|{dialect.kinds[kind]}11=A1.1|54=1|"
        f"60=20261120-09:30:{happened}|{rest}"
    )
    return read_raw(dialect, text, context=context).reports[0]


def read_raw(dialect: Dialect, text: str, *, context: InboundContext = CONTEXT) -> Mapped:
    return dialect.adapter.map_inbound(parse(text.replace("|", "\x01")), context)


def test_a01_a_new_order_carries_exactly_its_terms(dialect: Dialect) -> None:
    assert send(dialect, IntentKind.NEW) == {
        35: "D", 11: "A1.1", 55: "VOD.L", 48: "GB00BH4HKS39", 22: "4", 207: "XLON", 54: "1", 1: "AC1",
        60: "20261120-09:30:15.250", 21: "1", dialect.capacity_tag: "A", 38: "1000", 40: "2", 44: "71.5",
        59: "0", 15: "GBP",
    }  # fmt: skip


def test_a02_every_order_type_and_condition_has_its_field(dialect: Dialect) -> None:
    sent = send(
        dialect, IntentKind.NEW, ord_type=OrdType.STOP_LIMIT, stop_px=Decimal("72"), min_qty=Decimal("100"),
        max_floor=Decimal("200"), time_in_force=TimeInForce.GTD, expire_date=date(2026, 12, 31),
    )  # fmt: skip
    assert {tag: sent[tag] for tag in (40, 44, 99, 110, 111, 59, 432)} == {
        40: "4", 44: "71.5", 99: "72", 110: "100", 111: "200", 59: "6", 432: "20261231",
    }  # fmt: skip
    market = send(dialect, IntentKind.NEW, ord_type=OrdType.MARKET, price=None)
    assert 44 not in market
    assert 99 not in market


def test_a03_a_short_sale_says_so_and_that_the_locate_exists(dialect: Dialect) -> None:
    sent = send(dialect, IntentKind.NEW, side=Side.SELL_SHORT, locate_ref="L1")
    assert (sent[54], sent[114]) == ("5", "N")
    assert 114 not in send(dialect, IntentKind.NEW, side=Side.SELL)


def test_a04_a_replace_names_its_predecessor_and_the_declared_quantity(dialect: Dialect) -> None:
    sent = send(dialect, IntentKind.REPLACE, order_qty=Decimal("1500"), cum_qty=Decimal("400"))
    assert (sent[35], sent[11], sent[41], sent[37]) == ("G", "A1.2", "A1.1", "V1")
    total = dialect.adapter.capabilities.replace_quantity is ReplaceQuantity.TOTAL
    assert sent[38] == ("1500" if total else "1100")


def test_a05_a_cancel_names_its_predecessor_and_no_terms(dialect: Dialect) -> None:
    sent = send(dialect, IntentKind.CANCEL)
    assert (sent[35], sent[11], sent[41], sent[37], sent[38]) == ("F", "A1.2", "A1.1", "V1", "1000")
    assert {40, 44, 59}.isdisjoint(sent)


def test_a06_a_status_request_names_the_order_and_asks_nothing_else(dialect: Dialect) -> None:
    sent = send(dialect, IntentKind.STATUS)
    assert (sent[35], sent[11], sent[55], sent[54]) == ("H", "A1.1", "VOD.L", "1")
    assert {38, 40, 41, 44, 59, 60}.isdisjoint(sent)


def test_a10_an_acknowledgement(dialect: Dialect) -> None:
    report = read(dialect, "new", "39=0|38=1000|44=71.5|14=0|151=1000|6=0|")
    assert (report.exec_type, report.ord_status, report.cl_ord_id) == (ExecType.NEW, OrdStatus.NEW, "A1.1")
    assert (report.venue_order_id, report.order_qty, report.leaves_qty) == ("V1", Decimal(1000), Decimal(1000))
    assert (report.msg_type, report.session, report.wire_message_id) == ("8", "S", 9)
    assert (report.mapping, report.undated) == (dialect.adapter.mapping, True)


def test_a11_a_trade(dialect: Dialect) -> None:
    report = read(dialect, "trade", "39=1|38=1000|32=300|31=71.49|14=300|151=700|6=71.49|30=XLON|75=20261120|")
    assert report.exec_type is ExecType.TRADE
    assert (report.last_qty, report.last_px, report.cum_qty) == (Decimal(300), Decimal("71.49"), Decimal(300))
    assert (report.last_mkt, report.trade_date, report.exec_id) == ("XLON", date(2026, 11, 20), "X7")
    assert not report.undated
    assert report.event_at == datetime(2026, 11, 20, 9, 30, 15, 800000, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "exec_type"), [("bust", ExecType.TRADE_CANCEL), ("correct", ExecType.TRADE_CORRECT)])
def test_a12_a_bust_and_a_correction_name_the_trade(dialect: Dialect, kind: str, exec_type: ExecType) -> None:
    report = read(dialect, kind, "39=0|19=X6|32=300|31=71.40|14=0|151=1000|")
    assert (report.exec_type, report.exec_ref_id, report.exec_id) == (exec_type, "X6", "X7")


@pytest.mark.parametrize(
    ("kind", "exec_type"),
    [("canceled", ExecType.CANCELED), ("replaced", ExecType.REPLACED), ("restated", ExecType.RESTATED)],
)
def test_a13_other_reports_keep_their_kind_and_the_predecessor(
    dialect: Dialect, kind: str, exec_type: ExecType
) -> None:
    report = read(dialect, kind, "39=4|41=A1.0|378=8|14=0|151=0|")
    assert (report.exec_type, report.orig_cl_ord_id, report.restatement_reason) == (exec_type, "A1.0", "8")


def test_a14_each_status_answer_is_its_own_fact(dialect: Dialect) -> None:
    first = read(dialect, "status", "39=0|14=0|")
    second = read(dialect, "status", "39=0|14=0|", context=replace(CONTEXT, msg_seq_num=35))
    assert first.exec_type is second.exec_type is ExecType.ORDER_STATUS
    assert first.identity != second.identity


def test_a15_a_repeated_exec_id_is_two_facts_when_the_sums_differ(dialect: Dialect) -> None:
    dialect = _declaring(dialect, ExecIdentity.FIVE_PART)
    first = read(dialect, "trade", "39=1|32=100|31=1|14=100|")
    again = read(dialect, "trade", "39=1|32=100|31=1|14=200|")
    assert first.exec_id == again.exec_id
    assert first.identity != again.identity


def test_a16_the_same_report_under_another_number_is_the_same_fact(dialect: Dialect) -> None:
    first = read(dialect, "trade", "39=1|32=100|31=1|14=100|")
    resent = read(dialect, "trade", "39=1|32=100|31=1|14=100.00|97=Y|", context=replace(CONTEXT, msg_seq_num=99))
    assert first.identity == resent.identity
    assert (first.poss_resend, resent.poss_resend) == (False, True)
    copied = dialect.adapter.capabilities.drop_copy
    assert resent.position == Position("~E1" if copied else "E1", 99)


def test_a17_the_same_ids_in_another_epoch_are_other_facts(dialect: Dialect) -> None:
    first = read(dialect, "trade", "39=1|32=100|31=1|14=100|")
    later = read(dialect, "trade", "39=1|32=100|31=1|14=100|", context=replace(CONTEXT, epoch="E2"))
    for_ever = dialect.adapter.capabilities.exec_identity is ExecIdentity.ACROSS_SESSIONS
    assert (first.identity == later.identity) == for_ever


def _declaring(dialect: Dialect, rule: ExecIdentity) -> Dialect:
    assert isinstance(dialect.adapter, Spoken)
    capabilities = replace(dialect.adapter.capabilities, exec_identity=rule)
    return replace(dialect, adapter=replace(dialect.adapter, capabilities=capabilities))


def test_a18_each_identity_tells_apart_what_it_declares(dialect: Dialect) -> None:
    def names(rule: ExecIdentity) -> tuple[bool, ...]:
        """Whether another epoch, sum, ExecID, time, spelling makes another fact."""
        declaring = _declaring(dialect, rule)
        said = "39=1|32=100|31=1|14=100|"
        first = read(declaring, "trade", said).identity
        others = (
            read(declaring, "trade", said, context=replace(CONTEXT, epoch="E2")),
            read(declaring, "trade", said.replace("14=100", "14=200")),
            read(declaring, "trade", said, exec_id="X8"),
            read(declaring, "trade", said, happened="16"),
            read(declaring, "trade", said.replace("14=100", "14=100.00"), context=replace(CONTEXT, msg_seq_num=99)),
        )
        return tuple(other.identity != first for other in others)

    assert {rule: names(rule) for rule in ExecIdentity} == {
        ExecIdentity.FIVE_PART: (True, True, True, False, False),
        ExecIdentity.EXEC_ID_AND_ORDER: (True, False, True, False, False),
        ExecIdentity.ACROSS_SESSIONS: (False, False, True, False, False),
        ExecIdentity.BY_CONTENT: (True, True, False, True, False),
    }


@pytest.mark.parametrize("rule", list(ExecIdentity))
def test_a19_a_report_without_exec_id_is_known_by_what_it_says(dialect: Dialect, rule: ExecIdentity) -> None:
    declaring = _declaring(dialect, rule)
    said = f"35=8|34=34|52=20261120-09:30:15|37=V1|{dialect.kinds['trade']}11=A1.1|54=1|39=1|32=100|31=1|14=100|"
    first, same, other = (
        read_raw(declaring, text).reports[0].identity
        for text in (said, said.replace("34=34", "34=99"), said.replace("14=100", "14=200"))
    )
    assert first == same
    assert first != other


def test_a19_a_resend_differs_from_the_first_telling_only_in_its_epoch(dialect: Dialect) -> None:
    for rule in ExecIdentity:
        declaring = _declaring(dialect, rule)
        first = read(declaring, "trade", "39=1|32=100|31=1|14=100|")
        resent = read(declaring, "trade", "39=1|32=100|31=1|14=100|97=Y|", context=replace(CONTEXT, epoch="E2"))
        assert fact_of(first).said_before_as == fact_of(resent).said_before_as
        assert (fact_of(first).resend, fact_of(resent).resend) == ("", "Y")


def test_a19_identities_of_any_length_fit_their_column(dialect: Dialect) -> None:
    long = [read(dialect, "trade", "39=1|32=1|31=1|", exec_id="9" * 300 + end).identity for end in "12"]
    assert len(set(long)) == 2
    assert max(map(len, long)) <= 160


def test_a20_a_cancel_reject_hands_on_the_status_it_carries(dialect: Dialect) -> None:
    report = read_raw(dialect, "35=9|37=V1|11=A1.2|41=A1.1|39=2|434=1|102=0|58=too late|").reports[0]
    assert (report.msg_type, report.exec_type, report.ord_status) == ("9", None, OrdStatus.FILLED)
    assert (report.cl_ord_id, report.orig_cl_ord_id, report.reject_code) == ("A1.2", "A1.1", "0")
    assert (report.text, report.mapping) == ("too late", dialect.adapter.mapping)


@pytest.mark.parametrize(("msg_type", "reason_tag"), [("3", 373), ("j", 380)])
def test_a21_a_reject_by_number_ends_the_request_it_names(dialect: Dialect, msg_type: str, reason_tag: int) -> None:
    context = replace(CONTEXT, sent={12: SentMessage("D", "A1.1")})
    mapped = read_raw(dialect, f"35={msg_type}|45=12|{reason_tag}=5|58=bad symbol|", context=context)
    report = mapped.reports[0]
    assert mapped.problem == ""
    assert (report.msg_type, report.cl_ord_id, report.reject_code) == (msg_type, "A1.1", "5")
    assert (report.text, report.ord_status, report.exec_type) == ("bad symbol", None, None)
    assert report.mapping == dialect.adapter.mapping


def test_a22_a_rejected_status_request_proves_nothing_about_its_order(dialect: Dialect) -> None:
    context = replace(CONTEXT, sent={12: SentMessage("H", "A1.1")})
    mapped = read_raw(dialect, "35=j|45=12|380=3|58=unsupported|", context=context)
    assert mapped == Mapped((), "The venue rejected our message 12 of type H: unsupported")


def test_a23_a_reject_of_a_message_we_do_not_know_is_told_and_guesses_nothing(dialect: Dialect) -> None:
    mapped = read_raw(dialect, "35=3|45=77|373=9|58=comp id|")
    assert mapped == Mapped((), "The venue rejected message 77, which is not ours: comp id")


def test_a30_what_the_venue_does_not_say_stays_unsaid(dialect: Dialect) -> None:
    report = read(dialect, "new")
    assert (report.ord_status, report.order_qty, report.cum_qty, report.leaves_qty) == (None, None, None, None)
    assert (report.price, report.avg_px, report.orig_cl_ord_id) == (None, None, None)


def test_a31_no_order_id_is_no_order_id(dialect: Dialect) -> None:
    text = f"35=8|37=NONE|17=0|{dialect.kinds['status']}11=A1.1|39=8|14=0|"
    assert read_raw(dialect, text).reports[0].venue_order_id is None
    assert read_raw(dialect, text.replace("11=A1.1|", "")).reports[0].cl_ord_id is None


@pytest.mark.parametrize(
    "rest", ["39=Z|", "39=1|32=NaN|", "39=1|14=-5|", "39=1|31=Infinity|", "39=1|32=1e|", "75=2026-11-20|"]
)
def test_a32_what_breaks_the_specification_raises(dialect: Dialect, rest: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(dialect, "trade", rest)


def test_a33_an_unknown_kind_of_report_raises(dialect: Dialect) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        read_raw(dialect, "35=8|37=V1|17=X7|150=Z|11=A1.1|39=0|")


def test_a34_messages_about_other_things_are_no_reports(dialect: Dialect) -> None:
    assert read_raw(dialect, "35=B|148=news|") == Mapped(())


def test_a40_the_declaration_is_registered_and_versioned(dialect: Dialect) -> None:
    names = [name for name, adapter in ADAPTERS.items() if adapter == dialect.adapter]
    assert [f"{name}/1" for name in names] == [dialect.adapter.mapping]
    declared = dialect.adapter.capabilities
    assert declared.begin_string in ("FIX.4.2", "FIX.4.4")
    outstanding = 8 if dialect.adapter.mapping.endswith("-chained/1") else 1
    assert declared.max_outstanding_replaces == outstanding
    refusal = declared.supports(ord_type=OrdType.LIMIT, time_in_force=TimeInForce.DAY)
    assert (refusal == "") != declared.drop_copy
    rules = declared.rules(dialect.adapter.mapping)
    assert rules_from_json(rules_to_json(rules)) == rules
    assert (rules.mapping, rules.replace.max_outstanding) == (dialect.adapter.mapping, outstanding)
    assert rules.replace.means_leaves == (declared.replace_quantity is ReplaceQuantity.LEAVES)
    assert "side" not in rules.replace.replaceable


def test_a41_all_open_orders_are_asked_for_where_the_venue_can_say(dialect: Dialect) -> None:
    if not dialect.adapter.capabilities.mass_status_request:
        with pytest.raises(ValueError, match="no order mass status request"):
            dialect.adapter.mass_status_request("R1")
        return
    assert dialect.adapter.mass_status_request("R1") == ((35, "AF"), (584, "R1"), (585, "7"))
    nothing = "35=8|34=5|37=NONE|17=0|150=I|39=8|14=0|151=0|6=0|584=R1|911=0|912=Y|58=No open orders|"
    assert read_raw(dialect, nothing) == Mapped(())


def test_a42_unknown_at_the_venue_is_its_word_only_where_the_adapter_says_that_it_proves_something(
    dialect: Dialect,
) -> None:
    weak = replace(dialect.adapter.capabilities, unknown_order_answer_is_proof=False)
    doubting = replace(dialect, adapter=replace(dialect.adapter, capabilities=weak))  # type: ignore[type-var]
    assert read(dialect, "status", "39=8|14=0|").ord_status is OrdStatus.REJECTED
    assert read(doubting, "status", "39=8|14=0|").ord_status is None
    assert read(doubting, "new", "39=8|14=0|").ord_status is OrdStatus.REJECTED


def test_a43_an_answer_says_which_request_it_was_asked_about(dialect: Dialect) -> None:
    assert read(dialect, "status", "39=0|14=0|790=QA1.2|").asked_for == "A1.2"
    assert read(dialect, "status", "39=0|14=0|790=other|").asked_for == ""
    assert read(dialect, "new", "39=0|14=0|790=QA1.2|").asked_for == ""
