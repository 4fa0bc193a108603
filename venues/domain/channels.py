"""Names of the wake-up channels of this room."""

from __future__ import annotations

INBOX_CHANNEL = "oms_inbox"


def wire_channel(group: str) -> str:
    """The channel that wakes a group's gateway: ``oms_wire_sim1``."""
    return f"oms_wire_{group.lower().replace('-', '_')}"
