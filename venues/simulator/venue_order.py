"""An order as the venue knows it: its terms (in its book order), what happened to it, and the status that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from kernel.fix import OrdStatus, OrdType, Side, TimeInForce
from venues.simulator.model import BookOrder
from venues.simulator.units import average_text, parse_units, to_text


class Ended(StrEnum):
    """How an order ended, other than by being filled."""

    NO = ""
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(slots=True)
class VenueTrade:
    """One execution of an order as it now stands; ``qty`` 0 once busted."""

    qty: int
    px: int


@dataclass(slots=True)
class VenueOrder:
    """An order of a member. ``lineage`` lists every ClOrdID it was known under, the current one last."""

    session: str
    order_id: str
    lineage: list[str]
    symbol: str
    mic: str
    side: Side
    terms: BookOrder
    entered_at: str
    echo: dict[str, str]
    expire_date: date | None = None
    expire_at: datetime | None = None
    trades: dict[str, VenueTrade] = field(default_factory=dict)
    cum: int = 0
    value: int = 0
    ended: Ended = Ended.NO
    done_for_day: bool = False

    @property
    def cl_ord_id(self) -> str:
        """The ClOrdID the order works under."""
        return self.lineage[-1]

    @property
    def leaves(self) -> int:
        """What may still be executed: nothing once it ended."""
        return 0 if self.ended else max(self.terms.qty - self.cum, 0)

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.leaves > 0

    @property
    def status(self) -> OrdStatus:
        """OrdStatus (39) that follows from the facts."""
        if self.ended:
            return {
                Ended.CANCELED: OrdStatus.CANCELED,
                Ended.EXPIRED: OrdStatus.EXPIRED,
                Ended.REJECTED: OrdStatus.REJECTED,
            }[self.ended]
        if not self.leaves:
            return OrdStatus.FILLED
        if self.done_for_day:
            return OrdStatus.DONE_FOR_DAY
        return OrdStatus.PARTIALLY_FILLED if self.cum else OrdStatus.NEW

    def add_trade(self, exec_id: str, qty: int, px: int) -> None:
        """Count an execution."""
        self.trades[exec_id] = VenueTrade(qty, px)
        self.cum += qty
        self.value += qty * px

    def amend_trade(self, exec_ref_id: str, exec_id: str, qty: int, px: int) -> None:
        """Change an execution, ``exec_id`` from then on; ``qty`` 0 withdraws it. KeyError when there is none."""
        trade = self.trades.pop(exec_ref_id)
        self.cum += qty - trade.qty
        self.value += qty * px - trade.qty * trade.px
        self.trades[exec_id] = VenueTrade(qty, px)

    def numbers(self) -> dict[str, str]:
        """CumQty, LeavesQty and AvgPx as reports give them."""
        return {
            "leaves_qty": to_text(self.leaves),
            "cum_qty": to_text(self.cum),
            "avg_px": average_text(self.value, self.cum),
        }


def snapshot(order: VenueOrder) -> dict[str, Any]:
    """The order as a line of the truth shows it: plain JSON, decimals as text. Executions are lines of their own."""
    terms = order.terms
    return {
        "session": order.session,
        "order_id": order.order_id,
        "cl_ord_id": order.cl_ord_id,
        "lineage": list(order.lineage),
        "symbol": order.symbol,
        "mic": order.mic,
        "side": order.side.value,
        "ord_type": terms.ord_type.value,
        "time_in_force": terms.time_in_force.value,
        "order_qty": to_text(terms.qty),
        "price": _text(terms.price),
        "stop_px": _text(terms.stop_px),
        "min_qty": to_text(terms.min_qty),
        "max_floor": to_text(terms.display),
        "expire_date": order.expire_date.isoformat() if order.expire_date else None,
        "expire_at": order.expire_at.isoformat() if order.expire_at else None,
        "entered_at": order.entered_at,
        "ord_status": order.status.value,
        **order.numbers(),
        "ended": order.ended.value,
        "done_for_day": order.done_for_day,
        "triggered": terms.triggered,
        "shown": to_text(terms.shown),
        "sequence": terms.sequence,
        "echo": order.echo,
    }


def from_snapshot(data: Mapping[str, Any]) -> VenueOrder:
    """The order a snapshot describes, without its executions (add them with ``add_trade``)."""
    terms = BookOrder(
        key=data["order_id"],
        is_buy=Side(data["side"]).is_buy,
        ord_type=OrdType(data["ord_type"]),
        time_in_force=TimeInForce(data["time_in_force"]),
        qty=parse_units(data["order_qty"]),
        price=_units(data["price"]),
        stop_px=_units(data["stop_px"]),
        min_qty=parse_units(data["min_qty"]),
        display=parse_units(data["max_floor"]),
        cum=parse_units(data["cum_qty"]),
        shown=parse_units(data["shown"]),
        triggered=data["triggered"],
        sequence=data["sequence"],
    )
    return VenueOrder(
        session=data["session"],
        order_id=data["order_id"],
        lineage=list(data["lineage"]),
        symbol=data["symbol"],
        mic=data["mic"],
        side=Side(data["side"]),
        terms=terms,
        entered_at=data["entered_at"],
        echo=dict(data["echo"]),
        expire_date=date.fromisoformat(data["expire_date"]) if data["expire_date"] else None,
        expire_at=datetime.fromisoformat(data["expire_at"]) if data["expire_at"] else None,
        ended=Ended(data["ended"]),
        done_for_day=data["done_for_day"],
    )


def _text(units: int | None) -> str | None:
    return None if units is None else to_text(units)


def _units(text: str | None) -> int | None:
    return None if text is None else parse_units(text)
