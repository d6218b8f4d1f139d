#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# models/pool/run.sh [OPS]: the models of pool/. Each runs as it is (and must be clean) and with every planted bug (and
# must find it). slot.pml: the protocol, with peers that die (spin). loom/: the real C, with every order of its atomics
# that the memory model allows (loom). What is not installed is skipped, and said. OPS: operations of a peer, 4; 5 takes
# a minute. Builds in a temporary directory, or in $DRYSTONE_MODELS if that is set.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
ops=${1:-4}
if [ -n "${DRYSTONE_MODELS:-}" ]; then
    out=$DRYSTONE_MODELS
    mkdir -p "$out"
else
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
fi
failed=0

say() { printf 'models: %s\n' "$*"; }
# verdict WANTED FOUND WHAT: both are "clean" or "fault".
verdict() {
    if [ "$1" = "$2" ]; then say "ok: $3: $2"; else say "FAILED: $3: $2, not $1"; failed=1; fi
}

# spin_says DEFINES...
spin_says() {
    local result
    (cd "$out" && spin -a -DOPS="$ops" "$@" "$here/slot.pml" >spin.log 2>&1 &&
        cc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c) || { echo broken; return; }
    result=$(cd "$out" && ./pan -m100000 2>&1) || true
    case $result in
    *"max search depth too small"*) echo "too deep" ;;
    *"errors: 0"*) echo clean ;;
    *"errors: "*) echo fault ;;
    *) echo broken ;;
    esac
}

if command -v spin >/dev/null && command -v cc >/dev/null; then
    verdict clean "$(spin_says)" "spin, the protocol, $ops operations"
    for bug in TWO_STEPS NO_VERSION HINT_FIRST JOIN_BY_LOOK WORD_FIRST NO_MENDING STEAL CACHE_KEPT \
        RETURN_HINT_FIRST; do
        verdict fault "$(spin_says "-DBUG_$bug")" "spin, planted $bug"
    done
else
    say "SKIPPED: spin: there is no spin, or no cc"
fi

# loom_says PLANTED
loom_says() {
    (cd "$here/loom" && PLANT=$1 CARGO_TARGET_DIR=$out/loom cargo build --release --locked --quiet) >"$out/loom.log" 2>&1 ||
        { cat "$out/loom.log" >&2; echo broken; return; }
    if "$out/loom/release/pool-loom" >"$out/loom-$1.log" 2>&1; then echo clean; else echo fault; fi
}

if command -v cargo >/dev/null; then
    verdict clean "$(loom_says none)" "loom, the C code"
    cat "$out/loom-none.log"
    for bug in word_relaxed store_relaxed hint_relaxed reader_relaxed leave_without_step return_hint_first; do
        verdict fault "$(loom_says "$bug")" "loom, planted $bug"
    done
else
    say "SKIPPED: loom: there is no cargo"
fi
exit "$failed"
