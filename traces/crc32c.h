/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4): it finds every change of up to four
 * neighbouring bytes, and others with all but certainty.
 */
#ifndef PARAVANE_TRACES_CRC32C_H
#define PARAVANE_TRACES_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** crc32c - of @size_bytes at @data; @seed is 0, or the value for what stands before. */
uint32_t crc32c(uint32_t seed, const void *data, size_t size_bytes);

#endif
