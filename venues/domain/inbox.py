"""The inbox's shards: how their cursors are called, and what waits behind them. Text only: ``status`` reads it without Django."""

from __future__ import annotations

from kernel.ids import SHARDS

ALL_SHARDS = tuple(range(SHARDS))
UNWORKED = f"""
    venues_fixsession s CROSS JOIN generate_series(0, {SHARDS - 1}) AS h(shard)
    LEFT JOIN journal_cursor c ON c.name = 'inbox:' || s.name || ':' || h.shard
    JOIN venues_wiremessage w ON w.session = s.name AND w.shard = h.shard AND w.id > coalesce(c.position, 0)
     AND w.direction = 'in' AND w.msg_type IN ('8', '9', '3', 'j')
"""
"""FROM clause: every message (``w``) of a session (``s``) that was not worked yet."""


def inbox_cursor(session: str, shard: int) -> str:
    """The name of the cursor of one shard of a session."""
    return f"inbox:{session}:{shard}"


def post_trade_cursor(session: str) -> str:
    """The name of the cursor behind which post-trade messages of a session wait. They have one, beside those of orders."""
    return f"post-trade:{session}"
