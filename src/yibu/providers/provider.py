"""What a vendor's file says. A provider is found because its file is there; its attributes are its documentation.

Nothing here does I/O: a provider describes requests and reads answers, others carry them.
"""

from collections.abc import Mapping
from typing import ClassVar, Protocol
from urllib.parse import quote

import msgspec

from yibu.hub.loss import Losses
from yibu.hub.work import Artefact, Outlook, Sighting, VideoRequest, Work

Fields = dict[str, msgspec.Raw]


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, complete but for the base URL and the credential. `path` begins with a slash."""

    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes = b""


class Auth(Protocol):
    """How a credential travels."""

    def headers(self, secret: str) -> dict[str, str]: ...


class Bearer:
    """`Authorization: Bearer <secret>`; nothing for an empty secret, as local servers want it."""

    def headers(self, secret: str) -> dict[str, str]:
        return {"authorization": f"Bearer {secret}"} if secret else {}


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

    `speaks`: dialect id to path, the one to translate into first; `streams`: the path of streamed calls where it is another;
    in both `{model}` stands for the upstream's name of the model. `works`: kinds of long work it does.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    base_url: ClassVar[str] = ""
    auth: ClassVar[Auth] = Bearer()
    speaks: ClassVar[Mapping[str, str]] = {}
    streams: ClassVar[Mapping[str, str]] = {}
    works: ClassVar[Mapping[Work, TaskDriver]] = {}
    models_path: ClassVar[str] = "/v1/models"

    def path(self, dialect: str, model: str, *, is_stream: bool) -> str:
        """Where below the base URL a call in this dialect goes."""
        pattern = self.streams.get(dialect, self.speaks[dialect]) if is_stream else self.speaks[dialect]
        return pattern.replace("{model}", quote(model, safe=""))

    def prepare(self, dialect: str, fields: Fields, losses: Losses) -> Fields:
        """Changes what this vendor would trip over in a request of that dialect; what is lost by it is a `Loss`."""
        return fields

    def prepare_headers(self, dialect: str, headers: dict[str, str]) -> dict[str, str]:
        """Changes the headers that the dialect asks for; the credential is not among them."""
        return headers


def join(base_url: str, path: str) -> str:
    """`path` below `base_url`, whatever an operator typed: trailing slashes and a doubled version prefix are forgiven."""
    base = base_url.rstrip("/")
    version = path.split("/", 2)[1]
    if base.endswith(f"/{version}"):
        base = base[: -len(version) - 1]
    return base + path
