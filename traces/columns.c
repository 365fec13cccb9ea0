/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is expected of a value
 *
 *   instant     of the event before, whatever its kind; virtual time goes on with instructions
 *   first field its value in the last event of the same kind
 *   numbers     the field's value in the last event of the same kind and the same *context*:
 *               the low 6 bits of the first field, if that is an enumeration (so a hypercall
 *               is compared with the last one of its number)
 *   near        a field that says so is expected as far from its neighbour as last time
 *   blob words  the word @stride words before, in arrays of structures; else the same word of
 *               the last blob of its role
 *
 * Encoder and decoder hold the same memory of the past (struct past), and lose it at the end
 * of a frame.
 */
#include "traces/columns.h"

#include "sim/base/assert.h"
#include "sim/base/types.h"
#include "traces/pack.h"

#define CONTEXTS   64
#define ROLES      64
#define PAST_WORDS 32 /* of a blob */

/* Columns of all events, as kind 0. */
enum { COLUMN_KIND, COLUMN_INSNS, COLUMN_NS, COLUMN_VCPU, COLUMN_DOMID, COLUMN_DOM_VCPU, COLUMNS };

/* A field's columns: numbers, lengths and what blobs are; and the bytes. */
#define COLUMN_OF(field)      ((field)*2)
#define COLUMN_DATA_OF(field) ((field)*2 + 1)
#define KIND_COLUMNS          (TRACE_FIELDS_MAX * 2)

struct past_role {
    uint64_t gva;
    uint64_t word[PAST_WORDS];
};

struct past {
    uint64_t first;
    uint64_t value[CONTEXTS][TRACE_FIELDS_MAX];
    struct past_role role[ROLES];
};

struct instant {
    uint64_t insns, ns, vcpu, domid, dom_vcpu;
};

static unsigned context_of(const struct trace_kind *kind, uint64_t first)
{
    return kind->fields && kind->field[0].type == TRACE_TYPE_ENUM ? first % CONTEXTS : 0;
}

static bool is_number(enum trace_type type)
{
    return type != TRACE_TYPE_TEXT && type != TRACE_TYPE_BYTES && type != TRACE_TYPE_BLOBS;
}

/* Of field number @index of an event whose earlier fields are in @value. */
static uint64_t expected(const struct trace_kind *kind, unsigned index, const struct past *past,
                         const struct trace_value *value)
{
    const uint64_t *last = past->value[context_of(kind, value[0].u64)];
    unsigned near = kind->field[index].near;

    if (index == 0)
        return past->first;
    return near ? last[index] - last[near - 1] + value[near - 1].u64 : last[index];
}

static void remember(const struct trace_kind *kind, struct past *past,
                     const struct trace_value *value)
{
    uint64_t *last = past->value[context_of(kind, value[0].u64)];

    past->first = value[0].u64;
    for (unsigned i = 1; i < kind->fields; i++)
        last[i] = value[i].u64;
}

/* Words of one element of the arrays that are long or frequent. */
static unsigned stride_of(unsigned role)
{
    switch (role) {
    case TRACE_ROLE_MMU_UPDATE:
    case TRACE_ROLE_TRAP_INFO:
        return 2;
    case TRACE_ROLE_MMUEXT_OP:
        return 3;
    case TRACE_ROLE_MULTICALL_ENTRY:
        return 8;
    case TRACE_ROLE_FRAME_LIST:
        return 1;
    default:
        return 0;
    }
}

/* --- encoding ------------------------------------------------------------------------------ */

struct stream {
    uint8_t *data;
    size_t used, room;
};

struct kind_columns {
    struct stream column[KIND_COLUMNS];
    struct past past;
    bool used;
};

struct trace_encoder {
    uint32_t count;
    size_t bytes;
    struct instant last;
    struct stream common[COLUMNS];
    struct kind_columns *kind[TRACE_KIND_MAX + 1]; /* made when the first event comes */
};

static uint8_t *stream_room(struct stream *s, size_t size_bytes)
{
    if (base_unlikely(s->room - s->used < size_bytes)) {
        s->room = MAX(s->room * 2, s->used + size_bytes + 256);
        s->data = g_realloc(s->data, s->room);
    }
    return s->data + s->used;
}

static void put_varint(struct stream *s, uint64_t v)
{
    uint8_t *p = stream_room(s, PACK_VARINT_MAX);

    s->used += (size_t)(pack_varint_to(p, v) - p);
}

static void put_delta(struct stream *s, uint64_t value, uint64_t from)
{
    put_varint(s, pack_zigzag(value - from));
}

static void put_bytes(struct stream *s, const void *data, size_t size_bytes)
{
    if (!size_bytes)
        return;
    memcpy(stream_room(s, size_bytes), data, size_bytes);
    s->used += size_bytes;
}

struct trace_encoder *trace_encoder_new(void)
{
    return g_new0(struct trace_encoder, 1);
}

void trace_encoder_free(struct trace_encoder *e)
{
    if (!e)
        return;
    for (unsigned i = 0; i < COLUMNS; i++)
        g_free(e->common[i].data);
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++) {
        for (unsigned i = 0; e->kind[k] && i < KIND_COLUMNS; i++)
            g_free(e->kind[k]->column[i].data);
        g_free(e->kind[k]);
    }
    g_free(e);
}

static uint64_t load_word(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return GUINT64_FROM_LE(v);
}

static void put_words(struct stream *s, const struct trace_blob *blob, unsigned stride,
                      struct past_role *past)
{
    uint32_t words = blob->size_bytes / 8;

    for (uint32_t i = 0; i < words; i++) {
        uint64_t v = load_word(blob->data + 8 * (size_t)i), from;

        if (stride && i >= stride)
            from = load_word(blob->data + 8 * (size_t)(i - stride));
        else
            from = i < PAST_WORDS ? past->word[i] : 0;
        put_delta(s, v, from);
    }
    for (uint32_t i = 0; i < words && i < PAST_WORDS; i++)
        past->word[i] = load_word(blob->data + 8 * (size_t)i);
    put_bytes(s, blob->data + 8 * (size_t)words, blob->size_bytes % 8);
}

static void put_blobs(struct stream *meta, struct stream *data, const struct trace_value *value,
                      struct past *past)
{
    put_varint(meta, value->u64);
    for (uint64_t i = 0; i < value->u64; i++) {
        const struct trace_blob *blob = &value->blob[i];
        struct past_role *p = &past->role[blob->role % ROLES];
        unsigned stride = stride_of(blob->role);

        put_varint(meta, (uint64_t)blob->role << 1 | (blob->stage & 1));
        put_varint(meta, stride);
        put_varint(meta, blob->size_bytes);
        put_delta(meta, blob->gva, p->gva);
        p->gva = blob->gva;
        put_words(data, blob, stride, p);
    }
}

static void put_instant(struct trace_encoder *e, const struct trace_event *event)
{
    struct instant *last = &e->last;
    uint64_t insns = event->insns - last->insns;

    put_varint(&e->common[COLUMN_KIND], event->kind->id);
    put_varint(&e->common[COLUMN_INSNS], pack_zigzag(insns));
    put_delta(&e->common[COLUMN_NS], event->virtual_ns - last->ns, insns);
    put_delta(&e->common[COLUMN_VCPU], event->vcpu, last->vcpu);
    put_delta(&e->common[COLUMN_DOMID], event->domid, last->domid);
    put_delta(&e->common[COLUMN_DOM_VCPU], event->dom_vcpu, last->dom_vcpu);
    *last = (struct instant){event->insns, event->virtual_ns, event->vcpu, event->domid,
                             event->dom_vcpu};
}

static struct kind_columns *columns_of(struct trace_encoder *e, unsigned id)
{
    if (base_unlikely(!e->kind[id]))
        e->kind[id] = g_new0(struct kind_columns, 1);
    e->kind[id]->used = true;
    return e->kind[id];
}

void trace_encoder_add(struct trace_encoder *e, const struct trace_event *event)
{
    const struct trace_kind *kind = event->kind;
    struct kind_columns *k = columns_of(e, kind->id);

    put_instant(e, event);
    for (unsigned i = 0; i < kind->fields; i++) {
        const struct trace_field *field = &kind->field[i];
        const struct trace_value *value = &event->value[i];
        struct stream *column = &k->column[COLUMN_OF(i)], *data = &k->column[COLUMN_DATA_OF(i)];

        if (is_number(field->type)) {
            put_delta(column, value->u64, expected(kind, i, &k->past, event->value));
            e->bytes++;
        } else if (field->type == TRACE_TYPE_BLOBS) {
            e->bytes -= data->used;
            put_blobs(column, data, value, &k->past);
            e->bytes += data->used;
        } else {
            put_varint(column, value->u64);
            put_bytes(data, value->bytes, (size_t)value->u64);
            e->bytes += (size_t)value->u64;
        }
    }
    remember(kind, &k->past, event->value);
    e->bytes += COLUMNS;
    e->count++;
}

uint32_t trace_encoder_count(const struct trace_encoder *e)
{
    return e->count;
}

size_t trace_encoder_bytes(const struct trace_encoder *e)
{
    return e->bytes;
}

/* The table of columns: kind, column, bytes of each that is not empty; a kind of 0 behind the
 * common ones ends it. */
static void put_table(GByteArray *out, unsigned kind, const struct stream *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!s[i].used)
            continue;
        pack_varint(out, kind);
        pack_varint(out, i);
        pack_varint(out, s[i].used);
    }
}

static void put_columns(GByteArray *out, struct stream *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (s[i].used)
            g_byte_array_append(out, s[i].data, (guint)s[i].used);
        s[i].used = 0;
    }
}

GByteArray *trace_encoder_finish(struct trace_encoder *e)
{
    GByteArray *out = g_byte_array_sized_new((guint)e->bytes + 4096);
    GByteArray *table = g_byte_array_new();

    put_table(table, 0, e->common, COLUMNS);
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        if (e->kind[k] && e->kind[k]->used)
            put_table(table, k, e->kind[k]->column, KIND_COLUMNS);
    pack_bytes(out, table->data, table->len);
    g_byte_array_unref(table);
    put_columns(out, e->common, COLUMNS);
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++) {
        if (!e->kind[k] || !e->kind[k]->used)
            continue;
        put_columns(out, e->kind[k]->column, KIND_COLUMNS);
        memset(&e->kind[k]->past, 0, sizeof(e->kind[k]->past));
        e->kind[k]->used = false;
    }
    e->last = (struct instant){0};
    e->count = 0;
    e->bytes = 0;
    return out;
}

/* --- decoding ------------------------------------------------------------------------------ */

struct kind_reader {
    struct unpack column[KIND_COLUMNS];
    struct past past;
};

struct trace_decoder {
    const struct trace_schema *schema;
    GBytes *payload;
    uint32_t left;
    uint64_t next_number;
    struct instant last;
    struct unpack common[COLUMNS];
    struct kind_reader *kind[TRACE_KIND_MAX + 1];
    struct trace_event event;
    struct trace_blob blob[TRACE_EVENT_BLOBS_MAX];
    GByteArray *arena; /* words of blobs; room for all of an event before it is decoded */
};

/* Where the column is remembered; NULL if there can be no such column. */
static struct unpack *column_slot(struct trace_decoder *d, uint64_t kind, uint64_t column)
{
    if (kind == 0)
        return column < COLUMNS ? &d->common[column] : NULL;
    if (kind > TRACE_KIND_MAX || !d->schema->kind[kind] || column >= KIND_COLUMNS)
        return NULL;
    if (!d->kind[kind])
        d->kind[kind] = g_new0(struct kind_reader, 1);
    return &d->kind[kind]->column[column];
}

static bool read_table(struct trace_decoder *d, struct unpack *in)
{
    uint64_t table_bytes = unpack_varint(in);
    const uint8_t *start = unpack_take(in, table_bytes);
    struct unpack table;

    if (!start)
        return false;
    table = unpack_init(start, (size_t)table_bytes);
    while (table.left && !table.bad) {
        uint64_t kind = unpack_varint(&table), column = unpack_varint(&table);
        uint64_t size_bytes = unpack_varint(&table);
        struct unpack *slot = table.bad ? NULL : column_slot(d, kind, column);
        const uint8_t *data = slot ? unpack_take(in, size_bytes) : NULL;

        if (!data || slot->at)
            return false;
        *slot = unpack_init(data, (size_t)size_bytes);
    }
    return !table.bad && in->left == 0;
}

struct trace_decoder *trace_decoder_new(const struct trace_schema *schema, GBytes *payload,
                                        uint32_t count, uint64_t first)
{
    struct trace_decoder *d = g_new0(struct trace_decoder, 1);
    size_t size_bytes;
    const void *data = g_bytes_get_data(payload, &size_bytes);
    struct unpack in = unpack_init(data, size_bytes);

    d->schema = schema;
    d->payload = g_bytes_ref(payload);
    d->left = count;
    d->next_number = first;
    d->arena = g_byte_array_new();
    if (read_table(d, &in) && count <= d->common[COLUMN_KIND].left)
        return d;
    trace_decoder_free(d);
    return NULL;
}

void trace_decoder_free(struct trace_decoder *d)
{
    if (!d)
        return;
    for (unsigned k = 0; k <= TRACE_KIND_MAX; k++)
        g_free(d->kind[k]);
    g_byte_array_unref(d->arena);
    g_bytes_unref(d->payload);
    g_free(d);
}

static uint64_t take_delta(struct unpack *u, uint64_t from)
{
    return from + unpack_zigzag(unpack_varint(u));
}

static bool take_instant(struct trace_decoder *d)
{
    struct instant *last = &d->last;
    struct unpack *common = d->common;
    uint64_t insns = unpack_zigzag(unpack_varint(&common[COLUMN_INSNS]));

    last->insns += insns;
    last->ns += take_delta(&common[COLUMN_NS], insns);
    last->vcpu = take_delta(&common[COLUMN_VCPU], last->vcpu);
    last->domid = take_delta(&common[COLUMN_DOMID], last->domid);
    last->dom_vcpu = take_delta(&common[COLUMN_DOM_VCPU], last->dom_vcpu);
    for (unsigned i = 0; i < COLUMNS; i++)
        if (common[i].bad)
            return false;
    return last->vcpu <= 0xffff && last->domid <= 0xffff && last->dom_vcpu <= 0xffff;
}

/* Each word takes at least a byte of the column, so a blob is at most eight times as large. */
static bool take_words(struct unpack *u, uint8_t *to, uint32_t size_bytes, uint64_t stride,
                       struct past_role *past)
{
    uint32_t words = size_bytes / 8;
    const uint8_t *tail;

    for (uint32_t i = 0; i < words; i++) {
        uint64_t from, v;

        if (stride && i >= stride)
            from = load_word(to + 8 * (size_t)(i - stride));
        else
            from = i < PAST_WORDS ? past->word[i] : 0;
        v = GUINT64_TO_LE(take_delta(u, from));
        memcpy(to + 8 * (size_t)i, &v, sizeof(v));
    }
    for (uint32_t i = 0; i < words && i < PAST_WORDS; i++)
        past->word[i] = load_word(to + 8 * (size_t)i);
    tail = unpack_take(u, size_bytes % 8);
    if (tail)
        memcpy(to + 8 * (size_t)words, tail, size_bytes % 8);
    return !u->bad;
}

static bool take_blobs(struct trace_decoder *d, struct unpack *meta, struct unpack *data,
                       struct past *past, struct trace_value *value)
{
    uint64_t count = unpack_varint(meta);

    if (meta->bad || count > TRACE_EVENT_BLOBS_MAX)
        return false;
    value->u64 = count;
    value->blob = d->blob;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t head = unpack_varint(meta), stride = unpack_varint(meta);
        uint64_t size_bytes = unpack_varint(meta), gva = unpack_varint(meta);
        struct past_role *p = &past->role[head >> 1 & (ROLES - 1)];
        guint at = d->arena->len;

        if (meta->bad || head >> 1 > UINT16_MAX || at + size_bytes > TRACE_EVENT_BYTES_MAX ||
            size_bytes / 8 > data->left)
            return false;
        p->gva += unpack_zigzag(gva);
        g_byte_array_set_size(d->arena, at + (guint)size_bytes);
        if (!take_words(data, d->arena->data + at, (uint32_t)size_bytes, stride, p))
            return false;
        d->blob[i] = (struct trace_blob){.role = (uint16_t)(head >> 1),
                                         .stage = (uint8_t)(head & 1),
                                         .gva = p->gva,
                                         .size_bytes = (uint32_t)size_bytes};
    }
    for (uint64_t i = 0, at = 0; i < count; at += d->blob[i++].size_bytes) /* it stays now */
        d->blob[i].data = d->arena->data + at;
    return true;
}

static bool take_field(struct trace_decoder *d, struct kind_reader *k, unsigned index)
{
    const struct trace_kind *kind = d->event.kind;
    struct unpack *column = &k->column[COLUMN_OF(index)];
    struct unpack *data = &k->column[COLUMN_DATA_OF(index)];
    struct trace_value *value = &d->event.value[index];

    *value = (struct trace_value){0};
    if (is_number(kind->field[index].type)) {
        value->u64 = take_delta(column, expected(kind, index, &k->past, d->event.value));
        return !column->bad;
    }
    if (kind->field[index].type == TRACE_TYPE_BLOBS)
        return take_blobs(d, column, data, &k->past, value);
    value->u64 = unpack_varint(column);
    value->bytes = unpack_take(data, value->u64);
    return !column->bad && !data->bad;
}

static bool take_fields(struct trace_decoder *d)
{
    const struct trace_kind *kind = d->event.kind;
    struct kind_reader *k = d->kind[kind->id];

    if (!k || kind->fields == 0)
        return kind->fields == 0;
    g_byte_array_set_size(d->arena, 0);
    for (unsigned i = 0; i < kind->fields; i++)
        if (!take_field(d, k, i))
            return false;
    remember(kind, &k->past, d->event.value);
    return true;
}

enum trace_decode trace_decoder_next(struct trace_decoder *d, const bool *want,
                                     const struct trace_event **out)
{
    while (d->left) {
        uint64_t kind = unpack_varint(&d->common[COLUMN_KIND]);

        if (d->common[COLUMN_KIND].bad || kind > TRACE_KIND_MAX || !d->schema->kind[kind] ||
            !take_instant(d))
            return TRACE_DECODE_BAD;
        d->left--;
        d->next_number++;
        if (want && !want[kind])
            continue;
        d->event.kind = d->schema->kind[kind];
        d->event.number = d->next_number - 1;
        d->event.insns = d->last.insns;
        d->event.virtual_ns = d->last.ns;
        d->event.vcpu = (unsigned)d->last.vcpu;
        d->event.domid = (unsigned)d->last.domid;
        d->event.dom_vcpu = (unsigned)d->last.dom_vcpu;
        if (!take_fields(d))
            return TRACE_DECODE_BAD;
        *out = &d->event;
        return TRACE_DECODE_EVENT;
    }
    return TRACE_DECODE_END;
}
