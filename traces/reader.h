/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a trace file: what it is of, and its events from anywhere.
 *
 * A file that ends in the middle of something is read up to its last whole frame; a file that
 * is still being written grows under the reader, see trace_reader_refresh().
 */
#ifndef PARAVANE_TRACES_READER_H
#define PARAVANE_TRACES_READER_H

#include <glib.h>

#include "traces/event.h"
#include "traces/log.h"

struct trace_reader;
struct trace_cursor;

/** An image that the machine was started from: the kernel, then the modules in order. */
struct trace_image {
    const char *name; /* "kernel" or "module.NAME" */
    const char *path; /* as the machine file had it */
    uint64_t size_bytes;
    uint8_t sha256[32];
    const uint8_t *build_id; /* of the ELF file inside, gzip taken off; NULL if there is none */
    unsigned build_id_bytes;
    bool packed; /* the file holds it: trace_reader_image() */
};

/** trace_image_is - whether @content is what @image describes. */
bool trace_image_is(const struct trace_image *image, GBytes *content);

/** A state that a replay may start from. */
struct trace_checkpoint {
    uint64_t insns, virtual_ns;
    uint64_t event;  /* number of the first event after it */
    uint64_t pages;  /* stored with it: those that have changed since the one before */
    uint64_t offset; /* in the file */
    uint64_t size_bytes;
};

/** Known once the recording was ended in good order. */
struct trace_ending {
    const char *stop_reason;
    uint64_t insns, virtual_ns;
    const char *state_hash; /* empty if it was not computed */
    uint32_t exit_value;
    bool has_exit_value;
    const struct trace_link *point; /* the state at the end */
};

struct trace_info {
    unsigned version;
    const char *program;     /* version of the program that wrote it */
    const char *config;      /* the machine file after --set, canonical */
    const char *config_name; /* path of the machine file, for messages */
    uint64_t seed;
    const char *cpu_model;
    unsigned vcpus;
    uint64_t frequency_hz;
    bool has_input;           /* somebody could have typed */
    uint64_t state_number;    /* of the states that its checkpoints hold */
    const char *profile;      /* of the hypervisor; NULL: none */
    const char *const *kinds; /* names of the event kinds that were asked for, NULL-terminated */
    unsigned images;
    const struct trace_image *image;
    unsigned checkpoints;
    const struct trace_checkpoint *checkpoint;
    uint64_t file_bytes; /* of the file, as far as it is good */
    uint64_t cut_bytes;  /* behind the last whole frame: the file was cut off, or grows */
    bool damaged;        /* what is behind is not the beginning of a frame */
    uint64_t events;
    uint64_t insns;                    /* how far the recording goes */
    uint64_t hash_insns;               /* distance of the hash chain's points; 0: there is none */
    uint64_t inputs;                   /* polls that brought something */
    const struct trace_ending *ending; /* NULL: not (yet) ended in good order */
    /* where the bytes are: of whole frames, by what they hold */
    uint64_t header_bytes, image_bytes, event_bytes, log_bytes, checkpoint_bytes;
};

/**
 * trace_reader_open - read headers and index; frames are read when they are needed.
 * Returns: NULL with @error (domain TRACE_ERROR), whose message starts with @path: not a
 *          trace, of a newer version (and what reads it), damaged, unreadable.
 */
struct trace_reader *trace_reader_open(const char *path, GError **error);
/** trace_reader_free - cursors of it must be gone. */
void trace_reader_free(struct trace_reader *r);

/** trace_reader_info - valid until the next refresh. */
const struct trace_info *trace_reader_info(const struct trace_reader *r);
/** trace_reader_schema - of the file, not of this version. */
const struct trace_schema *trace_reader_schema(const struct trace_reader *r);

/**
 * trace_reader_refresh - see whether the file has grown by whole frames.
 * @grown: set to whether it has.
 */
gboolean trace_reader_refresh(struct trace_reader *r, bool *grown, GError **error);

/** trace_reader_image - bytes of image number @index, checked against its hash.  NULL with
 *  @error if it is not packed or damaged. */
GBytes *trace_reader_image(struct trace_reader *r, unsigned index, GError **error);

/* --- for replaying -------------------------------------------------------------------------- */

/** trace_reader_logs - how many LOG frames there are. */
unsigned trace_reader_logs(const struct trace_reader *r);
/** trace_reader_log - number @index of them; NULL with @error if it is damaged. */
struct trace_log *trace_reader_log(struct trace_reader *r, unsigned index, GError **error);
/** trace_reader_log_at - the first one that goes as far as @insns; trace_reader_logs() if none. */
unsigned trace_reader_log_at(const struct trace_reader *r, uint64_t insns);

/**
 * trace_reader_state - the state of the machine without its memory at checkpoint @index.
 * @at:      where it stands.
 * @capture: set to what who made the events has saved; owned by the caller.
 */
GBytes *trace_reader_state(struct trace_reader *r, unsigned index, struct trace_position *at,
                           GBytes **capture, GError **error);

/**
 * trace_reader_pages - memory at checkpoint @index: the newest version of each page up to it.
 * @page: is given each page that is not zero, in no order; @data is 4 KiB.  Returns: false to
 *        refuse it: there is no such page.
 */
gboolean trace_reader_pages(struct trace_reader *r, unsigned index,
                            bool (*page)(void *user, uint64_t mfn, const uint8_t *data), void *user,
                            GError **error);

/**
 * trace_reader_check - read everything, also what nobody asks for, and compare checksums.
 * Returns: FALSE with @error at the first damage.  That a file was cut off is none.
 */
gboolean trace_reader_check(const struct trace_reader *r, GError **error);

/** trace_reader_damage - what info->damaged means, as an error. */
void trace_reader_damage(const struct trace_reader *r, GError **error);

/* --- events -------------------------------------------------------------------------------- */

/** trace_cursor_new - before the first event, letting every kind pass. */
struct trace_cursor *trace_cursor_new(struct trace_reader *r);
void trace_cursor_free(struct trace_cursor *c);

/**
 * trace_cursor_want - let only some kinds pass; the columns of others are not decoded.
 * @want: of each number of a kind, whether it passes.  NULL: all do.
 */
void trace_cursor_want(struct trace_cursor *c, const bool want[TRACE_KIND_MAX + 1]);

/** trace_cursor_seek_insns - before the first event with at least @insns. */
gboolean trace_cursor_seek_insns(struct trace_cursor *c, uint64_t insns, GError **error);
/** trace_cursor_seek_event - before event number @number. */
gboolean trace_cursor_seek_event(struct trace_cursor *c, uint64_t number, GError **error);

enum trace_next {
    TRACE_NEXT_EVENT, /* *event is valid until the next call on the cursor */
    TRACE_NEXT_END,   /* no more for now: after a refresh that has grown, there may be */
    TRACE_NEXT_ERROR  /* @error is set: damaged */
};

enum trace_next trace_cursor_next(struct trace_cursor *c, const struct trace_event **event,
                                  GError **error);

GQuark trace_error_quark(void);
#define TRACE_ERROR trace_error_quark()
enum trace_error {
    TRACE_ERROR_FILE,    /* the host: open, read, write */
    TRACE_ERROR_FORMAT,  /* not a trace, or damaged */
    TRACE_ERROR_VERSION, /* of a version that this program does not read */
    TRACE_ERROR_MISSING  /* the file does not hold what was asked for */
};

#endif
