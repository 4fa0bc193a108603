"""By when a block must be allocated and its confirmations affirmed: a clock of the market, not of the house.

Rules are dated lines of ``allocations/data/cut_offs.csv``: an hour on the wall of the market's zone, so many business days after
the trade date; the newest line whose ``valid_from`` is not after the trade date counts. A business day is one on which the
market's depository settles. A market or a day without a line has no cut-off: None, never a guess. Hours on the wall move with
summer time; none of them lies in the hours that a change of the clocks repeats or leaves out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from refdata.domain.settlement import is_settlement_day

COLUMNS = (
    "mic", "valid_from", "allocate_by", "allocate_days", "affirm_by", "affirm_days", "zone", "not_for", "source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """An hour on the wall, ``days`` business days after the trade date."""

    hour: time
    days: int


@dataclass(frozen=True, slots=True)
class CutOffRule:
    """What holds on a market for trades dated ``valid_from`` or later; ``not_for``: account classes it does not bind."""

    mic: str
    valid_from: date
    allocate: Mark
    affirm: Mark
    zone: ZoneInfo
    not_for: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The instants of one market and trade date, in UTC; None where nothing says an hour."""

    allocate_by: datetime | None = None
    affirm_by: datetime | None = None
    not_for: frozenset[str] = frozenset()

    def affirm_by_of(self, account_class: str) -> datetime | None:
        """By when a confirmation for an account of this class must be affirmed."""
        return None if account_class in self.not_for else self.affirm_by


NO_CUT_OFFS = CutOffs()


def parse_rules(rows: Sequence[Mapping[str, str]]) -> tuple[CutOffRule, ...]:
    """The lines of the file, by market and date. Raises ValueError for one that cannot be read, naming its row."""
    rules: list[CutOffRule] = []
    for number, row in enumerate(rows, start=2):
        try:
            rules.append(_parse(row))
        except (KeyError, ValueError, OSError) as error:  # an unknown zone is a KeyError, an odd one an OSError
            raise ValueError(f"cut_offs.csv, row {number}: {error}") from error
    keys = [(rule.mic, rule.valid_from) for rule in rules]
    if len(set(keys)) < len(keys):
        raise ValueError("cut_offs.csv says twice what holds on a market from one day on")
    return tuple(sorted(rules, key=lambda rule: (rule.mic, rule.valid_from)))


def _parse(row: Mapping[str, str]) -> CutOffRule:
    if not row["source"]:
        raise ValueError("a cut-off without a source")
    return CutOffRule(
        mic=row["mic"],
        valid_from=date.fromisoformat(row["valid_from"]),
        allocate=_mark(row["allocate_by"], row["allocate_days"]),
        affirm=_mark(row["affirm_by"], row["affirm_days"]),
        zone=ZoneInfo(row["zone"]),
        not_for=frozenset(row["not_for"].split()),
        source=row["source"],
    )


def _mark(hour: str, days: str) -> Mark:
    count = int(days)
    if not 0 <= count <= 5:
        raise ValueError(f"{days} days after the trade date")
    return Mark(time.fromisoformat(hour), count)


def rule_on(rules: Sequence[CutOffRule], mic: str, trade_date: date) -> CutOffRule | None:
    """The line in force for trades of that market and day."""
    held = [rule for rule in rules if rule.mic == mic and rule.valid_from <= trade_date]
    return max(held, key=lambda rule: rule.valid_from, default=None)


def cut_offs_on(
    rules: Sequence[CutOffRule], mic: str, trade_date: date, *, settlement_holidays: Collection[date]
) -> CutOffs:
    """The instants for trades of that market and day."""
    rule = rule_on(rules, mic, trade_date)
    if rule is None:
        return NO_CUT_OFFS
    return CutOffs(
        allocate_by=_instant(rule.allocate, rule.zone, trade_date, settlement_holidays),
        affirm_by=_instant(rule.affirm, rule.zone, trade_date, settlement_holidays),
        not_for=rule.not_for,
    )


def _instant(mark: Mark, zone: ZoneInfo, trade_date: date, holidays: Collection[date]) -> datetime:
    day, remaining = trade_date, mark.days
    while remaining:
        day += timedelta(days=1)
        if is_settlement_day(day, holidays):
            remaining -= 1
    return datetime.combine(day, mark.hour, tzinfo=zone).astimezone(UTC)
