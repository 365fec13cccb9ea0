#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The distribution holds every file that git knows, so that what builds in a clone
# builds from a tarball.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_SRC" || exit 1
[ -e .git ] || tap_skip_all "not a git checkout"
git rev-parse --is-inside-work-tree >/dev/null 2>&1 || tap_skip_all "no usable git"

# Folders of EXTRA_DIST count for all they hold.
${MAKE:-make} -s -C "$PARAVANE_BUILD" print-distfiles 2>/dev/null |
    sed -e "s|^$PARAVANE_SRC/||" -e 's|^\./||' -e 's|^\(\.\./\)*||' | while read -r file; do
    if [ -d "$file" ]; then find "$file" -type f; else echo "$file"; fi
done | LC_ALL=C sort -u >"$tap_dir/dist"
# Files that only make sense in a clone.
git ls-files | grep -vE '(^|/)\.gitignore$|(^|/)\.gitattributes$|(^|/)\.gitkeep$' | LC_ALL=C sort >"$tap_dir/git"

tap_result "$((!$(grep -c . "$tap_dir/dist")))" "the build knows its distribution"
tap_empty "each file in git is in the distribution" "$(LC_ALL=C comm -13 "$tap_dir/dist" "$tap_dir/git")"
tap_done
