"""Azure OpenAI (Microsoft Foundry). Docs: learn.microsoft.com/azure/ai-foundry/openai/reference and
learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle, read 2026-11-22."""

from urllib.parse import quote

from yibu.providers._address import join
from yibu.providers.openai import CHAT
from yibu.providers.provider import HeaderKey, Provider


class AzureOpenAI(Provider):
    """A model's name is that of its deployment, so the list of models says nothing of it.

    Two styles of address: `https://NAME.openai.azure.com` alone means `/openai/v1/…`; with a dated `?api-version=…` behind it,
    `/openai/deployments/DEPLOYMENT/…`.
    """

    id = "azure_openai"
    title = "Azure OpenAI"
    auth = HeaderKey("api-key")
    speaks = {
        "openai_chat": "/openai/v1/chat/completions",
        "openai_responses": "/openai/v1/responses",
        "openai_completions": "/openai/v1/completions",
        "openai_embeddings": "/openai/v1/embeddings",
    }
    models_path = "/openai/v1/models"
    lists_all = False
    quirks = {"openai_chat": CHAT}

    def url(self, base_url: str, dialect: str, model: str, *, is_stream: bool) -> str:
        path = self.speaks[dialect]
        if is_dated(base_url) and dialect != "openai_responses":
            path = path.replace("/openai/v1/", f"/openai/deployments/{quote(model, safe='')}/")
        return join(base_url, path, (*self.known_paths, *DEPLOYMENTS))

    def models_url(self, base_url: str) -> str:
        path = "/openai/models" if is_dated(base_url) else self.models_path
        return join(base_url, path, (*self.known_paths, *DEPLOYMENTS))

    def home(self, base_url: str, secret: str) -> str:
        if not base_url:
            raise ValueError(
                "Azure gives each account an address of its own. Set `base_url` to https://NAME.openai.azure.com, "
                "with ?api-version=… behind it for the addresses with deployments."
            )
        return base_url


DEPLOYMENTS = tuple(
    f"/openai/deployments/{{model}}/{rest}" for rest in ("chat/completions", "completions", "embeddings")
)


def is_dated(base_url: str) -> bool:
    """Whether the operator's address has an `api-version` that is a date; `v1` and `preview` belong to the newer style."""
    query = base_url.partition("?")[2]
    versions = [pair.partition("=")[2] for pair in query.split("&") if pair.startswith("api-version=")]
    return any(version[:1].isdigit() for version in versions)
