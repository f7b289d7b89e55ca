import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Raw, json

from yibu.hub.errors import Denied
from yibu.kit.clock import FixedClock
from yibu.kit.http import Client
from yibu.providers._service_account import ServiceAccount, account_of
from yibu.providers.vertex import Vertex
from yibu.routing.credentials import Credentials

KEY = rsa.generate_private_key(65537, 2048)
VERTEX = Vertex()
HOST = "https://aiplatform.googleapis.com"


def pem(key: Any) -> str:
    form, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(form, kind, serialization.NoEncryption()).decode())


def secret(**members: Any) -> str:
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "abc123",
        "private_key": pem(KEY),
        "client_email": "yibu@my-project.iam.gserviceaccount.com",
    }
    return json.encode({name: value for name, value in (account | members).items() if value is not None}).decode()


def parts(jwt: str) -> list[Any]:
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in jwt.split(".")]


def test_the_account_signs_that_it_is_itself() -> None:
    """A JWT with the claims that Google's page names, an hour long, whose signature the public key confirms."""
    ask = ServiceAccount().ask(secret(), datetime(2026, 11, 22, 12, tzinfo=UTC))
    form = parse_qs(ask.body.decode())
    [jwt] = form["assertion"]
    head, claims, signature = parts(jwt)

    assert ask.url == "https://oauth2.googleapis.com/token"
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert json.decode(head) == {"alg": "RS256", "typ": "JWT", "kid": "abc123"}
    assert json.decode(claims) == {
        "iss": "yibu@my-project.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": 1795348800,
        "exp": 1795352400,
    }
    KEY.public_key().verify(signature, jwt.rpartition(".")[0].encode(), PKCS1v15(), SHA256())


def test_the_token_is_read_with_its_life() -> None:
    token = ServiceAccount().read(b'{"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"}')

    assert (token.text, token.life_s) == ("ya29.x", 3599)
    assert ServiceAccount().token_headers(token.text) == {"authorization": "Bearer ya29.x"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"access_token": 5}', b"<html>"])
def test_an_answer_without_a_token_is_none(body: bytes) -> None:
    with pytest.raises(ValueError, match="there is no token in the answer"):
        ServiceAccount().read(body)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "it has no key"),
        ("AIzaSyNotAnAccount", "is not the JSON of a service account"),
        ('{"client_email": "a@b"}', "missing required field `private_key`"),
        ('{"client_email": "a@b", "private_key": 5}', "Expected `str`"),
        ('{"type": "authorized_user", "refresh_token": "1//secret"}', "the login of a person"),
        (secret(private_key="-----BEGIN PRIVATE KEY-----\nMIIE"), "perhaps because it was cut"),
        (secret(private_key=pem(ec.generate_private_key(ec.SECP256R1()))), "is not an RSA key"),
    ],
)
def test_a_wrong_key_is_a_sentence_with_the_remedy(given: str, words: str) -> None:
    """Of the key itself nothing is told."""
    with pytest.raises(ValueError, match=words) as wrong:
        account_of(given)

    assert str(wrong.value).endswith("or `env:NAME` of a variable that holds its text.")
    assert wrong.value.__cause__ is None
    for piece in ("AIzaSy", "MIIE", "1//secret"):
        assert piece not in str(wrong.value)


@pytest.mark.parametrize(
    ("typed", "home"),
    [
        (HOST, f"{HOST}/v1/projects/my-project/locations/global"),
        (f"{HOST}/v1/", f"{HOST}/v1/projects/my-project/locations/global"),
        (
            "https://us-east5-aiplatform.googleapis.com",
            "https://us-east5-aiplatform.googleapis.com/v1/projects/my-project/locations/us-east5",
        ),
        (f"{HOST}/v1/projects/other/locations/europe-west1", f"{HOST}/v1/projects/other/locations/europe-west1"),
        (f"{HOST}/v1beta1/projects/other/locations/global/", f"{HOST}/v1beta1/projects/other/locations/global"),
        (
            f"{HOST}/v1/projects/other/locations/global/publishers/google/models/gemini-x:generateContent",
            f"{HOST}/v1/projects/other/locations/global",
        ),
    ],
)
def test_project_and_region_are_found(typed: str, home: str) -> None:
    """As typed, else those of the account and of the host."""
    assert VERTEX.home(typed, secret()) == home


def test_a_project_that_nobody_names_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"names no project\. Set `base_url` to https://LOCATION-aiplatform"):
        VERTEX.home(HOST, secret(project_id=None))


HOME = f"{HOST}/v1/projects/p/locations/global"


@pytest.mark.parametrize(
    ("dialect", "model", "is_stream", "tail"),
    [
        ("gemini", "gemini-3-flash", False, "publishers/google/models/gemini-3-flash:generateContent"),
        ("gemini", "gemini-3-flash", True, "publishers/google/models/gemini-3-flash:streamGenerateContent?alt=sse"),
        (
            "anthropic",
            "claude-haiku-4-5@20251001",
            False,
            "publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict",
        ),
        ("anthropic", "claude-opus-4-6", True, "publishers/anthropic/models/claude-opus-4-6:streamRawPredict"),
        ("openai_chat", "zai-org/glm-5-maas", True, "endpoints/openapi/chat/completions"),
    ],
)
def test_each_makers_models_have_an_address_of_their_own(dialect: str, model: str, is_stream: bool, tail: str) -> None:
    understood = [one for one in VERTEX.speaks if VERTEX.understands(one, model)]

    assert VERTEX.url(HOME, dialect, model, is_stream=is_stream) == f"{HOME}/{tail}"
    assert understood == [dialect]


def test_anthropics_version_stands_in_the_body() -> None:
    """And the model in the address; the rest is untouched."""
    fields = {"model": Raw(b'"claude"'), "max_tokens": Raw(b"9"), "stream": Raw(b"true")}
    made = VERTEX.prepare("anthropic", fields, [])

    assert json.encode(made) == b'{"max_tokens":9,"stream":true,"anthropic_version":"vertex-2023-10-16"}'


@pytest.mark.parametrize(
    ("betas", "kept"),
    [
        ("interleaved-thinking-2025-05-14", {"anthropic-beta": "interleaved-thinking-2025-05-14"}),
        ("claude-code-20250219, context-1m-2025-08-07", {"anthropic-beta": "context-1m-2025-08-07"}),
        ("claude-code-20250219", {}),
    ],
)
def test_betas_that_vertex_does_not_know_stay_away(betas: str, kept: dict[str, str]) -> None:
    """Pitfall 65: one of them would make it refuse the whole call."""
    assert VERTEX.prepare_headers("anthropic", {"anthropic-version": "2023-06-01", "anthropic-beta": betas}) == kept


class TokenServer:
    """Google's server of tokens on loopback: it checks the signature and counts what it gives."""

    def __init__(self) -> None:
        self.url = ""
        self.given = 0

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        jwt = str(form["assertion"])
        KEY.public_key().verify(parts(jwt)[2], jwt.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
        if json.decode(parts(jwt)[1])["iss"].startswith("stranger"):
            return web.json_response({"error": "invalid_grant", "error_description": "Invalid JWT"}, status=400)
        self.given += 1
        return web.json_response({"access_token": f"ya29.{self.given}", "expires_in": 3599, "token_type": "Bearer"})


@pytest_asyncio.fixture
async def tokens() -> AsyncIterator[TokenServer]:
    server, app = TokenServer(), web.Application()
    app.router.add_post("/token", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = "http://{}:{}/token".format(*runner.addresses[0])
    try:
        yield server
    finally:
        await runner.cleanup()


async def test_a_call_carries_a_token_that_is_kept_and_renewed(tokens: TokenServer) -> None:
    """The whole way, over HTTP: one token for an hour, another before it ends."""
    client, clock = Client(), FixedClock()
    desk = Credentials(client, clock)

    async def ask(**members: Any) -> str:
        given = secret(token_uri=tokens.url, **members)
        return (await desk.headers(VERTEX.auth, given, "POST", HOME, {}, b""))["authorization"]

    try:
        first = [await ask(), await ask()]
        clock.move(3_400_000)
        second = await ask()
        with pytest.raises(Denied):
            await ask(client_email="stranger@example.com")
    finally:
        await client.close()

    assert (first, second, tokens.given) == (["Bearer ya29.1"] * 2, "Bearer ya29.2", 2)
