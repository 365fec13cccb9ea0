/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/console_out.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void console_out_init(struct console_out *out, int fd, const char *until)
{
    memset(out, 0, sizeof(*out));
    out->fd = fd;
    base_hash_init(&out->hash);
    if (until) {
        text_match_init(&out->until, until, strlen(until));
        out->has_until = true;
    }
}

void console_out_fini(struct console_out *out)
{
    text_match_fini(&out->until);
}

int console_out_write_all(int fd, const void *data, size_t size_bytes)
{
    const uint8_t *p = data;

    while (size_bytes > 0) {
        ssize_t done = write(fd, p, size_bytes);

        if (done < 0 && errno == EAGAIN) { /* somebody made our standard output non-blocking */
            struct pollfd wait = {.fd = fd, .events = POLLOUT};

            poll(&wait, 1, -1);
            continue;
        }
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        p += done;
        size_bytes -= (size_t)done;
    }
    return 0;
}

bool console_out_flush(struct console_out *out)
{
    if (out->fd >= 0 && out->error == 0 && out->buffered > 0) {
        out->error = console_out_write_all(out->fd, out->buffer, out->buffered);
        if (out->error && out->stop)
            out->stop(out->stop_user);
    }
    out->buffered = 0;
    return out->error == 0;
}

void console_out_byte(void *user, uint8_t byte)
{
    struct console_out *out = user;

    base_hash_update(&out->hash, &byte, 1);
    out->total_bytes++;
    out->last = byte;
    if (out->fd >= 0) {
        out->buffer[out->buffered++] = byte;
        if (byte == '\n' || out->buffered == CONSOLE_OUT_BUFFER)
            console_out_flush(out);
    }
    if (out->script)
        console_script_output(out->script, byte);
    if (out->has_until && !out->until_seen && text_match_byte(&out->until, byte)) {
        out->until_seen = true;
        if (out->stop)
            out->stop(out->stop_user);
    }
}
