import base64
import json
import struct
from binascii import crc32

import pytest

from tests.corpus import FOLDER, needs_corpus
from yibu.dialects._eventstream import MAX_MESSAGE_BYTES, Message, Messages, encode_message
from yibu.hub.errors import Broken

EVENT = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
STREAM = encode_message(EVENT, b'{"a":"\xe4\xb8\xa4"}') + encode_message({}, b"") + encode_message(EVENT, b"x" * 300)
READ = [Message(EVENT, b'{"a":"\xe4\xb8\xa4"}'), Message({}, b""), Message(EVENT, b"x" * 300)]

# Laid out by hand after the specification: one header `:t` of type 7 with the value `ab`, and the payload `{}`.
HEAD = b"\x02:t\x07\x00\x02ab"
BY_HAND = struct.pack(">II", 16 + len(HEAD) + 2, len(HEAD))
BY_HAND += struct.pack(">I", crc32(BY_HAND)) + HEAD + b"{}"
BY_HAND += struct.pack(">I", crc32(BY_HAND))


def test_a_message_laid_out_by_hand_is_read() -> None:
    assert Messages().feed(BY_HAND) == [Message({":t": "ab"}, b"{}")]
    assert encode_message({":t": "ab"}, b"{}") == BY_HAND


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_where_a_stream_is_cut_makes_no_difference(cut: int) -> None:
    messages = Messages()

    assert messages.feed(STREAM[:cut]) + messages.feed(STREAM[cut:]) == READ
    assert messages.is_empty


def test_byte_by_byte_is_the_same() -> None:
    messages = Messages()

    assert [one for at in range(len(STREAM)) for one in messages.feed(STREAM[at : at + 1])] == READ


@pytest.mark.parametrize("at", range(len(BY_HAND)))
def test_any_flipped_byte_is_noticed(at: int) -> None:
    """Pitfall 22: or it leaves the message waiting for a rest that never comes."""
    torn = BY_HAND[:at] + bytes([BY_HAND[at] ^ 0x10]) + BY_HAND[at + 1 :]
    with pytest.raises(Broken):
        Messages().feed(torn)


def test_headers_of_other_types_are_passed_over() -> None:
    """Booleans, numbers, times, bytes: nobody uses them, and one more must not break the stream."""
    head = b"\x01b\x00" + b"\x01i\x04\x00\x00\x00\x05" + b"\x01t\x08" + bytes(8) + b"\x01y\x06\x00\x03abc" + HEAD
    sizes = struct.pack(">II", 16 + len(head), len(head))
    raw = sizes + struct.pack(">I", crc32(sizes)) + head

    assert Messages().feed(raw + struct.pack(">I", crc32(raw))) == [Message({":t": "ab"}, b"")]


@pytest.mark.parametrize("head", [b"\x05ab", b"\x02:t\x07\x00\x09ab", b"\x02:t\x63", b"\x01\xff\x07\x00\x00"])
def test_headers_that_make_no_sense_are_broken(head: bytes) -> None:
    sizes = struct.pack(">II", 16 + len(head), len(head))
    raw = sizes + struct.pack(">I", crc32(sizes)) + head
    with pytest.raises(Broken):
        Messages().feed(raw + struct.pack(">I", crc32(raw)))


@pytest.mark.parametrize("total", [0, 15, MAX_MESSAGE_BYTES + 1, 2**32 - 1])
def test_a_length_that_cannot_be_is_broken_at_once(total: int) -> None:
    """Nobody waits for four gigabytes."""
    sizes = struct.pack(">II", total, 0)
    with pytest.raises(Broken):
        Messages().feed(sizes + struct.pack(">I", crc32(sizes)))


def test_an_exception_is_told_apart() -> None:
    headers = {":exception-type": "throttlingException", ":message-type": "exception"}
    [message] = Messages().feed(encode_message(headers, b"{}"))

    assert (message.is_error, message.event) == (True, "throttlingException")
    assert not READ[0].is_error


RECORDED = sorted(FOLDER.glob("bedrock.*.json"))


@needs_corpus
def test_recorded_streams_are_read() -> None:
    """What Amazon really sent, message for message."""
    seen = 0
    for file in RECORDED:
        told = json.loads(file.read_text("utf-8"))
        if "response_body_base64" not in told:
            continue
        lines = [json.loads(line) for line in told["response_body"].splitlines()]
        messages = Messages().feed(base64.b64decode(told["response_body_base64"]))
        seen += 1

        assert [(one.headers, json.loads(one.payload)) for one in messages] == [
            (line["headers"], line["payload"]) for line in lines
        ]
    assert seen > 0
