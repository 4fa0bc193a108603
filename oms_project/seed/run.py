"""Seed the demo desk. Idempotent: a second run adds what is missing and keeps what people changed."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from authorisation.domain.principal import process_principal
from kernel.clock import utc_now
from kernel.errors import Refused
from oms_project.seed.accounts import seed_accounts
from oms_project.seed.actions import seed_actions
from oms_project.seed.blocks import seed_blocks
from oms_project.seed.confirming import seed_confirming
from oms_project.seed.feeds import seed_feeds
from oms_project.seed.limits import seed_limits
from oms_project.seed.markets import seed_markets
from oms_project.seed.people import seed_desks, seed_people
from oms_project.seed.rulebook import seed_rulebook
from oms_project.seed.sign_ins import read_sign_ins, sign_ins_file, write_sign_ins
from oms_project.seed.standing_instructions import seed_standing_instructions
from oms_project.seed.venues import seed_venues
from refdata.models import Listing
from refdata.selectors import business_date
from risk.models import Block
from risk.selectors import TRADING_SWITCH
from risk.services.switch_trading import switch_trading


def seed_demo(progress: Callable[[str], object] = print) -> None:
    """Markets, desks, accounts, people, limits, venues, trading switched on; last the file of sign-ins.

    Raises Refused (DEMO_DATA_IN_LIVE) before anything is written when the house runs in live mode.
    """
    if settings.MODE == "live":
        raise Refused("DEMO_DATA_IN_LIVE", "Demo data is never written in live mode. Start with OMS_MODE=demo.")
    actor, at = process_principal("seed"), utc_now()
    progress("markets, calendars and instruments")
    seed_markets(actor=actor, at=at, always_open=True)
    progress(f"{Listing.objects.count()} listings; desks and trading accounts")
    seed_desks()
    opened = seed_accounts(actor=actor, at=at, business_date=business_date("XLON", at))
    progress(f"{opened} accounts opened; limits and venues")
    seed_blocks(actor=actor, at=at, business_date=business_date("XLON", at))
    with transaction.atomic():
        seed_limits(at=at)
        seed_rulebook(at=at)
        seed_venues()
        seed_feeds()
        seed_actions(actor=actor, at=at)
        seed_standing_instructions(actor=actor, at=at)
        seed_confirming(actor=actor, at=at)
        if not Block.objects.filter(source=TRADING_SWITCH).exists():
            switch_trading(actor=actor, at=at, on=True, reason="demo desk")
    progress("people, roles and grants")
    rows = seed_people(actor=actor, at=at, known=read_sign_ins())
    write_sign_ins(rows)
    progress(f"sign-ins are in {sign_ins_file()}")
