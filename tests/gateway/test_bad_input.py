"""Whatever a caller sends gets a clear error in the dialect's shape, and nothing is charged."""

import base64
import json
from typing import Any

import openai
import pytest
from aiohttp import web

from tests.gateway.conftest import change
from tests.gateway.test_chat import picture
from tests.house import House, free_port, open_house
from yibu.identity import keys
from yibu.kit.money import Nanos
from yibu.kit.settings import Settings

HELLO = {"model": "sandbox/rules", "messages": [{"role": "user", "content": "hello"}]}


def error_of(body: bytes) -> dict[str, Any]:
    """The error object, which has all the members that OpenAI's has."""
    error: dict[str, Any] = json.loads(body)["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    assert "request id: req_" in error["message"]
    return error


def film(url: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": "让它动起来 4s"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"model": "sora-2", "messages": [{"role": "user", "content": parts}]}


def look(url: str) -> dict[str, Any]:
    """The same picture in an ordinary question."""
    return {**film(url), "model": "sandbox/rules"}


async def test_no_key(house: House) -> None:
    """Without a key the answer says where to put one."""
    async with house.session.post(f"{house.url}/v1/chat/completions", json=HELLO) as answer:
        error = error_of(await answer.read())

    assert answer.status == 401
    assert error["code"] == "missing_api_key"
    assert "Authorization" in error["message"]


async def test_wrong_key(house: House) -> None:
    """An unknown key is the SDK's AuthenticationError, and is not told back."""
    with pytest.raises(openai.AuthenticationError) as raised:
        await house.openai.with_options(api_key="sk-yb-nonesuch").chat.completions.create(**HELLO)

    assert raised.value.code == "invalid_api_key"
    assert "nonesuch" not in str(raised.value)


async def test_revoked_key(house: House) -> None:
    """A key that was revoked stops working within the life of its memory."""
    key_id, secret = await house.new_key()
    client = house.openai.with_options(api_key=secret)
    await client.models.list()
    await house.app.house.db.write(lambda conn: keys.revoke(conn, key_id))
    house.app.house.callers.forget()

    with pytest.raises(openai.AuthenticationError) as raised:
        await client.models.list()
    assert "revoked" in str(raised.value)


async def test_no_credit(settings: Settings) -> None:
    """An empty wallet refuses before the vendor is asked, with the code by which tools know it."""
    async with open_house(settings, credit=Nanos(0)) as house:
        with pytest.raises(openai.RateLimitError) as raised:
            await house.openai.chat.completions.create(**HELLO)
        film_status, _, film_body = await house.post(film(picture()))

        assert raised.value.code == "insufficient_quota"
        assert raised.value.response.headers["x-should-retry"] == "false"
        assert film_status == 429
        assert error_of(film_body)["code"] == "insufficient_quota"


async def test_unknown_model(house: House) -> None:
    """A model that does not exist is named."""
    status, _, body = await house.post({**HELLO, "model": "gpt-99"})

    assert status == 404
    assert error_of(body)["code"] == "model_not_found"
    assert "gpt-99" in error_of(body)["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe\x00",
        b'{"model":',
        b"{" * 50_000,
        b"[" * 50_000,
        b'{"model":"\\ud800"}',
    ],
)
async def test_body_that_is_not_json(house: House, body: bytes) -> None:
    """What is not a JSON object is a 400, never a 500."""
    status, _, answer = await house.post(body)

    assert status == 400
    assert error_of(answer)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("change_to", "path"),
    [
        ({"model": 5}, "$.model"),
        ({"model": ""}, "$.model"),
        ({"messages": "hi"}, "$.messages"),
        ({"messages": []}, "$.messages"),
        ({"messages": [{"role": 5, "content": "x"}]}, "$.messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "$.messages[0].content"),
        ({"stream": "yes"}, "$.stream"),
        ({"max_tokens": "many"}, "$.max_tokens"),
        ({"max_tokens": -1}, "$.max_tokens"),
        ({"n": 0}, "$.n"),
    ],
)
async def test_wrong_type(house: House, change_to: dict[str, Any], path: str) -> None:
    """The path of the wrong member is named."""
    status, _, body = await house.post({**HELLO, **change_to})

    assert status == 400
    assert error_of(body)["param"] == path


async def test_huge_body(house: House) -> None:
    """50 MB are refused with 413; the gateway lives on."""
    status, _, body = await house.post(b'{"model":"' + b"x" * 50_000_000 + b'"}')

    assert status == 413
    assert error_of(body)["code"] == "request_too_large"
    assert (await house.post(HELLO))[0] == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/x.png",
        "http://localhost/x.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/x.png",
        "http://2130706433/x.png",
        "http://0x7f.1/x.png",
        "ftp://example.com/x.png",
        "file:///etc/passwd",
        "http://user:pass@example.com/x.png",
    ],
)
@pytest.mark.parametrize("ask", [film, look])
async def test_picture_at_an_internal_address(house: House, ask: Any, url: str) -> None:
    """An address that is not public is refused, for films and for questions."""
    status, _, body = await house.post(ask(url))

    assert status == 400
    assert error_of(body)["code"] == "invalid_image_url"
    assert await house.spent() == await house.held() == 0


async def test_picture_that_redirects_to_an_internal_address(settings: Settings) -> None:
    """A redirect is checked again: the allowed server cannot lead to a forbidden one."""
    secret = "instance credentials"

    async def lead_away(_request: web.Request) -> web.Response:
        raise web.HTTPFound(f"http://127.0.0.1:{inner}/secret")

    async def tell(_request: web.Request) -> web.Response:
        return web.Response(text=secret)

    outer, inner = free_port(), free_port()
    allowing = change(settings, "fetch", allow=(f"127.0.0.1:{outer}",))
    async with serving(outer, lead_away), serving(inner, tell), open_house(allowing) as house:
        status, _, body = await house.post(film(f"http://127.0.0.1:{outer}/x.png"))

    assert status == 400
    assert error_of(body)["code"] == "invalid_image_url"
    assert secret.encode() not in body


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64," + base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(),
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/png;base64,%%%",
        "data:,",
        picture()[:160],
    ],
)
async def test_picture_that_is_no_picture(house: House, url: str) -> None:
    """Data that does not decode as a picture is refused before anything is held."""
    status, _, body = await house.post(film(url))

    assert status == 400
    assert error_of(body)["code"] == "invalid_image_url"
    assert error_of(body)["param"] == "$.messages[0].content[1].image_url.url"
    assert await house.held() == 0


async def test_picture_that_is_a_page(settings: Settings) -> None:
    """A web page in place of a picture is refused."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>not found</html>", content_type="image/png")

    port = free_port()
    async with serving(port, page), open_house(change(settings, "fetch", allow=(f"127.0.0.1:{port}",))) as house:
        status, _, body = await house.post(film(f"http://127.0.0.1:{port}/x.png"))

    assert status == 400
    assert error_of(body)["code"] == "invalid_image_url"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nonesuch", 404, "not_found"),
        ("POST", "/nonesuch", 404, "not_found"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("PUT", "/v1/chat/completions", 405, "method_not_allowed"),
        ("GET", "/v1/files/file_nonesuch.mp4", 404, "not_found"),
        ("GET", "/v1/files/..%2f..%2fyibu.db", 404, "not_found"),
        ("GET", "/source/task_x.y", 404, "not_found"),
        ("GET", "/web/task_x", 404, "not_found"),
        ("GET", "/v1/videos/task_nonesuch", 404, "not_found"),
        ("GET", "/metrics", 404, "not_found"),
    ],
)
async def test_unknown_address(house: House, method: str, path: str, status: int, code: str) -> None:
    """Unknown paths and methods are answered as JSON, never as a page."""
    async with house.session.request(method, house.url + path, headers=house.bearer) as answer:
        assert answer.status == status
        assert answer.content_type == "application/json"
        assert error_of(await answer.read())["code"] == code


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "//v1//chat/completions",
        "/v1/v1/chat/completions",
        "/chat/completions",
        "/v1/chat/completions/chat/completions",
    ],
)
async def test_any_base_url_works(house: House, path: str) -> None:
    """What people type as a base URL leads to the same place, without a redirect."""
    assert (await house.post(HELLO, path=path))[0] == 200


async def test_key_in_any_place(house: House) -> None:
    """The key is found wherever tools put it."""
    for headers in (
        {"x-api-key": house.key},
        {"api-key": house.key},
        {"x-goog-api-key": house.key},
        {"mj-api-secret": house.key},
        {"authorization": house.key},
        {"authorization": f"bearer   {house.key} "},
        {"authorization": "Bearer ", "x-api-key": house.key},
        {"authorization": "midjourney-proxy", "mj-api-secret": house.key},
        {"authorization": "Bearer sk-ant-of-another-house", "x-api-key": house.key},
        {"sec-websocket-protocol": f"realtime, openai-insecure-api-key.{house.key}, openai-beta.realtime-v1"},
    ):
        async with house.session.get(f"{house.url}/v1/models", headers=headers) as answer:
            assert answer.status == 200
    async with house.session.get(f"{house.url}/v1/models?key={house.key}") as answer:
        assert answer.status == 200


async def test_browser_may_call(house: House) -> None:
    """Preflight and answers allow any origin."""
    asked = {"origin": "https://example.com", "access-control-request-headers": "authorization, x-stainless-lang"}
    async with house.session.options(f"{house.url}/v1/chat/completions", headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "x-stainless-lang" in answer.headers["access-control-allow-headers"]


SDK_HEADERS = (
    "authorization, x-api-key, x-goog-api-key, api-key, mj-api-secret, anthropic-version, anthropic-beta, "
    "anthropic-dangerous-direct-browser-access, content-type, openai-organization, openai-project, openai-beta, "
    "x-stainless-os, x-stainless-retry-count, x-goog-api-client, http-referer, x-title, idempotency-key"
)


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/models", "/v1/messages", "/v1beta/models/m:generateContent", "/x"]
)
async def test_browser_may_send_what_sdks_send(house: House, path: str) -> None:
    """Whatever header they add, on whatever path; also from the open net to a gateway on the user's own machine."""
    asked = {"access-control-request-headers": SDK_HEADERS, "access-control-request-private-network": "true"}
    async with house.session.options(house.url + path, headers=asked) as answer:
        assert answer.status == 204
        assert answer.headers["access-control-allow-headers"] == SDK_HEADERS
        assert answer.headers["access-control-allow-private-network"] == "true"
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "path", ["", "/", "/v1", "/v1/", "//v1", "/v1beta", "/v1beta/openai/", "/openai/v1", "/anthropic", "/api/v1"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_bare_base_url_answers(house: House, method: str, path: str) -> None:
    """Tools try it before they believe in it."""
    async with house.session.request(method, house.url + path, allow_redirects=False) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions/", "//v1/chat/completions", "/chat/completions", "/v1/nonesuch", "/"]
)
async def test_a_post_is_never_redirected(house: House, path: str) -> None:
    """Clients would make a GET of it and drop the key."""
    async with house.session.post(house.url + path, json={}, headers=house.bearer, allow_redirects=False) as answer:
        assert answer.status in (400, 404)
        assert "location" not in answer.headers
        assert answer.content_type == "application/json"


async def test_limits_of_a_key(house: House) -> None:
    """A key with a limit a minute is told when to come again."""
    _, secret = await house.new_key(rpm=1)
    first, _, _ = await house.post(HELLO, authorization=f"Bearer {secret}")
    second, headers, body = await house.post(HELLO, authorization=f"Bearer {secret}")

    assert (first, second) == (200, 429)
    assert error_of(body)["code"] == "rate_limit_exceeded"
    assert int(headers["retry-after"]) >= 1


class serving:
    """An HTTP server on loopback that answers every request with one handler."""

    def __init__(self, port: int, handler: Any) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        self._runner = web.AppRunner(app)
        self._port = port

    async def __aenter__(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
