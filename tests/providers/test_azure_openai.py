import pytest

from yibu.providers.azure_openai import AzureOpenAI

AZURE = AzureOpenAI()
DATED = "?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai", "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1/chat/completions"),
        (
            "https://r.services.ai.azure.com/openai/v1/chat/completions?api-version=preview",
            "https://r.services.ai.azure.com/openai/v1/chat/completions?api-version=preview",
        ),
        (
            f"https://r.openai.azure.com{DATED}",
            f"https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions{DATED}",
        ),
        (
            f"https://r.openai.azure.com/openai/deployments/other/chat/completions{DATED}",
            f"https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions{DATED}",
        ),
        (
            f"https://r.openai.azure.com/openai/deployments{DATED}",
            f"https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions{DATED}",
        ),
    ],
)
def test_both_styles_of_address(typed: str, address: str) -> None:
    """The dated version makes the difference; the deployment is the channel's model, whatever was pasted."""
    assert AZURE.url(typed, "openai_chat", "my gpt", is_stream=True) == address


def test_responses_have_one_style_only() -> None:
    assert (
        AZURE.url("https://r.openai.azure.com", "openai_responses", "m", is_stream=False)
        == "https://r.openai.azure.com/openai/v1/responses"
    )


def test_vectors_have_both() -> None:
    assert (
        AZURE.url(f"https://r.openai.azure.com{DATED}", "openai_embeddings", "e", is_stream=False)
        == f"https://r.openai.azure.com/openai/deployments/e/embeddings{DATED}"
    )


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/models"),
        (f"https://r.openai.azure.com{DATED}", f"https://r.openai.azure.com/openai/models{DATED}"),
    ],
)
def test_the_list_of_models_has_both(typed: str, address: str) -> None:
    assert AZURE.models_url(typed) == address


def test_an_account_has_an_address_of_its_own() -> None:
    """So there is none to fall back on, and the sentence says what to write."""
    with pytest.raises(ValueError, match=r"Set `base_url` to https://NAME\.openai\.azure\.com"):
        AZURE.home("", "key")
