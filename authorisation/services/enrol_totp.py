"""Give a person an authenticator app whose first code was right."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.second_factor import step_of_code
from authorisation.models import Factor, User
from authorisation.sealing import seal
from authorisation.services._factors import keep_factor
from kernel.errors import Refused
from kernel.ids import new_id


def enrol_totp(*, user: User, at: datetime, secret: str, code: str, name: str) -> UUID:
    """An authenticator app. Raises Refused CODE_WRONG unless the code is of now, FACTORS_TOO_MANY."""
    step = step_of_code(secret, code, at=at, last_step=0)
    if step is None:
        raise Refused("CODE_WRONG", "That is not the code the app shows for this account now. Look again.")
    factor_id = new_id()
    factor = Factor(
        id=factor_id,
        user=user,
        kind=Factor.Kind.TOTP,
        name=name.strip()[:60] or "Authenticator app",
        secret=seal(secret.encode(), about=f"totp:{factor_id}"),
        last_step=step,
        created_at=at,
    )
    keep_factor(user, factor, at)
    return factor_id
