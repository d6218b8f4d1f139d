# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# Part of ./dev: lint, docs, fuzz, long. Each step says what it is; a failing one does not stop the others.

failures=0
# step COMMAND...: runs it in the checkout and counts it if it fails; steps_end answers for all of them.
step() {
    say "checking: $*"
    in_root "$@" || failures=$((failures + 1))
}
# step_with TOOL COMMAND...: the same, or a word that it is skipped.
step_with() {
    if have "$1"; then step "${@:2}"; else say "SKIPPED: ${*:2}: there is no $1"; fi
}
# step_if_able COMMAND...: the same, where exit code 77 says that something it needs is missing.
step_if_able() {
    local status=0
    say "checking: $*"
    in_root "$@" || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || failures=$((failures + 1))
}
steps_end() { [ "$failures" -eq 0 ] || { say "$failures failed"; return 1; }; }

lint() {
    step_with python3 tools/layers
    step_with python3 tools/orders
    step_with python3 tools/rules
    step_with python3 tools/shape
    step_with python3 tools/links
    step_with shellcheck lint_shell
    step_with codespell codespell --quiet-level=2 --ignore-words-list=nd,deques,whos,iif,crate,fro \
        --skip='./.git,./build,./.venv,./fuzz/corpus' .
    step_with python3 compile_python
    steps_end
}

lint_shell() { shellcheck --external-sources --check-sourced dev && shellcheck .ci/run tests/outside/*.sh; }

# Looks at every Python file's syntax and leaves nothing behind.
compile_python() {
    find python tests tools bench examples fuzz docs -name '*.py' -print0 | xargs -0 -r python3 -c 'import ast, sys
for path in sys.argv[1:]: ast.parse(open(path, encoding="utf-8").read(), path)'
}

docs() {
    step python3 tools/links
    say "man pages:"
    find "$root/build/release/man" -type f | sort
    steps_end
}

fuzz() {
    build fuzz || return 1
    local fuzzer name folders
    for fuzzer in "$root"/build/fuzz/fuzz/*_fuzz; do
        name=$(basename "$fuzzer" _fuzz)
        folders=("$root/build/fuzz/corpus/$name") # takes what is found
        mkdir -p "${folders[0]}"
        if [ -d "$root/fuzz/corpus/$name" ]; then folders+=("$root/fuzz/corpus/$name"); fi # the seeds of the tree
        step "$fuzzer" -max_total_time="$1" -timeout=25 -rss_limit_mb=4096 -print_final_stats=1 -verbosity=0 \
            -artifact_prefix="$root/build/fuzz/$name-" "${folders[@]}"
    done
    steps_end
}

long() {
    step "$root/dev" build tsan
    step ctest --preset tsan
    step plain_tests clang "$(newest_clang)"
    step plain_tests gcc gcc
    step_with valgrind valgrind_tests
    DRY_LONG=1 step ctest --test-dir build/gcc --output-on-failure # the random walks, storms and kills at full length
    step_if_able models/run.sh
    step_if_able models/pool/run.sh
    fuzz 600
}

# plain_tests NAME COMPILER: the tests without a sanitizer, all assertions on, in build/NAME.
plain_tests() {
    cmake -S . -B "build/$1" -G Ninja -D "CMAKE_C_COMPILER=$2" -D CMAKE_BUILD_TYPE=Debug -D DRY_TESTS=ON \
        -D DRY_DEBUG=2 && cmake --build "build/$1" && ctest --test-dir "build/$1" --output-on-failure -j "$(nproc)"
}

# Tests of one process; gcc's, since valgrind 3.19 cannot read what clang 19 writes for debuggers.
valgrind_tests() {
    ctest --test-dir build/gcc --output-on-failure -j "$(nproc)" -E '^(tests_|install|outside|exported)|_fuzz$' \
        -T memcheck --overwrite MemoryCheckSuppressionFile="$root/tools/dev/valgrind.supp" \
        --overwrite MemoryCheckCommandOptions="-q --leak-check=full --error-exitcode=9"
}
