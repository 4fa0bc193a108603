"""Two sides of a match by hand: which records may go together, and what those that were picked add up to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from authorisation.domain.principal import Principal
from kernel.errors import OmsError
from operations.domain.raw_records import Side, read_side
from operations.selectors.recon.breaks import BreakRow, open_breaks, with_matters
from reconciliation.domain.repairs import MISSING, Matched, match
from reconciliation.models import Break
from reconciliation.selectors.repairs import facts_of
from reconciliation.selectors.rules import get_rules

MOST = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of one side with its break, and whether it is picked."""

    row: BreakRow
    side: Side
    picked: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the picked records differ by, theirs less ours, and what may differ. ``why_not`` says why they cannot be matched;
    ``alone``: one person's word is enough."""

    picked: int
    found: Matched | None
    qty: Decimal
    amount: Decimal
    why_not: str

    @property
    def alone(self) -> bool:
        found = self.found
        return found is not None and abs(found.qty) <= self.qty and abs(found.value) <= self.amount


@dataclass(frozen=True, slots=True)
class MatchPage:
    """Both sides, oldest first, at most 200 of each, and what is picked so far."""

    ours: tuple[Candidate, ...]
    theirs: tuple[Candidate, ...]
    weighed: Weighed


def get_match_page(*, actor: Principal, item: Break, picked: Collection[int], at: datetime) -> MatchPage:
    """Records of the same kind, source, account and instrument that one side alone has. Four statements."""
    rows = open_breaks(actor).filter(
        kind=item.kind, source=item.source, account_id=item.account_id, instrument_id=item.instrument_id,
        category__in=sorted(MISSING),
    )  # fmt: skip
    sides = {category: list(rows.filter(category=category).order_by("number")[:MOST]) for category in sorted(MISSING)}
    ours, theirs = sides["missing_external"], sides["missing_internal"]
    chosen = [one for one in (*ours, *theirs) if one.number in picked]
    return MatchPage(
        tuple(
            Candidate(row, read_side(row.item.ours), row.item.number in picked)
            for row in with_matters(actor, ours, at=at)
        ),
        tuple(
            Candidate(row, read_side(row.item.theirs), row.item.number in picked)
            for row in with_matters(actor, theirs, at=at)
        ),
        weigh(item, chosen),
    )


def weigh(item: Break, chosen: Collection[Break]) -> Weighed:
    """The sums of what was picked against the tolerances of now; the service says the same again."""
    rules = get_rules(kind=item.kind, source=item.source)
    found, why_not = None, ""
    try:
        found = match([facts_of(one) for one in chosen])
    except OmsError as error:
        why_not = error.sentence
    currency = found.currency if found else ""
    return Weighed(len(chosen), found, rules.of("qty"), rules.of("amount", currency), why_not)
