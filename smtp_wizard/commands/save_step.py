"""A command as a face of the step 'Save': what it was given is saved, and what is in the way is asked beforehand."""

from __future__ import annotations

from collections.abc import Callable

from smtp_wizard.commands.faults import REPLACE_HINT
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.vault import open_vault
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import Displaces, NameTaken
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.last_steps.save import SaveFlow, SaveOffer
from smtp_wizard.flows.vault import VaultOpened
from smtp_wizard.runtime.questions import agree, can_ask
from smtp_wizard.runtime.running import Stopwatch, run

LET_IT_SEND_GENERAL = "Let it send general mail only from now on?"
"""What is asked before another account for all mail is displaced."""


class Saving:
    """Saves one account. `agree` before anything is tried, `save` once it was."""

    def __init__(self, invocation: Invocation, draft: Draft, undone: Callable[[], str], *, agreed: bool) -> None:
        """`undone` says where to look when saving is interrupted; `agreed`: `--replace` was said."""
        services = invocation.services
        self._invocation = invocation
        self._undone = undone
        self._flow = SaveFlow(
            draft,
            accounts=services.accounts,
            stores=services.stores,
            saved_accounts=services.saved_accounts,
            catalog=services.catalog,
            screen=load_sending_application(),
            now=services.now,
            place_named=True,
            agreed=agreed,
        )

    def agree(self) -> Draft:
        """Settle where the password is kept, and what gives way to it; return the draft with that.

        Raises `CommandError`, and what a service raises.
        """
        self._done(SaveOffer.AGREE, lambda: "Nothing was saved.")
        return self._flow.draft

    def save(self, proved: Draft) -> Account:
        """Save it. Raises as `agree`."""
        self._flow.go_on_with(proved)
        leads = self._done(SaveOffer.SAVE, self._undone)
        assert leads is not None, "else a problem was raised"
        assert leads.draft.saved is not None, "it was saved"
        return self._invocation.saved_accounts.get(leads.draft.saved)

    def _done(self, offer: SaveOffer, undone: Callable[[], str]) -> Leads | None:
        """Take an offer, and answer what is asked on the way. What was typed is an option's: it is not asked anew."""
        flow = self._flow
        leads = run(flow.act(offer), Stopwatch(), undone)
        while leads is None:
            if flow.vault is not None:
                leads = run(flow.opened(self._opened()), Stopwatch(), undone)
            elif (answer := self._answer()) is not None:
                leads = run(flow.act(answer), Stopwatch(), undone)
            else:
                break
        if flow.problem is not None:
            raise flow.problem
        self._refuse_faults()
        return leads

    def _opened(self) -> VaultOpened:
        assert self._flow.vault is not None
        if not can_ask():
            raise self._invocation.stores.vault.closed()
        return open_vault(self._invocation, self._flow.vault)

    def _answer(self) -> SaveOffer | None:
        """Ask whether another account may be replaced, or give way; None where nothing like that is asked.

        Raises `CommandError` where nobody can be asked, and after a no.
        """
        match self._flow.problem:
            case NameTaken() as problem:
                agree(self._invocation.out, "name-taken", problem.words, "Replace it?", REPLACE_HINT)
                return SaveOffer.REPLACE
            case Displaces() as problem:
                agree(self._invocation.out, "displaces", problem.words, LET_IT_SEND_GENERAL, REPLACE_HINT)
                return SaveOffer.DISPLACE
        return None

    def _refuse_faults(self) -> None:
        """Raise `InputError` for what cannot be used in a field."""
        state = self._flow.state
        for entry in (state.name, state.sender_name, state.way):
            if entry is not None and entry.error:
                raise InputError(shown(entry.error))
