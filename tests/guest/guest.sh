# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the tests that run whole machines.  Source it after tests/tap.sh.

machines=$PARAVANE_SRC/guests/machines

# guest_needs FILE... - skip everything unless the program and these files are there.
guest_needs() {
    local file
    [ -x "$PARAVANE" ] || tap_skip_all "the program paravane is not built"
    for file in "$@"; do
        [ -e "$file" ] || tap_skip_all "${file#"$PARAVANE_SRC"/} is not there: run tools/fetch-guests"
    done
}

guest_needs_real() {
    local real=$PARAVANE_SRC/guests/real
    guest_needs "$real/xen.gz" "$real/vmlinuz" "$real/initramfs.cpio.gz"
}

# guest_run NAME ARGUMENT... - run a machine; leaves NAME.console, NAME.messages and
# NAME.json in $tap_dir and the exit status in $guest_status.
guest_run() {
    local name=$1
    shift
    "$PARAVANE" run --summary "$tap_dir/$name.json" "$@" \
        >"$tap_dir/$name.console" 2>"$tap_dir/$name.messages" </dev/null
    guest_status=$?
}

# guest_value NAME KEY - a value of NAME's summary: the first with this key.
guest_value() {
    sed -n 's/^.*"'"$2"'" *: *"\{0,1\}\([^",}]*\).*$/\1/p' "$tap_dir/$1.json" | head -n 1
}

# guest_says NAME CLAIM TEXT - the console holds a line with TEXT.
guest_says() {
    if grep -qaF -- "$3" "$tap_dir/$1.console"; then
        tap_result 0 "$2"
    else
        tap_result 1 "$2" "no line with: $3" "the console ended:" "$(tail -n 5 "$tap_dir/$1.console")" \
            "messages:" "$(tail -n 5 "$tap_dir/$1.messages")"
    fi
}

# guest_same CLAIM ONE TWO - two runs did the same.
guest_same() {
    local key one= two=
    for key in insns blocks virtual_ns state_hash console_hash stop_reason; do
        one="$one$key $(guest_value "$2" $key) "
        two="$two$key $(guest_value "$3" $key) "
    done
    tap_equal "$1" "$one" "$two"
}
