/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/out.h"

#include <inttypes.h>
#include <string.h>

#include "traces/names.h"

#define TEXT_MAX  64 /* bytes of a text that are shown when not all is */
#define BYTES_MAX 32

void trace_out_start(struct trace_out *o)
{
    o->hit = 0;
    o->glue = NULL;
    o->fresh_text = o->fresh_json = true;
}

/* --- terms --------------------------------------------------------------------------------- */

static bool covers(const struct trace_term *term, uint64_t value, uint64_t count)
{
    if (term->kind == TRACE_TERM_VA)
        return term->value >> 12 == value >> 12;
    return term->value >= value && term->value - value < count;
}

void trace_out_touch(struct trace_out *o, enum trace_term_kind kind, uint64_t value,
                     uint64_t count, const char *how)
{
    for (unsigned i = 0; i < o->terms; i++) {
        if (o->term[i].kind != kind || !covers(&o->term[i], value, count))
            continue;
        if (!(o->hit & 1u << i))
            o->how[i] = how;
        o->hit |= 1u << i;
    }
}

/* --- structure ----------------------------------------------------------------------------- */

void trace_json_string(GString *json, const void *bytes, uint64_t size)
{
    const uint8_t *byte = bytes;
    bool utf8 = g_utf8_validate_len(bytes ? bytes : "", size, NULL);

    g_string_append_c(json, '"');
    for (uint64_t i = 0; i < size; i++) {
        if (byte[i] == '"' || byte[i] == '\\') {
            g_string_append_c(json, '\\');
            g_string_append_c(json, (char)byte[i]);
        } else if (byte[i] == '\n')
            g_string_append(json, "\\n");
        else if (byte[i] < 0x20 || byte[i] == 0x7f || (byte[i] > 0x7f && !utf8))
            g_string_append_printf(json, "\\u%04x", byte[i]);
        else
            g_string_append_c(json, (char)byte[i]);
    }
    g_string_append_c(json, '"');
}

/* Separator and name of the next value; false when the text is not wanted. */
static bool text_name(struct trace_out *o, const char *name)
{
    if (!o->text)
        return false;
    if (!o->fresh_text)
        g_string_append(o->text, o->glue ? o->glue : ", ");
    else if (o->glue)
        g_string_append(o->text, o->glue[0] == ' ' ? o->glue + 1 : o->glue);
    o->fresh_text = false;
    o->glue = NULL;
    if (name && name[0] != '.')
        g_string_append_printf(o->text, "%s=", name);
    return true;
}

static bool json_name(struct trace_out *o, const char *name)
{
    if (!o->json)
        return false;
    if (!o->fresh_json)
        g_string_append_c(o->json, ',');
    o->fresh_json = false;
    if (name)
        g_string_append_printf(o->json, "\"%s\":", name + (name[0] == '.'));
    return true;
}

void trace_out_glue(struct trace_out *o, const char *glue)
{
    o->glue = glue;
}

void trace_out_begin(struct trace_out *o, const char *name)
{
    if (text_name(o, name))
        g_string_append_c(o->text, '{');
    if (json_name(o, name))
        g_string_append_c(o->json, '{');
    o->fresh_text = o->fresh_json = true;
}

void trace_out_end(struct trace_out *o)
{
    if (o->text)
        g_string_append_c(o->text, '}');
    if (o->json)
        g_string_append_c(o->json, '}');
    o->fresh_text = o->fresh_json = false;
    o->glue = NULL;
}

void trace_out_array(struct trace_out *o, struct trace_out_array *array, const char *name)
{
    *array = (struct trace_out_array){0};
    if (text_name(o, name))
        g_string_append_c(o->text, '[');
    if (json_name(o, name))
        g_string_append_c(o->json, '[');
    o->fresh_text = o->fresh_json = true;
}

void trace_out_item(struct trace_out *o, struct trace_out_array *array)
{
    if (o->text)
        array->text_at = o->text->len;
    array->hit = o->hit;
    array->fresh = o->fresh_text;
    if (o->only_hits)
        o->hit = 0;
}

void trace_out_item_done(struct trace_out *o, struct trace_out_array *array)
{
    bool wanted = o->only_hits ? o->hit != 0 : !o->items_max || array->shown < o->items_max;

    o->hit |= array->hit;
    if (wanted) {
        array->shown++;
        return;
    }
    array->left_out++;
    if (o->text) {
        g_string_truncate(o->text, array->text_at);
        o->fresh_text = array->fresh;
    }
}

void trace_out_array_end(struct trace_out *o, struct trace_out_array *array)
{
    if (o->text) {
        if (array->left_out)
            g_string_append_printf(o->text, array->shown ? ", ... %u more" : "%u not shown",
                                   array->left_out);
        g_string_append_c(o->text, ']');
    }
    if (o->json)
        g_string_append_c(o->json, ']');
    o->fresh_text = o->fresh_json = false;
    o->glue = NULL;
}

/* --- values -------------------------------------------------------------------------------- */

void trace_out_u64(struct trace_out *o, const char *name, uint64_t value)
{
    if (text_name(o, name))
        g_string_append_printf(o->text, "%" PRIu64, value);
    if (json_name(o, name))
        g_string_append_printf(o->json, "%" PRIu64, value);
}

void trace_out_i64(struct trace_out *o, const char *name, int64_t value)
{
    if (text_name(o, name))
        g_string_append_printf(o->text, "%" PRId64, value);
    if (json_name(o, name))
        g_string_append_printf(o->json, "%" PRId64, value);
}

void trace_out_hex(struct trace_out *o, const char *name, uint64_t value)
{
    if (text_name(o, name))
        g_string_append_printf(o->text, "0x%" PRIx64, value);
    if (json_name(o, name))
        g_string_append_printf(o->json, "\"0x%" PRIx64 "\"", value);
}

void trace_out_bool(struct trace_out *o, const char *name, bool value)
{
    if (text_name(o, name))
        g_string_append(o->text, value ? "yes" : "no");
    if (json_name(o, name))
        g_string_append(o->json, value ? "true" : "false");
}

void trace_out_word(struct trace_out *o, const char *name, const char *value)
{
    if (text_name(o, name))
        g_string_append(o->text, value);
    if (json_name(o, name))
        trace_json_string(o->json, value, strlen(value));
}

void trace_out_text(struct trace_out *o, const char *name, const void *bytes, uint64_t size)
{
    if (text_name(o, name))
        trace_put_quoted(o->text, bytes, size, o->items_max ? TEXT_MAX : size);
    if (json_name(o, name))
        trace_json_string(o->json, bytes, size);
}

void trace_out_bytes(struct trace_out *o, const char *name, const void *bytes, uint64_t size)
{
    const uint8_t *byte = bytes;

    if (text_name(o, name)) {
        g_string_append_c(o->text, '<');
        trace_put_hex_bytes(o->text, bytes, size, o->items_max ? BYTES_MAX : size);
        g_string_append_c(o->text, '>');
    }
    if (json_name(o, name)) {
        g_string_append_c(o->json, '"');
        for (uint64_t i = 0; i < size; i++)
            g_string_append_printf(o->json, "%02x", byte[i]);
        g_string_append_c(o->json, '"');
    }
}

void trace_out_enum(struct trace_out *o, const char *name, uint64_t value,
                    const struct trace_name *names, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (names[i].value == value) {
            trace_out_word(o, name, names[i].name);
            return;
        }
    }
    trace_out_u64(o, name, value);
}

void trace_out_flags(struct trace_out *o, const char *name, uint64_t value,
                     const struct trace_name *names, unsigned count)
{
    if (text_name(o, name))
        trace_put_flags(o->text, value, names, count);
    if (json_name(o, name)) {
        g_string_append_c(o->json, '"');
        trace_put_flags(o->json, value, names, count);
        g_string_append_c(o->json, '"');
    }
}

void trace_out_time(struct trace_out *o, const char *name, uint64_t ns)
{
    if (text_name(o, name)) {
        trace_put_time(o->text, ns);
        g_string_append_c(o->text, 's');
    }
    if (json_name(o, name))
        g_string_append_printf(o->json, "%" PRIu64, ns);
}

void trace_out_errno(struct trace_out *o, const char *name, int64_t value)
{
    if (text_name(o, name))
        trace_put_result(o->text, value);
    if (json_name(o, name))
        g_string_append_printf(o->json, "%" PRId64, value);
}

void trace_out_grant_status(struct trace_out *o, const char *name, int64_t value)
{
    const char *word = trace_grant_status_name(value);

    if (word)
        trace_out_word(o, name, word);
    else
        trace_out_i64(o, name, value);
}

void trace_out_gfn(struct trace_out *o, const char *name, uint64_t gfn)
{
    if (o->hide_frames)
        trace_out_word(o, name, "*");
    else
        trace_out_hex(o, name, gfn);
}

/* --- values that touch --------------------------------------------------------------------- */

void trace_out_mfn(struct trace_out *o, const char *name, uint64_t mfn, const char *how)
{
    trace_out_gfn(o, name, mfn);
    trace_out_touch(o, TRACE_TERM_FRAME, mfn, 1, how);
}

void trace_out_va(struct trace_out *o, const char *name, uint64_t va, const char *how)
{
    trace_out_hex(o, name, va);
    trace_out_touch(o, TRACE_TERM_VA, va, 1, how);
}

void trace_out_domid(struct trace_out *o, const char *name, uint64_t domid, const char *how)
{
    if (text_name(o, name))
        trace_put_domid(o->text, domid);
    if (json_name(o, name)) {
        if (domid == TRACE_DOMID_UNKNOWN)
            g_string_append(o->json, "null");
        else
            g_string_append_printf(o->json, "%" PRIu64, domid);
    }
    if (domid == 0x7ff0) /* DOMID_SELF */
        domid = o->self;
    trace_out_touch(o, TRACE_TERM_DOMAIN, domid, 1, how);
}

void trace_out_ref(struct trace_out *o, const char *name, uint64_t ref, const char *how)
{
    trace_out_u64(o, name, ref);
    trace_out_touch(o, TRACE_TERM_REF, ref, 1, how);
}

void trace_out_port(struct trace_out *o, const char *name, uint64_t port, const char *how)
{
    trace_out_u64(o, name, port);
    trace_out_touch(o, TRACE_TERM_PORT, port, 1, how);
}

static void touch_pte(struct trace_out *o, uint64_t pte, const char *how)
{
    if (pte & TRACE_PTE_PRESENT)
        trace_out_touch(o, TRACE_TERM_FRAME, TRACE_PTE_MFN(pte), 1, how);
}

static const char *mapped(uint64_t pte)
{
    return pte & TRACE_PTE_RW ? "mapped RW" : "mapped RO";
}

static void put_pte(struct trace_out *o, const char *name, uint64_t pte)
{
    if (o->hide_frames && pte & TRACE_PTE_PRESENT)
        pte &= ~(TRACE_PTE_MFN(~0ull) << 12);
    if (text_name(o, name))
        trace_put_pte(o->text, pte);
    if (json_name(o, name))
        g_string_append_printf(o->json, "\"0x%" PRIx64 "\"", pte);
}

void trace_out_pte(struct trace_out *o, const char *name, uint64_t pte)
{
    put_pte(o, name, pte);
    touch_pte(o, pte, mapped(pte));
}

void trace_out_old_pte(struct trace_out *o, const char *name, uint64_t pte, uint64_t new)
{
    put_pte(o, name, pte);
    touch_pte(o, new, mapped(new)); /* it counts if both have the frame */
    touch_pte(o, pte, "unmapped");
}
