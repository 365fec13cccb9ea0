/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Common Trace Format 1.8: metadata in TSDL, and for each vCPU of the machine a stream of
 * packets.  Every kind of event is an event class, with the fields of the trace's own schema;
 * all is little-endian and aligned to bytes.
 *
 * Time in a stream must not run backwards.  That of one vCPU does not, but for events that an
 * observer reports late; these get the time of the one before, and keep their own in the
 * context field `virtual_ns`.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "sim/base/types.h"
#include "traces/export_internal.h"

#define PACKET_BYTES 262144u /* a packet is written when it has grown to this */
#define MAGIC        0xc1fc1fc1u

struct stream {
    struct export_file file;
    GByteArray *packet; /* header, context and events */
    uint64_t begin_ns, end_ns;
    bool used;
};

struct ctf {
    const struct trace_schema *schema;
    uint8_t uuid[16];
    struct stream *stream;
    unsigned streams;
};

/* --- numbers in a packet ------------------------------------------------------------------- */

static void put(GByteArray *to, uint64_t value, unsigned bytes)
{
    uint8_t raw[8];

    for (unsigned i = 0; i < bytes; i++)
        raw[i] = (uint8_t)(value >> 8 * i);
    g_byte_array_append(to, raw, bytes);
}

static void patch64(GByteArray *to, unsigned at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        to->data[at + i] = (uint8_t)(value >> 8 * i);
}

/* --- metadata ------------------------------------------------------------------------------ */

/* A text between quotes. */
static void put_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, (uint8_t)*text < 0x20 ? ' ' : *text);
    }
    g_string_append_c(out, '"');
}

static void put_enum(GString *out, const char *type, const struct trace_field *f)
{
    if (!f->name_count) {
        g_string_append(out, type);
        return;
    }
    g_string_append_printf(out, "enum : %s { ", type);
    for (unsigned i = 0; i < f->name_count; i++) {
        g_string_append(out, i ? ", " : "");
        put_quoted(out, f->names[i].name);
        g_string_append_printf(out, " = %" PRIu64, f->names[i].value);
    }
    g_string_append(out, " }");
}

/* Field names begin with an underscore, which readers take off: any word is allowed then. */
static void put_field(GString *out, const struct trace_field *f)
{
    const char *n = f->name;

    g_string_append(out, "        ");
    switch (f->type) {
    case TRACE_TYPE_I64:
        g_string_append_printf(out, "int64 _%s;\n", n);
        break;
    case TRACE_TYPE_HEX:
    case TRACE_TYPE_MFN:
        g_string_append_printf(out, "hex64 _%s;\n", n);
        break;
    case TRACE_TYPE_DOMID:
        g_string_append_printf(out, "uint16 _%s;\n", n);
        break;
    case TRACE_TYPE_BOOL:
        g_string_append_printf(out, "uint8 _%s;\n", n);
        break;
    case TRACE_TYPE_ENUM:
        put_enum(out, "uint64", f);
        g_string_append_printf(out, " _%s;\n", n);
        break;
    case TRACE_TYPE_TEXT:
        g_string_append_printf(out, "uint32 __%s_length;\n        text8 _%s[__%s_length];\n", n, n, n);
        break;
    case TRACE_TYPE_BYTES:
        g_string_append_printf(out, "uint32 __%s_length;\n        hex8 _%s[__%s_length];\n", n, n, n);
        break;
    case TRACE_TYPE_BLOBS:
        g_string_append_printf(out, "uint32 __%s_length;\n        struct {\n            ", n);
        put_enum(out, "uint16", f);
        g_string_append_printf(out,
                               " _role;\n            uint8 _stage;\n            hex64 _gva;\n"
                               "            uint32 __data_length;\n"
                               "            hex8 _data[__data_length];\n"
                               "        } _%s[__%s_length];\n",
                               n, n);
        break;
    case TRACE_TYPE_U64:
    default:
        g_string_append_printf(out, "uint64 _%s;\n", n);
    }
}

static void put_kind(GString *out, const struct trace_kind *kind)
{
    g_string_append(out, "event {\n    name = ");
    put_quoted(out, kind->name);
    g_string_append_printf(out, ";\n    id = %u;\n    stream_id = 0;\n    fields := struct {\n",
                           kind->id);
    for (unsigned i = 0; i < kind->fields; i++)
        put_field(out, &kind->field[i]);
    g_string_append(out, "    };\n};\n\n");
}

static const char types[] =
    "typealias integer { size = 8; align = 8; signed = false; } := uint8;\n"
    "typealias integer { size = 8; align = 8; signed = false; base = 16; } := hex8;\n"
    "typealias integer { size = 8; align = 8; signed = false; encoding = UTF8; } := text8;\n"
    "typealias integer { size = 16; align = 8; signed = false; } := uint16;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := uint32;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := uint64;\n"
    "typealias integer { size = 64; align = 8; signed = true; } := int64;\n"
    "typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex64;\n\n";

static const char stream_class[] =
    "stream {\n    id = 0;\n"
    "    packet.context := struct {\n"
    "        uint64 packet_size;\n        uint64 content_size;\n"
    "        stamp timestamp_begin;\n        stamp timestamp_end;\n"
    "        uint32 cpu_id;\n    };\n"
    "    event.header := struct {\n        uint16 id;\n        stamp timestamp;\n    };\n"
    "    event.context := struct {\n"
    "        uint64 _number;\n        uint64 _insns;\n        uint64 _virtual_ns;\n"
    "        uint16 _domain;\n        uint16 _domain_vcpu;\n    };\n"
    "};\n\n";

static void put_metadata(GString *out, const struct ctf *c, const char *name)
{
    g_autofree char *uuid = g_strdup_printf(
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", c->uuid[0],
        c->uuid[1], c->uuid[2], c->uuid[3], c->uuid[4], c->uuid[5], c->uuid[6], c->uuid[7],
        c->uuid[8], c->uuid[9], c->uuid[10], c->uuid[11], c->uuid[12], c->uuid[13], c->uuid[14],
        c->uuid[15]);

    g_string_append(out, "/* CTF 1.8 */\n\n");
    g_string_append(out, types);
    g_string_append_printf(out,
                           "trace {\n    major = 1;\n    minor = 8;\n    uuid = \"%s\";\n"
                           "    byte_order = le;\n    packet.header := struct {\n"
                           "        uint32 magic;\n        uint8 uuid[16];\n"
                           "        uint32 stream_id;\n    };\n};\n\n",
                           uuid);
    g_string_append(out, "env {\n    tracer_name = \"paravane\";\n    trace_name = ");
    put_quoted(out, name);
    g_string_append_printf(out,
                           ";\n};\n\nclock {\n    name = virtual;\n    uuid = \"%s\";\n"
                           "    description = \"virtual time since power-on\";\n"
                           "    freq = 1000000000;\n    offset_s = 0;\n    offset = 0;\n};\n\n",
                           uuid);
    g_string_append(out, "typealias integer { size = 64; align = 8; signed = false; "
                         "map = clock.virtual.value; } := stamp;\n\n");
    g_string_append(out, stream_class);
    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++)
        if (c->schema->kind[i])
            put_kind(out, c->schema->kind[i]);
}

static gboolean write_metadata(const struct ctf *c, const char *folder, const char *name,
                               GError **error)
{
    g_autofree char *path = g_build_filename(folder, "metadata", NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    struct export_file file = {0};

    put_metadata(text, c, name);
    if (!export_file_open(&file, path, error))
        return FALSE;
    if (export_file_write(&file, text->str, text->len, error))
        return export_file_close(&file, error);
    export_file_close(&file, NULL);
    return FALSE;
}

/* --- packets ------------------------------------------------------------------------------- */

#define PACKET_SIZE_AT 24 /* behind magic, uuid, stream_id */

static void begin_packet(const struct ctf *c, struct stream *s, unsigned vcpu, uint64_t ns)
{
    g_byte_array_set_size(s->packet, 0);
    put(s->packet, MAGIC, 4);
    g_byte_array_append(s->packet, c->uuid, sizeof(c->uuid));
    put(s->packet, 0, 4);
    put(s->packet, 0, 8); /* sizes and end are known later */
    put(s->packet, 0, 8);
    put(s->packet, ns, 8);
    put(s->packet, 0, 8);
    put(s->packet, vcpu, 4);
    s->begin_ns = s->end_ns = ns;
    s->used = true;
}

static gboolean end_packet(struct stream *s, GError **error)
{
    if (!s->used)
        return TRUE;
    s->used = false;
    patch64(s->packet, PACKET_SIZE_AT, 8ull * s->packet->len);
    patch64(s->packet, PACKET_SIZE_AT + 8, 8ull * s->packet->len);
    patch64(s->packet, PACKET_SIZE_AT + 24, s->end_ns);
    return export_file_write(&s->file, s->packet->data, s->packet->len, error);
}

static void put_blobs(GByteArray *to, const struct trace_value *value)
{
    put(to, value->u64, 4);
    for (uint64_t i = 0; i < value->u64; i++) {
        const struct trace_blob *blob = &value->blob[i];

        put(to, blob->role, 2);
        put(to, blob->stage, 1);
        put(to, blob->gva, 8);
        put(to, blob->size_bytes, 4);
        g_byte_array_append(to, blob->data, blob->size_bytes);
    }
}

static void put_value(GByteArray *to, const struct trace_field *f, const struct trace_value *value)
{
    switch (f->type) {
    case TRACE_TYPE_DOMID:
        return put(to, value->u64, 2);
    case TRACE_TYPE_BOOL:
        return put(to, value->u64 != 0, 1);
    case TRACE_TYPE_TEXT:
    case TRACE_TYPE_BYTES:
        put(to, value->u64, 4);
        if (value->u64)
            g_byte_array_append(to, value->bytes, (guint)value->u64);
        return;
    case TRACE_TYPE_BLOBS:
        return put_blobs(to, value);
    default:
        return put(to, value->u64, 8);
    }
}

static gboolean ctf_event(void *state, const struct trace_event *e, GError **error)
{
    struct ctf *c = state;
    struct stream *s = &c->stream[MIN(e->vcpu, c->streams - 1)];
    uint64_t ns = MAX(e->virtual_ns, s->end_ns);

    if (s->used && s->packet->len >= PACKET_BYTES && !end_packet(s, error))
        return FALSE;
    if (!s->used)
        begin_packet(c, s, e->vcpu, ns);
    s->end_ns = ns;
    put(s->packet, e->kind->id, 2);
    put(s->packet, ns, 8);
    put(s->packet, e->number, 8);
    put(s->packet, e->insns, 8);
    put(s->packet, e->virtual_ns, 8);
    put(s->packet, e->domid, 2);
    put(s->packet, e->dom_vcpu, 2);
    for (unsigned i = 0; i < e->kind->fields; i++)
        put_value(s->packet, &e->kind->field[i], &e->value[i]);
    return TRUE;
}

/* --- the folder ---------------------------------------------------------------------------- */

static gboolean ctf_close(void *state, GError **error)
{
    struct ctf *c = state;
    gboolean good = TRUE;

    for (unsigned i = 0; i < c->streams; i++) {
        struct stream *s = &c->stream[i];

        if (s->file.file) {
            good = good && end_packet(s, error);
            good = export_file_close(&s->file, good ? error : NULL) && good;
        }
        if (s->packet)
            g_byte_array_unref(s->packet);
    }
    g_free(c->stream);
    g_free(c);
    return good;
}

/* An empty folder, so that nothing else is read as a stream of this trace. */
static gboolean make_folder(const char *path, GError **error)
{
    g_autoptr(GDir) folder = NULL;

    if (g_mkdir(path, 0777) == 0)
        return TRUE;
    if (errno == EEXIST) {
        folder = g_dir_open(path, 0, NULL);
        if (folder && !g_dir_read_name(folder))
            return TRUE;
        errno = folder ? ENOTEMPTY : ENOTDIR;
    }
    g_set_error(error, TRACE_EXPORT_ERROR, TRACE_EXPORT_ERROR_FILE, "%s: %s", path,
                g_strerror(errno));
    return FALSE;
}

static void make_uuid(struct ctf *c, const struct trace_export_info *info)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_MD5);
    gsize size = sizeof(c->uuid);

    g_checksum_update(sum, (const guchar *)info->name, -1);
    g_checksum_get_digest(sum, c->uuid, &size);
    c->uuid[6] = (c->uuid[6] & 0xf) | 0x30; /* RFC 9562: version 3, from a name */
    c->uuid[8] = (c->uuid[8] & 0x3f) | 0x80;
}

static void *ctf_open(const char *path, const struct trace_export_info *info, GError **error)
{
    struct ctf *c;

    if (!make_folder(path, error))
        return NULL;
    c = g_new0(struct ctf, 1);
    c->schema = info->schema;
    c->streams = MAX(info->vcpus, 1);
    c->stream = g_new0(struct stream, c->streams);
    make_uuid(c, info);
    for (unsigned i = 0; i < c->streams; i++) {
        g_autofree char *name = g_strdup_printf("vcpu_%u", i);
        g_autofree char *file = g_build_filename(path, name, NULL);

        c->stream[i].packet = g_byte_array_new();
        if (!export_file_open(&c->stream[i].file, file, error))
            goto fail;
    }
    if (write_metadata(c, path, info->name, error))
        return c;
fail:
    ctf_close(c, NULL);
    return NULL;
}

const struct export_format export_ctf = {"ctf", ctf_open, ctf_event, ctf_close};
