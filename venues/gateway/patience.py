"""A gateway that is frozen inside a transaction must not hold its locks: the server ends such a transaction.

Its rows (waiting intents, the sessions themselves) are what the gateway that takes over needs first.
"""

from __future__ import annotations

from django.db import connection

from journal.bulk import raw_cursor

LONGEST_SILENCE_MS = 10_000


def bound_transactions(known: object) -> object:
    """Set the bound on this thread's connection unless it is ``known``, which an earlier call returned."""
    connection.ensure_connection()
    if connection.connection is not known:
        with raw_cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = {LONGEST_SILENCE_MS}".encode())
    return connection.connection
