/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Items, each a varint that says what it is, a length and so many bytes; a reader skips those
 * that it does not know.
 */
#include "traces/description.h"

#include "traces/pack.h"
#include "traces/schema.h"

#define TEXT_MAX   (1u << 20)
#define IMAGES_MAX 4096u
#define VCPUS_MAX  256u

enum item {
    ITEM_PROGRAM = 1,
    ITEM_CONFIG = 2,
    ITEM_CONFIG_NAME = 3,
    ITEM_CPU_MODEL = 4,
    ITEM_SEED = 5,
    ITEM_FREQUENCY = 6,
    ITEM_VCPUS = 7,
    ITEM_HAS_INPUT = 8,
    ITEM_HASH_INSNS = 9,
    ITEM_KIND = 10,  /* repeated */
    ITEM_IMAGE = 11, /* repeated, in order */
    ITEM_SCHEMA = 12,
    ITEM_STATE_NUMBER = 13,
    ITEM_PROFILE = 14
};

struct trace_description *trace_description_new(void)
{
    struct trace_description *d = g_new0(struct trace_description, 1);

    d->images = g_array_new(FALSE, TRUE, sizeof(struct trace_image));
    return d;
}

void trace_description_free(struct trace_description *d)
{
    if (!d)
        return;
    for (guint i = 0; i < d->images->len; i++) {
        struct trace_image *image = &g_array_index(d->images, struct trace_image, i);

        g_free((char *)image->name);
        g_free((char *)image->path);
        g_free((uint8_t *)image->build_id);
    }
    g_array_unref(d->images);
    if (d->owns_schema)
        trace_schema_free(d->schema);
    g_strfreev(d->kinds);
    g_free(d->program);
    g_free(d->config);
    g_free(d->config_name);
    g_free(d->cpu_model);
    g_free(d->profile);
    g_free(d);
}

void trace_description_add_image(struct trace_description *d, const struct trace_image *image)
{
    struct trace_image copy = *image;

    copy.name = g_strdup(image->name);
    copy.path = g_strdup(image->path);
    copy.build_id =
        image->build_id_bytes ? g_memdup2(image->build_id, image->build_id_bytes) : NULL;
    g_array_append_val(d->images, copy);
}

/* --- writing ------------------------------------------------------------------------------- */

static void put_text(GByteArray *out, enum item item, const char *text)
{
    pack_varint(out, item);
    pack_text(out, text ? text : "");
}

static void put_number(GByteArray *out, enum item item, uint64_t value)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    pack_varint(body, value);
    pack_varint(out, item);
    pack_bytes(out, body->data, body->len);
}

static void put_image(GByteArray *out, const struct trace_image *image)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    pack_text(body, image->name);
    pack_text(body, image->path);
    pack_varint(body, image->size_bytes);
    g_byte_array_append(body, image->sha256, sizeof(image->sha256));
    pack_bytes(body, image->build_id, image->build_id_bytes);
    pack_varint(body, image->packed);
    pack_varint(out, ITEM_IMAGE);
    pack_bytes(out, body->data, body->len);
}

GByteArray *trace_description_put(const struct trace_description *d)
{
    GByteArray *out = g_byte_array_new();
    g_autoptr(GByteArray) schema = g_byte_array_new();

    put_text(out, ITEM_PROGRAM, d->program);
    put_text(out, ITEM_CONFIG, d->config);
    put_text(out, ITEM_CONFIG_NAME, d->config_name);
    put_text(out, ITEM_CPU_MODEL, d->cpu_model);
    put_number(out, ITEM_SEED, d->seed);
    put_number(out, ITEM_FREQUENCY, d->frequency_hz);
    put_number(out, ITEM_VCPUS, d->vcpus);
    put_number(out, ITEM_HAS_INPUT, d->has_input);
    put_number(out, ITEM_HASH_INSNS, d->hash_insns);
    put_number(out, ITEM_STATE_NUMBER, d->state_number);
    if (d->profile)
        put_text(out, ITEM_PROFILE, d->profile);
    for (unsigned i = 0; d->kinds && d->kinds[i]; i++)
        put_text(out, ITEM_KIND, d->kinds[i]);
    for (guint i = 0; i < d->images->len; i++)
        put_image(out, &g_array_index(d->images, struct trace_image, i));
    trace_schema_put(d->schema ? d->schema : trace_schema_builtin(), schema);
    pack_varint(out, ITEM_SCHEMA);
    pack_bytes(out, schema->data, schema->len);
    return out;
}

/* --- reading ------------------------------------------------------------------------------- */

static bool get_text(char **text, const struct unpack *body)
{
    if (*text || body->left > TEXT_MAX || memchr(body->at, 0, body->left))
        return false;
    *text = g_strndup((const char *)body->at, body->left);
    return true;
}

static bool get_image(struct trace_description *d, struct unpack *body)
{
    struct trace_image image = {0};
    const uint8_t *sha256, *build_id;
    uint64_t id_bytes;

    if (d->images->len >= IMAGES_MAX)
        return false;
    image.name = unpack_text(body, TEXT_MAX);
    image.path = unpack_text(body, TEXT_MAX);
    image.size_bytes = unpack_varint(body);
    sha256 = unpack_take(body, sizeof(image.sha256));
    id_bytes = unpack_varint(body);
    build_id = unpack_take(body, id_bytes);
    image.build_id_bytes = (unsigned)id_bytes;
    image.packed = unpack_varint(body) != 0;
    if (!body->bad) {
        memcpy(image.sha256, sha256, sizeof(image.sha256));
        if (image.build_id_bytes)
            image.build_id = g_memdup2(build_id, image.build_id_bytes);
    } else {
        image.build_id_bytes = 0;
    }
    g_array_append_val(d->images, image); /* owned, whole or not */
    return !body->bad;
}

static bool get_kind(GPtrArray *kinds, const struct unpack *body)
{
    char *name = NULL;

    if (kinds->len > TRACE_KIND_MAX || !get_text(&name, body))
        return false;
    g_ptr_array_add(kinds, name);
    return true;
}

static bool get_schema(struct trace_description *d, struct unpack *body)
{
    if (d->schema)
        return false;
    d->schema = trace_schema_get(body);
    d->owns_schema = true;
    return d->schema != NULL;
}

static bool get_item(struct trace_description *d, GPtrArray *kinds, uint64_t item,
                     struct unpack *body)
{
    uint64_t number;

    switch (item) {
    case ITEM_PROGRAM:
        return get_text(&d->program, body);
    case ITEM_CONFIG:
        return get_text(&d->config, body);
    case ITEM_CONFIG_NAME:
        return get_text(&d->config_name, body);
    case ITEM_CPU_MODEL:
        return get_text(&d->cpu_model, body);
    case ITEM_SEED:
        d->seed = unpack_varint(body);
        break;
    case ITEM_FREQUENCY:
        d->frequency_hz = unpack_varint(body);
        break;
    case ITEM_VCPUS:
        number = unpack_varint(body);
        d->vcpus = number <= VCPUS_MAX ? (unsigned)number : 0;
        break;
    case ITEM_HAS_INPUT:
        d->has_input = unpack_varint(body) != 0;
        break;
    case ITEM_HASH_INSNS:
        d->hash_insns = unpack_varint(body);
        break;
    case ITEM_STATE_NUMBER:
        d->state_number = unpack_varint(body);
        break;
    case ITEM_KIND:
        return get_kind(kinds, body);
    case ITEM_IMAGE:
        return get_image(d, body);
    case ITEM_PROFILE:
        return get_text(&d->profile, body);
    case ITEM_SCHEMA:
        return get_schema(d, body);
    default:
        break;
    }
    return !body->bad;
}

struct trace_description *trace_description_get(const void *data, size_t size_bytes)
{
    struct trace_description *d = trace_description_new();
    GPtrArray *kinds = g_ptr_array_new();
    struct unpack in = unpack_init(data, size_bytes);
    bool good = true;

    while (good && in.left) {
        uint64_t item = unpack_varint(&in), body_bytes = unpack_varint(&in);
        const uint8_t *body = unpack_take(&in, body_bytes);
        struct unpack u;

        if (!body) {
            good = false;
            break;
        }
        u = unpack_init(body, (size_t)body_bytes);
        good = get_item(d, kinds, item, &u);
    }
    g_ptr_array_add(kinds, NULL);
    d->kinds = (char **)g_ptr_array_free(kinds, FALSE);
    if (good && d->program && d->config && d->config_name && d->cpu_model && d->schema &&
        d->vcpus >= 1)
        return d;
    trace_description_free(d);
    return NULL;
}
