"""A conversation by script: what the wizard must ask, and what is answered. It complains about any other question."""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.plain.conversation import CannotHide, Conversation

Exchange = tuple[str, str]
"""Words that stand in the prompt or in what was said since the last answer, and the answer."""


class Dialogue:
    """Plays the person at the other end of the line."""

    def __init__(self, *script: Exchange, hides: bool = True) -> None:
        """`hides`: whether what is typed can be hidden."""
        self._script = list(script)
        self._hides = hides
        self._since = ""
        self.said = ""
        """Everything that was written, prompts included."""
        self.hidden: list[str] = []
        """The prompts at which nothing was shown."""

    def write(self, text: str) -> None:
        self.said += text
        self._since += text

    def read(self, prompt: str) -> str:
        self.write(prompt)
        assert self._script, f"nobody answers this any more: {self._since[-600:]!r}"
        awaited, answer = self._script.pop(0)
        assert awaited in _joined(self._since), f"{awaited!r} was not asked, but {self._since[-1500:]!r}"
        self._since = ""
        self.said += "\n"
        return answer

    def read_hidden(self, prompt: str) -> str:
        if not self._hides:
            raise CannotHide
        self.hidden.append(prompt)
        return self.read(prompt)

    def drop(self) -> None:
        """Nothing is ever typed here before it is asked for."""

    def over(self) -> None:
        """Complain about answers that nobody asked for."""
        assert not self._script, f"never asked: {self._script}"

    @property
    def words(self) -> str:
        """Everything that was said, without line ends: a sentence may be wrapped anywhere."""
        return _joined(self.said)


def talk(*script: Exchange) -> tuple[Conversation, Dialogue]:
    """Return a conversation, and who plays it."""
    dialogue = Dialogue(*script)
    return Conversation(dialogue), dialogue


def answers(*script: Exchange, **changed: str) -> Sequence[Exchange]:
    """Return a script with some answers changed, by the words that are asked for."""
    return tuple((awaited, changed.get(awaited, answer)) for awaited, answer in script)


def _joined(text: str) -> str:
    return " ".join(text.split())
