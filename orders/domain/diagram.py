"""State diagrams for the docs, drawn in mermaid from the one transition table."""

from __future__ import annotations

from kernel.fix import ORD_STATUS_NAMES, OrdStatus
from orders.domain.transitions import ENDED_BY_US, INITIAL, ORD_STATUS_ILLUSTRATED, REQUEST_MOVES


def request_state_diagram() -> str:
    """``OrderRequest.state``: every allowed move and why it exists. Mermaid text, no code fence."""
    lines = ["stateDiagram-v2", *(f"    [*] --> {state}" for state in sorted(INITIAL))]
    lines.extend(f"    {move.source} --> {move.target}: {move.cause}" for move in REQUEST_MOVES)
    lines.extend(f"    {state} --> [*]" for state in sorted(ENDED_BY_US))
    return "\n".join(lines) + "\n"


def ord_status_diagram() -> str:
    """OrdStatus (39): the pairs the FIX matrices illustrate, by name. Mermaid text, no code fence."""
    pairs = [(ORD_STATUS_NAMES[OrdStatus(a)], ORD_STATUS_NAMES[OrdStatus(b)]) for a, b in ORD_STATUS_ILLUSTRATED]
    lines = ["stateDiagram-v2", "    [*] --> PendingNew", "    [*] --> New", "    [*] --> Rejected"]
    # The first report may also be a trade or a cancel.
    lines.extend(["    [*] --> PartiallyFilled", "    [*] --> Filled", "    [*] --> Canceled"])
    lines.extend(f"    {source} --> {target}" for source, target in pairs)
    return "\n".join(lines) + "\n"
