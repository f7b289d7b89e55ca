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
