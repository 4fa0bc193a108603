"""Whether the market is deep enough for the order: its share of the usual volume, the quoted spread and size.

That a figure is not known is a state with an answer of its own, laid down in the policy; it never counts as enough.
"""

from __future__ import annotations

from decimal import Decimal

from kernel.numbers import ZERO, spelt
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.base import Check
from risk.domain.facts import Facts
from risk.domain.rulebook.conditions import Absent
from risk.domain.rulebook.entries import Policy
from risk.domain.vocabulary import spread_percent, volume_percent

NO_POLICY = "No policy says how thin a market may be."
_TENTH = Decimal("0.1")


def policy_of(facts: Facts) -> Policy | None:
    """The marks of conduct in the rulebook that was read."""
    book = facts.conduct.rulebook
    return book.policy if book is not None else None


class ShareOfVolume(Check):
    """The quantity is a bearable part of the listing's average daily volume: above the first mark a second person, above
    the second nobody; for an unknown volume the policy answers."""

    def answer(self, facts: Facts) -> CheckAnswer:
        policy = policy_of(facts)
        if not facts.adds_risk:
            return self.passed()
        if policy is None:
            return self.refuse(NO_POLICY)
        if policy.volume_warn is None and policy.volume_hard is None:
            return self.passed(mark="none")
        share = volume_percent(facts)
        symbol = facts.listing.symbol
        if not isinstance(share, Decimal):
            return self._unknown(policy.volume_unknown, f"The average daily volume of {symbol} is not known.")
        seen = {"share": share.quantize(_TENTH), "warn": policy.volume_warn, "hard": policy.volume_hard}
        text = f"The quantity is {spelt(share.quantize(_TENTH))} % of the average daily volume of {symbol}"
        if policy.volume_hard is not None and share > policy.volume_hard:
            return self.refuse(f"{text}; beyond {spelt(policy.volume_hard)} % no order is sent.", **seen)
        if policy.volume_warn is not None and share > policy.volume_warn:
            return self.hold(f"{text} (mark {spelt(policy.volume_warn)} %).", **seen)
        return self.passed(**seen)

    def _unknown(self, verdict: Verdict, sentence: str) -> CheckAnswer:
        return CheckAnswer(self.code, verdict, sentence if verdict else "", {"state": "unknown"})


class ThinBook(Check):
    """The quoted spread is within its mark, and what is taken from the other side within its mark times the size shown
    there; for unknown quotes and sizes the policy answers."""

    def answer(self, facts: Facts) -> CheckAnswer:
        policy = policy_of(facts)
        if not facts.adds_risk:
            return self.passed()
        if policy is None:
            return self.refuse(NO_POLICY)
        if policy.spread_warn is None and policy.depth_warn is None:
            return self.passed(mark="none")
        spread = spread_percent(facts)
        if not isinstance(spread, Decimal):
            return self._unknown(policy, f"Bid and ask of {facts.listing.symbol} are not known.")
        seen = {"spread": spread.quantize(_TENTH), "spread_warn": policy.spread_warn, "depth_warn": policy.depth_warn}
        shown = size_against(facts) if policy.depth_warn is not None else Absent.NOT_APPLICABLE
        if policy.depth_warn is not None and shown is Absent.UNKNOWN and policy.book_unknown:
            return self._unknown(policy, f"The size shown for {facts.listing.symbol} on the other side is not known.")
        if policy.spread_warn is not None and spread > policy.spread_warn:
            return self.ask(
                f"The spread of {facts.listing.symbol} is {spelt(spread.quantize(_TENTH))} % (mark "
                f"{spelt(policy.spread_warn)} %).",
                **seen,
            )
        if policy.depth_warn is None or not isinstance(shown, Decimal):
            return self.passed(**seen)
        if facts.terms.order_qty > policy.depth_warn * shown:
            return self.ask(
                f"The quantity is more than {spelt(policy.depth_warn)} times the {spelt(shown)} shown on the other side.",
                shown=shown,
                **seen,
            )
        return self.passed(**seen)

    def _unknown(self, policy: Policy, sentence: str) -> CheckAnswer:
        verdict = policy.book_unknown
        return CheckAnswer(self.code, verdict, sentence if verdict else "", {"state": "unknown"})


def size_against(facts: Facts) -> Decimal | Absent:
    """The size shown on the other side: UNKNOWN where no size is told, NOT_APPLICABLE where the order rests."""
    price, terms = facts.listing.price, facts.terms
    if price is None:
        return Absent.UNKNOWN
    quote, size = (price.ask, price.ask_size) if terms.side.is_buy else (price.bid, price.bid_size)
    known = size if quote is not None and size is not None and size > ZERO else Absent.UNKNOWN
    if quote is None or terms.price is None:
        return known
    rests = terms.price < quote if terms.side.is_buy else terms.price > quote
    return Absent.NOT_APPLICABLE if rests else known
