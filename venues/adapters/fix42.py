"""FIX 4.2: the dialect with ExecTransType (20), mapped to the same facts as 4.4.

Mapping ``fix42/1``. ExecTransType Cancel (1) is a bust, Correct (2) a correction, Status (3) a status answer; New (0)
with ExecType PartialFill or Fill is a trade. There is no OrderCapacity (528): Rule80A (47) carries it. The quantity
(38) of a replace is the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kernel.fix import ExecTransType, ExecType
from kernel.post_trade import MessageKind
from venues.adapters.dialect import Dialect
from venues.adapters.fix44 import FIX44_CAPABILITIES
from venues.domain.capabilities import Capabilities
from venues.domain.messages import OutboundIntent

FIX42_CAPABILITIES = replace(
    FIX44_CAPABILITIES,
    begin_string="FIX.4.2",
    mass_status_request=False,
    post_trade=frozenset({MessageKind.ALLOCATION_INSTRUCTION, MessageKind.ALLOCATION_ACK}),
)

_BY_TRANS_TYPE = {
    ExecTransType.CANCEL: ExecType.TRADE_CANCEL,
    ExecTransType.CORRECT: ExecType.TRADE_CORRECT,
    ExecTransType.STATUS: ExecType.ORDER_STATUS,
}


@dataclass(frozen=True, slots=True)
class Fix42(Dialect):
    """The 4.2 adapter."""

    capabilities: Capabilities = FIX42_CAPABILITIES
    mapping: str = "fix42/1"

    def mass_status_request(self, request_id: str) -> tuple[tuple[int, str], ...]:
        """There is none in 4.2."""
        raise ValueError("FIX 4.2 has no order mass status request")

    def status_request(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        """Without OrderID (37): only then "unknown" means the request that is asked for, not its order."""
        return tuple(field for field in Dialect.status_request(self, intent) if field[0] != 37)

    def capacity_tag(self) -> int:
        """Rule80A (47)."""
        return 47

    def kind_of(self, values: Mapping[int, str]) -> tuple[ExecType, str]:
        """By ExecTransType (20) where that says more than ExecType (150)."""
        trans_type = ExecTransType(values.get(20, ExecTransType.NEW.value))
        said = f"{trans_type.value}.{values.get(150, '')}"
        if trans_type in _BY_TRANS_TYPE:
            return _BY_TRANS_TYPE[trans_type], said
        exec_type = ExecType(values.get(150, ""))
        return (ExecType.TRADE if exec_type in (ExecType.PARTIAL_FILL, ExecType.FILL) else exec_type), said


def chained_dialect() -> Fix42:
    """4.2 as its order state matrices have it, as ``fix44.chained_dialect``."""
    chained = replace(FIX42_CAPABILITIES, max_outstanding_replaces=8, replace_revives_filled=True)
    return Fix42(capabilities=chained, mapping="fix42-chained/1")
