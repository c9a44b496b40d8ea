"""A command as a face of a flow of questions: the options answer, somebody is asked for the rest, or it is named."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from smtp_wizard.commands.check_run import cut_off
from smtp_wizard.commands.options.vault import PassphraseReply
from smtp_wizard.engine.checks.events import StageFinished
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.flows.accounts.action import ActionResult
from smtp_wizard.flows.question import Question, Topic
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.checks.events import Emit, Event
    from smtp_wizard.flows.accounts.action import Action

Reply = Callable[[Question], StrEnum]
"""Answers a question: hands the flow what belongs into its fields, and returns the offer to take. Raises `CommandError`
where nothing was said that answers it, and nobody can be asked."""
Step = Coroutine[Any, Any, ActionResult | None]


def carried_out(
    invocation: Invocation,
    action: Action,
    replies: Mapping[Topic, Reply],
    undone: Callable[[], str],
    *,
    watch: Stopwatch | None = None,
    around: Callable[[Step], Step] = lambda step: step,
) -> ActionResult:
    """Go through an action to its end; return what came of it.

    `replies`: what answers a question, by what it is about; the vault's passphrase is asked for besides. `around` is
    put around each thing that the action does. Raises what a service raised, and `CommandError`.
    """
    passphrase = PassphraseReply(invocation, action)
    known: dict[Topic, Reply] = {Topic.PASSPHRASE: passphrase, Topic.NEW_PASSPHRASE: passphrase, **replies}
    counts = watch or Stopwatch()
    done = run(around(action.begin()), counts, undone)
    while done is None:
        question = action.state
        assert question.about is not None, "something is asked"
        done = run(around(action.act(known[question.about](question))), counts, undone)
    if done.problem is not None:
        raise done.problem
    return done


class ActionObserver:
    """Keeps an action inside the command's time limit, and tells what happens in its check."""

    def __init__(self, action: Action, endpoint: Endpoint, watch: Stopwatch, emit: Emit) -> None:
        self._endpoint = endpoint
        self._watch = watch
        self._emit = emit
        self._seen = CheckProgress()
        action.events = self._take

    def _take(self, event: Event) -> None:
        self._seen.take(event)
        self._emit(event)

    async def until_the_time_is_up(self, step: Step) -> ActionResult | None:
        """Do something that an action does; once the time is up, return what its check has seen until then."""
        try:
            async with self._watch.bound():
                return await step
        except TimeoutError:
            self._take(StageFinished(cut_off(self._seen, self._watch.limit or 0.0)))
            return ActionResult(report=Report(self._endpoint, tuple(self._seen.results)))
