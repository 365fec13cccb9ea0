#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The layers include each other one way only, and each foreign library has one home.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
cd "$PARAVANE_SRC" || exit 1

# sources FOLDER... - the .c and .h files under the folders
sources() {
    local folder
    for folder in "$@"; do
        [ -d "$folder" ] && find "$folder" -name '*.[ch]'
    done | LC_ALL=C sort
}

# The project's headers that file $1 includes, as paths from the top folder.
project_includes() {
    sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$1"
}

# layer FOLDER MAY... - files of FOLDER include nothing but headers of MAY...
# sim/base is a layer of its own, not a part of sim.
layer() {
    local folder=$1 file header allowed may bad=
    shift
    for file in $(sources "$folder"); do
        [ "$folder" = sim ] && case $file in sim/base/*) continue ;; esac
        for header in $(project_includes "$file"); do
            # A header named without its folder is one beside the file.
            case $header in */*) ;; *) header=$(dirname "$file")/$header ;; esac
            case $header in config.h | "$folder"/config.h) [ -e "$header" ] || continue ;; esac
            allowed=no
            for may in "$@"; do
                case $header in
                sim/base/*) [ "$may" = sim/base ] && allowed=yes ;;
                "$may"/*) allowed=yes ;;
                esac
            done
            [ "$allowed" = yes ] || bad="$bad$file includes $header"$'\n'
        done
    done
    tap_empty "$folder includes only: $*" "$bad"
}

layer sim/base sim/base
layer mmu sim/base mmu
layer cpu sim/base mmu cpu
layer sim sim/base mmu cpu sim
layer traces sim/base traces
layer tools sim/base mmu cpu sim traces tools

# home LIBRARY PATTERN MINE - only the sources whose names start with MINE include the
# library, and a header that shows its types is for them alone.  A unit test may compare
# with the library itself.
home() {
    local library=$1 pattern=$2 mine=$3 files header
    files=$(sources sim mmu cpu traces tools hv guests |
        xargs grep -lE "^[ \t]*#[ \t]*include[ \t]*[<\"]$pattern" 2>/dev/null)
    tap_result "$((!$(echo "$files" | grep -c "^$mine[a-z_]*\.c$")))" "$mine*.c is the home of $library"
    tap_empty "nothing else includes $library" "$(echo "$files" | grep -v "^$mine[a-z_]*\.[ch]$")"
    for header in $(echo "$files" | grep '\.h$'); do
        tap_empty "$header is included by nothing but $mine*" \
            "$(grep -lE "^[ \t]*#[ \t]*include[ \t]*\"$header\"" $(sources sim mmu cpu traces tools tests) | grep -v "^$mine")"
    done
}

home Unicorn 'unicorn/' cpu/engine
home Capstone 'capstone/' cpu/decode

# What runs inside the machine knows nothing of the simulator.
bad=
for file in $(sources hv guests); do
    for header in $(project_includes "$file"); do
        case $header in
        sim/* | mmu/* | cpu/* | traces/* | tools/*) bad="$bad$file includes $header"$'\n' ;;
        esac
    done
done
tap_empty "hv and guests include no header of the simulator" "$bad"

tap_done
