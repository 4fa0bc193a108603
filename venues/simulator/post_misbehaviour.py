"""Scripted misbehaviour after the trade: what the back office says wrongly, late, twice or not at all.

Part of the script (see ``misbehaviour``) under ``post_trade``, a list of rules, and ``post_trade_errors``::

    {"post_trade": [{"id": "p1", "do": "wrong_fee", "by": "1.00", "when": {"account": "ACME-1"}},
                    {"id": "p2", "do": "late", "seconds": 90, "when": {"kind": "confirmation"}},
                    {"id": "p3", "do": "reject_block"},
                    {"id": "p4", "do": "client_allocates", "cl_ord_id": "02611000001.1",
                     "accounts": {"CLI-1": "60", "CLI-2": "40"}, "settlement_date": "2026-11-30"}],
     "post_trade_errors": {"seed": 7, "one_in": 20}}

``when``: ``kind`` (of ``kernel.post_trade.MessageKind``; confirmation unless said), ``account``, ``block_ref``, ``allocation_ref``,
``status``.
``times`` is how often (1 unless said, 0 always). Deeds on messages: wrong_price, wrong_fee, wrong_commission, wrong_net (``by``),
wrong_settlement_date (a day later), wrong_account (``account``), late (``seconds``), missing, duplicate, cancel_and_resend, reject (an
affirmation becomes a no). reject_block rejects the next instruction; client_allocates is done once. ``post_trade_errors`` makes one
confirmation in so many wrong, the same ones for the same seed. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from kernel.numbers import ZERO, round_money
from kernel.post_trade import AccountLine, AckStatus, MessageKind, PostTradeMessage, TransType
from venues.simulator.broker import Said


class Wrong(StrEnum):
    """What a rule does."""

    PRICE = "wrong_price"
    FEE = "wrong_fee"
    COMMISSION = "wrong_commission"
    NET = "wrong_net"
    SETTLEMENT_DATE = "wrong_settlement_date"
    ACCOUNT = "wrong_account"
    LATE = "late"
    MISSING = "missing"
    DUPLICATE = "duplicate"
    CANCEL_AND_RESEND = "cancel_and_resend"
    REJECT = "reject"
    REJECT_BLOCK = "reject_block"
    CLIENT_ALLOCATES = "client_allocates"


BY_SEED = (
    Wrong.PRICE,
    Wrong.FEE,
    Wrong.COMMISSION,
    Wrong.SETTLEMENT_DATE,
    Wrong.ACCOUNT,
    Wrong.LATE,
    Wrong.MISSING,
    Wrong.DUPLICATE,
)
NOT_ON_MESSAGES = frozenset({Wrong.REJECT_BLOCK, Wrong.CLIENT_ALLOCATES})
_CONDITIONS = frozenset({"kind", "account", "block_ref", "allocation_ref", "status"})
_DEFAULT_BY = {Wrong.PRICE: Decimal("0.01")}
AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class PostTradeRule:
    """When what goes wrong. ``accounts`` and ``settlement_date`` are the client's, ``account`` is the wrong one."""

    id: str
    do: Wrong
    when: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    seconds: float = 60.0
    by: Decimal = Decimal(1)
    account: str = ""
    cl_ord_id: str = ""
    accounts: Mapping[str, Decimal] = field(default_factory=dict)
    settlement_date: date | None = None

    def fits(self, message: PostTradeMessage) -> bool:
        """Whether a message matches all conditions."""
        facts = {
            "kind": message.kind.value,
            "account": message.accounts[0].account if message.accounts else "",
            "block_ref": message.block_ref,
            "allocation_ref": message.allocation_ref,
            "status": message.ack_status.value if message.ack_status else "",
        }
        wanted = {"kind": MessageKind.CONFIRMATION.value} | dict(self.when)
        return all(facts[name] == value for name, value in wanted.items())


@dataclass(frozen=True, slots=True)
class PostTradePlan:
    """The part of a script that concerns what comes after the trade."""

    rules: tuple[PostTradeRule, ...] = ()
    seed: int = 0
    one_in: int = 0


def parse_post_trade(rules: Any, errors: Mapping[str, Any]) -> PostTradePlan:
    """From JSON. Raises ValueError, TypeError or KeyError when it has another shape."""
    return PostTradePlan(
        tuple(_rule(row) for row in rules), seed=int(errors.get("seed", 0)), one_in=int(errors.get("one_in", 0))
    )


def _rule(row: Mapping[str, Any]) -> PostTradeRule:
    do, when = Wrong(row["do"]), {str(name): str(value) for name, value in row.get("when", {}).items()}
    if set(when) - _CONDITIONS:
        raise ValueError(f"unknown conditions {sorted(set(when) - _CONDITIONS)}")
    settles = row.get("settlement_date")
    return PostTradeRule(
        id=str(row["id"]),
        do=do,
        when=when,
        times=int(row.get("times", 1)),
        seconds=float(row.get("seconds", 60)),
        by=Decimal(str(row["by"])) if "by" in row else _DEFAULT_BY.get(do, Decimal(1)),
        account=str(row.get("account", "")),
        cl_ord_id=str(row.get("cl_ord_id", "")),
        accounts={str(name): Decimal(str(share)) for name, share in row.get("accounts", {}).items()},
        settlement_date=date.fromisoformat(settles) if settles else None,
    )


class PostTradeScript:
    """The current plan and how often each rule has fired."""

    def __init__(self) -> None:
        self.plan = PostTradePlan()
        self._fired: dict[str, int] = {}

    def refuses(self, message: PostTradeMessage) -> bool:
        """Whether an instruction is to be rejected."""
        return self._fire(message, frozenset({Wrong.REJECT_BLOCK})) is not None

    def due_clients(self) -> list[PostTradeRule]:
        """What a client is to allocate and has not been handed out."""
        due = [one for one in self.plan.rules if one.do is Wrong.CLIENT_ALLOCATES and one.id not in self._fired]
        self._fired |= {one.id: 1 for one in due}
        return due

    def bend(self, said: Said) -> list[Said]:
        """What is said instead."""
        rule = self._fire(said.message, frozenset(Wrong) - NOT_ON_MESSAGES) or self._by_seed(said.message)
        return [said] if rule is None else bent(said, rule)

    def _fire(self, message: PostTradeMessage, deeds: frozenset[Wrong]) -> PostTradeRule | None:
        for rule in self.plan.rules:
            fired = self._fired.get(rule.id, 0)
            fits = rule.do is Wrong.REJECT_BLOCK or rule.fits(message)
            if rule.do in deeds and fits and (rule.times == 0 or fired < rule.times):
                self._fired[rule.id] = fired + 1
                return rule
        return None

    def _by_seed(self, message: PostTradeMessage) -> PostTradeRule | None:
        """One confirmation in ``one_in``, chosen by what it is about alone."""
        if (
            not self.plan.one_in
            or message.kind is not MessageKind.CONFIRMATION
            or message.trans_type is TransType.CANCEL
        ):
            return None
        about = f"{self.plan.seed}|{message.block_ref}|{message.allocation_ref}|{message.accounts[0].account}"
        drawn = int.from_bytes(sha256(about.encode()).digest()[:8], "big")
        if drawn % self.plan.one_in:
            return None
        do = BY_SEED[drawn // self.plan.one_in % len(BY_SEED)]
        return PostTradeRule(id="seed", do=do, by=_DEFAULT_BY.get(do, Decimal(1)))


def bent(said: Said, rule: PostTradeRule) -> list[Said]:
    """What a rule makes of a message."""
    message = said.message
    match rule.do:
        case Wrong.LATE:
            return [replace(said, after=said.after + rule.seconds)]
        case Wrong.MISSING:
            return []
        case Wrong.DUPLICATE:
            return [said, replace(said, after=said.after + AGAIN_S)]
        case Wrong.SETTLEMENT_DATE if message.settlement_date is not None:
            return [
                replace(said, message=replace(message, settlement_date=message.settlement_date + timedelta(days=1)))
            ]
        case Wrong.REJECT if message.kind is MessageKind.CONFIRMATION_ACK:
            no = replace(message, ack_status=AckStatus.REJECTED, reject_code="99", text="We do not agree")
            return [replace(said, message=no)]
        case Wrong.CANCEL_AND_RESEND if message.accounts:
            gone = replace(message, ref=f"{message.ref}-X", ref_of=message.ref, trans_type=TransType.CANCEL)
            anew = replace(message, ref=f"{message.ref}-2")
            return [
                said,
                Said(gone, said.about, said.after + AGAIN_S),
                Said(anew, said.about, said.after + 2 * AGAIN_S),
            ]
        case _ if message.accounts:
            line = _wrong_line(message, message.accounts[0], rule)
            told = replace(message, avg_px=line.avg_px, accounts=(line, *message.accounts[1:]))
            return [replace(said, message=told)]
        case _:
            return [said]


def _wrong_line(message: PostTradeMessage, line: AccountLine, rule: PostTradeRule) -> AccountLine:
    costs = rule.by if message.side == "1" else -rule.by
    net = line.net or ZERO
    match rule.do:
        case Wrong.PRICE if line.gross is not None and line.avg_px:
            price = line.avg_px + rule.by
            gross = round_money(line.gross * price / line.avg_px, message.currency)
            return replace(line, avg_px=price, gross=gross, net=net + gross - line.gross)
        case Wrong.FEE:
            return replace(line, fees=(line.fees or ZERO) + rule.by, net=net + costs)
        case Wrong.COMMISSION:
            return replace(line, commission=(line.commission or ZERO) + rule.by, net=net + costs)
        case Wrong.NET:
            return replace(line, net=net + rule.by)
        case Wrong.ACCOUNT:
            return replace(line, account=rule.account or f"{line.account}X")
        case _:
            return line
