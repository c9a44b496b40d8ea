"""Real mail servers, started for the tests: Postfix with Dovecot's sign-in, and Exim.

Each runs on free loopback ports with a folder, a queue, a log and a certificate of its own, delivers into Maildirs,
never hands a message on, and leaves nothing behind. All need root and what tools/install_real.sh installs.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.support.certs import Authority, CertificateFiles
from tests.support.patience import PATIENCE
from tests.support.ports import free_ports

HOST = "127.0.0.1"
NAME = "localhost"
"""The certificates are for this name and for `HOST`."""
DOMAIN = "example.test"
SIZE_LIMIT = 51_200
"""Bytes: what EHLO announces, and above which a message is too large."""

SBIN = "/usr/sbin:/sbin"
EXIM_FOLDER = Path(__file__).resolve().parents[2] / ".make" / "exim"


class ServerTrouble(Exception):
    """A server is not installed, did not start, or did not do in time what was waited for."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who has a mailbox on the servers, and signs in with the short name or the whole address."""

    username: str
    password: str

    @property
    def address(self) -> str:
        """The mailbox, and the only sender that this login owns."""
        return f"{self.username}@{DOMAIN}"


ALICE = Login("alice", "correct horse")
ZOE = Login("zoe", "pässwörd€")
LOGINS = (ALICE, ZOE)
PASSWORDS = {name: login.password for login in LOGINS for name in (login.username, login.address)}

RECIPIENT = f"bob@{DOMAIN}"
"""A mailbox that takes mail, of somebody who cannot sign in."""
REFUSED_RECIPIENT = f"nobody@{DOMAIN}"
"""No such mailbox."""
FULL_RECIPIENT = f"full@{DOMAIN}"
"""Postfix answers 452 4.2.2."""
GREYLISTED_RECIPIENT = f"grey@{DOMAIN}"
"""Postfix answers 450 4.2.0."""
MAILBOXES = (*(login.address for login in LOGINS), RECIPIENT)


@dataclass(frozen=True, slots=True)
class MailServer:
    """A server that runs, and what can be seen of it from outside."""

    starttls_port: int
    tls_port: int
    ca_file: Path
    """The authority that vouches for its certificate."""
    log: Path
    mail: Path
    """One Maildir for each local part."""
    session_end: re.Pattern[str]
    """Finds in the log the end of a connection."""
    sign_in: re.Pattern[str]
    """Finds in the log sign-ins; its group, if it has one, says how many at once."""
    session_begin: re.Pattern[str] | None = None
    """Finds in the log the beginning of a connection, where every end of one is logged too."""

    def mark(self) -> int:
        """Return where the log ends now, to ask later what came after.

        Connections that have begun are waited for, so that what comes later is of those that begin later.
        Raises `ServerTrouble` when one does not end.
        """
        mark = self.log.stat().st_size
        if (begin := self.session_begin) is not None:

            def ended() -> bool:
                said = self.log_since()
                return len(begin.findall(said)) <= len(self.session_end.findall(said))

            wait_until(ended, f"the end of the connections in {self.log}")
            mark = self.log.stat().st_size
        return mark

    def log_since(self, mark: int = 0) -> str:
        """Return what was logged after `mark`."""
        return self.log.read_bytes()[mark:].decode("utf-8", "replace")

    def sign_in_attempts(self, mark: int, *, sessions: int = 1) -> int:
        """Count the AUTH commands after `mark`, once at least so many connections have ended and are logged.

        Raises `ServerTrouble` when they have not ended in time.
        """

        def ended() -> bool:
            return len(self.session_end.findall(self.log_since(mark))) >= sessions

        wait_until(ended, f"the end of {sessions} connections in {self.log}")
        counts = self.sign_in.findall(self.log_since(mark))
        return sum(int(count) if count.isdecimal() else 1 for count in counts)

    def messages(self, address: str) -> list[EmailMessage]:
        """Return what has been delivered to a mailbox, oldest first."""
        folder = self.mail / address.partition("@")[0] / "new"
        files = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime_ns)
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def wait_for_message(self, address: str, message_id: str) -> EmailMessage:
        """Return the message with this Message-ID once it lies in the mailbox; raise `ServerTrouble` if it does not."""

        def found() -> list[EmailMessage]:
            return [message for message in self.messages(address) if message["Message-ID"] == message_id]

        wait_until(lambda: bool(found()), f"{message_id} in the mailbox of {address}")
        return found()[0]


def wait_until(happened: Callable[[], bool], what: str) -> None:
    """Look every 20 ms whether something has happened in another process; raise `ServerTrouble` if it takes long."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise ServerTrouble(f"waited {PATIENCE:.0f} s in vain for {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def run_postfix() -> Iterator[MailServer]:
    """Run Postfix: 587-like and 465-like ports, sign-in by Dovecot, senders owned by their logins.

    Raises `ServerTrouble` when it, or Dovecot, is missing or does not start.
    """
    with server_folder() as folder:
        authority, certificate = certificates(folder)
        starttls_port, tls_port = free_ports(2)
        with _run_dovecot(folder):
            config = write_postfix(folder, certificate, services(starttls_port, tls_port))
            log = folder / "postfix.log"
            command = [program("postfix"), "-c", str(config), "start-fg"]
            with (
                running(command, folder, log, lambda: greets(starttls_port)),
                ending_master(folder / "queue" / "pid" / "master.pid"),
            ):
                yield MailServer(
                    starttls_port=starttls_port,
                    tls_port=tls_port,
                    ca_file=authority.file,
                    log=log,
                    mail=folder / "mail",
                    session_end=SESSION_END,
                    sign_in=SIGN_IN,
                    session_begin=SESSION_BEGIN,
                )


@contextlib.contextmanager
def run_exim() -> Iterator[MailServer]:
    """Run Exim: a port for STARTTLS and one for TLS, PLAIN and LOGIN against a list.

    Raises `ServerTrouble` when it is missing or does not start.
    """
    binary, wrapper = EXIM_FOLDER / "exim4", EXIM_FOLDER / "libnss_wrapper.so"
    if not binary.exists() or not wrapper.exists():
        raise ServerTrouble("Exim is not unpacked: tools/install_real.sh does that")
    with server_folder() as folder:
        authority, certificate = certificates(folder)
        starttls_port, tls_port = free_ports(2)
        # Copied, so that Exim's user can reach them wherever the repository lies.
        for file in (binary, wrapper):
            shutil.copy(file, folder / file.name)
        config = _write_exim(folder, certificate, starttls_port, tls_port)
        command = [str(folder / "exim4"), "-C", str(config), "-bdf"]
        log = folder / "log" / "main"
        with running(command, folder, log, lambda: greets(starttls_port), environment=_exim_environment(folder)):
            yield MailServer(
                starttls_port=starttls_port,
                tls_port=tls_port,
                ca_file=authority.file,
                log=log,
                mail=folder / "mail",
                session_end=re.compile(r"SMTP connection from .* (?:closed|lost)"),
                sign_in=re.compile(r"AUTH is being tried"),
            )


@contextlib.contextmanager
def server_folder() -> Iterator[Path]:
    """Make a folder that the servers' own users can enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="smtp-wizard-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def certificates(folder: Path) -> tuple[Authority, CertificateFiles]:
    authority = Authority(folder / "certificates")
    return authority, authority.issue(NAME, HOST)


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SBIN}")
    if found is None:
        raise ServerTrouble(f"{name} is not installed: tools/install_real.sh does that")
    return found


def greets(port: int) -> bool:
    """Return whether an SMTP server greets on a port."""
    try:
        with socket.create_connection((HOST, port), timeout=2) as connection:
            greeting = connection.recv(512)
            connection.sendall(b"QUIT\r\n")
            connection.recv(512)
            return greeting.startswith(b"220 ")
    except OSError:
        return False


@contextlib.contextmanager
def running(
    command: list[str],
    folder: Path,
    log: Path,
    ready: Callable[[], bool],
    environment: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the foreground of a session of its own until the block is left; then end all of that session."""
    output = folder / f"{Path(command[0]).name}.output"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=environment or {"PATH": f"/usr/bin:/bin:{SBIN}", "LANG": "C.UTF-8"},
        )

    def words() -> str:
        files = [file for file in (output, log) if file.exists()]
        return "\n".join(file.read_text("utf-8", "replace") for file in files)[-4000:]

    def ready_or_dead() -> bool:
        return ready() or process.poll() is not None

    try:
        try:
            wait_until(ready_or_dead, " ".join(command))
        except ServerTrouble as trouble:
            raise ServerTrouble(f"{trouble}\n{words()}") from None
        if process.poll() is not None:
            raise ServerTrouble(f"{' '.join(command)} ended with {process.returncode}\n{words()}")
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a server to end, then make sure that nothing of its session goes on."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


# --- Dovecot: only its sign-in service ---


@contextlib.contextmanager
def _run_dovecot(folder: Path) -> Iterator[None]:
    """Run Dovecot's sign-in service with PLAIN and LOGIN on the socket `folder`/auth."""
    write_users(folder)
    with run_dovecot(folder, DOVECOT_2_3 if dovecot_version().startswith("2.3.") else DOVECOT_2_4):
        yield


def dovecot_version() -> str:
    """Return the version of Dovecot. Raises `ServerTrouble` when it is not installed."""
    return subprocess.run([program("dovecot"), "--version"], capture_output=True, text=True, check=True).stdout


def write_users(folder: Path) -> None:
    """Write the list `folder`/users: everybody who has a mailbox, by both names."""
    users = folder / "users"
    users.write_text("".join(f"{name}:{{PLAIN}}{password}\n" for name, password in PASSWORDS.items()), "utf-8")
    users.chmod(0o644)


@contextlib.contextmanager
def run_dovecot(folder: Path, settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Dovecot's sign-in service with these settings, in which FOLDER is `folder`, on the socket `folder`/auth."""
    config = folder / "dovecot.conf"
    config.write_text((settings + DOVECOT).replace("FOLDER", str(folder)), "utf-8")
    command = [program("dovecot"), "-F", "-c", str(config)]
    with running(command, folder, folder / "dovecot.log", (folder / "auth").is_socket) as process:
        yield process


DOVECOT = """\
protocols =
ssl = no
base_dir = FOLDER/dovecot
log_path = FOLDER/dovecot.log
auth_failure_delay = 0
service auth {
  unix_listener FOLDER/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""

DOVECOT_2_3 = """\
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = username_format=%u FOLDER/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}
"""

DOVECOT_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_mechanisms = plain login
passdb passwd-file {
  passwd_file_path = FOLDER/users
}
userdb static {
  fields {
    uid = nobody
    gid = nogroup
    home = /nonexistent
  }
}
"""


# --- Postfix ---

SESSION_BEGIN = re.compile(r"smtpd\[\d+\]: connect from ")
SESSION_END = re.compile(r"smtpd\[\d+\]: disconnect from ")
SIGN_IN = re.compile(r"disconnect from .* auth=(?:\d+/)?(\d+)")


@contextlib.contextmanager
def ending_master(pid_file: Path) -> Iterator[None]:
    """End Postfix's master when the block is left. It leads a session of its own, so its starter cannot be asked to."""
    pid = int(pid_file.read_text("ascii"))
    try:
        yield
    finally:
        os.kill(pid, signal.SIGTERM)


def services(starttls_port: int, tls_port: int, *options: str) -> str:
    """The lines of master.cf for a port that wants STARTTLS and one that speaks TLS at once, with options for both."""
    more = "".join(f"  -o {option}\n" for option in options)
    entry = "{host}:{port}  inet  n  -  n  -  -  smtpd\n  -o {security}\n{more}"
    return entry.format(
        host=HOST, port=starttls_port, security="smtpd_tls_security_level=encrypt", more=more
    ) + entry.format(host=HOST, port=tls_port, security="smtpd_tls_wrappermode=yes", more=more)


def write_postfix(folder: Path, certificate: CertificateFiles, ports: str) -> Path:
    """Write Postfix's configuration, with these `services`, and make its folders; return the configuration's folder."""
    config, queue, data, mail = (folder / name for name in ("postfix", "queue", "postfix-data", "mail"))
    for made in (config, queue, data, mail):
        made.mkdir()
    mailbox_owner = pwd.getpwnam("nobody")
    os.chown(mail, mailbox_owner.pw_uid, mailbox_owner.pw_gid)
    os.chown(data, pwd.getpwnam("postfix").pw_uid, -1)
    values = {
        "FOLDER": str(folder),
        "KEY": str(certificate.key),
        "CHAIN": str(certificate.chain),
        "OWNERS": ", ".join(f"{{ {each.address} = {each.username}, {each.address} }}" for each in LOGINS),
        "MAILBOXES": ", ".join(f"{address}={address.partition('@')[0]}/" for address in MAILBOXES),
        "UID": str(mailbox_owner.pw_uid),
        "GID": str(mailbox_owner.pw_gid),
    }
    main = POSTFIX_MAIN
    for name, value in values.items():
        main = re.sub(rf"\b{name}\b", value, main)
    (config / "main.cf").write_text(main, "utf-8")
    (config / "master.cf").write_text(ports + POSTFIX_MASTER, "utf-8")
    return config


POSTFIX_MAIN = f"""\
compatibility_level = 3.6
queue_directory = FOLDER/queue
data_directory = FOLDER/postfix-data
maillog_file = FOLDER/postfix.log
maillog_file_prefixes = FOLDER
myhostname = mail.{DOMAIN}
mydestination =
mynetworks =
inet_interfaces = {HOST}
inet_protocols = ipv4
smtpd_peername_lookup = no
disable_dns_lookups = yes
default_transport = error:5.7.1 nothing leaves this server
relay_transport = error:5.7.1 nothing leaves this server
local_transport = error:5.1.1 no local mailboxes
alias_maps =
local_recipient_maps =
biff = no
message_size_limit = {SIZE_LIMIT}

smtpd_tls_chain_files = KEY, CHAIN
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = FOLDER/auth
smtpd_sender_login_maps = inline:{{ OWNERS }}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{
    {{ {FULL_RECIPIENT} = 452 4.2.2 The mailbox is full }}
    {{ {GREYLISTED_RECIPIENT} = 450 4.2.0 Greylisted, please try again in 5 minutes }} }}
smtpd_error_sleep_time = 0

virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = inline:{{ MAILBOXES, {FULL_RECIPIENT}=full/, {GREYLISTED_RECIPIENT}=grey/ }}
virtual_mailbox_base = FOLDER/mail
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
"""

POSTFIX_MASTER = """\
pickup    unix  n  -  n  60    1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
showq     unix  n  -  n  -     -  showq
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
virtual   unix  -  n  n  -     -  virtual
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
postlog   unix-dgram n - n -   1  postlogd
"""


# --- Exim ---

EXIM_USER = "Debian-exim"
EXIM_ID = 64_999
"""Of a user who exists only for Exim, in a copy of the list of users that is shown to it."""


def _exim_environment(folder: Path) -> dict[str, str]:
    """Show Exim lists of users and groups in which the user stands that it was built to run as."""
    for name, entry in (
        ("passwd", f"{EXIM_USER}:x:{EXIM_ID}:{EXIM_ID}::/nonexistent:/usr/sbin/nologin\n"),
        ("group", f"{EXIM_USER}:x:{EXIM_ID}:\n"),
    ):
        # First, so that it counts even on a machine where Exim is installed and has its user already.
        (folder / name).write_text(entry + Path("/etc", name).read_text("utf-8"), "utf-8")
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LD_PRELOAD": str(folder / "libnss_wrapper.so"),
        "NSS_WRAPPER_PASSWD": str(folder / "passwd"),
        "NSS_WRAPPER_GROUP": str(folder / "group"),
    }


def _write_exim(folder: Path, certificate: CertificateFiles, starttls_port: int, tls_port: int) -> Path:
    """Write Exim's configuration and lists and make its folders; return the configuration."""
    for name in ("spool", "log", "mail"):
        (folder / name).mkdir()
        os.chown(folder / name, EXIM_ID, EXIM_ID)
    os.chown(certificate.key, EXIM_ID, EXIM_ID)
    (folder / "passwords").write_text("".join(f"{name}: {password}\n" for name, password in PASSWORDS.items()), "utf-8")
    local_parts = [address.partition("@")[0] for address in MAILBOXES]
    (folder / "mailboxes").write_text("".join(f"{each}: {each}\n" for each in local_parts), "utf-8")
    values = {
        "FOLDER": str(folder),
        "KEY": str(certificate.key),
        "CHAIN": str(certificate.chain),
        "STARTTLS_PORT": str(starttls_port),
        "TLS_PORT": str(tls_port),
    }
    text = EXIM
    for name, value in values.items():
        text = re.sub(rf"\b{name}\b", value, text)
    config = folder / "exim.conf"
    config.write_text(text, "utf-8")
    return config


EXIM = f"""\
primary_hostname = mail.{DOMAIN}
domainlist local_domains = {DOMAIN}
exim_path = FOLDER/exim4
spool_directory = FOLDER/spool
log_file_path = FOLDER/log/%s
pid_file_path = FOLDER/exim.pid
log_selector = +smtp_connection
keep_environment = LD_PRELOAD : ^NSS_WRAPPER_
deliver_drop_privilege = true
local_interfaces = {HOST}
daemon_smtp_ports = STARTTLS_PORT : TLS_PORT
tls_on_connect_ports = TLS_PORT
tls_advertise_hosts = *
tls_certificate = CHAIN
tls_privatekey = KEY
auth_advertise_hosts = ${{if def:tls_in_cipher {{*}}}}
acl_smtp_auth = acl_auth
acl_smtp_rcpt = acl_rcpt
message_size_limit = {SIZE_LIMIT}
check_spool_space = 0
rfc1413_hosts =

begin acl

acl_auth:
  accept
    logwrite = AUTH is being tried

acl_rcpt:
  require
    message = authentication required
    authenticated = *
  require
    message = relay not permitted
    domains = +local_domains
  require
    verify = recipient
  accept

begin routers

mailbox:
  driver = accept
  domains = +local_domains
  local_parts = lsearch;FOLDER/mailboxes
  transport = maildir

begin transports

maildir:
  driver = appendfile
  directory = FOLDER/mail/$local_part_data
  maildir_format
  create_directory

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{FOLDER/passwords}}{{$value}}fail}}}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if eq{{$auth2}}{{${{lookup{{$auth1}}lsearch{{FOLDER/passwords}}{{$value}}fail}}}}}}
  server_set_id = $auth1
"""
