"""``reconcile``: a broker's file of executions against as many of ours, breaks of six kinds found, stored, explained and told.

Data: orders of ten fills each, copied from one that was traded through the services; the file is what they say, with breaks
planted by number. Timed from the kept file until all is told; what policies then stop is timed apart.

Floor: DuckDB in a process of its own, with exact decimals, does what the goal names: it reads the same file and one of our
executions, joins them in full, sorts what differs by kind, says why in a sentence and stores it durably in a table like ours.
It does not check the rows it reads, know an order by another of its names, keep the raw record, or tell anybody.
``ratio`` leaves out what it costs to get our side out of the books as a file, which a run from the books always does;
``ratio_from_books`` counts that in, ``ratio_joined`` the reading and joining alone. Verified: exactly the planted breaks are
found, by both, and a second run writes none. ``client_cpu_s`` and ``server_cpu_s`` are processor time of the run with what policies stop.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor
from kernel.clock import utc_now
from kernel.ids import new_id
from reconciliation.kept_files import keep_stream
from reconciliation.models import Break, FeedFile, Run
from reconciliation.services.do_run import RunResult
from reconciliation.services.run_reconciliation import run_reconciliation
from tests.factories import AT, make_desk
from tests.factories.executed import filled

SMALL, FULL = 50_000, 1_000_000
FILLS = 10
EACH = 2_000
"""One break of each kind in so many executions."""
TABLES = ("orders_order", "orders_orderrequest", "orders_execution")
AFTER = AT + timedelta(hours=9)
_ORDERS = """
INSERT INTO orders_order
SELECT (jsonb_populate_record(o, jsonb_build_object(
         'id', md5('order' || n)::uuid, 'root_id', md5('order' || n)::uuid, 'ref', 'B-' || n, 'cl_ord_id', 'B' || n || '.1',
         'venue_order_id', 'VB' || n))).*
  FROM orders_order o, generate_series(1, %s) n WHERE o.id = %s
"""
_REQUESTS = """
INSERT INTO orders_orderrequest
SELECT (jsonb_populate_record(r, jsonb_build_object(
         'id', md5('request' || n)::uuid, 'order_id', md5('order' || n)::uuid, 'cl_ord_id', 'B' || n || '.1'))).*
  FROM orders_orderrequest r, generate_series(1, %s) n WHERE r.order_id = %s
"""
_FILLS = """
INSERT INTO orders_execution
SELECT (jsonb_populate_record(x, jsonb_build_object(
         'id', md5('fill' || n)::uuid, 'order_id', md5('order' || (n - 1) / 10 + 1)::uuid, 'cl_ord_id', 'B' || (n - 1) / 10 + 1 || '.1',
         'exec_id', 'E' || n, 'identity', 'E' || n, 'effective_qty', 100 + n %% 37, 'last_qty', 100 + n %% 37))).*
  FROM orders_execution x, generate_series(1, %s) n WHERE x.id = %s
"""
_THEIRS = """
COPY (
    SELECT exec_id, 'trade' AS exec_type, cl_ord_id, venue_order_id, isin, mic, side, last_qty, last_px, currency, trade_date,
           transact_time, settlement_date
      FROM (
        SELECT x.exec_id || CASE WHEN k.kind = 'missing_internal' AND k.again THEN '-N' ELSE '' END AS exec_id, x.cl_ord_id,
               o.venue_order_id, n.isin, l.market_id AS mic, x.side, l.currency, x.trade_date,
               x.effective_qty + CASE WHEN k.kind = 'quantity' THEN 1 ELSE 0 END AS last_qty,
               x.effective_px + CASE WHEN k.kind = 'price' THEN 0.01 ELSE 0 END AS last_px,
               to_char(x.event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS transact_time,
               x.settlement_date + CASE WHEN k.kind = 'timing' THEN 1 ELSE 0 END AS settlement_date, k.kind, x.id
          FROM orders_execution x
          JOIN orders_order o ON o.id = x.order_id JOIN refdata_listing l ON l.id = o.listing_id
          JOIN refdata_instrument n ON n.id = l.instrument_id
          CROSS JOIN LATERAL (
            SELECT CASE substr(x.exec_id, 2)::bigint %% {each} WHEN 1 THEN 'quantity' WHEN 2 THEN 'price' WHEN 3 THEN 'timing'
                        WHEN 4 THEN 'missing_external' WHEN 5 THEN 'missing_internal' WHEN 6 THEN 'duplicate_suspect' ELSE '' END AS kind,
                   again
              FROM unnest(ARRAY[false, true]) AS again) k
         WHERE x.exec_id LIKE 'E%%' AND k.kind <> 'missing_external'
           AND (NOT k.again OR k.kind IN ('missing_internal', 'duplicate_suspect'))) f
     ORDER BY md5(exec_id)
) TO STDOUT (FORMAT csv, HEADER)
"""
_OURS = """
COPY (SELECT x.exec_id, x.cl_ord_id, o.venue_order_id, n.isin, l.market_id AS mic, x.side, x.effective_qty AS last_qty,
             x.effective_px AS last_px, l.currency, x.trade_date, x.event_at AS transact_time, x.settlement_date
        FROM orders_execution x JOIN orders_order o ON o.id = x.order_id JOIN refdata_listing l ON l.id = o.listing_id
        JOIN refdata_instrument n ON n.id = l.instrument_id WHERE x.trade_date = %s) TO STDOUT (FORMAT csv, HEADER)
"""
_FLOOR = """
import json, os, sys, time
import duckdb, psycopg
theirs, ours = sys.argv[1:]
books = psycopg.connect(os.environ["OMS_DATABASE_URL"])
books.execute("CREATE TABLE bench_break (LIKE reconciliation_break INCLUDING ALL)")
columns = ("id", "number", "key", "recurrence", "kind", "source", "category", "ids", "ours", "theirs", "differences", "why",
           "suggestion", "candidates", "exposure", "exposure_currency", "business_date", "state", "closed_as",
           "closing_sentence", "effect", "first_run_id", "last_run_id", "version", "found_at", "last_seen_at")
books.commit()
started = time.perf_counter()
house = duckdb.connect()
house.execute("SET enable_progress_bar = false")  # it would draw on standard output
for name, path in (("t", theirs), ("o", ours)):
    exact = "types = {'last_qty': 'DECIMAL(24, 8)', 'last_px': 'DECIMAL(24, 8)'}"  # else they would be floats
    house.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{path}', header=true, {exact})")
house.execute('''
    CREATE TABLE found AS SELECT t AS theirs, o AS ours FROM t FULL JOIN o ON t.exec_id = o.exec_id AND t.cl_ord_id = o.cl_ord_id
     WHERE t.exec_id IS NULL OR o.exec_id IS NULL OR t.last_qty <> o.last_qty OR t.last_px <> o.last_px
        OR t.settlement_date <> o.settlement_date OR t.side <> o.side OR t.isin <> o.isin OR t.currency <> o.currency
        OR t.trade_date <> o.trade_date OR t.venue_order_id <> o.venue_order_id OR t.transact_time <> o.transact_time
''')
house.execute("CREATE TABLE again AS SELECT exec_id, cl_ord_id, count(*) AS times FROM t GROUP BY ALL HAVING count(*) > 1")
joined = time.perf_counter() - started
rows = house.execute('''
    WITH named AS (
      SELECT CASE WHEN theirs IS NULL OR theirs.exec_id IS NULL THEN 'missing_external'
                  WHEN ours IS NULL OR ours.exec_id IS NULL THEN 'missing_internal'
                  WHEN theirs.last_qty <> ours.last_qty THEN 'quantity' WHEN theirs.last_px <> ours.last_px THEN 'price'
                  WHEN theirs.settlement_date <> ours.settlement_date THEN 'timing' ELSE 'status' END AS category,
             coalesce(theirs.exec_id, ours.exec_id) AS exec_id, coalesce(theirs.cl_ord_id, ours.cl_ord_id) AS cl_ord_id, theirs, ours
        FROM found
      UNION ALL
      SELECT 'duplicate_suspect', a.exec_id, a.cl_ord_id, t, o FROM again a JOIN o USING (exec_id, cl_ord_id)
        JOIN (SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY exec_id, cl_ord_id) = 1) t USING (exec_id, cl_ord_id)
    )
    SELECT uuid()::VARCHAR, row_number() OVER (), 'executions:BROKER:' || category || ':exec_id=' || exec_id || ':order=' || cl_ord_id, 1,
           'executions', 'BROKER', category, to_json({exec_id: exec_id, cl_ord_id: cl_ord_id})::VARCHAR,
           coalesce(to_json(ours)::VARCHAR, '{}'), coalesce(to_json(theirs)::VARCHAR, '{}'),
           to_json([{field: 'last_qty', ours: ours.last_qty::VARCHAR, theirs: theirs.last_qty::VARCHAR}])::VARCHAR,
           CASE category WHEN 'missing_external' THEN 'We have ' || exec_id || ' and they do not.'
                WHEN 'missing_internal' THEN 'They report ' || theirs.last_qty || ' at ' || theirs.last_px || ' that we do not have.'
                WHEN 'duplicate_suspect' THEN 'They report ' || exec_id || ' more than once.'
                ELSE exec_id || ': ours ' || ours.last_qty || ' at ' || ours.last_px || ', ' || ours.settlement_date
                     || '; theirs ' || theirs.last_qty || ' at ' || theirs.last_px || ', ' || theirs.settlement_date || '.' END,
           'Ask them.', '[]', (coalesce(theirs.last_qty, ours.last_qty) * coalesce(theirs.last_px, ours.last_px))::DECIMAL(24, 8)::VARCHAR,
           'GBP', '2026-11-20', 'open', '', '', '', uuid()::VARCHAR, uuid()::VARCHAR, 1, now()::VARCHAR, now()::VARCHAR
      FROM named
''').fetchall()
with books.cursor() as cursor, cursor.copy(f"COPY bench_break ({', '.join(columns)}) FROM STDIN") as copy:
    for row in rows:
        copy.write_row(row)
books.commit()
whole = time.perf_counter() - started
print(json.dumps({"seconds": whole, "joined": joined, "found": len(rows)}))
"""


def main(full: bool) -> dict[str, Any]:
    """Rates in executions a second, by the larger side; the floor reads and joins the same."""
    count = FULL if full else SMALL
    with tempfile.TemporaryDirectory() as place:
        settings.VAR_DIR = Path(place)
        started = time.perf_counter()
        _make_books(count)
        theirs, ours = Path(place) / "theirs.csv", Path(place) / "ours.csv"
        _export(theirs, _THEIRS.format(each=EACH), [])
        exported = _export(ours, _OURS, [AT.date()])
        print(f"{count} executions made in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        file = _kept(theirs)
        spent, served = time.process_time(), _server_seconds()
        seconds, settled, result = _run(file)
        spent, served = time.process_time() - spent, _server_seconds() - served
        print(f"ran in {seconds:.2f} s", file=sys.stderr)
        _verify(result, count)
        exported = min(exported, _export(ours, _OURS, [AT.date()]))
        again, _, second = _run(file)
        assert second.written == 0, f"the second run wrote {second.written} breaks"
        floor = json.loads(
            subprocess.run(
                [sys.executable, "-c", _FLOOR, str(theirs), str(ours)], capture_output=True, text=True, check=True
            ).stdout
        )
        assert floor["found"] == result.written, f"the floor found {floor['found']} breaks, we {result.written}"
    return {
        "rate": round(count / seconds, 1),
        "floor_rate": round(count / floor["seconds"], 1),
        "ratio": round(floor["seconds"] / seconds, 4),
        "ratio_from_books": round((floor["seconds"] + exported) / seconds, 4),
        "ratio_joined": round(floor["joined"] / seconds, 4),
        "n": count,
        "breaks": result.written,
        "seconds": round(seconds, 2),
        "floor_s": round(floor["seconds"], 2),
        "export_s": round(exported, 2),
        "seconds_with_policies": round(settled, 2),
        "second_run_seconds": round(again, 2),
        "client_cpu_s": round(spent, 2),
        "server_cpu_s": round(served, 2),
        "client_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "server_rss_mb": _server_peak(),
    }


def _make_books(count: int) -> None:
    """The template lives through the services; its copies have names of their own. Guards see no copy: they are no life."""
    template = filled(make_desk(cash="100000000"))
    orders = count // FILLS
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(_ORDERS, [orders, template.order_id])
        cursor.execute(_REQUESTS, [orders, template.order_id])
        cursor.execute("SELECT id FROM orders_execution WHERE order_id = %s ORDER BY id LIMIT 1", [template.order_id])
        cursor.execute(_FILLS, [count, cursor.fetchone()[0]])
        cursor.execute("DELETE FROM orders_execution WHERE order_id = %s", [template.order_id])
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"VACUUM ANALYZE {table}")


def _export(path: Path, statement: str, parameters: list[Any]) -> float:
    """Seconds it took."""
    started = time.perf_counter()
    said = statement if parameters else statement.replace("%%", "%")
    with raw_cursor() as cursor, path.open("wb") as target, cursor.copy(said, parameters or None) as copy:
        for block in copy:
            target.write(block)
    return time.perf_counter() - started


def _kept(path: Path) -> FeedFile:
    with path.open("rb") as content:
        kept = keep_stream(content, limit=1 << 32)
    return FeedFile.objects.create(
        id=new_id(), kind="executions", source="BROKER", format="csv", name="theirs.csv", sha256=kept.sha256, size=kept.size,
        received_by="process:bench", received_at=AT,
    )  # fmt: skip


def _run(file: FeedFile) -> tuple[float, float, RunResult]:
    """Seconds until everything was found, stored, explained and told; and until policies were settled too."""
    began, started = utc_now(), time.perf_counter()
    result = run_reconciliation(
        kind="executions", file=file, as_of=AT.date(), actor=process_principal("bench"), at=AFTER,
        trigger=Run.Trigger.BY_HAND, now=utc_now,
    )  # fmt: skip
    whole = time.perf_counter() - started
    ended = Run.objects.get(id=result.run_id)
    assert ended.finished_at is not None
    return (ended.finished_at - began).total_seconds(), whole, result


def _server_process() -> Path | None:
    """Where the system tells of our process of the server; None where it does not."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    found = Path(f"/proc/{row[0] if row else 0}")
    return found if found.exists() else None


def _server_peak() -> int:
    """MB that it held at most, its share of the common buffers among them; 0 where nobody can tell."""
    process = _server_process()
    status = (process / "status").read_text().splitlines() if process else []
    peak = next((line for line in status if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return round(int(peak.split()[1]) / 1024)


def _server_seconds() -> float:
    """Processor time it has had so far; 0 where nobody can tell."""
    process = _server_process()
    if process is None:
        return 0.0
    user, system = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _verify(result: RunResult, count: int) -> None:
    """Exactly the breaks that were planted, each of its category and its ExecID."""
    assert result.state == "done", result.sentence
    expected = set(_planted(count))
    found = {(item.category, item.ids["exec_id"]) for item in Break.objects.only("category", "ids").iterator()}
    assert found == expected, Counter(category for category, _ in found ^ expected)
    assert not Break.objects.filter(why="").exists()
    assert result.matched == count - sum(
        category not in ("missing_internal", "duplicate_suspect") for category, _ in expected
    )


def _planted(count: int) -> Iterator[tuple[str, str]]:
    names = {
        1: "quantity",
        2: "price",
        3: "timing",
        4: "missing_external",
        5: "missing_internal",
        6: "duplicate_suspect",
    }
    for number in range(1, count + 1):
        category = names.get(number % EACH)
        if category:
            yield category, f"E{number}-N" if category == "missing_internal" else f"E{number}"
