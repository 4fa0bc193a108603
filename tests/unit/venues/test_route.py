"""Routing says which session group and, for every candidate, why."""

from __future__ import annotations

from dataclasses import replace

from kernel.fix import OrdType, TimeInForce
from venues.domain.route import Candidate, RouteQuestion, VenueFacts, route

QUESTION = RouteQuestion("XLON", OrdType.LIMIT, TimeInForce.DAY)
UP = VenueFacts("SIM1", "ONE", 0, True, frozenset({"XLON"}), True, True)


def test_the_logged_on_venue_of_best_rank_is_taken_and_the_others_are_fallbacks() -> None:
    down, second = replace(UP, session_group="SIM0", logged_on=False), replace(UP, session_group="SIM2", rank=1)
    decision = route(QUESTION, [down, second, UP])
    assert decision.session_group == "SIM1"
    assert decision.fallbacks == ("SIM2", "SIM0")
    assert decision.candidates == (
        Candidate("SIM1", "ONE", True, True, "first of 3 by state and rank: logged on"),
        Candidate("SIM2", "ONE", True, False, "fallback 1: logged on"),
        Candidate("SIM0", "ONE", True, False, "fallback 2: session down, fallback"),
    )


def test_every_reason_to_pass_a_venue_over() -> None:
    venues = [
        replace(UP, enabled=False),
        replace(UP, mics=frozenset({"XETR"})),
        replace(UP, refusal="order type stop is not taken"),
        replace(UP, session_enabled=False),
    ]
    decision = route(QUESTION, venues)
    assert decision.session_group == ""
    assert [c.reason for c in decision.candidates] == [
        "venue is disabled",
        "does not trade on XLON",
        "order type stop is not taken",
        "new orders are switched off on its sessions",
    ]
    assert not any(c.taken or c.eligible for c in decision.candidates)


def test_a_venue_whose_session_is_down_is_taken_when_there_is_no_other() -> None:
    assert route(QUESTION, [replace(UP, logged_on=False)]).session_group == "SIM1"


def test_the_same_facts_in_any_order_give_the_same_decision() -> None:
    venues = [UP, replace(UP, session_group="SIM2"), replace(UP, session_group="SIM3", rank=2)]
    assert route(QUESTION, venues) == route(QUESTION, venues[::-1])
