"""Which ClOrdID a request names: the end of the unanswered chain, or what the order works under."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orders.domain.lineage import Departing, Link, predecessor
from orders.domain.venue_rules import NO_RULES, VenueRules, rules_from_json, rules_to_json
from risk.domain.facts import ReplaceRules

NEW = Link("new", "accepted", "A.1", None, 1)


def chain(*states: str) -> list[Link]:
    return [NEW, *(Link("replace", state, f"A.{n}", f"A.{n - 1}", n) for n, state in enumerate(states, 2))]


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (chain(), "A.1"),
        (chain("handed_over"), "A.2"),
        (chain("handed_over", "unknown"), "A.3"),
        (chain("rejected"), "A.1"),
        (chain("released"), "A.1"),
        (chain("pending_authorisation", "refused"), "A.1"),
        ([*chain("handed_over"), Link("cancel", "handed_over", "A.9", "A.2", 9)], "A.2"),
        # The older request left last, because it had waited for a second person.
        ([NEW, Link("replace", "handed_over", "A.2", "A.3", 2), Link("replace", "handed_over", "A.3", "A.1", 3)], "A.2"),
        # A rejection in the middle leaves two ends: the youngest is named.
        ([NEW, Link("replace", "unknown", "A.2", "A.1", 2), Link("replace", "unknown", "A.4", "A.3", 4)], "A.4"),
    ],
)  # fmt: skip
def test_the_end_of_the_unanswered_chain(links: list[Link], expected: str) -> None:
    assert predecessor(links, working="A.1", names_last_accepted=False) == expected
    assert predecessor(links, working="A.1", names_last_accepted=True) == "A.1"


def test_requests_that_leave_together_name_each_other() -> None:
    order = Departing(
        working="A.1", venue_order_id="V", cum_qty=Decimal(7), rules=NO_RULES, links=chain("released", "released")
    )
    first = order.departure("A.2")
    assert first is not None
    order.left("A.2", first)
    second = order.departure("A.3")
    assert second is not None
    assert (first.orig_cl_ord_id, second.orig_cl_ord_id, second.cum_qty) == ("A.1", "A.2", Decimal(7))
    assert order.departure("A.2") is None


def test_rules_survive_their_json_and_nothing_else_does() -> None:
    rules = VenueRules(
        "x/2", ReplaceRules(3, frozenset({"price"}), True, True, True, 5, 6), True, True, True, False, True
    )
    assert rules_from_json(rules_to_json(rules)) == rules
    assert rules_from_json({}) == NO_RULES
    with pytest.raises(ValueError, match="version 2"):
        rules_from_json({**rules_to_json(rules), "v": 2})
