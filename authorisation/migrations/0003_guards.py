"""Decisions are append-only; requests are never deleted, never asked differently, and move only along the table."""

from typing import ClassVar

from django.db import migrations

from authorisation.domain.transitions import PAIRS, PENDING
from journal.triggers import append_only, never_deleted, state_pairs

REQUEST = "authorisation_authorisationrequest"
WHAT_WAS_ASKED = (
    "kind",
    "subject_type",
    "subject_id",
    "subject_version",
    "payload",
    "payload_hash",
    "maker_id",
    "created_at",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("authorisation", "0002_sign_in_failures"), ("journal", "0002_guards")]

    operations: ClassVar = [
        migrations.RunSQL(*append_only("authorisation_decision")),
        migrations.RunSQL(*never_deleted(REQUEST)),
        migrations.RunSQL(*state_pairs(REQUEST, column="state", initial=[PENDING], pairs=PAIRS, frozen=WHAT_WAS_ASKED)),
    ]
