"""What the limits page says: every mark with what is used of it, who uses it, and what another mark would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import TradingAccount
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from kernel.errors import NotFound
from kernel.numbers import plain
from operations.domain.effect import Effect, EffectLine
from operations.selectors.rule_changes import trial_lines
from operations.selectors.scopes import visible_scopes
from orders.models import Order
from orders.permissions import can_see
from refdata.selectors import business_date
from risk.domain.limit_change import KIND_WORDS, MANDATORY, LimitChange, change_from_payload
from risk.domain.usage import COUNTED_KINDS, ScopeUsage
from risk.models import Limit, OrderUsage, Scope
from risk.permissions import require_scope
from risk.selectors.usage import read_usage
from risk.services.request_limit_change import KIND

MOST_ORDERS = 200
LEVELS = {
    scope: place for place, scope in enumerate((Scope.FIRM, Scope.DESK, Scope.DEALER, Scope.CLIENT, Scope.ACCOUNT))
}


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One mark. ``used`` includes ``working`` (what open orders may still use); both None where nothing is counted for it."""

    id: int
    scope: str
    scope_id: str
    name: str
    kind: str
    currency: str
    warn: Decimal | None
    hard: Decimal
    owner: str
    version: int
    effective_from: datetime | None
    effective_until: datetime | None
    used: Decimal | None
    working: Decimal | None
    waiting_id: UUID | None
    depth: int = 0

    @property
    def title(self) -> str:
        return KIND_WORDS[self.kind]

    @property
    def share(self) -> Decimal:
        """Used part of the limit; above 1 where facts went beyond it."""
        return self.used / self.hard if self.used is not None else Decimal(0)

    @property
    def left(self) -> Decimal:
        """Room, never negative."""
        return max(self.hard - (self.used or Decimal(0)), Decimal(0))

    @property
    def percent(self) -> int:
        return int(self.share * 100)

    @property
    def part(self) -> str:
        """As people read it: whole per cents, below ten with one place."""
        return f"{self.share:.1%}" if 0 < self.share < Decimal("0.1") else f"{self.percent}%"

    @property
    def traded_bar(self) -> int:
        """Width of the bar that is done, of 100."""
        done = (self.used or Decimal(0)) - (self.working or Decimal(0))
        return max(0, min(100, int(done / self.hard * 100)))

    @property
    def working_bar(self) -> int:
        """Width of the bar that open orders may still use, of what is left of 100."""
        return max(0, min(100 - self.traded_bar, self.percent - self.traded_bar))

    @property
    def warn_bar(self) -> int | None:
        """Where the warning lies, of 100."""
        return min(100, int(self.warn / self.hard * 100)) if self.warn is not None else None

    @property
    def state(self) -> str:
        """inside, warning, full or beyond."""
        if self.used is None or self.used <= (self.warn if self.warn is not None else self.hard):
            return "full" if self.used == self.hard else "inside"
        return "warning" if self.used < self.hard else "full" if self.used == self.hard else "beyond"


def list_limit_lines(actor: Principal, *, at: datetime) -> list[LimitLine]:
    """Every mark of a scope the actor has sight of, in force or to come, closest to its limit first."""
    marks = [m for m in Limit.objects.order_by("id") if m.effective_until is None or m.effective_until > at]
    pairs = {(mark.scope, mark.scope_id) for mark in marks}
    names = visible_scopes(actor, pairs)
    usage = {item.key: item for item in read_usage(pairs)} if pairs else {}
    day = shown_day(at)
    asked = AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN)
    waiting = dict(asked.values_list("subject_id", "id"))
    lines = [_line(m, names[m.scope, m.scope_id], usage, day, waiting) for m in marks if (m.scope, m.scope_id) in names]
    return sorted(lines, key=lambda x: (x.used is None, -x.share, LEVELS.get(Scope(x.scope), 9), x.name, x.kind, x.id))


def as_tree(lines: Sequence[LimitLine]) -> list[LimitLine]:
    """The same lines under one another: the firm, below it each desk, below that its accounts; the rest below the firm.

    Within a scope they keep the order they have, closest first. One statement more.
    """
    accounts = {UUID(line.scope_id) for line in lines if line.scope == Scope.ACCOUNT}
    rows = TradingAccount.objects.filter(id__in=accounts).values_list("id", "group__desk_id", "group__desk__code")
    homes = {str(key): (str(desk_id), f"desk {code}") for key, desk_id, code in rows}

    def place(line: LimitLine) -> tuple[object, ...]:
        if line.scope == Scope.FIRM:
            return (0, "", "", 0, "")
        if line.scope == Scope.DESK:
            return (1, line.name, line.scope_id, 0, "")
        if line.scope == Scope.ACCOUNT and line.scope_id in homes:
            desk_id, name = homes[line.scope_id]
            return (1, name, desk_id, 1, line.name)
        return (2, line.scope, line.name, 0, "")

    def depth(line: LimitLine) -> int:
        return 0 if line.scope == Scope.FIRM else 2 if line.scope == Scope.ACCOUNT and line.scope_id in homes else 1

    return [replace(line, depth=depth(line)) for line in sorted(lines, key=place)]


def shown_day(at: datetime) -> date:
    """The date the day's figures are shown of: London's, the house's own market."""
    return business_date("XLON", at)


def _line(mark: Limit, name: str, usage: Mapping[str, ScopeUsage], day: date, waiting: Mapping[str, UUID]) -> LimitLine:
    item = usage.get(f"{mark.scope}:{mark.scope_id}") if mark.kind in COUNTED_KINDS else None
    used = item.measure(mark.kind, day) if item is not None else None
    working = min(used, _working(item, mark.kind)) if item is not None and used is not None else None
    return LimitLine(
        mark.pk, mark.scope, mark.scope_id, name, mark.kind, mark.currency, mark.warn, mark.hard, mark.owner, mark.version,
        mark.effective_from, mark.effective_until, used, working,
        waiting.get(f"{mark.scope}:{mark.scope_id}:{mark.kind}:{mark.currency}"),
    )  # fmt: skip


def _working(item: ScopeUsage, kind: str) -> Decimal:
    if kind == "open_orders":
        return Decimal(item.open_orders)
    return max(item.open_buy, item.open_sell) if kind == "daily_net" else item.open_buy + item.open_sell


@dataclass(frozen=True, slots=True)
class UsingOrder:
    """One open order that uses a mark: what it counts of it, in the order's currency and in the counting one."""

    ref: str
    side: str
    symbol: str
    account: str
    open_qty: Decimal
    open_value: Decimal
    currency: str
    counted: Decimal


_COLUMNS = {
    Scope.FIRM: None, Scope.DESK: "desk_id", Scope.DEALER: "dealer_id", Scope.CLIENT: "client_id",
    Scope.ACCOUNT: "account_id", Scope.INSTRUMENT: "instrument_id", Scope.VENUE: "mic", Scope.STRATEGY: "strategy",
}  # fmt: skip


def list_using_orders(actor: Principal, *, scope: str, scope_id: str) -> list[UsingOrder]:
    """The open orders of a scope that the actor may see, largest first; raises as ``require_scope`` does."""
    require_scope(actor, scope, scope_id)
    column = _COLUMNS[Scope(scope)]
    shares = OrderUsage.objects.filter(open_orders=1, **({column: scope_id} if column else {}))
    chosen = sorted(shares, key=lambda share: (-share.open_value * share.rate, share.order_id))[:MOST_ORDERS]
    orders = Order.objects.select_related("account").in_bulk([share.order_id for share in chosen])
    return [
        UsingOrder(
            ref=order.ref,
            side=order.side,
            symbol=order.instrument_snapshot["symbol"],
            account=order.account.code,
            open_qty=share.open_qty,
            open_value=share.open_value,
            currency=share.currency,
            counted=share.open_value * share.rate,
        )
        for share in chosen
        if (order := orders.get(share.order_id)) is not None
        and can_see(actor, desk_id=order.desk_id, group_id=order.account.group_id)
    ]


def get_limit_line(actor: Principal, limit_id: int, *, at: datetime) -> LimitLine:
    """One mark; raises NotFound LIMIT_UNKNOWN for one that is not there or not seen."""
    for line in list_limit_lines(actor, at=at):
        if line.id == limit_id:
            return line
    raise NotFound("LIMIT_UNKNOWN", "There is no such limit that you may see.")


def describe_limit_change(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """What the change would do now, for the checker: the marks beside the usage of now, and the orders beyond the new one."""
    change = change_from_payload(facts.payload)
    effect = effect_of_change(change, str(facts.payload["name"]), at=at)
    key = {"scope": change.scope, "scope_id": change.scope_id, "kind": change.kind, "currency": change.currency}
    standing = Limit.objects.filter(**key, effective_from__isnull=True).values_list("version", flat=True).first()
    moved = (standing or 0) != facts.subject_version
    return replace(
        effect,
        lines=(*effect.lines, *trial_lines(facts.payload.get("trial"))),
        obstacle="The limit was changed since this was asked: an approval will not be applied." if moved else "",
    )


def effect_of_change(change: LimitChange, name: str, *, at: datetime) -> Effect:
    """By a dry run of now: maker and checker read the same."""
    key = {"scope": change.scope, "scope_id": change.scope_id, "kind": change.kind, "currency": change.currency}
    standing = Limit.objects.filter(**key, effective_from__isnull=True).first()
    if standing is not None and standing.effective_until is not None and standing.effective_until <= at:
        standing = None
    used = _used_now(change, at)
    lines = [
        EffectLine("Limit", _mark(standing.hard if standing else None), _mark(change.hard), change.currency),
        EffectLine("Warning", _mark(standing.warn if standing else None), _mark(change.warn), change.currency),
    ]
    if used is not None:
        now, then = _part(used, standing.hard if standing else None), _part(used, change.hard)
        lines.append(EffectLine("Used of it", now, then, "open orders counted", drifts=True))
    beyond = _orders_beyond(change)
    if beyond is not None:
        lines.append(EffectLine("Open orders larger than the limit", "—", f"{beyond:,}", "each by itself", drifts=True))
    return Effect(
        headline=f"{change.words(name)}.",
        button=f"set {_mark(change.hard)}" if change.hard is not None else "remove the mark",
        lines=tuple(lines),
        warnings=tuple(_warnings(change, used, beyond)),
    )


def _used_now(change: LimitChange, at: datetime) -> Decimal | None:
    if change.kind not in COUNTED_KINDS:
        return None
    found = read_usage([(change.scope, change.scope_id)])
    return found[0].measure(change.kind, shown_day(at)) if found else None


def _orders_beyond(change: LimitChange) -> int | None:
    """How many open orders of the scope the new mark on one order would not allow."""
    if change.kind not in ("order_qty", "order_notional") or change.hard is None:
        return None
    column = _COLUMNS[Scope(change.scope)]
    shares = OrderUsage.objects.filter(open_orders=1, **({column: change.scope_id} if column else {}))
    if change.kind == "order_qty":
        return shares.filter(open_qty__gt=change.hard).count()
    return shares.filter(currency=change.currency, open_value__gt=change.hard).count()


def _warnings(change: LimitChange, used: Decimal | None, beyond: int | None) -> Iterable[str]:
    if change.hard is None and change.kind in MANDATORY:
        yield "Every order needs a mark of this kind: where no wider scope has one, orders are refused."
    if change.hard is not None and used is not None and used > change.hard:
        kept = "stay as they are" if change.on_breach == "keep" else "are canceled, the newest first, until it holds"
        yield f"The scope is above the new limit already: new orders are refused, open ones {kept}."
    elif change.hard is not None and change.warn is not None and used is not None and used > change.warn:
        yield "The scope is above the new warning already: new orders wait for a second person."
    if beyond:
        yield f"{beyond:,} open order{'s' if beyond != 1 else ''} would be larger than the new limit."
    if change.kind in COUNTED_KINDS and used is None and change.hard is not None:
        yield "The scope is not counted yet: counting begins with the change, with what is open and traded then."


def _mark(value: Decimal | None) -> str:
    return "—" if value is None else f"{Decimal(plain(round(value, 2))):,f}"


def _part(used: Decimal, hard: Decimal | None) -> str:
    return f"{used / hard:.0%} ({_mark(used)} of {_mark(hard)})" if hard else _mark(used)
