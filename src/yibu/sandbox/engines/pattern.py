"""A string for a simple regular expression: literals, classes, groups, alternatives, counts. No look-arounds."""

import re

LONGEST = 1000  # characters that one count, such as {5}, may add

_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a"}


def example(pattern: str) -> str:
    """A short string that the pattern finds; "text" when the pattern is beyond this maker."""
    try:
        made, _ = _alternatives(pattern, 0)
        return made if re.search(pattern, made) else "text"
    except (IndexError, ValueError, re.error):
        return "text"


def _alternatives(pattern: str, at: int) -> tuple[str, int]:
    """Make the first alternative from `at` up to the closing bracket or the end; gives the position after it."""
    made: list[str] = []
    chosen: str | None = None
    while at < len(pattern) and pattern[at] != ")":
        if pattern[at] == "|":
            chosen = "".join(made) if chosen is None else chosen
            made, at = [], at + 1
            continue
        atom, at = _atom(pattern, at)
        least, at = _count(pattern, at)
        if least * len(atom) > LONGEST:
            raise ValueError
        made.append(atom * least)
    return ("".join(made) if chosen is None else chosen), at


def _atom(pattern: str, at: int) -> tuple[str, int]:
    match pattern[at]:
        case "^" | "$":
            return "", at + 1
        case ".":
            return "a", at + 1
        case "\\":
            sign = pattern[at + 1]
            return ("" if sign in "bB" else _CLASSES.get(sign, sign)), at + 2
        case "[":
            end = pattern.index("]", at + 2)
            return _member(pattern[at : end + 1]), end + 1
        case "(":
            start = at + 1
            if pattern.startswith("?:", start):
                start += 2
            elif pattern.startswith("?P<", start):
                start = pattern.index(">", start) + 1
            elif pattern.startswith("?", start):
                raise ValueError
            inner, end = _alternatives(pattern, start)
            return inner, end + 1
        case sign:
            return sign, at + 1


def _member(brackets: str) -> str:
    """The first plain character that a class such as [A-Z_] accepts."""
    accepts = re.compile(brackets)
    return next(sign for sign in "aA0" + "".join(map(chr, range(32, 127))) + "中" if accepts.fullmatch(sign))


def _count(pattern: str, at: int) -> tuple[int, int]:
    if at >= len(pattern):
        return 1, at
    least = 1
    match pattern[at]:
        case "*" | "?":
            least, at = 0, at + 1
        case "+":
            at += 1
        case "{":
            end = pattern.index("}", at)
            least, at = int(pattern[at + 1 : end].split(",")[0] or 0), end + 1
        case _:
            return 1, at
    return least, (at + 1 if at < len(pattern) and pattern[at] in "?+" else at)
