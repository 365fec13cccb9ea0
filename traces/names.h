/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of numbers that Xen's public interface gives meaning to.
 */
#ifndef PARAVANE_TRACES_NAMES_H
#define PARAVANE_TRACES_NAMES_H

#include <glib.h>
#include <stdint.h>

#include "traces/event.h"

/** trace_errno_name - "EINVAL" of 22 or of -22, as Xen's public errno.h has it; NULL if unknown. */
const char *trace_errno_name(int64_t value);
/** trace_grant_status_name - "bad_gntref" of -3 (GNTST_*); NULL if unknown. */
const char *trace_grant_status_name(int64_t status);

/** trace_put_domid - "d3", "DOMID_SELF", "d?" (TRACE_DOMID_UNKNOWN). */
void trace_put_domid(GString *out, uint64_t domid);
/** trace_put_vcpu - a domain's vCPU: "d3v1", "d3" if the vCPU is not known, "idle0". */
void trace_put_vcpu(GString *out, uint64_t domid, uint64_t vcpu);
/** trace_put_result - "0", "-22 EINVAL"; numbers that are no errno in decimal, addresses in hex. */
void trace_put_result(GString *out, int64_t result);
/** trace_put_pte - "0x4d5e067 mfn 0x4d5e RW U A D" or "0x0 not present". */
void trace_put_pte(GString *out, uint64_t pte);
/** trace_put_time - nanoseconds as "1.234567890". */
void trace_put_time(GString *out, uint64_t ns);
/** trace_put_flags - names of single bits, joined by "|"; what has no name in hex; 0 is "0". */
void trace_put_flags(GString *out, uint64_t value, const struct trace_name *names, unsigned count);
/** trace_put_quoted - @size bytes between double quotes, C escapes for what is not printable;
 *                     behind @max of them "..." */
void trace_put_quoted(GString *out, const uint8_t *bytes, uint64_t size, uint64_t max);
/** trace_put_hex_bytes - "de ad be ef", behind @max bytes "... N more". */
void trace_put_hex_bytes(GString *out, const uint8_t *bytes, uint64_t size, uint64_t max);

#define TRACE_PTE_PRESENT  0x1ull
#define TRACE_PTE_RW       0x2ull
#define TRACE_PTE_PSE      0x80ull
#define TRACE_PTE_MFN(pte) ((uint64_t)(pte) >> 12 & 0xffffffffffu)

#endif
