import pytest

from yibu.catalog.model import Model, Models, shipped


def test_the_longest_pattern_wins() -> None:
    """`sandbox/slow-*` knows more of `sandbox/slow-task` than `sandbox/*` does, wherever it stands."""
    models = Models([Model("s/*", owner="short"), Model("s/slow-*", owner="long"), Model("*", owner="any")])

    assert models.find("s/slow-task").owner == "long"
    assert models.find("s/other").owner == "short"
    assert models.find("other").owner == "any"


def test_an_exact_name_wins_over_patterns() -> None:
    """Also over a pattern that is longer than the name."""
    models = Models([Model("sora-2", owner="exact"), Model("sora-2*", owner="pattern")])

    assert models.find("sora-2").owner == "exact"
    assert models.find("sora-2-pro").owner == "pattern"


def test_a_later_table_wins() -> None:
    """The operator's rows replace the shipped ones of the same name."""
    models = Models([Model("m*", owner="shipped"), Model("n")], [Model("m*", owner="own", kind="video")])

    assert (models.find("m1").owner, models.find("m1").kind) == ("own", "video")
    assert models.find("n").kind == "chat"


def test_what_is_found_bears_the_name_that_was_asked_for() -> None:
    """A pattern never shows up in a list of models."""
    assert Models([Model("gpt-*", owner="openai")]).find("gpt-9") == Model("gpt-9", owner="openai")


def test_an_unknown_model_is_a_chat_model_with_cautious_limits() -> None:
    """Looking up never fails."""
    found = Models().find("never-heard-of")

    assert (found.name, found.kind, found.on_disconnect) == ("never-heard-of", "chat", "stop")
    assert found.max_output_tokens == 8192


def test_any_number_of_names_may_be_asked_for() -> None:
    """Callers choose the names, so what is remembered of them is bounded."""
    models = Models([Model("a*", owner="x")])
    for number in range(25_000):
        models.find(f"a{number}")

    assert len(models._found) <= 10_001


def test_the_shipped_table_knows_its_films() -> None:
    """Film models are made by work, all others by an answer."""
    models = Models(shipped())

    assert {models.find(name).kind for name in ("sora-2", "sora-2-pro-25s", "sora_video2-portrait")} == {"video"}
    assert {models.find(name).kind for name in ("gpt-4o-mini", "deepseek-chat", "sandbox/echo")} == {"chat"}


@pytest.mark.parametrize(
    ("name", "owner", "most"),
    [
        ("gpt-4o-mini", "openai", 16384),
        ("gpt-4.1-nano", "openai", 32768),
        ("gpt-4-turbo", "openai", 4096),
        ("gpt-5.2-codex", "openai", 128000),
        ("o4-mini", "openai", 100000),
        ("claude-3-5-haiku-20241022", "anthropic", 8192),
        ("claude-opus-4-1-20250805", "anthropic", 32000),
        ("claude-sonnet-4-5", "anthropic", 64000),
        ("claude-opus-4-6", "anthropic", 128000),
        ("gemini-2.0-flash", "google", 8192),
        ("gemini-3.1-pro-preview", "google", 65536),
        ("deepseek-chat", "deepseek", 65536),
        ("qwen3.8-max", "alibaba", 131072),
        ("glm-5.3", "zhipu", 128000),
        ("command-a-plus-05-2026", "cohere", 64000),
    ],
)
def test_families_are_known_by_their_names(name: str, owner: str, most: int) -> None:
    """As a conversation, with the longest answer that the vendor's page names."""
    found = Models(shipped()).find(name)

    assert (found.owner, found.kind, found.max_output_tokens) == (owner, "chat", most)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("text-embedding-3-small", "embedding"),
        ("mistral-embed", "embedding"),
        ("gemini-embedding-001", "embedding"),
        ("qwen3-embedding-8b", "embedding"),
        ("rerank-v3.5", "rerank"),
        ("omni-moderation-latest", "moderation"),
        ("sora-2-pro", "video"),
    ],
)
def test_a_family_does_not_swallow_other_kinds(name: str, kind: str) -> None:
    """The longer pattern is the one that tells the kind."""
    assert Models(shipped()).find(name).kind == kind


def test_each_name_stands_in_the_table_once() -> None:
    names = [model.name for model in shipped()]

    assert sorted(names) == sorted(set(names))
