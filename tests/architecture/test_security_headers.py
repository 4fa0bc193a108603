"""Every answer carries the security headers, templates hold nothing inline, and live settings refuse what is unsafe."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from kernel.errors import Refused
from oms_project.seed.run import seed_demo
from tests.architecture.addresses import ADDRESSES, Door
from tests.architecture.house import ROOT
from tests.factories.doors import Doors

LISTED = [door for doors in ADDRESSES.values() for door in doors]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = {"'self'", "'none'"}
INLINE = {
    "script": re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.I),
    "style element": re.compile(r"<style\b", re.I),
    "style attribute": re.compile(r"""[\s"']style\s*=""", re.I),
    "on… attribute": re.compile(r"""[\s"'](on[a-z]+|hx-on[:\w-]*)\s*=""", re.I),
    "javascript address": re.compile(r"javascript:", re.I),
    "unescaped output": re.compile(r"\|\s*safe\b|autoescape\s+off", re.I),
}


def weaknesses(headers: Mapping[str, str]) -> list[str]:
    """What the headers of an answer lack; empty when nothing. Asked of every address for every caller in `test_access`."""
    policy = {
        words[0]: words[1:] for part in headers.get("Content-Security-Policy", "").split(";") if (words := part.split())
    }
    found = [
        f"no {name}" for name in ("default-src", "base-uri", "frame-ancestors", "form-action") if name not in policy
    ]
    found += [f"default-src {policy.get('default-src')}"] * (policy.get("default-src") != ["'none'"])
    found += [f"frame-ancestors {policy.get('frame-ancestors')}"] * (policy.get("frame-ancestors") != ["'none'"])
    for name, sources in policy.items():
        loose = [source for source in sources if source not in SOURCES]
        if name == "connect-src":  # the stream server has a port of its own
            loose = [source for source in loose if not re.fullmatch(r"https?://[^*\s]+:\d+", source)]
        found += [f"{name} allows {source}" for source in loose]
    for name, expected in {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }.items():
        if headers.get(name) != expected:
            found.append(f"{name}: {headers.get(name)}")
    return found


@pytest.mark.parametrize("door", [door for door in LISTED if door.method == "POST"], ids=lambda door: door.path)
def test_a_post_without_a_token_is_refused_with_the_headers(doors: Doors, door: Door) -> None:
    answer = doors.call("POST", door.path_for(doors), caller="own", csrf=False)
    assert weaknesses(answer.headers) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/no/such/page", 404),
        ("/api/v1/no-such", 404),
        ("/o/OMS-1", 404),
        ("/static/css/base.css", 200),
        ("/static/js/frame.js", 200),
        ("/static/no-such.css", 404),
        ("/static/../manage.py", 404),
    ],
)
def test_errors_and_static_files_carry_the_headers(doors: Doors, path: str, status: int) -> None:
    answer = doors.call("GET", path, caller="own")
    assert answer.status_code == status
    assert weaknesses(answer.headers) == []


def test_a_failure_of_ours_carries_the_headers_and_tells_nothing(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**given: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("operations.views.frame.get_frame_status", fail)
    monkeypatch.setattr(doors.client, "raise_request_exception", False)
    answer = doors.call("GET", "/frame/status", caller="own")
    assert answer.status_code == 500
    assert b"secret" not in answer.content
    assert b"Traceback" not in answer.content
    assert weaknesses(answer.headers) == []


def test_a_foreign_host_name_is_refused_with_the_headers(doors: Doors) -> None:
    answer: HttpResponse = doors.call("GET", "/sign-in", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert b"evil.example" not in answer.content
    assert weaknesses(answer.headers) == []


def test_cookies_are_for_this_site_and_not_for_scripts() -> None:
    assert (settings.SESSION_COOKIE_HTTPONLY, settings.CSRF_COOKIE_HTTPONLY) == (True, True)
    assert (settings.SESSION_COOKIE_SAMESITE, settings.CSRF_COOKIE_SAMESITE) == ("Strict", "Strict")


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
def test_methods_nobody_uses_are_refused(doors: Doors, method: str) -> None:
    for path in ("/desk", "/sign-in", "/api/v1/orders"):
        answer = doors.client.generic(method, path)
        assert answer.status_code in (302, 401, 405), path
        assert weaknesses(answer.headers) == []


def test_the_api_is_refused_over_plain_http_and_pages_are_led_to_https(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SECURE_SSL_REDIRECT", True)
    browser = Client()  # middleware reads settings when it is made
    refused = browser.get("/api/v1/orders", headers=doors.headers("own"))
    assert (refused.status_code, refused.json()["code"]) == (403, "TLS_NEEDED")
    assert weaknesses(refused.headers) == []
    led = browser.get("/sign-in")
    assert (led.status_code, led.headers["Location"]) == (301, "https://testserver/sign-in")


def test_signing_out_clears_what_the_browser_kept(doors: Doors) -> None:
    assert doors.call("POST", "/sign-out", caller="own").headers["Clear-Site-Data"] == '"cache"'


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_nothing_inline(template: Path) -> None:
    text = template.read_text()
    assert [(name, found.group()) for name, pattern in INLINE.items() for found in pattern.finditer(text)] == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<script>go()</script>", "script"),
        ("<STYLE>a{}</STYLE>", "style element"),
        ('<p style="color:red">', "style attribute"),
        ('<a\nonclick="go()">', "on… attribute"),
        ('<a hx-on::click="go()">', "on… attribute"),
        ('<a href="javascript:go()">', "javascript address"),
        ("{{ text|safe }}", "unescaped output"),
    ],
)
def test_the_scan_sees_what_is_inline(text: str, name: str) -> None:
    assert [kind for kind, pattern in INLINE.items() if pattern.search(text)] == [name]


def settings_say(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Django's command line in an environment with nothing of ours but ``variables``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMS_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(secrets.token_urlsafe(64) + "\n")
    path.chmod(0o600)
    return str(path)


def test_live_settings_pass_the_deployment_check(secret_file: str) -> None:
    arguments = ("check", "--deploy", "--fail-level", "WARNING")
    result = settings_say(*arguments, OMS_MODE="live", OMS_SECRET_KEY_FILE=secret_file)
    assert result.returncode == 0, result.stderr
    assert "0 silenced" in result.stdout


def test_live_is_the_default_and_hides_its_faults(secret_file: str) -> None:
    shown = (
        "from django.conf import settings as s; "
        "print(s.MODE, s.DEBUG, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)"
    )
    result = settings_say("shell", "-v", "0", "-c", shown, OMS_SECRET_KEY_FILE=secret_file)
    assert result.stdout.split() == ["live", "False", "__Host-oms", "__Host-oms_csrf", "True", "True"], result.stderr


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"OMS_MODE": "test", "OMS_DEBUG": "1"}, "Unknown settings OMS_DEBUG"),
        ({"OMS_MODE": "live"}, "OMS_SECRET_KEY_FILE must name a file"),
        ({}, "OMS_SECRET_KEY_FILE must name a file"),
        ({"OMS_MODE": "demo"}, "OMS_SECRET_KEY_FILE must name a file"),
        ({"OMS_MODE": "production"}, "it must be live, demo or test"),
    ],
)
def test_settings_that_are_unknown_or_unsafe_are_refused(variables: dict[str, str], sentence: str) -> None:
    result = settings_say("check", **variables)
    assert result.returncode != 0
    assert sentence in result.stderr


@pytest.mark.django_db
def test_demo_data_is_refused_in_live_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MODE", "live")
    said: list[str] = []
    with pytest.raises(Refused, match="DEMO_DATA_IN_LIVE"):
        seed_demo(said.append)
    assert said == []
