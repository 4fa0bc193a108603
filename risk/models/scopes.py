"""What a limit, rule, block or stop is about.

``scope_id`` is text: the empty text for the firm, the primary key of a desk, user, client, account or instrument, the
name of a strategy, the MIC of a venue. A block may also stand on one account in one instrument (``POSITION``).
"""

from __future__ import annotations

from django.db import models


class Scope(models.TextChoices):
    FIRM = "firm"
    DESK = "desk"
    DEALER = "dealer"
    CLIENT = "client"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"
    VENUE = "venue"


POSITION = "position"
"""A scope of blocks alone: one account in one instrument, ``<account>:<instrument>``. No limit, rule or stop has it."""


def position_scope_id(account_id: object, instrument_id: object) -> str:
    """The ``scope_id`` of one account in one instrument."""
    return f"{account_id}:{instrument_id}"
