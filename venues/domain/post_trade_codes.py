"""FIX codes of post-trade messages and the words the house has for them: facts of the public specification. Pure."""

from __future__ import annotations

from typing import Final

from kernel.fix import MsgType
from kernel.post_trade import AckStatus, MessageKind, TransType

MSG_TYPES: Final = {
    MessageKind.ALLOCATION_INSTRUCTION: MsgType.ALLOCATION_INSTRUCTION.value,
    MessageKind.ALLOCATION_ACK: MsgType.ALLOCATION_INSTRUCTION_ACK.value,
    MessageKind.ALLOCATION_REPORT: MsgType.ALLOCATION_REPORT.value,
    MessageKind.ALLOCATION_REPORT_ACK: MsgType.ALLOCATION_REPORT_ACK.value,
    MessageKind.CONFIRMATION: MsgType.CONFIRMATION.value,
    MessageKind.CONFIRMATION_ACK: MsgType.CONFIRMATION_ACK.value,
}
KINDS: Final = {msg_type: kind for kind, msg_type in MSG_TYPES.items()}

TRANS_CODES: Final = {TransType.NEW: "0", TransType.REPLACE: "1", TransType.CANCEL: "2"}
TRANS_TYPES: Final = {
    **{code: word for word, code in TRANS_CODES.items()},
    **dict.fromkeys(("3", "4", "5"), TransType.NEW),  # 4.2: preliminary, calculated, calculated without preliminary
}
"""AllocTransType (71); ConfirmTransType (666) has the first three."""

ALLOC_STATUS_CODES: Final = {AckStatus.ACCEPTED: "0", AckStatus.REJECTED: "1", AckStatus.RECEIVED: "3"}
ALLOC_STATUSES: Final = {
    "0": AckStatus.ACCEPTED,
    "1": AckStatus.REJECTED,  # the block
    "2": AckStatus.REJECTED,  # an account in it
    "3": AckStatus.RECEIVED,
    "4": AckStatus.RECEIVED,  # incomplete: more parts are to come
    "5": AckStatus.REJECTED,  # by an intermediary
}
"""AllocStatus (87)."""

AFFIRM_CODES: Final = {AckStatus.RECEIVED: "1", AckStatus.REJECTED: "2", AckStatus.AFFIRMED: "3"}
AFFIRM_STATUSES: Final = {code: word for word, code in AFFIRM_CODES.items()}
"""AffirmStatus (940)."""

OTHER_REASON: Final = {
    MessageKind.ALLOCATION_ACK: "7",
    MessageKind.ALLOCATION_REPORT_ACK: "7",
    MessageKind.CONFIRMATION_ACK: "99",
}
"""AllocRejCode (88) and ConfirmRejReason (774) for reasons that FIX has no code for; Text (58) says which."""

REASON_TAGS: Final = {
    MessageKind.ALLOCATION_ACK: 88,
    MessageKind.ALLOCATION_REPORT_ACK: 88,
    MessageKind.CONFIRMATION_ACK: 774,
}

ANSWERS: Final = {
    MessageKind.ALLOCATION_ACK: MessageKind.ALLOCATION_INSTRUCTION,
    MessageKind.ALLOCATION_REPORT: MessageKind.ALLOCATION_INSTRUCTION,
    MessageKind.ALLOCATION_REPORT_ACK: MessageKind.ALLOCATION_REPORT,
    MessageKind.CONFIRMATION_ACK: MessageKind.CONFIRMATION,
}
"""Which message of ours a message that comes in answers (``ref_of``)."""

BUY_SIDE: Final = frozenset(
    {MessageKind.ALLOCATION_INSTRUCTION, MessageKind.ALLOCATION_REPORT_ACK, MessageKind.CONFIRMATION_ACK}
)
BROKER: Final = frozenset({MessageKind.ALLOCATION_ACK, MessageKind.ALLOCATION_REPORT, MessageKind.CONFIRMATION})
"""What each role sends (DOMAIN 28); it receives what the other sends."""
