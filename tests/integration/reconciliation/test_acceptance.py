"""A file that waits is let in by a second person, on the books of now, as it was shown, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from accounts.models import Booking
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors import get_principal
from authorisation.selectors.requests import facts_of
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted
from operations.approving import KINDS
from operations.selectors.intakes import describe_start_of_day
from reconciliation.models import Intake
from reconciliation.services.ask_acceptance import ask_acceptance
from reconciliation.services.cancel_intake import cancel_intake
from tests.factories import DeskWorld
from tests.factories.accounts import funded_account
from tests.factories.authorisation import person
from tests.factories.busy_day import told_desk
from tests.integration.reconciliation.test_take_in import LATER, TODAY, D, settled, taken

pytestmark = pytest.mark.django_db
TEXT = f"account,currency,amount,as_of\nTOLD-EQ1,GBP,900,{TODAY}\nNOBODY,GBP,5,{TODAY}\n"


@pytest.fixture
def world() -> DeskWorld:
    return told_desk(cash="1000", stock="500")


@pytest.fixture
def keepers() -> tuple[Principal, Principal]:
    """Two people of operations."""
    both = [person(name, rights=("work_break", "decide_break")) for name in ("keeper", "second")]
    one, other = (get_principal(user) for user in both)
    return one, other


def ask(keeper: Principal, intake: Intake) -> UUID:
    return ask_acceptance(actor=keeper, at=LATER, intake_id=intake.id, reason="Spoken to the bank.")


def decide(who: Principal, request_id: UUID, verdict: str = "approve") -> Decided:
    request = AuthorisationRequest.objects.get(pk=request_id)
    done: Decided = KINDS["start_of_day"].decide(
        actor=who, at=LATER + timedelta(minutes=1), authorisation_id=request_id, verdict=verdict, reason_code="OTHER",
        reason="Called back.", payload_hash=request.payload_hash,
    )  # fmt: skip
    return done


def test_a_second_person_lets_it_in_without_its_bad_rows(
    world: DeskWorld, keepers: tuple[Principal, Principal]
) -> None:
    intake = taken(TEXT)
    request_id = ask(keepers[0], intake)
    bookings = Booking.objects.count()

    effect = describe_start_of_day(keepers[1], facts_of(AuthorisationRequest.objects.get(pk=request_id)), LATER)
    assert Booking.objects.count() == bookings
    assert (effect.obstacle, effect.lines[0].now, effect.lines[0].then) == ("", "1,000", "900")

    assert decide(keepers[1], request_id).outcome == "applied"

    intake.refresh_from_db()
    assert (intake.state, intake.refused, settled("TOLD-EQ1")) == ("applied", 1, D(900))
    told = Event.objects.get(kind="StatementBooked")
    assert (told.actor, told.on_behalf_of) == ("process:start_of_day", keepers[1].actor)


def test_nobody_accepts_what_they_asked_for(world: DeskWorld, keepers: tuple[Principal, Principal]) -> None:
    request_id = ask(keepers[0], taken(TEXT))

    with pytest.raises(NotPermitted) as caught:
        decide(keepers[0], request_id)

    assert caught.value.code == "SELF_APPROVAL"
    assert settled("TOLD-EQ1") == D(1000)


def test_declined_it_stays_out_and_can_be_asked_again(world: DeskWorld, keepers: tuple[Principal, Principal]) -> None:
    intake = taken(TEXT)

    assert decide(keepers[1], ask(keepers[0], intake), "decline").outcome == "declined"

    intake.refresh_from_db()
    assert (intake.state, settled("TOLD-EQ1")) == ("waiting", D(1000))
    assert decide(keepers[1], ask(keepers[0], intake)).outcome == "applied"


def test_it_is_not_applied_when_more_is_wrong_than_was_shown(
    world: DeskWorld, keepers: tuple[Principal, Principal]
) -> None:
    other = funded_account("AC2", cash="50")
    text = TEXT + f"AC2,GBP,60,{TODAY}\n"
    request_id = ask(keepers[0], taken(text))
    type(other).objects.filter(pk=other.pk).update(state="closed")

    done = decide(keepers[1], request_id)

    assert done.outcome == "not_applied"
    assert "closed" in done.sentence
    assert (settled("TOLD-EQ1"), settled("AC2")) == (D(1000), D(50))


def test_it_is_not_applied_when_a_newer_file_took_its_place(
    world: DeskWorld, keepers: tuple[Principal, Principal]
) -> None:
    request_id = ask(keepers[0], taken(TEXT))
    taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,800,{TODAY}\n")

    assert decide(keepers[1], request_id).outcome == "not_applied"
    assert settled("TOLD-EQ1") == D(800)


def test_what_can_be_asked_and_put_away(world: DeskWorld, keepers: tuple[Principal, Principal]) -> None:
    clean = taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,800,{TODAY}\n")
    with pytest.raises(Conflict, match="INTAKE_NOT_WAITING"):
        ask(keepers[0], clean)
    intake = taken(TEXT)
    with pytest.raises(NotPermitted):
        ask(replace(keepers[0], rights=frozenset()), intake)
    with pytest.raises(Invalid, match="REASON_INVALID"):
        ask_acceptance(actor=keepers[0], at=LATER, intake_id=intake.id, reason=" ")
    ask(keepers[0], intake)
    with pytest.raises(Conflict, match="DECISION_PENDING"):
        ask(keepers[0], intake)

    canceled = cancel_intake(actor=keepers[0], at=LATER, intake_id=intake.id, reason="The wrong file.")

    assert canceled.state == "canceled"
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="INTAKE_STOPPED").count() == 1
    with pytest.raises(Conflict, match="INTAKE_ENDED"):
        cancel_intake(actor=keepers[0], at=LATER, intake_id=intake.id, reason="Again.")
