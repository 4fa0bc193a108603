"""An exchange with one listing (VOD.L, ticks of 0.5, lots of 10) and short ways to ask it and to read what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from kernel.fix import OrdType, Side, TimeInForce
from venues.simulator.commands import CancelOrder, NewOrder, ReplaceOrder
from venues.simulator.exchange import Exchange
from venues.simulator.floor import Options
from venues.simulator.listing import ListingSpec
from venues.simulator.model import Phase
from venues.simulator.reports import Entry
from venues.simulator.units import SCALE

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SESSION = "SIM1-A"

VOD = ListingSpec(
    listing_id="1",
    symbol="VOD.L",
    mic="XLON",
    venue_symbol="VOD",
    isin="GB00BH4HKS39",
    currency="GBP",
    reference=100 * SCALE,
    anchor=100 * SCALE,
    ticks=((0, SCALE // 2),),
    lot=10 * SCALE,
)


def exchange(phase: Phase = Phase.CONTINUOUS, options: Options | None = None) -> Exchange:
    """An exchange whose listing is in a phase."""
    one = Exchange(code="SIM1", listings=[VOD], options=options)
    one.books["VOD.L"].begin_in(phase)
    return one


def new(cl_ord_id: str, side: str = "1", qty: int = 100, px: str | None = "99", **more: Any) -> NewOrder:
    """A new order; ``px`` None is a market order, ``stop`` a stop price."""
    stop = more.pop("stop", None)
    kinds = {(False, False): OrdType.LIMIT, (True, False): OrdType.MARKET, (True, True): OrdType.STOP}
    fields: dict[str, Any] = {
        "session": SESSION,
        "cl_ord_id": cl_ord_id,
        "symbol": "VOD.L",
        "mic": "XLON",
        "isin": "",
        "side": Side(side),
        "ord_type": kinds.get((px is None, stop is not None), OrdType.STOP_LIMIT),
        "time_in_force": TimeInForce.DAY,
        "order_qty": qty * SCALE,
        "price": None if px is None else units(px),
        "stop_px": None if stop is None else units(stop),
    }
    return NewOrder(**{**fields, **more})


def cancel(cl_ord_id: str, orig: str) -> CancelOrder:
    """A cancel request."""
    return CancelOrder(SESSION, cl_ord_id, orig, "")


def replace(cl_ord_id: str, orig: str, qty: int | None = None, px: str | None = None, **more: Any) -> ReplaceOrder:
    """A replace request."""
    fields: dict[str, Any] = {"side": None, "ord_type": None, "time_in_force": None}
    return ReplaceOrder(
        session=SESSION,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig,
        order_id="",
        order_qty=None if qty is None else qty * SCALE,
        price=None if px is None else units(px),
        **{**fields, **more},
    )


def units(text: str) -> int:
    """Units of a price with at most one decimal."""
    whole, _, tenth = text.partition(".")
    return int(whole) * SCALE + int(tenth or 0) * SCALE // 10


def said(entries: list[Entry]) -> list[str]:
    """``ClOrdID ExecType/OrdStatus cum/leaves [qty@px]`` of reports, ``ClOrdID no reason/status`` of cancel rejects."""
    lines = []
    for entry in entries:
        report = entry.report
        if not report:
            lines.append(f"({entry.kind})")
        elif report["msg_type"] == "9":
            lines.append(f"{report['cl_ord_id']} no {report['cxl_rej_reason']}/{report['ord_status']}")
        elif report["msg_type"] == "j":
            lines.append(f"j {report['business_reject_reason']} {report['text']}")
        else:
            text = f"{report['cl_ord_id']} {report['exec_type']}/{report['ord_status']} "
            text += f"{report['cum_qty']}/{report['leaves_qty']}"
            lines.append(text + (f" {report['last_qty']}@{report['last_px']}" if "last_px" in report else ""))
    return lines
