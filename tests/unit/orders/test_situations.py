"""Single situations that the scenario files cannot say: anomalies, answers, prices, days, identities."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from orders.domain.changes import AnomalyFound, AnomalyGone, ExecutionChange, Folded, RequestAnswered
from orders.domain.facts import NO_FACTS, OrderFacts, facts_from_json, facts_to_json
from orders.domain.fold import fold, fold_many, request_sent
from tests.unit.orders.builders import DAY, NEXT_DAY, after, brief, cancel, last, on, replace, report, sent

D = Decimal
Ask = Callable[[OrderFacts, str, str], OrderFacts]


def answers(folded: Folded) -> list[tuple[str, str, str]]:
    return [(c.cl_ord_id, c.outcome, c.code) for c in folded.changes if isinstance(c, RequestAnswered)]


def found(folded: Folded) -> list[str]:
    return [c.kind for c in folded.changes if isinstance(c, AnomalyFound)]


def gone(folded: Folded) -> list[str]:
    return [c.kind for c in folded.changes if isinstance(c, AnomalyGone)]


def executions(folded: Folded) -> list[tuple[str, str, Decimal, Decimal]]:
    return [
        (c.exec_id, c.kind, c.effective_qty_before, c.effective_qty)
        for c in folded.changes
        if isinstance(c, ExecutionChange)
    ]


class TestBeforeTheVenueSpeaks:
    def test_sending_changes_nothing_but_is_open(self) -> None:
        d = on(sent())
        assert (d.ord_status, d.order_qty, d.leaves_qty, d.cl_ord_id, d.is_open) == (None, D(1000), D(1000), "X", True)

    def test_cash_order_has_no_quantity_until_the_first_report(self) -> None:
        facts = sent(qty=None)
        assert brief(facts) == (None, None, D(0), D(0), "X")
        assert on(facts).is_open
        assert brief(after(facts, report(1, "0", "0", order_qty=40))) == ("0", D(40), D(0), D(40), "X")

    def test_phoned_order_takes_its_terms_from_the_first_report_in_the_venues_order(self) -> None:
        late = after(
            NO_FACTS, report(2, "F", "1", cl=None, qty=100, order_qty=500), report(1, "0", "0", cl=None, order_qty=500)
        )
        assert brief(late) == ("1", D(500), D(100), D(400), None)

    def test_a_clordid_used_twice_keeps_its_first_use(self) -> None:
        facts = sent(qty=1000)
        assert request_sent(facts, sent(qty=1500).requests[0]) is facts

    def test_only_a_pending_cancel_then_its_reject_leaves_pending_new(self) -> None:
        facts = cancel(sent(), "Y", "X")
        facts = after(facts, report(1, "6", "6", cl="Y", orig="X"), report(2, "R", "", cl="Y", orig="X"))
        assert brief(facts)[0] == "A"


class TestAnswers:
    def test_new_is_accepted_by_its_first_living_word(self) -> None:
        assert answers(fold(sent(), report(1, "A", "A"))) == []
        assert answers(fold(sent(), report(1, "0", "0"))) == [("X", "accepted", "")]
        assert answers(fold(sent(), report(1, "F", "1", qty=10))) == [("X", "accepted", "")]
        assert answers(fold(sent(), report(1, "4", "4"))) == [("X", "accepted", "")]

    def test_accepted_and_then_rejected(self) -> None:
        assert answers(last(sent(), report(1, "0", "0"), report(2, "8", "8", reason="0"))) == [("X", "rejected", "0")]

    def test_session_reject_ends_the_new(self) -> None:
        folded = fold(sent(), report(1, "R", "", cl="X", reason="SESSION_REJECT"))
        assert answers(folded) == [("X", "rejected", "SESSION_REJECT")]
        assert brief(folded.facts) == ("8", D(1000), D(0), D(0), "X")

    def test_cancel_accepted_by_canceled_under_its_id(self) -> None:
        facts = cancel(sent(), "Y", "X")
        folded = last(facts, report(1, "0", "0"), report(2, "4", "4", cl="Y", orig="X"))
        assert answers(folded) == [("Y", "accepted", "")]

    def test_unasked_cancel_answers_no_request(self) -> None:
        facts = cancel(sent(), "Y", "X")
        folded = last(facts, report(1, "0", "0"), report(2, "4", "4", cl="X"))
        assert answers(folded) == []
        assert not on(folded.facts).is_open

    def test_replace_that_ends_in_a_cancel_is_rejected(self) -> None:
        facts = replace(sent(), "Y", "X", 2000)
        folded = last(facts, report(1, "0", "0"), report(2, "4", "4", cl="Y", orig="X"))
        assert answers(folded) == [("Y", "rejected", "ENDED_INSTEAD")]

    def test_rejected_by_execution_report_instead_of_cancel_reject(self) -> None:
        facts = replace(sent(), "Y", "X", 2000)
        folded = last(facts, report(1, "0", "0"), report(2, "8", "0", cl="Y", orig="X", reason="99"))
        assert answers(folded) == [("Y", "rejected", "99")]
        assert brief(folded.facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_order_rejected_under_the_id_of_its_accepted_replace(self) -> None:
        facts = after(replace(sent(), "Y", "X", 2000), report(1, "0", "0"), report(2, "5", "0", cl="Y", orig="X"))
        assert brief(after(facts, report(3, "8", "8", cl="Y"))) == ("8", D(2000), D(0), D(0), "Y")

    def test_what_was_carried_out_stands_when_rejected_afterwards(self) -> None:
        facts = replace(sent(), "Y", "X", 2000)
        folded = last(
            facts, report(1, "0", "0"), report(2, "5", "0", cl="Y", orig="X"), report(3, "R", "0", cl="Y", orig="X")
        )
        assert answers(folded) == []
        assert found(folded) == ["CONTRADICTION"]
        assert brief(folded.facts) == ("0", D(2000), D(0), D(2000), "Y")


class TestMisleadingRejects:
    @pytest.mark.parametrize("said", ["8", "4", "2", "C", ""])
    def test_the_status_of_a_cancel_reject_is_not_applied(self, said: str) -> None:
        facts = cancel(sent(), "Y", "X")
        facts = after(
            facts, report(1, "0", "0"), report(2, "6", "6", cl="Y", orig="X"), report(3, "R", said, cl="Y", orig="X")
        )
        assert brief(facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_unknown_order_says_nothing_about_the_order(self) -> None:
        facts = cancel(sent(), "Y", "X")
        folded = fold(facts, report(1, "R", "8", cl="Y", orig="X", reason="1", venue_order_id="NONE"))
        assert answers(folded) == [("Y", "rejected", "1")]
        assert brief(folded.facts)[0] is None
        assert on(folded.facts).venue_order_id is None

    def test_unknown_order_with_a_living_status_is_no_acknowledgement(self) -> None:
        facts = cancel(sent(), "Y", "X")
        assert brief(after(facts, report(1, "R", "0", cl="Y", orig="X", reason="1")))[0] is None

    def test_pending_under_the_orders_own_id_is_cleared_by_the_reject(self) -> None:
        facts = cancel(sent(), "Y", "X")
        facts = after(facts, report(1, "0", "0"), report(2, "6", "6", cl="X"), report(3, "R", "0", cl="Y", orig="X"))
        assert brief(facts)[0] == "0"

    def test_a_pending_that_follows_its_answer_is_an_echo(self) -> None:
        facts = cancel(sent(), "Y", "X")
        facts = after(
            facts, report(1, "0", "0"), report(2, "R", "0", cl="Y", orig="X"), report(3, "6", "6", cl="Y", orig="X")
        )
        assert brief(facts)[0] == "0"


class TestExecutions:
    def test_average_price_follows_bust_and_correction_exactly(self) -> None:
        facts = after(
            sent(),
            report(1, "F", "1", qty=300, px="10.01", exec_id="A"),
            report(2, "F", "1", qty=700, px="10.03", exec_id="B"),
        )
        assert on(facts).avg_px == D("10.024")
        facts = after(facts, report(3, "G", "2", qty=700, px="10.00", exec_id="C", ref="B"))
        assert on(facts).avg_px == D("10.003")
        assert on(after(facts, report(4, "H", "1", exec_id="D", ref="A"))).avg_px == D(10)

    def test_bust_before_its_trade_is_parked_and_then_applied(self) -> None:
        folded = fold(sent(), report(1, "H", "0", exec_id="B", ref="A"))
        assert (found(folded), executions(folded)) == (["PARKED_BUST"], [])
        folded = fold(folded.facts, report(2, "F", "1", qty=100, exec_id="A"))
        assert gone(folded) == ["PARKED_BUST"]
        assert executions(folded) == [("A", "trade", D(0), D(0))]
        assert brief(folded.facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_correction_of_a_correction_before_either_is_known(self) -> None:
        first, second = (
            report(2, "G", "1", qty=90, exec_id="B", ref="A"),
            report(3, "G", "1", qty=80, exec_id="C", ref="B"),
        )
        trade = report(1, "F", "1", qty=100, exec_id="A")
        for order in ((trade, first, second), (second, first, trade), (second, trade, first), (first, second, trade)):
            assert brief(after(sent(), *order))[2] == D(80)

    def test_bust_is_final(self) -> None:
        facts = after(sent(), report(1, "F", "1", qty=100, exec_id="A"), report(2, "H", "0", exec_id="B", ref="A"))
        folded = fold(facts, report(3, "G", "1", qty=100, exec_id="C", ref="A"))
        assert (found(folded), executions(folded)) == (["CORRECTED_BUST"], [])
        assert brief(folded.facts)[2] == D(0)

    def test_bust_under_the_trades_own_exec_id(self) -> None:
        facts = after(sent(), report(1, "F", "1", qty=100, exec_id="A"), report(2, "H", "0", exec_id="A"))
        assert brief(facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_repeated_exec_ids_are_two_trades_and_a_bust_of_them_is_shown(self) -> None:
        facts = after(
            sent(),
            report(1, "F", "1", qty=100, exec_id="7", cum=100),
            report(2, "F", "1", qty=200, exec_id="7", cum=300),
        )
        assert brief(facts)[2] == D(300)
        folded = fold(facts, report(3, "H", "1", exec_id="8", ref="7"))
        assert found(folded) == ["AMBIGUOUS_REF"]
        assert brief(folded.facts)[2] == D(100)

    def test_two_busts_of_a_repeated_exec_id_take_both_trades(self) -> None:
        facts = after(
            sent(),
            report(1, "F", "1", qty=100, exec_id="7", cum=100),
            report(2, "F", "1", qty=200, exec_id="7", cum=300),
            report(3, "H", "1", exec_id="8", ref="7"),
            report(4, "H", "0", exec_id="9", ref="7"),
        )
        assert brief(facts)[2] == D(0)

    def test_trade_without_quantity_is_kept_and_shown(self) -> None:
        folded = fold(sent(), report(1, "F", "0"))
        assert (found(folded), executions(folded)) == (["TRADE_WITHOUT_QTY"], [])

    def test_overfill_raises_and_its_correction_clears(self) -> None:
        folded = fold(sent(), report(1, "F", "2", qty=1100, exec_id="A"))
        assert found(folded) == ["OVERFILL"]
        assert brief(folded.facts) == ("2", D(1000), D(1100), D(0), "X")
        assert on(folded.facts).overfilled
        folded = fold(folded.facts, report(2, "G", "2", qty=1000, exec_id="B", ref="A"))
        assert gone(folded) == ["OVERFILL"]
        assert not on(folded.facts).overfilled

    def test_split_restates_what_each_execution_is_worth(self) -> None:
        facts = after(sent(qty=1000, tif="1"), report(1, "F", "1", qty=200, px=30, exec_id="A"))
        folded = fold(facts, report(2, "D", "1", order_qty=1500, reason="0"))
        assert executions(folded) == [("A", "restate", D(200), D(200))]
        assert [one.stated for one in folded.changes if isinstance(one, ExecutionChange)] == [(D(300), D(20))]
        assert brief(folded.facts) == ("1", D(1500), D(300), D(1200), "X")
        assert on(folded.facts).avg_px == D(20)

    def test_a_fill_of_before_the_split_that_arrives_after_it_is_scaled_too(self) -> None:
        facts = after(sent(qty=1000, tif="1"), report(2, "D", "1", order_qty=2000, reason="0"))
        folded = fold(facts, report(1, "F", "1", qty=200, px=30, exec_id="A"))
        assert executions(folded) == [("A", "trade", D(0), D(200))]
        assert brief(folded.facts)[2] == D(400)

    def test_a_correction_that_waits_for_its_trade_goes_through_the_split_too(self) -> None:
        facts = after(sent(tif="1"), report(1, "G", "0", qty=90, px=30, exec_id="B", ref="A"))
        facts = after(facts, report(2, "D", "0", order_qty=2000, reason="0"), report(3, "F", "1", qty=100, exec_id="A"))
        assert (on(facts).cum_qty, on(facts).avg_px) == (D(180), D(15))

    def test_reverse_split_rounds_to_eight_places(self) -> None:
        facts = after(
            sent(qty=300, tif="1"), report(1, "F", "1", qty=100, px=1), report(2, "D", "1", order_qty=100, reason="0")
        )
        assert brief(facts)[2] == D("33.33333333")

    def test_quantity_raised_by_phone_is_no_split(self) -> None:
        facts = after(sent(), report(1, "F", "1", qty=100), report(2, "D", "1", order_qty=2000, cum=100, reason="2"))
        assert brief(facts) == ("1", D(2000), D(100), D(1900), "X")


class TestEnds:
    def test_late_trade_on_a_canceled_order_counts_and_is_shown(self) -> None:
        folded = last(sent(), report(1, "0", "0"), report(2, "4", "4"), report(3, "F", "1", qty=100, leaves=900))
        assert found(folded) == ["LATE_TRADE"]
        assert brief(folded.facts) == ("4", D(1000), D(100), D(0), "X")

    def test_the_same_trade_numbered_before_the_cancel_is_nothing_special(self) -> None:
        folded = last(sent(), report(1, "0", "0"), report(3, "4", "4"), report(2, "F", "1", qty=100))
        assert found(folded) == []
        assert brief(folded.facts) == ("4", D(1000), D(100), D(0), "X")

    def test_late_trades_that_fill_a_canceled_order_fill_it(self) -> None:
        facts = after(sent(), report(1, "4", "4"), report(2, "F", "4", qty=1000))
        assert brief(facts) == ("2", D(1000), D(1000), D(0), "X")

    def test_rejected_after_it_traded_keeps_the_trade_and_the_rest_reserved(self) -> None:
        folded = last(sent(), report(1, "F", "1", qty=100), report(2, "8", "8"))
        assert found(folded) == ["REJECTED_AFTER_TRADE"]
        assert brief(folded.facts) == ("1", D(1000), D(100), D(900), "X")

    def test_new_after_rejected_stays_rejected_and_is_shown(self) -> None:
        folded = last(sent(), report(1, "8", "8"), report(2, "0", "0"))
        assert found(folded) == ["CONTRADICTION"]
        assert brief(folded.facts) == ("8", D(1000), D(0), D(0), "X")

    def test_duplicate_reject_with_a_careless_status_leaves_the_first_order_alive(self) -> None:
        folded = last(sent(), report(1, "0", "0"), report(2, "8", "8", reason="6"))
        assert (found(folded), answers(folded)) == (["DUPLICATE_REJECTED"], [])
        assert brief(folded.facts)[0] == "0"

    def test_replaced_to_life(self) -> None:
        facts = after(replace(sent(), "Y", "X", 1500), report(1, "4", "4"))
        assert brief(after(facts, report(2, "5", "0", cl="Y", orig="X"))) == ("0", D(1500), D(0), D(1500), "Y")

    def test_a_replace_that_names_no_living_status_revives_nothing(self) -> None:
        facts = after(replace(sent(), "Y", "X", 1500), report(1, "4", "4"))
        assert brief(after(facts, report(2, "5", "4", cl="Y", orig="X"))) == ("4", D(1500), D(0), D(0), "Y")

    def test_restated_to_life(self) -> None:
        facts = after(
            sent(), report(1, "0", "0"), report(2, "4", "4"), report(3, "D", "0", order_qty=1000, leaves=1000)
        )
        assert brief(facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_day_order_done_for_day_stays_done_next_day(self) -> None:
        facts = after(sent(), report(1, "F", "1", qty=100), report(2, "3", "3"))
        assert brief(facts, DAY) == ("3", D(1000), D(100), D(0), "X")
        assert brief(facts, NEXT_DAY) == ("3", D(1000), D(100), D(0), "X")
        assert not on(facts).is_open

    @pytest.mark.parametrize("tif", ["1", "6"])
    def test_good_till_order_wakes_on_the_next_day(self, tif: str) -> None:
        facts = after(sent(tif=tif), report(1, "F", "1", qty=100), report(2, "3", "3"))
        assert brief(facts, DAY) == ("3", D(1000), D(100), D(900), "X")
        assert brief(facts, NEXT_DAY) == ("1", D(1000), D(100), D(900), "X")
        assert on(facts).is_open

    def test_a_report_of_a_later_day_proves_the_day_has_moved(self) -> None:
        facts = after(sent(tif="1"), report(1, "3", "3"), report(2, "6", "6", cl="Y", day=NEXT_DAY))
        facts = after(facts, report(3, "R", "0", cl="Y", orig="X", day=NEXT_DAY))
        assert brief(facts, DAY) == ("0", D(1000), D(0), D(1000), "X")

    def test_day_order_reopens_only_when_the_venue_says_something_is_left(self) -> None:
        done = after(sent(), report(1, "0", "0"), report(2, "3", "3"))
        assert brief(after(done, report(3, "F", "1", qty=100)))[0] == "3"
        assert brief(after(done, report(3, "F", "1", qty=100, leaves=900))) == ("1", D(1000), D(100), D(900), "X")
        assert brief(after(done, report(3, "D", "0")))[0] == "0"


class TestStatusAnswers:
    def test_it_acknowledges_what_was_never_acknowledged(self) -> None:
        assert answers(fold(sent(), report(1, "I", "0"))) == [("X", "accepted", "")]

    def test_it_makes_no_trade(self) -> None:
        facts = after(sent(), report(1, "0", "0"), report(2, "I", "1", cum=500, leaves=500))
        assert brief(facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_an_order_the_venue_does_not_know_is_rejected_until_it_proves_otherwise(self) -> None:
        folded = fold(sent(), report(2, "I", "8", reason="5"))
        assert answers(folded) == [("X", "rejected", "UNKNOWN_AT_VENUE")]
        assert brief(folded.facts) == ("8", D(1000), D(0), D(0), "X")
        folded = fold(folded.facts, report(3, "0", "0"))
        assert answers(folded) == [("X", "accepted", "")]
        assert brief(folded.facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_a_denial_does_not_touch_an_order_that_lives(self) -> None:
        assert brief(after(sent(), report(1, "0", "0"), report(2, "I", "8")))[0] == "0"

    @pytest.mark.parametrize("ask", [cancel, partial(replace, qty=2000)])
    def test_a_request_that_never_arrived_is_rejected_and_the_order_goes_on(self, ask: Ask) -> None:
        facts = after(ask(sent(), "Y", "X"), report(1, "0", "0"))
        folded = fold(facts, report(2, "I", "8", cl="Y", venue_order_id=None, reason="5"))
        assert answers(folded) == [("Y", "rejected", "UNKNOWN_AT_VENUE")]
        assert brief(folded.facts) == ("0", D(1000), D(0), D(1000), "X")

    def test_a_denied_request_says_nothing_of_an_order_that_has_not_answered_yet(self) -> None:
        folded = fold(cancel(sent(), "Y", "X"), report(2, "I", "8", cl="Y", reason="5"))
        assert answers(folded) == [("Y", "rejected", "UNKNOWN_AT_VENUE")]
        assert brief(folded.facts) == (None, D(1000), D(0), D(1000), "X")

    def test_a_denial_does_not_take_back_what_was_carried_out(self) -> None:
        facts = after(replace(sent(), "Y", "X", 2000), report(1, "0", "0"), report(2, "5", "0", cl="Y", orig="X"))
        folded = fold(facts, report(3, "I", "8", cl="Y"))
        assert answers(folded) == []
        assert brief(folded.facts) == ("0", D(2000), D(0), D(2000), "Y")

    def test_an_order_that_works_under_the_new_id_with_the_new_terms_was_replaced(self) -> None:
        facts = after(replace(sent(), "Y", "X", 2000), report(1, "0", "0"))
        folded = fold(facts, report(2, "I", "0", cl="Y", order_qty=2000))
        assert answers(folded) == [("Y", "accepted", "")]
        assert brief(folded.facts) == ("0", D(2000), D(0), D(2000), "Y")

    @pytest.mark.parametrize(("said", "leaves"), [("4", 0), ("C", 0), ("3", 0), ("7", 1000), ("9", 1000)])
    def test_it_tells_of_what_was_lost(self, said: str, leaves: int) -> None:
        assert brief(after(sent(), report(1, "0", "0"), report(2, "I", said))) == (said, D(1000), D(0), D(leaves), "X")


class TestTerms:
    def test_price_follows_the_accepted_replace_only(self) -> None:
        facts = replace(sent(price=10), "Y", "X", 1000, price=11)
        facts = after(facts, report(1, "0", "0"), report(2, "E", "E", cl="Y", orig="X", price=11))
        assert on(facts).price == D(10)
        assert on(after(facts, report(3, "5", "0", cl="Y", orig="X"))).price == D(11)

    def test_the_venues_word_beats_what_was_asked(self) -> None:
        facts = replace(sent(), "Y", "X", 1505)
        facts = after(facts, report(1, "0", "0"), report(2, "5", "0", cl="Y", orig="X", order_qty=1500, price=9))
        assert (on(facts).order_qty, on(facts).price) == (D(1500), D(9))

    def test_replace_from_day_to_good_till_canceled(self) -> None:
        facts = request_sent(sent(), sent().requests[0]._replace(kind="replace", cl_ord_id="Y", time_in_force="1"))
        facts = after(facts, report(1, "0", "0"), report(2, "5", "0", cl="Y", orig="X"), report(3, "3", "3", cl="Y"))
        assert (on(facts).time_in_force, on(facts).leaves_qty) == ("1", D(1000))

    def test_replace_below_what_is_executed_though_the_venue_echoes_what_was_asked(self) -> None:
        facts = after(replace(sent(), "Y", "X", 700), report(1, "F", "1", qty=800))
        facts = after(facts, report(2, "5", "2", cl="Y", orig="X", order_qty=700))
        assert brief(facts) == ("2", D(800), D(800), D(0), "Y")

    def test_a_fill_labelled_with_the_new_id_but_the_old_terms_accepts_nothing(self) -> None:
        facts = replace(sent(), "Y", "X", 2000)
        facts = after(facts, report(1, "0", "0"), report(2, "F", "1", cl="Y", qty=100, order_qty=1000))
        assert brief(facts) == ("1", D(1000), D(100), D(900), "X")

    def test_order_id_changed_by_the_venue(self) -> None:
        facts = replace(sent(), "Y", "X", 2000)
        facts = after(facts, report(1, "0", "0"), report(2, "5", "0", cl="Y", orig="X", venue_order_id="V-2"))
        assert on(facts).venue_order_id == "V-2"


class TestIdentity:
    def test_a_duplicate_changes_nothing(self) -> None:
        facts = after(sent(), report(1, "F", "1", qty=100))
        again = fold(facts, report(1, "F", "1", qty=100))
        assert (again.facts, again.changes, again.duplicate) == (facts, (), True)

    def test_a_resend_under_a_later_number_is_the_same_report(self) -> None:
        first, resent = report(1, "F", "1", qty=100, identity="A"), report(9, "F", "1", qty=100, identity="A")
        assert after(sent(), first, resent) == after(sent(), resent, first)
        assert brief(after(sent(), resent, first))[2] == D(100)

    def test_epochs_order_before_numbers(self) -> None:
        facts = after(
            sent(tif="1"),
            report(1, "D", "0", order_qty=1200, epoch="2026-01-06"),
            report(900, "D", "0", order_qty=1100, epoch="2026-01-05"),
        )
        assert on(facts).order_qty == D(1200)

    def test_a_batch_in_disorder_raises_nothing_it_settles_itself(self) -> None:
        folded = fold_many(
            sent(), [report(2, "H", "0", exec_id="B", ref="A"), report(1, "F", "1", qty=100, exec_id="A")]
        )
        assert (found(folded), gone(folded)) == ([], [])
        assert executions(folded) == [("A", "trade", D(0), D(100)), ("A", "bust", D(100), D(0))]


class TestStored:
    def test_nothing_known_is_an_empty_mapping(self) -> None:
        assert facts_from_json({}) is NO_FACTS

    def test_another_version_is_refused(self) -> None:
        with pytest.raises(ValueError, match="version 3"):
            facts_from_json({"v": 3, "requests": []})

    def test_the_first_version_comes_back_whole(self) -> None:
        row = ["e", 1, "id", "0", "0", "X", "", "1", "", "V"]
        facts = facts_from_json({"v": 1, "requests": [["new", "X", None, "100"]], "facts": [row]})
        assert (facts.whole, facts.count, brief(facts)[0]) == (True, 1, "0")
        assert facts_from_json(facts_to_json(facts)).count == 1


@pytest.mark.parametrize(("mark", "reason"), [("9", "5"), ("3", "0")])
def test_a_restatement_that_still_names_the_mark_leaves_it(mark: str, reason: str) -> None:
    """A quantity restated while suspended, or overnight while done for the day, wakes nothing."""
    marked = report(2, mark, mark)
    facts = after(sent(tif="1"), report(1, "0", "0"), marked, report(3, "D", mark, order_qty=800, reason=reason))
    assert brief(facts)[:2] == (mark, D(800))
    assert brief(after(facts, report(4, "D", "0", order_qty=800, reason="1")))[0] == "0"
