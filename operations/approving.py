"""What the approvals page knows of each kind of request: whose service decides it, and what its effect is.

A kind is one line here. ``describe`` makes the effect by a dry run on the facts of now (UX rule R6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.services.decide_account_state import decide_account_state
from accounts.services.decide_cash_booking import decide_cash_booking
from accounts.services.decide_withdrawal import decide_withdrawal
from allocations.services.decide_allocation import decide_allocation
from allocations.services.decide_post_trade_rules import decide_post_trade_rules
from allocations.services.decide_standing_instruction import decide_standing_instruction
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.services.decide_access_review import decide_access_review
from authorisation.services.decide_api_key import decide_api_key
from authorisation.services.decide_policy_change import decide_policy_change
from authorisation.services.decide_sign_in_reset import decide_sign_in_reset
from authorisation.services.decide_user_right import decide_user_right
from operations.domain.effect import Effect
from operations.selectors.access_reviews import describe_close
from operations.selectors.accounts_asked import describe_account_state, describe_cancel_review, describe_cash_booking
from operations.selectors.actions import describe_action
from operations.selectors.allocation_effects import describe_allocation
from operations.selectors.break_effects import describe_break_repair, describe_recon_rules
from operations.selectors.gates import describe_gate_override
from operations.selectors.intakes import describe_start_of_day
from operations.selectors.key_effect import describe_api_key
from operations.selectors.limits import describe_limit_change
from operations.selectors.order_effect import describe_order_request
from operations.selectors.policies import describe_policy_change
from operations.selectors.post_trade_rules import describe_post_trade_rules
from operations.selectors.rates import describe_rate_change
from operations.selectors.retention import describe_hold_release, describe_retention_change
from operations.selectors.rule_changes import describe_rule_change
from operations.selectors.sign_in_resets import describe_sign_in_reset
from operations.selectors.standing_instructions import describe_standing_instruction
from operations.selectors.stops import describe_release
from operations.selectors.user_rights import describe_user_right
from operations.selectors.webhooks import describe_webhook
from operations.selectors.withdrawals import describe_withdrawal
from operations.services.decide_hold_release import decide_hold_release
from operations.services.decide_retention_change import decide_retention_change
from orders.services.decide_cancel_review import decide_cancel_review
from orders.services.decide_corporate_action import decide_corporate_action
from orders.services.decide_order_request import decide_order_request
from orders.services.decide_suspense import decide_suspense
from outbound.services.decide_webhook import decide_webhook
from reconciliation.services.decide_break_repair import decide_break_repair
from reconciliation.services.decide_gate_override import decide_gate_override
from reconciliation.services.decide_recon_rules import decide_recon_rules
from reconciliation.services.decide_start_of_day import decide_start_of_day
from risk.services.decide_limit_change import decide_limit_change
from risk.services.decide_rate_change import decide_rate_change
from risk.services.decide_rule_change import decide_rule_change
from risk.services.decide_stop_release import decide_stop_release


@dataclass(frozen=True, slots=True)
class ApprovalKind:
    """``decide(actor, at, authorisation_id, verdict, reason_code, reason, payload_hash)`` returns a ``Decided``;
    ``describe(actor, facts, at)`` the effect, None where the page shows the summary alone."""

    decide: Callable[..., Any]
    describe: Callable[[Principal, RequestFacts, datetime], Effect] | None = None


KINDS: dict[str, ApprovalKind] = {
    "api_key": ApprovalKind(decide_api_key, describe_api_key),
    "order_request": ApprovalKind(decide_order_request, describe_order_request),
    "suspense": ApprovalKind(decide_suspense),
    "standing_instruction": ApprovalKind(decide_standing_instruction, describe_standing_instruction),
    "withdrawal": ApprovalKind(decide_withdrawal, describe_withdrawal),
    "cash_booking": ApprovalKind(decide_cash_booking, describe_cash_booking),
    "account_state": ApprovalKind(decide_account_state, describe_account_state),
    "cancel_review": ApprovalKind(decide_cancel_review, describe_cancel_review),
    "rate_change": ApprovalKind(decide_rate_change, describe_rate_change),
    "limit_change": ApprovalKind(decide_limit_change, describe_limit_change),
    "rule_change": ApprovalKind(decide_rule_change, describe_rule_change),
    "stop_release": ApprovalKind(decide_stop_release, describe_release),
    "policy_change": ApprovalKind(decide_policy_change, describe_policy_change),
    "access_review": ApprovalKind(decide_access_review, describe_close),
    "webhook": ApprovalKind(decide_webhook, describe_webhook),
    "sign_in_reset": ApprovalKind(decide_sign_in_reset, describe_sign_in_reset),
    "user_right": ApprovalKind(decide_user_right, describe_user_right),
    "hold_release": ApprovalKind(decide_hold_release, describe_hold_release),
    "retention_change": ApprovalKind(decide_retention_change, describe_retention_change),
    "start_of_day": ApprovalKind(decide_start_of_day, describe_start_of_day),
    "gate_override": ApprovalKind(decide_gate_override, describe_gate_override),
    "break_repair": ApprovalKind(decide_break_repair, describe_break_repair),
    "recon_rules": ApprovalKind(decide_recon_rules, describe_recon_rules),
    "allocation": ApprovalKind(decide_allocation, describe_allocation),
    "post_trade_rules": ApprovalKind(decide_post_trade_rules, describe_post_trade_rules),
    "corporate_action": ApprovalKind(decide_corporate_action, describe_action),
}
