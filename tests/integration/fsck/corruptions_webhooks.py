"""Planted corruptions of webhooks (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

WEBHOOKS = (
    Corruption(
        "WEBHOOK_NOT_APPROVED", "another address",
        "UPDATE outbound_subscription SET url = 'https://evil.example.com/'",
    ),
    Corruption(
        "WEBHOOK_NOT_APPROVED", "wider than approved",
        "UPDATE outbound_subscription SET kinds = '[]'",
    ),
    Corruption(
        "WEBHOOK_NOT_APPROVED", "made by hand",
        "UPDATE outbound_subscription SET authorisation_id = gen_random_uuid()",
    ),
    Corruption(
        "WEBHOOK_PLACE_WRONG", "past the end",
        "UPDATE outbound_subscription SET position = 1000000000",
    ),
    Corruption(
        "WEBHOOK_PLACE_WRONG", "an event that is none",
        "INSERT INTO outbound_helddelivery (subscription_id, position, event_id, stream, kind, state, replayed, attempts, "
        "due_at, last_error, held_at) SELECT id, 1, gen_random_uuid(), 'order:x', 'order.reported', 'waiting', false, 0, now(), '', "
        "now() FROM outbound_subscription",
    ),
    Corruption(
        "MATTER_UNTOLD", "given up and not told",
        "INSERT INTO outbound_helddelivery (subscription_id, position, event_id, stream, kind, state, replayed, attempts, "
        "due_at, last_error, held_at) SELECT s.id, e.position, e.id, e.stream, 'order.captured', 'dead', false, 8, now(), '', now() "
        "FROM outbound_subscription s CROSS JOIN (SELECT * FROM journal_event LIMIT 1) e",
    ),
)  # fmt: skip
