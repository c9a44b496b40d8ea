"""What all faces say while a password is tried: what is asked, what is under way, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import GuideStep
from smtp_wizard.engine.providers.provider import AccessPath, Provider, ProviderKind, SecretForm
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.output.plain_lines import who_words
from smtp_wizard.text.areas.on_screens import steps_on_screens
from smtp_wizard.text.wizard import oddity_words

USUAL_LABEL = "Password"
NAME_HINT = "as your provider gives it"
NEUTRAL_NOTE = "A well-known mail server is tried once, without a password."
KEPT_IN_MEMORY = "kept in memory until you save"
SIGN_IN_AGAIN = "Sign in again"
UNLOCK_AND_TRY = "Unlock it and try again"

# --- what is asked ---


def label_for(path: AccessPath | None) -> str:
    """Return what the secret of a way in is called."""
    return path.secret_label if path is not None and path.secret_label else USUAL_LABEL


def connect_question(draft: Draft, provider: Provider | None, path: AccessPath | None, practice: str = "") -> str:
    """Say what is to be done at this step. `practice`: the practice password, where that is what is typed."""
    match draft.connection.auth:
        case Auth.NONE:
            return "Does the server answer?"
        case Auth.XOAUTH2:
            return "Does the mail server take your sign-in?"
    label = in_a_sentence(label_for(path))
    if practice:
        return f"Type the {label if 'practice' in label else f'practice {label}'}: {practice}"
    if path is not None and path.secret_form is not None:
        return f"Paste the {label} for {provider.short_name if provider is not None else 'your mailbox'}."
    return f"Type the {label} of {draft.connection.username or 'your mailbox'}."


def practice_password_of(connection: Connection[Any]) -> str:
    """Return the practice password, where the practice server asks for it; '' elsewhere. Raises `DataError`."""
    from smtp_wizard.engine.sandbox.scenarios import practice_password

    return practice_password() if connection.sandbox is not None else ""


def in_a_sentence(label: str) -> str:
    """Return a field's name as it stands within a sentence: 'app password', 'API key'."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def short_name(provider: Provider | None) -> str:
    """Return who looks at the password: the provider by name, where the catalogue has one."""
    if provider is None or provider.kind is ProviderKind.CUSTOM:
        return "the server"
    return "the practice server" if provider.kind is ProviderKind.SANDBOX else provider.name


def shape_words(form: SecretForm) -> str:
    """Say how long a secret is that the provider makes up."""
    return f"{form.length} characters{', blanks do not matter' if form.strip_blanks else ''}"


def count_words(form: SecretForm, text: str) -> str:
    """Say how much of such a secret is there."""
    count = len(form.tidy(text))
    return f"{count} of {form.length} characters{', blanks removed' if len(text) != count else ''}"


def doubt_words(form: SecretForm | None, typed: str) -> str:
    """Say what is unusual in a password as it was typed; '' where nothing is."""
    if not typed:
        return ""
    if form is not None and not form.fits(typed):
        return (
            f"It has {len(form.tidy(typed))} characters; the one that your provider makes has {form.length}. It may be "
            "your usual password, which is refused here."
        )
    return oddity_words(Secret(form.tidy(typed) if form is not None else typed))


def settings_words(draft: Draft) -> str:
    """Say in one line who signs in, and where."""
    connection = draft.connection
    if connection.endpoint is None:
        return "No server yet"
    where = f"{connection.endpoint.host}, port {connection.endpoint.port}, {connection.endpoint.security.words}"
    return f"{connection.username} at {where}" if connection.username and connection.auth is not Auth.NONE else where


# --- while it runs ---

PASSED_WORDS: Mapping[Stage, str] = {
    Stage.DNS: "Server found",
    Stage.CONNECT: "It answers",
    Stage.TLS: "Secure",
    Stage.GREETING: "It greets",
    Stage.EHLO: "Mail server",
    Stage.STARTTLS: "Secure",
    Stage.AUTH: "Signed in",
    Stage.MAIL: "Sender",
    Stage.RCPT: "Recipient",
    Stage.DATA: "Message",
}
"""A stage that has passed, in a word or two."""
_UNDER_WAY: Mapping[Stage, str] = {
    Stage.DNS: "Looking for the server",
    Stage.CONNECT: "Waiting for the server to answer",
    Stage.TLS: "Making the connection secure",
    Stage.GREETING: "Waiting for the server's first words",
    Stage.EHLO: "Asking what the server can do",
    Stage.STARTTLS: "Making the connection secure",
    Stage.MAIL: "Naming the sender",
    Stage.RCPT: "Naming the recipient",
    Stage.DATA: "Handing the message over",
}
BEGINNING = "Beginning"


def under_way_words(stage: Stage | None, name: str) -> str:
    """Say what is being done. `name`: who looks at the password, see `short_name`."""
    if stage is Stage.AUTH:
        return f"{name[:1].upper()}{name[1:]} looks at the password"
    return _UNDER_WAY[stage] if stage is not None else BEGINNING


def signing_in(auth: Auth) -> str:
    """The title while it runs."""
    return "Asking the server ..." if auth is Auth.NONE else "Signing in ..."


# --- what came of it ---


def tally_words(passed: int, of: int) -> str:
    """Say how many checks have passed."""
    return f"{passed} of {of} checks passed"


def passed_title(auth: Auth) -> str:
    """Say that it works."""
    return "The server answers" if auth is Auth.NONE else "Signed in"


def passed_words(draft: Draft, name: str) -> str:
    """Say what that means."""
    return f"{name[:1].upper()}{name[1:]} takes mail from {draft.from_address or draft.connection.username}."


NEXT_WORDS = "Next: one test message, to see that it arrives."


def first_step(finding: Finding) -> str:
    """Say who must act, and what they do first."""
    step = next((f" {each}" for each in steps_on_screens(finding.steps)), "")
    return f"{who_words(finding.who)}:{step}"


def tries_words(left: int | None, minutes: int) -> str:
    """Say how often a sign-in may still fail; '' where nobody counts."""
    if left is None:
        return ""
    if left <= 0:
        return f"No try left now: one more could lock the account. Wait {minutes} minutes."
    tries = "1 try" if left == 1 else f"{left} tries"
    return f"{tries} left, then a pause of {minutes} minutes."


REFUSED_UNCHANGED = phrase("Exactly this was refused, so nothing was sent. Type another one.")
SAME_AGAIN = "Send the same once more"
SAME_AGAIN_NOTE = "Only after a change at your provider: it counts as a try."
REFUSED_TITLE = "The server has refused exactly this"
REFUSED_BEFORE = "Nothing is sent again by itself: change it, or send the same once more."
STOPPED = "Stopped"
STOPPED_BEFORE = "The password had not been sent."
STOPPED_AFTER = "The password had been sent, and the answer was not waited for: it counts as a try."
NOT_BEGUN = "This could not be tried"
VAULT_TITLE = "The vault is locked"
ANYWAY_NOTE = "Another failure may lock the account, for hours and for every program."


def fix_verb(now: Endpoint | None, fix: Endpoint) -> str:
    """Return the verb of an offered server: what differs from the draft's, in a word or two."""
    if now is not None and fix.host != now.host:
        return f"Use {fix.host}"
    if now is not None and fix.security is not now.security:
        return f"Use {fix.security.words}"
    return f"Use port {fix.port}"


# --- the guide ---


def done_words(steps: Sequence[GuideStep]) -> str:
    """Say which steps of a guide have just been proved: 'done: step 4', 'done: steps 1 to 4'."""
    numbers = [step.number for step in steps]
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f"done: step {numbers[0]}"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"done: steps {numbers[0]} to {numbers[-1]}"
    return f"done: steps {', '.join(str(number) for number in numbers)}"
