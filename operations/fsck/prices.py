"""Prices: the one in use is the tick it names, and a doubt is known to somebody."""

from __future__ import annotations

from operations.fsck.check import Check, Level
from operations.fsck.snapshot import AT

_NOT_ITS_TICK = f"""
SELECT l.symbol AS subject,
       CASE WHEN t.id IS NULL THEN 'names a tick that is not kept'
            ELSE concat('is ', p.last, ', its tick said ', t.last) END AS what
  FROM refdata_referenceprice p
  JOIN refdata_listing l ON l.id = p.listing_id
  LEFT JOIN refdata_pricetick t ON t.id = p.tick
 WHERE p.tick IS NOT NULL AND p.priced_at > {AT} - interval '7 days'
   AND (t.id IS NULL OR t.listing_id <> p.listing_id OR t.last <> p.last OR t.bid <> p.bid OR t.ask <> p.ask)
"""

_UNTOLD = """
SELECT l.symbol AS subject, 'is in doubt and nobody was told' AS what
  FROM refdata_referenceprice p
  JOIN refdata_listing l ON l.id = p.listing_id
  LEFT JOIN LATERAL (SELECT e.kind FROM journal_event e WHERE e.stream = 'anomaly:price:' || p.listing_id
                      ORDER BY e.seq DESC LIMIT 1) AS word ON true
 WHERE p.quality = 'suspect' AND word.kind IS DISTINCT FROM 'AnomalyRaised'
"""

CHECKS = (
    Check(
        "PRICE_NOT_ITS_TICK", "I5", Level.MONEY,
        "The price in use is what the tick it names says, and that tick is kept.",
        "Stop orders without a limit in the listing; find out who changed the price or removed the tick.",
        sql=_NOT_ITS_TICK,
    ),
)  # fmt: skip

DOUBTS = (
    Check(
        "PRICE_DOUBT_UNTOLD", "I10", Level.EXCEPTIONS,
        "Every price in doubt is an anomaly that was raised and not cleared.",
        "Look at the price; if it is good, let operations or risk end the doubt.",
        sql=_UNTOLD,
    ),
)  # fmt: skip
