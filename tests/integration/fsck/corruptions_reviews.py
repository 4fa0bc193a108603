"""Planted corruptions of access reviews (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

REVIEWS = (
    Corruption(
        "REVIEW_LINE_DIFFERS", "kept without a word",
        "UPDATE authorisation_reviewline SET state = 'kept' WHERE state = 'unreviewed'",
    ),
    Corruption(
        "REVIEW_LINE_DIFFERS", "another word than was said",
        "UPDATE authorisation_reviewword SET verdict = 'remove' WHERE verdict = 'keep'",
    ),
    Corruption(
        "REVIEW_CLOSE_DIFFERS", "a line that ended is gone",
        "DELETE FROM authorisation_reviewline WHERE state = 'ended'",
    ),
    Corruption(
        "REVIEW_CLOSE_DIFFERS", "another outcome than was told",
        "UPDATE authorisation_accessreview SET outcome_digest = repeat('0', 64) WHERE state = 'closed'",
    ),
    Corruption(
        "REVIEW_CLOSE_DIFFERS", "opened again",
        "UPDATE authorisation_accessreview SET scope_name = 'other' WHERE state = 'open'; "
        "UPDATE authorisation_accessreview SET state = 'open' WHERE state = 'closed'",
        ("REVIEW_LINE_DIFFERS",),
    ),
)  # fmt: skip
