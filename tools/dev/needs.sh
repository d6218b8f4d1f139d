# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# Part of ./dev: what must be there, and how to get it. Each line: Debian package, and a probe that succeeds when what
# it brings is there (so that another way of having it counts too).

needs_build() {
    cat <<'LINES'
gcc              have gcc
libc6-dev        test -e /usr/include/stdio.h
cmake            have cmake
ninja-build      have ninja
pkg-config       have pkg-config
libcmocka-dev    pkg_has cmocka
liblz4-dev       pkg_has liblz4
libzstd-dev      pkg_has libzstd
libsmartcols-dev pkg_has smartcols
scdoc            have scdoc
LINES
}

needs_python() {
    cat <<'LINES'
python3          python_is_new
python3-venv     python_has_venv
python3-dev      python_has_headers
LINES
}

# Shells whose completions are tried.
needs_test() {
    cat <<'LINES'
zsh              have zsh
fish             have fish
LINES
}

needs_lint() {
    cat <<'LINES'
shellcheck       have shellcheck
codespell        have codespell
LINES
}

needs_fuzz() {
    cat <<'LINES'
clang-19           have clang-19
libclang-rt-19-dev test -e /usr/lib/llvm-19/lib/clang/19/lib/linux
LINES
}

needs_long() {
    cat <<'LINES'
valgrind         have valgrind
LINES
}

pkg_has() { have pkg-config && pkg-config --exists "$1"; }

# The system's Python, also when another one (pyenv, conda) comes first in PATH; one that is new enough.
system_python() {
    local python
    for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
    return 1
}
python_is_new() { system_python >/dev/null; }
python_has_venv() { "$(system_python)" -c 'import ensurepip, venv' 2>/dev/null; }
python_has_headers() {
    "$(system_python)" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' 2>/dev/null
}

missing_packages() {
    local group package probe
    for group in "$@"; do
        while read -r package probe; do
            # The probe is a command with its words.
            # shellcheck disable=SC2086
            $probe >/dev/null 2>&1 || printf '%s ' "$package"
        done < <("needs_$group")
    done
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    if [ -z "$(find "$logs" -name apt-updated -mmin -600)" ]; then # the lists of packages, once
        "${apt[@]}" update && touch "$logs/apt-updated"
    fi
    "${apt[@]}" install --no-install-recommends "$@"
}

# install_needs GROUP...: with root installs what is missing, else says what to ask for. Goes on in every case: a part
# that lacks something says so itself.
install_needs() {
    local missing
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    # One word each.
    # shellcheck disable=SC2086
    set -- $missing
    if [ "$(id -u)" -eq 0 ] && have apt-get; then
        say "installing: $*"
        quietly "apt" apt_install "$@" || say "going on without"
    else
        say "missing; as root:  apt-get install $*"
        say "going on with what is there"
    fi
}
