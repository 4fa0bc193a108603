"""The rulebook of one version, with its entries where a check looks for them.

An order looks at the entries of its own scopes and its own instrument only, so that many accounts' mandates cost one
order nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from risk.domain.rulebook.entries import CollarEntry, MandateEntry, Pair, Policy, RestrictionEntry, RuleEntry


class Rulebook:
    """Everything in the book, whether in force yet or not; what is in force is asked with a time. ``mandated``: the kinds of scope
    that any mandate is for.
    """

    __slots__ = ("_collars", "_mandates", "_restrictions", "_rules", "mandated", "policy", "version")

    def __init__(
        self,
        *,
        version: int,
        policy: Policy | None,
        rules: Iterable[RuleEntry] = (),
        restrictions: Iterable[RestrictionEntry] = (),
        mandates: Iterable[MandateEntry] = (),
        collars: Iterable[CollarEntry] = (),
    ) -> None:
        self.version = version
        self.policy = policy
        self._rules: dict[Pair, list[RuleEntry]] = {}
        self._restrictions: dict[Pair, list[RestrictionEntry]] = {}
        self._mandates = {entry.pair: entry for entry in mandates}
        self.mandated = frozenset(scope for scope, _ in self._mandates)
        self._collars = {(entry.asset_class, entry.phase): entry for entry in collars}
        for rule in rules:
            self._rules.setdefault(rule.pair, []).append(rule)
        for restriction in restrictions:
            self._restrictions.setdefault((restriction.subject, restriction.subject_id), []).append(restriction)

    def rules(self, pairs: Iterable[Pair], at: datetime) -> list[RuleEntry]:
        """Rules in force in these scopes, by code."""
        if not self._rules:
            return []
        found = [rule for pair in pairs for rule in self._rules.get(pair, ()) if rule.dated.in_force(at)]
        return sorted(found, key=lambda rule: rule.code)

    def restrictions(self, subjects: Iterable[Pair], pairs: Iterable[Pair], at: datetime) -> list[RestrictionEntry]:
        """Entries in force on these subjects (instrument, issuer) in these scopes."""
        if not self._restrictions:
            return []
        own = frozenset(pairs)
        return [
            entry
            for subject in subjects
            for entry in self._restrictions.get(subject, ())
            if entry.pair in own and entry.dated.in_force(at)
        ]

    def restricted(self, subjects: Iterable[Pair], at: datetime) -> list[RestrictionEntry]:
        """Entries in force on these subjects in whatever scope, for who looks at many scopes."""
        return [
            entry for subject in subjects for entry in self._restrictions.get(subject, ()) if entry.dated.in_force(at)
        ]

    def mandates(self, pairs: Iterable[Pair]) -> list[MandateEntry]:
        """Mandates of these scopes."""
        return [self._mandates[pair] for pair in pairs if pair in self._mandates]

    def collar(self, asset_class: str, phase: str) -> CollarEntry | None:
        """The marks that fit best: class and phase, then the class, then the phase, then any."""
        for place in ((asset_class, phase), (asset_class, ""), ("", phase), ("", "")):
            if place in self._collars:
                return self._collars[place]
        return None
