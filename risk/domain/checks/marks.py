"""Which of several bounds holds: the tightest of each kind, over all scopes of the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from risk.domain.facts import LimitFact


def applicable(limits: Iterable[LimitFact], kind: str, currency: str = "") -> Iterator[LimitFact]:
    """Bounds of a kind; for values only those in ``currency``."""
    return (limit for limit in limits if limit.kind == kind and limit.currency in ("", currency))


def tightest(limits: Iterable[LimitFact], kind: str, currency: str = "") -> LimitFact | None:
    """The bound with the lowest hard mark, its warning the lowest of all; None when no bound of the kind is set."""
    found = list(applicable(limits, kind, currency))
    if len(found) <= 1:
        return found[0] if found else None
    lowest = min(found, key=lambda limit: limit.hard)
    warns = [limit.warn for limit in found if limit.warn is not None]
    return LimitFact(
        kind=kind,
        scope=lowest.scope,
        scope_id=lowest.scope_id,
        currency=lowest.currency,
        warn=min([*warns, lowest.hard]) if warns else None,
        hard=lowest.hard,
    )
