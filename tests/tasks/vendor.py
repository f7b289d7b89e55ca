"""A vendor of films on loopback whose answers a test writes: OpenAI's Videos format, real HTTP, no waiting."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

FILM = bytes(range(256)) * 64
THUMBNAIL = b"RIFF....WEBP"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Vendor:
    """`submits`, `finds`, `polls`, `contents`, `thumbnails`: answers to come, taken from the front; when a list is
    empty the vendor works. `jobs`: our id of each film that was begun, by the vendor's id; `knows_keys`: an order that
    bears the `idempotency-key` of another one begins no second film."""

    def __init__(self) -> None:
        self.url = ""
        self.jobs: dict[str, str] = {}
        self.orders: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.submits: list[Answer] = []
        self.finds: list[Answer] = []
        self.polls: list[Answer] = []
        self.contents: list[Answer] = []
        self.thumbnails: list[Answer] = []
        self.seconds: Any = None
        self.knows_keys = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Vendor"]:
        app = web.Application()
        app.router.add_post("/v1/videos", self._on_submit)
        app.router.add_post("/v1/videos/{id}/remix", self._on_submit)
        app.router.add_get("/v1/videos", self._on_find)
        app.router.add_get("/v1/videos/{id}", self._on_poll)
        app.router.add_get("/v1/videos/{id}/content", self._on_content)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0])
        try:
            yield self
        finally:
            await runner.cleanup()

    def jobs_of(self, task_id: str) -> int:
        return list(self.jobs.values()).count(task_id)

    async def begin(self, request: web.Request) -> web.Response:
        """Begins a film and tells its id."""
        if self.knows_keys:
            for id, key in self.jobs.items():
                if key == request.headers["idempotency-key"]:
                    return web.json_response({"id": id, "status": "queued"})
        id = f"video_{len(self.jobs) + 1}"
        self.jobs[id] = request.headers["x-client-request-id"]
        self.orders.append({"path": request.path, **await request.json()})
        self.keys.append(request.headers.get("authorization", ""))
        return web.json_response({"id": id, "object": "video", "status": "queued", "progress": 0})

    async def _on_submit(self, request: web.Request) -> web.StreamResponse:
        return await (self.submits.pop(0) if self.submits else self.begin)(request)

    async def _on_find(self, request: web.Request) -> web.StreamResponse:
        if self.finds:
            return await self.finds.pop(0)(request)
        wanted = request.query["client_request_id"]
        found = [{"id": id, "client_request_id": ours} for id, ours in self.jobs.items() if ours == wanted]
        return web.json_response({"object": "list", "data": found})

    async def _on_poll(self, request: web.Request) -> web.StreamResponse:
        if self.polls:
            return await self.polls.pop(0)(request)
        body = {"id": request.match_info["id"], "status": "completed", "progress": 100, "seconds": self.seconds}
        return web.json_response(body)

    async def _on_content(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("variant") == "thumbnail":
            if self.thumbnails:
                return await self.thumbnails.pop(0)(request)
            return web.Response(body=THUMBNAIL, content_type="image/webp")
        if self.contents:
            return await self.contents.pop(0)(request)
        return web.Response(body=FILM, content_type="video/mp4")


def says(status: int, body: Any = None, **headers: str) -> Answer:
    """An answer with this status; `body`: a JSON value."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(
            body if body is not None else {"error": {"message": "?"}}, status=status, headers=headers
        )

    return answer


def state(status: str, **members: Any) -> Answer:
    """A film in this state."""
    return says(200, {"id": "whatever", "status": status} | members)


def leads_to(url: str, status: int = 302) -> Answer:
    """A redirect."""
    return says(status, location=url)


def sends(data: bytes, mime: str) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=data, content_type=mime)

    return answer


async def hang_up(request: web.Request) -> web.StreamResponse:
    """No answer: the connection is cut."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def cut_half_way(request: web.Request) -> web.StreamResponse:
    """The film, announced whole and cut in the middle."""
    response = web.StreamResponse(headers={"content-type": "video/mp4", "content-length": str(len(FILM))})
    await response.prepare(request)
    await response.write(FILM[: len(FILM) // 2])
    return await hang_up(request)


def after(first: Answer, then: Answer) -> Answer:
    """Does the first, and answers with the second."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await first(request)
        return await then(request)

    return answer
