#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# With a terminal the guest's console is interactive; and however the run ends, the
# terminal is as it was.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
. "$PARAVANE_SRC/tests/guest/small.sh"
guest_needs
command -v expect >/dev/null || tap_skip_all "expect is not installed: run tools/setup"
small_guest ECHO
small_guest SPIN
ulimit -c 0

# in_terminal ACTIONS [GUEST] - the guest (ECHO), started from a shell in a terminal of its own.
# ACTIONS is what the user does, in expect's language: `modes FILE` notes the terminal's
# modes, `signal NAME` signals the program.  Leaves the modes in before, during and after,
# the exit status in status, and everything that was on the screen in screen.
in_terminal() {
    local elf=$tap_dir/${2:-ECHO}.elf
    rm -f "$tap_dir"/{before,during,after,status}
    cat >"$tap_dir/actions" <<END
set timeout 20
set stty_init sane
spawn -noecho sh
proc modes {file} { global spawn_out; exec stty -g <\$spawn_out(slave,name) >$tap_dir/\$file }
proc modes_when {file condition} {
    for {set i 0} {\$i < 100} {incr i} { modes \$file; if "\$condition" break; sleep 0.1 }
}
proc text {file} { set f [open $tap_dir/\$file]; set all [read \$f]; close \$f; return \$all }
proc signal {name} { exec kill -s \$name [exec pgrep -n -f "run.*boot.kernel=$elf"] }
send "PS1='rea''dy> '\r"
expect "ready> "
send "stty -g >'$tap_dir/before'\r"
expect "ready> "
send "'$PARAVANE' run '$machines/bare.machine' --set 'boot.kernel=$elf'\r"
expect "small guest"
modes_when during {[text during] ne [text before]}
$1
expect "ready> "
send "echo \\\$? >'$tap_dir/status'; stty -g >'$tap_dir/after'\r"
expect "ready> "
send "exit\r"
expect eof
END
    expect -f "$tap_dir/actions" >"$tap_dir/screen" 2>&1
}

# restored CLAIM STATUS - the terminal is as it was, and the program ended so.
restored() {
    tap_equal "$1: the terminal is as it was" "$(cat "$tap_dir/before")" "$(cat "$tap_dir/after" 2>&1)"
    tap_equal "$1: the status" "$2" "$(cat "$tap_dir/status" 2>&1)"
}

# on_screen CLAIM TEXT
on_screen() {
    if grep -qaF -- "$2" "$tap_dir/screen"; then
        tap_result 0 "$1"
    else
        tap_result 1 "$1" "no line with: $2" "$(cat "$tap_dir/screen")"
    fi
}

in_terminal 'send "abc"; expect abc; send "\001h"; expect "this help"; send "\001x"'
restored "Ctrl-A x" 0
on_screen "keys reach the guest" "small guest"
on_screen "Ctrl-A x says how the run ended" "paravane: left after"
tap_check "the terminal is raw meanwhile" test "$(cat "$tap_dir/before")" != "$(cat "$tap_dir/during")"

in_terminal 'send "\003\032\034\001\001"; sleep 0.5; send "Q"'
restored "the guest ends the run, and Ctrl-C, Ctrl-Z, Ctrl-\\ and Ctrl-A Ctrl-A were for it" 0
in_terminal 'send "F"'
restored "a bad end" 1

in_terminal 'send "0123456789abcdefghi"; sleep 0.5; send "\001x"' SPIN
restored "Ctrl-A x while the guest takes no keys" 0

for name in INT TERM HUP QUIT ABRT SEGV BUS ILL FPE; do
    in_terminal "signal $name"
    restored "SIG$name" $((128 + $(kill -l "$name")))
done

in_terminal 'send "\001z"; expect "ready> "; modes stopped; send "fg\r"
modes_when again {[text again] eq [text during]}
send "xyz"; expect xyz; send "\001x"'
tap_equal "Ctrl-A z gives the terminal to the shell" "$(cat "$tap_dir/before")" "$(cat "$tap_dir/stopped")"
tap_equal "fg takes the terminal again" "$(cat "$tap_dir/during")" "$(cat "$tap_dir/again")"
tap_equal "Ctrl-A z: the terminal is as it was" "$(cat "$tap_dir/before")" "$(cat "$tap_dir/after")"

tap_done
