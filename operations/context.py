"""What every page's frame shows: mode band, build, where the live stream is, how the person wants to see things."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from authorisation.models import User
from operations.navigation import home_of, page_at, pages_of


def stream_url(request: HttpRequest) -> str:
    """Address of the live stream for this browser: the configured one, else the same host on the stream port."""
    if settings.STREAM_URL:
        return f"{settings.STREAM_URL}/stream"
    host = request.get_host()
    if not host.endswith("]"):
        host = host.rsplit(":", 1)[0]
    return f"{request.scheme}://{host}:{settings.STREAM_PORT}/stream"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Frame values; those of a person only when one is signed in."""
    values: dict[str, Any] = {
        "oms_mode": settings.MODE,
        "oms_band": {"live": "", "demo": "DEMO", "test": "TEST"}[settings.MODE],
        "oms_build": settings.BUILD,
        "oms_zone": "Europe/London",
        "oms_theme": "system",
        "oms_density": "standard",
    }
    user = getattr(request, "user", None)
    if isinstance(user, User):
        palette, letters = (request.COOKIES.get(settings.COOKIE_PREFIX + name, "") for name in ("palette", "letters"))
        session = request.session.session_key or ""
        values |= {
            "oms_stream": stream_url(request),
            "oms_zone": user.time_zone,
            "oms_theme": user.theme,
            "oms_density": user.density,
            "oms_palettes": PALETTES,
            "oms_cookie_prefix": settings.COOKIE_PREFIX,
            "oms_palette": palette if palette in PALETTES else "",
            "oms_letters": "off" if letters == "off" else "on",
            "oms_pages": (),
            "oms_home": "/",
            "oms_session": hashlib.sha256(f"{user.pk}:{session}".encode()).hexdigest()[:16],
            "export_forms": EXPORT_FORMS,
            "evidence_forms": EVIDENCE_FORMS,
        }
    actor = getattr(request, "principal", None)  # left by the edge; nothing without it has a bar
    if actor is not None:
        values |= {"oms_pages": pages_of(actor), "oms_home": home_of(actor), "oms_page": page_at(request.path)}
    return values


EXPORT_FORMS = {
    "csv": "CSV", "csv-bom": "CSV for a spreadsheet (BOM)", "xlsx": "XLSX", "json": "JSON", "pdf": "PDF",
}  # fmt: skip
EVIDENCE_FORMS = {"zip": "ZIP, with proof", "json": "One JSON, with proof", "pdf": "PDF to read"}
PALETTES = {
    "blue-rust": "Blue and rust",
    "green-red": "Green and red",
    "red-green": "Red and green (East Asia)",
    "mono": "No colour",
}
