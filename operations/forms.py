"""What people typed into ticket, amend and cancel forms, as terms of the order room; every slip named by its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

from django.utils.timezone import get_current_timezone

from kernel.errors import Invalid
from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import parse_decimal
from orders.domain.terms import OrderTerms, ReplaceTerms
from risk.domain.answers import Acknowledgement

ACK_REASONS: dict[str, str] = {
    "CLIENT_INSTRUCTION": "Client instruction, confirmed",
    "PRICE_CHECKED": "Price checked against the market",
    "SIZE_CHECKED": "Size checked with the client",
    "HEDGE": "Hedge of another order",
    "OTHER": "Other, noted outside the system",
}
DECLINE_REASONS: dict[str, str] = {
    "TOO_LARGE": "Too large",
    "PRICE": "Price not acceptable",
    "MANDATE": "Outside the mandate",
    "DUPLICATE": "Looks like a duplicate",
    "CLIENT_TO_CONFIRM": "Client must confirm",
    "OTHER": "Other, see the note",
}
CANCEL_REASONS: dict[str, str] = {
    "CLIENT_REQUEST": "Client asked",
    "DEALER_ERROR": "Entered in error",
    "MARKET": "Market moved",
    "RISK": "Risk asked",
    "OTHER": "Other",
}
ORD_TYPE_CHOICES = [
    (OrdType.LIMIT, "Limit"),
    (OrdType.MARKET, "Market"),
    (OrdType.STOP, "Stop"),
    (OrdType.STOP_LIMIT, "Stop limit"),
]
CAPACITY_CHOICES = [
    ("A", "Agency"),
    ("P", "Principal"),
    ("R", "Riskless principal"),
    ("G", "Proprietary"),
    ("I", "Individual"),
    ("W", "Agent for another member"),
]
TIME_IN_FORCE_CHOICES = [
    (TimeInForce.DAY, "Day"),
    (TimeInForce.GTC, "Good till cancel"),
    (TimeInForce.GTD, "Good till date"),
    (TimeInForce.IOC, "Immediate or cancel"),
    (TimeInForce.FOK, "Fill or kill"),
    (TimeInForce.AT_OPEN, "At the open"),
    (TimeInForce.AT_CLOSE, "At the close"),
]

Data = Mapping[str, str]


class _Reader:
    """Reads fields, gathering one sentence a slip."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.faults: dict[str, list[str]] = {}

    def text(self, name: str) -> str:
        return self.data.get(name, "").strip()

    def number(self, name: str) -> Decimal | None:
        text = self.text(name)
        if not text:
            return None
        value = parse_decimal(text)
        if value is None:
            self.faults[name] = [f"“{text}” is not a number. Write 12000, 12,000, 12k or 1.2m."]
        return value

    def day(self, name: str) -> date | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.faults[name] = ["Give the date as YYYY-MM-DD."]
            return None

    def moment(self, name: str) -> datetime | None:
        """A time as a person reads it on a clock, in that person's zone."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.faults[name] = ["Give the time as YYYY-MM-DD HH:MM."]
            return None
        return found if found.tzinfo else found.replace(tzinfo=get_current_timezone())

    def finish(self) -> None:
        if self.faults:
            first = next(iter(self.faults.values()))[0]
            raise Invalid("FORM_INVALID", first, self.faults)


def missing_terms(data: Data) -> list[str]:
    """Words for what a ticket still lacks before anything can be checked."""
    wanted = {"symbol": "instrument", "qty": "quantity", "account": "account"}
    if data.get("ord_type", OrdType.LIMIT) in (OrdType.LIMIT, OrdType.STOP_LIMIT):
        wanted["price"] = "limit"
    if data.get("ord_type") in (OrdType.STOP, OrdType.STOP_LIMIT):
        wanted["stop_px"] = "stop price"
    if data.get("time_in_force") == TimeInForce.GTD:
        wanted["expire_date"] = "end date"
    if data.get("side") in (Side.SELL_SHORT, Side.SELL_SHORT_EXEMPT):
        wanted["locate_ref"] = "locate reference"
    return [word for name, word in wanted.items() if not data.get(name, "").strip()]


def read_ticket(data: Data) -> OrderTerms:
    """The order a ticket asks for: the same fields are the same terms, whenever they arrive. Raises Invalid by field."""
    reader = _Reader(data)
    try:
        side = Side(reader.text("side"))
        ord_type = OrdType(reader.text("ord_type") or OrdType.LIMIT)
        time_in_force = TimeInForce(reader.text("time_in_force") or TimeInForce.DAY)
    except ValueError as error:
        raise Invalid("FORM_INVALID", "Side, type or time in force is not one of those offered.") from error
    limited = ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT)
    stopped = ord_type in (OrdType.STOP, OrdType.STOP_LIMIT)
    terms = OrderTerms(
        account=reader.text("account").upper(),
        symbol=reader.text("symbol").upper(),
        side=side,
        ord_type=ord_type,
        order_qty=reader.number("qty") or Decimal(0),
        time_in_force=time_in_force,
        price=reader.number("price") if limited else None,
        stop_px=reader.number("stop_px") if stopped else None,
        min_qty=reader.number("min_qty"),
        max_floor=reader.number("max_floor"),
        expire_date=reader.day("expire_date") if time_in_force is TimeInForce.GTD else None,
        locate_ref=reader.text("locate_ref") if side.is_short else "",
        client_order_id=reader.text("client_order_id"),
        capacity=reader.text("capacity") or "A",
        instructed_at=reader.moment("instructed_at"),
        instructed_by=reader.text("instructed_by"),
        discretion=reader.text("discretion"),
    )
    reader.finish()
    return terms


def read_acknowledgements(data: Data) -> tuple[Acknowledgement, ...]:
    """Warnings that were ticked one by one, each with a reason code."""
    ticked = sorted(name.removeprefix("ack_") for name in data if name.startswith("ack_"))
    return tuple(
        Acknowledgement(code=code, reason=reason)
        for code in ticked
        if (reason := data.get(f"reason_{code}", "")) in ACK_REASONS
    )


def read_replace(data: Data) -> ReplaceTerms:
    """What an amend asks for: only the fields that were given."""
    reader = _Reader(data)
    tif = reader.text("time_in_force")
    try:
        time_in_force = TimeInForce(tif) if tif else None
    except ValueError as error:
        raise Invalid("FORM_INVALID", "The time in force is not one of those offered.") from error
    terms = ReplaceTerms(
        order_qty=reader.number("qty"),
        price=reader.number("price"),
        stop_px=reader.number("stop_px"),
        time_in_force=time_in_force,
        expire_date=reader.day("expire_date") if time_in_force is TimeInForce.GTD else None,
    )
    reader.finish()
    return terms


def read_moment(text: str, name: str) -> datetime | None:
    """A time as a person reads it on a clock, in that person's zone; None when it is empty. Raises Invalid by field."""
    reader = _Reader({name: text})
    found = reader.moment(name)
    reader.finish()
    return found


def read_choice(data: Data, name: str, choices: Iterable[str], sentence: str) -> str:
    """One of the offered codes. Raises Invalid with ``sentence``."""
    value = data.get(name, "")
    if value not in choices:
        raise Invalid("REASON_CODE_MISSING", sentence, {name: [sentence]})
    return value
