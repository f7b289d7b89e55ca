"""A whole answer growing out of pieces."""

from dataclasses import dataclass, field

from yibu.sandbox.engines.piece import Argued, Counts, Declined, End, Opened, Piece, Text, Thought, Trouble


@dataclass(slots=True)
class Draft:
    """One choice. `texts`: the answer's pieces, one a token; `calls`: with the pieces of their arguments."""

    thoughts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: list[tuple[Opened, list[str]]] = field(default_factory=list)
    end: End = field(default_factory=lambda: End("stop", Counts(0, 0)))

    def add(self, piece: Piece) -> None:
        """Take the next piece."""
        match piece:
            case Thought(text):
                self.thoughts.append(text)
            case Text(text):
                self.texts.append(text)
            case Declined(text):
                self.refusal.append(text)
            case Opened():
                self.calls.append((piece, []))
            case Argued(index, text):
                self.calls[index][1].append(text)
            case End():
                self.end = piece
            case Trouble():
                pass

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def thought(self) -> str:
        return "".join(self.thoughts)


def sum_counts(ends: list[End]) -> Counts | None:
    """The prompt counts once, the completions of all choices add up. None when none was told."""
    told = [end.counts for end in ends if end.counts is not None]
    if not told:
        return None
    first = told[0]
    return Counts(
        first.prompt,
        sum(counts.completion for counts in told),
        sum(counts.reasoning for counts in told),
        first.cached,
        first.written,
        first.written_long,
        first.audio,
    )
