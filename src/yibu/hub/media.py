"""Pictures, sounds, films and files inside a conversation. Bytes stay base64 text until somebody needs them."""

from typing import Literal

import msgspec

MediaKind = Literal["image", "audio", "video", "file"]


class Url(msgspec.Struct, frozen=True, tag="url"):
    """An address that somebody has to fetch; `url` is never a data URL. `mime`: what the caller says is there, if anything."""

    url: str
    mime: str = ""


class Inline(msgspec.Struct, frozen=True, tag="inline"):
    """The bytes themselves.

    `base64`: standard alphabet, as the caller wrote it; `mime`: `image/png` and the like, empty when the caller
    did not say.
    """

    base64: str
    mime: str = ""


class FileRef(msgspec.Struct, frozen=True, tag="file_ref"):
    """A file that was uploaded to a vendor earlier; `id` has a meaning there only. `mime`: as in `Url`."""

    id: str
    mime: str = ""


Source = Url | Inline | FileRef
