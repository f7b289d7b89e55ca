"""A chat request as the engines see it, whatever format it came in."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Schema = dict[str, Any]  # a JSON Schema; the wire truly carries anything here
Choice = Literal["auto", "none", "required"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call in the history. `arguments`: JSON text, or free text for a custom tool."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Media:
    """Something to look at or to listen to. `url`: a data URL when it was sent inline, else an address or a file's id."""

    kind: Literal["picture", "audio", "document", "video"]
    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `answers`, `failed`: for role tool, the id of the call, and whether the tool says it failed.

    `thoughts`: the reasoning that came back with an assistant's turn. `mark`: a cache mark stands in it: "5m" or "1h".
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    media: tuple[Media, ...] = ()
    calls: tuple[Call, ...] = ()
    answers: str = ""
    failed: bool = False
    thoughts: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """`schema`: None for a custom tool, whose input is free text. `mark`: as in `Turn`."""

    name: str
    description: str
    schema: Schema | None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """`choice`: auto, none, required. `tools`: already narrowed to those that the choice allows.

    `format`: None for text, else the schema to fill ({} for any object). `limit`: tokens, None for no limit.
    `thinks`: whether to reason, None to go by `effort` and the model.
    `logprobs`: how many alternatives of each token to tell, None when not asked for.
    `remembers`: this vendor caches long prefixes by itself; else only what is marked.
    `fingerprint`: 32 hex digits of the request's body; all ids and seeds come from it.
    """

    model: str
    turns: tuple[Turn, ...]
    fingerprint: str
    tools: tuple[Tool, ...] = ()
    choice: Choice = "none"
    parallel: bool = True
    format: Schema | None = None
    effort: str | None = None
    thinks: bool | None = None
    limit: int | None = None
    stops: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    n: int = 1
    stream: bool = False
    include_usage: bool = True
    logprobs: int | None = None
    remembers: bool = False

    @property
    def question(self) -> Turn:
        """The last user message, or an empty one."""
        return next((turn for turn in reversed(self.turns) if turn.role == "user"), Turn("user", ""))

    @property
    def is_plain(self) -> bool:
        """Whether it is text alone, which the small language model can answer."""
        spoken = all(turn.role != "tool" and not turn.calls and not turn.media for turn in self.turns)
        return spoken and not self.tools and self.format is None


def fingerprint_of(body: dict[str, Any]) -> str:
    """32 hex digits that depend on what is asked, not on the order of members, nor on whether it is streamed."""
    asked = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()[:32]
