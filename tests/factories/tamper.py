"""What somebody with every right on the database may do to evidence. Each leaves it as consistent as he can make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from journal.domain.chain import Head, chain
from journal.domain.merkle import packed_leaves, tree_root
from journal.domain.seals import SealTerms, introduce_key, key_id_of, public_bytes, sign_seal
from journal.selectors import stream_events
from journal.selectors.seals import list_sealed_runs
from tests.factories.seals import guards_off

Payload = dict[str, Any]


def edit_event(stream: str, seq: int) -> None:
    """Change what one event says and leave its hash."""
    with guards_off() as cursor:
        cursor.execute(
            'UPDATE journal_event SET payload = payload || \'{"order_qty": "999"}\' WHERE stream = %s AND seq = %s',
            [stream, seq],
        )


def delete_last(stream: str) -> None:
    """Take the last event away and set the head of its stream back."""
    events = list(stream_events(stream))
    with guards_off() as cursor:
        cursor.execute("DELETE FROM journal_event WHERE stream = %s AND seq = %s", [stream, events[-1].seq])
        cursor.execute(
            "UPDATE journal_streamhead SET seq = %s, hash = %s WHERE stream = %s",
            [events[-2].seq, events[-2].hash, stream],
        )


def rewrite_chain(stream: str, change: Callable[[Payload], Payload]) -> None:
    """Say something else in every event of a stream, and recompute every hash and its head."""
    head = Head()
    with guards_off() as cursor:
        for event in list(stream_events(stream)):
            draft = event.draft
            draft = type(draft)(**{**_values(draft), "payload": change(dict(draft.payload))})
            (row,) = chain([draft], {stream: head}, recorded_at=event.recorded_at)
            cursor.execute(
                "UPDATE journal_event SET payload = %s, prev_hash = %s, hash = %s WHERE stream = %s AND seq = %s",
                [row.payload_json.decode(), row.prev_hash, row.hash, stream, row.seq],
            )
            head = row.head
        cursor.execute(
            "UPDATE journal_streamhead SET seq = %s, hash = %s WHERE stream = %s", [head.seq, head.hash, stream]
        )
        cursor.execute("UPDATE orders_order SET last_event_hash = %s WHERE 'order:' || id = %s", [head.hash, stream])


def _values(draft: Any) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in type(draft).__slots__}


def delete_stream(stream: str) -> None:
    """Remove a stream with its head, as if it had never been."""
    with guards_off() as cursor:
        cursor.execute("DELETE FROM journal_event WHERE stream = %s", [stream])
        cursor.execute("DELETE FROM journal_streamhead WHERE stream = %s", [stream])


def reseal(key: Ed25519PrivateKey, *, replace_key: bool) -> None:
    """Recompute every seal over what stands there now and sign it with a key of one's own.

    ``replace_key`` also puts that key into the place of the first one.
    """
    public, previous = public_bytes(key), bytes(32)
    with guards_off() as cursor:
        for run in list_sealed_runs(after=0, up_to=2**40):
            old = run.seal.terms
            terms = SealTerms(
                number=old.number,
                from_position=old.from_position,
                to_position=old.to_position,
                count=run.found,
                root=tree_root(packed_leaves(run.packed)),
                previous=previous,
                sealed_at=old.sealed_at,
                key_id=key_id_of(public),
            )
            cursor.execute(
                "UPDATE journal_seal SET count = %s, root = %s, previous = %s, key_id = %s, signature = %s WHERE number = %s",
                [terms.count, terms.root, previous, terms.key_id, sign_seal(terms, key).signature, terms.number],
            )
            previous = terms.hash()
            if replace_key and old.number == 1:
                made = introduce_key(key, by=None, at=old.sealed_at)
                cursor.execute("DELETE FROM journal_sealkey")
                cursor.execute(
                    "INSERT INTO journal_sealkey (key_id, public_key, predecessor, made_at, signature) "
                    "VALUES (%s, %s, %s, %s, %s)",
                    [made.terms.key_id, public, made.terms.predecessor, made.terms.made_at, made.signature],
                )


def delete_order(order_id: object) -> None:
    """Remove an order from every table that knows it, with its events, bookings, messages and exceptions."""
    with guards_off() as cursor:
        cursor.execute("SELECT cl_ord_id FROM orders_orderrequest WHERE order_id = %s", [order_id])
        names = [row[0] for row in cursor.fetchall()]
        cursor.execute("DELETE FROM venues_wiremessage WHERE cl_ord_id = ANY(%s)", [names])
        cursor.execute("DELETE FROM venues_handover WHERE cl_ord_id = ANY(%s)", [names])
        for table in ("orders_execution", "orders_orderrequest", "venues_wireintent", "venues_routedecision"):
            cursor.execute(f"DELETE FROM {table} WHERE order_id = %s", [order_id])
        cursor.execute("DELETE FROM accounts_booking WHERE order_id = %s", [order_id])
        cursor.execute("DELETE FROM accounts_reservation WHERE order_id = %s", [order_id])
        cursor.execute("DELETE FROM operations_exceptionitem WHERE order_id = %s", [order_id])
        cursor.execute("DELETE FROM orders_order WHERE id = %s", [order_id])
        cursor.execute(
            "DELETE FROM journal_event WHERE stream LIKE '%%' || %s || '%%' OR payload ->> 'order_id' = %s",
            [str(order_id), str(order_id)],
        )
        cursor.execute("DELETE FROM journal_streamhead WHERE stream LIKE '%%' || %s || '%%'", [str(order_id)])
