"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    """Mode band, build, stream address."""
    return {"oms_mode": settings.MODE, "oms_build": settings.BUILD}
