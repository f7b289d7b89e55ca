import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from msgspec import structs

from tests.routing.shop import OnlyTalk, channel, directory, health
from yibu.hub.errors import Absent, Broken, Busy, Denied, NoChannel, NotAllowed, UnknownModel
from yibu.hub.work import Work
from yibu.routing.channel import Channel
from yibu.routing.health import Health
from yibu.routing.plan import Directory, Plan, Wish, plan

WISH = Wish("m", "openai_chat")


def dice(*throws: float) -> Callable[[], float]:
    """Gives these numbers, and the last one for ever."""
    coming: Iterator[float] = itertools.chain(throws, itertools.repeat(throws[-1]))
    return lambda: next(coming)


def make(wish: Wish, shop: Directory, seen: Health | None = None, *, throws: tuple[float, ...] = (0.5,)) -> Plan:
    return plan(wish, shop, seen or health()[0], dice(*throws), 10)


def names(made: Plan) -> list[str]:
    return [attempt.channel.name for attempt in made.attempts]


def test_a_plan_says_whom_to_ask_for_what() -> None:
    """The upstream's name of the model, the dialect, the credential, and what it is sold for."""
    made = make(WISH, directory(channel("a")))
    attempt = made.attempts[0]

    assert (attempt.channel.name, attempt.model, attempt.dialect) == ("a", "upstream-m", "openai_chat")
    assert attempt.credential == 0
    assert made.sheet.model == "m"
    assert made.work is None


def test_an_unknown_model_is_named() -> None:
    """With the place where the known ones are listed."""
    with pytest.raises(UnknownModel, match=r"`gpt-0` does not exist here\. `GET /v1/models` lists"):
        make(Wish("gpt-0", "openai_chat"), directory(channel("a")))


def test_a_model_without_a_price_is_not_for_sale() -> None:
    """It is refused rather than given away."""
    with pytest.raises(UnknownModel, match=r"`unpriced` has no price yet, so it is not for sale\. Tell the operator"):
        make(Wish("unpriced", "openai_chat"), directory(channel("a", models=["unpriced"])))


def test_a_key_may_be_limited_to_models() -> None:
    """Its list decides; an empty one allows nothing, no list allows all."""
    shop = directory(channel("a"))
    for allowed in ((), ("other",)):
        with pytest.raises(NotAllowed, match="may not use the model `m`"):
            make(Wish("m", "openai_chat", allowed), shop)

    assert names(make(Wish("m", "openai_chat", ("m",)), shop)) == ["a"]


def test_a_model_outside_of_the_list_is_unknown_when_nobody_has_it() -> None:
    """A key learns nothing about models by trying names."""
    with pytest.raises(UnknownModel):
        make(Wish("gpt-0", "openai_chat", ("m",)), directory(channel("a")))


def test_tiers_come_one_after_the_other() -> None:
    """However the dice fall."""
    shop = directory(channel("c", tier=3), channel("a", tier=1), channel("b", tier=2))

    for throws in ((0.1, 0.5, 0.9), (0.9, 0.5, 0.1)):
        assert names(make(WISH, shop, throws=throws)) == ["a", "b", "c"]


def test_in_a_tier_the_dice_decide() -> None:
    """The higher throw goes first."""
    shop = directory(channel("a"), channel("b"))

    assert names(make(WISH, shop, throws=(0.2, 0.7))) == ["b", "a"]
    assert names(make(WISH, shop, throws=(0.7, 0.2))) == ["a", "b"]
    assert len(make(WISH, shop, throws=(0.0,)).attempts) == 2


def test_weights_are_shares() -> None:
    """A channel of three times the weight gets three calls of four."""
    shop, (seen, _) = directory(channel("heavy", weight=3), channel("light")), health()
    rolls = random.Random(7)
    first = Counter(names(plan(WISH, shop, seen, rolls.random, 1))[0] for _ in range(4000))

    assert 0.72 < first["heavy"] / 4000 < 0.78


def test_a_failing_channel_gets_fewer_calls() -> None:
    """Its weight counts as much as it is healthy."""
    shop, (seen, _) = directory(channel("good"), channel("bad")), health()
    for _ in range(4):
        seen.failed("bad", 0, "m", Broken())
    rolls = random.Random(7)
    first = Counter(names(plan(WISH, shop, seen, rolls.random, 1))[0] for _ in range(2000))

    assert 0.25 < first["bad"] / 2000 < 0.34


def test_the_callers_own_dialect_goes_first() -> None:
    """Within a tier; those that must be translated for come after, in a dialect of theirs."""
    translated = channel("translated", provider=OnlyTalk, speaks=["other_chat"])
    shop = directory(translated, channel("same"))
    made = make(WISH, shop, throws=(0.9, 0.1))

    assert [(attempt.channel.name, attempt.dialect) for attempt in made.attempts] == [
        ("same", "openai_chat"),
        ("translated", "other_chat"),
    ]


def test_the_tier_counts_more_than_the_dialect() -> None:
    """An operator's order is an order."""
    first = channel("first", provider=OnlyTalk, speaks=["other_chat"], tier=1)

    assert names(make(WISH, directory(channel("second", tier=2), first))) == ["first", "second"]


def many(count: int, **options: int) -> list[Channel]:
    return [channel(f"c{number}", **options) for number in range(count)]


def test_a_conversation_stays_where_it_was() -> None:
    """Pitfall 29: with what only this channel can read; neither dice nor the order of the configuration have a say in it."""
    channels = many(5)
    leads = [f"lead {number}".encode() for number in range(50)]

    def first(lead: bytes, among: list[Channel], throw: float) -> str:
        return names(make(Wish("m", "openai_chat", lead=lead), directory(*among), throws=(throw,)))[0]

    once = [first(lead, channels, 0.1) for lead in leads]
    again = [first(lead, channels[::-1], 0.9) for lead in leads]

    assert once == again
    assert len(set(once)) == 5


def test_a_conversation_moves_only_when_its_channel_goes() -> None:
    """Those of the channel that went are spread over the others; all the others stay."""
    channels = many(5)
    leads = [f"lead {number}".encode() for number in range(200)]
    before = {lead: names(make(Wish("m", "openai_chat", lead=lead), directory(*channels)))[0] for lead in leads}
    after = {lead: names(make(Wish("m", "openai_chat", lead=lead), directory(*channels[1:])))[0] for lead in leads}

    assert {lead for lead in leads if before[lead] != after[lead]} == {lead for lead in leads if before[lead] == "c0"}
    assert len({after[lead] for lead in leads if before[lead] == "c0"}) == 4


def test_a_hiccup_does_not_move_conversations() -> None:
    """A prompt cache is worth more than one failure; only an open circuit sends them elsewhere."""
    shop, (seen, _) = directory(*many(3)), health()
    wishes = [Wish("m", "openai_chat", lead=f"lead {number}".encode()) for number in range(200)]
    before = [names(make(wish, shop, seen))[0] for wish in wishes]
    for _ in range(3):
        seen.failed("c0", 0, "m", Broken())

    assert [names(make(wish, shop, seen))[0] for wish in wishes] == before
    for _ in range(2):
        seen.failed("c0", 0, "m", Broken())
    assert {names(make(wish, shop, seen))[0] for wish in wishes} == {"c1", "c2"}


def test_conversations_are_spread_by_weight() -> None:
    """Affinity leaves every channel its share."""
    shop = directory(channel("heavy", weight=3), channel("light"))
    wishes = [Wish("m", "openai_chat", lead=f"lead {number}".encode()) for number in range(1000)]
    first = Counter(names(make(wish, shop))[0] for wish in wishes)

    assert 0.70 < first["heavy"] / 1000 < 0.80


def test_a_broken_channel_comes_last_and_still_comes() -> None:
    """Within its tier; if all others fail, it is better than nothing."""
    shop, (seen, clock) = directory(channel("broken"), channel("whole")), health()
    for _ in range(5):
        seen.failed("broken", 0, "m", Broken())

    assert names(make(WISH, shop, seen, throws=(1.0, 0.0))) == ["whole", "broken"]
    clock.move(15_000)
    assert names(make(WISH, shop, seen, throws=(1.0, 0.0))) == ["broken", "whole"]


def test_a_pool_of_credentials_is_tried_in_turn() -> None:
    """One that rests is left out."""
    shop, (seen, _) = directory(channel("a", secrets=["one", "two", "three"])), health()
    seen.failed("a", 1, "upstream-m", Busy())
    made = make(WISH, shop, seen)

    assert [attempt.credential for attempt in made.attempts] == [0, 2]


def test_no_more_attempts_than_allowed() -> None:
    shop = directory(*many(4))

    assert len(plan(WISH, shop, health()[0], dice(0.5), 3).attempts) == 3


def test_when_everybody_is_cooling_down_the_caller_learns_for_how_long() -> None:
    """The soonest of them; at least a second."""
    shop, (seen, clock) = directory(channel("a", secrets=["one", "two"]), channel("b")), health()
    seen.failed("a", 0, "upstream-m", Busy(retry_after_s=30))
    seen.failed("a", 1, "upstream-m", Busy(retry_after_s=20))
    seen.failed("b", 0, "m", Denied())

    with pytest.raises(Busy) as refused:
        make(WISH, shop, seen)
    assert refused.value.retry_after_s == 20
    clock.move(19_900)
    with pytest.raises(Busy) as refused:
        make(WISH, shop, seen)
    assert refused.value.retry_after_s == 1


def test_when_nobody_will_be_back_soon_there_is_no_channel() -> None:
    """Parked credentials and absent models are not worth waiting for."""
    shop, (seen, _) = directory(channel("a")), health()
    seen.failed("a", 0, "m", Denied())
    with pytest.raises(NoChannel, match="Try again in a minute"):
        make(WISH, shop, seen)

    shop, (seen, _) = directory(channel("a")), health()
    seen.failed("a", 0, "upstream-m", Absent())
    with pytest.raises(NoChannel):
        make(WISH, shop, seen)


def test_a_model_that_is_absent_at_one_channel_is_sought_at_the_next() -> None:
    """Other models of that channel are not concerned."""
    shop, (seen, _) = directory(channel("a"), channel("b")), health()
    seen.failed("a", 0, "upstream-m", Absent())

    assert names(make(WISH, shop, seen)) == ["b"]
    assert sorted(names(make(Wish("film", "openai_chat"), shop, seen))) == ["a", "b"]


def test_films_are_made_where_films_can_be_made() -> None:
    """A channel whose vendor has no such work is left out; no dialect is spoken."""
    shop = directory(channel("talks", provider=OnlyTalk), channel("films", secrets=["one", "two"]))
    made = make(Wish("film", "openai_chat"), shop)

    assert made.work is Work.VIDEO
    assert [(a.channel.name, a.credential, a.model, a.dialect) for a in made.attempts] == [
        ("films", 0, "upstream-film", ""),
        ("films", 1, "upstream-film", ""),
    ]
    with pytest.raises(NoChannel):
        make(Wish("film", "openai_chat"), directory(channel("talks", provider=OnlyTalk)))


def test_a_pinned_call_goes_nowhere_else() -> None:
    """Not even when its channel is away."""
    shop, (seen, _) = directory(channel("a"), channel("b")), health()
    pinned = Wish("m", "openai_chat", pinned="b")

    assert names(make(pinned, shop, seen)) == ["b"]
    seen.failed("b", 0, "m", Denied())
    with pytest.raises(NoChannel):
        make(pinned, shop, seen)


def test_the_list_of_models_holds_what_can_be_called() -> None:
    """Served, priced and allowed; each once, in order."""
    shop = directory(channel("a", models=["m", "unpriced"]), channel("b", models=["film", "m"]))

    assert [model.name for model in shop.models(None)] == ["film", "m"]
    assert [model.name for model in shop.models(("m", "unpriced", "else"))] == ["m"]
    assert shop.models(()) == []


@pytest.mark.parametrize(
    ("model", "dialect"),
    [("m", "openai_completions"), ("gpt-5", "openai_chat"), ("gpt-3.5-turbo-instruct", "openai_completions")],
)
def test_a_model_that_only_chats_is_asked_in_chat(model: str, dialect: str) -> None:
    """OpenAI speaks legacy completions, but not for its own models that chat: the caller's prompt becomes a question."""
    both = channel("a", speaks=("openai_chat", "openai_completions"))
    shop = directory(structs.replace(both, models={"m": model}))

    assert make(Wish("m", "openai_completions"), shop).attempts[0].dialect == dialect
