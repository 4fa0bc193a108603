"""Conduct in the market: what compliance laid down, and what an order would do to the house's own orders.

What only takes risk away passes all of them: cancels run no checks, and a replace to less is never stopped here.
"""

from __future__ import annotations

from kernel.numbers import spelt
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.base import Check
from risk.domain.facts import Facts
from risk.domain.rulebook.conditions import all_hold
from risk.domain.rulebook.entries import CONTACT_COMPLIANCE, Pair, RestrictionEntry, RuleEntry
from risk.domain.vocabulary import VOCABULARY, value_of

NO_RULEBOOK = "The rulebook cannot be read, so nothing can be judged by it."


def subjects_of(facts: Facts) -> tuple[Pair, ...]:
    """What a restriction can name of this request."""
    listing = facts.listing
    return (("instrument", str(listing.instrument_id)),)


def entries_on(facts: Facts, *, watch: bool) -> list[RestrictionEntry]:
    """Entries of the restricted or the watch list that concern this request now."""
    conduct, buys = facts.conduct, facts.terms.side.is_buy
    if conduct.rulebook is None:
        return []
    found = conduct.rulebook.restrictions(subjects_of(facts), conduct.pairs, facts.at)
    return [entry for entry in found if entry.watch is watch and entry.concerns(buys=buys)]


class RestrictedList(Check):
    """Nothing is traded that is on the restricted list for the order's scope and side; why is known to compliance
    alone."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        if not facts.adds_risk:
            return self.passed()
        if facts.conduct.rulebook is None:
            return self.refuse(NO_RULEBOOK)
        entries = entries_on(facts, watch=False)
        if not entries:
            return self.passed()
        references = sorted(entry.reference for entry in entries)
        sentence = f"{facts.listing.symbol} is {CONTACT_COMPLIANCE} ({', '.join(references)})."
        return self.refuse(sentence, reference=references)


class MandateEligibility(Check):
    """The order is within every mandate of its firm, client and account: market, asset class, currency, short sales.
    Without any mandate nothing is traded."""

    at_boundary = True

    def answer(self, facts: Facts) -> CheckAnswer:
        if not facts.adds_risk:
            return self.passed()
        conduct, listing = facts.conduct, facts.listing
        if conduct.rulebook is None:
            return self.refuse(NO_RULEBOOK)
        mandates = conduct.rulebook.mandates(conduct.pairs)
        if not mandates:
            return self.refuse(f"No mandate says what account {facts.account.code} may trade.")
        for mandate in mandates:
            scope = mandate.pair[0]
            for word, value, allowed in (
                ("market", listing.mic, mandate.markets),
                ("asset class", listing.asset_class, mandate.asset_classes),
                ("currency", listing.currency, mandate.currencies),
            ):
                if allowed is not None and value not in allowed:
                    return self.refuse(
                        f"The {scope}'s mandate does not include the {word} {value}.",
                        scope=scope,
                        allowed=sorted(allowed),
                    )
            if facts.terms.side.is_short and not mandate.short_allowed:
                return self.refuse(f"The {scope}'s mandate includes no short sales.", scope=scope)
        return self.passed()


class RuleTable(Check):
    """The rules of compliance in force for the order's scopes are known; each that applies answers for itself."""

    def answer(self, facts: Facts) -> CheckAnswer:
        book = facts.conduct.rulebook
        if book is None:
            return self.passed() if not facts.adds_risk else self.refuse(NO_RULEBOOK)
        return self.passed(rulebook=book.version)


def rule_answers(facts: Facts, *, only_refusals: bool = False) -> list[CheckAnswer]:
    """One answer for each rule that applies, or that cannot be judged. A rule only ever makes the whole worse."""
    book = facts.conduct.rulebook
    if book is None or not facts.adds_risk:
        return []
    found = []
    for rule in book.rules(facts.conduct.pairs, facts.at):
        if only_refusals and rule.verdict is not Verdict.REFUSE:
            continue
        answer = answer_of(rule, facts)
        if answer is not None:
            found.append(answer)
    return found


def answer_of(rule: RuleEntry, facts: Facts) -> CheckAnswer | None:
    """What one rule says of a request; None when it does not apply."""
    applies = all_hold(rule.conditions, lambda name: value_of(facts, name))
    if applies.holds is False:
        return None
    seen = {"version": rule.version, "scope": rule.pair[0]}
    if applies.holds is None:
        if rule.verdict is Verdict.PASS:
            return None
        words = ", ".join(VOCABULARY[name].title.lower() if name in VOCABULARY else name for name in applies.unknown)
        sentence = f"Rule {rule.code} cannot be judged: not known is {words}."
        return CheckAnswer(rule.answer_code, Verdict.REFUSE, sentence, seen | {"unknown": list(applies.unknown)})
    values = {condition.fact: value_of(facts, condition.fact) for condition in rule.conditions}
    sentence = rule.sentence if rule.verdict is not Verdict.PASS else ""
    return CheckAnswer(rule.answer_code, rule.verdict, sentence, seen | values)


class EconomicDuplicate(Check):
    """No order with the same account, listing, side, quantity and price was entered a moment ago; one that is meant
    needs a reason."""

    def answer(self, facts: Facts) -> CheckAnswer:
        twins, book = facts.conduct.twins, facts.conduct.rulebook
        if not facts.adds_risk:
            return self.passed()
        if book is None or book.policy is None:
            return self.refuse("No policy says for how long two equal orders are one too many.")
        if not twins:
            return self.passed(window_s=book.policy.duplicate_window_s)
        latest = max(twins, key=lambda twin: twin.entered_at)
        age_s = max(int((facts.at - latest.entered_at).total_seconds()), 0)
        return self.ask(
            f"The same order was entered {age_s} s ago ({latest.ref}, {latest.state.replace('_', ' ')}).",
            twin=latest.ref,
            age_s=age_s,
            twins=len(twins),
        )


class SelfTrade(Check):
    """The order would not trade with an open order of the same account, client or firm; which of them matter, and how
    much, is policy."""

    def answer(self, facts: Facts) -> CheckAnswer:
        opposite = facts.conduct.opposite
        book = facts.conduct.rulebook
        if not facts.adds_risk:
            return self.passed()
        if book is None or book.policy is None:
            return self.refuse("No policy says what an order against an own order answers.")
        if not opposite:
            return self.passed()
        policy = book.policy.self_trade
        worst = max(opposite, key=lambda item: policy.get(item.nearness, Verdict.REFUSE))
        verdict = policy.get(worst.nearness, Verdict.REFUSE)
        if verdict is Verdict.PASS:
            return self.passed(opposite=worst.ref, nearness=worst.nearness)
        at_price = f"at {spelt(worst.price)}" if worst.price is not None else "at market"
        seen = {"opposite": worst.ref, "nearness": worst.nearness, "leaves_qty": worst.leaves_qty, "price": worst.price}
        sentence = (
            f"It would trade with {worst.ref} of the same {worst.nearness}, {spelt(worst.leaves_qty)} {at_price}."
        )
        return CheckAnswer(self.code, verdict, sentence, seen)
