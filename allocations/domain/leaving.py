"""When a settlement instruction leaves: by the rule of its account and market, and at the latest at its market's cut-off. Pure.

*on_booking*: at once. *on_affirmation*: once the counterparty has agreed to the trade; so by default where a block was executed with
a counterparty that confirms, for what it disputes would fail at the depository. An instruction that was sent before and is sent
again waits for nobody. At the cut-off it leaves unaffirmed, and somebody is told; what a person holds never leaves before it is
released, and at the cut-off somebody is told of that. Requests to cancel are held by no rule: they leave at once.

The cut-offs are dated lines of ``data/instruct_cut_offs.csv``, an hour on the wall so many settlement days before the day of
settlement: a margin before the depository's own. Without a line it is the beginning of the day of settlement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from refdata.domain.settlement import is_settlement_day

ON_AFFIRMATION, ON_BOOKING = "on_affirmation", "on_booking"
LEAVES = (ON_AFFIRMATION, ON_BOOKING)
COLUMNS = ("mic", "valid_from", "instruct_by", "days_before", "zone", "source")
MOST_DAYS_BEFORE = 5


class Verdict(StrEnum):
    """What is to be done with an instruction that waits."""

    LEAVES = "leaves"
    LEAVES_LATE = "leaves_late"
    WAITS = "waits"
    HELD = "held"
    HELD_LATE = "held_late"

    @property
    def goes(self) -> bool:
        """Whether it leaves now."""
        return self in (Verdict.LEAVES, Verdict.LEAVES_LATE)


@dataclass(frozen=True, slots=True)
class SendingTerms:
    """A version of a rule; ``account`` and ``mic`` empty: any."""

    account: str
    mic: str
    leaves: str
    valid_from: date
    version: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What decides about one instruction. ``is_confirmed``: the trade is confirmed with somebody; ``party_confirms``: by message or
    file, not by hand; ``again``: a version of it was sent before; ``leave_by``: its market's cut-off."""

    account: str
    mic: str
    trade_date: date
    leave_by: datetime
    is_confirmed: bool
    party_confirms: bool
    affirmed: bool
    again: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class InstructRule:
    """A line of the cut-offs, for trades dated ``valid_from`` or later."""

    mic: str
    valid_from: date
    hour: time
    days_before: int
    zone: ZoneInfo
    source: str


def verdict(waiting: Waiting, rules: Iterable[SendingTerms], *, at: datetime) -> Verdict:
    """What to do with it at ``at``: the cut-off itself is late."""
    late = at >= waiting.leave_by
    if waiting.held:
        return Verdict.HELD_LATE if late else Verdict.HELD
    if waiting.again or waiting.affirmed or not waits_for_affirmation(waiting, rules):
        return Verdict.LEAVES
    return Verdict.LEAVES_LATE if late else Verdict.WAITS


def waits_for_affirmation(waiting: Waiting, rules: Iterable[SendingTerms]) -> bool:
    """Whether its rule lets it wait; a trade that nobody confirms waits for nothing, whatever a rule says."""
    if not waiting.is_confirmed:
        return False
    rule = rule_for(rules, account=waiting.account, mic=waiting.mic, trade_date=waiting.trade_date)
    return waiting.party_confirms if rule is None else rule.leaves == ON_AFFIRMATION


def rule_for(rules: Iterable[SendingTerms], *, account: str, mic: str, trade_date: date) -> SendingTerms | None:
    """The rule in force: that of the account on the market, of the account, of the market, of any; in each the newest version."""
    found = [
        rule
        for rule in rules
        if rule.account in ("", account) and rule.mic in ("", mic) and rule.valid_from <= trade_date
    ]
    return max(found, key=lambda rule: (bool(rule.account), bool(rule.mic), rule.version), default=None)


def parse_rules(rows: Iterable[Mapping[str, str]]) -> tuple[InstructRule, ...]:
    """The lines of the file. Raises ValueError naming the row that cannot be read."""
    rules: list[InstructRule] = []
    for number, row in enumerate(rows, start=2):
        try:
            rules.append(_parse(row))
        except (KeyError, ValueError, OSError) as error:  # an unknown zone is a KeyError, an odd one an OSError
            raise ValueError(f"instruct_cut_offs.csv, row {number}: {error}") from error
    keys = [(rule.mic, rule.valid_from) for rule in rules]
    if len(set(keys)) < len(keys):
        raise ValueError("instruct_cut_offs.csv says twice what holds on a market from one day on")
    return tuple(rules)


def _parse(row: Mapping[str, str]) -> InstructRule:
    days = int(row["days_before"])
    if not row["source"] or not 0 <= days <= MOST_DAYS_BEFORE:
        raise ValueError(f"no source, or {days} days before the day of settlement")
    begin, hour = date.fromisoformat(row["valid_from"]), time.fromisoformat(row["instruct_by"])
    return InstructRule(row["mic"], begin, hour, days, ZoneInfo(row["zone"]), row["source"])


def leave_by(
    rules: Sequence[InstructRule],
    *,
    mic: str,
    zone: ZoneInfo,
    trade_date: date,
    settlement_date: date,
    holidays: Collection[date],
) -> datetime:
    """The cut-off in UTC; ``zone`` is the market's, for a market without a line."""
    held = [rule for rule in rules if rule.mic == mic and rule.valid_from <= trade_date]
    rule = max(held, key=lambda one: one.valid_from, default=None)
    if rule is None:
        return datetime.combine(settlement_date, time(), tzinfo=zone).astimezone(UTC)
    day, left = settlement_date, rule.days_before
    while left:
        day -= timedelta(days=1)
        left -= is_settlement_day(day, holidays)
    return datetime.combine(day, rule.hour, tzinfo=rule.zone).astimezone(UTC)
