"""What a text says that can fill an argument: numbers, quoted strings, places, dates, sums."""

import re

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*[A-Za-z_])")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|「([^」]+)」|《([^》]+)》|(?<!\w)'([^']+)'(?!\w)")
_PLACE = re.compile(r"\b(?:in|at|for|near|to|from|and)\s+((?:[A-Z][\w'’-]+)(?:\s+[A-Z][\w'’-]+)*)")
_CHINESE_PLACE = re.compile(r"(?:在|去|到|查一下|查查|查询|请问)([\u4e00-\u9fff]{2,3}?)(?=的|今|明|现|天气|市|$)")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(r"https?://[^\s\"'<>，。）)]+")
_SUM = re.compile(r"\(?\d[\d\s.()]*(?:[-+*/×÷^][\d\s.()]+)+")
_CJK = re.compile(r"[\u3400-\u9fff]")
_CITIES = re.compile(
    "北京|上海|广州|深圳|杭州|成都|重庆|武汉|西安|南京|天津|苏州|香港|台北|东京|大阪|首尔|巴黎|伦敦|纽约|柏林|新加坡|"
    "Beijing|Shanghai|Shenzhen|Hong Kong|Tokyo|Paris|London|New York|Berlin|Boston|San Francisco|Singapore|Sydney|"
    "Rome|Madrid|Seoul|Tallinn|Vienna",
    re.IGNORECASE,
)


def is_chinese(text: str) -> bool:
    """Whether an answer to this text should be in Chinese."""
    return _CJK.search(text) is not None


class Hints:
    """Finds given out one after another: two number arguments get the first and the second number of the text."""

    def __init__(self, text: str, skip_places: int = 0) -> None:
        self.text = text
        self.quotes = [next(filter(None, found.groups())) for found in _QUOTED.finditer(text)]
        self.numbers = [found[0] for found in _NUMBER.finditer(_DATE.sub(" ", text))]
        self.places = find_places(text)[skip_places:]

    def number(self) -> float | None:
        """The next number of the text."""
        return float(self.numbers.pop(0)) if self.numbers else None

    def quote(self) -> str | None:
        """The next quoted string."""
        return self.quotes.pop(0) if self.quotes else None

    def place(self) -> str | None:
        """The next place."""
        return self.places.pop(0) if self.places else None

    def date(self) -> str | None:
        """The first date, as YYYY-MM-DD."""
        return _first(_DATE, self.text)

    def email(self) -> str | None:
        """The first e-mail address."""
        return _first(_EMAIL, self.text)

    def link(self) -> str | None:
        """The first http(s) address."""
        return _first(_LINK, self.text)

    def sum(self) -> str | None:
        """The first sum, such as "3 * (4 + 5)"."""
        found = _first(_SUM, self.text)
        return found.strip() if found else None


def find_places(text: str) -> list[str]:
    """Cities known by name, else what follows "in", "to", 在 …, in the order of the text."""
    known = [found[0] for found in _CITIES.finditer(text)]
    if known:
        return list(dict.fromkeys(known))
    guesses = [found[1] for pattern in (_PLACE, _CHINESE_PLACE) for found in pattern.finditer(text)]
    return list(dict.fromkeys(guesses))


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[0] if found else None
