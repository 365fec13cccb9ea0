# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the small guests of small.S.  Source it after tests/tap.sh and guest.sh.

# small_guest NAME [VALUE] - assemble the guest NAME into $tap_dir/NAME.elf.
small_guest() {
    local name=$1 value=${2:-1} elf=$tap_dir/$1.elf
    "${PARAVANE_CC:-cc}" -m32 -c -D"$name=$value" -o "$elf.o" "$PARAVANE_SRC/tests/guest/small.S" &&
        ld -m elf_i386 -N -Ttext=0x100000 -e _start -o "$elf" "$elf.o" 2>"$elf.log" ||
        tap_skip_all "no 32-bit x86 assembler and linker"
}

# small_run NAME ARGUMENT... - run $tap_dir/NAME.elf on a bare machine, as guest_run does.
small_run() {
    local name=$1
    shift
    guest_run "$name" "$machines/bare.machine" --set "boot.kernel=$tap_dir/$name.elf" "$@"
}

# small_same CLAIM ONE TWO - two runs did the same, stopped on the way or not.  `blocks` is not
# compared: a block that is stopped in counts as two.
small_same() {
    local key one= two=
    for key in insns virtual_ns state_hash console_hash stop_reason; do
        one="$one$key $(guest_value "$2" $key) "
        two="$two$key $(guest_value "$3" $key) "
    done
    [ -n "$(guest_value "$2" insns)" ] || one="$2 has no summary"
    tap_equal "$1" "$one" "$two"
}
