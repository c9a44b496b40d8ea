"""What all faces say at the end: the values for the application, how the password is typed, what was proved."""

from __future__ import annotations

from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.text.test_mail import time_words

COPY_WHICH = "Which value do you want to copy?"
IT_WORKS = "It works"
FINISH = "Finish"
PASTE, CHOOSE_IT, COPY_IT = "Paste it", "Choose one", "Copy"
COPY = "Copy one of these values"
SHOW, HIDE = "Show the password", "Hide the password"
HIDDEN = "F2 shows it"
HIDDEN_ELSEWHERE = "hidden"
NO_PASSWORD = "none: the server asks for no sign-in"
NO_USERNAME = "none"
IN_BROWSER = "none: the application signs in in the browser"
NOT_HERE = "the one that you typed; it is not kept in memory"
PRACTICE = "This was practice. With your own address it works the same way."
KEEP_IT_RIGHT = ("Change your mailbox's password, and this one may end too: then press P on Your accounts.",)


def saved_words(draft: Draft, application: str) -> str:
    """Say that it is done, and what is next."""
    if draft.connection.sandbox:
        return f"'{draft.saved}' is saved. {application} would be filled in like this:"
    return f"'{draft.saved}' is saved. Now type this into {application}."


def complains(application: str) -> str:
    """Offer to explain what the application says."""
    return f"{application} complains: paste what it says"


def copied(label: str, value: str) -> str:
    """Say what was sent to the terminal's clipboard: whether that took it cannot be known."""
    return f"{label} is sent to your terminal: {value}"


def proved_words(draft: Draft) -> str:
    """Say in one line what was proved here, and what was not."""
    proof = draft.proof
    if proof is None or not draft.signed_in:
        return "Not proved: the server refuses the sign-in." if draft.refused else "Not proved: nothing was tested."
    signed_in = f"signed in {time_words(proof.at)}"
    match draft.arrival:
        case ReportedArrival.ARRIVED:
            return f"Proved here: {signed_in}, the test message arrived."
        case ReportedArrival.JUNK:
            return f"Proved here: {signed_in}, the test message arrived, in the junk folder."
        case ReportedArrival.NOT_YET:
            return f"Proved here: {signed_in}. Not proved: nobody saw the test message."
    return f"Proved here: {signed_in}. Not proved: no test message was sent."


def grouped(secret: str) -> str:
    """Return a secret in groups of four; where it holds blanks itself, a word says how they are shown."""
    shown = secret.replace(" ", "\u2423")
    groups = " ".join(shown[at : at + 4] for at in range(0, len(shown), 4))
    return f"{groups}   (\u2423 is a blank)" if " " in secret else groups
