"""`test --init`: the same test as a systemd service with its timer, or as a line for cron."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.store_kinds import StoreKind

if TYPE_CHECKING:
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.secrets.store_kinds import StoreRef

UNIT = "smtp-wizard-test"
CREDENTIAL = "vault-passphrase"
"""What the vault's passphrase is called among a service's credentials."""
PLACE = "/etc/smtp-wizard"
"""Where credentials and variables of a service lie, for root alone."""
CREDENTIALS = "$CREDENTIALS_DIRECTORY/"
MOST_NAMED = 10
"""Accounts that are named in a sentence at most."""
WHEN_SYSTEMD, WHEN_CRON = "*-*-* 03:17:00", "17 3 * * *"
"""Every night, and not on the hour, when everybody's jobs begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What is to be run, and what it needs for that."""

    program: tuple[str, ...]
    """The words that start this program."""
    folder: Path
    """The config folder, absolute."""
    arguments: tuple[str, ...]
    """`test` with its options, without --init and --config."""
    user: str
    """Who runs it; '' for root."""
    passphrase: bool
    """Whether the vault's passphrase is needed, and nothing on the command line gives it."""
    credentials: tuple[str, ...]
    """The credentials of systemd in which accounts have their passwords."""
    variables: tuple[str, ...]
    """The environment variables in which they, or the vault's passphrase, are."""
    files: tuple[Path, ...] = ()
    """What the command, or an account, reads or writes besides, absolute."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables, with their values, that decide whose certificates are believed."""
    runs_programs: bool = False
    """Whether a password, or the vault's passphrase, is printed by a program, which has files of its own at home."""
    unattended: tuple[str, ...] = ()
    """What cannot be read while nobody is there, a sentence each."""
    written: tuple[Path, ...] = ()
    """The folders of those that it writes."""

    @property
    def unwritable(self) -> str:
        """The first word with a line end or another control character in it, which neither form can hold; or ''."""
        values = (value for _, value in self.environment)
        return next((each for each in (*self.command, *map(str, self.written), *values) if has_control(each)), "")

    @property
    def command(self) -> tuple[str, ...]:
        """All words but those that give the passphrase."""
        return (*self.program, "--config", str(self.folder), *self.arguments)


def schedule_for(
    accounts: Sequence[Account],
    folder: Path,
    arguments: Sequence[str],
    *,
    has_passphrase: bool,
    signing_in: Sequence[Account] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Schedule:
    """Return the schedule of a test of these accounts. `arguments`: as they were given, the program's name left out.

    `signing_in`: those of them whose passwords are read, where it is not all. `environ`: of this process.
    """
    reading = accounts if signing_in is None else signing_in
    stores = [account.store for account in reading if account.store is not None]
    given = [*_without(arguments, ("--init", "--config"))]
    variables = {each.where for each in stores if each.kind is StoreKind.ENV}
    transcript = _values(given, ("--transcript",))
    in_files = (each.where for each in stores if each.kind is StoreKind.FILE and each.where.startswith(CREDENTIALS))
    return Schedule(
        program=_program(),
        folder=folder.absolute(),
        arguments=tuple(_with_absolute_files(given)),
        user=_user(),
        passphrase=not has_passphrase and any(each.kind is StoreKind.VAULT for each in stores),
        credentials=tuple(sorted({each.removeprefix(CREDENTIALS) for each in in_files})),
        variables=tuple(sorted({*variables, *_values(given, ("--passphrase-env",))})),
        files=tuple(Path(each).absolute() for each in (*_values(given, _FILES), *_files_of(accounts, stores))),
        written=tuple(Path(each).absolute().parent for each in transcript[-1:]),
        environment=tuple(_trusting(environ or {})),
        runs_programs=any(each.kind is StoreKind.COMMAND for each in stores)
        or bool(_values(given, ("--passphrase-command",))),
        unattended=tuple(_unattended(reading)),
    )


def _files_of(accounts: Sequence[Account], stores: Sequence[StoreRef]) -> Iterator[str]:
    yield from (account.connection.ca_file for account in accounts if account.connection.ca_file is not None)
    yield from (each.where for each in stores if each.kind is StoreKind.FILE and not each.where.startswith(CREDENTIALS))


def _trusting(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that OpenSSL heeds (SSL_CTX_set_default_verify_paths(3)): a service would not have them."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if value := environ.get(name):
            yield name, os.pathsep.join(str(Path(each).absolute()) for each in value.split(os.pathsep))


def _unattended(accounts: Sequence[Account]) -> Iterator[str]:
    """Yield what no job at night can read."""
    accounts = [each for each in accounts if each.connection.auth is not Auth.NONE]
    asked = [each.name for each in accounts if each.store is None or each.store.kind is StoreKind.SESSION]
    if asked:
        yield f"At night nobody is there to type the password of {_listed(asked)}, which is kept nowhere."
    shut = [each.name for each in accounts if each.store is not None and each.store.kind is StoreKind.KEYRING]
    if shut:
        yield f"A job can usually not read the keyring of a desktop, which holds the password of {_listed(shut)}."
    if asked or shut:
        yield "Keep it where a job can read it: smtp-wizard accounts edit NAME --store vault (or command, file, env)."


def _listed(names: Sequence[str]) -> str:
    few, more = sorted(dict.fromkeys(names))[:MOST_NAMED], len(set(names)) - MOST_NAMED
    return ", ".join(few) + (f" and {more:,} more" if more > 0 else "")


def _program() -> tuple[str, ...]:
    """Return what starts this program, where the PATH of a service knows nothing of it."""
    started = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "smtp-wizard" else None
    found = started or shutil.which("smtp-wizard")
    return (str(Path(found).absolute()),) if found else (sys.executable, "-m", "smtp_wizard")


def _user() -> str:
    if os.name != "posix" or os.geteuid() == 0:
        return ""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _without(arguments: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Yield the words but for options with their values. Behind '--' there are none."""
    skip, ended = False, False
    for word in arguments:
        ended = ended or (word == "--" and not skip)
        if ended:
            yield word
        elif skip:
            skip = False
        elif word in options:
            skip = True
        elif not word.startswith(tuple(f"{option}=" for option in options)):
            yield word


_FILES = ("--ca-file", "--transcript")
"""Options that name a file: what runs later is started in another folder."""


def _values(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return what is given to options, in the order in which it stands there."""
    found, before = [], ""
    for word in arguments:
        if word == "--" and before not in options:
            break
        name, sign, value = word.partition("=")
        if before in options:
            found.append(word)
            before = ""
            continue
        if sign and name in options:
            found.append(value)
        before = word
    return found


def _with_absolute_files(arguments: Sequence[str]) -> Iterator[str]:
    before, ended = "", False
    for word in arguments:
        name, sign, value = word.partition("=")
        if not ended and before in _FILES:
            yield str(Path(word).absolute())
            before = ""
            continue
        ended = ended or word == "--"
        yield f"{name}={Path(value).absolute()}" if not ended and sign and name in _FILES else word
        before = word


# --- systemd ---


def service(schedule: Schedule) -> str:
    """Return the service (systemd.service(5), systemd.exec(5)). It runs once; one that runs is not started again."""
    words = schedule.command
    if schedule.passphrase:
        words = (*words, "--passphrase-command")
    command = " ".join(map(_quoted, words))
    command += f' "cat %d/{CREDENTIAL}"' if schedule.passphrase else ""
    lines = ["[Unit]", "Description=Test the mailboxes that send mail", "Wants=network-online.target"]
    lines += ["After=network-online.target", "", "[Service]", "Type=oneshot", f"ExecStart={command}"]
    lines += [f"User={schedule.user}"] if schedule.user else []
    names = [*([CREDENTIAL] if schedule.passphrase else []), *schedule.credentials]
    lines += [f"LoadCredential={name}:{PLACE}/{name}" for name in names]
    lines += [f"EnvironmentFile={PLACE}/environment"] if schedule.variables else []
    lines += [f"Environment={_quoted(f'{name}={value}', variables=False)}" for name, value in schedule.environment]
    lines += ["UMask=0077", "NoNewPrivileges=yes"]
    lines += [] if any(map(_is_temporary, (schedule.folder, *schedule.files))) else ["PrivateTmp=yes"]
    # A password manager writes at home, locks for its keys at least; it was asked for in the same way by hand.
    lines += ["ProtectSystem=full"] if schedule.runs_programs else ["ProtectSystem=strict", "ProtectHome=read-only"]
    writable = dict.fromkeys((schedule.folder, *schedule.written))
    lines += [f"ReadWritePaths={' '.join(_quoted(str(each), variables=False) for each in writable)}"]
    return "\n".join(lines) + "\n"


def timer() -> str:
    """Return the timer of the service (systemd.timer(5)); what was missed while the computer was off is made up for."""
    return "\n".join(
        [
            "[Unit]",
            "Description=Test the mailboxes that send mail, every night",
            "",
            "[Timer]",
            f"OnCalendar={WHEN_SYSTEMD}",
            "RandomizedDelaySec=15min",
            "Persistent=yes",
            "",
            "[Install]",
            "WantedBy=timers.target",
            "",
        ]
    )


def _is_temporary(file: Path) -> bool:
    """Whether a file lies where a service with a /tmp of its own would not find it (systemd.exec(5))."""
    return any(file.is_relative_to(each) for each in ("/tmp", "/var/tmp"))  # noqa: S108


def _quoted(word: str, *, variables: bool = True) -> str:
    """Return a word as a unit takes it: specifiers and variables as they are meant (systemd.syntax(7)).

    `variables`: whether a '$' begins a variable there, as it does in commands alone (systemd.service(5)).
    """
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    plain = plain.replace("$", "$$") if variables else plain
    return f'"{plain}"' if not word or any(each in word for each in " \t'\";\\") else plain


def systemd_words(schedule: Schedule) -> str:
    """Say where the files go, and what has to be there besides."""
    lines = [
        f"Save the two parts as /etc/systemd/system/{UNIT}.service and {UNIT}.timer, then: systemctl enable --now "
        f"{UNIT}.timer",
    ]
    for name in [*([CREDENTIAL] if schedule.passphrase else []), *schedule.credentials]:
        lines.append(f"{PLACE}/{name} must hold {_what(name)}, in a file that root alone can read (chmod 600).")
    if schedule.variables:
        lines.append(
            f"{PLACE}/environment must set {', '.join(schedule.variables)} (NAME=value, a line each; chmod 600)."
        )
    return "\n".join([*lines, *schedule.unattended])


def _what(name: str) -> str:
    return "the vault's passphrase" if name == CREDENTIAL else "a password"


# --- cron ---


def cron_line(schedule: Schedule) -> str:
    """Return a line of a crontab (crontab(5)); a run that is still at work when the next one begins keeps it away."""
    words = schedule.command
    if schedule.passphrase:
        words = (*words, "--passphrase-command", shlex.join(["cat", str(schedule.folder / CREDENTIAL)]))
    lock = str(schedule.folder / "test.lock")
    # In a crontab a % ends the command.
    variables = [f"{name}={shlex.quote(value)}" for name, value in schedule.environment]
    command = " ".join([*variables, shlex.join(["flock", "-n", lock, *words])]).replace("%", "\\%")
    return f"{WHEN_CRON} {command}\n"


def cron_words(schedule: Schedule) -> str:
    """Say where the line goes, and what has to be there besides."""
    lines = ["Add the line to your crontab (crontab -e). Whatever is printed, cron mails to you (MAILTO)."]
    if schedule.passphrase:
        lines.append(f"{schedule.folder / CREDENTIAL} must hold the vault's passphrase (chmod 600).")
    if schedule.variables:
        lines.append(f"The crontab must set {', '.join(schedule.variables)}, or a wrapper of yours that runs the line.")
    return "\n".join([*lines, *schedule.unattended])
