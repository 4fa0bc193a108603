"""Planted corruptions of settlement (see ``corruptions``)."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

PARTLY = "(SELECT id FROM allocations_settlementinstruction WHERE state = 'partial')"
SPLIT = "(SELECT id FROM refdata_corporateaction WHERE kind = 'split' ORDER BY id LIMIT 1)"
WAITS = "(SELECT id FROM allocations_settlementinstruction WHERE state = 'waiting' ORDER BY id LIMIT 1)"
LONG_AGO = f"UPDATE refdata_corporateaction SET updated_at = updated_at - interval '10 days' WHERE id = {SPLIT}"
CLAIM = (
    "INSERT INTO allocations_claim (id, number, action_id, instruction_id, account_id, counterparty, state, units, amount, currency, "
    "expected_on, paid_on, reference, reason, raised_at, event_id, request_id)"
)
OF_ACTION = (
    "FROM allocations_settlementinstruction i, (SELECT id FROM refdata_corporateaction WHERE kind = 'cash_dividend' ORDER BY id LIMIT 1) a "
    "WHERE i.state = 'partial'"
)
SETTLEMENT = (
    Corruption(
        "SETTLEMENT_BOOKED_WRONGLY", "a unit more",
        f"UPDATE allocations_settlementinstruction SET settled_qty = settled_qty + 1 WHERE id = {PARTLY}",
        related=("SETTLEMENT_STATE_DIFFERS",),
    ),
    Corruption(
        "SETTLEMENT_BOOKED_WRONGLY", "an event of no move",
        "UPDATE journal_event SET kind = 'SomethingElse' WHERE kind = 'SettlementsMoved'",
        related=("EVENT_ALTERED",),
    ),
    Corruption(
        "SETTLEMENT_STATE_DIFFERS", "its word is gone",
        f"DELETE FROM allocations_settlementstatus WHERE instruction_id = {PARTLY}",
    ),
    Corruption(
        "SETTLEMENT_NOT_AS_ALLOCATED", "never made",
        "DELETE FROM allocations_settlementinstruction WHERE id = (SELECT id FROM allocations_settlementinstruction "
        "WHERE state = 'waiting' ORDER BY id LIMIT 1)",
    ),
    Corruption(
        "SETTLEMENT_NOT_AS_ALLOCATED", "another day",
        "UPDATE allocations_settlementinstruction SET settlement_date = settlement_date + 1",
    ),
    Corruption(
        "SETTLEMENT_NOT_AS_ALLOCATED", "of what was undone",
        "UPDATE allocations_allocation SET state = 'reversed', ended_at = booked_at - interval '2 minutes' WHERE id = ("
        "SELECT allocation_id FROM allocations_settlementinstruction WHERE state = 'waiting' ORDER BY id LIMIT 1)",
        related=("ALLOCATION_LINES_DIFFER", "ALLOCATION_TOLD_WRONGLY", "CONFIRMATION_NOT_ALLOCATION", "FEED_DIFFERS"),
    ),
    Corruption("SETTLEMENT_NOT_SENT", "its file is gone", "DELETE FROM allocations_settlementfile"),
    Corruption(
        "SETTLEMENT_NOT_SENT", "another text", "UPDATE allocations_settlementfile SET content = content || ' '"
    ),
    Corruption(
        "SETTLEMENT_NOT_SENT", "of another currency", "UPDATE allocations_standinginstruction SET currency = 'XXX'"
    ),
    Corruption(
        "SETTLEMENT_IN_OTHER_SHARES", "closed, and nothing in its place",
        "UPDATE allocations_settlementinstruction SET state = 'canceled', closed_at = now(), shares_until = now() "
        f"WHERE id = {WAITS}",
    ),
    Corruption(
        "SETTLEMENT_IN_OTHER_SHARES", "more than was open",
        f"UPDATE allocations_settlementinstruction SET transforms_id = {PARTLY}, action_id = {SPLIT}, of_qty = qty, "
        f"taken_into = jsonb_build_array({SPLIT}) WHERE id = {WAITS}",
    ),
    Corruption(
        "SETTLEMENT_IN_OTHER_SHARES", "in shares that are no more",
        "UPDATE refdata_corporateaction SET instrument_id = (SELECT i.instrument_id FROM allocations_settlementinstruction i "
        f"WHERE i.id = {WAITS}) WHERE id = {SPLIT}; {LONG_AGO};"
        "UPDATE allocations_settlementinstruction SET created_at = created_at - interval '1 day'",
        related=("ENTITLEMENT_DIFFERS",),
    ),
    Corruption(
        "SETTLEMENT_FRACTIONS_DIFFER", "a share that nobody brings",
        f"UPDATE allocations_settlementinstruction SET action_id = {SPLIT}, transforms_id = {PARTLY}, of_qty = 1, "
        f"taken_into = jsonb_build_array({SPLIT}) WHERE id = {WAITS}; {LONG_AGO}",
        related=("SETTLEMENT_IN_OTHER_SHARES",),
    ),
    Corruption(
        "BUY_IN_DIFFERS", "started and none open",
        f"UPDATE allocations_settlementinstruction SET buy_in = 'started' WHERE id = {PARTLY}",
    ),
    Corruption(
        "BUY_IN_DIFFERS", "by nobody's word",
        "INSERT INTO allocations_buyin (id, instruction_id, state, qty, agent, done_qty, amount, difference, reference, reason, "
        f"initiated_at, event_id) SELECT gen_random_uuid(), {PARTLY}, 'initiated', 1, 'X', 0, 0, 0, '', '', now(), gen_random_uuid()",
    ),
    Corruption(
        "BUY_IN_DIFFERS", "its cost is booked nowhere",
        "INSERT INTO allocations_buyin (id, instruction_id, state, qty, agent, done_qty, amount, difference, reference, reason, "
        f"bearer, initiated_at, event_id) SELECT gen_random_uuid(), {PARTLY}, 'executed', 1, 'X', 1, 9, 2, 'R', '', 'house', "
        "now(), gen_random_uuid()",
    ),
    Corruption(
        "CLAIM_DIFFERS", "raised by no event",
        f"{CLAIM} SELECT gen_random_uuid(), 1, a.id, i.id, i.account_id, '', 'raised', 1, 5, 'GBP', '2026-11-30', NULL, '', '', now(), "
        f"gen_random_uuid(), NULL {OF_ACTION}",
    ),
    Corruption(
        "CLAIM_DIFFERS", "more shares than the split made",
        f"{CLAIM} SELECT gen_random_uuid(), 1, {SPLIT}, i.id, i.account_id, '', 'withdrawn', 1, 5, '', '2026-11-30', NULL, '', '', now(), "
        f"gen_random_uuid(), NULL {OF_ACTION}; UPDATE allocations_claim SET state = 'raised', action_id = {SPLIT} WHERE currency = ''",
    ),
    Corruption(
        "CLAIM_MONEY_DIFFERS", "written off and borne by nobody",
        f"{CLAIM} SELECT gen_random_uuid(), 1, a.id, i.id, i.account_id, '', 'written_off', 1, 5, 'GBP', '2026-11-30', NULL, '', '', "
        f"now(), gen_random_uuid(), gen_random_uuid() {OF_ACTION}",
        related=("CLAIM_DIFFERS",),
    ),
    Corruption(
        "CLAIM_MONEY_DIFFERS", "money for no claim",
        "INSERT INTO accounts_booking (account_id, event_id, kind, charge, layer, currency, amount, trade_date, settlement_date, "
        "recorded_at) SELECT account_id, event_id, 'claim', '', layer, currency, 1, trade_date, settlement_date, recorded_at "
        "FROM accounts_booking WHERE currency <> '' ORDER BY id LIMIT 1",
        related=("CASH_DIFFERS", "MONEY_FROM_NOWHERE"),
    ),
    Corruption(
        "SSI_UNAPPROVED", "changed by nobody", "UPDATE allocations_standinginstruction SET version = 2"
    ),
    Corruption(
        "SSI_UNAPPROVED", "leaves by nobody's word",
        "INSERT INTO allocations_sendingrule (account, mic, leaves, valid_from, version, event_id, recorded_at) "
        "VALUES ('', '', 'on_booking', '2000-01-01', 2, gen_random_uuid(), now())",
    ),
    Corruption(
        "SSI_UNAPPROVED", "a rate by nobody's word",
        "INSERT INTO allocations_penaltyrate (mic, asset_class, bps, valid_from, source, version, event_id, recorded_at) "
        "VALUES ('XPAR', 'equity', 0, '2026-01-01', 'x', 1, gen_random_uuid(), now())",
    ),
    Corruption(
        "SSI_UNAPPROVED", "another custodian", "UPDATE allocations_standinginstruction SET agent = 'EVILGB2L'"
    ),
)  # fmt: skip
