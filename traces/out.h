/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where decoded values go.  A decoder says once what it sees, value by value; an output makes of
 * it what is wanted, in any combination:
 *
 *     text   as strace would show it: {ref=5, dom=d0 => status=okay}
 *     json   members of an object: "ref":5,"dom":0,"status":"okay"
 *     hits   which of some terms (a frame, an address, a domain, ...) are touched, and how
 *
 * A value's name is its member in JSON and stands before the value in the text, unless it
 * starts with a dot (which is not a part of the name).
 */
#ifndef PARAVANE_TRACES_OUT_H
#define PARAVANE_TRACES_OUT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "traces/event.h"

/** What may be looked for. */
enum trace_term_kind {
    TRACE_TERM_FRAME,  /* a machine frame number */
    TRACE_TERM_VA,     /* any address on the same 4 KiB page */
    TRACE_TERM_DOMAIN, /* a domain id */
    TRACE_TERM_REF,    /* a grant reference */
    TRACE_TERM_PORT    /* an event channel port */
};

struct trace_term {
    enum trace_term_kind kind;
    uint64_t value;
};

#define TRACE_TERMS_MAX 16

struct trace_levels; /* traces/levels.h */

struct trace_out {
    /* what is wanted; set by the user, who zeroes the rest */
    GString *text, *json;        /* NULL: not wanted */
    unsigned items_max;          /* of an array, in the text; 0: all */
    bool only_hits;              /* of an array, only items that touch a term are shown */
    bool hide_frames;            /* "*" in the place of frame numbers */
    const struct trace_term *term; /* @terms of them */
    unsigned terms;
    unsigned self;                      /* the domain that DOMID_SELF means */
    const struct trace_levels *levels; /* what frames are, for "l1e" in the text; may be NULL */

    /* what was found: bit i and how[i] are of term[i] */
    uint32_t hit;
    const char *how[TRACE_TERMS_MAX]; /* static strings; the first way */

    /* private */
    const char *glue; /* before the next value in the text, in the place of ", " */
    bool fresh_text, fresh_json; /* nothing stands before the next value */
};

/** trace_out_start - at the beginning of a list of values; found nothing so far. */
void trace_out_start(struct trace_out *o);

/** trace_out_touch - @count frames, ports, ... from @value on are touched; @how is static. */
void trace_out_touch(struct trace_out *o, enum trace_term_kind kind, uint64_t value,
                     uint64_t count, const char *how);

/** trace_out_glue - @glue (static) instead of ", " before the next value in the text. */
void trace_out_glue(struct trace_out *o, const char *glue);

/** trace_out_begin - a structure; trace_out_end() closes it. */
void trace_out_begin(struct trace_out *o, const char *name);
void trace_out_end(struct trace_out *o);

/** An array: begin, for each item trace_out_item() and trace_out_item_done(), then end. */
struct trace_out_array {
    unsigned shown, left_out;
    size_t text_at;
    uint32_t hit; /* before the item */
    bool fresh;
};
void trace_out_array(struct trace_out *o, struct trace_out_array *array, const char *name);
void trace_out_item(struct trace_out *o, struct trace_out_array *array);
void trace_out_item_done(struct trace_out *o, struct trace_out_array *array);
void trace_out_array_end(struct trace_out *o, struct trace_out_array *array);

/* Values. */
void trace_out_u64(struct trace_out *o, const char *name, uint64_t value);
void trace_out_i64(struct trace_out *o, const char *name, int64_t value);
void trace_out_hex(struct trace_out *o, const char *name, uint64_t value);
void trace_out_bool(struct trace_out *o, const char *name, bool value);
/** trace_out_word - a name, bare in the text. */
void trace_out_word(struct trace_out *o, const char *name, const char *value);
void trace_out_text(struct trace_out *o, const char *name, const void *bytes, uint64_t size);
void trace_out_bytes(struct trace_out *o, const char *name, const void *bytes, uint64_t size);
void trace_out_enum(struct trace_out *o, const char *name, uint64_t value,
                    const struct trace_name *names, unsigned count);
void trace_out_flags(struct trace_out *o, const char *name, uint64_t value,
                     const struct trace_name *names, unsigned count);
void trace_out_time(struct trace_out *o, const char *name, uint64_t ns);
/** trace_out_errno - 0 or a negative error number, by name. */
void trace_out_errno(struct trace_out *o, const char *name, int64_t value);
void trace_out_grant_status(struct trace_out *o, const char *name, int64_t value);
/** trace_out_gfn - a guest's or a machine's frame; touches nothing. */
void trace_out_gfn(struct trace_out *o, const char *name, uint64_t gfn);
/* Values that touch. */
void trace_out_mfn(struct trace_out *o, const char *name, uint64_t mfn, const char *how);
void trace_out_va(struct trace_out *o, const char *name, uint64_t va, const char *how);
void trace_out_domid(struct trace_out *o, const char *name, uint64_t domid, const char *how);
void trace_out_ref(struct trace_out *o, const char *name, uint64_t ref, const char *how);
void trace_out_port(struct trace_out *o, const char *name, uint64_t port, const char *how);
/** trace_out_pte - a page table entry; touches its frame, if it is present. */
void trace_out_pte(struct trace_out *o, const char *name, uint64_t pte);
/** trace_out_old_pte - one in whose place there is @new now; touches its frame, too. */
void trace_out_old_pte(struct trace_out *o, const char *name, uint64_t pte, uint64_t new);

/** trace_json_string - @size bytes as a JSON text.  What is not UTF-8 is taken as Latin-1. */
void trace_json_string(GString *json, const void *bytes, uint64_t size);

#endif
