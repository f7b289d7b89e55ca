"""OpenAI's video object: how far a film is, for whoever knows its id.

Source: OpenAI's specification 2.3.0, *Videos*, read 2026-11-20. `video_url` and `thumbnail_url` are additions of relays.
"""

from typing import ClassVar, Literal

import msgspec

from yibu.dialects.dialect import Operation, Route
from yibu.dialects.openai_chat.errors import OpenAIErrors

Status = Literal["queued", "in_progress", "completed", "failed"]


class WireVideoError(msgspec.Struct):
    code: str
    message: str


class WireVideo(msgspec.Struct):
    """All members of the specification are there, null where there is nothing; times are unix seconds."""

    id: str
    model: str
    status: Status
    progress: int
    created_at: int
    prompt: str
    size: str
    seconds: str
    completed_at: int | None = None
    expires_at: int | None = None
    remixed_from_video_id: str | None = None
    error: WireVideoError | None = None
    video_url: str | None = None
    thumbnail_url: str | None = None
    object: str = "video"


class OpenAIVideos(OpenAIErrors):
    id: ClassVar[str] = "openai_videos"
    title: ClassVar[str] = "OpenAI Videos"
    routes: ClassVar[tuple[Route, ...]] = (
        Route("GET", "/v1/videos/{video}", Operation.SHOW_VIDEO),
        Route("GET", "/v1/videos/{video}/content", Operation.VIDEO_CONTENT),
    )

    def encode_video(self, video: WireVideo) -> bytes:
        return msgspec.json.encode(video)


DIALECT = OpenAIVideos()
