"""Google's service accounts: a JSON file with a private key is exchanged for a token of an hour.

Source: developers.google.com/identity/protocols/oauth2/service-account (HTTP/REST) and RFC 7523, read 2026-11-22.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from yibu.providers._auth import Ask, Token

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE_S = 3600
"""The longest that Google takes."""
REMEDY = (
    "Make a key of the type JSON for the service account in Google's console, and give the whole file: "
    "`file:/path/to/it.json`, or `env:NAME` of a variable that holds its text."
)


class Account(msgspec.Struct, frozen=True):
    """Of the file only what is needed; `private_key` is PEM."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    project_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = LIFE_S


def account_of(secret: str) -> Account:
    """Raises `ValueError` with a sentence that has the remedy, and nothing of the secret, when it is no such file."""
    if not secret:
        raise ValueError(f"it has no key. {REMEDY}")
    try:
        account = msgspec.json.decode(secret, type=Account)
    except msgspec.ValidationError as exc:
        if '"authorized_user"' in secret or '"refresh_token"' in secret:
            raise ValueError(f"its key is the login of a person, not a service account. {REMEDY}") from None
        raise ValueError(f"its key is JSON, but not that of a service account ({_harmless(exc)}). {REMEDY}") from None
    except (msgspec.DecodeError, RecursionError):
        raise ValueError(f"its key is not the JSON of a service account. {REMEDY}") from None
    _signer(account)
    return account


class ServiceAccount:
    """A grant: the account signs that it is itself, Google answers with a token."""

    def ask(self, secret: str, at: datetime) -> Ask:
        account = account_of(secret)
        body = urlencode({"grant_type": GRANT, "assertion": assertion(account, int(at.timestamp()))})
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        return Ask(url=account.token_uri, headers=headers, body=body.encode())

    def read(self, body: bytes) -> Token:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, RecursionError) as exc:
            raise ValueError("there is no token in the answer") from exc
        return Token(answer.access_token, max(answer.expires_in, 0.0))

    def token_headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}"}


def assertion(account: Account, at_s: int) -> str:
    """A JWT, signed with RS256; `at_s`: unix seconds from which it counts."""
    head = {"alg": "RS256", "typ": "JWT"} | ({"kid": account.private_key_id} if account.private_key_id else {})
    claims = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": account.token_uri,
        "iat": at_s,
        "exp": at_s + LIFE_S,
    }
    signed = b".".join(_base64url(msgspec.json.encode(part)) for part in (head, claims))
    return b".".join((signed, _base64url(_signer(account)(signed)))).decode()


def _signer(account: Account) -> Callable[[bytes], bytes]:
    """RSASSA-PKCS1-v1_5 with SHA-256. Raises `ValueError` when the private key is none."""
    # Imported here: it is large, and only those who use Google's cloud need it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(account.private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(f"the `private_key` in its key cannot be read, perhaps because it was cut. {REMEDY}") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(f"the `private_key` in its key is not an RSA key. {REMEDY}")
    return lambda data: key.sign(data, PKCS1v15(), SHA256())


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _harmless(exc: msgspec.ValidationError) -> str:
    """msgspec's words without the value that it repeats."""
    said = str(exc)
    return said if "missing required field" in said else said.partition(",")[0]
