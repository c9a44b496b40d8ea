"""The plain face: the only loop of the wizard, as in the screens, with questions in the place of screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.draft_file import DraftFile, resumed
from smtp_wizard.engine.wizard.steps import STEPS, Back, Next, Step, StepId, next_step, opening_step, step_back
from smtp_wizard.engine.wizard.steps import step as step_of
from smtp_wizard.engine.wizard.trusted_servers import step_before_confirmation
from smtp_wizard.plain.address import address
from smtp_wizard.plain.browser import browser
from smtp_wizard.plain.connect import connect
from smtp_wizard.plain.conversation import ANSWERS_WORDS, Choice, Conversation, GoBack, LineIO, Quit
from smtp_wizard.plain.done import done
from smtp_wizard.plain.home import home
from smtp_wizard.plain.provider import provider
from smtp_wizard.plain.save import save
from smtp_wizard.plain.server import server
from smtp_wizard.plain.sign_in import sign_in
from smtp_wizard.plain.step_questions import StepContext, StepOutcome
from smtp_wizard.plain.test_mail import test_mail
from smtp_wizard.runtime.exit_codes import Interrupted
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.wizard import (
    LEAVE_LINES,
    LEAVE_QUESTION,
    PURPOSE,
    RESUME_ANEW,
    RESUME_HOME,
    RESUME_NOTE,
    RESUME_ON,
    Resume,
    resume_question,
    step_words,
)

PLAIN: Mapping[StepId, Callable[[Conversation, StepContext, Draft], StepOutcome]] = {
    StepId.ADDRESS: address,
    StepId.PROVIDER: provider,
    StepId.SIGN_IN: sign_in,
    StepId.SERVER: server,
    StepId.BROWSER: browser,
    StepId.CONNECT: connect,
    StepId.TEST_MAIL: test_mail,
    StepId.SAVE: save,
    StepId.DONE: done,
}
"""Each step as questions."""

HOME, SETUP = "home", "setup"
KEPT = "What you answered is kept, the password is not: start smtp-wizard again to go on where you stopped."
WAYS_ON = (
    "What you can do next: 'smtp-wizard check HOST' tries a mail server without an account; 'smtp-wizard guide' lists "
    "the guides; 'smtp-wizard --plain' begins here again."
)

Place = tuple[Draft, Step]


class PlainWizard:
    """One run: the wizard, the accounts, and back, until the person leaves."""

    def __init__(self, services: Services, guides: Guides, line: LineIO) -> None:
        self.talk = Conversation(line, self._may_leave)
        self.context = StepContext(services, guides, self._keep)
        self.box = DraftFile(services.folder)
        self.draft = Draft()
        self.walking: Step | None = None
        self._on_disk = False

    def run(self, *, start: str, draft: Draft | None = None) -> int:
        """Begin at `start`, 'home' or 'setup'; with a draft, at its first open question. Return the exit code.

        Raises `Interrupted`, with what was not done, when a signal comes or the input ends.
        """
        try:
            self._run(start, draft)
        except Quit:
            self._say_goodbye()
        except Interrupted as problem:
            raise Interrupted(problem.number, f"{problem.undone} {self._undone()}".strip()) from None
        return 0

    def _run(self, start: str, draft: Draft | None) -> None:
        self.talk.say(ANSWERS_WORDS)
        place = self._first(start, draft)
        while True:
            if place is not None:
                self._walk(*place)
            draft = home(self.talk, self.context)
            if draft is None:
                raise Quit
            place = draft, opening_step(draft)

    def _first(self, start: str, draft: Draft | None) -> Place | None:
        """Where to begin; None: at the accounts."""
        if draft is not None:
            return draft, opening_step(draft)
        kept = self.box.load()
        if self.box.problem:
            self.talk.say(self.box.problem)
        if kept is None:
            return None if start == HOME else (Draft(), STEPS[0])
        kept = resumed(kept, self.context.services.catalog)
        rows = [
            Choice(Resume.ON, RESUME_ON, RESUME_NOTE),
            Choice(Resume.ANEW, RESUME_ANEW),
            Choice(Resume.HOME, RESUME_HOME),
        ]
        self.draft, self._on_disk = kept.draft, True
        match self._chosen(resume_question(kept.draft, kept.step), rows):
            case Resume.ON:
                return kept.draft, kept.step
            case Resume.ANEW:
                self.box.clear()
                return Draft(), STEPS[0]
        self.draft = Draft()
        return None

    def _chosen(self, question: str, rows: list[Choice[Resume]]) -> Resume:
        while True:
            try:
                return self.talk.choose(question, rows)
            except GoBack:
                self.talk.say("There is nothing before this question.")

    # -- the steps --------------------------------------------------------------------------------------------------

    def _walk(self, draft: Draft, step: Step | None) -> None:
        """Go through the steps until the end, or to before the first one where there are accounts to go to."""
        begun, backwards = draft, False
        stood: tuple[Draft, Step | None] | None = None
        while step is not None:
            step = step_before_confirmation(draft, step, self.context.services.catalog)
            self.walking = step
            self._keep(draft)
            for trouble in self.context.services.problems.new():
                self.talk.say(trouble)
            self.talk.begin(step_words(step, draft), PURPOSE[step.id])
            try:
                outcome = PLAIN[step.id](self.talk, replace(self.context, backwards=backwards), draft)
            except EXPECTED_ERRORS as problem:
                # The step cannot be asked: back to the one before, from which it can be tried again.
                self.talk.say(str(problem))
                (draft, step), stood, backwards = stood or (draft, None), None, True
                continue
            stood = outcome.draft, step
            match outcome:
                case Next(following, past):
                    done = step if past is None else step_of(past)
                    draft, step, backwards = following, next_step(following, done), False
                case Back(earlier):
                    draft, step, backwards = earlier, self._back_from(step, earlier, begun), True
        self.walking = None
        self.draft = Draft()

    def _back_from(self, step: Step, draft: Draft, begun: Draft) -> Step | None:
        """Return the step before; None leads to the accounts, if there are any, or from where a change begins."""
        before = step_back(draft, step)
        if before is None and draft.editing is None and not self._any_account:
            self.talk.say("There is nothing before this question.")
            return STEPS[0]
        if before is None and draft.editing is not None and draft == begun:
            self.box.clear()  # there is nothing to go on with
        return before

    @property
    def _any_account(self) -> bool:
        return self.context.services.saved_accounts.may_hold_any()

    def _keep(self, draft: Draft) -> None:
        """Keep what was answered, on the disk too, until it is saved as an account."""
        self.draft = draft
        if self.walking is None:
            return
        if draft.saved is None:
            self._on_disk = self.box.save(draft, self.walking)
        else:
            self.box.clear()

    # -- the end ----------------------------------------------------------------------------------------------------

    @property
    def _unsaved(self) -> bool:
        return self.draft.unsaved

    def _may_leave(self) -> bool:
        """Where something was entered and not saved, ask first."""
        if self.walking is None or not self._unsaved:
            return True
        return self.talk.yes(" ".join((LEAVE_QUESTION, *LEAVE_LINES)), yes="Leave", no="Stay here")

    def _undone(self) -> str:
        if self._unsaved:
            return f"The account was not saved. {KEPT if self._on_disk else ''}".strip()
        return "" if self.draft.saved is not None or self.walking is None else "No account was set up."

    def _say_goodbye(self) -> None:
        undone = self._undone()
        if undone:
            self.talk.say(undone)
        if not self._any_account:
            self.talk.say(WAYS_ON)


def run_plain(services: Services, guides: Guides, line: LineIO, *, start: str, draft: Draft | None = None) -> int:
    """Ask until the person leaves; return the exit code. Raises `Interrupted`."""
    return PlainWizard(services, guides, line).run(start=start, draft=draft)
