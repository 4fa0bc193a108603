"""Whether the splits that the house applies explain what a venue states of an execution. Pure.

A restatement books nothing: new shares come by the corporate action alone (ADR 0066). So units that a venue states and no action
explains are in no account, or not yet. A part of a share is nobody's mistake: venues cut it off or round it, the action pays it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Split:
    """``new`` shares for ``old`` for trades of before ``ex_date``."""

    ex_date: date
    new: Decimal
    old: Decimal


def units_by_actions(booked: Decimal, *, trade_date: date, splits: Iterable[Split]) -> Fraction:
    """What the execution comes to by the splits that its trade is entitled to."""
    units = Fraction(booked)
    for one in splits:
        if trade_date < one.ex_date:
            units *= Fraction(one.new) / Fraction(one.old)
    return units


def is_explained(booked: Decimal, stated: Decimal, *, trade_date: date, splits: Iterable[Split]) -> bool:
    """Less than one share apart."""
    return abs(units_by_actions(booked, trade_date=trade_date, splits=splits) - Fraction(stated)) < 1
