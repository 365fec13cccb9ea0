# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests of events.  Source it after tests/tap.sh and tests/guest/guest.sh.

check_events=$PARAVANE_BUILD/tests/traces/check_events
xen_symbols=$PARAVANE_SRC/guests/real/xen-syms
xen_profile=$PARAVANE_SRC/traces/profiles/xen-4.17-debian12.profile

# trace_needs - skip everything unless the checker is built and Xen's symbols are there.
trace_needs() {
    guest_needs_real
    guest_needs "$xen_symbols"
    [ -x "$check_events" ] || tap_skip_all "tests/traces/check_events is not built"
}

# trace_check NAME ARGUMENT... - run check_events; its words are in $tap_dir/NAME.events.
trace_check() {
    local name=$1
    shift
    "$check_events" --symbols "$xen_symbols" "$@" >"$tap_dir/$name.events" \
        2>"$tap_dir/$name.errors" </dev/null
}

# trace_value NAME KEY
trace_value() {
    sed -n "s/^$2 //p" "$tap_dir/$1.events" | tail -n 1
}

# trace_good NAME WHAT - nothing was wrong, and there was something.
trace_good() {
    local wrong
    wrong=$(grep '^wrong' "$tap_dir/$1.events"; cat "$tap_dir/$1.errors")
    tap_equal "$2: events are true" "wrong 0" "$wrong"
    tap_equal "$2: nothing that events are made of was unreadable" 0 "$(trace_value "$1" unreadable)"
    tap_check "$2: there are hypercalls" test "$(trace_value "$1" hypercalls)" -gt 0
}

# trace_same NAME - the run that $tap_dir/NAME.json is of and the traced one are the same.
trace_same() {
    local key one= two=
    for key in insns state_hash; do
        one="$one$key $(guest_value "$1" $key) "
        two="$two$key $(trace_value "$1" $key) "
    done
    tap_equal "$2: a traced run is the same" "$one" "$two"
}
