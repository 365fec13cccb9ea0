# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for script tests.  Source it, state each claim with one of the functions,
# end with tap_done:
#
#     . "$PARAVANE_SRC/tests/tap.sh"
#     tap_check "the version is printed" "$PARAVANE" --version
#     tap_done
#
# $tap_dir is an empty folder that is removed at the end.  Needs bash.

: "${PARAVANE_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}"
: "${PARAVANE_BUILD:=$PARAVANE_SRC}"
: "${PARAVANE:=$PARAVANE_BUILD/paravane}"

tap_count=0
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/paravane-test.XXXXXX")
trap 'rm -rf "$tap_dir"' EXIT

# tap_result STATUS CLAIM [DETAIL...] - status 0 is a pass; details go to a diagnostic.
tap_result() {
    local status=$1 claim=$2
    shift 2
    tap_count=$((tap_count + 1))
    if [ "$status" -eq 0 ]; then
        echo "ok $tap_count - $claim"
    else
        echo "not ok $tap_count - $claim"
        [ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/# /'
    fi
}

# tap_check CLAIM COMMAND... - passes when the command succeeds; its output is
# the diagnostic when it does not.
tap_check() {
    local claim=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    if [ "$status" -eq 0 ]; then
        tap_result 0 "$claim"
    else
        tap_result 1 "$claim" "status $status of: $*" "$output"
    fi
}

# tap_equal CLAIM WANTED GOT
tap_equal() {
    if [ "$2" = "$3" ]; then
        tap_result 0 "$1"
    else
        tap_result 1 "$1" "wanted: $2" "got:    $3"
    fi
}

# tap_empty CLAIM TEXT - passes when TEXT, a list of offenders, is empty.
tap_empty() {
    if [ -z "$2" ]; then
        tap_result 0 "$1"
    else
        tap_result 1 "$1" "$2"
    fi
}

# tap_skip CLAIM REASON
tap_skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# tap_skip_all REASON - before any claim: nothing here can run.
tap_skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

tap_done() {
    echo "1..$tap_count"
    exit 0
}
