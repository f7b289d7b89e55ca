"""What film somebody asks for in a conversation. Pure; the rules are those of `sora-chat` relays.

Source: the documentation pages "创建视频", "创建视频,带图片" and "连续修改生成视频" of this product family, and the streams
that relays of it send; read 2026-11-20.
"""

import re
from collections.abc import Iterator
from itertools import islice

import msgspec

from yibu.hub.chat import ChatRequest, Turn
from yibu.hub.errors import InvalidMedia, InvalidRequest
from yibu.hub.media import Source
from yibu.hub.parts import Media, Text
from yibu.hub.work import Orientation

LONGEST_PROMPT = 32_000
DEFAULT_SECONDS = 10
SOLD_SECONDS = (4, 8, 10, 12, 15, 20, 25)
"""Lengths that vendors of this family make: 4, 8, 12 and 20 of OpenAI's Videos API, 10, 15 and 25 of the relays."""
MOST_SECONDS = {"sora-2-pro": 25}
"""By the beginning of the model's name; other models make up to 15 seconds."""
OTHER_MOST_SECONDS = 15

# ASCII: Chinese has no spaces, so its characters must not count as letters of the word beside them.
_WORDS = re.ASCII | re.IGNORECASE
_SECONDS_IN_NAME = re.compile(r"-(\d{1,3})s\b", re.ASCII)
# Neither the third second (第3秒) nor a decade (the 20s, 80s).
_SECONDS = re.compile(r"(?<![\w.第])(?<!\bthe )(?![5-9]0s\b)(\d{1,3})(?:\s*秒|[\s-]*(?:seconds?|secs?|s)\b)", _WORDS)
_WIDE = str.maketrans("０１２３４５６７８９．ｓＳ", "0123456789.sS")
_NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
# Neither the third second, nor 四点五秒, 几十秒, 千分之三秒.
_SECONDS_IN_HAN = re.compile(
    r"(?<![第点几数之零〇一二两三四五六七八九十百千万])([零〇一二两三四五六七八九十百]{1,7})\s*秒"
)
_UNDER_1000 = re.compile(
    r"(?:([一二两三四五六七八九])百)?(?:[零〇]|([一二三四五六七八九])?(十))?([一二两三四五六七八九])?"
)
# A portrait of somebody may well be filmed in landscape.
_PORTRAIT = re.compile(r"竖屏|竖版|竖向|\bportrait\b(?! of\b)|\bvertical\b|(?<!\d)9\s*[:：x]\s*16(?!\d)", _WORDS)
_LANDSCAPE = re.compile(r"横屏|横版|横向|\blandscape\b(?! of\b)|\bhorizontal\b|(?<!\d)16\s*[:：x]\s*9(?!\d)", _WORDS)
# None of them looks at a character more than a few times, however an answer was forged.
_EARLIER = (
    re.compile(r"sid:\s*`?s_([a-z0-9]{1,64})"),
    re.compile(r"task_([a-z0-9]{26})"),
    re.compile(r"/(file_[a-z0-9]{1,64})\.mp4"),
)
MOST_EARLIER = 16
"""So many of the films that answers name are looked up; older ones are not meant."""


class FilmWish(msgspec.Struct, frozen=True, kw_only=True):
    """`orientation`, `seconds`: None when the conversation does not say; `picture_at`: path of the picture's member;
    `parents`: what earlier answers say of their films, newest first: ids without their prefix, or a file's id;
    `history`: the customer's earlier words, for a change to a film that is not named."""

    prompt: str
    orientation: Orientation | None = None
    seconds: int | None = None
    picture: Source | None = None
    picture_at: str = ""
    parents: tuple[str, ...] = ()
    history: str = ""


def understand(request: ChatRequest) -> FilmWish:
    """Raises `InvalidRequest` when nobody says what to film."""
    asked = [(index, turn) for index, turn in enumerate(request.turns) if turn.role == "user"]
    if not asked:
        raise InvalidRequest("Say in a message of the role `user` what to film.", param="$.messages")
    at, last = asked[-1]
    prompt = _words(last)
    if not prompt:
        raise InvalidRequest(
            "Say in words what to film; a picture alone is not enough.", param=f"$.messages[{at}].content"
        )
    if len(prompt) > LONGEST_PROMPT:
        message = f"The description of the film is longer than {LONGEST_PROMPT} characters."
        raise InvalidRequest(message, param=f"$.messages[{at}].content")
    picture, picture_at = _picture(last, f"$.messages[{at}]")
    return FilmWish(
        prompt=prompt,
        orientation=_orientation(request.model) or _orientation(prompt),
        seconds=_seconds(request.model, prompt),
        picture=picture,
        picture_at=picture_at,
        parents=_parents(request),
        history=_history([turn for _, turn in asked[:-1]], LONGEST_PROMPT - len(prompt)),
    )


def _history(turns: list[Turn], most: int) -> str:
    """The newest of the earlier words that together with the last ones make a description of permitted length."""
    kept: list[str] = []
    for words in filter(None, map(_words, reversed(turns))):
        most -= len(words) + 1
        if most < 0:
            break
        kept.append(words)
    return "\n".join(reversed(kept))


def _words(turn: Turn) -> str:
    return "\n".join(part.text for part in turn.parts if isinstance(part, Text)).strip()


def _picture(turn: Turn, where: str) -> tuple[Source | None, str]:
    """The first picture of the turn is the film's first frame. Raises `InvalidMedia` for what cannot be filmed."""
    for index, part in enumerate(turn.parts):
        path = f"{where}.content[{index}].image_url.url"
        if isinstance(part, Media) and part.kind == "image":
            return part.source, path
        if not isinstance(part, Text):
            raise InvalidMedia(
                "A film is made of words and a picture: a PNG, JPEG, WebP or GIF by URL or in base64.", param=path
            )
    return None, ""


def _orientation(words: str) -> Orientation | None:
    words = words.translate(_WIDE)
    if _PORTRAIT.search(words):
        return "portrait"
    return "landscape" if _LANDSCAPE.search(words) else None


def _seconds(model: str, prompt: str) -> int | None:
    """The model's name wins over the words, and of several times in them the longest is meant: story boards count up.

    Gives the next longer length that is sold; never more than the model makes.
    """
    in_name = _SECONDS_IN_NAME.search(model)
    wanted = int(in_name[1]) if in_name else max(_times(prompt), default=None)
    if wanted is None:
        return None
    most = next((most for name, most in MOST_SECONDS.items() if model.startswith(name)), OTHER_MOST_SECONDS)
    return next((sold for sold in SOLD_SECONDS if wanted <= sold <= most), most)


def _times(words: str) -> Iterator[int]:
    """All times in seconds that stand in a text: `5s`, `１０秒`, `十二秒`."""
    yield from map(int, _SECONDS.findall(words.translate(_WIDE)))
    for numeral in _SECONDS_IN_HAN.findall(words):
        value = _read_numeral(numeral)
        if value > 1:  # 下一秒, 每一秒, 一秒变身: a way of speaking, and no film is as short
            yield value


def _read_numeral(numeral: str) -> int:
    """十 to 九百九十九 and the single ones; 0 for what is no number, such as 三四 (three or four)."""
    found = _UNDER_1000.fullmatch(numeral)
    if found is None:
        return 0
    hundreds, tens, ten, ones = found.groups()
    return 100 * _NUMERALS.get(hundreds, 0) + (10 * _NUMERALS.get(tens, 1) if ten else 0) + _NUMERALS.get(ones, 0)


def _parents(request: ChatRequest) -> tuple[str, ...]:
    """Newest answer first; within one answer the `sid` before the task before the link."""
    turns = (_words(turn) for turn in reversed(request.turns) if turn.role == "assistant")
    names = (found for words in turns for one in _EARLIER for found in reversed(one.findall(words)))
    return tuple(islice(dict.fromkeys(names), MOST_EARLIER))
