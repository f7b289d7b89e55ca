import pytest

from yibu.providers._address import join

OPENAI = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/models")
GROQ = ("/openai/v1/chat/completions", "/openai/v1/models")
TWO = ("/v1/chat/completions", "/anthropic/v1/messages", "/models")
GOOGLE = (
    "/v1beta/models/{model}:generateContent",
    "/v1beta/models/{model}:streamGenerateContent?alt=sse",
    "/v1beta/models",
)
AZURE = ("/openai/deployments/{model}/chat/completions", "/openai/v1/chat/completions", "/openai/v1/models")


@pytest.mark.parametrize(
    ("typed", "path", "known", "address"),
    [
        # the forms of a base URL that people type
        ("https://api.x.com", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com/", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com/v1", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com/v1/", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com//v1", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com/v1//", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com/v1/v1", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        (" https://api.x.com/v1 ", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        (
            "https://api.x.com/v1/chat/completions",
            "/v1/chat/completions",
            OPENAI,
            "https://api.x.com/v1/chat/completions",
        ),
        ("https://api.x.com/v1/chat/completions/", "/v1/models", OPENAI, "https://api.x.com/v1/models"),
        ("https://api.x.com/v1/embeddings", "/v1/chat/completions", OPENAI, "https://api.x.com/v1/chat/completions"),
        # a relay in a folder
        ("https://relay.x.com/ai/v1", "/v1/models", OPENAI, "https://relay.x.com/ai/v1/models"),
        ("https://relay.x.com/ai", "/v1/models", OPENAI, "https://relay.x.com/ai/v1/models"),
        ("https://relay.x.com/ai/v1/chat/completions", "/v1/models", OPENAI, "https://relay.x.com/ai/v1/models"),
        ("https://relay.x.com/nov1", "/v1/models", OPENAI, "https://relay.x.com/nov1/v1/models"),
        # another version than the provider's own, or none
        ("https://ark.x.com/api/v3", "/v1/chat/completions", OPENAI, "https://ark.x.com/api/v3/chat/completions"),
        ("https://ark.x.com/api/v3/chat/completions", "/v1/models", OPENAI, "https://ark.x.com/api/v3/models"),
        ("https://open.x.cn/api/paas/v4/", "/v1/models", OPENAI, "https://open.x.cn/api/paas/v4/models"),
        ("https://x.com/v1beta/openai/", "/v1/models", OPENAI, "https://x.com/v1beta/openai/models"),
        ("https://x.com/chat/completions", "/v1/chat/completions", OPENAI, "https://x.com/chat/completions"),
        ("https://relay.x.com/v1", "/openai/v1/models", GROQ, "https://relay.x.com/v1/models"),
        # a vendor whose paths begin with folders of its own
        ("https://api.groq.x", "/openai/v1/models", GROQ, "https://api.groq.x/openai/v1/models"),
        ("https://api.groq.x/openai", "/openai/v1/models", GROQ, "https://api.groq.x/openai/v1/models"),
        ("https://api.groq.x/openai/v1", "/openai/v1/models", GROQ, "https://api.groq.x/openai/v1/models"),
        # two formats below one address
        ("https://api.two.x/v1", "/anthropic/v1/messages", TWO, "https://api.two.x/anthropic/v1/messages"),
        ("https://api.two.x/anthropic", "/v1/chat/completions", TWO, "https://api.two.x/v1/chat/completions"),
        ("https://api.two.x/anthropic/v1/messages", "/models", TWO, "https://api.two.x/models"),
        # models in paths, and queries
        (
            "https://g.x/v1beta",
            "/v1beta/models/m:generateContent",
            GOOGLE,
            "https://g.x/v1beta/models/m:generateContent",
        ),
        (
            "https://g.x/v1beta/models/gemini-x:generateContent?key=1",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            GOOGLE,
            "https://g.x/v1beta/models/m:streamGenerateContent?alt=sse&key=1",
        ),
        (
            "https://r.azure.x/openai/deployments/mine/chat/completions?api-version=2024-10-21",
            "/openai/deployments/m/chat/completions",
            AZURE,
            "https://r.azure.x/openai/deployments/m/chat/completions?api-version=2024-10-21",
        ),
        ("https://x.com/v1?alt=json", "/v1/stream?alt=sse", OPENAI, "https://x.com/v1/stream?alt=sse"),
        ("http://127.0.0.1:9100", "/v1/models", (), "http://127.0.0.1:9100/v1/models"),
        ("http://[::1]:9100/v1", "/v1/models", (), "http://[::1]:9100/v1/models"),
    ],
)
def test_whatever_base_url_was_typed_leads_to_the_call(
    typed: str, path: str, known: tuple[str, ...], address: str
) -> None:
    """Bare host, version, whole endpoint, other version, slashes too many, a query."""
    assert join(typed, path, known) == address
