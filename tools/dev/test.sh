# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
#
# Part of ./dev: the tests in parts, of which none stops the others, and the closing line over all of them.

results=$root/build/test # a JUnit file for each part; lost: parts that broke; absent: parts that had no tools

run_tests() {
    rm -rf "$results"
    mkdir -p "$results"
    if can_build; then
        ctest_part dev
        ctest_part release
    else
        absent "the C tests: cmake or a C compiler is missing"
    fi
    local folder
    if package; then
        for folder in python/tests tests/interop tests/cli tests/examples tools; do
            if [ -d "$root/$folder" ]; then pytest_part "$folder"; fi
        done
    elif python_has_venv && python_has_headers; then
        lost "the Python tests: the package was not built"
    else
        absent "the Python tests: python3-venv or python3-dev is missing"
    fi
    closing_line
}

lost() { say "FAILED: $*"; echo "$*" >>"$results/lost"; }
absent() { say "SKIPPED: $*"; echo "$*" >>"$results/absent"; }
lines_of() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }

ctest_part() {
    if ! build "$1"; then
        lost "the $1 preset does not build"
        return 0
    fi
    say "testing: ctest, $1"
    # What a test printed is kept whole: the closing line counts the tests inside a cmocka program.
    in_root ctest --preset "$1" --output-junit "$results/ctest-$1.xml" \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000 || true
    [ -s "$results/ctest-$1.xml" ] || lost "ctest, $1: no result"
}

pytest_part() {
    local name=${1//\//-} status=0
    say "testing: $1"
    PATH=$root/build/release:$PATH DRYSTONE_COMMAND=$(command_path) \
        in_root timeout 1200 "$venv/bin/python" -m pytest -q -rs -p no:cacheprovider -o faulthandler_timeout=300 \
        --junitxml="$results/pytest-$name.xml" "$1" || status=$?
    case $status in
    0 | 1 | 5) ;; # 1: tests failed, which the JUnit file says; 5: no tests in this folder
    *) lost "pytest $1 ended with $status" ;;
    esac
}

closing_line() {
    local passed failed skipped
    read -r passed failed skipped < <(
        find "$results" -name '*.xml' -exec cat {} + | awk -f "$root/tools/dev/tally.awk"
    )
    failed=$((failed + $(lines_of "$results/lost")))
    skipped=$((skipped + $(lines_of "$results/absent")))
    if [ -e "$results/lost" ]; then say "lost:" "$(cat "$results/lost")"; fi
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
