"""What holds for the whole registry on any facts: it forgets nothing, depends on nothing else, and less knowledge or more
quantity never makes an answer better.

The facts are drawn around every mark the registry has. The policy refuses what it does not know; a house may lay down
another answer for unknown volumes and quotes (``*_unknown``), and then that answer is its own decision.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.fix import OrdType, Side, TimeInForce
from refdata.domain.listing_facts import PriceFacts
from refdata.domain.quality import Quality
from refdata.domain.sessions import Phase
from risk.domain.answers import Acknowledgement, Verdict, judge
from risk.domain.checks import CHECKS, run_boundary_checks, run_checks
from risk.domain.conduct import NOT_LOADED, ConductFacts, Opposite, Twin
from risk.domain.facts import Action, BlockFact, Facts, LimitFact, LocateFacts, TermFacts, WorkingFacts
from risk.domain.rates import Bucket, Rates
from risk.domain.rulebook.conditions import Condition, Operator
from risk.domain.rulebook.entries import Dated, RuleEntry
from risk.domain.usage import PositionFacts, ScopeUsage, UsageFacts
from tests.unit.risk.conduct_cases import restriction
from tests.unit.risk.usage_cases import DAY
from tests.unit.risk.world import ANYTHING, AT, FACTS, LIMITS, POLICY, PRICE, ROOM, TERMS, D, book

STRICT = replace(POLICY, volume_unknown=Verdict.REFUSE, book_unknown=Verdict.REFUSE)
KINDS = (
    "open_orders", "open_notional", "daily_gross", "daily_net", "position_qty", "position_value", "concentration", "adv_share",
)  # fmt: skip
IN_MONEY = {"open_notional", "daily_gross", "daily_net", "position_value"}
MEASURES = {
    "SHARE_OF_VOLUME", "ORDER_QUANTITY_LIMIT", "ORDER_NOTIONAL_LIMIT", "OPEN_ORDERS_LIMIT", "OPEN_NOTIONAL_LIMIT",
    "DAILY_GROSS_LIMIT", "DAILY_NET_LIMIT", "POSITION_QUANTITY_LIMIT", "POSITION_VALUE_LIMIT", "CONCENTRATION_LIMIT",
    "ADV_SHARE_LIMIT", "BUYING_POWER", "SELLABLE_HOLDINGS", "LOCATE_COVER", "THIN_BOOK",
}  # fmt: skip
ALWAYS = Dated(AT - timedelta(days=1), None)
QUANTITIES = [D(n) for n in (10, 100, 900, 1000, 1100, 5000, 5010, 50_000, 50_010, 100_010)]
AMOUNTS = [D(n) for n in (0, 100, 725, 1000, 40_000, 1_000_000)]


def mostly(rng: random.Random, well: Any, *others: Any) -> Any:
    """What is well, and now and then one of the others."""
    return rng.choice(others) if rng.random() < 0.04 else well


def prices(rng: random.Random) -> PriceFacts:
    """Quoted on both sides, mostly."""
    return replace(
        PRICE,
        last=mostly(rng, D("72.50"), D("66"), D("50"), D("110")),
        bid=mostly(rng, D("72.40"), None, D("60")),
        ask=mostly(rng, D("72.50"), None, D("80")),
        bid_size=mostly(rng, D(5000), None, D(10)),
        ask_size=mostly(rng, D(5000), None, D(10)),
        previous_close=mostly(rng, D("71"), None),
        priced_at=AT - timedelta(seconds=mostly(rng, 0, 15, 16, 3600, 3601)),
        quality=mostly(rng, Quality.GOOD, *Quality),
    )


def usages(rng: random.Random) -> UsageFacts:
    def amount() -> Decimal:
        found: Decimal = mostly(rng, D(100), *AMOUNTS)
        return found

    scope = ScopeUsage("firm", "", 1, mostly(rng, 1, 3, 5), amount(), amount(), {DAY: (amount(), D(0))})
    position = PositionFacts(mostly(rng, D(300), D(-500), D(0)), amount(), amount(), mostly(rng, D(10_000), None))
    return UsageFacts(
        mostly(rng, (scope,), ()), rate=mostly(rng, D(1), D("0.8"), None), position=mostly(rng, position, None)
    )


def conducts(rng: random.Random) -> ConductFacts:
    """The strict policy; now and then a restriction, a twin, an own order opposite, a rule about what may be unknown."""
    condition = rng.choice(
        [
            Condition("volume_share", Operator.ABOVE, frozenset({D(5)})),
            Condition("quantity", Operator.ABOVE, frozenset({D(999)})),
            Condition("spread", Operator.ABOVE, frozenset({D(1)})),
        ]
    )
    rule = RuleEntry("A_RULE", ("firm", ""), (condition,), rng.choice(list(Verdict)), "A rule.", ALWAYS, 1)
    restrictions = mostly(rng, [], [restriction(watch=True)], [restriction()])
    conduct = book(policy=STRICT, mandates=[ANYTHING], rules=mostly(rng, [], [rule]), restrictions=restrictions).conduct
    twin = Twin("O-1", AT - timedelta(seconds=5), "released")
    opposite = Opposite("O-2", rng.choice(["account", "client", "firm"]), D("72.40"), D(300))
    return replace(conduct, twins=mostly(rng, [], [twin]), opposite=mostly(rng, [], [opposite]))


def marks(rng: random.Random) -> list[LimitFact]:
    """On about half of the kinds, near to what an order would reach."""
    return [
        LimitFact(
            kind,
            "firm",
            "",
            "GBP" if kind in IN_MONEY else "",
            mostly(rng, None, D("0.1"), D(1000)),
            mostly(rng, D(3000), D(800)),
        )
        for kind in KINDS
        if rng.random() < 0.5
    ]


def orders(rng: random.Random) -> TermFacts:
    kind = mostly(rng, OrdType.LIMIT, OrdType.MARKET, OrdType.STOP)
    side = mostly(rng, Side.BUY, Side.SELL, Side.SELL_SHORT)
    return replace(
        TERMS,
        side=side,
        ord_type=kind,
        order_qty=mostly(rng, D(1000), *QUANTITIES),
        price=mostly(rng, D("72.50"), D("79.80"), D("50.70")) if kind is OrdType.LIMIT else None,
        stop_px=D("73.00") if kind is OrdType.STOP else None,
        time_in_force=mostly(rng, TimeInForce.DAY, TimeInForce.IOC, TimeInForce.AT_OPEN),
        locate_ref="L1" if side is Side.SELL_SHORT else "",
    )


def world(rng: random.Random) -> Facts:
    """A new order or a replace on a day that is mostly well: a few things at once are at, near or beyond their mark.

    So most refusals stand alone, and what lifts one shows in the worst answer.
    """
    working = WorkingFacts(
        D(800), mostly(rng, D(0), D(500)), D("72.50"), None, TimeInForce.DAY, D(580), D(0), mostly(rng, 0, 1)
    )
    replaced = rng.random() < 0.25
    listing = replace(
        FACTS.listing,
        price=prices(rng),
        phase=mostly(rng, Phase.CONTINUOUS, Phase.CLOSED),
        average_daily_volume=mostly(rng, D(1_000_000), D(1000), None),
        state=mostly(rng, "trading", "halted"),
    )
    ahead = [Bucket(name, mostly(rng, 0, 10**9), ROOM.source.mark) for name in ("user:1", "account:3")]
    return replace(
        FACTS,
        action=Action.REPLACE if replaced else Action.NEW,
        working=working if replaced else None,
        terms=orders(rng),
        listing=listing,
        account=replace(
            FACTS.account, overdrawn=mostly(rng, False, True), short_allowed=mostly(rng, True, False),
            state=mostly(rng, "active", "reduce_only"),
        ),
        limits=(*LIMITS, *marks(rng)),
        blocks=mostly(rng, (), (BlockFact("firm", "", "x", "Stop."),)),
        trading_on=mostly(rng, True, False),
        cash_available=mostly(rng, D(1_000_000), None, *AMOUNTS),
        stock_available=mostly(rng, D(1_000_000), None, *AMOUNTS),
        usage=usages(rng),
        rates=Rates(*ahead),
        locate=LocateFacts("L1", listing.instrument_id, mostly(rng, D(1_000_000), *AMOUNTS), AT + timedelta(hours=1)),
        conduct=conducts(rng),
    )  # fmt: skip


WORLDS = st.integers(0, 2**48).map(lambda seed: world(random.Random(seed)))
"""One number is one world: cheap to draw by the hundred, and a failing one is told by its facts."""


def _priced(**changes: Any) -> Callable[[Facts], Facts]:
    def remove(facts: Facts) -> Facts:
        price = facts.listing.price
        changed = replace(price, **changes) if price is not None else None
        return replace(facts, listing=replace(facts.listing, price=changed))

    return remove


def _listed(**changes: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, listing=replace(facts.listing, **changes))


def _without_marks(kind: str) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, limits=tuple(one for one in facts.limits if one.kind != kind))


REMOVED: dict[str, Callable[[Facts], Facts]] = {
    "price": _listed(price=None),
    "quotes": _priced(bid=None, ask=None, bid_size=None, ask_size=None),
    "sizes": _priced(bid_size=None, ask_size=None),
    "close": _priced(previous_close=None),
    "volume": _listed(average_daily_volume=None),
    "calendar": _listed(session_open_at=None, session_close_at=None),
    "steps": _listed(ticks=()),
    "order types": _listed(ord_types=frozenset()),
    "quantity mark": _without_marks("order_qty"),
    "value mark": _without_marks("order_notional"),
    "price mark": _without_marks("price_collar"),
    "age mark": _without_marks("price_age"),
    "usage": lambda facts: replace(facts, usage=UsageFacts()),
    "rate": lambda facts: replace(facts, usage=replace(facts.usage, rate=None)),
    "position": lambda facts: replace(facts, usage=replace(facts.usage, position=None)),
    "buckets": lambda facts: replace(facts, rates=None),
    "cash": lambda facts: replace(facts, cash_available=None),
    "stock": lambda facts: replace(facts, stock_available=None),
    "locate": lambda facts: replace(facts, locate=None),
    "rulebook": lambda facts: replace(facts, conduct=NOT_LOADED),
    "policy": lambda facts: replace(facts, conduct=replace(facts.conduct, rulebook=book(policy=None).conduct.rulebook)),
    "mandates": lambda facts: replace(
        facts, conduct=replace(facts.conduct, rulebook=book(mandates=[]).conduct.rulebook)
    ),
}


def worst(facts: Facts) -> Verdict:
    return run_checks(facts, on_desk=True).worst


@settings(max_examples=600, deadline=None)
@given(WORLDS, st.sampled_from(sorted(REMOVED)))
def test_what_is_not_known_never_helps(facts: Facts, what: str) -> None:
    """Some checks leave missing data to another one that refuses it: so the whole is compared."""
    if facts.adds_risk:
        assert worst(REMOVED[what](facts)) >= worst(facts), what


@settings(max_examples=600, deadline=None)
@given(WORLDS, st.sampled_from(QUANTITIES), st.sampled_from(QUANTITIES))
def test_a_larger_quantity_never_gets_a_better_answer_of_a_measure(facts: Facts, one: Decimal, other: Decimal) -> None:
    small, large = sorted((one, other))
    answers = [
        {
            check.code: check.answer(replace(facts, terms=replace(facts.terms, order_qty=qty))).verdict
            for check in CHECKS
        }
        for qty in (small, large)
    ]
    assert [code for code in MEASURES if answers[1][code] < answers[0][code]] == []


@settings(max_examples=300, deadline=None)
@given(WORLDS, st.booleans())
def test_no_acknowledgement_lifts_what_refuses_or_asks_for_a_second_person(facts: Facts, on_desk: bool) -> None:
    plain = run_checks(facts, on_desk=on_desk)
    given_all = [Acknowledgement(answer.code, "I mean it") for answer in plain.answers]
    meant = run_checks(facts, acknowledgements=given_all, on_desk=on_desk)
    for before, after in zip(run_checks(facts, on_desk=True).answers, meant.answers, strict=True):
        assert before.code == after.code
        if before.verdict >= Verdict.AUTHORISE:
            assert after.verdict >= before.verdict
    own = [check.answer(facts).verdict for check in CHECKS]
    if max(own) >= Verdict.AUTHORISE:
        assert meant.worst >= max(own)
    assert meant.worst <= plain.worst


@settings(max_examples=300, deadline=None)
@given(WORLDS, st.randoms(use_true_random=False))
def test_the_order_of_checks_and_what_others_answer_change_nothing(facts: Facts, rng: random.Random) -> None:
    """None is skipped because another refused, and each answers the same whenever and however often it is asked."""
    first = run_checks(facts, on_desk=True)
    shuffled = rng.sample(CHECKS, len(CHECKS))
    apart = {check.code: check.answer(facts) for check in shuffled}
    again = run_checks(facts, on_desk=True)
    assert first == again
    alone = judge([apart[check.code] for check in CHECKS], acknowledgements=(), on_desk=True)
    assert [answer.code for answer in first.answers][: len(CHECKS)] == [check.code for check in CHECKS]
    assert {answer.code: answer.facts for answer in first.answers[: len(CHECKS)]} == {
        answer.code: answer.facts for answer in alone.answers
    }
    assert first.worst >= alone.worst


@settings(max_examples=300, deadline=None)
@given(WORLDS, st.booleans())
def test_the_last_boundary_says_nothing_that_the_registry_does_not(facts: Facts, delayed: bool) -> None:
    said = {answer.code: answer for answer in run_checks(facts, on_desk=True).answers}
    for answer in run_boundary_checks(facts, delayed=delayed):
        kept = said[answer.code]
        assert (kept.sentence, kept.facts) == (answer.sentence, answer.facts)
        assert kept.verdict >= answer.verdict


@settings(max_examples=300, deadline=None)
@given(WORLDS)
def test_a_rule_only_ever_makes_the_whole_worse(facts: Facts) -> None:
    """Rules and restrictions alike: the same world under a rulebook without them is judged no harder."""
    bare = replace(facts.conduct, rulebook=book(policy=STRICT).conduct.rulebook)
    if facts.conduct.rulebook is not None and not facts.conduct.rulebook.restrictions(
        (("instrument", str(facts.listing.instrument_id)),), facts.conduct.pairs, AT
    ):
        assert worst(facts) >= worst(replace(facts, conduct=bare))
