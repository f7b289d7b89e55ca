"""The guard for addresses that come from outside: it keeps callers from reaching into our own network (SSRF).

It decides, and never resolves or connects: `Guard.check_url` looks at the text, `Guard.check_addresses` at what the
name resolved to. Whoever connects must use exactly the addresses that were checked (`kit/fetch.py` does).

Sources: IANA special-purpose address registries for IPv4 and IPv6; WHATWG URL, section 3.5 "ends in a number" (which
hosts a browser would read as an IPv4 address). Both read 2026-01.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

from yarl import URL

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_LENGTH = 8192

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; 0.0.0.0 connects to the machine itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; also metadata services of some clouds
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation, and the next two
        "198.51.100.0/24",
        "203.0.113.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside 2000::/3 is special: mapped IPv4, NAT64 (64:ff9b::/96), unique local, link-local, multicast.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them, which carries an IPv4 address
        "2001:db8::/32",  # documentation, and 3fff::/20
        "2002::/16",  # 6to4, which carries an IPv4 address
        "3fff::/20",
    )
)
_REFUSED_NAMES = ("localhost", "local", "internal", "home.arpa")
_REFUSED_SUFFIXES = tuple(f".{name}" for name in _REFUSED_NAMES)
_WELL_KNOWN_PORTS = frozenset((80, 443))
_FIRST_FREE_PORT = 1024
_MAX_NAME_LENGTH = 253
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_USERINFO = re.compile(r"[^/?#]*//[^/?#]*@")


class Forbidden(Exception):
    """This address may not be used. The message says why, for the caller, and tells nothing about our network."""

    def __init__(self, reason: str) -> None:
        """`reason`: half a sentence that ends "the address …"; it never holds what a name resolved to."""
        self.reason = reason
        super().__init__(reason)


class Target(NamedTuple):
    """An address that may be tried."""

    url: str
    """Normalized: connect to this one, not to what the caller wrote."""
    scheme: str
    host: str
    """Lower case, in ASCII (IDNA), without brackets; a name or an IP address."""
    port: int
    address: IPAddress | None
    """The host as an IP address, when it is one: nothing is left to resolve."""


class Guard:
    """Checks addresses against one policy: http or https, to a public address, or to a pair that the operator allows."""

    def __init__(self, allow: tuple[str, ...] = (), max_url_length: int = MAX_URL_LENGTH) -> None:
        """`allow`: exact `host:port` pairs, such as `pictures.lan:8080` or `[fd00::1]:80`, for which any address will do.

        `max_url_length`: in characters, as the caller wrote it.
        """
        self._allow = frozenset(_read_pair(pair) for pair in allow)
        self._max_url_length = max_url_length

    def check_url(self, url: str) -> Target:
        """The target that `url` names. Raises `Forbidden` when no resolution could make it acceptable."""
        if len(url) > self._max_url_length:
            raise Forbidden(f"the address is longer than {self._max_url_length} characters")
        if _UNSAFE.search(url):
            raise Forbidden("the address contains a space, a backslash or a control character")
        try:
            parsed = URL(url)
            host, port = parsed.raw_host, parsed.port
        except (ValueError, TypeError) as exc:  # yarl and idna raise ValueError, in several subclasses
            raise Forbidden("the address is not a valid URL") from exc
        if parsed.scheme not in ("http", "https"):
            raise Forbidden("the address must begin with http:// or https://")
        if _USERINFO.match(url):
            raise Forbidden("the address must not contain a user name or password")
        if not host:
            raise Forbidden("the address names no host")
        if not port:
            raise Forbidden("the address has an invalid port")
        target = Target(
            url=str(parsed.with_fragment(None)),
            scheme=parsed.scheme,
            host=host.lower(),
            port=port,
            address=_read_address(host),
        )
        if not self.allows(target.host, port):
            _check_public_target(target)
        return target

    def check_addresses(self, host: str, port: int, addresses: Iterable[IPAddress]) -> None:
        """Raises `Forbidden` when any of the addresses that `host` resolved to is not public, or when there is none.

        One bad address spoils the whole answer: a name that mixes both is an attack or a mistake.
        """
        if self.allows(host, port):
            return
        found = tuple(addresses)
        if not found or not all(is_public(address) for address in found):
            raise Forbidden("the address does not lead to a public host")

    def allows(self, host: str, port: int) -> bool:
        """True when the operator named exactly this pair."""
        return (host, port) in self._allow


def check_url(url: str) -> Target:
    """What `Guard.check_url` says when the operator allows nothing in particular."""
    return _STRICT.check_url(url)


def is_public(ip: IPAddress) -> bool:
    """True when `ip` is an ordinary address of the Internet.

    IPv6 addresses that carry an IPv4 address (mapped, 6to4, NAT64, Teredo) are refused as a whole.
    """
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _REFUSED_V4)
    return ip in _GLOBAL_V6 and not any(ip in network for network in _REFUSED_V6)


def _check_public_target(target: Target) -> None:
    if target.port < _FIRST_FREE_PORT and target.port not in _WELL_KNOWN_PORTS:
        raise Forbidden("the address uses a port that is not meant for the web")
    if target.address is not None:
        if not is_public(target.address):
            raise Forbidden("the address does not lead to a public host")
        return
    if len(target.host) > _MAX_NAME_LENGTH or not _NAME.fullmatch(target.host):
        raise Forbidden("the address has an invalid host name")
    name = target.host.removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        # 2130706433, 0x7f.1, 0177.0.0.1: the system's resolver reads all of these as 127.0.0.1.
        raise Forbidden("the address must spell an IP address as four decimal numbers")
    if name in _REFUSED_NAMES or name.endswith(_REFUSED_SUFFIXES):
        raise Forbidden("the address does not lead to a public host")


def _read_address(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _read_pair(pair: str) -> tuple[str, int]:
    parsed = URL(f"http://{pair}")
    if not parsed.raw_host or parsed.explicit_port is None:
        raise ValueError(f"{pair!r} is not a pair of host and port such as pictures.lan:8080")
    return parsed.raw_host.lower(), parsed.explicit_port


_STRICT = Guard()
