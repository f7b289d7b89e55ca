"""What the rules engine makes of the less usual requests, in OpenAI's format."""

import base64
import io
import json
import wave
from typing import Any

import openai
import pytest

from tests.sandbox.test_behaviours import collect
from tests.sandbox.test_chat import ask, picture_part, red_picture

PDF = b"""%PDF-1.4
1 0 obj <</Type /Catalog /Pages 2 0 R>> endobj
2 0 obj <</Type /Pages /Kids [3 0 R 4 0 R] /Count 2>> endobj
3 0 obj <</Type /Page /Parent 2 0 R>> endobj
4 0 obj <</Type /Page /Parent 2 0 R>> endobj
5 0 obj <</Length 40>> stream
BT /F1 12 Tf (Quarterly report) Tj ET
endstream endobj
%%EOF
"""


def sound(seconds: float = 2.0) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(8000)
        track.writeframes(b"\0\0" * int(8000 * seconds))
    return file.getvalue()


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_sound_is_heard_and_counted(client: openai.OpenAI) -> None:
    """Its length is told, and its tokens are told apart."""
    part = {"type": "input_audio", "input_audio": {"data": base64_of(sound()), "format": "wav"}}
    reply = ask(client, [{"type": "text", "text": "What is this?"}, part])

    assert reply.choices[0].message.content == "I hear a sound of 2.0 s (audio/wav)."
    assert reply.usage.prompt_tokens_details.audio_tokens == 64


def test_a_pdf_is_read(client: openai.OpenAI) -> None:
    """Its pages are counted and its plainly drawn words quoted."""
    data = f"data:application/pdf;base64,{base64_of(PDF)}"
    part = {"type": "file", "file": {"filename": "q.pdf", "file_data": data}}
    reply = ask(client, [{"type": "text", "text": "Summary?"}, part])

    said = 'This is a PDF document of 2 pages; it says "Quarterly report".'
    assert reply.choices[0].message.content == said


def test_a_file_that_is_no_data_url_is_refused(client: openai.OpenAI) -> None:
    """Bare base64 is not enough, as at OpenAI."""
    part = {"type": "file", "file": {"filename": "q.pdf", "file_data": base64_of(PDF)}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, [part])

    assert caught.value.param == "messages[0].content[0].file.file_data"


def test_logprobs_belong_to_the_tokens(client: openai.OpenAI) -> None:
    """Each token of the answer has its logprob and as many alternatives as asked for, streamed too."""
    whole = ask(client, "count to 3", logprobs=True, top_logprobs=2).choices[0].logprobs.content
    stream = ask(client, "count to 3", logprobs=True, top_logprobs=2, stream=True)
    streamed = [one for chunk in stream if (told := chunk.choices[0].logprobs) for one in told.content]

    assert [one.token for one in whole] == ["1", " 2", " 3"]
    assert [len(one.top_logprobs) for one in whole] == [2, 2, 2]
    assert whole[0].logprob == -0.04
    assert streamed == whole


def test_what_was_sent_before_is_read_from_the_cache(client: openai.OpenAI) -> None:
    """The prefix up to the last answer counts as cached from 1,024 tokens on, in steps of 128."""
    long: list[Any] = [{"role": "user", "content": "word " * 1200}, {"role": "assistant", "content": "Yes."}]
    more: list[Any] = [*long, {"role": "user", "content": "go on"}]
    first = client.chat.completions.create(model="sandbox/rules", messages=long[:1])
    second = client.chat.completions.create(model="sandbox/rules", messages=more)

    assert first.usage
    assert first.usage.prompt_tokens_details
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert second.usage
    assert second.usage.prompt_tokens_details
    assert second.usage.prompt_tokens_details.cached_tokens == first.usage.prompt_tokens // 128 * 128


def test_the_mirror_tells_what_arrived(client: openai.OpenAI) -> None:
    """Turns, media and limits are told in the sandbox's own words."""
    parts = [{"type": "text", "text": "look"}, picture_part(red_picture())]
    reply = ask(client, parts, "sandbox/mirror", temperature=0.5, max_completion_tokens=900)
    told = json.loads(reply.choices[0].message.content)
    (turn,) = told["turns"]

    assert (turn["role"], turn["text"], turn["media"][0]["kind"]) == ("user", "look", "picture")
    assert (told["temperature"], told["limit"]) == (0.5, 900)
    assert "tools" not in told


def test_every_meter_moves(client: openai.OpenAI) -> None:
    """sandbox/meters counts cached, written, sound and reasoning tokens, whatever was sent."""
    usage: Any = ask(client, "count to 90, and say twice as much about it as is needed", "sandbox/meters").usage
    eighth = usage.prompt_tokens // 8

    assert usage.prompt_tokens_details.cached_tokens == 2 * eighth > 0
    assert usage.prompt_tokens_details.cache_write_tokens == 2 * eighth
    assert usage.prompt_tokens_details.audio_tokens == eighth
    assert usage.completion_tokens_details.reasoning_tokens > 0


def test_a_model_may_decline(client: openai.OpenAI) -> None:
    """The refusal stands in its own member, streamed too."""
    message = ask(client, "Hello", "sandbox/refuse").choices[0].message
    stream = ask(client, "Hello", "sandbox/refuse", stream=True)

    assert (message.content, message.refusal) == (None, "I cannot help with that.")
    assert "".join(chunk.choices[0].delta.refusal or "" for chunk in stream) == message.refusal


def test_a_filter_stops_the_answer(client: openai.OpenAI) -> None:
    """What came until then stays, and the reason is content_filter."""
    choice = ask(client, "count to 9", "sandbox/filtered").choices[0]

    assert (choice.message.content, choice.finish_reason) == ("1 2 3", "content_filter")


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_may_be_kept_out(client: openai.OpenAI, stream: bool) -> None:
    """A blocked prompt is a 400."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "Hello", "sandbox/blocked", stream=stream)

    assert caught.value.code == "invalid_prompt"


def test_overloaded_is_not_a_limit(client: openai.OpenAI) -> None:
    """503 with a code of its own."""
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, "Hello", "sandbox/overloaded")

    assert (caught.value.status_code, caught.value.code) == (503, "server_is_overloaded")


def test_an_error_may_come_in_the_stream(client: openai.OpenAI) -> None:
    """Three pieces come, then an error instead of an end; a whole answer is a 500."""
    texts: list[str] = []
    with pytest.raises(openai.APIError):
        collect(ask(client, "count to 9", "sandbox/error-mid-stream", stream=True), texts)
    with pytest.raises(openai.InternalServerError):
        ask(client, "count to 9", "sandbox/error-mid-stream")

    assert "".join(texts) == "1 2 3"
