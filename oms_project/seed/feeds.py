"""Demo feeds: what each source owes the desk every day. Nobody waits for them, for a demo desk has no bank that sends."""

from __future__ import annotations

from datetime import time

from reconciliation.models import Feed
from refdata.models import Market

UK, LONDON = "UK", "Europe/London"
MORNING = (
    # code, title, kind, source, market, settlement calendar, due, sequence, partial
    ("CRM-ACCOUNTS", "Accounts of the CRM", "accounts", "CRM", "XLON", "", time(6), "free", "partly"),
    ("BANK-CASH", "Cash of the bank", "cash", "BANK", None, UK, time(6, 30), "told", "whole"),
    ("REGISTRY-HOLDINGS", "Holdings of the registry", "holdings", "REGISTRY", None, UK, time(6, 30), "free", "partly"),
    (
        "CUSTODIAN-POSITIONS",
        "Positions of the custodian",
        "positions",
        "CUSTODIAN",
        None,
        UK,
        time(7),
        "free",
        "partly",
    ),
)
VENUES = (("SIM1", "XLON", "Europe/London"), ("SIM2", "XNYS", "America/New_York"))


def seed_feeds() -> None:
    """Those that are not there yet; what people changed stays."""
    if not Market.objects.filter(mic="XLON").exists():
        return
    for code, title, kind, source, mic, calendar, due, sequence, partial in MORNING:
        Feed.objects.get_or_create(
            code=code,
            defaults={
                "title": title, "kind": kind, "source": source, "pattern": f"*{kind}*", "folder": source.lower(),
                "market_id": mic, "settlement_calendar": calendar, "due": due, "zone": LONDON,
                "sequence": sequence, "partial": partial,
            },
        )  # fmt: skip
    for source, mic, zone in VENUES:
        for kind, title, lag, due in (
            ("open_orders", "Open orders at", 1, time(7, 30)),
            ("executions", "Executions of", 0, time(22)),
            ("orders", "Orders of", 0, time(22)),
        ):
            Feed.objects.get_or_create(
                code=f"{source}-{kind.replace('_', '-').upper()}",
                defaults={
                    "title": f"{title} {source}", "kind": kind, "source": source, "folder": source.lower(),
                    "pattern": f"*{kind}*" if kind != "orders" else "orders*", "market_id": mic, "due": due, "zone": zone,
                    "lag": lag, "partial": "partly",
                },
            )  # fmt: skip
