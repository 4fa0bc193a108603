"""FIX 4.2: the dialect with ExecTransType (20), mapped to the same facts as 4.4.

Mapping ``fix42/1``. ExecTransType Cancel (1) is a bust, Correct (2) a correction, Status (3) a status answer; New (0)
with ExecType PartialFill or Fill is a trade. There is no OrderCapacity (528): Rule80A (47) carries it. The quantity
(38) of a replace is the total.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kernel.fix import ExecTransType, ExecType, MsgType
from kernel.numbers import plain
from venues.adapters.base import (
    InboundContext,
    Mapped,
    cancel_reject,
    execution_report,
    numbered_reject,
    values_of,
)
from venues.adapters.fix44 import FIX44_CAPABILITIES, instrument, names, working_terms
from venues.domain.capabilities import Capabilities
from venues.domain.fix_codec import Fields, utc_timestamp
from venues.domain.messages import IntentKind, OutboundIntent

FIX42_CAPABILITIES = replace(FIX44_CAPABILITIES, begin_string="FIX.4.2", mass_status_request=False)

_BY_TRANS_TYPE = {
    ExecTransType.CANCEL: ExecType.TRADE_CANCEL,
    ExecTransType.CORRECT: ExecType.TRADE_CORRECT,
    ExecTransType.STATUS: ExecType.ORDER_STATUS,
}


def exec_type_of(values: Mapping[int, str]) -> ExecType:
    """The 4.4 word for a 4.2 report."""
    trans_type = ExecTransType(values.get(20, ExecTransType.NEW.value))
    if trans_type in _BY_TRANS_TYPE:
        return _BY_TRANS_TYPE[trans_type]
    exec_type = ExecType(values.get(150, ""))
    return ExecType.TRADE if exec_type in (ExecType.PARTIAL_FILL, ExecType.FILL) else exec_type


@dataclass(frozen=True, slots=True)
class Fix42:
    """The 4.2 adapter."""

    capabilities: Capabilities = FIX42_CAPABILITIES
    mapping: str = "fix42/1"

    def map_outbound(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        fields = [*names(intent), *instrument(intent)]
        if intent.kind is IntentKind.STATUS:
            # Without OrderID (37): only then "unknown" means the request that is asked for, not its order.
            return tuple(field for field in fields if field[0] != 37)
        if intent.terms.account:
            fields.append((1, intent.terms.account))
        fields.append((60, utc_timestamp(intent.transact_time)))
        if intent.kind is IntentKind.CANCEL:
            quantity = intent.terms.order_qty
            return (*fields, (38, plain(quantity))) if quantity is not None else tuple(fields)
        fields.append((21, intent.terms.handling))
        if intent.terms.capacity:
            fields.append((47, intent.terms.capacity))
        return (*fields, *working_terms(intent, self.capabilities))

    def mass_status_request(self, request_id: str) -> tuple[tuple[int, str], ...]:
        raise ValueError("FIX 4.2 has no order mass status request")

    def map_inbound(self, fields: Fields, context: InboundContext) -> Mapped:
        values = values_of(fields)
        match values[35]:
            case MsgType.EXECUTION_REPORT.value:
                dialect_type = f"{values.get(20, '0')}.{values.get(150, '')}"
                report = execution_report(
                    values,
                    context,
                    exec_type=exec_type_of(values),
                    dialect_type=dialect_type,
                    capabilities=self.capabilities,
                )
                return Mapped((report,))
            case MsgType.ORDER_CANCEL_REJECT.value:
                return Mapped((cancel_reject(values, context),))
            case MsgType.REJECT.value | MsgType.BUSINESS_MESSAGE_REJECT.value:
                return numbered_reject(values, context)
            case _:
                return Mapped(())
