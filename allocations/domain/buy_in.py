"""When a delivery that failed must be bought in, by the dated rules of its market. Pure; the rules are ``data/buy_in_rules.csv``.

A rule counts settlement days after the day of settlement. Where none is in force nothing is due: the law asks for none, or we
know of none, and nothing is guessed; a cautious rule of the house says so in its source. Cash penalties are the depository's to
charge: they are shown, not booked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from refdata.domain.settlement import is_settlement_day

SHORT, LONG = "short", "long"
COLUMNS = ("mic", "sale", "valid_from", "valid_to", "days", "cash_penalty", "source")


@dataclass(frozen=True, slots=True)
class BuyInRule:
    """For settlement dates from ``valid_from`` to ``valid_to`` on a market. ``sale`` long, short, or empty for both.

    ``days`` None: nothing must be bought in. ``cash_penalty``: the depository charges for every day.
    """

    mic: str
    sale: str
    valid_from: date
    valid_to: date | None
    days: int | None
    cash_penalty: bool
    source: str


def parse_rules(rows: Iterable[Mapping[str, str]]) -> tuple[BuyInRule, ...]:
    """The lines of the file. Raises ValueError naming the row that cannot be read."""
    rules = []
    for number, row in enumerate(rows, start=2):
        if row["sale"] not in ("", SHORT, LONG) or row["cash_penalty"] not in ("yes", "no") or not row["source"]:
            raise ValueError(f"buy_in_rules.csv, row {number}: sale, cash_penalty or source cannot be read")
        try:
            until = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
            days = int(row["days"]) if row["days"] else None
            begin = date.fromisoformat(row["valid_from"])
        except ValueError as error:
            raise ValueError(f"buy_in_rules.csv, row {number}: {error}") from error
        rules.append(
            BuyInRule(row["mic"], row["sale"], begin, until, days, row["cash_penalty"] == "yes", row["source"])
        )
    return tuple(rules)


def rule_for(rules: Sequence[BuyInRule], *, mic: str, is_short: bool, settlement_date: date) -> BuyInRule | None:
    """The rule in force; of several that of the kind of sale, then the latest."""
    kind = SHORT if is_short else LONG
    found = [
        rule
        for rule in rules
        if rule.mic == mic
        and rule.sale in ("", kind)
        and rule.valid_from <= settlement_date
        and (rule.valid_to is None or settlement_date <= rule.valid_to)
    ]
    return max(found, key=lambda rule: (bool(rule.sale), rule.valid_from), default=None)


def buy_in_day(rule: BuyInRule | None, settlement_date: date, holidays: Collection[date]) -> date | None:
    """From when it is due; None where nothing is."""
    if rule is None or rule.days is None:
        return None
    day, left = settlement_date, rule.days
    while left:
        day += timedelta(days=1)
        left -= is_settlement_day(day, holidays)
    return day


def age_in_days(settlement_date: date, today: date, holidays: Collection[date]) -> int:
    """Settlement days that have begun since the day of settlement: 1 on the first of them."""
    day, age = settlement_date, 0
    while day < today:
        day += timedelta(days=1)
        age += is_settlement_day(day, holidays)
    return age
