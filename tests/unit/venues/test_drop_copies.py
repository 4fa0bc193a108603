"""The same happenings told over two sessions: one fact each, placed where the trading session put it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from orders.domain.derive import derive
from orders.domain.facts import NO_FACTS
from orders.domain.fold import fold, fold_many, request_sent
from orders.domain.report import Report
from orders.domain.state import RequestFact
from venues.adapters.base import InboundContext
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import parse

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEW = request_sent(NO_FACTS, RequestFact("new", "A1.1", None, Decimal(1000), Decimal(72), None, "0"))
TOLD = [
    "35=8|17=X1|150=0|39=0|37=V1|11=A1.1|54=1|38=1000|14=0|151=1000|",
    "35=8|17=X2|150=F|39=1|37=V1|11=A1.1|54=1|38=1000|32=300|31=71|14=300|151=700|",
    "35=9|37=V1|11=A1.2|41=A1.1|39=1|434=1|102=0|",
    "35=8|17=X3|150=D|39=1|37=V1|11=A1.1|54=1|38=900|14=300|151=600|378=5|",
    "35=8|17=X4|150=4|39=4|37=V1|11=A1.1|54=1|38=900|14=300|151=0|",
]


def _read(adapter: str, text: str, epoch: str, number: int) -> Report:
    context = InboundContext(session=adapter, epoch=epoch, msg_seq_num=number, received_at=AT)
    return adapter_named(adapter).map_inbound(parse(text.replace("|", "\x01")), context).reports[0]


def _two_sessions(told: list[str], copied: list[str]) -> tuple[list[Report], list[Report]]:
    main = [_read("fix44-unique", text, "E1", 500 + place) for place, text in enumerate(told)]
    return main, [_read("fix44-drop-copy", text, "A1", 1 + place) for place, text in enumerate(copied)]


def test_one_happening_over_two_sessions_is_one_fact_where_the_trading_session_put_it() -> None:
    main, copies = _two_sessions(TOLD, TOLD)
    assert [report.identity for report in main] == [report.identity for report in copies]
    alone = fold_many(NEW, main).facts
    for arriving in ([*copies, *main], [*main, *copies], [*main[3:], *copies[::-1], *main[:3]]):
        facts = NEW
        for report in arriving:
            facts = fold(facts, report).facts
        assert facts == alone
    assert derive(alone, business_date=AT.date()).cum_qty == Decimal(300)


def test_what_only_the_copy_told_counts_and_stands_behind_what_the_trading_session_told() -> None:
    main, copies = _two_sessions([TOLD[0], *TOLD[2:]], TOLD)
    facts = fold_many(NEW, [*copies, *main]).facts
    assert [fact.exec_id for fact in facts.facts] == ["X1", "", "X3", "X4", "X2"]
    derived = derive(facts, business_date=AT.date())
    assert (derived.ord_status, derived.cum_qty, derived.leaves_qty) == ("4", Decimal(300), Decimal(0))
