"""How Amazon knows whose call it is: a signature with access keys, or one of Bedrock's own API keys as a bearer.

Source: docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html, read 2026-11-22.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from yibu.providers._sigv4 import Keys, Scope, sign

SERVICE = "bedrock"
USUAL_REGION = "us-east-1"
_REGION = re.compile(r"\.([a-z]{2,3}(?:-[a-z]+)+-\d+)\.")
_ACCESS = re.compile(r"[A-Z0-9]{16,128}")
REMEDY = (
    "Write ACCESS_KEY_ID:SECRET_ACCESS_KEY, with :SESSION_TOKEN behind it if there is one, "
    "or an API key of Bedrock alone."
)


def keys_of(secret: str) -> Keys | None:
    """None for an API key of Bedrock. Raises `ValueError` with a sentence that has the remedy."""
    if not secret:
        raise ValueError(f"it has no key. {REMEDY}")
    access, colon, rest = secret.partition(":")
    if not colon:
        return None
    private, _, token = rest.partition(":")
    if not _ACCESS.fullmatch(access) or not private or ":" in token:
        raise ValueError(f"its key is not of Amazon's form. {REMEDY}")
    return Keys(access, private, token)


class BedrockAuth:
    """A signature; the region is that of the address."""

    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, secret: str, at: datetime
    ) -> dict[str, str]:
        keys = keys_of(secret)
        if keys is None:
            return {"authorization": f"Bearer {secret}"}
        return sign(method, url, headers, body, keys, Scope(region_of(url), SERVICE), at)


def region_of(url: str) -> str:
    found = _REGION.search(f"{urlsplit(url).netloc}.")
    return found[1] if found else USUAL_REGION
