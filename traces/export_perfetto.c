/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Perfetto's trace: packets with track events.  Source: perfetto's protos/perfetto/trace.
 *
 * Tracks: the machine is a process with a thread for each vCPU, each domain one with a thread
 * for each of its vCPUs.  What a domain does is on its vCPU's track, the rest on the machine's.
 * A hypercall is a slice from its entry to its end; a switch begins a slice on the machine's
 * vCPU that is called what runs there; all else is an instant.  So each event of the trace is
 * exactly one "slice begin" or "instant", whose category is the kind.
 *
 * Slices of a track must be nested in the order of the file.  Entries of a multicall come before
 * the multicall in a trace, so they wait here for it.
 */
#include <inttypes.h>
#include <string.h>

#include "traces/decode.h"
#include "traces/export_internal.h"
#include "traces/line.h"
#include "traces/names.h"
#include "traces/protobuf.h"

/* Numbers of fields. */
enum {
    TRACE_PACKET = 1,
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE_ID = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_INTERNED = 12,
    PACKET_SEQUENCE_FLAGS = 13,
    PACKET_TRACK_DESCRIPTOR = 60,
    EVENT_CATEGORY_IID = 3,
    EVENT_ANNOTATION = 4,
    EVENT_TYPE = 9,
    EVENT_NAME_IID = 10,
    EVENT_TRACK = 11,
    INTERNED_CATEGORY = 1,
    INTERNED_NAME = 2,
    INTERNED_ANNOTATION = 3,
    INTERNED_IID = 1,
    INTERNED_TEXT = 2,
    ANNOTATION_NAME_IID = 1,
    ANNOTATION_UINT = 3,
    ANNOTATION_INT = 4,
    ANNOTATION_STRING = 6,
    TRACK_UUID = 1,
    TRACK_PROCESS = 3,
    TRACK_THREAD = 4,
    TRACK_PARENT = 5,
    PROCESS_PID = 1,
    PROCESS_NAME = 6,
    THREAD_PID = 1,
    THREAD_TID = 2,
    THREAD_NAME = 5
};

enum { SLICE_BEGIN = 1, SLICE_END = 2, INSTANT = 3 };
enum { STATE_CLEARED = 1, NEEDS_STATE = 2 };

#define SEQUENCE_ID 1

/* Names of annotations; their place plus 1 is the interned number. */
static const char *const annotations[] = {"args", "result", "insns", "number", "duration_insns"};
enum { ANNOTATE_ARGS = 1, ANNOTATE_RESULT, ANNOTATE_INSNS, ANNOTATE_NUMBER, ANNOTATE_DURATION };

struct perfetto {
    struct export_file file;
    uint64_t frequency_hz;
    GByteArray *packet;
    GHashTable *names, *categories; /* text -> interned number */
    GHashTable *tracks;             /* uuid -> struct track * */
    GByteArray *fresh;              /* InternedData that the next packet must carry */
    GString *text;
    bool began;
};

struct track {
    uint64_t uuid;
    GByteArray *waiting; /* packets of a multicall's entries */
    bool open;           /* a "runs here" slice */
};

static void free_track(void *data)
{
    struct track *t = data;

    g_byte_array_unref(t->waiting);
    g_free(t);
}

/* --- packets ------------------------------------------------------------------------------- */

static gboolean write_packet(struct perfetto *p, GByteArray *to, GError **error)
{
    if (to) {
        g_byte_array_append(to, p->packet->data, p->packet->len);
        return TRUE;
    }
    return export_file_write(&p->file, p->packet->data, p->packet->len, error);
}

/* The beginning of each packet of events. */
static guint begin_packet(struct perfetto *p, uint64_t ns)
{
    guint at;

    g_byte_array_set_size(p->packet, 0);
    at = protobuf_begin(p->packet, TRACE_PACKET);
    protobuf_put_u64(p->packet, PACKET_TIMESTAMP, ns);
    protobuf_put_u64(p->packet, PACKET_SEQUENCE_ID, SEQUENCE_ID);
    protobuf_put_u64(p->packet, PACKET_SEQUENCE_FLAGS,
                     p->began ? NEEDS_STATE : STATE_CLEARED | NEEDS_STATE);
    p->began = true;
    return at;
}

/* Numbers and texts that this sequence has not said yet go out in a packet of their own, at
 * once, as events may wait. */
static gboolean flush_interned(struct perfetto *p, GError **error)
{
    guint at;

    if (!p->fresh->len)
        return TRUE;
    at = begin_packet(p, 0);
    protobuf_put_bytes(p->packet, PACKET_INTERNED, p->fresh->data, p->fresh->len);
    protobuf_end(p->packet, at);
    g_byte_array_set_size(p->fresh, 0);
    return write_packet(p, NULL, error);
}

static uint64_t intern(struct perfetto *p, GHashTable *table, unsigned field, const char *text)
{
    uint64_t iid = (uint64_t)g_hash_table_lookup(table, text);
    guint at;

    if (iid)
        return iid;
    iid = g_hash_table_size(table) + 1;
    g_hash_table_insert(table, g_strdup(text), (gpointer)iid);
    at = protobuf_begin(p->fresh, field);
    protobuf_put_u64(p->fresh, INTERNED_IID, iid);
    protobuf_put_string(p->fresh, INTERNED_TEXT, text);
    protobuf_end(p->fresh, at);
    return iid;
}

/* --- tracks -------------------------------------------------------------------------------- */

/* The machine is process 1, domain N is process N + 2. */
static uint64_t process_uuid(uint64_t pid)
{
    return pid << 32 | 0xffffffff;
}

static gboolean describe(struct perfetto *p, uint64_t pid, int64_t vcpu, GError **error)
{
    guint packet, track, inner;

    g_string_truncate(p->text, 0);
    if (pid > 1)
        trace_put_vcpu(p->text, pid - 2, vcpu < 0 ? TRACE_DOM_VCPU_UNKNOWN : (uint64_t)vcpu);
    else if (vcpu < 0)
        g_string_append(p->text, "machine");
    else
        g_string_append_printf(p->text, "cpu%" PRId64, vcpu);
    g_byte_array_set_size(p->packet, 0);
    packet = protobuf_begin(p->packet, TRACE_PACKET);
    track = protobuf_begin(p->packet, PACKET_TRACK_DESCRIPTOR);
    if (vcpu < 0) {
        protobuf_put_u64(p->packet, TRACK_UUID, process_uuid(pid));
        inner = protobuf_begin(p->packet, TRACK_PROCESS);
        protobuf_put_u64(p->packet, PROCESS_PID, pid);
        protobuf_put_string(p->packet, PROCESS_NAME, p->text->str);
    } else {
        protobuf_put_u64(p->packet, TRACK_UUID, pid << 32 | (uint64_t)vcpu);
        protobuf_put_u64(p->packet, TRACK_PARENT, process_uuid(pid));
        inner = protobuf_begin(p->packet, TRACK_THREAD);
        protobuf_put_u64(p->packet, THREAD_PID, pid);
        protobuf_put_u64(p->packet, THREAD_TID, pid * 1000 + (uint64_t)vcpu + 1);
        protobuf_put_string(p->packet, THREAD_NAME, p->text->str);
    }
    protobuf_end(p->packet, inner);
    protobuf_end(p->packet, track);
    protobuf_end(p->packet, packet);
    return write_packet(p, NULL, error);
}

static struct track *track_of(struct perfetto *p, uint64_t pid, uint64_t vcpu, GError **error)
{
    uint64_t uuid = pid << 32 | vcpu;
    struct track *t = g_hash_table_lookup(p->tracks, &uuid);

    if (t)
        return t;
    uuid = process_uuid(pid);
    if (!g_hash_table_lookup(p->tracks, &uuid)) {
        if (!describe(p, pid, -1, error))
            return NULL;
        t = g_new0(struct track, 1);
        t->uuid = uuid;
        t->waiting = g_byte_array_new();
        g_hash_table_insert(p->tracks, &t->uuid, t);
    }
    if (!describe(p, pid, (int64_t)vcpu, error))
        return NULL;
    t = g_new0(struct track, 1);
    t->uuid = pid << 32 | vcpu;
    t->waiting = g_byte_array_new();
    g_hash_table_insert(p->tracks, &t->uuid, t);
    return t;
}

/* --- events -------------------------------------------------------------------------------- */

static void put_annotation(struct perfetto *p, unsigned name, unsigned type, uint64_t value)
{
    guint at = protobuf_begin(p->packet, EVENT_ANNOTATION);

    protobuf_put_u64(p->packet, ANNOTATION_NAME_IID, name);
    if (type == ANNOTATION_STRING)
        protobuf_put_string(p->packet, ANNOTATION_STRING, p->text->str);
    else
        protobuf_put_u64(p->packet, type, value);
    protobuf_end(p->packet, at);
}

static void put_annotations(struct perfetto *p, const struct trace_event *e)
{
    struct trace_out o = {.text = p->text, .items_max = 16};

    g_string_truncate(p->text, 0);
    trace_out_start(&o);
    trace_decode_event(&o, e);
    if (p->text->len)
        put_annotation(p, ANNOTATE_ARGS, ANNOTATION_STRING, 0);
    put_annotation(p, ANNOTATE_NUMBER, ANNOTATION_UINT, e->number);
    put_annotation(p, ANNOTATE_INSNS, ANNOTATION_UINT, e->insns);
    if (!trace_event_is_call(e))
        return;
    if (e->value[TRACE_HYPERCALL_END].u64 == TRACE_END_RETURNED)
        put_annotation(p, ANNOTATE_RESULT, ANNOTATION_INT, e->value[TRACE_HYPERCALL_RESULT].u64);
    put_annotation(p, ANNOTATE_DURATION, ANNOTATION_UINT,
                   e->value[TRACE_HYPERCALL_DURATION_INSNS].u64);
}

/* One packet; @event NULL: the end of a slice. */
static gboolean put_event(struct perfetto *p, struct track *t, unsigned type, uint64_t ns,
                          const struct trace_event *e, GByteArray *to, GError **error)
{
    uint64_t category = 0, name = 0;
    guint packet, event;

    if (e) {
        g_string_truncate(p->text, 0);
        trace_line_title(p->text, e);
        name = intern(p, p->names, INTERNED_NAME, p->text->str);
        category = intern(p, p->categories, INTERNED_CATEGORY, e->kind->name);
        if (!flush_interned(p, error))
            return FALSE;
    }
    packet = begin_packet(p, ns);
    event = protobuf_begin(p->packet, PACKET_TRACK_EVENT);
    protobuf_put_u64(p->packet, EVENT_TYPE, type);
    protobuf_put_u64(p->packet, EVENT_TRACK, t->uuid);
    if (e) {
        protobuf_put_u64(p->packet, EVENT_CATEGORY_IID, category);
        protobuf_put_u64(p->packet, EVENT_NAME_IID, name);
        put_annotations(p, e);
    }
    protobuf_end(p->packet, event);
    protobuf_end(p->packet, packet);
    return write_packet(p, to, error);
}

static gboolean flush_waiting(struct perfetto *p, struct track *t, GError **error)
{
    gboolean good = export_file_write(&p->file, t->waiting->data, t->waiting->len, error);

    g_byte_array_set_size(t->waiting, 0);
    return good;
}

static gboolean put_call(struct perfetto *p, struct track *t, const struct trace_event *e,
                         GError **error)
{
    bool inside = e->value[TRACE_HYPERCALL_DEPTH].u64 != 0;
    uint64_t cycles = e->value[TRACE_HYPERCALL_DURATION_CYCLES].u64, ns;

    ns = (uint64_t)((unsigned __int128)cycles * 1000000000u / p->frequency_hz);
    ns = MIN(ns, e->virtual_ns);
    return put_event(p, t, SLICE_BEGIN, e->virtual_ns - ns, e, inside ? t->waiting : NULL, error) &&
           (inside || flush_waiting(p, t, error)) &&
           put_event(p, t, SLICE_END, e->virtual_ns, NULL, inside ? t->waiting : NULL, error);
}

static gboolean put_switch(struct perfetto *p, struct track *t, const struct trace_event *e,
                           GError **error)
{
    if (t->open && !put_event(p, t, SLICE_END, e->virtual_ns, NULL, NULL, error))
        return FALSE;
    t->open = true;
    return put_event(p, t, SLICE_BEGIN, e->virtual_ns, e, NULL, error);
}

static gboolean perfetto_event(void *state, const struct trace_event *e, GError **error)
{
    struct perfetto *p = state;
    bool machines = trace_event_is_machines(e);
    struct track *t = track_of(p, machines ? 1 : (uint64_t)e->domid + 2,
                               machines ? e->vcpu : e->dom_vcpu, error);

    if (!t)
        return FALSE;
    if (trace_event_is_call(e))
        return put_call(p, t, e, error);
    if (e->kind->id == TRACE_KIND_SWITCH)
        return put_switch(p, t, e, error);
    return put_event(p, t, INSTANT, e->virtual_ns, e, NULL, error);
}

/* --- the file ------------------------------------------------------------------------------ */

static void *perfetto_open(const char *path, const struct trace_export_info *info, GError **error)
{
    struct perfetto *p = g_new0(struct perfetto, 1);

    p->frequency_hz = info->frequency_hz ? info->frequency_hz : 1000000000;
    if (!export_file_open(&p->file, path, error)) {
        g_free(p);
        return NULL;
    }
    p->packet = g_byte_array_new();
    p->fresh = g_byte_array_new();
    p->text = g_string_new(NULL);
    p->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    p->categories = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    p->tracks = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_track);
    for (unsigned i = 0; i < G_N_ELEMENTS(annotations); i++) {
        guint at = protobuf_begin(p->fresh, INTERNED_ANNOTATION);

        protobuf_put_u64(p->fresh, INTERNED_IID, i + 1);
        protobuf_put_string(p->fresh, INTERNED_TEXT, annotations[i]);
        protobuf_end(p->fresh, at);
    }
    return p;
}

/* Entries whose multicall the trace does not hold any more. */
static gboolean flush_all(struct perfetto *p, GError **error)
{
    GHashTableIter iter;
    void *track;
    gboolean good = TRUE;

    g_hash_table_iter_init(&iter, p->tracks);
    while (good && g_hash_table_iter_next(&iter, NULL, &track))
        good = flush_waiting(p, track, error);
    return good;
}

static gboolean perfetto_close(void *state, GError **error)
{
    struct perfetto *p = state;
    gboolean good = flush_all(p, error);

    good = export_file_close(&p->file, good ? error : NULL) && good;
    g_byte_array_unref(p->packet);
    g_byte_array_unref(p->fresh);
    g_string_free(p->text, TRUE);
    g_hash_table_unref(p->names);
    g_hash_table_unref(p->categories);
    g_hash_table_unref(p->tracks);
    g_free(p);
    return good;
}

const struct export_format export_perfetto = {"perfetto", perfetto_open, perfetto_event,
                                              perfetto_close};
