"""``./oms trade-feed``: the trade feed as a file, for systems that take files. The same lines as the API gives to whoever sees all.

``--json`` prints a line of JSON each; ``--csv FILE`` writes a table, whole or not there. Standard error says ``next``, where the
next file begins. Exit 2 for a position that is none.
"""

from __future__ import annotations

import csv
import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import HOLDS, BadInput
from oms_project.house.paths import this_house

COLUMNS = (
    "position", "recorded_at", "what", "trade_ref", "version", "replaces_version", "kind", "state", "compensates",
    "allocation", "block", "orders", "account", "booked_account", "client", "client_lei", "counterparty", "symbol", "isin",
    "mic", "side", "capacity", "qty", "avg_px", "price_unit", "currency", "gross", "charges", "fees", "net", "trade_date",
    "settlement_date", "settlement_place", "settlement_agent", "safekeeping_account", "cash_account", "fills_count",
)  # fmt: skip


def run(arguments: Namespace) -> int:
    """The verb."""
    if arguments.after < 0:
        raise BadInput("--after is a position: 0 from the beginning.")
    target = Path(arguments.csv).resolve() if arguments.csv else None
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.read)
        import django

        django.setup()
        from django.db import connections

        from allocations.selectors.feed import feed_lines
        from authorisation.domain.principal import process_principal
        from kernel.errors import OmsError

        try:
            last = write(feed_lines(process_principal("trade-feed"), after=arguments.after), target, arguments.after)
        except OmsError as problem:
            raise BadInput(problem.sentence) from problem
        finally:
            connections.close_all()
    print(f"next {last}", file=sys.stderr)
    return HOLDS


def write(lines: Iterable[dict[str, Any]], target: Path | None, after: int) -> int:
    """As JSON lines on the screen, or as a table in a file that appears whole. Returns the last position."""
    import orjson

    last = after
    if target is None:
        for line in lines:
            print(orjson.dumps(line).decode())
            last = line["position"]
        return last
    beside = target.with_name(f"{target.name}.part")
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for line in lines:
            writer.writerow(row_of(line))
            last = line["position"]
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)
    return last


def row_of(line: dict[str, Any]) -> list[str]:
    """A line as cells: lists of charges and orders in one cell each, texts that a spreadsheet would run made harmless."""
    from operations.selectors.uploads import neutral

    place = line["settlement"] or {}
    flat = {
        **line,
        "allocation": line["allocation"]["ref"],
        "block": line["block"]["ref"],
        "orders": " ".join(order["ref"] for order in line["orders"]),
        "charges": " ".join(f"{one['name']}={one['amount']}" for one in line["charges"]),
        "settlement_place": place.get("place"),
        "settlement_agent": place.get("agent"),
        "safekeeping_account": place.get("safekeeping_account"),
        "cash_account": place.get("cash_account"),
    }
    return [_cell(flat[name], neutral) for name in COLUMNS]


def _cell(value: Any, neutral: Any) -> str:
    return "" if value is None else str(neutral(str(value)))
