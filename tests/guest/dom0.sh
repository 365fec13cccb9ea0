# SPDX-License-Identifier: GPL-2.0-or-later
# What the project's domain 0 must do, whatever hypervisor it runs on.  Source it after
# tests/guest/guest.sh.
built=$PARAVANE_BUILD/guests
scripts=$PARAVANE_SRC/tests/guest/scripts
expected=$(cat "$PARAVANE_SRC/tests/guest/demo.expected")

# What dom0 and the domains say: all from dom0's first line on, without what the hypervisor says.
guest_text() { sed -n '/^dom0: ready/,$p' "$tap_dir/$1.console" | grep -av '^(XEN)\|^(HV)' | tr -d '\r'; }

# dom0_suite OPTION... - run the machines with these options, and judge.
dom0_suite() {
    guest_run demo "$built/machines/hv-demo.machine" "$@"
    tap_equal "the demonstration ends well" 0 "$guest_status"
    tap_equal "its text is the expected one" "$expected" "$(guest_text demo)"

    guest_run again "$built/machines/hv-demo.machine" "$@"
    guest_same "a second run is the same" demo again

    guest_run typed "$built/machines/hv-demo.machine" "$@" --set module.dom0.cmdline= \
        --console-script "$scripts/typed"
    tap_equal "the shell does what is typed, and ends with its exit value" 3 "$(guest_value typed exit_value)"

    guest_run once "$built/machines/hv-guest.machine" "$@" \
        --set domu.kernel="$built/domu/domu.elf" --set domu.cmdline=once --set domu.vcpus=2
    tap_equal "one domain that powers off: exit status 0" 0 "$guest_status"
    guest_says once "its console is the machine's" "init: 2 CPUs"

    # A reboot is no power-off: its number is the exit value.
    guest_run reboot "$built/machines/hv-guest.machine" "$@" \
        --set domu.kernel="$built/domu/domu.elf" --set domu.cmdline='once end=reboot init=primes'
    tap_equal "one domain that reboots: exit status 1" 1 "$guest_status"
    tap_equal "with its number as the exit value" 1 "$(guest_value reboot exit_value)"

    printf 'no kernel' >"$tap_dir/text"
    guest_run bad "$built/machines/hv-guest.machine" "$@" --set domu.kernel="$tap_dir/text"
    tap_equal "what is no kernel: exit status 1" 1 "$guest_status"
    guest_says bad "and a line that says why" "create: guest: it is not a little-endian ELF64 file"
}
