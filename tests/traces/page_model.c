/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/traces/page_model.h"

#include <glib.h>
#include <inttypes.h>

#define XEN_EINTR    (-4)
#define XEN_ERESTART (-85)

struct frame {
    uint64_t count;
    unsigned type;
    bool held; /* one of the references belongs to an operation that was interrupted */
    uint64_t own; /* so many are the hypervisor's: it has set them */
};

struct page_model {
    GHashTable *frames; /* number: struct frame */
    uint64_t events;
    bool ends_only; /* of a frame's references only the first and the last are told */
    char why[200];
};

struct page_model *page_model_new(bool ends_only)
{
    struct page_model *m = g_new0(struct page_model, 1);

    m->ends_only = ends_only;
    m->frames = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return m;
}

void page_model_free(struct page_model *m)
{
    g_hash_table_destroy(m->frames);
    g_free(m);
}

uint64_t page_model_events(const struct page_model *m)
{
    return m->events;
}

unsigned page_model_frames(const struct page_model *m)
{
    return g_hash_table_size(m->frames);
}

static struct frame *frame_of(struct page_model *m, uint64_t mfn)
{
    struct frame *f = g_hash_table_lookup(m->frames, &mfn);

    if (!f) {
        f = g_new0(struct frame, 1);
        g_hash_table_insert(m->frames, g_memdup2(&mfn, sizeof(mfn)), f);
    }
    return f;
}

static const char *contradiction(struct page_model *m, const char *what, uint64_t mfn,
                                 const struct frame *f, const struct trace_event *e)
{
    g_snprintf(m->why, sizeof(m->why),
               "frame %#" PRIx64 ": %s (model: type %u, count %" PRIu64 "; event: op %" PRIu64
               ", type %" PRIu64 " -> %" PRIu64 ", count %" PRIu64 " -> %" PRIu64
               ", result %" PRId64 ")",
               mfn, what, f->type, f->count, e->value[TRACE_PAGE_TYPE_OP].u64,
               e->value[TRACE_PAGE_TYPE_OLD].u64, e->value[TRACE_PAGE_TYPE_NEW].u64,
               e->value[TRACE_PAGE_TYPE_OLD_COUNT].u64, e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64,
               (int64_t)e->value[TRACE_PAGE_TYPE_RESULT].u64);
    return m->why;
}

static const char *take(const struct frame *f, const struct trace_event *e, struct frame *next)
{
    unsigned type = (unsigned)e->value[TRACE_PAGE_TYPE_NEW].u64;

    *next = (struct frame){f->held ? f->count : f->count + 1, type, false, 0};
    if (f->count && f->type != type)
        return "taken for another type while it has references";
    if (!e->value[TRACE_PAGE_TYPE_VALIDATED].u64)
        return "taken, but not validated";
    return NULL;
}

static const char *drop(const struct frame *f, const struct trace_event *e, struct frame *next)
{
    *next = (struct frame){f->count - 1, (unsigned)e->value[TRACE_PAGE_TYPE_NEW].u64, false,
                           0};
    if (!f->count)
        return "dropped without a reference";
    return next->count && f->type != next->type ? "has another type after a drop" : NULL;
}

/* The rest is done later, or it has not worked. */
static const char *not_done(const struct frame *f, const struct trace_event *e, struct frame *next)
{
    int64_t result = (int64_t)e->value[TRACE_PAGE_TYPE_RESULT].u64;
    uint64_t after = e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64;
    bool interrupted = result == XEN_EINTR || result == XEN_ERESTART;
    unsigned type = (unsigned)e->value[TRACE_PAGE_TYPE_NEW].u64;

    *next = (struct frame){interrupted ? after : f->count,
                           f->count && !interrupted ? f->type : type,
                           result == XEN_ERESTART || (f->held && !interrupted), 0};
    if (interrupted && after != f->count && after != f->count + 1 && after + 1 != f->count)
        return "an interrupted operation has changed the count by more than one";
    return NULL;
}

/* The references in between come and go unseen: the event knows how many there were. */
static void catch_up(struct frame *f, const struct trace_event *e)
{
    if (f->count)
        f->count = MAX(e->value[TRACE_PAGE_TYPE_OLD_COUNT].u64, 1);
}

static const char *page_type(struct page_model *m, const struct trace_event *e)
{
    uint64_t mfn = e->value[TRACE_PAGE_TYPE_MFN].u64, op = e->value[TRACE_PAGE_TYPE_OP].u64;
    struct frame *f = frame_of(m, mfn), next;
    const char *why;

    m->events++;
    if (m->ends_only)
        catch_up(f, e);
    if (op == TRACE_SET) {
        *f = (struct frame){e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64,
                            (unsigned)e->value[TRACE_PAGE_TYPE_NEW].u64, false,
                            e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64};
        return NULL;
    }
    why = e->value[TRACE_PAGE_TYPE_RESULT].u64 ? not_done(f, e, &next)
          : op == TRACE_TAKE                   ? take(f, e, &next)
                                               : drop(f, e, &next);
    if (m->ends_only && e->value[TRACE_PAGE_TYPE_RESULT].u64 &&
        !e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64)
        next.count = 0; /* refused: what its own entries took, if they name it, has gone unseen */
    if (!why && !m->ends_only && next.count != e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64)
        why = "has another count";
    if (!why && next.count && next.type != e->value[TRACE_PAGE_TYPE_NEW].u64)
        why = "has another type";
    if (why)
        contradiction(m, why, mfn, f, e);
    *f = (struct frame){e->value[TRACE_PAGE_TYPE_NEW_COUNT].u64,
                        (unsigned)e->value[TRACE_PAGE_TYPE_NEW].u64, next.held, f->own};
    return why ? m->why : NULL;
}

static const char *frame_owner(struct page_model *m, const struct trace_event *e)
{
    uint64_t first = e->value[TRACE_FRAME_OWNER_MFN].u64;
    const char *why = NULL;

    for (uint64_t i = 0; i < 1ull << e->value[TRACE_FRAME_OWNER_ORDER].u64; i++) {
        uint64_t mfn = first + i;
        struct frame *f = g_hash_table_lookup(m->frames, &mfn);

        if (!f)
            continue;
        if (f->count <= f->own) {
            *f = (struct frame){0};
            continue;
        }
        g_snprintf(m->why, sizeof(m->why),
                   "frame %#" PRIx64 " gets another owner while it has %" PRIu64 " references of "
                   "type %u", mfn, f->count, f->type);
        why = m->why;
        *f = (struct frame){0};
    }
    return why;
}

const char *page_model_event(struct page_model *m, const struct trace_event *e)
{
    if (e->kind->id == TRACE_KIND_PAGE_TYPE)
        return page_type(m, e);
    if (e->kind->id == TRACE_KIND_FRAME_OWNER)
        return frame_owner(m, e);
    return NULL;
}
