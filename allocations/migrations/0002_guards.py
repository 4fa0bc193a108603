"""Nothing of post-trade is deleted, states move along their tables, and what was booked, asked or said keeps its words."""

from typing import ClassVar

from django.db import migrations

from allocations.domain import transitions as moves
from journal.triggers import append_only, never_deleted, state_pairs

APPEND_ONLY = ("scheme", "intendedallocation", "matchtolerance", "feedentry", "standinginstruction", "settlementstatus")
KEPT = ("block", "allocation", "confirmation", "counterpartyrecord", "contractnote", "settlementinstruction")
BLOCK = ("id", "number", "key", "kind", "account_id", "listing_id", "side", "currency", "trade_date", "created_at")
ALLOCATION = (
    "id", "number", "block_id", "round", "account_id", "side", "qty", "avg_px", "gross", "is_rounding", "trade_date",
    "settlement_date", "compensates_id", "booked_event_id", "booked_at",
)  # fmt: skip
CONFIRMATION = ("id", "ref", "allocation_id", "version", "counterparty", "role", "created_at")
NOTE = (
    "id", "series_id", "number", "account_id", "trade_date", "scope", "facts", "facts_sha256", "pdf_sha256",
    "template_version", "replaces_id", "cancels_id", "issued_at",
)  # fmt: skip
INSTRUCTION = (
    "id", "ref", "allocation_id", "version", "account_id", "instrument_id", "delivery", "qty", "amount", "currency",
    "trade_date", "settlement_date", "created_at",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0001_initial"), ("journal", "0001_initial")]

    operations: ClassVar = [
        *(migrations.RunSQL(*append_only(f"allocations_{table}")) for table in APPEND_ONLY),
        *(migrations.RunSQL(*never_deleted(f"allocations_{table}")) for table in KEPT),
        migrations.RunSQL(
            *state_pairs(
                "allocations_block",
                column="state",
                initial=[moves.FORMING, moves.READY, moves.BOOKED],
                pairs=moves.pairs(moves.BLOCK),
                frozen=BLOCK,
            )
        ),
        migrations.RunSQL(
            *state_pairs(
                "allocations_allocation",
                column="state",
                initial=[moves.BOOKED, moves.PARKED],
                pairs=moves.pairs(moves.ALLOCATION),
                frozen=ALLOCATION,
            )
        ),
        migrations.RunSQL(
            *state_pairs(
                "allocations_confirmation",
                column="state",
                initial=[moves.WAITING],
                pairs=moves.pairs(moves.CONFIRMATION),
                frozen=CONFIRMATION,
            )
        ),
        migrations.RunSQL(
            *state_pairs(
                "allocations_contractnote",
                column="state",
                initial=[moves.ISSUED],
                pairs=moves.pairs(moves.NOTE),
                frozen=NOTE,
            )
        ),
        migrations.RunSQL(
            *state_pairs(
                "allocations_settlementinstruction",
                column="state",
                initial=[moves.WAITING],
                pairs=moves.pairs(moves.INSTRUCTION),
                frozen=INSTRUCTION,
            )
        ),
    ]
