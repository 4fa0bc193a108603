"""An address is believed of the connection and of proxies we named, never of the client."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from authorisation.sources import source_of
from oms_project.settings import networks


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "source"),
    [
        ("192.0.2.7", "", "", "192.0.2.7"),
        ("192.0.2.7", "10.9.9.9", "", "192.0.2.7"),
        ("192.0.2.7", "10.9.9.9", "127.0.0.0/8", "192.0.2.7"),
        ("127.0.0.1", "203.0.113.5", "127.0.0.0/8", "203.0.113.5"),
        ("127.0.0.1", "10.9.9.9, 203.0.113.5", "127.0.0.0/8", "203.0.113.5"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.5, 10.0.0.2", "127.0.0.0/8,10.0.0.0/8", "203.0.113.5"),
        ("127.0.0.1", "not an address", "127.0.0.0/8", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.0/8", "127.0.0.1"),
        ("", "203.0.113.5", "127.0.0.0/8", "203.0.113.5"),
        ("", "203.0.113.5", "", ""),
        ("::ffff:192.0.2.7", "", "", "192.0.2.7"),
        ("2001:DB8:0:0::1", "", "", "2001:db8::1"),
    ],
)
def test_the_source(settings: Any, peer: str, forwarded: str, proxies: str, source: str) -> None:
    settings.TRUSTED_PROXIES = networks(proxies)
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert source_of(request) == source


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="OMS_TRUSTED_PROXIES"):
        networks("10.0.0.0/8,everywhere")
