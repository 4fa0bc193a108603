"""What the answers to our questions prove, and what we conclude when a venue says nothing at a day's end."""

from __future__ import annotations

from dataclasses import replace as changed
from decimal import Decimal
from itertools import permutations

import pytest

from orders.domain.changes import AnomalyFound, RequestAnswered
from orders.domain.derive import all_answers
from orders.domain.facts import OrderFacts, facts_from_json, facts_to_json
from orders.domain.fold import fold
from orders.domain.report import Report
from tests.unit.orders.builders import after, brief, cancel, last, on, replace, report, sent

NEW = report(1, "0", "0")


def asked(about: str, said: str, *, seq: int = 5, cl: str = "X", **more: int) -> Report:
    """The answer to a status question about one request."""
    return changed(report(seq, "I", said, cl=cl, **more), asked_for=about)  # type: ignore[arg-type]


def outcome(facts: OrderFacts, cl_ord_id: str) -> tuple[str, str] | None:
    return next(((a.outcome, a.code) for a in all_answers(facts.state) if a.cl_ord_id == cl_ord_id), None)


@pytest.mark.parametrize("said", ["0", "1", "9", "3"])
def test_a_cancel_the_venue_has_nothing_of_is_dead_and_the_order_lives(said: str) -> None:
    facts = after(cancel(sent(), "C", "X"), NEW, asked("C", said))
    assert outcome(facts, "C") == ("rejected", "NOT_RECEIVED")
    assert on(facts).is_open is (said != "3")


@pytest.mark.parametrize("said", ["6", "E"])
def test_a_cancel_that_is_pending_at_the_venue_stays_open(said: str) -> None:
    assert outcome(after(cancel(sent(), "C", "X"), NEW, asked("C", said)), "C") is None


def test_a_cancel_reported_pending_before_is_not_dead_by_an_answer_without_it() -> None:
    facts = after(cancel(sent(), "C", "X"), NEW, report(2, "6", "6", cl="C", orig="X"), asked("C", "0"))
    assert outcome(facts, "C") is None


def test_an_order_canceled_at_the_venue_answers_its_cancel() -> None:
    facts = after(cancel(sent(), "C", "X"), NEW, asked("C", "4"))
    assert (outcome(facts, "C"), brief(facts)[0]) == (("accepted", ""), "4")


def test_an_answer_about_another_request_proves_nothing() -> None:
    assert outcome(after(cancel(sent(), "C", "X"), NEW, asked("X", "0")), "C") is None
    assert outcome(after(cancel(sent(), "C", "X"), NEW, asked("", "0")), "C") is None


def test_a_replace_under_whose_old_name_the_order_works_is_dead() -> None:
    facts = after(replace(sent(), "R", "X", 2000), NEW, asked("R", "0", cl="X", order_qty=1000))
    assert (outcome(facts, "R"), brief(facts)[1]) == (("rejected", "NOT_RECEIVED"), Decimal(1000))


def test_a_replace_under_whose_new_name_and_terms_the_order_works_was_accepted() -> None:
    facts = after(replace(sent(), "R", "X", 2000), NEW, asked("R", "0", cl="R", order_qty=2000))
    assert (outcome(facts, "R"), brief(facts)[1]) == (("accepted", ""), Decimal(2000))


def test_an_echo_of_the_name_with_the_old_terms_is_dead_and_without_terms_a_persons_matter() -> None:
    facts = replace(sent(), "R", "X", 2000)
    assert outcome(after(facts, NEW, asked("R", "0", cl="R", order_qty=1000)), "R") == ("rejected", "NOT_RECEIVED")
    assert outcome(after(facts, NEW, asked("R", "0", cl="R")), "R") is None


def test_a_later_word_of_the_venue_outweighs_the_proof() -> None:
    folded = last(cancel(sent(), "C", "X"), NEW, asked("C", "0"), report(9, "4", "4", cl="C", orig="X"))
    assert [c for c in folded.changes if isinstance(c, RequestAnswered)] == [RequestAnswered("C", "accepted")]


def expiry(seq: int = 7) -> Report:
    """Our conclusion, placed where the venue listed nothing."""
    return changed(report(seq, "C", "C", identity=f"1|inferred|{seq}"), inferred="expired", ord_status=None)


def test_an_inferred_expiry_ends_the_order_and_says_that_it_is_inferred() -> None:
    folded = last(sent(), NEW, expiry())
    assert brief(folded.facts) == ("C", Decimal(1000), Decimal(0), Decimal(0), "X")
    assert [c.kind for c in folded.changes if isinstance(c, AnomalyFound)] == ["EXPIRY_INFERRED"]


def test_any_later_word_of_the_venue_outweighs_it() -> None:
    facts = after(sent(), NEW, expiry(), report(8, "F", "1", qty=100))
    assert brief(facts) == ("1", Decimal(1000), Decimal(100), Decimal(900), "X")
    assert brief(after(facts, expiry(9)))[0] == "C"
    told = after(sent(), NEW, expiry(), report(8, "C", "C"))
    assert (brief(told)[0], told.state.inferred) == ("C", False)


def test_a_word_of_before_arriving_late_leaves_it_standing() -> None:
    facts = after(sent(), NEW, expiry(), report(3, "F", "1", qty=100))
    assert (brief(facts)[0], facts.state.cum_qty, facts.state.inferred) == ("C", Decimal(100), True)


def test_an_order_that_is_over_is_not_expired_by_us() -> None:
    facts = after(sent(), NEW, report(2, "F", "2", qty=1000), expiry())
    assert (brief(facts)[0], facts.state.inferred) == ("2", False)


def test_any_order_of_arrival_ends_the_same_and_survives_json() -> None:
    facts = cancel(sent(), "C", "X")
    reports = [NEW, asked("C", "0"), expiry(), report(8, "F", "1", qty=100), expiry(9)]
    wanted = after(facts, *reports)
    for order in permutations(reports):
        got = facts
        for one in order:
            got = fold(got, one).facts
        assert got == wanted
    assert facts_to_json(facts_from_json(facts_to_json(wanted))) == facts_to_json(wanted)


def test_an_echo_of_the_name_with_restated_terms_proves_nothing() -> None:
    """The acceptance is on its way and the venue has restated what it accepted: it has the replace."""
    facts = after(replace(sent(), "R", "X", 2000), NEW, report(3, "D", "0", cl="R", order_qty=1500, reason="5"))
    assert outcome(after(facts, asked("R", "0", cl="R", order_qty=1500)), "R") is None


def test_a_replace_that_a_later_one_built_on_was_received() -> None:
    facts = replace(replace(sent(), "R", "X", 2000), "S", "R", 3000)
    facts = after(facts, NEW, report(4, "5", "0", cl="S", orig="R", order_qty=3000))
    assert outcome(after(facts, asked("R", "0", cl="S", order_qty=3000)), "R") is None
