/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kinds, then for each: id, name, help, fields, then for each: name, type, near, names, then
 * for each: value, name.  All numbers are varints.
 */
#include "traces/schema.h"

#define TEXT_MAX  256u
#define NAMES_MAX 4096u

static void put_field(const struct trace_field *field, GByteArray *out)
{
    pack_text(out, field->name);
    pack_varint(out, field->type);
    pack_varint(out, field->near);
    pack_varint(out, field->name_count);
    for (unsigned i = 0; i < field->name_count; i++) {
        pack_varint(out, field->names[i].value);
        pack_text(out, field->names[i].name);
    }
}

void trace_schema_put(const struct trace_schema *schema, GByteArray *out)
{
    unsigned kinds = 0;

    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        kinds += schema->kind[k] != NULL;
    pack_varint(out, kinds);
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++) {
        const struct trace_kind *kind = schema->kind[k];

        if (!kind)
            continue;
        pack_varint(out, kind->id);
        pack_text(out, kind->name);
        pack_text(out, kind->help);
        pack_varint(out, kind->fields);
        for (unsigned i = 0; i < kind->fields; i++)
            put_field(&kind->field[i], out);
    }
}

static void field_clear(const struct trace_field *field)
{
    for (unsigned i = 0; i < field->name_count; i++)
        g_free((char *)field->names[i].name);
    g_free((struct trace_name *)field->names);
    g_free((char *)field->name);
}

static void kind_free(const struct trace_kind *kind)
{
    for (unsigned i = 0; i < kind->fields; i++)
        field_clear(&kind->field[i]);
    g_free((struct trace_field *)kind->field);
    g_free((char *)kind->name);
    g_free((char *)kind->help);
    g_free((struct trace_kind *)kind);
}

void trace_schema_free(struct trace_schema *schema)
{
    if (!schema)
        return;
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        if (schema->kind[k])
            kind_free(schema->kind[k]);
    g_free(schema);
}

static bool get_field(struct unpack *in, struct trace_field *field, unsigned index)
{
    uint64_t type, near, count;
    struct trace_name *names;

    field->name = unpack_text(in, TEXT_MAX);
    type = unpack_varint(in);
    near = unpack_varint(in);
    count = unpack_varint(in);
    /* a name takes two bytes at least */
    if (in->bad || type < TRACE_TYPE_U64 || type > TRACE_TYPE_BLOBS || near > index ||
        count > NAMES_MAX || count > in->left / 2)
        return false;
    field->type = (enum trace_type)type;
    field->near = (uint8_t)near;
    field->names = names = g_new0(struct trace_name, count);
    for (; field->name_count < count && !in->bad; field->name_count++) {
        names[field->name_count].value = unpack_varint(in);
        names[field->name_count].name = unpack_text(in, TEXT_MAX);
    }
    return !in->bad;
}

/* A decoder has room for the blobs of one field. */
static bool has_one_blobs_field(const struct trace_kind *kind)
{
    unsigned n = 0;

    for (unsigned i = 0; i < kind->fields; i++)
        n += kind->field[i].type == TRACE_TYPE_BLOBS;
    return n <= 1;
}

static bool get_kind(struct unpack *in, struct trace_schema *schema)
{
    uint64_t id = unpack_varint(in), fields;
    struct trace_field *field;
    struct trace_kind *kind;

    if (in->bad || id == 0 || id > TRACE_KIND_MAX || schema->kind[id])
        return false;
    schema->kind[id] = kind = g_new0(struct trace_kind, 1);
    kind->id = (uint16_t)id;
    kind->name = unpack_text(in, TEXT_MAX);
    kind->help = unpack_text(in, TEXT_MAX);
    fields = unpack_varint(in);
    if (in->bad || fields > TRACE_FIELDS_MAX)
        return false;
    kind->field = field = g_new0(struct trace_field, fields);
    while (kind->fields < fields) {
        unsigned index = kind->fields++; /* kind_free() takes the half-read one as well */

        if (!get_field(in, &field[index], index))
            return false;
    }
    return has_one_blobs_field(kind);
}

struct trace_schema *trace_schema_get(struct unpack *in)
{
    struct trace_schema *schema = g_new0(struct trace_schema, 1);
    uint64_t kinds = unpack_varint(in);

    for (; kinds && !in->bad; kinds--) {
        if (!get_kind(in, schema)) {
            in->bad = true;
            break;
        }
    }
    if (!in->bad)
        return schema;
    trace_schema_free(schema);
    return NULL;
}
