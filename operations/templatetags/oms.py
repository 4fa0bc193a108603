"""Numbers, times, sides, statuses and glyphs as every screen shows them. Nothing here knows an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.domain.fee_words import charge_words
from allocations.domain.settlement_reasons import in_words
from kernel.fix import OrdType, Side, TimeInForce
from operations.domain.numbers import MINUS, NONE, grouped, signed
from operations.domain.recon_words import BY_NAME
from operations.domain.rows import ORD_TYPE_WORDS, SIDE_WORDS, TIME_IN_FORCE_WORDS
from operations.domain.shown_status import REQUEST_WORDS, ShownStatus, shown_status

register = template.Library()

SETTLEMENT_MARKS = {
    "waiting": ("waiting", "queued"),
    "instructed": ("waiting", "sent"),
    "matched": ("working", "working"),
    "pending": ("waiting", "waiting"),
    "partial": ("working", "partial"),
    "settled": ("done", "filled"),
    "failed": ("refused", "refused"),
    "rejected": ("refused", "refused"),
    "canceled": ("ended", "ended"),
}

register.filter("grouped", grouped)
register.filter("signed", signed)


@register.filter
def figure(value: Decimal | None, places: int) -> str:
    """As :func:`grouped`, rounded half-even to exactly so many places: for averages, which have no last digit."""
    if value is None:
        return NONE
    return grouped(round(value, places), places)


@register.filter
def probability(value: Fraction | None) -> str:
    """A chance to four places; one that is smaller than those can say as such."""
    if value is None:
        return NONE
    return (
        "< 0.0001" if value < Fraction(1, 10_000) else f"{round(Decimal(value.numerator) / value.denominator, 4):.4f}"
    )


@register.filter
def percent(value: Decimal | None) -> str:
    """A stored fraction as people read it: ``0.03`` becomes 3%."""
    return NONE if value is None else f"{grouped(value * 100)}%"


@register.filter
def at_key(mapping: Mapping[Any, Any], key: Any) -> Any:
    """The value a mapping has for a key that is no name, None without one."""
    return mapping.get(key)


@register.filter
def moment(value: datetime | None, digits: int = 3) -> SafeString | str:
    """Time of day in the reader's zone to the millisecond, with the date unless it is today and the year unless it is this one."""
    if value is None:
        return NONE
    local = timezone.localtime(value)
    text = local.strftime("%H:%M:%S") + (f".{local.microsecond // 1000:03d}" if digits else "")
    today = timezone.localtime().date()
    if local.date() != today:
        text = f"{local:{'%d %b' if local.year == today.year else '%d %b %Y'}} {text}"
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M:%S.%f"), text
    )


@register.filter
def stamp(value: datetime | None) -> SafeString | str:
    """Date with its year and time of day, in the reader's zone: for what may stand for years."""
    if value is None:
        return NONE
    local, utc = timezone.localtime(value), value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.isoformat(),
        f"{utc:%Y-%m-%d %H:%M:%S.%f}",
        f"{local:%d %b %Y %H:%M:%S}",
    )


@register.filter
def who(actor: str) -> str:
    """Who did something, without the mark of a process in front of its name."""
    return actor.removeprefix("process:")


@register.simple_tag
def zone_label() -> str:
    """Short name of the reader's zone now, e.g. GMT."""
    return timezone.localtime().tzname() or "UTC"


@register.filter
def parsed(value: str | None) -> datetime | None:
    """A time that was stored as ISO text."""
    return datetime.fromisoformat(value) if value else None


@register.filter
def day(value: date | None) -> str:
    """21 Nov 2026."""
    return f"{value:%d %b %Y}" if value else NONE


@register.filter
def waited(seconds: float | None) -> str:
    """A duration in words as short as the blotter's: 4m 19s."""
    if seconds is None:
        return NONE
    total = int(abs(seconds))
    sign = MINUS if seconds < 0 else ""
    if total < 60:
        return f"{sign}{total}s"
    if total < 3600:
        return f"{sign}{total // 60}m {total % 60:02d}s"
    if total < 86400:
        return f"{sign}{total // 3600}h {total % 3600 // 60:02d}m"
    return f"{sign}{total // 86400}d {total % 86400 // 3600}h"


@register.simple_tag
def glyph(name: str) -> SafeString:
    """A symbol of the page's sprite; always beside the words it repeats."""
    return format_html('<svg class="glyph" aria-hidden="true"><use href="#g-{}"></use></svg>', name)


@register.simple_tag
def side_mark(side: str) -> SafeString:
    """Triangle, word and colour of a side."""
    value = Side(side)
    kind = "buy" if value.is_buy else "short" if value.is_short else "sell"
    return format_html(
        '<span class="side {}">{}{}</span>', "buy" if value.is_buy else "sell", glyph(kind), SIDE_WORDS[value]
    )


@register.simple_tag
def status_mark(shown: ShownStatus) -> SafeString:
    """Glyph, word and tint of a status."""
    return format_html('<span class="st {}">{}{}</span>', shown.family, glyph(shown.code), shown.text)


@register.simple_tag
def order_status(order: Any) -> SafeString:
    """The status of an order, from the venue's word and our request's state."""
    return status_mark(
        shown_status(
            ord_status=order.ord_status,
            request_state=order.request_state,
            overfilled=order.overfilled,
            excess_accepted=order.excess_accepted,
        )
    )


@register.simple_tag
def request_status(state: str) -> SafeString:
    """The status of one request."""
    return status_mark(REQUEST_WORDS[state])


@register.filter
def ord_type(value: str) -> str:
    """LMT, MKT, STP, STL."""
    return ORD_TYPE_WORDS[OrdType(value)]


@register.filter
def time_in_force(value: str) -> str:
    """DAY, GTC, IOC …"""
    return TIME_IN_FORCE_WORDS[TimeInForce(value)]


@register.simple_tag
def meter(done: Decimal | None, whole: Decimal | None) -> SafeString:
    """How much of an order is done, as a bar and a percentage."""
    share = min(100, int(100 * done / whole)) if done and whole else 0
    return format_html(
        '<svg class="meter" viewBox="0 0 54 8" aria-hidden="true"><rect class="bar-fill" width="{}" height="8"></rect>'
        '<rect class="box" x=".5" y=".5" width="53" height="7"></rect></svg> <span>{}%</span>',
        round(54 * share / 100),
        share,
    )


@register.filter
def soh(raw: str) -> str:
    """A raw FIX message with its separators made visible."""
    return raw.replace("\x01", " | ")


@register.filter
def charge(name: str) -> str:
    """A charge as people call it; of one that a later schedule brings, its name in words."""
    return charge_words(name)


@register.filter
def words(code: str) -> str:
    """A stored state as words: ``not_applied`` becomes Not applied."""
    return code.replace("_", " ").capitalize()


@register.filter
def break_words(code: str) -> str:
    """As :func:`words`, and a category of breaks as the tiles of its run call it."""
    return BY_NAME[code].title if code in BY_NAME else words(code)


@register.filter
def passed_checks(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stored checks of a request that passed."""
    return [check for check in checks if check["verdict"] == "pass"]


@register.filter
def settlement_reason(code: str) -> str:
    """What a custodian's code says in words; empty for one that nobody here knows."""
    return in_words(code)


@register.simple_tag
def settlement_mark(state: str) -> SafeString:
    """The state of a settlement instruction."""
    family, code = SETTLEMENT_MARKS[state]
    return format_html('<span class="st {}">{}{}</span>', family, glyph(code), state)
