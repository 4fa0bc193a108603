"""For how long a gate of the start of day may be opened without its file: to the end of that day, never longer. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kernel.errors import Invalid

LONGEST_TEXT = 500


def end_of_day(at: datetime, zone: ZoneInfo) -> datetime:
    """The midnight that ends the day of ``at`` where the feed's clock hangs."""
    tomorrow = at.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), zone).astimezone(UTC)


def read_until(until: datetime | None, *, at: datetime, zone: ZoneInfo) -> datetime:
    """Until when it is asked for; the end of the day where nobody says. Raises Invalid OVERRIDE_INVALID."""
    latest = end_of_day(at, zone)
    if until is None:
        return latest
    if not at < until <= latest:
        sentence = f"It ends after now and by the end of the day, {latest:%Y-%m-%d %H:%M} UTC."
        raise Invalid("OVERRIDE_INVALID", sentence, {"until": [sentence]})
    return until


def require_text(name: str, text: str, sentence: str) -> str:
    """What a person had to write, without spaces around it. Raises Invalid OVERRIDE_INVALID."""
    said = text.strip()
    if not said or len(said) > LONGEST_TEXT:
        sentence = f"{sentence} At most {LONGEST_TEXT} characters."
        raise Invalid("OVERRIDE_INVALID", sentence, {name: [sentence]})
    return said
