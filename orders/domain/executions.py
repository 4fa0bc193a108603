"""Trades, busts, corrections and splits: what each execution is effectively worth.

Invariants: ``cum_qty`` is the sum of the quantities that the venue states and ``notional`` the sum of quantity times price,
exactly; a bust is final; a correction or bust whose trade is not here yet is parked and applied when it comes; a split changes
what is stated and nothing of what is booked, because the shares that it brings are booked by the corporate action (ADR 0066).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from kernel.numbers import PRICE_PLACES, QTY_PLACES, ZERO
from orders.domain.state import EXACT, Exec, Fact, Note, State

TRADES = frozenset("F12")  # 4.4 says Trade; 1 and 2 are the 4.2 fills, for adapters that pass them on
BUST = "H"
CORRECTION = "G"


def add_trade(state: State, fact: Fact) -> State:
    """A new execution, unless it has no quantity. Corrections and busts that waited for it are applied at once."""
    if fact.last_qty <= ZERO:
        sentence = "The venue reported a trade without a positive quantity; it was kept and not counted."
        return _noted(
            state, Note(f"TRADE_WITHOUT_QTY:{fact.identity}", "TRADE_WITHOUT_QTY", "high", sentence, fact.exec_id)
        )
    state = add_trades(state, (fact,))
    return _unpark(state) if state.parked else state


def add_trades(state: State, facts: Sequence[Fact]) -> State:
    """New executions, each with a quantity, for which nothing waits."""
    if not facts:
        return state
    cum_qty, notional = state.cum_qty, state.notional
    for fact in facts:
        cum_qty = EXACT.add(cum_qty, fact.last_qty)
        notional = EXACT.add(notional, EXACT.multiply(fact.last_qty, fact.last_px))
    trades = [Exec(f.identity, (f.exec_id,), f.last_qty, f.last_px, f.last_qty, f.last_px) for f in facts]
    return state._replace(execs=(*state.execs, *trades), cum_qty=cum_qty, notional=notional)


def amend_trade(state: State, fact: Fact) -> State:
    """Apply a correction or bust to the trade it names, or park it until that trade is reported."""
    matches = _matches(state.execs, _reference(fact))
    if not matches:
        return state._replace(parked=(*state.parked, fact))
    if len(matches) > 1:
        # ExecIDs repeat at some venues. Never guess by economics: the youngest live one is taken and a person is told.
        sentence = "A correction or bust names an ExecID that several trades carry; the latest live one was taken."
        state = _noted(
            state, Note(f"AMBIGUOUS_REF:{fact.identity}", "AMBIGUOUS_REF", "high", sentence, _reference(fact))
        )
    state = _apply_version(state, matches[-1], fact)
    return _unpark(state) if state.parked else state


def split(state: State, old_qty: Decimal, new_qty: Decimal) -> State:
    """State every execution so far by ``new_qty / old_qty`` and its price by the inverse: a split makes no trade.

    Where the ratio does not divide, what is rounded is the sum so far: so all of them together are CumQty by the ratio, and an
    order that was filled, not more, is filled and not more.
    """
    execs, before, after = [], ZERO, ZERO
    for e in state.execs:
        before = EXACT.add(before, e.qty)
        reached = _ratio(before, new_qty, old_qty, QTY_PLACES)
        execs.append(
            e._replace(
                qty=EXACT.subtract(reached, after),
                px=_ratio(e.px, old_qty, new_qty, PRICE_PLACES),
                new=EXACT.multiply(e.new, new_qty),
                old=EXACT.multiply(e.old, old_qty),
                kept=e.booked,
            )
        )
        after = reached
    # A parked correction speaks of the old shares too; scaled here, it fits the trade whenever that comes.
    parked = tuple(
        f._replace(
            last_qty=_ratio(f.last_qty, new_qty, old_qty, QTY_PLACES),
            last_px=_ratio(f.last_px, old_qty, new_qty, PRICE_PLACES),
        )
        for f in state.parked
    )
    new, old = EXACT.multiply(state.new, new_qty), EXACT.multiply(state.old, old_qty)
    return _summed(state._replace(execs=tuple(execs), parked=parked, new=new, old=old))


def orphan_notes(state: State) -> tuple[Note, ...]:
    """One note for each correction or bust that still waits for its trade."""
    sentence = "The venue corrected or busted a trade that it has not reported; it waits for that trade."
    return tuple(Note(f"PARKED:{f.identity}", "PARKED_BUST", "high", sentence, _reference(f)) for f in state.parked)


def _apply_version(state: State, place: int, fact: Fact) -> State:
    old = state.execs[place]
    if old.busted and fact.kind == CORRECTION:
        # "A trade cancel cannot be cancelled": the bust stands and the contradiction is shown.
        sentence = "The venue corrected a trade that it had busted; the bust stands."
        return _noted(
            state, Note(f"CORRECTED_BUST:{fact.identity}", "CORRECTED_BUST", "high", sentence, _reference(fact))
        )
    versions = old.versions if fact.exec_id in old.versions else (*old.versions, fact.exec_id)
    if fact.kind == BUST or fact.last_qty < ZERO:
        kept = None if old.kept is None else (ZERO, old.kept[1])
        new = old._replace(versions=versions, qty=ZERO, px=old.px, busted=True, kept=kept)
    else:
        kept = None if old.kept is None else _in_old_shares(old, fact)
        new = old._replace(versions=versions, qty=fact.last_qty, px=fact.last_px, kept=kept)
    execs = (*state.execs[:place], new, *state.execs[place + 1 :])
    return state._replace(
        execs=execs,
        cum_qty=EXACT.add(state.cum_qty, EXACT.subtract(new.qty, old.qty)),
        notional=EXACT.add(
            state.notional, EXACT.subtract(EXACT.multiply(new.qty, new.px), EXACT.multiply(old.qty, old.px))
        ),
    )


def _in_old_shares(execution: Exec, fact: Fact) -> tuple[Decimal, Decimal]:
    """A correction that speaks of new shares, in those of the trade: as many, at the price at which they are worth the same."""
    qty = _ratio(fact.last_qty, execution.old, execution.new, QTY_PLACES)
    if not qty:
        return ZERO, _ratio(fact.last_px, execution.new, execution.old, PRICE_PLACES)
    return qty, _ratio(fact.last_px, fact.last_qty, qty, PRICE_PLACES)


def _unpark(state: State) -> State:
    """Apply what can be applied now; applying one version may be what another waited for."""
    progress = True
    while progress and state.parked:
        progress = False
        for place, fact in enumerate(state.parked):
            matches = _matches(state.execs, _reference(fact))
            if matches:
                rest = state.parked[:place] + state.parked[place + 1 :]
                state = _apply_version(state._replace(parked=rest), matches[-1], fact)
                progress = True
                break
    return state


def _reference(fact: Fact) -> str:
    # Some venues bust under the trade's own ExecID and leave ExecRefID out.
    return fact.exec_ref_id or fact.exec_id


def _matches(execs: tuple[Exec, ...], reference: str) -> list[int]:
    """Places of the trades known by this ExecID, live ones last, in order of their report."""
    found = [place for place, e in enumerate(execs) if reference in e.versions]
    if len(found) > 1:
        live = [place for place in found if not execs[place].busted]
        return live or found[-1:]
    return found


def _ratio(value: Decimal, up: Decimal, down: Decimal, places: Decimal) -> Decimal:
    exact = EXACT.divide(EXACT.multiply(value, up), down)
    rounded = exact.quantize(places, rounding=ROUND_HALF_EVEN, context=EXACT)
    return EXACT.normalize(rounded) if rounded else ZERO


def _summed(state: State) -> State:
    cum_qty, notional = ZERO, ZERO
    for e in state.execs:
        cum_qty = EXACT.add(cum_qty, e.qty)
        notional = EXACT.add(notional, EXACT.multiply(e.qty, e.px))
    return state._replace(cum_qty=cum_qty, notional=notional)


def _noted(state: State, note: Note) -> State:
    return state._replace(notes=(*state.notes, note))
