"""A code of an authenticator app, or a recovery code, against lock-out. Right once: neither is ever taken again."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction

from authorisation import security_log
from authorisation.domain.second_factor import recovery_digest, step_of_code
from authorisation.locks import lock_factors
from authorisation.models import Factor, RecoveryCode, User
from authorisation.sealing import is_current, seal, unseal
from authorisation.services import _failures

TOTP = "totp"
RECOVERY = "recovery_code"


def check_code(*, user: User, code: str, at: datetime, source: str) -> str:
    """``totp`` or ``recovery_code`` when it is right, else empty: wrong, used or locked, never said which.

    After five wrong codes in a row no code of the person is tried for 30 s, doubling to 15 minutes.
    """
    key = _failures.of_second_factor(user.pk)
    if _failures.is_locked(key, at=at):
        _tell(user, source, "LOCKED")
        return ""
    with transaction.atomic():
        factors = lock_factors(user.pk)
        if any(_take_code(factor, code, at) for factor in factors if factor.kind == Factor.Kind.TOTP):
            found = TOTP
        else:
            found = RECOVERY if factors and _take_recovery_code(user, code, at) else ""
    if not found:
        _failures.count(key, at)
        _tell(user, source, "WRONG")
        return ""
    _failures.forget(key)
    return found


def secret_of(factor: Factor) -> str:
    """The Base32 secret of an authenticator app. Raises InvariantBroken SEALED_UNREADABLE."""
    return unseal(factor.secret, about=f"totp:{factor.pk}").decode()


def _take_code(factor: Factor, code: str, at: datetime) -> bool:
    secret = secret_of(factor)
    step = step_of_code(secret, code, at=at, last_step=factor.last_step)
    if step is None:
        return False
    factor.last_step, factor.last_used_at = step, at
    if not is_current(factor.secret):
        factor.secret = seal(secret.encode(), about=f"totp:{factor.pk}")
    factor.save(update_fields=["last_step", "last_used_at", "secret"])
    return True


def _take_recovery_code(user: User, code: str, at: datetime) -> bool:
    digest = recovery_digest(code)
    unused = RecoveryCode.objects.filter(user=user, digest=digest or "", used_at__isnull=True)
    return bool(digest and unused.update(used_at=at))


def _tell(user: User, source: str, why: str) -> None:
    security_log.write("SECOND_FACTOR_REFUSED", user=user.actor, source=source, level=logging.WARNING, why=why)
