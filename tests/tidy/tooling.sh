#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The set-up scripts: apt's sources are understood, the initramfs is reproducible,
# and each failure is one line with exit status 2.
. "${PARAVANE_SRC:-.}/tests/tap.sh" || exit 1
tools=$PARAVANE_SRC/tools

# apt-sources
mkdir -p "$tap_dir/apt/sources.list.d"
cat >"$tap_dir/apt/sources.list" <<'END'
# deb http://off.example/debian bookworm main
deb http://one.example/debian/ bookworm main contrib # a comment
deb-src http://one.example/debian bookworm main
deb [arch=amd64 signed-by=/k/one.gpg] http://two.example/debian trixie main
deb http://other.example/apt stable extra
END
cat >"$tap_dir/apt/sources.list.d/x.sources" <<'END'
Types: deb deb-src
# a comment inside
URIs: mirror+file:///etc/apt/mirrors/debian.list
Suites: bookworm
  bookworm-updates
Components: main
Signed-By: /k/ring.gpg

Types: deb
URIs: http://three.example/debian
Suites: sid
Components: main
Enabled: no
END
tap_equal "apt-sources reads both formats and leaves out what is off" \
"bookworm http://one.example/debian -
trixie http://two.example/debian /k/one.gpg
bookworm mirror+file:///etc/apt/mirrors/debian.list /k/ring.gpg
bookworm-updates mirror+file:///etc/apt/mirrors/debian.list /k/ring.gpg" \
    "$(PARAVANE_APT_ETC=$tap_dir/apt "$tools/apt-sources")"

# mkcpio
cat >"$tap_dir/list" <<END
file /b/hello 0644 $tap_dir/hello
dir /b 0755
slink /b/link hello
nod /console 0600 c 5 1
END
echo hello >"$tap_dir/hello"
"$tools/mkcpio" "$tap_dir/list" >"$tap_dir/one.cpio"
touch -d '2001-02-03' "$tap_dir/hello"
chmod 600 "$tap_dir/hello"
"$tools/mkcpio" "$tap_dir/list" >"$tap_dir/two.cpio"
tap_check "an archive depends on content only" cmp "$tap_dir/one.cpio" "$tap_dir/two.cpio"
if command -v cpio >/dev/null 2>&1; then
    tap_equal "cpio reads the archive" \
"drwxr-xr-x 2 0 0 b
-rw-r--r-- 1 0 0 b/hello
lrwxrwxrwx 1 0 0 b/link
crw------- 1 0 0 console" \
        "$(cpio -itnv <"$tap_dir/one.cpio" 2>/dev/null | awk '{ print $1, $2, $3, $4, ($1 ~ /^c/ ? $10 : $9) }')"
else
    tap_skip "cpio reads the archive" "no cpio"
fi
echo 'dir /x' >"$tap_dir/bad"
"$tools/mkcpio" "$tap_dir/bad" >/dev/null 2>"$tap_dir/error"
tap_equal "a wrong list is refused with file and line" \
    "mkcpio: $tap_dir/bad:1: not an entry: dir /x" "$(cat "$tap_dir/error")"

# mkinitramfs, with any file in the place of busybox
"$tools/mkinitramfs" "$tap_dir/hello" "$tap_dir/one.gz"
"$tools/mkinitramfs" "$tap_dir/hello" "$tap_dir/two.gz"
tap_check "the initramfs is the same bytes each time" cmp "$tap_dir/one.gz" "$tap_dir/two.gz"
tap_check "the initramfs holds /init" sh -c "zcat '$tap_dir/one.gz' | grep -aq '^# The first process of dom0'"
if [ -e "$PARAVANE_SRC/guests/real/initramfs.cpio.gz" ]; then
    "$tools/mkinitramfs" "$PARAVANE_SRC/guests/real/busybox" "$tap_dir/real.gz"
    tap_check "guests/real/initramfs.cpio.gz is what a rebuild gives" \
        cmp "$PARAVANE_SRC/guests/real/initramfs.cpio.gz" "$tap_dir/real.gz"
else
    tap_skip "guests/real/initramfs.cpio.gz is what a rebuild gives" "no real guests: run tools/fetch-guests"
fi

# one line and status 2
refuses() {
    local claim=$1 wanted=$2 output status
    shift 2
    output=$("$@" 2>&1)
    status=$?
    tap_equal "$claim" "2: $wanted" "$status: $output"
}
refuses "mkinitramfs names a busybox that is not there" \
    "mkinitramfs: /nowhere/busybox is not there" "$tools/mkinitramfs" /nowhere/busybox "$tap_dir/x.gz"
refuses "setup refuses an unknown option" \
    "setup: unknown option --frob (there are --fuzz and --peers)" "$tools/setup" --frob
refuses "fetch-guests refuses an unknown option" \
    "fetch-guests: unknown option --frob (there are --check and --force)" "$tools/fetch-guests" --frob
mkdir -p "$tap_dir/empty/tools"
cp "$tools/fetch-guests" "$tap_dir/empty/tools"
refuses "fetch-guests --check says what is missing" \
    "fetch-guests: guests/real is not there: run tools/fetch-guests" "$tap_dir/empty/tools/fetch-guests" --check
tap_done
