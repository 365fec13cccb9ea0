/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/names.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sim/base/types.h"

const char *trace_errno_name(int64_t value)
{
    static const struct trace_name names[] = {
#define XEN_ERRNO(name, value) {value, #name},
#include <xen/errno.h>
    };
    uint64_t wanted = value < 0 ? -(uint64_t)value : (uint64_t)value;

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].value == wanted)
            return names[i].name;
    return wanted == 85 ? "ERESTART" : NULL; /* inside the hypervisor only */
}

const char *trace_grant_status_name(int64_t status)
{
    static const char *const names[] = {
        "okay",         "general_error",   "bad_domain",        "bad_gntref", "bad_handle",
        "bad_virt_addr", "bad_dev_addr",    "no_device_space",   "permission_denied",
        "bad_page",     "bad_copy_arg",    "address_too_big",   "eagain",     "no_space",
    };

    return status <= 0 && status > -(int64_t)ARRAY_LEN(names) ? names[-status] : NULL;
}

void trace_put_domid(GString *out, uint64_t domid)
{
    static const struct trace_name special[] = {
        {0x7ff0, "DOMID_SELF"}, {0x7ff1, "DOMID_IO"},      {0x7ff2, "DOMID_XEN"},
        {0x7ff3, "DOMID_COW"},  {0x7ff4, "DOMID_INVALID"}, {0x7fff, "DOMID_IDLE"},
        {TRACE_DOMID_UNKNOWN, "d?"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(special); i++) {
        if (special[i].value == domid) {
            g_string_append(out, special[i].name);
            return;
        }
    }
    g_string_append_printf(out, "d%" PRIu64, domid);
}

void trace_put_vcpu(GString *out, uint64_t domid, uint64_t vcpu)
{
    bool idle = domid == 0x7fff;

    if (idle)
        g_string_append(out, "idle");
    else
        trace_put_domid(out, domid);
    if (vcpu != TRACE_DOM_VCPU_UNKNOWN)
        g_string_append_printf(out, idle ? "%" PRIu64 : "v%" PRIu64, vcpu);
}

void trace_put_result(GString *out, int64_t result)
{
    const char *name = result < 0 && result > -4096 ? trace_errno_name(result) : NULL;

    if (result < -4095)
        g_string_append_printf(out, "0x%" PRIx64, (uint64_t)result);
    else
        g_string_append_printf(out, "%" PRId64, result);
    if (name)
        g_string_append_printf(out, " %s", name);
}

void trace_put_pte(GString *out, uint64_t pte)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } bits[] = {
        {1ull << 2, " U"},   {1ull << 3, " PWT"}, {1ull << 4, " PCD"},  {1ull << 5, " A"},
        {1ull << 6, " D"},   {1ull << 7, " PSE"}, {1ull << 8, " G"},    {1ull << 9, " avl9"},
        {1ull << 10, " avl10"}, {1ull << 11, " avl11"}, {1ull << 63, " NX"},
    };

    g_string_append_printf(out, "0x%" PRIx64, pte);
    if (!(pte & TRACE_PTE_PRESENT)) {
        g_string_append(out, " not present");
        return;
    }
    g_string_append_printf(out, " mfn 0x%" PRIx64 "%s", TRACE_PTE_MFN(pte),
                           pte & TRACE_PTE_RW ? " RW" : " RO");
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++)
        if (pte & bits[i].bit)
            g_string_append(out, bits[i].name);
}

void trace_put_time(GString *out, uint64_t ns)
{
    g_string_append_printf(out, "%" PRIu64 ".%09" PRIu64, ns / 1000000000u, ns % 1000000000u);
}

void trace_put_flags(GString *out, uint64_t value, const struct trace_name *names, unsigned count)
{
    const char *glue = "";

    for (unsigned i = 0; i < count; i++) {
        if (!names[i].value || (value & names[i].value) != names[i].value)
            continue;
        g_string_append_printf(out, "%s%s", glue, names[i].name);
        value &= ~names[i].value;
        glue = "|";
    }
    if (value || !*glue)
        g_string_append_printf(out, value ? "%s0x%" PRIx64 : "%s%" PRIx64, glue, value);
}

static void put_escaped(GString *out, uint8_t byte)
{
    static const char letters[] = "\aa\bb\tt\nn\vv\ff\rr\"\"\\\\";

    for (unsigned i = 0; letters[i]; i += 2) {
        if ((uint8_t)letters[i] == byte) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, letters[i + 1]);
            return;
        }
    }
    if (byte >= 0x20 && byte < 0x7f)
        g_string_append_c(out, (char)byte);
    else
        g_string_append_printf(out, "\\x%02x", byte);
}

void trace_put_quoted(GString *out, const uint8_t *bytes, uint64_t size, uint64_t max)
{
    g_string_append_c(out, '"');
    for (uint64_t i = 0; i < size && i < max; i++)
        put_escaped(out, bytes[i]);
    g_string_append(out, size > max ? "\"..." : "\"");
}

void trace_put_hex_bytes(GString *out, const uint8_t *bytes, uint64_t size, uint64_t max)
{
    for (uint64_t i = 0; i < size && i < max; i++)
        g_string_append_printf(out, "%s%02x", i ? " " : "", bytes[i]);
    if (size > max)
        g_string_append_printf(out, " ... %" PRIu64 " more", size - max);
}
