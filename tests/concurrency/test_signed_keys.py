"""Many requests of one key at once: a nonce passes once, and the rate holds to the request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from authorisation.models import ApiKey, KeyNonce, User
from authorisation.services.use_key import use_key
from tests.concurrency.threads import together
from tests.factories.partners import issue

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


def outcomes(works: list[Callable[[], Any]]) -> Counter[str]:
    return Counter(getattr(result, "code", "passed") for result in together(works))


def test_a_nonce_passes_once_and_a_rate_holds_when_many_come_at_once() -> None:
    user = User.objects.create(username="pms", kind=User.Kind.SERVICE)
    key = ApiKey.objects.get(pk=issue(user.pk, rate=10, burst=8).id)
    use = partial(use_key, key=key, at=AT, source="192.0.2.1", removes_risk=False)
    assert outcomes([partial(use, nonce="n" * 16)] * 6) == {"passed": 1, "NONCE_USED": 5}
    ApiKey.objects.get(pk=key.pk).use.delete()
    assert outcomes([partial(use, nonce=f"{number:016}") for number in range(20)]) == {"passed": 8, "KEY_RATE": 12}
    assert KeyNonce.objects.filter(key=key).count() == 1 + 8
