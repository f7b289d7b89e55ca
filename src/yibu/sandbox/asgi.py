"""The sandbox's ASGI app: token, routes, errors, and the end of work when the client leaves.

One route table for all APIs. The engines are started with the app's lifespan and stopped with it.
"""

import asyncio
import hmac
import re
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from yibu.sandbox import completions, embeddings, legacy, models, moderations, rerank, videos
from yibu.sandbox.anthropic import routes as anthropic
from yibu.sandbox.bedrock import routes as bedrock
from yibu.sandbox.engines.language import Language
from yibu.sandbox.engines.vectors import Vectors
from yibu.sandbox.gemini import routes as gemini
from yibu.sandbox.jobs import Jobs
from yibu.sandbox.refusal import Refusal
from yibu.sandbox.request import ClientGone, Receive, Request, read_request
from yibu.sandbox.response import Cut, Response, Stream, Whole
from yibu.sandbox.responses import routes as responses
from yibu.sandbox.responses.store import Store
from yibu.sandbox.vendor import ANTHROPIC, Vendor, vendor_of

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[..., Awaitable[Response]]


def build(token: str | None, data_dir: Path, report: Callable[[str], None] | None = None) -> "Sandbox":
    """The app. `token`: what every request must carry as Bearer, None for no check. `report`: takes start-up lines."""
    say = report or (lambda line: print(line, file=sys.stderr, flush=True))
    return Sandbox(token, Language(say), Vectors(say), Jobs(data_dir, say))


class Sandbox:
    """Call `start` in the serving event loop before the first request and `stop` after the last."""

    def __init__(self, token: str | None, language: Language, vectors: Vectors, jobs: Jobs) -> None:
        self._token = token
        self._language = language
        self._vectors = vectors
        self._jobs = jobs
        self._store = Store()
        self._busy: set[asyncio.Task[None]] = set()
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile(r"/v1/models"), self._list_models),
            ("GET", re.compile(r"/v1/models/(.+)"), self._get_model),
            ("POST", re.compile(r"/v1/chat/completions"), self._complete),
            ("POST", re.compile(r"/v1/completions"), self._complete_text),
            ("POST", re.compile(r"/v1/embeddings"), self._embed),
            ("POST", re.compile(r"/v[12]/rerank"), self._rerank),
            ("POST", re.compile(r"/v1/moderations"), moderations.moderate),
            ("POST", re.compile(r"/v1/messages"), self._create_message),
            ("POST", re.compile(r"/v1/messages/count_tokens"), self._count_message),
            ("POST", re.compile(r"/v1/responses"), self._respond_to),
            ("POST", re.compile(r"/v1/responses/input_tokens"), self._kept(responses.input_tokens)),
            ("GET", re.compile(r"/v1/responses/([^/]+)"), self._kept(responses.get)),
            ("DELETE", re.compile(r"/v1/responses/([^/]+)"), self._kept(responses.delete)),
            ("POST", re.compile(r"/v1/responses/([^/]+)/cancel"), self._kept(responses.cancel)),
            ("GET", re.compile(r"/v1/responses/([^/]+)/input_items"), self._kept(responses.input_items)),
            ("GET", re.compile(r"/v1beta/models"), self._list_gemini),
            ("GET", re.compile(r"/v1beta/models/(.+)"), self._get_gemini),
            ("POST", gemini.METHODS, self._generate),
            ("POST", bedrock.METHODS, self._converse),
            ("POST", re.compile(r"/v1/videos"), self._video(videos.create)),
            ("GET", re.compile(r"/v1/videos"), self._video(videos.list_jobs)),
            ("GET", re.compile(r"/v1/videos/([^/]+)"), self._video(videos.get)),
            ("DELETE", re.compile(r"/v1/videos/([^/]+)"), self._video(videos.delete)),
            ("GET", re.compile(r"/v1/videos/([^/]+)/content"), self._video(videos.content)),
            ("POST", re.compile(r"/v1/videos/([^/]+)/remix"), self._video(videos.remix)),
        ]

    def start(self) -> None:
        """Begin to load the engines and take up unfinished jobs; returns at once."""
        self._language.load()
        self._vectors.load()
        self._jobs.start()

    def hang_up(self) -> None:
        """Drop the connections of all requests that are being answered."""
        for task in self._busy:
            task.cancel()

    async def stop(self) -> None:
        """Stop jobs and engines; unfinished jobs begin again at the next start."""
        await self._jobs.stop()
        await self._vectors.close()
        await self._language.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answering = asyncio.create_task(self._answer(scope, receive, send))
        self._busy.add(answering)
        try:
            await answering
        except asyncio.CancelledError:
            raise Cut from None
        finally:
            self._busy.discard(answering)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        vendor = vendor_of(unquote(scope["path"]), headers, query)
        try:
            request = await read_request(scope, receive)
            response = await _unless_gone(self._respond(request, vendor), receive)
        except Refusal as refusal:
            response = vendor.shape(refusal)
        except ClientGone:
            return
        except Exception as exc:  # noqa: BLE001 - the outermost edge: a bug of the sandbox is a 500 of the vendor
            print(f"sandbox: {type(exc).__name__}: {exc}", file=sys.stderr, flush=True)
            failure = Refusal(500, "The sandbox failed.", kind="server_error", code="internal_error")
            response = vendor.shape(failure)
        if isinstance(response, Whole):
            await _send_whole(response, send)
        else:
            with suppress(ClientGone):
                await _unless_gone(_send_stream(response, send), receive)

    async def _respond(self, request: Request, vendor: Vendor) -> Response:
        self._check_token(request, vendor)
        allowed = False
        for method, pattern, handler in self._routes:
            if match := pattern.fullmatch(request.path):
                if method == request.method:
                    return await handler(request, *match.groups())
                allowed = True
        if allowed:
            raise Refusal(405, f"Not allowed to {request.method} on {request.path} .", code="method_not_supported")
        raise Refusal(404, f"Invalid URL ({request.method} {request.path})", code="unknown_url")

    def _check_token(self, request: Request, vendor: Vendor) -> None:
        if self._token is None:
            return
        given = vendor.key_of(request.headers, request.query)
        if not given:
            raise vendor.keyless()
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise vendor.wrong_key()

    async def _list_models(self, request: Request) -> Response:
        if vendor_of(request.path, request.headers, request.query) is ANTHROPIC:
            return anthropic.list_models(request)
        return models.list_models()

    async def _get_model(self, request: Request, name: str) -> Response:
        if vendor_of(request.path, request.headers, request.query) is ANTHROPIC:
            return anthropic.get_model(name)
        return models.get_model(name)

    async def _create_message(self, request: Request) -> Response:
        return await anthropic.create(request, self._language)

    async def _count_message(self, request: Request) -> Response:
        return await anthropic.count_tokens(request)

    async def _complete(self, request: Request) -> Response:
        return await completions.complete(request, self._language)

    async def _complete_text(self, request: Request) -> Response:
        return await legacy.complete(request, self._language)

    async def _embed(self, request: Request) -> Response:
        return await embeddings.embed(request, self._vectors)

    async def _rerank(self, request: Request) -> Response:
        return await rerank.rerank(request, self._vectors)

    async def _list_gemini(self, request: Request) -> Response:
        return gemini.list_models(request)

    async def _get_gemini(self, request: Request, name: str) -> Response:
        return gemini.get_model(name)

    async def _generate(self, request: Request, model: str, method: str) -> Response:
        if method == "countTokens":
            return await gemini.count_tokens(request, model)
        return await gemini.generate(request, self._language, model, stream=method == "streamGenerateContent")

    async def _respond_to(self, request: Request) -> Response:
        return await responses.create(request, self._store, self._language)

    def _kept(self, handler: Handler) -> Handler:
        return lambda request, *groups: handler(request, self._store, *groups)

    async def _converse(self, request: Request, model: str, method: str) -> Response:
        return await bedrock.converse(request, self._language, model, method)

    def _video(self, handler: Handler) -> Handler:
        return lambda request, *groups: handler(self._jobs, request, *groups)


async def _unless_gone(work: "Awaitable[Any]", receive: Receive) -> Any:
    """Do the work, but cancel it and raise `ClientGone` when the client leaves first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.create_task(_wait_gone(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        for each in (task, gone):
            each.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _wait_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_whole(response: Whole, send: Send) -> None:
    length = len(response.body) if response.claimed_length is None else response.claimed_length
    await send(_start(response.status, response.content_type, response.headers | {"content-length": str(length)}))
    await send({"type": "http.response.body", "body": response.body, "more_body": length > len(response.body)})
    if length > len(response.body):
        await asyncio.sleep(0.05)  # lets what is sent leave before the connection drops
        raise Cut


async def _send_stream(response: Stream, send: Send) -> None:
    await send(_start(200, response.content_type, response.headers | {"cache-control": "no-cache"}))
    async with aclosing(response.chunks) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(status: int, content_type: str, headers: dict[str, str]) -> dict[str, Any]:
    pairs = {"content-type": content_type, "openai-version": "2020-10-01"} | headers
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs.items()],
    }
