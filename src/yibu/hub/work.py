"""Work that takes minutes: what is asked of a vendor, how far it is, what comes of it."""

from enum import StrEnum
from typing import Literal

import msgspec

Orientation = Literal["portrait", "landscape"]


class Work(StrEnum):
    """The kinds of work; a provider has a task driver for each that it can do."""

    VIDEO = "video"


class VideoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A film to be made.

    `model`: the upstream's name of it; `seconds`: length; `size`: width and height in pixels; `picture`: the first frame as bytes
    (already of that size) with `picture_mime`; `remix_of`: the upstream id of an earlier film that is to be changed.
    """

    model: str
    prompt: str
    seconds: int
    size: tuple[int, int]
    picture: bytes = b""
    picture_mime: str = ""
    remix_of: str = ""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """The vendor is still at it; `percent` 0–100, `is_queued` while it has not begun."""

    percent: int = 0
    is_queued: bool = False


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The vendor has finished. `seconds`: the length it reports, None when it does not; `share_id`: its public post id, if any."""

    seconds: int | None = None
    share_id: str = ""


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """The vendor gave up; `message` is fit for the caller's eyes. `is_policy`: because of what was asked."""

    code: str
    message: str
    is_policy: bool = False


Outlook = Progress | Ready | Failure


class Sighting(msgspec.Struct, frozen=True):
    """Whether a vendor has work under our id. Empty `upstream_id` and `is_certain`: it has none; not certain: it cannot tell."""

    upstream_id: str
    is_certain: bool


class Artefact(msgspec.Struct, frozen=True):
    """One file to be collected from the vendor; `path` as the driver's provider understands it."""

    kind: Literal["video", "thumbnail"]
    path: str
    mime: str
