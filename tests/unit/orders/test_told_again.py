"""What was said before: resends over a reset of the numbers, ExecIDs that repeat, observations told again."""

from __future__ import annotations

import itertools
from dataclasses import replace as changed
from decimal import Decimal
from uuid import UUID

import pytest

from journal.domain.records import EventRecord
from orders.domain.changes import ExecutionChange
from orders.domain.facts import NO_FACTS, OrderFacts, facts_from_json, facts_of_reports, facts_to_json
from orders.domain.fold import fold
from orders.domain.report import Report
from orders.domain.report_json import report_of, report_to_json
from tests.unit.orders.builders import after, brief, replace, report, sent

D = Decimal
FIRST, SECOND, THIRD = "2026-01-05", "2026-01-06", "2026-01-07"


def trade(epoch: str, seq: int, exec_id: str = "A", *, qty: int = 100, cum: int = 100, resend: bool = False) -> Report:
    """A trade as an adapter names it: the identity begins with the epoch."""
    identity = f"{epoch}|V-X|{exec_id}|F|{cum}"
    made = report(seq, "F", "1", qty=qty, exec_id=exec_id, cum=cum, epoch=epoch, identity=identity)
    return changed(made, poss_resend=resend)


def in_every_order(*reports: Report) -> OrderFacts:
    """The facts after the reports, which must be the same in each order of arrival, and so must what was booked."""
    found = []
    for arriving in itertools.permutations(reports):
        facts, worth = sent(tif="1"), dict[str, tuple[object, object]]()
        for one in arriving:
            folded = fold(facts, one)
            facts = folded.facts
            for change in folded.changes:
                if isinstance(change, ExecutionChange):
                    before = (change.effective_qty_before, change.effective_px_before)
                    assert worth.pop(change.identity, (D(0), before[1])) == before
                    if change.effective_qty:
                        worth[change.identity] = (change.effective_qty, change.effective_px)
        assert worth == {e.identity: (e.qty, e.px) for e in facts.state.execs if e.qty}
        found.append(facts)
    assert all(facts == found[0] for facts in found)
    return found[0]


def test_a_trade_resent_after_a_reset_counts_once() -> None:
    facts = in_every_order(trade(FIRST, 5), trade(SECOND, 2, resend=True))
    assert brief(facts)[2] == D(100)


def test_a_resend_whose_first_telling_was_lost_counts() -> None:
    facts = in_every_order(report(1, "0", "0", epoch=FIRST), trade(SECOND, 2, resend=True))
    assert brief(facts)[2] == D(100)


def test_two_resends_of_a_lost_trade_count_once() -> None:
    facts = in_every_order(trade(SECOND, 2, resend=True), trade(THIRD, 2, resend=True))
    assert brief(facts)[2] == D(100)


def test_a_new_trade_whose_exec_id_repeats_after_a_reset_counts() -> None:
    facts = in_every_order(trade(FIRST, 5), trade(SECOND, 2), trade(SECOND, 9, resend=True))
    assert brief(facts)[2] == D(200)


def test_a_resend_before_the_new_trade_with_its_exec_id() -> None:
    facts = in_every_order(trade(FIRST, 5), trade(SECOND, 2, resend=True), trade(THIRD, 2))
    assert brief(facts)[2] == D(200)


def test_a_flagged_report_that_differs_from_all_before_is_no_repetition() -> None:
    facts = in_every_order(trade(FIRST, 5), trade(SECOND, 2, "B", cum=200, resend=True))
    assert brief(facts)[2] == D(200)


def test_a_resend_with_the_sum_of_now_adds_nothing() -> None:
    other = trade(FIRST, 6, "B", qty=50, cum=150)
    facts = in_every_order(trade(FIRST, 5), other, trade(SECOND, 2, cum=150, resend=True))
    assert brief(facts)[2] == D(150)


def test_a_resend_whose_sum_fits_nothing_is_not_counted_and_shown() -> None:
    facts = in_every_order(trade(FIRST, 5), trade(SECOND, 2, cum=700, resend=True))
    assert (brief(facts)[2], [note.kind for note in facts.state.notes]) == (D(100), ["RESEND_UNSURE"])


def test_a_flagged_trade_by_which_the_venues_own_sum_grows_is_a_new_one() -> None:
    facts = in_every_order(trade(FIRST, 5), trade(FIRST, 6, cum=200, resend=True))
    assert brief(facts)[2] == D(200)


def test_a_resent_bust_and_a_resent_trade_leave_the_trade_busted() -> None:
    bust = report(6, "H", "0", exec_id="B", ref="A", cum=0, epoch=FIRST, identity=f"{FIRST}|V-X|B|H|0")
    resent = changed(
        report(3, "H", "0", exec_id="B", ref="A", cum=0, epoch=SECOND, identity=f"{SECOND}|V-X|B|H|0"),
        poss_resend=True,
    )
    facts = in_every_order(trade(FIRST, 5), bust, trade(SECOND, 2, resend=True), resent)
    assert brief(facts) == ("0", D(1000), D(0), D(1000), "X")
    assert facts.state.notes == ()


def test_a_resent_acceptance_does_not_bring_old_terms_back() -> None:
    def restated(epoch: str, seq: int, exec_id: str, qty: int, *, resend: bool = False) -> Report:
        identity = f"{epoch}|V-X|{exec_id}|D|0"
        made = report(seq, "D", "0", exec_id=exec_id, order_qty=qty, epoch=epoch, identity=identity)
        return changed(made, poss_resend=resend)

    facts = in_every_order(
        restated(FIRST, 2, "A", 1200), restated(FIRST, 3, "B", 1100), restated(SECOND, 2, "A", 1200, resend=True)
    )
    assert brief(facts)[1] == D(1100)


def test_what_was_missed_before_a_reset_is_read_before_what_followed_it() -> None:
    """The venue repeats both restatements in its order; of the first one nobody had heard."""

    def restated(epoch: str, seq: int, exec_id: str, qty: int, *, resend: bool = False) -> Report:
        identity = f"{epoch}|V-X|{exec_id}|D|0"
        made = report(seq, "D", "0", exec_id=exec_id, order_qty=qty, epoch=epoch, identity=identity)
        return changed(made, poss_resend=resend)

    facts = in_every_order(
        report(2, "0", "0", epoch=FIRST),
        restated(FIRST, 4, "B", 1100),
        restated(SECOND, 1, "A", 1200, resend=True),
        restated(SECOND, 2, "B", 1100, resend=True),
        trade(SECOND, 3),
    )
    assert brief(facts) == ("1", D(1100), D(100), D(1000), "X")


def test_what_only_a_resend_tells_and_nothing_known_follows_stands_where_it_came() -> None:
    def restated(seq: int, qty: int, *, resend: bool = False) -> Report:
        epoch = SECOND if resend else FIRST
        made = report(seq, "D", "0", order_qty=qty, epoch=epoch, identity=f"{epoch}|V-X|{qty}|D|0")
        return changed(made, poss_resend=resend)

    facts = in_every_order(restated(4, 1100), restated(1, 1200, resend=True), trade(SECOND, 2))
    assert brief(facts)[1] == D(1200)


def test_a_status_answer_told_again_is_no_new_observation() -> None:
    def answer(seq: int, said: str, *, resend: bool = False) -> Report:
        return changed(report(seq, "I", said, exec_id="0", identity=f"1|I|{seq}"), poss_resend=resend)

    stopped, live, again = answer(2, "7"), answer(3, "0"), answer(9, "7", resend=True)
    assert brief(in_every_order(stopped, live, again))[0] == "0"
    assert brief(in_every_order(stopped, live, answer(9, "7")))[0] == "7"


def applied(one: Report) -> EventRecord:
    """The event that keeps this report."""
    some = UUID(int=1)
    return EventRecord(
        position=1,
        id=some,
        stream="order:1",
        seq=1,
        kind="ReportApplied",
        version=1,
        actor="test",
        on_behalf_of="",
        correlation_id=some,
        causation_id=None,
        event_at=one.event_at,
        received_at=one.received_at,
        recorded_at=one.received_at,
        business_date=one.trade_date,
        payload={"report": report_to_json(one)},
    )


def test_the_flag_is_kept_with_the_report_and_rows_of_before_it_are_read() -> None:
    reports = [trade(FIRST, 5), trade(SECOND, 2, resend=True)]
    facts = after(sent(), *reports)
    again = [report_of(applied(one)) for one in reports]
    assert again == reports
    assert facts_of_reports(facts.requests, again) == facts
    assert facts_to_json(facts_from_json(facts_to_json(facts))) == facts_to_json(facts)
    rows = [[*map(str, fact[:10]), None, None, None, "100", "10"] for fact in facts.facts]
    before = {"v": 1, "requests": facts_to_json(facts)["requests"], "facts": rows}
    assert brief(facts_from_json(before))[2] == D(200)


@pytest.mark.parametrize("orig", ["X", "Y", "Z"])
def test_any_name_of_the_order_is_a_right_predecessor(orig: str) -> None:
    facts = replace(replace(sent(), "Y", "X", 2000), "Z", "Y", 3000)
    facts = after(facts, report(1, "0", "0"), report(2, "E", "E", cl="Z", orig=orig))
    assert facts.state.notes == ()


@pytest.mark.parametrize(("kind", "said"), [("5", "0"), ("E", "E"), ("6", "6"), ("4", "4"), ("R", "0")])
def test_a_predecessor_that_is_none_of_the_orders_is_shown(kind: str, said: str) -> None:
    facts = after(replace(sent(), "Y", "X", 2000), report(1, "0", "0"), report(2, kind, said, cl="Y", orig="Q"))
    assert [note.kind for note in facts.state.notes] == ["WRONG_PREDECESSOR"]
    assert brief(facts)[2:4] == (D(0), {"5": D(2000), "4": D(0)}.get(kind, D(1000)))


def test_a_request_put_on_record_late_explains_the_predecessor() -> None:
    facts = after(sent(), report(1, "0", "0"), report(2, "5", "0", cl="Z", orig="Y", order_qty=2000))
    assert [note.kind for note in facts.state.notes] == ["WRONG_PREDECESSOR"]
    assert replace(facts, "Y", "X", 1500).state.notes == ()


def test_names_of_a_phoned_order_are_the_brokers_affair() -> None:
    facts = after(NO_FACTS, report(1, "0", "0", cl=None, order_qty=1000), report(2, "5", "0", cl="B2", orig="B1"))
    assert facts.state.notes == ()
