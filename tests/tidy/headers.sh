#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each header of the simulator compiles alone and guards against being read twice.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_SRC" || exit 1
: "${PARAVANE_CC:=cc}"
: "${PARAVANE_CPPFLAGS:=-I. $(pkg-config --cflags glib-2.0 gio-2.0 json-glib-1.0 2>/dev/null)}"

alone() {
    printf '#include "%s"\n#include "%s"\n' "$1" "$1" >"$tap_dir/alone.c"
    # shellcheck disable=SC2086
    $PARAVANE_CC -std=gnu11 -Wall -Wextra -Werror -fsyntax-only $PARAVANE_CPPFLAGS "$tap_dir/alone.c"
}

for header in $(find sim mmu cpu traces tools tests/unit -name '*.h' -not -path 'tests/unit/hv_world/*' 2>/dev/null | LC_ALL=C sort); do
    tap_check "$header compiles alone" alone "$header"
done
tap_done
