"""Keep how a person wants to see the screens. Preferences change no right and no figure."""

from __future__ import annotations

from zoneinfo import available_timezones

from authorisation.domain.principal import Principal
from authorisation.models import User
from kernel.errors import Invalid

THEMES = {"system": "As the system", "light": "Light", "dark": "Dark", "contrast": "High contrast"}
DENSITIES = {"comfortable": "Comfortable, 36 px", "standard": "Standard, 28 px", "dense": "Dense, 20 px"}


def save_preferences(*, actor: Principal, theme: str, density: str, time_zone: str) -> None:
    """Store theme, density and zone of the actor. Raises Invalid for a value that is not offered."""
    faults: dict[str, list[str]] = {}
    if theme not in THEMES:
        faults["theme"] = ["Choose one of the themes."]
    if density not in DENSITIES:
        faults["density"] = ["Choose one of the densities."]
    if time_zone not in available_timezones():
        faults["time_zone"] = ["There is no such zone."]
    if faults:
        raise Invalid("PREFERENCE_UNKNOWN", next(iter(faults.values()))[0], faults)
    User.objects.filter(pk=actor.user_id).update(theme=theme, density=density, time_zone=time_zone)
