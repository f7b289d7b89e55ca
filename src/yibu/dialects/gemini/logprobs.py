"""How likely each token was: Google's `logprobsResult` and the form of OpenAI's `logprobs`, which the hub has."""

from typing import Any

import msgspec

from yibu.dialects._json import present, raw


def decode_logprobs(value: msgspec.Raw | None) -> msgspec.Raw | None:
    """None when nothing is told."""
    said = _object(value)
    chosen = said.get("chosenCandidates")
    if not isinstance(chosen, list) or not chosen:
        return None
    others = said.get("topCandidates")
    tops = others if isinstance(others, list) else []
    content: list[dict[str, Any]] = []
    for number, one in enumerate(chosen):
        top = tops[number] if number < len(tops) and isinstance(tops[number], dict) else {}
        candidates = top.get("candidates")
        ranked = [_token(other) for other in candidates] if isinstance(candidates, list) else []
        content.append({**_token(one), "top_logprobs": ranked})
    return raw({"content": content})


def _token(one: Any) -> dict[str, Any]:
    one = one if isinstance(one, dict) else {}
    token = one.get("token") if isinstance(one.get("token"), str) else ""
    return {"token": token, "logprob": one.get("logProbability") or 0.0, "bytes": list(str(token).encode())}


def encode_logprobs(value: msgspec.Raw | None) -> dict[str, Any] | None:
    """`logprobsResult` for those of another vendor."""
    content = _object(value).get("content")
    if not isinstance(content, list) or not content:
        return None
    tokens = [one if isinstance(one, dict) else {} for one in content]
    result: dict[str, Any] = {"chosenCandidates": [_candidate(one) for one in tokens]}
    tops = [one.get("top_logprobs") for one in tokens]
    if any(tops):
        result["topCandidates"] = [
            {"candidates": [_candidate(other) for other in top if isinstance(other, dict)]}
            if isinstance(top, list)
            else {}
            for top in tops
        ]
    return result


def _candidate(one: dict[str, Any]) -> dict[str, Any]:
    return {"token": one.get("token", ""), "logProbability": one.get("logprob", 0.0)}


def _object(value: msgspec.Raw | None) -> dict[str, Any]:
    if present(value) is None or value is None:
        return {}
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
