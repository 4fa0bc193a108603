"""``allocate``: one block divided among many accounts. ``_allocate_preview`` and ``_allocate_booking`` say what is measured of each."""

from __future__ import annotations

from typing import Any

from benchmarks._allocate_booking import booking_figures
from benchmarks._allocate_preview import preview_figures

ACCOUNTS, ACCOUNTS_FULL = 2_000, 10_000


def main(full: bool) -> dict[str, Any]:
    """Figures of the preview and of the booking."""
    accounts = ACCOUNTS_FULL if full else ACCOUNTS
    return {"accounts": accounts, **preview_figures(accounts), **booking_figures(accounts)}
