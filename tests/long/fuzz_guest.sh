#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 100,000 random guests, once.
export FUZZ_SEEDS=${FUZZ_SEEDS:-1:100000} FUZZ_INSNS=${FUZZ_INSNS:-2000} FUZZ_TWICE=no FUZZ_AGAIN=no
exec bash "${PARAVANE_SRC:-.}/tests/guest/fuzz.sh"
