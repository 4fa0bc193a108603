"""Load price-step tables from CSV rows ``table,price_from,tick``. A faulty table is left as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.ids import new_id
from kernel.numbers import parse_decimal
from refdata.domain.import_rows import ImportCode, ImportIssue, LoadResult
from refdata.domain.tick_table import Band, band_faults
from refdata.models import TickBand, TickTable

TICK_COLUMNS = ("table", "price_from", "tick")


def load_tick_tables(*, actor: Principal, at: datetime, rows: Sequence[Mapping[str, str]]) -> LoadResult:
    """Upsert whole tables: a table's bands are replaced together and get a new version, or nothing of it changes."""
    tables, issues = _tables_of(rows)
    added = changed = unchanged = 0
    with transaction.atomic():
        known = {table.name: table for table in TickTable.objects.all()}
        held = _held_bands()
        for name, bands in tables.items():
            if name in known and held.get(known[name].pk) == bands:
                unchanged += 1
                continue
            if name in known:
                table = known[name]
                table.version = new_id()
                table.save(update_fields=["version"])
                table.bands.all().delete()
                changed += 1
            else:
                table = TickTable.objects.create(name=name)
                added += 1
            TickBand.objects.bulk_create(
                [TickBand(table=table, price_from=band.price_from, tick=band.tick) for band in bands]
            )
    return LoadResult(added, changed, unchanged, tuple(issues))


def _tables_of(rows: Sequence[Mapping[str, str]]) -> tuple[dict[str, list[Band]], list[ImportIssue]]:
    tables: dict[str, list[Band]] = {}
    first_row: dict[str, int] = {}
    issues: list[ImportIssue] = []
    faulty: set[str] = set()
    for number, row in enumerate(rows, start=2):
        name = row["table"]
        price_from, tick = parse_decimal(row["price_from"]), parse_decimal(row["tick"])
        if not name or price_from is None or tick is None:
            faulty.add(name)
            sentence = "A band needs a table, a lower bound and a tick."
            issues.append(ImportIssue(number, "table", ImportCode.NUMBER_INVALID, sentence))
            continue
        first_row.setdefault(name, number)
        tables.setdefault(name, []).append(Band(price_from, tick))
    for name, bands in tables.items():
        for fault in band_faults(bands):
            faulty.add(name)
            issues.append(ImportIssue(first_row[name], "table", ImportCode.TICK_TABLE_INVALID, f"{name}: {fault}"))
    return {name: bands for name, bands in tables.items() if name not in faulty}, issues


def _held_bands() -> dict[int, list[Band]]:
    held: dict[int, list[Band]] = {}
    rows = TickBand.objects.order_by("table_id", "price_from").values_list("table_id", "price_from", "tick")
    for table_id, price_from, tick in rows:
        held.setdefault(table_id, []).append(Band(price_from, tick))
    return held
