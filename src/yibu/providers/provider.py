"""What a vendor's file says. A provider is found because its file is there; its attributes are its documentation.

Nothing here does I/O: a provider describes requests and reads answers, others carry them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Protocol
from urllib.parse import quote

import msgspec

from yibu.hub.loss import Losses
from yibu.hub.work import Artefact, Outlook, Sighting, VideoRequest, Work
from yibu.providers._address import join
from yibu.providers._auth import Ask, Auth, Bearer, Grant, Header, HeaderKey, Signature, Token
from yibu.providers._quirk import Fields, Quirk

__all__ = [
    "Ask",
    "Auth",
    "Bearer",
    "Fields",
    "Grant",
    "Header",
    "HeaderKey",
    "Provider",
    "Quirk",
    "Signature",
    "TaskDriver",
    "Token",
    "Unwrap",
    "UpstreamRequest",
    "join",
]


Unwrap = Callable[[bytes], bytes]
"""Takes a stream out of what a vendor wraps it in, slice by slice; a slice may give nothing yet."""


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, complete but for the base URL and the credential. `path` begins with a slash."""

    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes = b""


class TaskDriver(Protocol):
    """One kind of work at one vendor: what to send and how to read the answers.

    Readers raise `UpstreamError` for an answer that is no such answer.
    """

    polls_s: ClassVar[tuple[float, ...]]
    """Seconds to wait before each look; the last one repeats."""

    def submit(self, request: VideoRequest, external_id: str) -> UpstreamRequest:
        """`external_id` is ours and the same at every try, so that a vendor who heard it twice makes one film."""
        ...

    def read_submit(self, body: bytes) -> str:
        """The vendor's id of the work."""
        ...

    def find(self, external_id: str) -> UpstreamRequest | None:
        """Asks whether the vendor has work with our id; None when this vendor cannot be asked."""
        ...

    def read_find(self, body: bytes, external_id: str) -> Sighting: ...
    def poll(self, upstream_id: str) -> UpstreamRequest: ...
    def read_poll(self, body: bytes) -> Outlook: ...
    def artefacts(self, upstream_id: str) -> tuple[Artefact, ...]:
        """What to collect when it is ready; the first is the work itself and must be had, the others are a courtesy."""
        ...


class Provider:
    """One vendor. Subclass it in a file of its own and name the documentation and its date in the docstring.

    `speaks`: dialect id to path, in the order of preference when a call must be translated; `{model}` in a path is the
    upstream's name of the model. `streams`: where a streamed call goes elsewhere. `counts`: by dialect, where the tokens of a
    request are counted; without it they are estimated. `quirks`: by dialect, what to mend in a request; `quirky_models`:
    beginnings of the models' names that need it, the requests of others stay bytes. `works`: kinds of long work it does.
    `models_path`: where it lists its models, empty when it cannot; `models_headers`: what that call needs besides the
    credential; `lists_all`: whatever can be called is on that list. `inline_media`: it fetches no pictures by URL, so they are
    always sent along.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    base_url: ClassVar[str] = ""
    auth: ClassVar[Auth] = Bearer()
    speaks: ClassVar[Mapping[str, str]] = {}
    streams: ClassVar[Mapping[str, str]] = {}
    stream_accepts: ClassVar[Mapping[str, str]] = {}
    quirks: ClassVar[Mapping[str, Sequence[Quirk]]] = {}
    quirky_models: ClassVar[tuple[str, ...]] = ("",)
    counts: ClassVar[Mapping[str, str]] = {}
    works: ClassVar[Mapping[Work, TaskDriver]] = {}
    models_path: ClassVar[str] = "/v1/models"
    models_headers: ClassVar[Mapping[str, str]] = {}
    lists_all: ClassVar[bool] = True
    inline_media: ClassVar[bool] = False

    def understands(self, dialect: str, model: str) -> bool:
        """Whether a model is asked in this dialect, of those it `speaks`: at some vendors it depends on the model."""
        return True

    def path(self, dialect: str, model: str, *, is_stream: bool) -> str:
        """Where below the base URL a call in this dialect goes."""
        pattern = self.streams.get(dialect, self.speaks[dialect]) if is_stream else self.speaks[dialect]
        return pattern.replace("{model}", quote(model, safe="@")) if "{" in pattern else pattern

    def url(self, base_url: str, dialect: str, model: str, *, is_stream: bool) -> str:
        """The whole address of a call, whatever form of base URL the operator typed."""
        return join(base_url, self.path(dialect, model, is_stream=is_stream), self.known_paths)

    def count_url(self, base_url: str, dialect: str, model: str) -> str:
        """Where the tokens of a request in this dialect are counted; empty when it cannot."""
        path = self.counts.get(dialect, "").replace("{model}", quote(model, safe="@"))
        return join(base_url, path, self.known_paths) if path else ""

    def prepare(self, dialect: str, fields: Fields, losses: Losses) -> Fields:
        """Changes what this vendor would trip over in a request of that dialect; what is lost by it is a `Loss`."""
        for quirk in self.quirks.get(dialect, ()):
            quirk(fields, losses)
        return fields

    def prepare_headers(self, dialect: str, headers: dict[str, str]) -> dict[str, str]:
        """Changes the headers that the dialect asks for; the credential is not among them."""
        return headers

    def take_headers(self, dialect: str, headers: dict[str, str], fields: Fields) -> Fields:
        """Moves what this vendor wants to hear in the body out of the prepared headers, for dialects that have quirks."""
        return fields

    def unwrap(self, dialect: str) -> Unwrap | None:
        """For one streamed answer: how to take the dialect's stream out of the vendor's own wrapping, None where there is none."""
        return None

    def home(self, base_url: str, secret: str) -> str:
        """The base URL that a channel uses, made of what was typed. Raises `ValueError` with a sentence that has the remedy
        when it, or a secret, cannot be right."""
        return base_url

    def models_url(self, base_url: str) -> str:
        """Where it lists its models; empty when it cannot."""
        return join(base_url, self.models_path, self.known_paths) if self.models_path else ""

    @cached_property
    def known_paths(self) -> tuple[str, ...]:
        """Every path that an operator may have pasted."""
        return tuple(dict.fromkeys([*self.speaks.values(), *self.streams.values(), *filter(None, [self.models_path])]))

    def has_quirks(self, dialect: str, model: str) -> bool:
        """Whether a request has to be looked into; if not it stays bytes."""
        if type(self).prepare is not Provider.prepare:
            return True
        return dialect in self.quirks and model.startswith(self.quirky_models)
