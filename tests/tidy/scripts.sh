#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every script is accepted by its interpreter.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_SRC" || exit 1

for script in $(find autogen.sh .ci tools tests guests hv traces -type f -not -path 'guests/real*' \
    -exec grep -lIE -m 1 '^#!' {} + | LC_ALL=C sort); do
    read -r first <"$script"
    case $first in
    '#!/bin/sh'*) tap_check "$script is a sh script" sh -n "$script" ;;
    '#!/bin/bash'* | '#!/usr/bin/env bash'*) tap_check "$script is a bash script" bash -n "$script" ;;
    '#!/usr/bin/perl'*) tap_check "$script is a Perl script" perl -cw "$script" ;;
    esac
done
tap_check "tests/tap.sh is a bash script" bash -n tests/tap.sh
tap_done
