"""Write beside the orders that wait at the gateway what they wait for, so that whoever asks is told. Nothing else changes."""

from __future__ import annotations

from venues.models import WireIntent


def tell_waiting(*, group: str, sentence: str) -> int:
    """For what adds risk and waits in the group without a reason so far; how many there were."""
    waiting = WireIntent.objects.filter(session_group=group, state=WireIntent.State.WAITING, adds_risk=True, reason="")
    return waiting.update(reason=sentence)
