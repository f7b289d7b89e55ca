"""`/v1/videos`: OpenAI's Videos API over the film engine.

Two additions of the sandbox, for callers that must not make a film twice:

* a create or remix with a header `Idempotency-Key` or `X-Client-Request-Id` that was seen before gives the earlier job,
  whatever the body says;
* `GET /v1/videos?client_request_id=…` lists only the job that was created with that key.

Stricter than some: a form field or member that the API does not know is a 400, and links to pictures are not opened.
Source of the wire form: OpenAI, *Create video* and the pages beside it, read 2026-11.
"""

import base64
import binascii
import time
import uuid
from typing import Any

from yibu.sandbox.behaviours import FATES
from yibu.sandbox.engines.look import BrokenPicture, open_picture
from yibu.sandbox.form import read_form
from yibu.sandbox.jobs import ASSETS_LIVE_S, Job, Jobs
from yibu.sandbox.members import Members
from yibu.sandbox.refusal import Refusal, missing, wrong_type, wrong_value
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response, Whole, json_response

SMALL = ("720x1280", "1280x720")
LARGE = ("1024x1792", "1792x1024", "1080x1920", "1920x1080")
# The specification has 4, 8, 12; OpenAI's guide adds 16, 20; relays of the same form offer 10, 15, 25.
SECONDS = ("4", "8", "10", "12", "15", "16", "20", "25")
PROMPT_LIMIT = 32_000
POLL_AFTER_MS = "400"
_KNOWN = frozenset({"prompt", "model", "seconds", "size", "input_reference"})


async def create(jobs: Jobs, request: Request) -> Response:
    """`POST /v1/videos`, JSON or multipart."""
    key = _key(request)
    if earlier := jobs.find(key):
        return _reply(earlier)
    body, picture = _read(request, _KNOWN)
    prompt = _prompt(body)
    model = body.text("model", "sora-2")
    if model not in FATES:
        raise Refusal(400, f"The model `{model}` does not exist.", code="model_not_found", param="model")
    size = body.choice("size", SMALL if model == "sora-2" else SMALL + LARGE, SMALL[0])
    seconds = _seconds(body)
    if picture is not None:
        _check_picture(picture, size)
    job = Job(_new_id(), model, prompt, prompt, seconds, size, time.time(), key=key)
    jobs.add(job, picture)
    return _reply(job)


async def remix(jobs: Jobs, request: Request, video_id: str) -> Response:
    """`POST /v1/videos/{id}/remix`: the same film with a change."""
    key = _key(request)
    if again := jobs.find(key):
        return _reply(again)
    earlier = _find(jobs, video_id)
    body, _ = _read(request, frozenset({"prompt"}))
    prompt = _prompt(body)
    _require_completed(earlier)
    story = f"{earlier.story}\n{prompt}"
    model = earlier.model if FATES[earlier.model].error is None else "sora-2"
    job = Job(
        _new_id(), model, prompt, story, earlier.seconds, earlier.size, time.time(), key=key, remixed_from=earlier.id
    )
    jobs.add_remix(job, earlier)
    return _reply(job)


async def get(jobs: Jobs, request: Request, video_id: str) -> Response:
    """`GET /v1/videos/{id}`."""
    return _reply(_find(jobs, video_id))


async def list_jobs(jobs: Jobs, request: Request) -> Response:
    """`GET /v1/videos?after&limit&order`, newest first unless order=asc; and `client_request_id`, see above."""
    query = request.query
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise wrong_value("order", f"'{order}'. Supported values are: 'asc', 'desc'.")
    limit = query.get("limit", "20")
    if not limit.isdigit() or int(limit) > 100:
        raise wrong_value("limit", f"'{limit}'. Expected an integer from 0 to 100.")
    found = jobs.all() if order == "asc" else jobs.all()[::-1]
    if "client_request_id" in query:
        found = [job for job in found if job.key == query["client_request_id"]]
    if after := query.get("after"):
        ids = [job.id for job in found]
        found = found[ids.index(after) + 1 :] if after in ids else []
    page = found[: int(limit)]
    return json_response(
        {
            "object": "list",
            "data": [_video(job) for job in page],
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
            "has_more": len(found) > len(page),
        }
    )


async def content(jobs: Jobs, request: Request, video_id: str) -> Response:
    """`GET /v1/videos/{id}/content?variant=video|thumbnail`."""
    job = _find(jobs, video_id)
    variant = request.query.get("variant", "video")
    _require_completed(job)
    match variant:
        case "video":
            return Whole(jobs.read(job, "mp4"), content_type="video/mp4")
        case "thumbnail":
            return Whole(jobs.read(job, "webp"), content_type="image/webp")
        case _:
            raise wrong_value("variant", f"'{variant}'. Supported values are: 'video', 'thumbnail'.")


async def delete(jobs: Jobs, request: Request, video_id: str) -> Response:
    """`DELETE /v1/videos/{id}`; a running job is stopped."""
    job = _find(jobs, video_id)
    await jobs.delete(job)
    return json_response({"id": job.id, "object": "video.deleted", "deleted": True})


def _reply(job: Job) -> Whole:
    return json_response(_video(job), headers={"openai-poll-after-ms": POLL_AFTER_MS})


def _video(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "object": "video",
        "model": job.model,
        "status": job.status,
        "progress": job.progress,
        "created_at": int(job.created),
        "completed_at": job.completed_at,
        "expires_at": job.completed_at + ASSETS_LIVE_S if job.completed_at else None,
        "prompt": job.prompt,
        "size": job.size,
        "seconds": str(job.seconds),
        "remixed_from_video_id": job.remixed_from,
        "client_request_id": job.key,
        "error": {"code": job.error[0], "message": job.error[1]} if job.error else None,
    }


def _new_id() -> str:
    return f"video_{uuid.uuid4().hex}"


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key") or request.headers.get("x-client-request-id") or ""


def _find(jobs: Jobs, video_id: str) -> Job:
    job = jobs.get(video_id)
    if job is None:
        raise Refusal(404, f"Video with id '{video_id}' not found.", code="not_found", param="video_id")
    return job


def _require_completed(job: Job) -> None:
    if job.status != "completed":
        raise Refusal(
            404,
            f"Video is not ready yet, its status is {job.status}. Use GET /v1/videos/{job.id} to check the status.",
            code="video_not_ready",
        )


def _prompt(body: Members) -> str:
    prompt = body.text("prompt", longest=PROMPT_LIMIT)
    if not prompt.strip():
        raise wrong_value("prompt", "it must not be empty.")
    return prompt


def _seconds(body: Members) -> int:
    value = body.value.get("seconds", "4")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong_type("seconds", "a string", value)
    if str(value) not in SECONDS:
        raise wrong_value("seconds", f"'{value}'. Supported values are: {', '.join(map(repr, SECONDS))}.")
    return int(value)


def _check_picture(content: bytes, size: str) -> None:
    try:
        picture = open_picture(content)
    except BrokenPicture as exc:
        raise Refusal(400, f"Invalid input_reference: {exc}.", code="invalid_image", param="input_reference") from exc
    if f"{picture.width}x{picture.height}" != size:
        raise Refusal(400, "Inpaint image must match the requested width and height", param="input_reference")


def _read(request: Request, known: frozenset[str]) -> tuple[Members, bytes | None]:
    """The members, and the bytes of the reference picture, from JSON or a form."""
    if request.content_type != "multipart/form-data":
        body = Members(request.json())
        body.only(known)
        has_picture = body.has("input_reference")
        return body, _linked(body.object("input_reference")) if has_picture else None
    values: dict[str, Any] = {}
    picture: bytes | None = None
    for field in read_form(request):
        name = "input_reference" if field.name == "input_reference[image_url]" else field.name
        if name not in known:
            raise Refusal(400, f"Unrecognized request argument supplied: {name}", code="unknown_parameter", param=name)
        if name != "input_reference":
            values[name] = field.text()
        elif picture is not None:
            raise wrong_value(name, "only one picture is supported.")
        elif field.filename is not None:
            picture = field.content
        elif field.name == name:
            picture = _linked(Members(Request("", "", {}, {}, field.content).json(), name))
        else:
            picture = _linked(Members({"image_url": field.text()}, name))
    return Members(values), picture


def _linked(reference: Members) -> bytes:
    """The picture of `{"image_url": "data:…"}`. Links and file ids are refused: the sandbox fetches nothing."""
    reference.only({"image_url", "file_id"})
    if reference.has("file_id"):
        raise wrong_value(reference.at("file_id"), "no such file.")
    if not reference.has("image_url"):
        raise missing(reference.at("image_url"))
    url = reference.text("image_url")
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise wrong_value(reference.at("image_url"), "the sandbox opens only data URLs with base64.")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise wrong_value(reference.at("image_url"), "the data URL is not valid base64.") from exc
