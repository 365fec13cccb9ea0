#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes ./configure from configure.ac.  Needed once after a clone.
set -eu
cd "$(dirname "$0")"
for tool in autoreconf automake aclocal pkg-config; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "autogen.sh: $tool is missing: run tools/setup" >&2
        exit 2
    fi
done
exec autoreconf --install --force "$@"
