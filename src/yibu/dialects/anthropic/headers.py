"""Headers that a vendor of this format wants beside its key. Source: Anthropic, *Versions* and *Beta headers*, read 2026-11-22."""

import re

from yibu.dialects.dialect import Target

VERSION = "2023-06-01"
"""In which sampling can still be chosen; a caller may ask for another one."""
MOST_BETAS = 32
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_BETA = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_headers(target: Target) -> dict[str, str]:
    """The caller's own version and betas, as far as they look like ones; Claude Code sends a dozen betas."""
    version = target.headers.get("anthropic-version", "").strip()
    betas = [beta.strip() for beta in target.headers.get("anthropic-beta", "").split(",")]
    legal = list(dict.fromkeys(beta for beta in betas if _BETA.fullmatch(beta)))[:MOST_BETAS]
    headers = {"anthropic-version": version if _VERSION.fullmatch(version) else VERSION}
    return {**headers, "anthropic-beta": ",".join(legal)} if legal else headers
