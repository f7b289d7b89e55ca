"""`POST /model/{id}/converse` and `/converse-stream`. Source: AWS, *Converse*, *ConverseStream*, read 2026-11-22."""

import re

from yibu.sandbox.bedrock.reply import ConverseStage
from yibu.sandbox.bedrock.request import read_converse
from yibu.sandbox.engines.language import Language
from yibu.sandbox.play import play
from yibu.sandbox.request import Request
from yibu.sandbox.response import Response

METHODS = re.compile(r"/model/(.+)/(converse|converse-stream)")


async def converse(request: Request, language: Language, model: str, method: str) -> Response:
    """Answer a request. Raises `Refusal` for wrong input."""
    ask = read_converse(request.json(), model, stream=method == "converse-stream")
    return await play(ask, language, ConverseStage(ask))
