#!/usr/bin/env bash
# Install what the tests against real servers need, on Debian or Ubuntu, as root. Does nothing when all of it is there.
#
# Postfix, Dovecot, Unbound, gnome-keyring, tmux, sshd, Node.js, pass, GnuPG and age come as packages; none of them is started or left to start at boot, and
# nothing that is installed already is removed or reconfigured. Exim would displace Postfix (both are 'the' mail server
# of a Debian machine), so its package is only unpacked, into .make/exim, with a library that lends it the user it asks
# for. The OAuth server comes from npm, as its lock file says, into .make/oidc.
set -euo pipefail
cd "$(dirname "$0")/.."
exim=.make/exim
oidc=.make/oidc
oidc_lock=tests/realservers/oidc/package-lock.json
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH="$PATH:/usr/sbin:/sbin:/usr/lib/dovecot"

# program:package
programs=(
    postfix:postfix
    dovecot:dovecot-core
    imap:dovecot-imapd
    dbus-run-session:dbus-daemon
    gnome-keyring-daemon:gnome-keyring
    tmux:tmux
    sshd:openssh-server
    node:nodejs
    npm:npm
    unbound:unbound
    pass:pass
    gpg:gnupg
    age:age
    ip:iproute2
    ansible-playbook:ansible-core
    man:man-db
    systemd-analyze:systemd
    zsh:zsh
    fish:fish
)

say() { echo "install_real.sh: $*" >&2; }

missing_packages() {
    local entry
    for entry in "${programs[@]}"; do
        command -v "${entry%%:*}" >/dev/null || echo "${entry##*:}"
    done
}

exim_ready() {
    [ -x $exim/exim4 ] && [ -f $exim/libnss_wrapper.so ] && ! ldd $exim/exim4 | grep -q 'not found'
}

oidc_ready() {
    [ -d $oidc/node_modules/oidc-provider ] && cmp -s $oidc_lock $oidc/package-lock.json
}

# The lock file says no addresses, so npm asks the registry that it is set up to ask, and checks what it gets.
install_oidc() {
    rm -rf $oidc
    mkdir -p $oidc
    cp tests/realservers/oidc/package.json $oidc_lock $oidc/
    if ! npm ci --prefix $oidc --omit=dev --ignore-scripts --no-audit --no-fund >$oidc/npm.log 2>&1; then
        cat $oidc/npm.log >&2
        rm -rf $oidc
        say 'could not install the OAuth server of the tests with npm.'
        exit 1
    fi
}

require_apt() {
    if ! command -v apt-get >/dev/null; then
        say 'the real servers are installed from Debian or Ubuntu packages, and this is neither.'
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say 'installing the real servers needs root.'
        exit 1
    fi
}

# --no-remove: a mail server that a person runs on this machine is never displaced.
install_packages() {
    apt-get -qq install --yes --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confold "$@" >.make/apt.log 2>&1 && return
    cat .make/apt.log >&2
    say "could not install: $*. (If another mail server is installed here, it was left as it is.)"
    exit 1
}

# While packages are installed, Debian asks this file before it starts a service. The one that was there comes back, also
# after a run that was killed in between.
policy=/usr/sbin/policy-rc.d
kept=$policy.before-smtp-wizard
forbid_services() {
    if [ -e $policy ] && ! grep -q 'for smtp-wizard' $policy; then
        mv $policy $kept
    fi
    trap allow_services EXIT
    printf '#!/bin/sh\n# for smtp-wizard, while it installs packages\nexit 101\n' >$policy
    chmod 755 $policy
}

allow_services() {
    rm -f $policy
    if [ -e $kept ]; then
        mv $kept $policy
    fi
}

# Only packages that were not here a moment ago come to this: their services shall not start at the next boot either.
leave_disabled() {
    local package
    command -v systemctl >/dev/null || return 0
    for package in "$@"; do
        case $package in
            postfix) systemctl disable postfix.service >/dev/null 2>&1 || true ;;
            openssh-server) systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true ;;
            unbound) systemctl disable unbound.service unbound-resolvconf.service >/dev/null 2>&1 || true ;;
            dovecot-core) systemctl disable dovecot.service dovecot.socket >/dev/null 2>&1 || true ;;
        esac
    done
}

unpack_exim() {
    local folder package libraries
    folder=$(mktemp -d .make/exim.XXXXXX)
    for package in exim4-daemon-light libnss-wrapper; do
        (cd "$folder" && apt-get -qq download $package 2>/dev/null)
    done
    for package in "$folder"/*.deb; do
        dpkg -x "$package" "$folder"
    done
    mapfile -t libraries < <(dpkg-deb -f "$folder"/exim4-daemon-light_*.deb Depends |
        tr ',' '\n' | sed -E 's/[(|:].*//; s/ //g' | grep '^lib')
    install_packages "${libraries[@]}"
    rm -rf $exim
    mkdir $exim
    # Not setuid root as it was in the package: the tests start it as root, and the wrapper is not for setuid programs.
    install -m 755 "$folder"/usr/sbin/exim4 $exim/exim4
    install -m 644 "$(find "$folder/usr/lib" -name 'libnss_wrapper.so' | head -n 1)" $exim/libnss_wrapper.so
    rm -rf "$folder"
}

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} = 0 ] && exim_ready; then
    oidc_ready || install_oidc
    exit 0
fi

require_apt
say 'installing what the real servers need: a minute or two, once.'
apt-get -qq update || say 'some package lists could not be renewed; going on with those at hand.'
mkdir -p .make
forbid_services
if [ ${#packages[@]} != 0 ]; then
    if [[ " ${packages[*]} " == *' postfix '* ]]; then
        echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
    fi
    install_packages "${packages[@]}"
    leave_disabled "${packages[@]}"
fi
exim_ready || unpack_exim

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} != 0 ] || ! exim_ready; then
    say "still missing: ${packages[*]:-} $(exim_ready || echo exim)"
    exit 1
fi
oidc_ready || install_oidc
