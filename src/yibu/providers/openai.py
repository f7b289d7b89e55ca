"""OpenAI's own API. Docs: platform.openai.com/docs/api-reference, read 2026-11-20."""

from typing import ClassVar

from yibu.hub.work import Work
from yibu.providers._openai_videos import OpenAIVideos
from yibu.providers.provider import Provider


class OpenAI(Provider):
    """Chat, and films in the format of its Videos API, which lives on as the common format of video relays."""

    id: ClassVar[str] = "openai"
    title: ClassVar[str] = "OpenAI"
    base_url: ClassVar[str] = "https://api.openai.com"
    speaks = {"openai_chat": "/v1/chat/completions"}
    works = {Work.VIDEO: OpenAIVideos()}
