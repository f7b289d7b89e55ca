"""The task driver for films in OpenAI's Videos format. Source: OpenAI's specification 2.3.0, *Videos*, read 2026-11-20."""

import base64
import re
from typing import ClassVar, TypeVar
from urllib.parse import quote

import msgspec

from yibu.dialects._vendor_errors import harmless
from yibu.hub.errors import Broken
from yibu.hub.work import Artefact, Failure, Outlook, Progress, Ready, Sighting, VideoRequest
from yibu.providers.provider import UpstreamRequest

T = TypeVar("T")

# Statuses seen at OpenAI and at relays that use its format; anything else means: look again later.
DONE = {"completed", "succeeded", "success", "succeed", "done"}
FAILED = {"failed", "failure", "error", "cancelled", "canceled", "expired", "timeout"}
WORKING = {"in_progress", "processing", "running", "generating"}
POLICY = {"moderation_blocked", "sentinel_block", "content_policy_violation"}
_CODE = re.compile(r"[\w.\-]{1,64}")
LONGEST_S = 3600
"""A vendor that reports a longer film is not believed."""


class WireError(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class WireVideo(msgspec.Struct):
    """Wider than the specification where relays are: `progress: "30%"`, a bare text as `error`."""

    id: str
    status: str | None = None
    progress: float | str | None = None
    seconds: str | float | None = None
    share_id: str | None = None
    client_request_id: str | None = None
    error: WireError | str | None = None


class WireList(msgspec.Struct):
    data: list[WireVideo]


class OpenAIVideos:
    """`X-Client-Request-Id` carries our id; a vendor that keeps it can be asked for the work after a crash."""

    polls_s: ClassVar[tuple[float, ...]] = (1, 1, 1, 2, 2, 3, 5, 8, 15)

    def submit(self, request: VideoRequest, external_id: str) -> UpstreamRequest:
        width, height = request.size
        fields: dict[str, object] = {"model": request.model, "prompt": request.prompt}
        path = "/v1/videos"
        if request.remix_of:
            path = f"/v1/videos/{quote(request.remix_of, safe='')}/remix"
            fields = {"prompt": request.prompt}
        else:
            fields |= {"seconds": str(request.seconds), "size": f"{width}x{height}"}
        if request.picture and not request.remix_of:
            inline = base64.b64encode(request.picture).decode()
            fields["input_reference"] = {"image_url": f"data:{request.picture_mime};base64,{inline}"}
        headers = {
            "content-type": "application/json",
            "x-client-request-id": external_id,
            "idempotency-key": external_id,
        }
        return UpstreamRequest(method="POST", path=path, headers=headers, body=msgspec.json.encode(fields))

    def read_submit(self, body: bytes) -> str:
        if upstream_id := _decode(body, WireVideo).id:
            return upstream_id
        raise _broken(body)

    def find(self, external_id: str) -> UpstreamRequest | None:
        return UpstreamRequest(method="GET", path=f"/v1/videos?client_request_id={quote(external_id, safe='')}")

    def read_find(self, body: bytes, external_id: str) -> Sighting:
        """A vendor that does not know the filter lists films of others: then it cannot tell. An empty list is certain."""
        videos = _decode(body, WireList).data
        mine = [video.id for video in videos if video.client_request_id == external_id]
        return Sighting(mine[0] if mine else "", is_certain=bool(mine) or not videos)

    def poll(self, upstream_id: str) -> UpstreamRequest:
        return UpstreamRequest(method="GET", path=f"/v1/videos/{quote(upstream_id, safe='')}")

    def read_poll(self, body: bytes) -> Outlook:
        video = _decode(body, WireVideo)
        status = (video.status or "").lower()
        if status in DONE:
            return Ready(seconds=_seconds(video.seconds), share_id=video.share_id or "")
        if status in FAILED:
            error = video.error or WireError()
            if isinstance(error, str):
                error = WireError(message=error)
            code = error.code if _CODE.fullmatch(error.code or "") else None
            message = harmless(error.message or "") or "The vendor could not make this film."
            return Failure(code or "video_generation_failed", message, is_policy=code in POLICY)
        return Progress(percent=_percent(video.progress), is_queued=status not in WORKING)

    def artefacts(self, upstream_id: str) -> tuple[Artefact, ...]:
        content = f"/v1/videos/{quote(upstream_id, safe='')}/content"
        return (
            Artefact("video", content, "video/mp4"),
            Artefact("thumbnail", f"{content}?variant=thumbnail", "image/webp"),
        )


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as exc:
        raise _broken(body) from exc


def _broken(body: bytes) -> Broken:
    return Broken(upstream_words=body[:500].decode("utf-8", "replace"))


def _percent(value: str | float | None) -> int:
    try:
        return min(max(int(float(str(value or 0).rstrip("%"))), 0), 99)
    except (ValueError, OverflowError):
        return 0


def _seconds(value: str | float | None) -> int | None:
    """None for a length that no film has: the customer pays by it."""
    try:
        seconds = 0 if value is None else round(float(value))
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds <= LONGEST_S else None
