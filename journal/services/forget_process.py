"""A process that ends in order is not one that differs: its row goes with it."""

from __future__ import annotations

from journal.models import Process


def forget_process(*, process_id: str) -> None:
    """Nothing where it was never reported."""
    Process.objects.filter(id=process_id).delete()
