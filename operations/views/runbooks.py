"""Runbooks: what to do about a kind of matter, with the buttons that are safe."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from operations.selectors.exception_actions import buttons_for
from operations.selectors.runbooks import get_runbook, list_runbooks
from operations.views.edge import page


@require_GET
@page
def runbooks(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Every runbook with what it is for."""
    return render(request, "operations/runbooks.html", {"runbooks": list_runbooks()})


@require_GET
@page
def runbook(request: HttpRequest, actor: Principal, number: str) -> HttpResponse:
    """One runbook."""
    found = get_runbook(number)
    return render(
        request, "operations/runbook.html", {"runbook": found, "buttons": buttons_for(found.actions, None, actor)}
    )
