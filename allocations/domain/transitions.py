"""The states of everything after the trade: one table each behind the model's field, its trigger and its diagram. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FORMING = "forming"
READY = "ready"
BOOKED = "booked"
CHANGED = "changed"
DISSOLVED = "dissolved"

PARKED = "parked"
REVERSED = "reversed"
COMPENSATED = "compensated"

WAITING = "waiting"
SENT = "sent"
MATCHED = "matched"
MISMATCHED = "mismatched"
AFFIRMED = "affirmed"
REJECTED = "rejected"
CANCELED = "canceled"

INSTRUCTED = "instructed"
PENDING = "pending"
PARTIAL = "partial"
SETTLED = "settled"
FAILED = "failed"

INITIATED = "initiated"
EXECUTED = "executed"
WITHDRAWN = "withdrawn"

RAISED = "raised"
AGREED = "agreed"
DISPUTED = "disputed"
PAID = "paid"
WRITTEN_OFF = "written_off"

ISSUED = "issued"

MADE = "made"
WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed move from any of ``sources``; ``why`` is the line under the arrow."""

    name: str
    sources: tuple[str, ...]
    target: str
    why: str


BLOCK: tuple[Move, ...] = (
    Move("complete", (FORMING,), READY, "nothing of its orders can execute any more, or a person closed it"),
    Move("reopen", (READY,), FORMING, "an order of it lives again"),
    Move("book", (FORMING, READY, CHANGED), BOOKED, "every unit and minor unit of it has an account"),
    Move("change", (BOOKED,), CHANGED, "its executions changed after it was booked"),
    Move("dissolve", (FORMING, READY, BOOKED, CHANGED), DISSOLVED, "nothing of it is left"),
    Move("revive", (DISSOLVED,), FORMING, "a late trade came"),
)
ALLOCATION: tuple[Move, ...] = (
    Move("release", (PARKED,), BOOKED, "what held the account back is gone: the share moved from suspense"),
    Move("reverse", (BOOKED, PARKED), REVERSED, "replaced or undone before it settled"),
    Move("compensate", (BOOKED,), COMPENSATED, "undone after it settled: by a trade the other way"),
)
CONFIRMATION: tuple[Move, ...] = (
    Move("send", (WAITING, REJECTED), SENT, "ours left for the counterparty"),
    Move("match", (WAITING, SENT, MISMATCHED), MATCHED, "theirs says the same within the tolerances"),
    Move("mismatch", (WAITING, SENT, MATCHED), MISMATCHED, "theirs says something else"),
    Move("affirm", (SENT, MATCHED, MISMATCHED), AFFIRMED, "agreed by the side whose word it is"),
    Move("reject", (SENT, MATCHED, MISMATCHED), REJECTED, "the other side said no"),
    Move("cancel", (WAITING, SENT, MATCHED, MISMATCHED, REJECTED, AFFIRMED), CANCELED, "what it confirmed is undone"),
)
INSTRUCTION: tuple[Move, ...] = (
    Move("instruct", (WAITING,), INSTRUCTED, "sent to the custodian"),
    Move("match", (INSTRUCTED, PENDING, FAILED), MATCHED, "the custodian found the other side's"),
    Move("wait", (INSTRUCTED, MATCHED, FAILED), PENDING, "accepted, not settled yet"),
    Move("settle_part", (INSTRUCTED, MATCHED, PENDING, FAILED, REJECTED), PARTIAL, "some of it changed hands"),
    Move("settle", (INSTRUCTED, MATCHED, PENDING, PARTIAL, FAILED, REJECTED), SETTLED, "all of it changed hands"),
    Move("settle_itself", (WAITING,), SETTLED, "its custodian transformed the one before it by itself, and settled it"),
    Move("turn_out_settled", (CANCELED,), SETTLED, "it was transformed, and all of it had settled before the ex date"),
    Move("fail", (INSTRUCTED, MATCHED, PENDING, PARTIAL, REJECTED), FAILED, "its day has passed and it did not settle"),
    Move("reject", (INSTRUCTED, MATCHED, PENDING, FAILED), REJECTED, "the custodian does not take it"),
    Move("cancel", (WAITING, INSTRUCTED, MATCHED, PENDING, FAILED, REJECTED), CANCELED, "what it settles is undone"),
    Move("transform", (WAITING, INSTRUCTED, MATCHED, PENDING, PARTIAL, FAILED), CANCELED, "instructed in other shares"),
)
NOTE: tuple[Move, ...] = (Move("cancel", (ISSUED,), CANCELED, "replaced by another, or what it tells is undone"),)

SETTLEMENT_FILE: tuple[Move, ...] = (Move("write", (MADE,), WRITTEN, "it lies in the folder of its custodian"),)

BUY_IN: tuple[Move, ...] = (
    Move("execute", (INITIATED,), EXECUTED, "the units were bought from others"),
    Move("compensate", (INITIATED,), COMPENSATED, "cash was agreed in their place"),
    Move("withdraw", (INITIATED,), WITHDRAWN, "delivered, undone, or called off"),
)
CLAIM: tuple[Move, ...] = (
    Move("agree", (RAISED, DISPUTED), AGREED, "the other side will pay, or says that it is owed"),
    Move("dispute", (RAISED, AGREED), DISPUTED, "the other side says no, or another amount"),
    Move("revise", (AGREED, DISPUTED), RAISED, "its amount became another: both must look again"),
    Move("pay", (RAISED, AGREED, DISPUTED), PAID, "the money came or went, by its entry on the bank's statement"),
    Move("write_off", (RAISED, AGREED, DISPUTED), WRITTEN_OFF, "two people gave it up: the house bears it"),
    Move("withdraw", (RAISED, AGREED, DISPUTED), WITHDRAWN, "nothing is owed any more"),
)


def pairs(moves: tuple[Move, ...]) -> list[tuple[str, str]]:
    """Every allowed (from, to), as the trigger wants them."""
    return [(source, move.target) for move in moves for source in move.sources if source != move.target]


def sources_of(moves: tuple[Move, ...], name: str) -> list[str]:
    """From which states a move may be made, for the model's declaration."""
    return [source for move in moves if move.name == name for source in move.sources]
