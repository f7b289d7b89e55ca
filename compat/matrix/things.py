"""What the checks send: a picture, a PDF, a sound, tools. Made here, so that nothing has to be fetched."""

import base64
import io
import struct
import wave
import zlib

RED_PIXELS = 48
"""The picture is a red square of so many pixels each way."""

QUESTION = "What is the weather in Paris?"
BOTH = "What is the weather in Paris, and what is the time in Paris?"
LONG = "Tell me about herons. " * 400
"""Long enough for every vendor to keep it in a cache."""

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
    "required": ["city"],
    "additionalProperties": False,
}
TIME = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
BIRD = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "wingspan_cm": {"type": "integer"}, "migrates": {"type": "boolean"}},
    "required": ["name", "wingspan_cm", "migrates"],
    "additionalProperties": False,
}


def picture() -> str:
    """A PNG, base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * RED_PIXELS for _ in range(RED_PIXELS))
    head = struct.pack(">IIBBBBB", RED_PIXELS, RED_PIXELS, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode()


def pdf() -> str:
    """A document of one empty page, base64."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%bendobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 4\n0000000000 65535 f \n%btrailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(body),
    )
    return base64.b64encode(body + end).decode()


def sound() -> str:
    """A quarter of a second of silence as WAV, base64."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\0\0" * 4_000)
    return base64.b64encode(out.getvalue()).decode()
