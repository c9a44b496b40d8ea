"""What can be done with a saved account, in lines of text: the same as Enter shows on the screen."""

from __future__ import annotations

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.accounts.account_list import AccountsFlow
from smtp_wizard.flows.accounts.action import Action
from smtp_wizard.plain.conversation import Choice, Conversation
from smtp_wizard.plain.question_flow import done
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text.accounts import AccountAction


def change_account(talk: Conversation, flow: AccountsFlow) -> Draft | None:
    """Ask what is to be done with the chosen account, and do it; return a draft where the wizard is to go on.

    Raises `GoBack`, `Quit`.
    """
    state = flow.state
    assert state.detail is not None, "one is chosen"
    rows = [Choice(each.id, each.verb, about=each.note) for each in state.offers if each.id is not AccountAction.TEST]
    return do(talk, flow, talk.choose(f"What about '{state.detail.name}'?", rows))


def do(talk: Conversation, flow: AccountsFlow, action: AccountAction) -> Draft | None:
    """Do something with the chosen account; return a draft where the wizard is to go on. Raises `Quit`."""
    leads = awaited(flow.act(action))
    if not isinstance(leads, Action):
        talk.say(flow.state.trouble)
        return None
    result = done(talk, leads)
    awaited(flow.take(result))
    return result.draft
