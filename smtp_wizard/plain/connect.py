"""Connect: the guide, the password, and one attempt; what failed is mended here."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import as_text
from smtp_wizard.engine.providers.provider import AccessPath
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Draft, with_tidy_secret
from smtp_wizard.output.lines import WIDTH, endpoint_words
from smtp_wizard.plain.checks import CompletedCheck, find_out, network_choice
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.passphrase import opened_for
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.text.network import Unreached, unreached_after
from smtp_wizard.text.wizard import (
    ANYWAY,
    ANYWAY_NO,
    ANYWAY_QUESTION,
    ANYWAY_YES,
    REFUSED_AS_IT_IS,
    SECRET_LACKING,
    USERNAME_LACKING,
    filled_guide,
    guide_id_for,
    oddity_words,
    override_words,
    proved_words,
    secret_count,
)


def connect(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """Sign in, once an answer; go on when that has worked."""
    if not kit.backwards and draft.connection.auth is not Auth.XOAUTH2:
        show_guide(talk, kit, draft, guide_id_for(_path(kit, draft)))
    if draft.connection.endpoint is not None:
        talk.say(f"Server {endpoint_words(draft.connection.endpoint)}")
        for line in override_words(draft, kit.desk.catalog):
            talk.say(line)
    questions = [Question(_username, lambda each: each.connection.auth is not Auth.NONE), Question(_proved)]
    return ask_in_order(talk, kit, draft, questions)


def _path(kit: Kit, draft: Draft) -> AccessPath | None:
    return kit.desk.catalog.path(draft.connection)


def show_guide(talk: Conversation, kit: Kit, draft: Draft, guide_id: str) -> None:
    """Print a guide, with what is known put in."""
    guide = filled_guide(kit.shelf, guide_id, kit.desk.catalog.get(draft.connection.provider), draft)
    talk.show([*as_text(guide, WIDTH).splitlines(), ""])


def _username(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    return draft.with_sign_in(talk.ask("User name", _some, default=draft.connection.username), draft.secret)


def _some(text: str) -> str:
    if not text:
        raise InputError(USERNAME_LACKING)
    return text


def _proved(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    return _SignIn(talk, kit, draft).run()


class _Action(StrEnum):
    """What can be done with a sign-in."""

    GO_ON = "go-on"
    TYPE = "type"
    AGAIN = "again"
    ANYWAY = "anyway"
    FIX = "fix"
    USER = "user"
    NETWORK = "network"
    GUIDE = "guide"
    DETAILS = "details"


class _SignIn:
    """Attempts until one works, or the person goes back; the draft keeps what was typed."""

    def __init__(self, talk: Conversation, kit: Kit, draft: Draft) -> None:
        self.talk = talk
        self.kit = kit
        self.draft = draft
        self.checked: CompletedCheck | None = None

    def run(self) -> Draft:
        """Return the draft with its proof. Raises `GoBack` with the draft as it is then, `Quit`."""
        try:
            action = self._at_first()
            while action is not _Action.GO_ON:
                action = self._do(action)
        except GoBack:
            raise GoBack(self.draft) from None
        return self.draft

    def _at_first(self) -> _Action:
        if self.draft.signed_in:
            rows = [Choice(_Action.GO_ON, "Go on"), *self._typing(), Choice(_Action.AGAIN, "Check it again")]
            return self.talk.choose(proved_words(self.draft.connection.auth), rows)
        return _Action.TYPE if self.draft.connection.auth is Auth.PASSWORD else _Action.AGAIN

    def _do(self, action: _Action) -> _Action:
        """Do what was chosen; return what is to be done next."""
        match action:
            case _Action.TYPE:
                self.draft = _typed(self.talk, self.kit, self.draft)
                if not self.draft.refused:
                    return self._attempt()
                self.talk.say(REFUSED_AS_IT_IS)
            case _Action.AGAIN:
                return self._attempt()
            case _Action.ANYWAY:
                if self.talk.yes(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO):
                    return self._attempt(anyway=True)
            case _Action.FIX:
                fix = self._finding.fix if self._finding else None
                assert fix is not None, "it is offered only where there is one"
                self.draft = self.draft.with_endpoint(fix)
                return self._attempt()
            case _Action.USER:
                self.draft = _username(self.talk, self.kit, self.draft)
            case _Action.NETWORK:
                assert self._unreached is not None, "it is offered only where there is something to find out"
                find_out(self.talk, self.kit, self._unreached)
            case _Action.GUIDE:
                show_guide(self.talk, self.kit, self.draft, self._guide_id)
            case _Action.DETAILS:
                assert self.checked is not None, "it is offered only after a check"
                self.checked.show_transcript()
        return self._next()

    def _attempt(self, *, anyway: bool = False) -> _Action:
        """Sign in, once; `anyway`: although that may lock the account."""
        if not opened_for(self.talk, self.kit, self.draft):
            return self._next()
        self.talk.say("Checking ...")
        draft = self.draft
        options = Options(ignore_lockout=anyway)
        self.checked = CompletedCheck(
            self.talk, partial(self.kit.desk.checks.check_draft, draft, Depth.LOGIN, options=options)
        )
        if self.checked.report is not None:
            self.draft = replace(draft, proof=self.kit.desk.checks.prove(draft, self.checked.report, Depth.LOGIN))
        self.kit.keep(self.draft)
        if self.draft.signed_in:
            self.talk.say(f"{proved_words(self.draft.connection.auth)} Next: the test mail.")
            return _Action.GO_ON
        return self._next()

    @property
    def _finding(self) -> Finding | None:
        report = self.checked.report if self.checked else None
        return next(iter(report.findings), None) if report else None

    @property
    def _unreached(self) -> Unreached | None:
        report = self.checked.report if self.checked else None
        if report is None or self.draft.connection.sandbox is not None:
            return None
        return unreached_after(self.kit.desk.scans, report)

    @property
    def _guide_id(self) -> str:
        """The guide that helps with what went wrong, else the one of this way in."""
        finding = self._finding
        if finding is not None and finding.guide in self.kit.shelf.ids():
            return str(finding.guide)
        return guide_id_for(_path(self.kit, self.draft))

    def _typing(self) -> list[Choice[_Action]]:
        return (
            [Choice(_Action.TYPE, "Type the password again", word="again")]
            if self.draft.connection.auth is Auth.PASSWORD
            else []
        )

    def _next(self) -> _Action:
        """Ask what is to be done after an attempt that has not worked."""
        fix = self._finding.fix if self._finding else None
        rows = [
            *([Choice(_Action.FIX, f"Try {endpoint_words(fix)}", word="fix")] if fix else []),
            *self._typing(),
            Choice(_Action.AGAIN, "Check once more as it is"),
            *([Choice(_Action.ANYWAY, ANYWAY, word="anyway")] if self.checked and self.checked.paused else []),
            *([Choice(_Action.USER, "Change the user name")] if self.draft.connection.auth is not Auth.NONE else []),
            *network_choice(self._unreached, _Action.NETWORK),
            Choice(_Action.GUIDE, "Show the guide that helps", word="guide"),
            Choice(_Action.DETAILS, "Show what was said to the server, and its answers", word="details"),
        ]
        # Whoever just presses Enter does not send once more what was refused.
        usual = _Action.GUIDE if self.draft.refused and not fix and not self._typing() else None
        return self.talk.choose("What now? ('back' leads to the settings.)", rows, usual)


def _typed(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Ask for the password; one that looks wrong is pointed out before it is tried. Raises `GoBack`, `Quit`."""
    path = _path(kit, draft)
    form = path.secret_form if path else None
    label = path.secret_label if path and path.secret_label else "Password"
    keeps = " (Enter: the one from before)" if draft.secret else ""
    shape = f"{form.length} characters, blanks do not matter. " if form else ""
    while True:
        text = talk.secret(
            f"{label}, not shown{keeps}",
            optional=bool(draft.secret),
            lacking=SECRET_LACKING,
            help=f"{shape}What you type does not appear, not even as stars.",
        )
        if not text:
            return draft
        tried = with_tidy_secret(draft.with_sign_in(draft.connection.username, Secret(text)), kit.desk.catalog)
        assert tried.secret is not None, "it was just put there"
        doubt = oddity_words(tried.secret)
        if form is not None:
            doubt = "" if form.fits(text) else "Such a password is made up by the provider, and looks otherwise."
            talk.say(secret_count(form, text))
        if not doubt or talk.yes(doubt, yes="Sign in with it all the same", no="Type it again"):
            return tried
