"""``./oms kill SCOPE=ID … --reason T --as USER``: press the kill switch; ``--proof ID`` shows what came of a stop.

SCOPE is firm (without an ID), desk, dealer, client, account, strategy, instrument or venue; ID is what people call it or the
id itself. The person named must have the right, as on the page; who sits at the machine stands in the event beside. The
stop is committed before anything is printed, and its proof is followed for ``--wait`` seconds.
Exit code 0: pressed, and every order proven over; 1: not proven yet; 2: nothing was done; 3: the database is away.
"""

from __future__ import annotations

import json
import os
import time
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, BadInput, CannotRun
from oms_project.house.paths import this_house
from oms_project.house.trading import operator

if TYPE_CHECKING:
    from authorisation.domain.principal import Principal
    from risk.services.engage_kill_switch import PressResult

LOOK_EVERY_S = 0.2


def run(arguments: Namespace) -> int:
    """The verb."""
    if bool(arguments.scopes) == bool(arguments.proof):
        raise BadInput("Name what to stop (SCOPE=ID), or ask for the proof of one stop (--proof ID).")
    if arguments.scopes and not (arguments.reason and arguments.user):
        raise BadInput("--reason must say why and --as who presses; both are kept with the stop.")
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import DatabaseError, connections

        from kernel.errors import OmsError

        try:
            return work(arguments)
        except OmsError as wrong:
            raise BadInput(f"{wrong.sentence} Nothing was done.") from wrong
        except DatabaseError as away:
            first = (str(away).strip().splitlines() or [""])[0]
            raise CannotRun(f"The database does not answer ({first}); see `./oms status`.") from away
        finally:
            connections.close_all()


def work(arguments: Namespace) -> int:
    """Press, or show. Django is up."""
    if arguments.proof:
        return show(watcher(), [stop_named(arguments.proof)], as_json=arguments.json)
    actor = person(arguments.user)
    pressed = press(actor, arguments.scopes, arguments.reason)
    if not arguments.json:
        for stop in pressed.stops:
            print(
                f"Stopped: {stop.name}{'' if stop.changed else ' (it was already)'} · stop {stop.stop_id}", flush=True
            )
        if not pressed.drained:
            print("A gateway did not answer: a batch it had been given before may still have left.", flush=True)
    stops = [stop.stop_id for stop in pressed.stops]
    follow(stops, seconds=arguments.wait)
    return show(watcher(), stops, as_json=arguments.json)


def press(actor: Principal, scopes: Sequence[str], reason: str) -> PressResult:
    """Engage it for all of the scopes, or raise before anything is done."""
    from kernel.clock import utc_now
    from operations.selectors.scopes import find_scope
    from risk.services.engage_kill_switch import engage_kill_switch

    pairs = []
    for text in scopes:
        scope, _, name = text.partition("=")
        if scope == "firm" and name:
            raise BadInput("The firm has no ID: write firm alone.")
        pairs.append(find_scope(actor, scope, name))
    return engage_kill_switch(actor=actor, at=utc_now(), scopes=pairs, reason=reason)


def person(username: str) -> Principal:
    """The person who presses, with that person's rights of now; the event also says by which machine's user."""
    from dataclasses import replace

    from authorisation.models import User
    from authorisation.selectors import get_principal

    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise BadInput(f"There is no active user {username}. Nothing was done.")
    found = get_principal(user)
    return replace(found, actor=f"process:oms kill ({operator()})", on_behalf_of=found.actor)


def watcher() -> Principal:
    """Whoever has the machine sees all orders."""
    from dataclasses import replace

    from accounts.models import AccountGroup
    from authorisation.domain.principal import VIEW_ACCOUNT_GROUP, VIEW_DESK, process_principal
    from authorisation.models import Desk

    seen = {
        VIEW_DESK: frozenset(Desk.objects.values_list("pk", flat=True)),
        VIEW_ACCOUNT_GROUP: frozenset(AccountGroup.objects.values_list("pk", flat=True)),
    }
    return replace(process_principal(f"oms kill ({operator()})"), grants=seen)


def stop_named(text: str) -> UUID:
    """The id of a stop as somebody typed it."""
    try:
        return UUID(text)
    except ValueError:
        raise BadInput(f"{text} is not the id of a stop.") from None


def follow(stops: Sequence[UUID], *, seconds: float) -> None:
    """Wait until all of them are proven, or the time is over."""
    from orders.selectors.stopping import list_proof_counts

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        counts = list_proof_counts(sweep_ids=stops)
        if len(counts) == len(stops) and all(one.reached_at and not one.unproven for one in counts.values()):
            return
        time.sleep(LOOK_EVERY_S)


def show(actor: Principal, stops: Sequence[UUID], *, as_json: bool) -> int:
    """The proof of each; 1 when something is not proven."""
    from operations.selectors.stop_proof import get_stop_proof, proof_as_json

    proofs = [proof_as_json(get_stop_proof(actor=actor, stop_id=one, rows=100_000)) for one in stops]
    if as_json:
        print(json.dumps(proofs if len(proofs) > 1 else proofs[0]))
    else:
        for proof in proofs:
            for line in lines_of(proof):
                print(line)
    return HOLDS if all(one["heard"] and not one["unproven"] for one in proofs) else FINDING


def lines_of(proof: dict[str, Any]) -> list[str]:
    """One proof for people."""
    if not proof["heard"]:
        return [f"{proof['name']}: stopped; its cancels wait for the relay, which does not run (./oms status)."]
    states = ", ".join(f"{number:,} {state.replace('_', ' ')}" for state, number in proof["states"].items())
    lines = [
        (
            f"{proof['name']}: {proof['orders']:,} orders, {proof['proven']:,} proven over, {proof['unproven']:,} not; "
            f"{states or 'none was open'}; {proof['filled_after_the_press']:,} executed after the press."
        )
    ]
    if proof["press_to_last_cancel_sent_s"] is not None:
        outcome = proof["press_to_last_outcome_s"]
        lines.append(
            f"  last cancel sent after {proof['press_to_last_cancel_sent_s']:.3f} s, last outcome known after "
            f"{'—' if outcome is None else f'{outcome:.3f} s'}"
        )
    lines += [
        f"  not proven: {one['unproven']:,} at {one['venue'] or one['group'] or 'no venue yet'}, session "
        f"{'logged on' if one['logged_on'] else 'down'}, phone {one['phone'] or 'not kept'}"
        for one in proof["venues"]
    ]
    lines += [
        f"    {one['ref']} {one['symbol']} {one['leaves_qty']} open, {one['state'].replace('_', ' ')}, "
        f"venue's order {one['venue_order_id'] or '—'} {one['text']}".rstrip()
        for one in proof["unproven_orders"]
    ]
    return lines
