"""Cancel, wait for proof, then new: what becomes of a staged replace, by what is known of its order. Pure.

A staged replace never leaves the house. A cancel of its order does; once the venue has proven the order canceled, what is
left of the wanted total is entered as a new order. Invariants: nothing new is entered while the order may still trade by
what the venue said; never more than the wanted total less what is executed; when in doubt a person decides.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kernel.fix import OrdStatus
from kernel.numbers import plain
from orders.domain.transitions import ENDED_BY_US, REJECTED

STAGED = "staged"
"""The mark in the payload of such a replace."""

DOUBTFUL = frozenset(
    {"AMBIGUOUS_REF", "CONTRADICTION", "CORRECTED_BUST", "PARKED_BUST", "RESEND_UNSURE", "TRADE_WITHOUT_QTY", "UNKNOWN_KIND"}
)  # fmt: skip
"""Matters about an order that leave it open how much of it is executed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of the order: ``said_cum_qty`` is the highest CumQty of a report that says Canceled, None without one;
    ``cancel_state`` and ``cancel_text`` are the cancel request's, ``matters`` the kinds of what a person must see."""

    ref: str
    is_open: bool
    ord_status: str | None
    cum_qty: Decimal
    said_cum_qty: Decimal | None
    cancel_state: str
    cancel_text: str = ""
    matters: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Enter:
    """The order is proven canceled: so many units are entered anew."""

    order_qty: Decimal


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing is entered. ``nothing_works``: the client has no working order now, and wanted one."""

    code: str
    sentence: str
    nothing_works: bool


def is_staged(payload: Mapping[str, Any]) -> bool:
    """Whether a replace of this payload is a staged one."""
    return payload.get(STAGED) is True


def next_step(proof: Proof, *, wanted: Decimal) -> Enter | Ended | None:
    """What is to be done now for a wanted total of so many units; None: wait for the venue."""
    if proof.is_open:
        return _while_open(proof)
    rest = wanted - proof.cum_qty
    if proof.ord_status == OrdStatus.FILLED or rest <= 0:
        sentence = f"{proof.ref} was executed meanwhile, {plain(proof.cum_qty)} in all; nothing was entered anew."
        return Ended("FILLED_MEANWHILE", sentence, nothing_works=rest > 0)
    if proof.ord_status != OrdStatus.CANCELED:
        sentence = f"{proof.ref} did not end by a cancel; nothing was entered anew and nothing of it works now."
        return Ended("ENDED_OTHERWISE", sentence, nothing_works=True)
    if DOUBTFUL & set(proof.matters):
        sentence = (
            f"{proof.ref} is canceled, but what it executed is disputed; nothing was entered anew, nothing works now."
        )
        return Ended("EXECUTED_QTY_DISPUTED", sentence, nothing_works=True)
    if proof.said_cum_qty is None or proof.said_cum_qty > proof.cum_qty:
        return None  # the venue counts trades that have not come here yet
    return Enter(rest)


def _while_open(proof: Proof) -> Ended | None:
    if proof.cancel_state not in (*ENDED_BY_US, REJECTED):
        return None
    why = f" ({proof.cancel_text})" if proof.cancel_text else ""
    sentence = f"{proof.ref} was not canceled{why}: it works on as it was, and nothing was entered anew."
    return Ended("CANCEL_NOT_DONE", sentence, nothing_works=False)
