"""Blocks and who got what of them; confirmations; contract notes and the trade feed; settlement."""

from allocations.models.blocks import Allocation, Block, BlockFill, IntendedAllocation, Scheme, WashAccount
from allocations.models.claims import Claim
from allocations.models.confirming import Confirmation, CounterpartyRecord, CounterpartyTerms, MatchTolerance
from allocations.models.failing import BuyIn, PenaltyRate
from allocations.models.fairness import BlockOutcome
from allocations.models.notes import ContractNote, FeedEntry, NoteSeries
from allocations.models.settling import (
    SendingRule,
    SettlementFile,
    SettlementInstruction,
    SettlementStatus,
    StandingInstruction,
)

__all__ = [
    "Allocation",
    "Block",
    "BlockFill",
    "BlockOutcome",
    "BuyIn",
    "Claim",
    "Confirmation",
    "ContractNote",
    "CounterpartyRecord",
    "CounterpartyTerms",
    "FeedEntry",
    "IntendedAllocation",
    "MatchTolerance",
    "NoteSeries",
    "PenaltyRate",
    "Scheme",
    "SendingRule",
    "SettlementFile",
    "SettlementInstruction",
    "SettlementStatus",
    "StandingInstruction",
    "WashAccount",
]
