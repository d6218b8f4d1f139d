# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# Part of ./dev: words for people, quiet steps with a log file, one of us at a time. $root is the checkout.

logs=$root/build/log

# All words of ./dev itself go to stderr: stdout belongs to the programs that it runs.
say() { printf '%s\n' "$*" >&2; }

have() { command -v "$1" >/dev/null 2>&1; }

in_root() { (cd "$root" && "$@"); }

# quietly NAME COMMAND...: output goes to a log file, of which the end is shown if the command fails.
quietly() {
    local log=$logs/$1.log
    shift
    mkdir -p "$logs"
    if ! (cd "$root" && "$@") >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        say "failed: $*"
        say "all of it: $log"
        return 1
    fi
}

# one_at_a_time NAME COMMAND...: two ./dev of one checkout do not build the same thing at once.
one_at_a_time() {
    local lock=$root/build/.lock-$1
    shift
    mkdir -p "$root/build"
    (flock 9 && "$@") 9>"$lock"
}
