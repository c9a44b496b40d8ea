"""Writing something to a file that a person names: never over another one; what is wrong is said at its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from smtp_wizard.engine.base.private_files import absolute, may_exist, write_new
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.flows.flow import Entry, Offer
from smtp_wizard.flows.question import Answer, Question, QuestionFlow

LACKING = "Type the name of a file."
THERE = "There is a file of that name already. Type another name."
NOT_THERE = "It cannot be written there: {}"
FOR_YOU_ALONE = "Only you can read the file. Look through it before you pass it on: passwords are masked in it."
PROPOSED = 99
"""How many names are tried for one that is free, before the person is asked for another."""


@dataclass(frozen=True, slots=True)
class FileSaved:
    """Where it was written; None where the person left it."""

    file: Path | None = None

    @property
    def words(self) -> str:
        """The same in a few words: the file's name; '' where nothing was written."""
        return f"saved as {shown(self.file.name, 48)}" if self.file is not None else ""


class SaveFile(QuestionFlow[FileSaved]):
    """Asks for a name, and writes a text there."""

    def __init__(
        self, text: str, name: str, ending: str, *, hint: str = "", private: bool = False, folder: Path | None = None
    ) -> None:
        """`name` and `ending` of the file are proposed, with a number where there is one of that name already.

        `hint` says what will be in it. `private`: only its owner can read it. `folder`: where it is proposed; None:
        where the program was started.
        """
        self._text, self._private = text, private
        entry = Entry(label="File", text=_proposed(name, ending, folder), hint=hint)
        offers: tuple[Offer[StrEnum], ...] = (Offer(Answer.DO, "Save it"), Offer(Answer.LEAVE, "Leave it", key="Esc"))
        lines = (FOR_YOU_ALONE,) if private else ()
        super().__init__(Question(title="Save to a file", lines=lines, entries=(entry,), offers=offers))

    async def act(self, offer: StrEnum) -> FileSaved | None:
        """As `Flow.act`: write it, unless it is left."""
        if offer is not Answer.DO:
            return FileSaved()
        typed, before = self.state.entries[0].text.strip(), self.state
        if not typed:
            self._fail(0, LACKING)
            return None
        self._show(replace(before, running="Writing it ..."))
        try:
            return FileSaved(await self._written(typed))
        except FileExistsError:
            self._fail(0, THERE)
        except OSError as problem:
            self._fail(0, NOT_THERE.format(shown(problem.strerror or type(problem).__name__, 100)))
        except ValueError as problem:
            self._fail(0, NOT_THERE.format(shown(str(problem), 200)))
        except BaseException:
            self._show(before)
            raise
        return None

    async def _written(self, typed: str) -> Path:
        file = absolute(Path(typed))
        await in_thread(lambda: write_new(file, self._text.encode("utf-8", "replace"), private=self._private))
        return file


def _proposed(name: str, ending: str, folder: Path | None) -> str:
    """Return a name that is free, where the program was started; in the home folder where that is gone."""
    try:
        folder = folder or Path.cwd()
    except OSError:
        return f"~/{name}.{ending}"
    names = (f"{name}.{ending}", *(f"{name}-{number}.{ending}" for number in range(2, PROPOSED + 1)))
    return str(folder / next((each for each in names if not may_exist(folder / each)), names[0]))
