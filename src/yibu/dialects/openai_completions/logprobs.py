"""Probabilities of tokens: legacy completions list them column by column, the hub as Chat does, token by token."""

from typing import Any

import msgspec


class _Columns(msgspec.Struct):
    tokens: list[str] = []
    token_logprobs: list[float | None] = []
    top_logprobs: list[dict[str, float] | None] | None = None


class _Token(msgspec.Struct):
    token: str
    logprob: float | None = None
    top_logprobs: list["_Token"] | None = None


class _Content(msgspec.Struct):
    content: list[_Token] | None = None


_COLUMNS = msgspec.json.Decoder(_Columns)
_CONTENT = msgspec.json.Decoder(_Content)
IMPOSSIBLE = -9999.0
"""What OpenAI says for a token without a probability worth telling."""


def to_tokens(value: msgspec.Raw | None) -> msgspec.Raw | None:
    """As Chat tells them; None for none, and for what is not in this form."""
    if value is None or not bytes(value).startswith(b"{"):
        return None
    try:
        said = _COLUMNS.decode(value)
    except msgspec.DecodeError:
        return None
    others = said.top_logprobs or []
    content: list[dict[str, Any]] = []
    for at, token in enumerate(said.tokens):
        own = said.token_logprobs[at] if at < len(said.token_logprobs) else None
        best = (others[at] if at < len(others) else None) or {}
        content.append({**_told(token, own), "top_logprobs": [_told(word, logprob) for word, logprob in best.items()]})
    return msgspec.Raw(msgspec.json.encode({"content": content})) if content else None


def _told(token: str, logprob: float | None) -> dict[str, Any]:
    return {
        "token": token,
        "logprob": IMPOSSIBLE if logprob is None else logprob,
        "bytes": list(token.encode("utf-8", "replace")),
    }


def to_columns(value: msgspec.Raw | None, offset: int) -> dict[str, Any] | None:
    """As legacy completions tell them. `offset`: where in prompt and answer together the first of the tokens begins."""
    try:
        said = _CONTENT.decode(value) if value is not None else _Content()
    except msgspec.DecodeError:
        return None
    if not said.content:
        return None
    offsets: list[int] = []
    for token in said.content:
        offsets.append(offset)
        offset += len(token.token)
    return {
        "tokens": [token.token for token in said.content],
        "token_logprobs": [token.logprob for token in said.content],
        "top_logprobs": [
            {other.token: other.logprob for other in token.top_logprobs or [token]} for token in said.content
        ],
        "text_offset": offsets,
    }
