"""What waits in the house, how much and for how long; and the sessions. Plain reads, so that ``status`` starts fast.

Each queue is what one process has still to do: the gateway's intents, the inbox's messages, each listener's events,
people's approvals and exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from oms_project.flow import LISTENERS
from venues.domain.inbox import UNWORKED

Connection = psycopg.Connection[dict[str, Any]]

# depth, and the age of the oldest in seconds by the database's own clock
COUNT = "SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(at)), 0)::float AS oldest_s FROM ({rows}) q"
QUEUES = {
    "wire": "SELECT created_at AS at FROM venues_wireintent WHERE state = 'waiting'",
    "inbox": "SELECT w.recorded_at AS at FROM" + UNWORKED,
    "approvals": "SELECT created_at AS at FROM authorisation_authorisationrequest WHERE state IN ('pending', 'claimed', 'sent_back')",
    "exceptions": "SELECT raised_at AS at FROM operations_exceptionitem WHERE closed_at IS NULL",
}
RELAY = """
    SELECT e.recorded_at AS at FROM journal_event e WHERE e.kind = ANY(%(kinds)s)
    AND e.position > coalesce((SELECT position FROM journal_cursor WHERE name = %(name)s), 0)"""
SESSIONS = """
    SELECT name, "group", venue_id AS venue, state, state_reason AS reason, state_at AS since, enabled,
           next_in, next_out, last_in_at, last_out_at
    FROM venues_fixsession ORDER BY name"""
TRADING = """
    SELECT EXISTS (SELECT FROM risk_block WHERE source = 'trading_switch' AND scope = 'firm' AND lifted_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM risk_block WHERE source = 'trading_switch' AND scope = 'firm' AND lifted_at IS NULL)
        AS trading"""


PROCESSES = """
    SELECT name, build, fingerprint, parts, clock_offset_ms FROM journal_process
     WHERE seen_at > statement_timestamp() - interval '20 seconds' ORDER BY name, id"""


def connect(url: str) -> Connection:
    """A connection that only reads and answers in dictionaries."""
    connection = psycopg.connect(url, connect_timeout=5, autocommit=True, row_factory=dict_row)
    connection.read_only = True
    return connection


def read_queues(connection: Connection) -> list[dict[str, Any]]:
    """[{name, depth, oldest_s}]"""
    found = [_queue(connection, name, rows, {}) for name, rows in QUEUES.items()]
    for listener in LISTENERS:
        values = {"kinds": list(listener.kinds), "name": listener.name}
        found.append(_queue(connection, f"relay:{listener.name}", RELAY, values))
    return found


def _queue(connection: Connection, name: str, rows: str, values: dict[str, Any]) -> dict[str, Any]:
    row = connection.execute(COUNT.format(rows=rows).encode(), values).fetchone()
    return {"name": name, "depth": row["depth"] if row else 0, "oldest_s": round(row["oldest_s"], 3) if row else 0.0}


def read_sessions(connection: Connection) -> list[dict[str, Any]]:
    """One dictionary a FIX session, times as ISO text."""
    rows: Sequence[dict[str, Any]] = connection.execute(SESSIONS).fetchall()
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def read_processes(connection: Connection) -> list[dict[str, Any]]:
    """Processes that reported themselves within 20 s: name, build, fingerprint, clock offset."""
    if not connection.execute("SELECT to_regclass('journal_process') AS found").fetchone()["found"]:  # type: ignore[index]
        return []
    rows = connection.execute(PROCESSES).fetchall()
    return list(rows)


def read_trading(connection: Connection) -> bool:
    """Whether the firm's trading switch is on; the same rule as ``risk.selectors.trading_is_on``."""
    row = connection.execute(TRADING).fetchone()
    return bool(row and row["trading"])
