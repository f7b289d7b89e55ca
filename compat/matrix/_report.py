"""The matrix as tables: one a client, a row a feature, a column an upstream; below it what was declared."""

from collections.abc import Mapping

from compat.matrix.client import Client
from compat.matrix.feature import Outcome
from compat.page import table

Results = dict[tuple[str, str], dict[str, Outcome]]
MARKS = {"ok": "✓", "declared": "△", "none": "", "failed": "✗"}
_WORDS = {
    "en": {"feature": "feature", "on": "on {}", "declared": "Declared", "none": "Nothing was lost."},
    "zh": {"feature": "功能", "on": "上游 {}", "declared": "有声明的损失", "none": "没有任何损失。"},
}


def report(clients: Mapping[str, Client], results: Results, language: str) -> str:
    """Markdown. A number beside a mark points to what the answer declared."""
    return "\n".join(_client(name, client, results, language) for name, client in clients.items())


def _client(name: str, client: Client, results: Results, language: str) -> str:
    features, upstreams = client.table
    words = _WORDS[language]
    notes: dict[str, int] = {}
    rows = []
    for feature in features:
        outcomes = [results[name, upstream][feature.id] for upstream in upstreams]
        if all(outcome.kind == "none" for outcome in outcomes):
            continue
        title = feature.zh if language == "zh" else feature.title
        rows.append([title, *(_cell(outcome, notes) for outcome in outcomes)])
    head = [words["feature"], *(words["on"].format(upstream) for upstream in upstreams)]
    said = "".join(f"{number}. {note}\n" for note, number in notes.items())
    declared = f"\n{words['declared']}:\n\n{said}" if notes else f"\n{words['none']}\n"
    return f"\n### {client.title} {client.version}\n\n{table(head, rows)}{declared}"


def _cell(outcome: Outcome, notes: dict[str, int]) -> str:
    if not outcome.detail:
        return MARKS[outcome.kind]
    number = notes.setdefault(f"`{outcome.detail.replace('`', chr(39))}`", len(notes) + 1)
    return f"{MARKS[outcome.kind]} {number}"
