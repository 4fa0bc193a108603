"""Marks for rates as if they had been approved: so slow that no test depends on how fast it runs."""

from __future__ import annotations

from authorisation.domain.principal import process_principal
from risk.domain.rates import RateKind, RateMark
from risk.models import RateBucket
from risk.services.set_rate_mark import set_rate_mark
from tests.factories import AT

SLOW_S = 1000  # one message in so many seconds, once the burst is used


def slow_mark(kind: RateKind, *, burst: int, subject: str = "", share: int = 0) -> RateMark:
    """Set a mark under which ``burst`` messages pass and then none for a quarter of an hour."""
    mark = RateMark(kind, amount=1, seconds=SLOW_S, burst=burst, share=share, subject=subject)
    actor = process_principal("seed")
    set_rate_mark(actor=actor, at=AT, mark=mark, effective_from=AT, set_by="test", reason="test")
    return mark


def used(subject: str) -> bool:
    """Whether the bucket was ever moved."""
    return RateBucket.objects.filter(subject=subject).exists()
