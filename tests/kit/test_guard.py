import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibu.kit.guard import Forbidden, Guard, check_url, is_public


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_internal_address_is_not_public(text: str) -> None:
    """Private, local, shared, multicast, reserved and embedding addresses are refused."""
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "100.63.255.255", "172.32.0.1", "1.1.1.1", "2606:4700::1111", "2a00::1"])
def test_an_ordinary_address_is_public(text: str) -> None:
    """Addresses next to the refused ranges are fine."""
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0X7F.0.0.0x1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://1.2.3.4.5/",
        "http://a.0x/",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://%31%32%37.0.0.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1%25eth0]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://ⓛocalhost/",
        "http://a.localhost/",
        "http://metadata.google.internal/",
        "http://printer.local/",
    ],
)
def test_an_internal_host_is_refused_however_it_is_spelt(url: str) -> None:
    """Decimal, octal, hex, short, full-width, escaped and IPv6 spellings do not help."""
    with pytest.raises(Forbidden):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "/etc/passwd",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://",
        "http:///path",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:x/",
        "http://example.com:22/",
        "http://example.com:25/",
        "http://exa mple.com/",
        "http://example.com\\@10.0.0.1/",
        "http://example.com/\r\nHost: x",
        "http://example.com/\x00",
        "http://exa%20mple.com/",
        "http://a..b/",
        "http://.example.com/",
        "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 200 + "com/",
        "http://[::1/",
        "http://[zz]/",
        "http://xn--\ud800/",
        "http://example.com/" + "a" * 9000,
    ],
)
def test_a_malformed_address_is_forbidden(url: str) -> None:
    """Whatever text comes, the answer is `Forbidden` and never another error."""
    with pytest.raises(Forbidden):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "normal"),
    [
        ("http://Example.COM/a?b=c#d", "example.com", 80, "http://example.com/a?b=c"),
        ("https://example.com", "example.com", 443, "https://example.com"),
        ("HTTPS://example.com:8443/x", "example.com", 8443, "https://example.com:8443/x"),
        ("http://bücher.de/ü", "xn--bcher-kva.de", 80, "http://xn--bcher-kva.de/%C3%BC"),
        ("http://例え.jp/", "xn--r8jz45g.jp", 80, "http://xn--r8jz45g.jp/"),
        ("http://8.8.8.8/", "8.8.8.8", 80, "http://8.8.8.8/"),
        ("http://[2606:4700::1111]:8080/", "2606:4700::1111", 8080, "http://[2606:4700::1111]:8080/"),
        ("http://example.com/a@b", "example.com", 80, "http://example.com/a@b"),
        ("http://123.com/", "123.com", 80, "http://123.com/"),
    ],
)
def test_an_ordinary_address_is_normalized(url: str, host: str, port: int, normal: str) -> None:
    """The target carries the host, the port and the text that is to be called."""
    target = check_url(url)

    assert (target.host, target.port, target.url) == (host, port, normal)


@given(
    st.text()
    | st.builds("http://{}".format, st.text())
    | st.from_regex(r"https?://[0-9a-fx.:\[\]@%/?#。]*", fullmatch=True)
)
def test_any_text_is_a_target_or_forbidden(url: str) -> None:
    """No text raises anything else, and what is accepted is accepted again in its normal form."""
    try:
        target = check_url(url)
    except Forbidden:
        return

    assert check_url(target.url) == target
    assert target.address is None or is_public(target.address)


def test_one_private_answer_spoils_all() -> None:
    """A name that resolves to a public and a private address is refused, and so is one without addresses."""
    guard = Guard()
    public, private = ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")
    guard.check_addresses("example.com", 80, [public])

    with pytest.raises(Forbidden):
        guard.check_addresses("example.com", 80, [public, private])
    with pytest.raises(Forbidden):
        guard.check_addresses("example.com", 80, [])


def test_an_allowed_pair_is_exact() -> None:
    """What the operator allows holds for that host and that port only."""
    guard = Guard(allow=("127.0.0.1:8080", "Pictures.lan:81", "[::1]:8080"))
    guard.check_url("http://127.0.0.1:8080/a.png")
    guard.check_url("http://[::1]:8080/a.png")
    target = guard.check_url("http://pictures.lan:81/")
    guard.check_addresses(target.host, target.port, [ipaddress.ip_address("10.0.0.1")])

    with pytest.raises(Forbidden):
        guard.check_url("http://127.0.0.1:8081/")
    with pytest.raises(Forbidden):
        guard.check_url("http://127.0.0.2:8080/")
    with pytest.raises(Forbidden):
        guard.check_addresses("pictures.lan", 80, [ipaddress.ip_address("10.0.0.1")])


def test_the_message_tells_nothing_about_our_network() -> None:
    """A refusal after resolution reads the same for every internal address."""
    with pytest.raises(Forbidden) as refused:
        Guard().check_addresses("evil.example", 80, [ipaddress.ip_address("10.1.2.3")])

    assert "10.1" not in str(refused.value)
    assert refused.value.reason == "the address does not lead to a public host"


@pytest.mark.parametrize("pair", ["127.0.0.1", "", ":80", "host:99999"])
def test_a_wrong_pair_is_reported_at_the_start(pair: str) -> None:
    """An operator's typing mistake is an error, not a hole."""
    with pytest.raises(ValueError):
        Guard(allow=(pair,))
