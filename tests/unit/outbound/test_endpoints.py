"""Where the house may send by itself: hostile URLs and addresses, one a line."""

from __future__ import annotations

import pytest

from outbound.domain.endpoints import Endpoint, Reach, all_reachable, is_reachable, read_endpoint

LIVE, DEMO = Reach(), Reach(loopback=True)

HOSTILE = {
    "nothing": "",
    "no scheme": "hooks.example.com/x",
    "plain http": "http://hooks.example.com/",
    "file": "file:///etc/passwd",
    "gopher": "gopher://hooks.example.com/",
    "ftp": "ftp://hooks.example.com/",
    "javascript": "javascript:alert(1)",
    "scheme only": "https://",
    "no host": "https:///path",
    "user": "https://user@hooks.example.com/",
    "user and password": "https://user:secret@hooks.example.com/",
    "user that looks like a host": "https://hooks.example.com@169.254.169.254/",
    "empty user": "https://@hooks.example.com/",
    "user in disguise": "https://hooks.example.com%40169.254.169.254/",
    "backslash host": "https://169.254.169.254\\@hooks.example.com/",
    "backslash path": "https://hooks.example.com\\@inside/",
    "fragment": "https://hooks.example.com/#x",
    "empty fragment": "https://hooks.example.com/#",
    "line break": "https://hooks.example.com/\r\nHost: inside",
    "tab": "https://hooks.example.com/\tx",
    "blank": "https://hooks.example.com/a b",
    "leading blank": " https://hooks.example.com/",
    "NUL": "https://hooks.example.com/\x00",
    "other letters": "https://hööks.example.com/",
    "letters that look alike": "https://еxample.com/",
    "full width digits": "https://１２７.0.0.1/",
    "ideographic stop": "https://hooks。example.com/",
    "circled letters": "https://ⓔxample.com/",
    "port of ssh": "https://hooks.example.com:22/",
    "port of redis": "https://hooks.example.com:6379/",
    "port of http": "https://hooks.example.com:80/",
    "port zero": "https://hooks.example.com:0/",
    "port too high": "https://hooks.example.com:70000/",
    "port of letters": "https://hooks.example.com:https/",
    "loopback": "https://127.0.0.1/",
    "loopback name": "https://localhost/",
    "loopback name below": "https://hooks.localhost/",
    "loopback with port": "https://localhost:8443/",
    "loopback short": "https://127.1/",
    "loopback decimal": "https://2130706433/",
    "loopback hex": "https://0x7f000001/",
    "loopback dotted hex": "https://0x7f.0.0.1/",
    "loopback octal": "https://0177.0.0.1/",
    "zero": "https://0/",
    "all zeros": "https://0.0.0.0/",
    "loopback v6": "https://[::1]/",
    "mapped v6": "https://[::ffff:127.0.0.1]/",
    "mapped v6 hex": "https://[::ffff:7f00:1]/",
    "v6 with zone": "https://[fe80::1%25eth0]/",
    "unspecified v6": "https://[::]/",
    "open bracket": "https://[::1/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "metadata name": "https://metadata.google.internal/",
    "private": "https://10.0.0.1/",
    "public address": "https://93.184.215.14/",
    "public v6 address": "https://[2606:4700::1111]/",
    "single label": "https://vault/",
    "trailing dot": "https://hooks.example.com./",
    "two dots": "https://hooks..example.com/",
    "leading hyphen": "https://-hooks.example.com/",
    "underscore": "https://my_hooks.example.com/",
    "label too long": f"https://{'a' * 64}.example.com/",
    "inside: local": "https://printer.local/",
    "inside: internal": "https://db.internal/",
    "inside: lan": "https://nas.lan/",
    "inside: corp": "https://git.corp/",
    "inside: arpa": "https://router.home.arpa/",
    "onion": "https://expyuzz4wqqyqhjn.onion/",
    "numeric top": "https://example.1/",
    "too long": "https://hooks.example.com/" + "a" * 500,
}


@pytest.mark.parametrize("url", HOSTILE.values(), ids=HOSTILE)
def test_the_house_does_not_send_there(url: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_endpoint(url, LIVE)


@pytest.mark.parametrize("url", [url for url in HOSTILE.values() if "localhost:8443" not in url])
def test_nor_does_a_demonstration(url: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_endpoint(url, DEMO)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://hooks.example.com", Endpoint(True, "hooks.example.com", 443, "/")),
        ("https://hooks.example.com/a/b?c=d%20e", Endpoint(True, "hooks.example.com", 443, "/a/b?c=d%20e")),
        ("https://HOOKS.example.COM:8443/", Endpoint(True, "hooks.example.com", 8443, "/")),
        ("https://xn--hks-sna.example.xn--p1ai/", Endpoint(True, "xn--hks-sna.example.xn--p1ai", 443, "/")),
    ],
)
def test_public_names_over_https_are_sent_to(url: str, endpoint: Endpoint) -> None:
    assert read_endpoint(url, LIVE) == endpoint


@pytest.mark.parametrize("url", ["http://127.0.0.1:9999/x", "https://localhost:9999/", "http://[::1]:9999/"])
def test_a_demonstration_may_send_to_itself(url: str) -> None:
    assert read_endpoint(url, DEMO).port == 9999
    with pytest.raises(ValueError, match=r"\.$"):
        read_endpoint(url, LIVE)


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "http://127.0.0.1:80/", "http://localhost:22/"])
def test_even_then_not_to_what_the_machine_serves(url: str) -> None:
    with pytest.raises(ValueError, match="1024"):
        read_endpoint(url, DEMO)


def test_the_host_header_names_the_port_where_it_is_unusual() -> None:
    assert read_endpoint("https://hooks.example.com:8443/", LIVE).authority == "hooks.example.com:8443"
    assert read_endpoint("https://hooks.example.com:443/", LIVE).authority == "hooks.example.com"
    assert read_endpoint("http://[::1]:9999/", DEMO).authority == "[::1]:9999"


INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2001:10::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1",
    "", "localhost", "1", "127.1", "0x7f000001", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_connected_to(address: str) -> None:
    assert not is_reachable(address, LIVE)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::5", "::ffff:1.1.1.1"]
)
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_reachable(address, LIVE)


def test_one_address_inside_spoils_a_name() -> None:
    assert all_reachable(["1.1.1.1", "2606:4700::1111"], LIVE)
    assert not all_reachable(["1.1.1.1", "10.0.0.1"], LIVE)
    assert not all_reachable([], LIVE)


def test_loopback_is_a_demonstrations_alone_and_nothing_else_inside_is() -> None:
    assert all_reachable(["127.0.0.1", "::1", "::ffff:127.0.0.1"], DEMO)
    assert not any(is_reachable(one, DEMO) for one in ("10.0.0.1", "169.254.169.254", "fe80::1", "0.0.0.0"))
