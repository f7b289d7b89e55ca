import pytest

from tests.relay.talk import assistant, talk, user
from yibu.hub.errors import InvalidRequest
from yibu.hub.media import Inline, Url
from yibu.relay.film_wish import LONGEST_PROMPT, FilmWish, _read_numeral, understand
from yibu.relay.transcript import opening, success


def wish(prompt: str, model: str = "sora-2") -> FilmWish:
    return understand(talk(user(prompt), model=model))


@pytest.mark.parametrize(
    "prompt",
    [
        "竖屏，两只猫",
        "两只猫 竖版视频",
        "竖向的海报",
        "a cat, portrait",
        "Vertical video of a cat",
        "portrait视频",
        "两只猫,9:16",
        "两只猫 9：16。",
        "cat in 9x16",
        "9 : 16 cat",
    ],
)
def test_words_for_portrait(prompt: str) -> None:
    """In Chinese and English, with or without a space before Chinese words."""
    assert wish(prompt).orientation == "portrait"


@pytest.mark.parametrize(
    "prompt",
    [
        "横屏两只猫",
        "横版",
        "横向拍摄",
        "a cat, landscape",
        "HORIZONTAL cat",
        "landscape视频",
        "两只猫16:9",
        "16：9",
        "16x9",
    ],
)
def test_words_for_landscape(prompt: str) -> None:
    assert wish(prompt).orientation == "landscape"


@pytest.mark.parametrize(
    "prompt",
    ["两只猫跳舞", "portraits", "a landscaper", "at 19:16", "19:169", "116:9", "verticality", "the bus at 9:160"],
)
def test_words_that_say_nothing_of_the_form(prompt: str) -> None:
    assert wish(prompt).orientation is None


@pytest.mark.parametrize(
    ("prompt", "form"), [("a portrait of a king, 横屏", "landscape"), ("landscape of the Alps, vertical", "portrait")]
)
def test_a_picture_of_something_is_no_form(prompt: str, form: str) -> None:
    """A portrait of somebody may well be filmed in landscape."""
    assert wish(prompt).orientation == form


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("两只猫，10秒", 10),
        ("生成15秒视频", 15),
        ("时长15秒", 15),
        ("15s竖屏视频", 15),
        ("15s", 15),
        ("15 s", 15),
        ("cats for 10 seconds.", 10),
        ("a 12-second film", 12),
        ("15secs of cats", 15),
        ("1 second", 4),
        ("8 sec", 8),
        ("15S", 15),
        ("(15s)", 15),
    ],
)
def test_words_for_the_length(prompt: str, seconds: int) -> None:
    """A number and its unit, wherever it stands; Chinese has no spaces."""
    assert wish(prompt).seconds == seconds


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("一段五秒的视频", 8),
        ("四秒", 4),
        ("两秒", 4),
        ("时长八秒钟", 8),
        ("十秒", 10),
        ("十二秒", 12),
        ("一十二 秒", 12),
        ("前三秒猫睡着，后十秒猫醒来", 10),
        ("１０秒", 10),
        ("１２ｓ 竖屏", 12),
        ("１２ seconds", 12),
    ],
)
def test_a_length_in_chinese_numerals_and_wide_digits(prompt: str, seconds: int) -> None:
    """As input methods write them."""
    assert wish(prompt).seconds == seconds


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("二十", 20),
        ("二十五", 25),
        ("九十九", 99),
        ("一百", 100),
        ("一百零五", 105),
        ("两百三十", 230),
        ("三四", 0),
        ("百", 0),
    ],
)
def test_chinese_numerals_up_to_a_thousand(numeral: str, value: int) -> None:
    """Three or four is no number."""
    assert _read_numeral(numeral) == value


@pytest.mark.parametrize(
    "prompt",
    [
        "下一秒他跳起来",
        "每一秒都是高潮",
        "第五秒猫跳起来",
        "几十秒",
        "十几秒",
        "三四秒",
        "四点五秒",
        "千分之三秒",
        "争分夺秒",
        "十只猫",
        "０.５秒",
        "第３秒猫跳起来",
    ],
)
def test_chinese_words_that_are_no_length(prompt: str) -> None:
    """A way of speaking, a moment, or a number that nobody can know."""
    assert wish(prompt).seconds is None


@pytest.mark.parametrize("prompt", ["９：１６ 两只猫", "９:１６"])
def test_a_form_in_wide_digits(prompt: str) -> None:
    assert wish(prompt).orientation == "portrait"


@pytest.mark.parametrize(
    "prompt",
    [
        "两只猫跳舞",
        "shot in 1080s",
        "in 3 steps",
        "3 scenes, 5 secrets",
        "9:16",
        "the 90s",
        "80s disco",
        "in the 1980s",
        "第3秒猫跳起来",
        "sora2s",
        "0.5s",
        "v15s",
        "A4s",
    ],
)
def test_words_that_are_no_length(prompt: str) -> None:
    """Then it is the usual one."""
    assert wish(prompt).seconds is None


@pytest.mark.parametrize(
    ("prompt", "seconds"),
    [
        ("0-5秒：猫睡着；5-10秒：猫醒来", 10),
        ("0-3s sleep, 3-8s wake, 8-12s jump", 12),
        ("after 3s it jumps; 15s in all", 15),
    ],
)
def test_a_story_board_is_as_long_as_its_end(prompt: str, seconds: int) -> None:
    """Of several times the longest is the film's."""
    assert wish(prompt).seconds == seconds


@pytest.mark.parametrize(
    ("model", "seconds", "form"),
    [
        ("sora-2-landscape-15s", 15, "landscape"),
        ("sora_video2-portrait", None, "portrait"),
        ("sora2-portrait-15s", 15, "portrait"),
        ("sora_video2-landscape-15s", 15, "landscape"),
        ("sora_video2-15s", 15, None),
        ("sora_video2", None, None),
        ("sora-2-pro-25s", 25, None),
        ("sora-2", None, None),
    ],
)
def test_the_models_name_may_say_it(model: str, seconds: int | None, form: str | None) -> None:
    """Length and form are what the model is sold by, so it wins over the words."""
    assert (wish("cats", model).seconds, wish("cats", model).orientation) == (seconds, form)
    if seconds:
        assert wish("cats, 4s", model).seconds == seconds
    if form:
        assert wish("竖屏 portrait" if form == "landscape" else "横屏", model).orientation == form


@pytest.mark.parametrize(
    ("prompt", "model", "seconds"),
    [
        ("60秒", "sora-2", 15),
        ("25秒", "sora-2", 15),
        ("60秒", "sora-2-pro", 25),
        ("25s", "sora-2-pro", 25),
        ("0s", "sora-2", 4),
    ],
)
def test_a_length_that_is_not_made_is_cut(prompt: str, model: str, seconds: int) -> None:
    """To the longest that the model makes."""
    assert wish(prompt, model).seconds == seconds


def test_the_picture_is_the_first_of_the_last_message() -> None:
    """With the path of its member, for errors; pictures of earlier messages are not meant."""
    request = talk(
        user([{"type": "image_url", "image_url": {"url": "https://a.test/old.png"}}]),
        assistant("?"),
        user(
            [
                {"type": "text", "text": "make it move"},
                {"type": "image_url", "image_url": {"url": "https://a.test/1.png"}},
                {"type": "image_url", "image_url": {"url": "https://a.test/2.png"}},
            ]
        ),
    )
    understood = understand(request)

    assert understood.picture == Url("https://a.test/1.png")
    assert understood.picture_at == "$.messages[2].content[1].image_url.url"
    assert understood.prompt == "make it move"


def test_a_picture_may_stand_in_the_message() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    understood = understand(talk(user([image, {"type": "text", "text": "go"}])))

    assert understood.picture == Inline("aGk=", "image/png")
    assert understood.picture_at == "$.messages[0].content[0].image_url.url"


OLD = "01k7dzptgwf2z87wj2c3t36qk0"
NEW = "01k9zzzzzzf2z87wj2c3t36qk0"


def transcript(id: str, *, prompt: str = "两只猫跳舞") -> str:
    """A whole answer of ours, word for word."""
    pieces = opening(
        prompt, "portrait", 10, f"task_{id}", f"https://us/web/task_{id}.x", f"https://us/source/task_{id}.x"
    )
    return "".join(pieces) + "> 排队中......\n\n" + success(f"s_{id}", f"https://us/v1/files/file_{id[:8]}.mp4", "")


def test_a_change_names_the_newest_film_first() -> None:
    """Within one answer the sid before the task before the link; the same id once."""
    request = talk(
        user("两只猫跳舞"), assistant(transcript(OLD)), user("换成雪地"), assistant(transcript(NEW)), user("夜里")
    )
    understood = understand(request)

    assert understood.parents == (NEW, f"file_{NEW[:8]}", OLD, f"file_{OLD[:8]}")
    assert understood.prompt == "夜里"
    assert understood.history == "两只猫跳舞\n换成雪地"


@pytest.mark.parametrize(
    ("said", "parent"),
    [
        ("> sid: s_68ec8accd80c8191ae1f", "68ec8accd80c8191ae1f"),
        ("> sid: `s_68ec8accd80c8191ae1f`", "68ec8accd80c8191ae1f"),
        (f"> ID: `task_{OLD}`", OLD),
        ("[在线播放▶️](https://cdn.example/v1/files/file_abc123.mp4)", "file_abc123"),
    ],
)
def test_a_film_may_be_named_in_each_of_three_ways(said: str, parent: str) -> None:
    """Clients shorten the answer that they send back."""
    assert understand(talk(user("a"), assistant(said), user("b"))).parents == (parent,)


def test_only_answers_name_films() -> None:
    """Neither the customer's own words nor links of others."""
    request = talk(user(f"sid: s_{OLD}"), assistant("[x](https://cdn.example/a.mp4)"), user(f"task_{NEW}"))

    assert understand(request).parents == ()


def test_somebody_has_to_say_what_to_film() -> None:
    """The error names the member that is wrong."""
    with pytest.raises(InvalidRequest, match="message of the role `user`") as missing:
        understand(talk(assistant("hello")))
    assert missing.value.param == "$.messages"
    with pytest.raises(InvalidRequest, match="in words what to film") as empty:
        understand(talk(user("a"), assistant("?"), user("  \n")))
    assert empty.value.param == "$.messages[2].content"
    with pytest.raises(InvalidRequest, match="a picture alone is not enough"):
        understand(talk(user([{"type": "image_url", "image_url": {"url": "https://a.test/1.png"}}])))


def test_a_description_has_an_end() -> None:
    assert wish("x" * LONGEST_PROMPT).prompt

    with pytest.raises(InvalidRequest, match="longer than 32000 characters"):
        wish("x" * (LONGEST_PROMPT + 1))
