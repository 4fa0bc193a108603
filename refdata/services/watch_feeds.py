"""Say once when a price feed falls silent in an open market, and once when it speaks again. Run by time.

Another process than the one that listens looks, so that a listener that died is found as well. Outside open phases of
every market a feed prices nothing is counted; a silence that began before stays known until the feed speaks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from authorisation.domain.principal import process_principal
from journal.bulk import one_transaction, raw_cursor
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from refdata.selectors import clock_of

_FEEDS = """
SELECT f.code, f.heartbeat_at, f.silent_since, f.silent_after_s,
       (SELECT array_agg(DISTINCT array[l.market_id, m.version::text, m.always_open::text])
          FROM refdata_referenceprice p JOIN refdata_listing l ON l.id = p.listing_id
          JOIN refdata_market m ON m.mic = l.market_id
         WHERE p.source = f.code)
  FROM refdata_pricesource f WHERE f.heartbeat_at IS NOT NULL ORDER BY f.code
"""


def watch_feeds(*, at: datetime) -> int:
    """How many feeds fell silent or came back."""
    with raw_cursor() as cursor:
        cursor.execute(_FEEDS)
        feeds = cursor.fetchall()
    changed = 0
    for code, heartbeat_at, silent_since, silent_after_s, markets in feeds:
        silent = at - heartbeat_at > timedelta(seconds=silent_after_s)
        if silent == (silent_since is not None):
            continue
        if silent and not any(_is_open(mic, version, always, at) for mic, version, always in markets or ()):
            continue
        _tell(code, heartbeat_at, silent=silent, at=at)
        changed += 1
    return changed


def _is_open(mic: str, version: str, always_open: str, at: datetime) -> bool:
    return clock_of(mic, UUID(version)).with_always_open(always_open == "true").phase(at).is_open


def _tell(code: str, heartbeat_at: datetime, *, silent: bool, at: datetime) -> None:
    heard = f"{heartbeat_at:%H:%M:%S} UTC"
    sentence = (
        f"The price feed {code} is silent since {heard}: its prices grow stale, orders without a limit will be refused."
        if silent
        else f"The price feed {code} speaks again."
    )
    anomaly = Anomaly(
        kind="FEED_SILENT",
        severity=Severity.HIGH,
        subject_type="price_feed",
        subject_id=code,
        sentence=sentence,
        dedupe_key=f"feed_silent:{code}",
        evidence={"source": code, "heartbeat_at": heartbeat_at.isoformat()},
    )
    with one_transaction():
        with raw_cursor() as cursor:
            since = heartbeat_at if silent else None
            cursor.execute("UPDATE refdata_pricesource SET silent_since = %s WHERE code = %s", [since, code])
        set_anomaly(anomaly=anomaly, wrong=silent, actor=process_principal("relay").actor, at=at)
