#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A hostile domain gets nowhere: guests/hostile attacks the hypervisor and two victims beside it. After
# each attack every reference is recounted and the victims' memory compared.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
. "$PARAVANE_SRC/tests/guest/guest.sh"
suite=$PARAVANE_SRC/tests/guest/hostile-suite
built=$PARAVANE_BUILD/guests
guest_needs "$PARAVANE_BUILD/hv/hv-audit.elf" "$built/dom0/dom0.elf" "$built/hostile/hostile.elf"

# At least so many: whoever removes one has to say so here.
at_least=206

"$suite" --build "$PARAVANE_BUILD" --tap --console "$tap_dir/console" >"$tap_dir/verdicts"
suite_status=$?
while read -r verdict _ _ name; do
    case $verdict in
    ok) tap_result 0 "$name" ;;
    not) tap_result 1 "${name#- }" "$(grep -A 2 -F -- " - ${name#- }" "$tap_dir/verdicts" | grep '^#')" ;;
    esac
done < <(grep -E '^(not )?ok ' "$tap_dir/verdicts")
tap_equal "the suite as a whole" 0 $suite_status
tap_check "at least $at_least attacks" test "$("$suite" --list | wc -l)" -ge $at_least
tap_equal "the attacker's own list is that of the sources" "$("$suite" --list | cut -f 1 | sort)" \
    "$(tr -d '\r' <"$tap_dir/console" | sed -n 's/^warm: attack|\([^|]*\)|.*/\1/p' | sort)"
tap_equal "docs/hostile-guests.md has the table of all (hostile-suite --document)" "$("$suite" --table)" \
    "$(sed '1,/^<!-- the table -->/d' "$PARAVANE_SRC/docs/hostile-guests.md")"

# The comparison can fail: a victim that is gone is noticed.
cat >"$tap_dir/script" <<'EOF'
create one kernel=hostile mem=4M cmdline=victim
sleep 20; audit watch 1 1; audit mark; audit check
destroy one; sleep 20; audit check 100000
EOF
guest_run noticed "$built/machines/hv-demo.machine" --set boot.kernel="$PARAVANE_BUILD/hv/hv-audit.elf" \
    --set module.dom0.cmdline=script=noticed --set archive.initrd.noticed="$tap_dir/script" \
    --set archive.initrd.hostile="$built/hostile/hostile.elf"
tap_equal "a victim whose memory changes ends the machine with status 1" 1 "$guest_status"
guest_says noticed "and a line that says why" "audit: the memory of the watched domains has changed"
tap_done
