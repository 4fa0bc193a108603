"""Plants for the checks of second persons."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

WAITS = "(SELECT id FROM authorisation_authorisationrequest WHERE state = 'pending' AND kind = 'order_request' ORDER BY id LIMIT 1)"
APPROVED = "(SELECT id FROM authorisation_authorisationrequest WHERE state = 'approved' AND kind = 'order_request' ORDER BY id LIMIT 1)"

APPROVALS = (
    Corruption(
        "APPROVAL_WITHOUT_WORD", "by nobody",
        f"UPDATE authorisation_authorisationrequest SET state = 'approved' WHERE id = {WAITS}",
        ("APPROVAL_UNTOLD", "AUTHORISATION_DIFFERS"),
    ),
    Corruption(
        "APPROVAL_WITHOUT_WORD", "by too few",
        f"UPDATE authorisation_authorisationrequest SET checkers = 2 WHERE id = {APPROVED}",
    ),
    Corruption(
        "APPROVAL_OF_ONES_OWN", "through another account of the maker",
        "ALTER TABLE authorisation_decision DROP CONSTRAINT authorisation_checker_person_is_not_maker_person;"
        f"UPDATE authorisation_decision SET checker_person_id = maker_person_id WHERE request_id = {APPROVED}",
        ("CONSTRAINT_MISSING",),
    ),
    Corruption(
        "APPROVAL_OF_ONES_OWN", "another maker was written in",
        "ALTER TABLE authorisation_decision DROP CONSTRAINT authorisation_checker_person_is_not_maker_person;"
        f"UPDATE authorisation_authorisationrequest SET maker_person_id = 0 - maker_person_id WHERE id = {APPROVED}",
        ("CONSTRAINT_MISSING",),
    ),
    Corruption(
        "APPROVAL_VERSION_MISSING", "asked differently without a trace",
        f"UPDATE authorisation_authorisationrequest SET version = 2 WHERE id = {WAITS}",
    ),
    Corruption(
        "APPROVAL_UNTOLD", "a decision that was never made",
        "INSERT INTO authorisation_decision (id, request_id, version, maker_id, maker_person_id, checker_id, checker_person_id, "
        "on_behalf_of, verdict, reason_code, reason, payload_hash, decided_at) SELECT gen_random_uuid(), r.id, 1, r.maker_id, "
        "r.maker_person_id, d.checker_id, d.checker_person_id, '', 'approve', 'X', '', r.payload_hash, r.created_at "
        f"FROM authorisation_authorisationrequest r, authorisation_decision d WHERE r.id = {WAITS} AND d.request_id = {APPROVED}",
    ),
    Corruption(
        "APPROVAL_UNTOLD", "a claim nobody made",
        "UPDATE authorisation_authorisationrequest SET state = 'claimed', claimed_by_id = maker_id, claimed_until = created_at "
        f"WHERE id = {WAITS}",
    ),
)  # fmt: skip
