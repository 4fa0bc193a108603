"""Somebody leaves: cut off first, then whose open orders they are from now on. One administrator suffices, and it is at once.

The cut-off stands whatever becomes of the orders: a stolen account does not wait for a successor. What could not be given
away is an anomaly (``orders.services.watch_owners``) and stays on the page of the person until somebody takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authorisation.domain.principal import Principal
from authorisation.permissions import require_administrator
from authorisation.services.cut_off_user import CutOff, cut_off_user
from kernel.errors import OmsError
from orders.services.reown_orders import Reowned, reown_orders, require_successor
from orders.services.watch_owners import watch_owners


@dataclass(frozen=True, slots=True)
class Offboarded:
    """What ended, what went to whom, and why orders stay without an owner where they do."""

    cut: CutOff
    reowned: Reowned | None
    sentence: str


def offboard_user(
    *, actor: Principal, at: datetime, user_id: int, reason: str, successor_id: int | None = None
) -> Offboarded:
    """Without a successor orders stay as they are and are told. Raises what ``cut_off_user`` and ``require_successor``
    raise; then nothing changed."""
    require_administrator(actor, confirmed=False)
    if successor_id is not None:
        require_successor(user_id=user_id, successor_id=successor_id)
    cut = cut_off_user(actor=actor, at=at, user_id=user_id, reason=reason)
    reowned, sentence = None, ""
    if successor_id is not None:
        try:
            reowned = reown_orders(actor=actor, at=at, user_id=user_id, successor_id=successor_id, reason=reason)
        except OmsError as error:
            sentence = error.sentence  # the cut-off stands; the orders that stay are told below
    watch_owners(at=at)
    return Offboarded(cut, reowned, sentence)
