"""Executions as a log of a drop copy session: one FIX 4.4 message a line, with the noise of a session between. Pure."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kernel.numbers import ZERO, plain
from reconciliation.domain.making.sheet import Book, Record
from venues.domain.fix_codec import SOH, format_message, utc_timestamp

TYPES = {"trade": "F", "bust": "H", "correction": "G"}
STATUS_OF = {True: "2", False: "1"}
SENDER = ((49, "BROKER"), (56, "OMS"))


def write_fix_log(book: Book, *, mark: str = "|", noise: bool = True) -> tuple[bytes, list[int]]:
    """The bytes, and the line of each record. ``noise``: logon, heartbeats, and messages again under PossDupFlag (43)."""
    lines: list[str] = []
    places: list[int] = []
    done: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)

    def log(number: int, at: datetime, msg_type: str, *fields: tuple[int, str], again: bool = False) -> None:
        flags = ((43, "Y"), (122, utc_timestamp(at))) if again else ()
        head = ((35, msg_type), (34, str(number)), *SENDER, (52, utc_timestamp(at)), *flags)
        message = format_message("FIX.4.4", (*head, *fields)).replace(SOH, mark)
        lines.append(f"{utc_timestamp(at)} : {message}")

    start = datetime.combine(book.day, datetime.min.time(), UTC)
    number = 1
    if noise:
        log(number, start, "A", (98, "0"), (108, "30"))
    for record in book.records:
        number += 1
        at = datetime.fromisoformat(record["transact_time"]).astimezone(UTC)
        said = execution_fields(record, done)
        log(number, at, "8", *said)
        places.append(len(lines))
        if noise and number % 5 == 0:
            log(number, at, "8", *said, again=True)
        if noise and number % 3 == 0:
            number += 1
            log(number, at + timedelta(milliseconds=1), "0")
    return ("\n".join(lines) + "\n").encode(), places


def execution_fields(record: Record, done: defaultdict[str, Decimal]) -> tuple[tuple[int, str], ...]:
    """The body of one execution report. ``done`` is what each order has traded so far in this log."""
    order = record["venue_order_id"] or record["cl_ord_id"]
    kind = record["exec_type"] or "trade"
    if kind == "trade":
        done[order] += record.number("last_qty")
    ordered = Decimal(record.about.get("order_qty") or 0)
    left = max(ordered - done[order], ZERO)
    fields = [
        *((37, order), (17, record["exec_id"]), (19, record["exec_ref_id"]), (11, record["cl_ord_id"])),
        *((1, record["account"]), (150, TYPES[kind]), (39, STATUS_OF[bool(ordered) and not left])),
        *((55, record["symbol"]), (48, record["isin"]), (22, "4" if record["isin"] else ""), (207, record["mic"])),
        *((54, record["side"]), (38, plain(ordered) if ordered else "")),
        *((32, record["last_qty"]), (31, record["last_px"]), (14, plain(done[order])), (151, plain(left)), (6, "0")),
        *((15, record["currency"]), (12, record["commission"]), (13, "3" if record["commission"] else "")),
        *((75, _day(record["trade_date"])), (64, _day(record["settlement_date"]))),
        (60, utc_timestamp(datetime.fromisoformat(record["transact_time"]).astimezone(UTC))),
    ]
    if record["fees"]:
        fields += [(136, "1"), (137, record["fees"]), (138, record["currency"]), (139, "4")]
    return tuple((tag, value) for tag, value in fields if value)


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%Y%m%d") if text else ""
