"""Bad days on demand: a model's name chooses how the sandbox misbehaves. The content comes from the rules engine."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from yibu.sandbox.refusal import Refusal

FOREVER_S = 600.0  # a stall ends at last, so that a forgotten client does not stay for ever


@dataclass(frozen=True, slots=True)
class Manner:
    """How a chat completion is delivered. Times in seconds; `…_after` counts content pieces."""

    first_byte_s: float = 0.0
    piece_s: float = 0.0
    stall_after: int | None = None  # then silence; a whole answer never comes at all
    cut_after: int | None = None  # then the connection drops; a whole answer breaks off in its middle
    garbage_after: int | None = None  # then a frame that is not JSON; a whole answer is not JSON
    error_after: int | None = None  # then the vendor's own error in the stream; a whole answer is a 500
    usage: Literal["true", "none", "absurd", "every"] = "true"
    status: Literal["ok", "busy", "broken", "overloaded", "html"] = "ok"
    think: bool = False
    mind: Literal["rules", "agent", "mirror"] = "rules"
    declines: Literal["no", "refuse", "filtered", "blocked"] = "no"
    is_sealed: bool = False  # Gemini 3: calls must come back with the signature that they were given


MANNERS: dict[str, Manner] = {
    "sandbox/rules": Manner(),
    "sandbox/think": Manner(think=True),
    "sandbox/agent": Manner(mind="agent"),
    "sandbox/mirror": Manner(mind="mirror"),
    "sandbox/meters": Manner(usage="every", think=True),
    "sandbox/refuse": Manner(declines="refuse"),
    "sandbox/filtered": Manner(declines="filtered"),
    "sandbox/blocked": Manner(declines="blocked"),
    "sandbox/slow": Manner(first_byte_s=2.0, piece_s=0.2),
    "sandbox/stall": Manner(stall_after=3),
    "sandbox/busy-429": Manner(status="busy"),
    "sandbox/error-500": Manner(status="broken"),
    "sandbox/overloaded": Manner(status="overloaded"),
    "sandbox/error-mid-stream": Manner(error_after=3),
    "sandbox/cut-mid-stream": Manner(cut_after=3),
    "sandbox/bad-json": Manner(garbage_after=3),
    "sandbox/html": Manner(status="html"),
    "sandbox/no-usage": Manner(usage="none"),
    "sandbox/wrong-length": Manner(usage="absurd"),
}

_SLOW = re.compile(r"sandbox/slow-(\d{1,6})ms(?:-(\d{1,5})ms)?")

HTML_PAGE = b"""<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>nginx</center>\r
</body>\r
</html>\r
"""


def manner_of(model: str) -> Manner | None:
    """The manner of a model's name, or None when the name is none of these.

    `sandbox/slow-500ms` waits 500 ms before the first byte and a tenth of it before each piece;
    `sandbox/slow-500ms-20ms` tells both. `-3` after any name makes it sealed, as Gemini 3 is.
    """
    if model.endswith("-3") and (open_one := manner_of(model[:-2])) is not None:
        return replace(open_one, is_sealed=True)
    if match := _SLOW.fullmatch(model):
        first = int(match[1]) / 1000
        return replace(
            MANNERS["sandbox/slow"], first_byte_s=first, piece_s=int(match[2]) / 1000 if match[2] else first / 10
        )
    return MANNERS.get(model)


def refuse(manner: Manner) -> None:
    """Raise the `Refusal` that the manner asks for, if any; "html" is not JSON and is answered by the route."""
    match manner.status:
        case "busy":
            raise Refusal(
                429,
                "Rate limit reached for requests. Please try again in 1s.",
                kind="requests",
                code="rate_limit_exceeded",
                headers={
                    "retry-after": "1",
                    "x-ratelimit-limit-requests": "60",
                    "x-ratelimit-remaining-requests": "0",
                    "x-ratelimit-reset-requests": "1s",
                },
            )
        case "broken":
            raise broken()
        case "overloaded":
            raise overloaded()
        case "ok" | "html":
            return


def broken() -> Refusal:
    """The vendor failed."""
    said = "The server had an error while processing your request. Sorry about that!"
    return Refusal(500, said, kind="server_error", code="internal_error")


def overloaded() -> Refusal:
    """The vendor has too much to do, which is nobody's limit."""
    said = "The engine is currently overloaded, please try again later."
    return Refusal(503, said, kind="service_unavailable_error", code="server_is_overloaded")


@dataclass(frozen=True, slots=True)
class Fate:
    """How a film job ends. `slower_s`: added to the work, in seconds. `error`: (code, message) of a failed job."""

    slower_s: float = 0.0
    error: tuple[str, str] | None = None


FATES: dict[str, Fate] = {
    "sora-2": Fate(),
    "sora-2-pro": Fate(),
    "sandbox/fail-task": Fate(error=("video_generation_failed", "The video could not be generated. Please try again.")),
    "sandbox/policy-task": Fate(
        error=("moderation_blocked", "Your request was blocked by our moderation system."),
    ),
    "sandbox/slow-task": Fate(slower_s=6.0),
}
