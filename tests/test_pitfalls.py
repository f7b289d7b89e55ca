"""Mistakes that gateways between chat formats are known to have made, each with the tests that keep it out of this one.

A test says in its docstring which of them it is about: `Pitfall 33: …`, `Pitfalls 1, 4 and 5: …`. The numbers are stable; a new one
goes at the end.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

PITFALLS = {
    1: "Two calls side by side are glued into one.",
    2: "Every call has the index 0, so that clients keep the last one only.",
    3: "Calls are counted together with texts and thoughts, so that the first has the index 1.",
    4: "Pieces of a call come after another one was begun, and are lost or written where nothing is open.",
    5: "Another kind of content goes on in the block before it.",
    6: "A stream that ends in an unusual way is never closed for its client.",
    7: "A stream begins twice, because another vendor was tried after the first words.",
    8: "Names of events are left out, by which clients tell them apart.",
    9: "`[DONE]` is written in formats that do not know it.",
    10: "Deltas come for items that were never announced.",
    11: "The last event lacks the id, the whole answer or the usage; numbers do not rise.",
    12: "An answer ends at its first piece, because Google says `STOP` in each.",
    13: "An answer with a call ends with `stop`, and the agent with it.",
    14: "A call without arguments is lost, though the end says that there is one.",
    15: "Characters that the network cut in two become question marks.",
    16: "A long line is refused, as a picture in one piece is.",
    17: "A body is unpacked but said to be packed, or the other way round.",
    18: "The answer is 200 before anybody knows whether there will be one.",
    19: "An error with the status 200 is billed as an answer.",
    20: "A client of Responses gets an `error` event, which it does not know.",
    21: "An answer that broke off looks whole.",
    22: "Amazon's binary messages are read as text.",
    23: "A signature of thoughts is lost, moved or changed on its way round.",
    24: "Thoughts are demanded before a call, and the history has none.",
    25: "Encrypted thoughts are dropped.",
    26: "Thoughts of turns with calls are not given back to vendors that demand them.",
    27: "Google's signature of a call has no place in the client's format, and is gone.",
    28: "State is hidden in the id of a call, which becomes too long.",
    29: "State that only one account can read is sent to another.",
    30: "The budget of thoughts is larger than the ceiling of the answer.",
    31: "A call is forced while the model thinks, which is refused.",
    32: "Thoughts in tags are taken for the answer, or the answer for thoughts.",
    33: "Empty arguments make a conversation that no vendor takes any more.",
    34: "So do arguments that were cut off in the middle.",
    35: "Something stands between a call and its result, or the result is missing.",
    36: "Only the first of several results is read.",
    37: "Google gets another number of results than it made calls.",
    38: "Google's call has an id and its result has none, or the other way round.",
    39: "Results are joined to calls by the id of the item rather than of the call.",
    40: "Items are sent with ids that another vendor made.",
    41: "A vendor begins with `call_0` in each answer, and results go to the wrong call.",
    42: "Calls are there in streams only, or in whole answers only.",
    43: "One call at a time becomes a forced call, or is not told.",
    44: "No call at all becomes any call.",
    45: "Optional arguments are filled, because strictness was not declined.",
    46: "Google gets a schema with words that it does not know.",
    47: "The form of an answer is looked for under another format's name.",
    48: "Long names are refused, or become one when they are cut.",
    49: "A tool that the vendor runs becomes a function without a name.",
    50: "A tool without a type is refused.",
    51: "Empty texts are sent, which are refused.",
    52: "White space at the end of a beginning, or as a stop, is refused.",
    53: "A system message in the middle is refused.",
    54: "A system message in the middle is moved to the top, which spoils the cache.",
    55: "Pictures that a tool returned are not seen.",
    56: "Nor are they at hosts of Responses that read results as text only.",
    57: "Pictures and documents are dropped without a word.",
    58: "A picture that cannot be had becomes a sentence in the conversation.",
    59: "Long answers are cut at a small ceiling that nobody asked for.",
    60: "Two ceilings, or a temperature, are sent to models that refuse them.",
    61: "Both temperature and `top_p` are sent to models that take one of them.",
    62: "Members of one format are passed on to another.",
    63: "There are more cache marks than are allowed.",
    64: "Cache marks are carried on texts only.",
    65: "Beta flags are dropped, or sent to hosts that refuse them.",
    66: "What was cached is counted twice.",
    67: "What was cached is not counted at all.",
    68: "The same model is counted in another way at another host.",
    69: "Usage is read from one event only, though it stands in two.",
    70: "Streams begin with a usage of zero, and that is what clients show.",
    71: "Google's thoughts are not billed.",
    72: "What Google's tools read is billed as output.",
    73: "Usage that comes after the end is not read, or not asked for.",
    74: "Usage of answers that end badly is not read.",
    75: "Who hangs up pays nothing, or for everything.",
    76: "The text of an error is billed as an answer.",
    77: "Errors come in another format's shape.",
    78: "Tokens are counted as 0, so that clients never shorten their conversation.",
    79: "A channel is given up because an optional call is not there.",
    80: "A reason to end has no translation.",
    81: "A live voice hangs when the vendor hangs up, and costs nothing.",
    82: "Vectors are asked for as base64 by default, and the vendor does not know it.",
    83: "State of one vendor is sent to another after a change of the model.",
    84: "Thoughts that are counted beside the answer are not billed.",
}

ELSEWHERE = {81: "There is no live voice yet; its proxy and this test come with issue 5."}
"""Those without a test, and why."""

_NAMED = re.compile(r"[Pp]itfalls? (\d+(?:(?:, | and |, and )\d+)*)")


def numbers(words: str) -> set[int]:
    """The mistakes that a docstring names."""
    return {int(number) for named in _NAMED.findall(words) for number in re.findall(r"\d+", named)}


@cache
def named() -> dict[int, list[str]]:
    """The tests that are about each."""
    found: dict[int, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        text = file.read_text("utf-8")
        if file == Path(__file__) or "itfall" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in numbers(ast.get_docstring(node) or ""):
                    found.setdefault(number, []).append(f"{file.relative_to(TESTS)}::{node.name}")
    return found


@pytest.mark.parametrize("number", PITFALLS.keys() - ELSEWHERE.keys())
def test_every_mistake_has_a_test(number: int) -> None:
    """At least one test names it."""
    assert number in named(), PITFALLS[number]


def test_nothing_else_is_named() -> None:
    """Tests name mistakes that are listed here, and none of those that are said to wait."""
    assert named().keys() <= PITFALLS.keys() - ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("Pitfall 9: no end mark.", {9}),
        ("No end mark (pitfall 9).", {9}),
        ("Pitfalls 35, 36 and 37: all results.", {35, 36, 37}),
        ("Pitfalls 1, 4: in order; pitfall 28: short. 80 of them.", {1, 4, 28}),
        ("14.3 no. 9", set()),
    ],
)
def test_how_a_test_names_them(words: str, meant: set[int]) -> None:
    """One form, in which the numbers can be read."""
    assert numbers(words) == meant
