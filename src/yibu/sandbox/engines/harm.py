"""What a text may do harm with, by rule: a few words for each category, in English and Chinese."""

import re

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
OF_PICTURES = frozenset(name for name in CATEGORIES if name.startswith(("self-harm", "sexual", "violence"))) - {
    "sexual/minors"
}
"""The categories that pictures are judged by too."""

_WORDS = {
    "harassment": r"\bidiot\b|\bstupid\b|\bloser\b|笨蛋|白痴",
    "harassment/threatening": r"\bi(?:'ll| will| am going to) (?:kill|hurt|find) you\b|我要(?:杀|打)(?:了)?你",
    "hate": r"\bi hate (?:all )?(?:immigrants|foreigners)\b|滚出去",
    "illicit": r"\bhow to (?:steal|forge|pick a lock)\b|怎么偷",
    "illicit/violent": r"\b(?:build|make) a bomb\b|制作炸弹",
    "self-harm": r"\b(?:kill|hurt|cut) myself\b|\bsuicide\b|自杀|自残",
    "self-harm/intent": r"\bi (?:want|am going) to (?:kill|hurt|cut) myself\b|我想自杀",
    "sexual": r"\bnaked\b|\bporn\w*\b|色情|裸体",
    "violence": r"\b(?:kill|murder|stab|shoot|bomb)\w*\b|杀|炸弹",
    "violence/graphic": r"\b(?:gore|blood everywhere|dismember\w*)\b|血肉模糊",
}
_FOUND = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.items()}


def judge(text: str) -> dict[str, float]:
    """A score from 0 to 1 for each category; above a half it applies."""
    return {name: _score(text, name) for name in CATEGORIES}


def _score(text: str, name: str) -> float:
    pattern = _FOUND.get(name)
    hits = len(pattern.findall(text)) if pattern else 0
    return round(1 - 0.2 / hits, 4) if hits else 0.0001
