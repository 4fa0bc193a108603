"""Instructions end in part where they go on in other shares; what they are made of never changes."""

from typing import ClassVar

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations

from allocations.domain import transitions as moves
from journal.triggers import state_pairs

ASKED = (
    "id", "ref", "allocation_id", "version", "account_id", "instrument_id", "delivery", "qty", "amount", "currency",
    "trade_date", "settlement_date", "created_at",
)  # fmt: skip
MADE_OF = ("transforms_id", "action_id", "of_qty", "taken_into")
LATER = {("partial", "canceled"), ("waiting", "settled"), ("canceled", "settled")}


def _guard(pairs: set[tuple[str, str]], frozen: tuple[str, ...]) -> tuple[str, str]:
    return state_pairs(
        "allocations_settlementinstruction", column="state", initial=[moves.WAITING], pairs=sorted(pairs), frozen=frozen
    )


_NEW, _DROP = _guard(set(moves.pairs(moves.INSTRUCTION)), ASKED + MADE_OF)
_OLD, _ = _guard(set(moves.pairs(moves.INSTRUCTION)) - LATER, ASKED)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("allocations", "0022_instructions_in_new_shares")]

    operations: ClassVar = [
        migrations.RunSQL(f"{_DROP};{_NEW}", f"{_DROP};{_OLD}"),
        ValidateConstraint("settlementinstruction", "allocations_instruction_transforms_whole"),
        ValidateConstraint("settlementinstruction", "allocations_instruction_transformed_ends"),
    ]
