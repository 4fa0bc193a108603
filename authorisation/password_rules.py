"""The one rule for passwords that Django has no validator for: not one of the last five. The others stand in the settings."""

from __future__ import annotations

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError

from authorisation.models import FormerPassword, User

LAST = 5


class NotUsedLatelyValidator:
    """Refuses the present password and the ones before it, five in all."""

    def validate(self, password: str, user: User | None = None) -> None:
        if user is None or user.pk is None:
            return
        former = FormerPassword.objects.filter(user=user).order_by("-replaced_at", "id")
        for known in [user.password, *former.values_list("password", flat=True)[: LAST - 1]]:
            if check_password(password, known):
                raise ValidationError(f"You had this password lately; none of the last {LAST} will do.", code="used")

    def get_help_text(self) -> str:
        return f"Not one of your last {LAST}."


def help_texts() -> list[str]:
    """Every rule in words, for the pages that ask for a password."""
    return password_validators_help_texts()
