/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading image files whole, with a limit and with messages that say what is wrong.
 */
#ifndef PARAVANE_SIM_IMAGE_H
#define PARAVANE_SIM_IMAGE_H

#include <glib.h>
#include <stdint.h>

/* No file is read that is larger, whatever the caller's limit. */
#define SIM_IMAGE_BYTES_MAX (2047ull << 20)

enum sim_image_mode {
    SIM_IMAGE_PLAIN,  /* the bytes as they are */
    SIM_IMAGE_GUNZIP, /* a gzip file is decompressed, anything else is taken as it is */
};

/**
 * sim_image_read - the content of a regular file.
 * @limit_bytes: neither the file nor its decompressed content may be larger.
 * Returns: at least one byte; NULL with @error (domain SIM_IMAGE_ERROR), whose message
 *          starts with @path: missing, unreadable, a directory, empty, too large,
 *          truncated or damaged gzip data.
 */
GBytes *sim_image_read(const char *path, uint64_t limit_bytes, enum sim_image_mode mode,
                       GError **error);

/** sim_image_unpack - the same for a file that is in memory; @path is for messages. */
GBytes *sim_image_unpack(const char *path, GBytes *file, uint64_t limit_bytes,
                         enum sim_image_mode mode, GError **error);

/**
 * sim_image_gunzip - decompress the gzip file in @data.
 * @name: for messages.
 * Returns: as sim_image_read(); zero bytes after the compressed data are accepted.
 */
GBytes *sim_image_gunzip(const char *name, const void *data, size_t size_bytes,
                         uint64_t limit_bytes, GError **error);

GQuark sim_image_error_quark(void);
#define SIM_IMAGE_ERROR sim_image_error_quark()
enum sim_image_error { SIM_IMAGE_ERROR_FILE, SIM_IMAGE_ERROR_FORMAT, SIM_IMAGE_ERROR_SIZE };

#endif
