"""What both faces of the wizard say: questions, explanations, advice. Plain text; no toolkit is known here.

Keys and answers are not named in it: each face has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import paused
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Oddity, Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.guides.guides import Guide, Guides, UnknownGuide, fill
from smtp_wizard.engine.guides.named_guides import with_titles
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import AccessPath, Provider, ProviderKind
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import Step, StepId, applicable

PURPOSE: Mapping[StepId, str] = {
    StepId.ADDRESS: (
        "Type the e-mail address of your firm: the one your customers know. From its ending this program knows, or "
        "finds out, which mail server takes your messages. Nothing is sent, and no password is asked for yet."
    ),
    StepId.PROVIDER: (
        "Every mailbox lives at a provider, and each provider has its own outgoing server. Here you see which one "
        "belongs to your address, how we know, and when it was last checked. If it is wrong, choose another one or "
        "enter the server by hand."
    ),
    StepId.SIGN_IN: (
        "Most providers no longer take your usual password from a program. Your answer decides which password you "
        "need; the next step shows how to get it. Ways that are closed stay in the list, because old instructions "
        "still point to them: choosing one explains what replaced it."
    ),
    StepId.SERVER: (
        "Type what your provider's help page gives for outgoing mail (SMTP): the server's name, the port and the kind "
        "of secure connection."
    ),
    StepId.BROWSER: (
        "Here you sign in on the provider's own page, in a browser, under a client id of your own; the guide shows "
        "where that comes from. When the page says that you are signed in, this goes on; nothing is sent, and your "
        "password is typed nowhere but there."
    ),
    StepId.CONNECT: (
        "Here you type the password that lets your application send; the guide shows where it comes from, step by "
        "step. Enter signs in to the server, once, and shows what happened; until you save it, the password stays in "
        "memory."
    ),
    StepId.TEST_MAIL: (
        "A test message goes to an address of yours at another provider: mail to the same mailbox often arrives "
        "although nothing would reach a customer. Type its code word when you see it, so that no older message is "
        "taken for this one. You can skip this step."
    ),
    StepId.SAVE: (
        "Give the account a name and say what it is for. 'General Emails Only' keeps invoices and confirmations safe "
        "from the sending limit that a mailing can use up; take 'For All Emails' only when your limit is high. The "
        "password is kept where you say, never in a plain file."
    ),
    StepId.DONE: (
        "These are the values that the application which sends your mail asks for. Type them there as they stand here."
    ),
}
HOME_PURPOSE = "Here are the accounts that you saved, with the result of their last test."
"""What each step is for, by its id."""


def step_words(current: Step, draft: Draft) -> str:
    """Return where the wizard stands: 'Step 3 of 7: Sign-in'."""
    steps = [step for step in applicable(draft) if step.id is not StepId.DONE]
    return f"Step {steps.index(current) + 1} of {len(steps)}: {current.title}" if current in steps else current.title


# --- leaving, and going on ---

LEAVE_QUESTION = "Leave now?"
NOT_SAVED = ("The account is not saved yet.",)
LEAVE_LINES = ("The account is not saved yet. You can go on later; only the password must be typed again.",)


def resume_question(kept: Draft, stopped: Step) -> str:
    """Say what was left before it was saved."""
    return f"You were setting up {kept.address or 'your account'}, and stopped at the step '{stopped.title}'."


class Resume(StrEnum):
    """What is to become of a draft that was left."""

    ON = "on"
    ANEW = "anew"
    HOME = "home"


RESUME_ON = "Go on where I stopped"
RESUME_NOTE = "only a password must be typed again"
RESUME_ANEW = "Begin anew, and forget it"
RESUME_HOME = "Look at my saved accounts"

# --- provider ---


def override_words(draft: Draft, catalog: Catalog) -> tuple[str, ...]:
    """Say, before a password goes there, that a file of the person's own names the server."""
    return tuple(f"! {override.words}" for override in catalog.overrides_of(draft.connection.provider))


# --- server ---


# --- connect ---

FALLBACK_GUIDE = "basic"
FOUND_SERVER_GUIDE = "found-server"
"""Takes the place of the guide that looks for a server where one was found."""


def guide_id_for(path: AccessPath | None) -> str:
    """Return which guide leads through a way in."""
    return path.guide if path and path.guide else FALLBACK_GUIDE


def filled_guide(guides: Guides, guide_id: str, provider: Provider | None, draft: Draft) -> Guide:
    """Return a guide with what is known put in; the one that fits everybody where there is none of that name.

    Where the server was found, the guide that says how to look for one gives way to that which says how to sign in.
    """
    if (
        provider is not None
        and provider.kind is ProviderKind.CUSTOM
        and draft.origin is Origin.FOUND
        and not draft.by_hand
    ):
        looks_for_one = guide_id in {path.guide for path in provider.paths}
        guide_id = FOUND_SERVER_GUIDE if looks_for_one else guide_id
    try:
        guide = guides.get(guide_id)
    except UnknownGuide:
        guide = guides.get(FALLBACK_GUIDE)
    endpoint = draft.connection.endpoint
    return fill(
        with_titles(guide, guides),
        provider=provider.firm if provider else "",
        host=endpoint.host if endpoint else "",
        port=endpoint.port if endpoint else None,
        security=endpoint.security if endpoint else None,
        username=draft.connection.username,
        address=str(draft.address or ""),
    )


USERNAME_LACKING = phrase("Type the user name; with most providers it is your whole e-mail address.")
SECRET_LACKING = "Type the password first; the guide shows where it comes from."
BLANK_AT_END = "There is a blank at the beginning or the end. If it is no part of the password, remove it."


ODDITIES: Mapping[Oddity, str] = {
    Oddity.BLANK_AT_END: "a blank at its beginning or end",
    Oddity.LINE_END: "a line end",
    Oddity.HARD_BLANK: "a blank of the kind that web pages have (no-break)",
    Oddity.INVISIBLE: "a character that cannot be seen",
}


def oddity_words(secret: Secret) -> str:
    """Say what is unusual in a password; empty where nothing is."""
    found = [ODDITIES[each] for each in secret.oddities]
    return f"The password has {' and '.join(found)} in it. Mostly that came along when it was copied." if found else ""


def proved_words(auth: Auth) -> str:
    """Say that it works."""
    return "The server answers: this works." if auth is Auth.NONE else "Signed in: this works."


ANYWAY = "Try anyway"
ANYWAY_QUESTION = (
    "Several sign-ins failed in a short time. Another failure may lock the account, for hours and for every program. "
    "Try anyway?"
)
ANYWAY_YES = "Try anyway, once"
ANYWAY_NO = "No, wait"
UNDER_WAY = "A test is under way. Esc stops it."
STILL_AT_WORK = "That is still being done. One moment."


# --- save ---

STORE_TITLES: Mapping[StoreKind, str] = {
    StoreKind.KEYRING: "This computer's keyring",
    StoreKind.VAULT: "A vault of smtp-wizard's own",
    StoreKind.COMMAND: "Your password manager: a command",
    StoreKind.FILE: "A file of yours",
    StoreKind.ENV: "An environment variable",
    StoreKind.SESSION: "Nowhere: ask me each time",
}
DISPLACE_NO = "Use this one for General Emails Only"


def parse_reply_to(text: str) -> Address | None:
    """Take a Reply-To or From address as typed; empty means none. Raises `AddressError`."""
    return Address.parse(text) if text.strip() else None


# --- done ---

APPLICATION_GUIDE = "servicemonster-fields"
SCOPE_GUIDE = "scope"


# --- home ---

LAST_VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASS: "ok",
    Verdict.WARN: "ok (note)",
    Verdict.FAIL: "FAIL",
    Verdict.UNKNOWN: "not known",
    Verdict.SKIPPED: "not tested",
}


def tested_words(account: Account, report: Report) -> str:
    """Say how the test of an account came out."""
    if paused(report) is not None:
        return f"'{account.name}': not tested. Nothing was sent."
    return f"'{account.name}': {LAST_VERDICTS[report.verdict]} ({report.took:.1f} s). Nothing was sent."
