"""Load markets and their dated settlement cycles from CSV rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import available_timezones

from django.db import transaction

from authorisation.domain.principal import Principal
from refdata.domain.identifiers import is_country, is_currency, is_mic
from refdata.domain.import_rows import ImportCode, ImportIssue, LoadResult
from refdata.models import Market, SettlementCycle

_NUMBERS = ("opening_auction_s", "closing_auction_s", "settlement_days")


def load_markets(
    *,
    actor: Principal,
    at: datetime,
    rows: Sequence[Mapping[str, str]],
    cycles: Sequence[Mapping[str, str]] = (),
    always_open: bool | None = None,
) -> LoadResult:
    """Upsert markets by MIC and replace the cycles of every market named in ``cycles``.

    ``always_open`` sets the flag on every loaded market; None leaves it as it is (False for a new one). A market that
    changes gets a new version and one history row; an equal one is not written.
    """
    known = Market.objects.in_bulk()
    zones = available_timezones()
    issues: list[ImportIssue] = []
    added = changed = unchanged = 0
    with transaction.atomic():
        dated = _dated_cycles(cycles)
        for number, row in enumerate(rows, start=2):
            faults = _faults(number, row, zones)
            if faults:
                issues.extend(faults)
                continue
            market = known.get(row["mic"]) or Market(mic=row["mic"])
            fresh = market._state.adding
            differs = _assign(market, row, always_open)
            cycles_differ = row["mic"] in dated and _cycles(market, fresh) != dated[row["mic"]]
            if not fresh and not differs and not cycles_differ:
                unchanged += 1
                continue
            market.renew(at=at, reason=f"loaded by {actor.actor}")
            if cycles_differ:
                _replace_cycles(market, dated[row["mic"]])
            added, changed = added + fresh, changed + (not fresh)
    return LoadResult(added, changed, unchanged, tuple(issues))


def _assign(market: Market, row: Mapping[str, str], always_open: bool | None) -> bool:
    """Set the fields of ``market`` from ``row``; whether any of them differed."""
    wanted: dict[str, object] = {
        name: row[name] for name in ("name", "country", "time_zone", "currency", "calendar_code", "settlement_calendar")
    }
    wanted |= {name: int(row[name]) for name in _NUMBERS}
    wanted |= {name: row[name].split() for name in ("ord_types", "times_in_force")}
    if always_open is not None:
        wanted["always_open"] = always_open
    differs = False
    for name, value in wanted.items():
        if getattr(market, name) != value:
            setattr(market, name, value)
            differs = True
    return differs


def _faults(number: int, row: Mapping[str, str], zones: set[str]) -> list[ImportIssue]:
    rules = [
        (is_mic(row["mic"]), "mic", ImportCode.MIC_INVALID, f"{row['mic']!r} is no MIC."),
        (is_country(row["country"]), "country", ImportCode.COUNTRY_INVALID, f"{row['country']!r} is no country code."),
        (
            row["time_zone"] in zones,
            "time_zone",
            ImportCode.TIME_ZONE_UNKNOWN,
            f"{row['time_zone']!r} is no time zone.",
        ),
        (
            is_currency(row["currency"]),
            "currency",
            ImportCode.CURRENCY_INVALID,
            f"{row['currency']!r} is no ISO 4217 currency.",
        ),
    ]
    rules.extend(
        (row[name].isdigit(), name, ImportCode.NUMBER_INVALID, f"{row[name]!r} is not a whole number.")
        for name in _NUMBERS
    )
    return [ImportIssue(number, column, code, sentence) for holds, column, code, sentence in rules if not holds]


def _dated_cycles(cycles: Iterable[Mapping[str, str]]) -> dict[str, list[tuple[date, int]]]:
    dated: dict[str, list[tuple[date, int]]] = {}
    for row in cycles:
        dated.setdefault(row["mic"], []).append((date.fromisoformat(row["valid_from"]), int(row["days"])))
    return {mic: sorted(entries) for mic, entries in dated.items()}


def _cycles(market: Market, fresh: bool) -> list[tuple[date, int]]:
    if fresh:
        return []
    return list(market.cycles.order_by("valid_from").values_list("valid_from", "days"))


def _replace_cycles(market: Market, wanted: Sequence[tuple[date, int]]) -> None:
    SettlementCycle.objects.filter(market=market).delete()
    SettlementCycle.objects.bulk_create(
        [SettlementCycle(market=market, valid_from=valid_from, days=days) for valid_from, days in wanted]
    )
