"""Units by account, now and then, as somebody may read them: accounts of other groups are one line with their number and their sums."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from kernel.numbers import ZERO, plain
from operations.domain.effect import EffectLine
from orders.permissions import visible_groups

MOST_LINES = 30


def share_lines(
    actor: Principal, now: Mapping[UUID, Decimal], then: Mapping[UUID, Decimal], *, drifts: bool = False
) -> tuple[tuple[EffectLine, ...], int]:
    """A line for each of the first accounts by code, one for those the actor may not see, one for all; and how many accounts that
    could be seen are not shown. ``drifts``: the figures move by themselves and hold no decision up."""
    ids = {*now, *then}
    rows = TradingAccount.objects.filter(pk__in=ids).values_list("id", "code", "group_id")
    mine = visible_groups(actor)
    seen = sorted((code, account_id) for account_id, code, group_id in rows if group_id in mine)
    hidden = ids - {account_id for _, account_id in seen}
    shown = seen[:MOST_LINES]
    lines = [_line(code, now.get(one, ZERO), then.get(one, ZERO), drifts) for code, one in shown]
    if hidden:
        lines.append(_line(not_seen(len(hidden)), _sum(now, hidden), _sum(then, hidden), drifts))
    if len(ids) > 1:
        lines.append(_line(f"All {len(ids):,} accounts", _sum(now, ids), _sum(then, ids), drifts))
    return tuple(lines), len(seen) - len(shown)


def not_seen(count: int) -> str:
    """What stands for accounts of other groups."""
    return f"{count:,} {'account' if count == 1 else 'accounts'} that you may not see"


def units(qty: Decimal) -> str:
    """A quantity with its thousands grouped, without zeros that say nothing."""
    return f"{Decimal(plain(qty)):,f}"


def _line(label: str, now: Decimal, then: Decimal, drifts: bool) -> EffectLine:
    return EffectLine(label, units(now), units(then), drifts=drifts)


def _sum(shares: Mapping[UUID, Decimal], ids: set[UUID]) -> Decimal:
    return sum((shares.get(one, ZERO) for one in ids), ZERO)
