"""Files for custodians keep their bytes and are written once; instructions move along the table as custodians' words allow."""

from typing import ClassVar

from django.db import migrations

from allocations.domain import transitions as moves
from journal.triggers import never_deleted, state_pairs

INSTRUCTION = (
    "id", "ref", "allocation_id", "version", "account_id", "instrument_id", "delivery", "qty", "amount", "currency",
    "trade_date", "settlement_date", "created_at",
)  # fmt: skip
FILE = ("id", "place", "agent", "kind", "content", "sha256", "instructions", "made_at", "event_id")
LATER = {
    ("failed", "matched"),
    ("rejected", "partial"),
    ("rejected", "settled"),
    ("rejected", "failed"),
    ("failed", "rejected"),
}
TRANSFORMING = {("partial", "canceled"), ("waiting", "settled"), ("canceled", "settled")}
"""Allowed by 0023."""
BEFORE = (set(moves.pairs(moves.INSTRUCTION)) - LATER - TRANSFORMING) | {("rejected", "instructed")}


def _pairs(pairs: set[tuple[str, str]]) -> tuple[str, str]:
    return state_pairs(
        "allocations_settlementinstruction",
        column="state",
        initial=[moves.WAITING],
        pairs=sorted(pairs),
        frozen=INSTRUCTION,
    )


_NEW, _DROP = _pairs(set(moves.pairs(moves.INSTRUCTION)) - TRANSFORMING)
_OLD, _ = _pairs(BEFORE)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0010_settlement_files")]

    operations: ClassVar = [
        migrations.RunSQL(f"{_DROP};{_NEW}", f"{_DROP};{_OLD}"),
        migrations.RunSQL(*never_deleted("allocations_settlementfile")),
        migrations.RunSQL(
            *state_pairs(
                "allocations_settlementfile",
                column="state",
                initial=[moves.MADE],
                pairs=moves.pairs(moves.SETTLEMENT_FILE),
                frozen=FILE,
            )
        ),
    ]
