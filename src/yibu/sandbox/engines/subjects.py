"""The things a prompt may ask for, by word, in English and Chinese."""

import re

# English words match at a word's start ("birds" too); Chinese ones anywhere.
WORDS: dict[str, str] = {
    "bird": "bird seagull sparrow swallow 鸟 燕 鸥 鹤",
    "cat": "cat kitten 猫",
    "mountain": "mountain alps peak 山",
    "sea": "sea ocean lake beach wave water 海 湖 水 江 河",
    "snow": "snow winter 雪 冬",
    "rain": "rain 雨",
    "night": "night moon star 夜 月 星",
    "sunset": "sunset sunrise dusk dawn evening 日落 日出 黄昏 夕阳 傍晚 晚霞",
    "city": "city skyline town street building 城 街 楼",
    "forest": "forest tree wood pine 树 森林 林",
    "flower": "flower blossom petal garden 花",
    "house": "house cottage cabin 房 屋",
    "boat": "boat ship sail 船 帆",
    "balloon": "balloon 气球",
    "desert": "desert dune sand 沙",
}


def find_subjects(prompt: str) -> frozenset[str]:
    """The subjects that the prompt names."""
    low = prompt.lower()
    return frozenset(name for name, words in WORDS.items() if any(_names(low, word) for word in words.split()))


def _names(text: str, word: str) -> bool:
    return re.search(rf"\b{word}", text) is not None if word.isascii() else word in text
