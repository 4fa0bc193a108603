"""What opens the door once opens it once, however many try at the same moment."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from authorisation.domain.principal import process_principal
from authorisation.models import SignInFailures, User
from authorisation.services import _failures
from authorisation.services.check_code import check_code
from authorisation.services.issue_sign_in_link import issue_sign_in_link
from authorisation.services.make_recovery_codes import make_recovery_codes
from authorisation.services.use_sign_in_link import use_sign_in_link
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import NotFound
from tests.concurrency.threads import together
from tests.integration.authorisation.test_second_factor import code_at, enrolled

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 6


def test_one_code_and_one_recovery_code_let_one_in() -> None:
    user = enrolled()
    at = utc_now()
    recovery = make_recovery_codes(user=user, at=at)[0]
    for code, kind in ((code_at(at), "totp"), (recovery, "recovery_code")):
        found = together([partial(check_code, user=user, code=code, at=at, source="")] * THREADS)
        assert sorted(map(str, found)) == [""] * (THREADS - 1) + [kind]
        SignInFailures.objects.all().delete()


def test_one_link_sets_one_password() -> None:
    user = User(username="new")
    user.set_unusable_password()
    user.save()
    at = utc_now()
    token = issue_sign_in_link(actor=process_principal("test"), at=at, user_id=user.pk)
    tries = [
        partial(use_sign_in_link, token=token, at=at, new=f"a rather long one {n}", again=f"a rather long one {n}")
        for n in range(3)
    ]
    found = together(tries)
    assert sum(isinstance(one, User) for one in found) == 1
    assert sum(isinstance(one, NotFound) for one in found) == 2
    assert Event.objects.filter(kind="PasswordChanged").count() == 1


def test_failures_at_once_are_all_counted_from_the_second_on() -> None:
    at = utc_now()
    _failures.count("a" * 64, at)
    together([partial(_failures.count, "a" * 64, at + timedelta(seconds=1))] * THREADS)
    with transaction.atomic():
        row = SignInFailures.objects.get()
    assert (row.failures, row.locked_until is not None) == (THREADS + 1, True)
