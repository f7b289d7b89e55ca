"""Google Vertex AI. Docs: cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference and
platform.claude.com/docs/en/api/claude-on-vertex-ai, read 2026-11-22."""

import re
from urllib.parse import quote

from yibu.hub.loss import Losses
from yibu.providers._quirk import Fields, put
from yibu.providers._service_account import ServiceAccount, account_of
from yibu.providers.provider import Provider

BETAS = frozenset(
    {
        "compact-2026-01-12",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "interleaved-thinking-2025-05-14",
        "tool-search-tool-2025-10-19",
        "web-search-2025-03-05",
    }
)
"""What Vertex knows of Anthropic's betas; another one makes it refuse the whole call."""
_PLACE = re.compile(
    r"(?P<host>https?://[^/]+)(?P<version>/v1\w*)?/projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)"
)
_REGION = re.compile(r"https://(?P<location>[a-z0-9-]+)-aiplatform\.googleapis\.com")


def in_the_body(fields: Fields, losses: Losses) -> None:
    """Anthropic's version stands in the body here, the model in the address."""
    fields.pop("model", None)
    put(fields, "anthropic_version", "vertex-2023-10-16")


class Vertex(Provider):
    """Gemini in Google's format, Claude in Anthropic's, other models by OpenAI's, with a service account."""

    id = "vertex"
    title = "Google Vertex AI"
    base_url = "https://aiplatform.googleapis.com"
    auth = ServiceAccount()
    speaks = {
        "gemini": "/publishers/google/models/{model}:generateContent",
        "anthropic": "/publishers/anthropic/models/{model}:rawPredict",
        "openai_chat": "/endpoints/openapi/chat/completions",
    }
    streams = {
        "gemini": "/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        "anthropic": "/publishers/anthropic/models/{model}:streamRawPredict",
    }
    models_path = ""
    lists_all = False
    quirks = {"anthropic": (in_the_body,)}

    def understands(self, dialect: str, model: str) -> bool:
        """Each maker's models live at an address of their own; names with a maker before a slash, at OpenAI's."""
        if "/" in model:
            return dialect == "openai_chat"
        return dialect == ("anthropic" if model.startswith("claude") else "gemini")

    def prepare_headers(self, dialect: str, headers: dict[str, str]) -> dict[str, str]:
        headers.pop("anthropic-version", None)
        if betas := headers.pop("anthropic-beta", ""):
            known = [beta for beta in (one.strip() for one in betas.split(",")) if beta in BETAS]
            if known:
                headers["anthropic-beta"] = ",".join(known)
        return headers

    def home(self, base_url: str, secret: str) -> str:
        """Project and location: as typed, else the account's own project, and the region of the host or `global`."""
        account = account_of(secret)
        if typed := _PLACE.match(base_url):
            version = typed["version"] or "/v1"
            return f"{typed['host']}{version}/projects/{typed['project']}/locations/{typed['location']}"
        host = re.match(r"https?://[^/?#]+", base_url)
        if host is None:
            return base_url
        if not account.project_id:
            raise ValueError(
                "its key names no project. Set `base_url` to "
                "https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION."
            )
        region = _REGION.match(base_url)
        location = region["location"] if region else "global"
        return f"{host[0]}/v1/projects/{quote(account.project_id, safe='')}/locations/{location}"
