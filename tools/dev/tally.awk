# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Adds up JUnit files of ctest and pytest: prints "PASSED FAILED SKIPPED". A cmocka program counts with its own tests
# (its closing lines stand in its output) unless it died before it could say; any other ctest entry counts as one.
BEGIN { RS = "<" }

function attribute(name) {
    return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : ""
}

function closing(word) { # the number in "[  WORD  ] N test(s)", the last one in this text
    if (!match($0, "\\[  " word " *\\] [0-9]+ test\\(s\\)")) return 0
    split(substr($0, RSTART, RLENGTH), part, "] ")
    return part[2] + 0
}

/^testsuite / && attribute("name") == "pytest" {
    bad = attribute("failures") + attribute("errors")
    failed += bad
    skipped += attribute("skipped")
    passed += attribute("tests") - bad - attribute("skipped")
    pytest = 1
}
/^\/testsuite>/ { pytest = 0 }

pytest { next }
/^testcase / { status = attribute("status"); good = bad = left = 0 }
/^system-out/ { good = closing("PASSED"); bad = closing("FAILED"); left = closing("SKIPPED") }
/^\/testcase>/ {
    if (status == "run" && good + bad + left == 0) good = 1
    if (status == "fail" && bad == 0) bad = 1
    if (status != "run" && status != "fail") left = 1
    passed += good; failed += bad; skipped += left
}
END { print passed + 0, failed + 0, skipped + 0 }
