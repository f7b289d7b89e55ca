import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Raw, json

from yibu.dialects._eventstream import encode_message
from yibu.providers.bedrock import Bedrock, ClaudeStream

BEDROCK = Bedrock()
HOST = "https://bedrock-runtime.eu-central-1.amazonaws.com"
AT = datetime(2026, 11, 22, tzinfo=UTC)
ACCESS = "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    ("dialect", "model", "is_stream", "tail"),
    [
        ("anthropic", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", False, "invoke"),
        ("anthropic", "anthropic.claude-opus-4-6", True, "invoke-with-response-stream"),
        ("bedrock_converse", "us.amazon.nova-lite-v1:0", False, "converse"),
        ("bedrock_converse", "arn:aws:bedrock:eu-central-1:1:inference-profile/x", True, "converse-stream"),
    ],
)
def test_a_model_is_asked_in_its_makers_format(dialect: str, model: str, is_stream: bool, tail: str) -> None:
    """At an address in which its id is one segment."""
    escaped = model.replace(":", "%3A").replace("/", "%2F")

    assert BEDROCK.url(HOST, dialect, model, is_stream=is_stream) == f"{HOST}/model/{escaped}/{tail}"
    assert [one for one in BEDROCK.speaks if BEDROCK.understands(one, model)] == [dialect]


def test_openais_open_models_are_asked_in_openais() -> None:
    model = "openai.gpt-oss-120b-1:0"

    assert BEDROCK.url(HOST, "openai_chat", model, is_stream=True) == f"{HOST}/openai/v1/chat/completions"
    assert [one for one in BEDROCK.speaks if BEDROCK.understands(one, model)] == ["openai_chat"]


def test_anthropics_version_stands_in_the_body() -> None:
    """Model and stream are said by the address."""
    fields = {"model": Raw(b'"c"'), "max_tokens": Raw(b"9"), "stream": Raw(b"true")}

    assert json.encode(BEDROCK.prepare("anthropic", fields, [])) == (
        b'{"max_tokens":9,"anthropic_version":"bedrock-2023-05-31"}'
    )


def test_access_keys_sign_for_the_region_of_the_address() -> None:
    made = BEDROCK.auth.sign("POST", f"{HOST}/model/m/converse", {}, b"{}", f"{ACCESS}:secret+/x:token", AT)

    assert f"Credential={ACCESS}/20261122/eu-central-1/bedrock/aws4_request" in made["authorization"]
    assert made["x-amz-security-token"] == "token"
    assert "secret+/x" not in str(made)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://bedrock-runtime.us-gov-west-1.amazonaws.com/x", "us-gov-west-1"),
        ("https://vpce-1.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"),
        ("http://127.0.0.1:9000", "us-east-1"),
    ],
)
def test_regions(url: str, region: str) -> None:
    made = BEDROCK.auth.sign("POST", url, {}, b"", f"{ACCESS}:secret", AT)

    assert f"/{region}/bedrock/" in made["authorization"]


def test_an_api_key_of_bedrock_is_a_bearer() -> None:
    assert BEDROCK.auth.sign("POST", HOST, {}, b"", "ABSKQmVkcm9j", AT) == {"authorization": "Bearer ABSKQmVkcm9j"}


@pytest.mark.parametrize("secret", ["", "akia:secret", f"{ACCESS}:", f"{ACCESS}:s:t:u"])
def test_a_wrong_key_is_a_sentence_with_the_remedy(secret: str) -> None:
    with pytest.raises(ValueError, match="Write ACCESS_KEY_ID:SECRET_ACCESS_KEY") as wrong:
        BEDROCK.home(HOST, secret)
    if secret:
        assert secret not in str(wrong.value)


def test_the_list_of_models_has_a_host_of_its_own() -> None:
    assert BEDROCK.models_url(f"{HOST}/") == "https://bedrock.eu-central-1.amazonaws.com/foundation-models"
    assert BEDROCK.models_url("http://127.0.0.1:9000") == ""


def chunk(event: dict[str, Any]) -> bytes:
    payload = json.encode({"bytes": base64.b64encode(json.encode(event)).decode(), "p": "abc"})
    return encode_message({":event-type": "chunk", ":message-type": "event"}, payload)


STREAM = chunk({"type": "message_start", "message": {}}) + chunk({"type": "message_stop"})
TAKEN = b'event: message_start\ndata: {"type":"message_start","message":{}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'


@pytest.mark.parametrize("cut", range(0, len(STREAM), 7))
def test_anthropics_events_are_taken_out_of_amazons_messages(cut: int) -> None:
    """Wherever the stream is cut."""
    stream = ClaudeStream()

    assert stream.feed(STREAM[:cut]) + stream.feed(STREAM[cut:]) == TAKEN


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", "rate_limit_error"),
        ("validationException", "invalid_request_error"),
        ("modelStreamErrorException", "api_error"),
    ],
)
def test_an_exception_is_an_error_of_anthropics(name: str, kind: str) -> None:
    """And nothing comes after it."""
    headers = {":exception-type": name, ":message-type": "exception"}
    stream = ClaudeStream()
    told = stream.feed(encode_message(headers, b'{"message":"Too many"}') + STREAM)

    assert json.decode(told.split(b"data: ")[1]) == {"type": "error", "error": {"type": kind, "message": "Too many"}}
    assert stream.feed(STREAM) == b""


def test_a_torn_stream_is_an_error_too() -> None:
    told = ClaudeStream().feed(STREAM[:20] + b"x" + STREAM[21:])

    assert b'"type":"api_error"' in told
