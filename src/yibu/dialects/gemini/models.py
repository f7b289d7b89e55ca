"""What a model of Google's can do, by its name, as far as a request has to be written differently for it.

Sources: Google, *Gemini thinking*, *Function calling*, *Thought signatures*, *Structured output* and *OpenAI compatibility*,
read 2026-11-22.
"""

import re
from functools import lru_cache

import msgspec

_NAME = re.compile(r"gemini-(?:(?:live|robotics-er|embedding)-)?(\d+)(?:\.(\d+))?")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
"""Tokens for an effort, as Google's own OpenAI interface sets them; each model cuts them to what it takes."""


class Traits(msgspec.Struct, frozen=True):
    """`thinks_by`: the member of `thinkingConfig` that the model takes, empty for one that does not think; `levels`: the
    efforts among which `thinkingLevel` can choose; `budget`: the least and the most of `thinkingBudget`; `can_rest`:
    thinking can be switched off; `has_json_schema`: takes standard JSON Schema; `checks_signatures`: refuses calls without
    their signature; `shows_results`: a tool's result may hold media; `mixes_tools`: its own tools stand beside functions."""

    thinks_by: str = "thinkingBudget"
    levels: tuple[str, ...] = ()
    budget: tuple[int, int] = (0, 24576)
    can_rest: bool = True
    has_json_schema: bool = True
    checks_signatures: bool = False
    shows_results: bool = False
    mixes_tools: bool = False

    def level(self, effort: str) -> str:
        """The highest level that is not above the effort, else the lowest there is."""
        rank = _EFFORTS.index(effort) if effort in _EFFORTS else _EFFORTS.index("medium")
        fitting = [level for level in self.levels if _EFFORTS.index(level) <= rank]
        return fitting[-1] if fitting else self.levels[0]

    def tokens(self, effort: str) -> int:
        """The budget for an effort."""
        most = self.budget[1]
        if effort == "max" or (effort == "xhigh" and most > 24576):
            return most
        return self.fit(_BUDGETS.get(effort, _BUDGETS["medium"]))

    def fit(self, budget: int) -> int:
        """The nearest budget that the model takes; below 0 the model decides."""
        least, most = self.budget
        if budget < 0 or (budget == 0 and self.can_rest):
            return max(budget, -1)
        return min(max(budget, least), most)


_OLD = Traits(thinks_by="", has_json_schema=False)
_UNKNOWN = Traits()
"""Names without a version (`gemini-flash-latest`, an alias of a relay) stand for new models; of the members of `thinkingConfig`
new models take both, so the older one is the safe one."""


@lru_cache(maxsize=256)
def traits(model: str) -> Traits:
    """Of the model with this name; a provider's prefix does not matter."""
    name = model.lower().rpartition("/")[2]
    found = _NAME.search(name)
    if found is None:
        return _OLD if name in ("gemini-pro", "gemini-pro-vision") or name.startswith("gemma-") else _UNKNOWN
    generation = (int(found[1]), int(found[2] or 0))
    if generation < (2, 5):
        return _OLD
    can_think = "image" not in name and "tts" not in name
    if generation < (3, 0):
        least, most, can_rest = 0, 24576, True
        if "flash-lite" in name:
            least = 512
        elif "pro" in name:
            least, most, can_rest = 128, 32768, False
        return Traits(thinks_by="thinkingBudget" if can_think else "", budget=(least, most), can_rest=can_rest)
    levels: tuple[str, ...] = ("minimal", "low", "medium", "high")
    if "pro" in name:
        levels = ("low", "high") if generation == (3, 0) else ("low", "medium", "high")
    return Traits(
        thinks_by="thinkingLevel" if can_think else "",
        levels=levels,
        checks_signatures=True,
        shows_results=True,
        mixes_tools=True,
    )
