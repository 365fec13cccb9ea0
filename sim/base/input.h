/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one source of every byte that the machine does not compute.
 *
 * The machine asks for input at instants of virtual time which it chooses itself
 * (a fixed polling period), and what it is given at which instant is the whole
 * input of a run.  A script, a terminal and a replayed log are three sources
 * behind the same call.
 */
#ifndef PARAVANE_SIM_BASE_INPUT_H
#define PARAVANE_SIM_BASE_INPUT_H

#include <stddef.h>
#include <stdint.h>

/** Channels of input; the numbers are part of the trace format. */
enum base_input_channel { BASE_INPUT_CONSOLE = 0 };

struct base_input {
    void *user;
    /**
     * poll - bytes that arrive on @channel at @virtual_ns.
     * @buf: at most @size_bytes are written, which may be 0 (no room now).
     * Returns: the number of bytes, 0 when there are none now.
     */
    size_t (*poll)(void *user, enum base_input_channel channel, uint64_t virtual_ns, uint8_t *buf,
                   size_t size_bytes);
};

#endif
