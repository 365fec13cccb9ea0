#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every file of the project that a person writes names its licence at its top.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_SRC" || exit 1

without() {
    find "$@" -type f -not -path 'guests/real*' -print0 2>/dev/null | LC_ALL=C sort -z |
        while IFS= read -r -d '' file; do
            head -n 4 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file"
        done
}

code_folders=(sim mmu cpu traces hv guests tools tests)
tap_empty "each C, assembler and linker file names its licence" \
    "$(without "${code_folders[@]}" \( -name '*.[chS]' -o -name '*.ld' -o -name '*.lds' \))"
tap_empty "each script names its licence" \
    "$(grep -rlIE --exclude-dir=real '^#!.*(sh|perl|python3?|expect)\b' "${code_folders[@]}" autogen.sh .ci 2>/dev/null |
        while read -r file; do
            head -n 4 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file"
        done)"
tap_empty "each build fragment and machine file names its licence" \
    "$(without "${code_folders[@]}" \( -name 'Makefile.inc' -o -name '*.machine' \))"
tap_check "COPYING is the GNU General Public License, version 2" \
    grep -q 'Version 2, June 1991' COPYING
tap_done
