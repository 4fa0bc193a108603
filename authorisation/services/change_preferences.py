"""How a person wants to see things: theme, density, time zone."""

from __future__ import annotations

from zoneinfo import available_timezones

from authorisation.domain.principal import Principal
from authorisation.models import User
from kernel.errors import Invalid

THEMES = ("system", "light", "dark")
DENSITIES = ("standard", "comfortable", "dense")


def change_preferences(*, actor: Principal, theme: str, density: str, time_zone: str) -> None:
    """Keep the preferences of the actor. Raises Invalid PREFERENCES_INVALID per field; then nothing changed."""
    fields: dict[str, list[str]] = {}
    if theme not in THEMES:
        fields["theme"] = [f"The theme must be one of {', '.join(THEMES)}."]
    if density not in DENSITIES:
        fields["density"] = [f"The density must be one of {', '.join(DENSITIES)}."]
    if time_zone not in available_timezones():
        fields["time_zone"] = ["The time zone must be a name of the IANA list, such as Europe/London."]
    if fields:
        raise Invalid("PREFERENCES_INVALID", "Some preferences cannot be kept.", fields)
    user = User.objects.get(pk=actor.user_id)
    user.theme, user.density, user.time_zone = theme, density, time_zone
    user.save(update_fields=["theme", "density", "time_zone"])
