#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/guest/window.sh at each instruction of the windows of up to 3000 of them, and 3000 places of the
# longer ones.
WINDOW_OPTIONS=${WINDOW_OPTIONS:-budget=3000} WINDOW_LIMIT=${WINDOW_LIMIT:-600s} \
    exec bash "${PARAVANE_SRC:-.}/tests/guest/window.sh"
