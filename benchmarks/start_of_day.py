"""``start_of_day``: files of accounts, cash and holdings into the books, against COPY of the same rows.

Data: so many accounts of one group, each with cash in its currency and five holdings of five hundred instruments; the next day
three of a hundred of each kind have changed, and then the same files come again. Timed from the file on the disk to the commit:
kept, staged, weighed against rules, books and yesterday's file, booked and told, as the day's own workflow does it: accounts first,
cash and holdings side by side. The floor is COPY of the same files, one after the other, into tables of the same columns, logged,
without an index, in the same run. ``rate`` and ``floor_rate`` count rows a second of the
first day, ``next_*`` those of the next. Verified: every figure of the files is in the books, what did not change was not
written, an unchanged file writes no balance and no booking, and at the default size that replays agree.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection

from accounts.models import Booking
from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor, write_rows
from kernel.ids import new_id
from operations.services.compare_replay import compare_replay
from reconciliation.models import FeedFile, Intake
from reconciliation.services.receive_file import receive_file
from reconciliation.services.take_in_together import take_in_together
from refdata.models import Instrument
from tests.factories import make_desk

ACCOUNTS, ACCOUNTS_FULL = 4_000, 200_000
HOLDINGS, INSTRUMENTS = 5, 500
CHANGED = 33  # one of so many
DAY = datetime(2026, 11, 20, 6, tzinfo=UTC)
COLUMNS = {
    "accounts": "account text, client text, name text, account_group text, base_currency text, state text",
    "cash": "account text, currency text, amount numeric(24, 8), as_of date",
    "holdings": "account text, isin text, qty numeric(24, 8), as_of date",
}


@dataclass(frozen=True, slots=True)
class Day:
    """The files of one day."""

    paths: dict[str, Path]
    rows: int


def main(full: bool) -> dict[str, Any]:
    """Rates and ratios of the first day, the next day and an unchanged one, and the memory it took."""
    accounts = ACCOUNTS_FULL if full else ACCOUNTS
    world = make_desk()
    isins = _instruments()
    with TemporaryDirectory() as place:
        days = [_write(Path(place), accounts, world.group.code, isins, number) for number in (0, 1)]
        floors = [_floor(day) for day in days]
        first = _timed(lambda: _take(days[0], DAY + timedelta(days=1)))
        _prove(days[0], accounts)
        again, counted = _unchanged(lambda: _take(days[0], DAY + timedelta(days=1, hours=1)))
        following = _timed(lambda: _take(days[1], DAY + timedelta(days=2)))
        _prove(days[1], accounts)
    assert counted == 0, f"{counted} bookings of an unchanged file"
    if not full:
        found = compare_replay()
        told = [
            one for one in found.differences if str(world.account.id) not in one.subject
        ]  # the journal knows not of it
        assert told == [], told[:3]
    rows = days[0].rows
    return {
        "rate": round(rows / first, 1),
        "floor_rate": round(rows / floors[0], 1),
        "ratio": round(floors[0] / first, 4),
        "next_rate": round(rows / following, 1),
        "next_ratio": round(floors[1] / following, 4),
        "unchanged_ratio": round(floors[0] / again, 4),
        "rows": rows,
        "first_s": round(first, 2),
        "next_s": round(following, 2),
        "unchanged_s": round(again, 2),
        "floor_s": round(floors[0], 2),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "n": rows,
    }


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _unchanged(work: Callable[[], None]) -> tuple[float, int]:
    before = Booking.objects.count()
    took = _timed(work)
    return took, Booking.objects.count() - before


def _isin(number: int) -> str:
    """A valid one: the check digit is that of the standard."""
    body = f"GB{number:09d}"
    digits = "".join(str(int(letter, 36)) for letter in body)
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return f"{body}{-sum(sum(divmod(value, 10)) for value in doubled) % 10}"


def _instruments() -> list[str]:
    isins = [_isin(700_000_000 + number) for number in range(INSTRUMENTS)]
    write_rows(
        Instrument,
        [(new_id(), isin, f"Instrument {isin}", "equity", True) for isin in isins],
        fields=("id", "isin", "name", "asset_class", "active"),
    )
    return isins


def _write(place: Path, accounts: int, group: str, isins: list[str], day: int) -> Day:
    """Three CSV files; on a later day one of ``CHANGED`` rows of each says something else."""
    date = (DAY + timedelta(days=day)).date()
    paths = {kind: place / f"{kind}_{day}.csv" for kind in COLUMNS}
    with (
        paths["accounts"].open("w") as names, paths["cash"].open("w") as cash, paths["holdings"].open("w") as holdings
    ):  # fmt: skip
        names.write("account,client,name,account_group,base_currency,state\n")
        cash.write("account,currency,amount,as_of\n")
        holdings.write("account,isin,qty,as_of\n")
        for number in range(accounts):
            moved = day if number % CHANGED == 0 else 0
            names.write(f"B{number:07d},BC{number // 10},Account {number + moved},{group},GBP,active\n")
            cash.write(f"B{number:07d},GBP,{10_000 + number + moved}.25,{date}\n")
            for place_in in range(HOLDINGS):
                isin = isins[(number * 7 + place_in * 101) % INSTRUMENTS]
                qty = 100 + (number + place_in) % 900 + (day if (number * HOLDINGS + place_in) % CHANGED == 0 else 0)
                holdings.write(f"B{number:07d},{isin},{qty},{date}\n")
    return Day(paths, accounts * (2 + HOLDINGS))


def _floor(day: Day) -> float:
    """COPY of the same files."""
    begun = time.perf_counter()
    for kind, path in day.paths.items():
        with raw_cursor() as cursor:
            cursor.execute(f"CREATE TABLE bench_{kind} ({COLUMNS[kind]})")
            with cursor.copy(f"COPY bench_{kind} FROM STDIN (FORMAT csv, HEADER)") as copy, path.open("rb") as source:
                while block := source.read(1 << 20):
                    copy.write(block)
    took = time.perf_counter() - begun
    with raw_cursor() as cursor:
        cursor.execute(f"DROP TABLE {', '.join(f'bench_{kind}' for kind in COLUMNS)}")
    return took


def _take(day: Day, at: datetime) -> None:
    """As the day's own workflow does it."""
    actor = process_principal("bench")
    files = []
    for kind, path in day.paths.items():
        with path.open("rb") as content:
            received = receive_file(actor=actor, at=at, name=path.name, content=content, kind=kind, source="BENCH")
        assert received.file_id is not None, received.faults
        files.append(FeedFile.objects.get(pk=received.file_id))
    for intake in take_in_together(actor=actor, at=at, files=files):
        assert intake.state == "applied", (intake.state, intake.sentence, intake.issues)
        print(f"{intake.kind}: {intake.rows} rows, {intake.changed} changed")


def _prove(day: Day, accounts: int) -> None:
    """What the files say is what the books say, row by row."""
    with connection.cursor() as cursor:
        for kind, table, joined in (
            ("cash", "accounts_cashbalance", "b.currency = s.currency"),
            ("holdings", "accounts_holding", "b.instrument_id = (SELECT id FROM refdata_instrument i WHERE i.isin = s.isin)"),
        ):  # fmt: skip
            amount = "amount" if kind == "cash" else "qty"
            cursor.execute(f"CREATE TEMP TABLE said ({COLUMNS[kind]})")
            with raw_cursor() as raw, raw.copy("COPY said FROM STDIN (FORMAT csv, HEADER)") as copy:
                copy.write(day.paths[kind].read_bytes())
            cursor.execute(
                f"SELECT count(*) FROM said s JOIN accounts_tradingaccount a ON a.code = s.account JOIN {table} b "
                f"ON b.account_id = a.id AND {joined} AND b.settled = s.{amount} AND b.pending = 0"
            )
            right = cursor.fetchone()
            cursor.execute("DROP TABLE said")
            wanted = accounts * (HOLDINGS if kind == "holdings" else 1)
            assert right == (wanted,), f"{right} of {wanted} {kind} are as the file says"
    assert Intake.objects.exclude(state="applied").count() == 0
