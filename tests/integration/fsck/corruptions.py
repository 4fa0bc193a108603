"""One planted corruption for each check: what a superuser with the guards off would have done, and what else must notice.

``sql`` is carried out with triggers off in a transaction that is rolled back. ``related`` are the codes of other checks
that rightly report the same damage; whatever else reports it is a false alarm and fails the test.
"""

from __future__ import annotations

from tests.integration.fsck.corruption import DIFFERENCE, LINE_UP, LIVE, NOW, RECOVERY, Corruption
from tests.integration.fsck.corruptions_access import ACCESS
from tests.integration.fsck.corruptions_approvals import APPROVALS
from tests.integration.fsck.corruptions_edges import EXCEPTIONS, PRICES, TRUTH
from tests.integration.fsck.corruptions_fees import FEES
from tests.integration.fsck.corruptions_retention import RETENTION
from tests.integration.fsck.corruptions_usage import USAGE

CLOSED = "(SELECT o.id FROM orders_order o WHERE NOT o.is_open AND o.ord_status = '4' ORDER BY o.id LIMIT 1)"
UNSENT = "(SELECT order_id FROM orders_orderrequest WHERE kind = 'new' AND state = 'released' ORDER BY id DESC LIMIT 1)"
STREAM = f"'order:' || {LIVE}"
TRADE = "(SELECT id FROM orders_execution WHERE order_id = %s ORDER BY id LIMIT 1)" % LIVE  # noqa: UP031
ACCOUNT = "(SELECT id FROM accounts_tradingaccount WHERE code = 'ACC-FSK')"
HANDED = "(SELECT cl_ord_id FROM venues_handover WHERE session = 'T1-A' ORDER BY intent_id LIMIT 1)"

GUARDS = (
    Corruption(
        "GUARD_TRIGGER_MISSING", "dropped", "DROP TRIGGER accounts_booking_append_only ON accounts_booking"
    ),
    Corruption(
        "GUARD_TRIGGER_MISSING", "switched off",
        "ALTER TABLE orders_orderrequest DISABLE TRIGGER orders_request_state",
    ),
    Corruption(
        "GUARD_TRIGGER_MISSING", "weakened",
        "DROP TRIGGER journal_event_append_only ON journal_event; CREATE TRIGGER journal_event_append_only BEFORE DELETE "
        "ON journal_event FOR EACH STATEMENT EXECUTE FUNCTION journal_deny_change()",
    ),
    Corruption(
        "GUARD_FUNCTION_CHANGED", "made to allow everything",
        "CREATE OR REPLACE FUNCTION journal_deny_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    ),
    Corruption(
        "CONSTRAINT_MISSING", "dropped", "ALTER TABLE orders_order DROP CONSTRAINT orders_order_cum_within_qty"
    ),
    Corruption(
        "CONSTRAINT_NOT_VALID", "added unproven",
        "ALTER TABLE accounts_booking ADD CONSTRAINT later CHECK (amount <> 0) NOT VALID",
    ),
    Corruption(
        "CONSTRAINT_NOT_VALID", "foreign key off", "ALTER TABLE accounts_suspenseaccount DISABLE TRIGGER ALL"
    ),
    Corruption("EVIDENCE_CAN_BE_CHANGED", "by grant", "GRANT UPDATE ON journal_event TO oms_app"),
    Corruption("EVIDENCE_CAN_BE_CHANGED", "truncated", "GRANT TRUNCATE ON orders_upload TO oms_gateway"),
    Corruption("HAND_OVER_NOT_RESERVED", "by grant", "GRANT INSERT ON venues_handover TO oms_app"),
    Corruption("READER_MAY_WRITE", "by grant", "GRANT UPDATE ON risk_limit TO oms_read"),
    Corruption("PROCESS_TOO_MIGHTY", "owner", "ALTER TABLE risk_limit OWNER TO oms_app", ("EVIDENCE_CAN_BE_CHANGED",)),
    Corruption("PROCESS_TOO_MIGHTY", "superuser's trick", "ALTER ROLE oms_app SET session_replication_role = 'replica'"),
    Corruption("MIGRATIONS_DIFFER", "missing", "DELETE FROM django_migrations WHERE app = 'orders' AND name LIKE '0002%'"),
    Corruption(
        "MIGRATIONS_DIFFER", "foreign",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('orders', '0099_from_elsewhere', now())",
    ),
)  # fmt: skip

JOURNAL = (
    Corruption(
        "STREAM_HAS_GAP", "an event in the middle is gone",
        f"DELETE FROM journal_event WHERE stream = {STREAM} AND kind = 'OrderRouted'",
        ("CHAIN_LINK_BROKEN", "SEALS_DIFFER"),
    ),
    Corruption(
        "CHAIN_LINK_BROKEN", "another predecessor",
        f"UPDATE journal_event SET prev_hash = sha256('x') WHERE stream = {STREAM} AND seq = 3",
        ("EVENT_ALTERED",),
    ),
    Corruption(
        "ORDER_HEAD_DIFFERS", "the last event is gone",
        f"DELETE FROM journal_event e USING orders_order o WHERE o.id = {LIVE} AND e.stream = 'order:' || o.id "
        "AND e.seq = o.last_event_seq",
        ("REQUEST_STATE_DIFFERS", "SEALS_DIFFER"),
    ),
    Corruption(
        "STREAM_HEAD_DIFFERS", "head set back", "UPDATE journal_streamhead SET seq = seq + 1 WHERE stream LIKE 'account:%'"
    ),
    Corruption(
        "STREAM_HEAD_DIFFERS", "head removed", "DELETE FROM journal_streamhead WHERE stream LIKE 'account:%'"
    ),
    Corruption(
        "CURSOR_AHEAD", "after a restore", "UPDATE journal_cursor SET position = 1000000000 WHERE name = 'venues.route'"
    ),
    Corruption(
        "EVENT_ALTERED", "another actor", f"UPDATE journal_event SET actor = 'user:1' WHERE stream = {STREAM} AND seq = 1"
    ),
    Corruption(
        "EVENT_ALTERED", "another payload",
        f"UPDATE journal_event SET payload = payload || '{{\"sentence\": \"x\"}}' WHERE stream = {STREAM} AND seq = 2",
    ),
)  # fmt: skip

_SNAPSHOT = "INSERT INTO journal_snapshot (projection, version, position, taken_at, body, sha256) VALUES ('p', 1, 1, now(), 'x',"
_CUT = f"""DELETE FROM journal_event e USING orders_order o WHERE o.id = {LIVE} AND e.stream = 'order:' || o.id
    AND e.seq = o.last_event_seq; UPDATE orders_order o SET last_event_seq = e.seq, last_event_hash = e.hash
    FROM journal_event e WHERE o.id = {LIVE} AND e.stream = 'order:' || o.id AND e.seq = o.last_event_seq - 1"""
SEALS = (
    Corruption("SNAPSHOT_DIFFERS", "another body", f"{_SNAPSHOT} sha256('y'))"),
    Corruption(
        "SNAPSHOT_DIFFERS", "ahead of the journal", f"{_SNAPSHOT.replace('1, 1,', '1, 999999999,')} sha256('x'))"
    ),
    Corruption(
        "SEALS_DIFFER", "the last event cut off, and its order's head with it", _CUT, ("REQUEST_STATE_DIFFERS",)
    ),
    Corruption(
        "SEALS_DIFFER", "a seal that no key signed", "UPDATE journal_seal SET root = sha256('x') WHERE number = 1"
    ),
)

ORDERS = (
    Corruption(
        "ACCEPTED_EXCESS_DIFFERS", "accepted by nobody",
        "UPDATE orders_order SET accepted_excess = accepted_excess + 1 WHERE id = "
        "(SELECT id FROM orders_order WHERE overfilled ORDER BY id LIMIT 1)",
        ("SUSPENSE_DIFFERS",),
    ),
    Corruption(
        "ORDER_LOST", "an order nobody sent is deleted with its request",
        f"CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT {UNSENT} AS id;"
        "DELETE FROM orders_orderrequest WHERE order_id = (SELECT id FROM gone);"
        "DELETE FROM orders_order WHERE id = (SELECT id FROM gone)",
        ("ANSWER_LOST", "RESERVATION_ORPHANED", "ORDER_USAGE_DIFFERS"),
    ),
    Corruption(
        "ORDER_LOST", "a request without its order",
        "UPDATE orders_orderrequest SET order_id = gen_random_uuid() WHERE kind = 'cancel' AND state = 'accepted' "
        "AND id = (SELECT id FROM orders_orderrequest WHERE kind = 'cancel' AND state = 'accepted' ORDER BY id DESC LIMIT 1)",
        ("ANSWER_LOST", "REQUEST_NUMBERS_DIFFER", "LINEAGE_BROKEN"),
    ),
    Corruption(
        "ORDER_UNCAPTURED", "another first event",
        f"UPDATE journal_event SET kind = 'OrderReplaced' WHERE stream = {STREAM} AND seq = 1",
        ("EVENT_ALTERED",),
    ),
    Corruption(
        "ANSWER_LOST", "an answer for nothing",
        "UPDATE journal_idempotencykey SET answer = jsonb_set(answer, '{order_id}', to_jsonb(gen_random_uuid())) "
        "WHERE jsonb_typeof(answer) = 'object' AND id = (SELECT max(id) FROM journal_idempotencykey "
        "WHERE answer ? 'order_id')",
    ),
    Corruption(
        "ANSWER_LOST", "a row of a batch",
        "UPDATE journal_idempotencykey SET answer = jsonb_set(answer, '{0,result,request_id}', to_jsonb(gen_random_uuid())) "
        "WHERE jsonb_typeof(answer) = 'array'",
    ),
    Corruption(
        "ORDER_UNASKED", "the NEW request is another kind",
        f"UPDATE orders_orderrequest SET kind = 'replace' WHERE order_id = {CLOSED} AND seq = 1",
    ),
    Corruption(
        "REQUEST_NUMBERS_DIFFER", "one too many", f"UPDATE orders_order SET last_request_seq = 9 WHERE id = {LIVE}"
    ),
    Corruption(
        "LINEAGE_BROKEN", "a name of somebody else's",
        f"UPDATE orders_orderrequest SET orig_cl_ord_id = (SELECT cl_ord_id FROM orders_order WHERE id = {UNSENT}) "
        f"WHERE order_id = {LIVE} AND seq = 2",
    ),
    Corruption("TREE_BROKEN", "another root", f"UPDATE orders_order SET root_id = gen_random_uuid() WHERE id = {LIVE}"),
    Corruption(
        "STAGED_STRANDED", "in a place nobody left",
        f"UPDATE orders_order SET replaces_id = {CLOSED}, root_id = {CLOSED} WHERE id = {UNSENT}",
    ),
    Corruption(
        "STAGED_STRANDED", "staged and sent",
        "UPDATE orders_orderrequest SET payload = payload || '{\"staged\": true}' "
        f"WHERE order_id = {LIVE} AND kind = 'replace'",
    ),
    Corruption(
        "REQUEST_STATE_DIFFERS", "moved without an event",
        f"UPDATE orders_orderrequest SET state = 'rejected' WHERE order_id = {CLOSED} AND kind = 'cancel'",
    ),
    Corruption(
        "SHOWN_STATE_DIFFERS", "shown otherwise", f"UPDATE orders_order SET request_state = 'unknown' WHERE id = {LIVE}"
    ),
    Corruption(
        "FILLS_DIFFER", "more executed than executions",
        f"UPDATE orders_order SET cum_qty = 301, leaves_qty = order_qty - 301 WHERE id = {LIVE}",
        ("FACTS_DIFFER", "RESERVATION_DIFFERS", "ORDER_USAGE_DIFFERS"),
    ),
    Corruption(
        "FILLS_DIFFER", "another average", f"UPDATE orders_order SET avg_px = avg_px + 0.0001 WHERE id = {LIVE}",
        ("FACTS_DIFFER",),
    ),
    Corruption(
        "LEAVES_WRONG", "less left", f"UPDATE orders_order SET leaves_qty = 1 WHERE id = {LIVE}",
        ("FACTS_DIFFER",),
    ),
    Corruption(
        "OPEN_WRONG", "closed before it was sent",
        f"UPDATE orders_order SET is_open = false, leaves_qty = 0 WHERE id = {UNSENT}",
        ("LEAVES_WRONG", "RESERVATION_ORPHANED", "ORDER_USAGE_DIFFERS"),
    ),
    Corruption(
        "OVERFILL_UNMARKED", "mark taken away",
        "ALTER TABLE orders_order DROP CONSTRAINT orders_order_cum_within_qty, "
        "DROP CONSTRAINT orders_order_cum_and_leaves_within_qty; UPDATE orders_order SET overfilled = false",
        ("CONSTRAINT_MISSING", "FACTS_DIFFER"),
    ),
    Corruption(
        "EXECUTION_UNRECORDED", "invented",
        "INSERT INTO orders_execution SELECT (e.x).* FROM (SELECT jsonb_populate_record(x, jsonb_build_object("
        f"'id', gen_random_uuid(), 'identity', 'x', 'event_id', gen_random_uuid())) AS x FROM orders_execution x "
        f"WHERE x.id = {TRADE}) e",
        ("FILLS_DIFFER", "EXECUTION_DIFFERS", "EXECUTION_BOOKED_WRONGLY", "EXECUTION_NOT_IN_BLOCK"),
    ),
    Corruption(
        "EXECUTION_DIFFERS", "repriced",
        f"UPDATE orders_execution SET effective_px = 72.4 WHERE id = {TRADE}",
        ("FILLS_DIFFER", "EXECUTION_BOOKED_WRONGLY", "EXECUTION_NOT_IN_BLOCK"),
    ),
    Corruption(
        "AUTHORISATION_DIFFERS", "decided on one side only",
        "UPDATE authorisation_authorisationrequest SET state = 'lapsed' WHERE state = 'pending' AND kind = 'order_request'",
        ("APPROVAL_UNTOLD",),
    ),
    Corruption(
        "AUTHORISATION_DIFFERS", "nothing left to decide about",
        "UPDATE orders_orderrequest SET authorisation_id = gen_random_uuid() WHERE state = 'pending_authorisation'",
    ),
    Corruption(
        "FACTS_DIFFER", "another status", f"UPDATE orders_order SET ord_status = '9' WHERE id = {LIVE}",
    ),
    Corruption(
        "FACTS_DIFFER", "a request forgotten",
        f"UPDATE orders_order SET facts = jsonb_set(facts, '{{requests}}', '[]') WHERE id = {LIVE}",
    ),
    Corruption(
        "FACTS_DIFFER", "unreadable", f"UPDATE orders_order SET facts = '{{\"v\": 99}}' WHERE id = {LIVE}"
    ),
)  # fmt: skip

MONEY = (
    Corruption(
        "WITHDRAWAL_HOLD_DIFFERS", "holds a penny less",
        "UPDATE accounts_reservation SET cash = cash - 0.01 WHERE cash = 77.77;"
        f"UPDATE accounts_cashbalance SET reserved = reserved - 0.01 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "WITHDRAWAL_HOLD_DIFFERS", "holds nothing",
        "DELETE FROM accounts_reservation WHERE cash = 77.77;"
        f"UPDATE accounts_cashbalance SET reserved = reserved - 77.77 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "RESERVATION_ORPHANED", "of a withdrawal that was declined",
        "UPDATE authorisation_authorisationrequest SET state = 'declined' WHERE kind = 'withdrawal'",
        ("APPROVAL_WITHOUT_WORD", "APPROVAL_UNTOLD"),
    ),
    Corruption("LOCATE_DIFFERS", "more than was promised", "UPDATE accounts_locate SET qty = qty + 1 WHERE ref = 'FSK-L'"),
    Corruption(
        "LOCATE_DIFFERS", "from nowhere",
        "INSERT INTO accounts_locate SELECT gen_random_uuid(), 'MORE', instrument_id, 9, 'x', expires_at, gen_random_uuid(), "
        "recorded_at, account_id FROM accounts_locate WHERE ref = 'FSK-L'",
    ),
    Corruption(
        "LOCATE_OVERUSED_UNTOLD", "less than is sold",
        "UPDATE accounts_locate SET qty = 99 WHERE ref = 'FSK-L'", ("LOCATE_DIFFERS",),
    ),
    Corruption(
        "CASH_DIFFERS", "a penny more",
        f"UPDATE accounts_cashbalance SET settled = settled + 0.01 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "STOCK_DIFFERS", "one unit less",
        f"UPDATE accounts_holding SET pending = pending - 1 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "STOCK_DIFFERS", "the row is gone",
        "DELETE FROM accounts_holding h USING accounts_tradingaccount a WHERE a.id = h.account_id AND a.code = 'SCN'",
    ),
    Corruption(
        "RESERVED_CASH_DIFFERS", "a penny more",
        f"UPDATE accounts_cashbalance SET reserved = reserved + 0.01 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "RESERVED_STOCK_DIFFERS", "one unit more",
        f"UPDATE accounts_holding SET reserved = reserved + 1 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "RESERVATION_ORPHANED", "of an order that is over",
        f"INSERT INTO accounts_reservation SELECT id, account_id, 'GBP', 1, NULL, 0, now() FROM orders_order WHERE id = {CLOSED};"
        "UPDATE accounts_cashbalance SET reserved = reserved + 1 WHERE account_id = "
        f"(SELECT account_id FROM orders_order WHERE id = {CLOSED})",
    ),
    Corruption(
        "RESERVATION_DIFFERS", "holds less than it needs",
        f"UPDATE accounts_reservation SET cash = cash - 1 WHERE order_id = {LIVE};"
        f"UPDATE accounts_cashbalance SET reserved = reserved - 1 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "EXECUTION_BOOKED_WRONGLY", "booked twice",
        "INSERT INTO accounts_booking (account_id, event_id, order_id, execution_id, kind, layer, currency, instrument_id, "
        "amount, trade_date, settlement_date, recorded_at) SELECT account_id, event_id, order_id, execution_id, kind, layer, "
        "currency, instrument_id, amount, trade_date, settlement_date, recorded_at FROM accounts_booking "
        f"WHERE execution_id = {TRADE} AND instrument_id IS NULL",
        ("CASH_DIFFERS", "DAILY_USAGE_DIFFERS", "EXECUTION_NOT_IN_BLOCK"),
    ),
    Corruption(
        "EXECUTION_BOOKED_WRONGLY", "never booked", f"DELETE FROM accounts_booking WHERE execution_id = {TRADE}",
        ("CASH_DIFFERS", "STOCK_DIFFERS", "BOOKING_EVENT_DIFFERS", "DAILY_USAGE_DIFFERS", "ENTITLEMENT_DIFFERS", "EXECUTION_NOT_IN_BLOCK"),
    ),
    Corruption(
        "BOOKING_EVENT_DIFFERS", "another event",
        f"UPDATE accounts_booking SET event_id = (SELECT id FROM journal_event WHERE stream = {STREAM} AND seq = 1) "
        f"WHERE execution_id = {TRADE}",
    ),
    Corruption(
        "MONEY_FROM_NOWHERE", "without an event",
        "INSERT INTO accounts_booking (account_id, event_id, kind, layer, currency, amount, trade_date, settlement_date, "
        f"recorded_at) SELECT {ACCOUNT}, gen_random_uuid(), 'deposit', 'settled', 'GBP', 7, current_date, current_date, now();"
        f"UPDATE accounts_cashbalance SET settled = settled + 7 WHERE account_id = {ACCOUNT}",
    ),
    Corruption(
        "STATEMENT_BOOKED_WRONGLY", "a statement that gave one more",
        "UPDATE accounts_booking SET amount = amount + 1 WHERE kind = 'statement';"
        "UPDATE accounts_cashbalance c SET settled = c.settled + 1 FROM accounts_booking b WHERE b.kind = 'statement' "
        "AND b.account_id = c.account_id AND b.currency = c.currency",
    ),
    Corruption(
        "STATEMENT_BOOKED_WRONGLY", "a part that nobody could find again", "DELETE FROM accounts_statementpart",
    ),
    Corruption(
        "SUSPENSE_DIFFERS", "a share that was never moved",
        "UPDATE orders_execution SET suspense_qty = suspense_qty - 1 WHERE suspense_qty > 1",
        ("EXECUTION_NOT_IN_BLOCK",),
    ),
    Corruption(
        "SUSPENSE_DIFFERS", "an unknown order with other money",
        "UPDATE orders_unknownorder SET booked_cash = booked_cash + 0.01 WHERE state = 'suspense'",
    ),
    Corruption(
        "OVERDRAWN_UNMARKED", "marked for nothing",
        f"UPDATE accounts_cashbalance SET overdrawn_by_event = (SELECT id FROM journal_event LIMIT 1) WHERE account_id = {ACCOUNT}",
        ("MATTER_UNTOLD",),
    ),
    Corruption(
        "OVERDRAWN_UNMARKED", "below zero without a mark",
        "ALTER TABLE accounts_cashbalance DROP CONSTRAINT accounts_cash_available_or_overdrawn;"
        f"UPDATE accounts_cashbalance SET settled = 0, pending = -1 WHERE account_id = {ACCOUNT}",
        ("CASH_DIFFERS", "CONSTRAINT_MISSING"),
    ),
)  # fmt: skip

_WIRE_COLUMNS = "direction, session, epoch, msg_seq_num, msg_type, poss_dup, cl_ord_id, venue_order_id, shard, raw, sent_at, recorded_at"
WIRE = (
    Corruption(
        "SENT_TWICE", "the same order again",
        f"INSERT INTO venues_wiremessage ({_WIRE_COLUMNS}) SELECT {_WIRE_COLUMNS} FROM venues_wiremessage "
        f"WHERE direction = 'out' AND cl_ord_id = {HANDED}",
    ),
    Corruption(
        "SENT_UNPROVEN", "past the gateway",
        f"INSERT INTO venues_wiremessage ({_WIRE_COLUMNS}) SELECT {_WIRE_COLUMNS.replace(' cl_ord_id', ' $$X$$')} "
        f"FROM venues_wiremessage WHERE direction = 'out' AND cl_ord_id = {HANDED}",
    ),
    Corruption(
        "SENT_UNRELEASED", "before it was released",
        f"UPDATE orders_orderrequest SET released_at = NULL WHERE cl_ord_id = {HANDED}",
    ),
    Corruption(
        "SENT_UNRELEASED", "for another order",
        f"UPDATE venues_wireintent SET cl_ord_id = 'X' WHERE cl_ord_id = {HANDED}",
    ),
    Corruption(
        "HAND_OVER_MISSING", "proof removed", f"DELETE FROM venues_handover WHERE cl_ord_id = {HANDED}",
        ("SENT_UNPROVEN",),
    ),
    Corruption(
        "BODY_DIFFERS", "another quantity",
        f"UPDATE venues_handover SET body = replace(body, '38=1000', '38=9000') WHERE cl_ord_id = {HANDED}",
    ),
    Corruption(
        "RELEASED_UNROUTED", "intent lost", f"DELETE FROM venues_wireintent WHERE order_id = {UNSENT}"
    ),
    Corruption(
        "INTENT_OVERDUE", "past its time",
        f"UPDATE venues_wireintent SET not_after = {NOW} - interval '2 minutes' WHERE state = 'waiting'",
    ),
    Corruption(
        "INTENT_STRANDED", "its request has its end",
        f"{LINE_UP}; UPDATE orders_orderrequest SET state = 'refused', answered_at = {NOW} - interval '2 minutes' "
        f"WHERE order_id = {UNSENT}",
        ("REQUEST_STATE_DIFFERS", "SHOWN_STATE_DIFFERS"),
    ),
    Corruption(
        "REQUEST_SILENT", "neither answered nor unknown",
        f"{LINE_UP}; UPDATE orders_orderrequest SET handed_over_at = {NOW} - interval '3 minutes', "
        f"released_at = {NOW} - interval '4 minutes' WHERE state = 'handed_over'",
    ),
    Corruption(
        "UNKNOWN_UNASKED", "forgotten", "UPDATE venues_inquiry SET state = 'closed' WHERE state = 'open'"
    ),
    Corruption(
        "SENT_WHILE_HALTED", "a block that was passed by",
        "UPDATE risk_block SET imposed_at = '2026-11-20 09:00+00' WHERE source = 'test'",
    ),
    Corruption(
        "SENT_IN_RECOVERY", "the gate passed by",
        f"INSERT INTO venues_recovery ({RECOVERY}) VALUES (gen_random_uuid(), 'T1-A', 'T1', 'E1', 0, 'equal', '', true, 0, 0, 0, "
        f"0, {NOW} - interval '1 hour', '', '', {NOW})",
    ),
    Corruption(
        "DIFFERENCE_UNGATED", "no block for it",
        f"{DIFFERENCE.format(found=f'{NOW}', account=ACCOUNT)}", ("MATTER_UNTOLD",),
    ),
    Corruption(
        "EXECUTION_UNHEARD", "its message is gone",
        "DELETE FROM venues_wiremessage WHERE id = (SELECT min(wire_message_id) FROM orders_execution)",
    ),
    Corruption(
        "INBOX_AHEAD", "further than its session",
        "UPDATE journal_cursor SET position = position + 1 WHERE name LIKE 'inbox:SCN-4.2%'",
    ),
)  # fmt: skip

CORRUPTIONS = (
    *GUARDS,
    *ACCESS,
    *JOURNAL,
    *SEALS,
    *ORDERS,
    *MONEY,
    *FEES,
    *USAGE,
    *WIRE,
    *EXCEPTIONS,
    *TRUTH,
    *PRICES,
    *APPROVALS,
    *RETENTION,
)
