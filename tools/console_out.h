/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest writes to its console: shown, hashed, and searched for a text.
 */
#ifndef PARAVANE_TOOLS_CONSOLE_OUT_H
#define PARAVANE_TOOLS_CONSOLE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/hash.h"
#include "tools/console_script.h"
#include "tools/text_match.h"

#define CONSOLE_OUT_BUFFER 4096

struct console_out {
    int fd;    /* -1: not shown */
    int error; /* errno of the first write that failed, 0 if none */
    struct base_hash hash;
    uint64_t total_bytes;
    uint8_t last;                  /* byte */
    struct console_script *script; /* is told every byte; may be NULL; borrowed */
    struct text_match until;
    bool has_until, until_seen;
    /* Called when the run shall stop: the text was seen, or writing failed. */
    void (*stop)(void *user);
    void *stop_user;
    unsigned buffered;
    uint8_t buffer[CONSOLE_OUT_BUFFER];
};

/** console_out_init - @until: text to stop at, or NULL; borrowed. */
void console_out_init(struct console_out *out, int fd, const char *until);
void console_out_fini(struct console_out *out);

/** console_out_byte - for struct sim_attachments; @user is a struct console_out *. */
void console_out_byte(void *user, uint8_t byte);

/** console_out_flush - write what is buffered.  Returns: false once a write has failed. */
bool console_out_flush(struct console_out *out);

/** console_out_write_all - all of @data to @fd.  Returns: 0 or the errno of the failure. */
int console_out_write_all(int fd, const void *data, size_t size_bytes);

#endif
