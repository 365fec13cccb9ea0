/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event model: what one line of a trace is.
 *
 * An event is an instance of a kind.  The kind names the fields and their types; it is a row
 * of a schema, and the schema is written into the file, so that a reader can show events of
 * kinds it has never heard of.  What all events have stands in struct trace_event itself.
 *
 * Making events (capture code).  Nothing is allocated: a builder owns a fixed arena.
 *
 *     trace_build_begin(&b, TRACE_KIND_PIN, insns, virtual_ns, vcpu);
 *     trace_build_domain(&b, 0, 0);
 *     trace_build_u64(&b, TRACE_PIN_MFN, mfn);
 *     sink->event(sink->user, trace_build_end(&b));
 *
 * A hypercall needs a builder for as long as it lasts: capture code has one for each vCPU that
 * may be inside one.  A sink has taken all it wants when it returns.
 *
 * Reading events (tools) is in traces/reader.h.
 *
 * When an event is made.  The order of events in a file is the order of their instants, and an
 * event's instant is when it was *complete*.  So a hypercall is one event, at its return, and
 * `duration_insns` leads back to its entry; all that happened inside stands before it.  A
 * hypercall that does not return says so in `end`:
 *
 *     returned    the instruction after the hypercall is next; `result` is valid
 *     no-return   it worked, but the guest goes on elsewhere (iret, a triple of registers loaded)
 *     continued   the hypervisor was interrupted and has made the guest execute it again; the
 *                 rest is an event of its own
 *     unfinished  nobody saw an end: the domain died, the machine ended, or recording did
 *
 * If the hypervisor ran other vCPUs before it returned, their events stand in between, and
 * `duration_insns` counts them too; `switched` says that this has happened.
 *
 * The entries of a multicall are events of the kind `hypercall` as well, with `depth` 1 and
 * `index` 0, 1, ...; they stand before the multicall, whose `depth` is 0.
 */
#ifndef PARAVANE_TRACES_EVENT_H
#define PARAVANE_TRACES_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- the schema --------------------------------------------------------------------------- */

/** Types of fields; the numbers are part of the trace format. */
enum trace_type {
    TRACE_TYPE_U64 = 1,   /* shown in decimal */
    TRACE_TYPE_I64 = 2,   /* two's complement in .u64 */
    TRACE_TYPE_HEX = 3,   /* shown in hexadecimal: addresses, flags, raw registers */
    TRACE_TYPE_MFN = 4,   /* a machine frame number */
    TRACE_TYPE_DOMID = 5, /* a domain; TRACE_DOMID_UNKNOWN and Xen's special numbers have names */
    TRACE_TYPE_ENUM = 6,  /* has value names; a value without one is shown in decimal */
    TRACE_TYPE_BOOL = 7,
    TRACE_TYPE_TEXT = 8,  /* bytes that are meant to be read; any encoding */
    TRACE_TYPE_BYTES = 9, /* bytes that are not */
    TRACE_TYPE_BLOBS = 10 /* memory of the guest; the value names are the roles */
};

/** A number with a name: of TRACE_TYPE_ENUM and of the roles of TRACE_TYPE_BLOBS. */
struct trace_name {
    uint64_t value;
    const char *name;
};

struct trace_field {
    const char *name; /* lower case, digits and _ */
    enum trace_type type;
    const struct trace_name *names; /* @name_count of them; NULL when there are none */
    unsigned name_count;
    uint8_t near; /* 1 + index of an earlier field whose value is about the same; 0: none.  It
                     only makes the file smaller. */
};

#define TRACE_FIELDS_MAX 24  /* of a kind */
#define TRACE_KIND_MAX   255 /* the largest number of a kind */

struct trace_kind {
    uint16_t id; /* 1 to TRACE_KIND_MAX */
    const char *name;
    const char *help; /* one line for people */
    const struct trace_field *field;
    unsigned fields;
};

struct trace_schema {
    const struct trace_kind *kind[TRACE_KIND_MAX + 1]; /* by number; NULL where there is none */
};

/** trace_schema_builtin - what this version writes.  Static. */
const struct trace_schema *trace_schema_builtin(void);
/** trace_schema_find - the kind called @name, NULL if there is none. */
const struct trace_kind *trace_schema_find(const struct trace_schema *schema, const char *name);
/** trace_kind_field - index of the field called @name, -1 if there is none. */
int trace_kind_field(const struct trace_kind *kind, const char *name);
/** trace_field_value_name - name of @value, NULL if it has none. */
const char *trace_field_value_name(const struct trace_field *field, uint64_t value);

/* --- an event ----------------------------------------------------------------------------- */

#define TRACE_DOMID_UNKNOWN    0xffffu
#define TRACE_DOM_VCPU_UNKNOWN 0xffffu

/** A piece of guest memory that an argument points to. */
struct trace_blob {
    uint16_t role; /* enum trace_role: which public structure, or array of it */
    uint8_t stage; /* 0: as it was at the entry; 1: as it was at the end */
    uint64_t gva;  /* guest-linear address; 0 if it was not read through one */
    const uint8_t *data;
    uint32_t size_bytes; /* less than the guest's when it could not be read as a whole */
};

struct trace_value {
    uint64_t u64; /* numbers; of TEXT, BYTES: how many bytes; of BLOBS: how many blobs */
    union {
        const uint8_t *bytes;
        const struct trace_blob *blob;
    };
};

struct trace_event {
    const struct trace_kind *kind;
    uint64_t number;     /* of the trace's events, from 0; set by who numbers them */
    uint64_t insns;      /* retired by the whole machine before the event */
    uint64_t virtual_ns; /* time of the vCPU that it happened on */
    unsigned vcpu;       /* of the machine */
    unsigned domid;      /* whose event it is, or TRACE_DOMID_UNKNOWN */
    unsigned dom_vcpu;   /* which of the domain's vCPUs, or TRACE_DOM_VCPU_UNKNOWN */
    struct trace_value value[TRACE_FIELDS_MAX]; /* kind->fields of them */
};

/* --- kinds, fields and names of this version ---------------------------------------------- */

/* New ones get new numbers at the end; what a number means never changes.  A kind may get more
 * fields at its end.  event.c has the table. */

enum trace_kind_id {
    TRACE_KIND_HYPERCALL = 1,
    TRACE_KIND_PAGE_TYPE = 2, /* a frame's type or its count changed */
    TRACE_KIND_PIN = 3,       /* MMUEXT_PIN_*, MMUEXT_UNPIN */
    TRACE_KIND_CR3 = 4,       /* a guest's base pointer was loaded */
    TRACE_KIND_PT_WRITE = 5,  /* a guest's own store to a page table was emulated */
    TRACE_KIND_TLB_FLUSH = 6, /* asked for */
    TRACE_KIND_GRANT_MAP = 7,
    TRACE_KIND_GRANT_UNMAP = 8,
    TRACE_KIND_GRANT_COPY = 9,
    TRACE_KIND_GRANT_TRANSFER = 10,
    TRACE_KIND_FRAME_OWNER = 11, /* a frame went from one owner to another */
    TRACE_KIND_EVTCHN_SEND = 12, /* a port became pending because somebody sent */
    TRACE_KIND_VIRQ = 13,
    TRACE_KIND_UPCALL = 14, /* a guest entered its event callback */
    TRACE_KIND_SWITCH = 15, /* another domain's vCPU, or another vCPU, runs here now */
    TRACE_KIND_MODE = 16,   /* a guest went from user to kernel or back */
    TRACE_KIND_EXCEPTION = 17,
    TRACE_KIND_INTERRUPT = 18,
    TRACE_KIND_DEMAND_WALK = 19, /* the hypervisor walked page tables because of a fault */
    TRACE_KIND_CONSOLE = 20,     /* text that came out of the machine's console */
    TRACE_KIND_PORT = 21,
    TRACE_KIND_MMIO = 22,
    TRACE_KIND_DMA = 23,
    TRACE_KIND_INPUT = 24,
    TRACE_KIND_DOMAIN = 25, /* a domain was made, started, stopped, destroyed */
    TRACE_KIND_NOTE = 26    /* said by the recorder, not by the machine */
};

enum trace_hypercall_field {
    TRACE_HYPERCALL_NUMBER,
    TRACE_HYPERCALL_DEPTH, /* 0, or 1: an entry of a multicall */
    TRACE_HYPERCALL_INDEX, /* which entry; 0 at depth 0 */
    TRACE_HYPERCALL_ARG1,  /* six of them */
    TRACE_HYPERCALL_ARG6 = TRACE_HYPERCALL_ARG1 + 5,
    TRACE_HYPERCALL_RESULT,
    TRACE_HYPERCALL_END,            /* enum trace_hypercall_end */
    TRACE_HYPERCALL_ABI,            /* 64 or 32 */
    TRACE_HYPERCALL_SWITCHED,       /* other vCPUs ran meanwhile */
    TRACE_HYPERCALL_DURATION_INSNS, /* from entry to here */
    TRACE_HYPERCALL_DURATION_CYCLES,
    TRACE_HYPERCALL_RIP,   /* the guest's, behind the hypercall instruction */
    TRACE_HYPERCALL_MEMORY /* blobs; roles are enum trace_role */
};
enum trace_hypercall_end {
    TRACE_END_RETURNED,
    TRACE_END_NO_RETURN,
    TRACE_END_CONTINUED,
    TRACE_END_UNFINISHED
};

/** What a blob is: `struct NAME` of Xen's public headers, or an array of it. */
enum trace_role {
    TRACE_ROLE_RAW = 0, /* bytes whose structure is not said */
    TRACE_ROLE_MMU_UPDATE = 1,
    TRACE_ROLE_MMUEXT_OP = 2,
    TRACE_ROLE_MULTICALL_ENTRY = 3,
    TRACE_ROLE_GRANT_OP = 4, /* element after the command in the first argument */
    TRACE_ROLE_EVTCHN_OP = 5,
    TRACE_ROLE_MEMORY_OP = 6,
    TRACE_ROLE_SCHED_OP = 7,
    TRACE_ROLE_DOMCTL = 8,
    TRACE_ROLE_SYSCTL = 9,
    TRACE_ROLE_PLATFORM_OP = 10,
    TRACE_ROLE_PHYSDEV_OP = 11,
    TRACE_ROLE_VCPU_OP = 12,
    TRACE_ROLE_XEN_VERSION = 13,
    TRACE_ROLE_CONSOLE = 14,    /* text written or read by console_io */
    TRACE_ROLE_TRAP_INFO = 15,  /* set_trap_table */
    TRACE_ROLE_FRAME_LIST = 16, /* 64-bit frame numbers: set_gdt, memory_op's extents, ... */
    TRACE_ROLE_DESCRIPTOR = 17, /* update_descriptor */
    TRACE_ROLE_IRET_FRAME = 18, /* struct iret_context */
    TRACE_ROLE_CALLBACK_OP = 19,
    TRACE_ROLE_NMI_OP = 20,
    TRACE_ROLE_HVM_OP = 21,
    TRACE_ROLE_PORT_LIST = 22, /* evtchn_port_t: sched_op poll */
    TRACE_ROLE_DATA = 23,      /* what a structure's handle points to, not described further */
    TRACE_ROLE_L1E = 24        /* update_va_mapping: the page table entry, before and after */
};

/** Types of frames; what this version's hypervisors have, under one set of numbers. */
enum trace_page_type {
    TRACE_PAGE_NONE = 0,
    TRACE_PAGE_L1 = 1,
    TRACE_PAGE_L2 = 2,
    TRACE_PAGE_L3 = 3,
    TRACE_PAGE_L4 = 4,
    TRACE_PAGE_SEG = 5,      /* descriptor table */
    TRACE_PAGE_WRITABLE = 6, /* a guest may write it */
    TRACE_PAGE_SHARED = 7,
    TRACE_PAGE_UNKNOWN = 255
};

enum trace_page_type_field {
    TRACE_PAGE_TYPE_MFN,
    TRACE_PAGE_TYPE_OP, /* enum trace_take_drop */
    TRACE_PAGE_TYPE_OLD,
    TRACE_PAGE_TYPE_NEW,
    TRACE_PAGE_TYPE_OLD_COUNT,
    TRACE_PAGE_TYPE_NEW_COUNT,
    TRACE_PAGE_TYPE_VALIDATED, /* bool, after it */
    TRACE_PAGE_TYPE_OWNER,     /* domid */
    TRACE_PAGE_TYPE_RESULT,    /* negative errno, 0 */
    TRACE_PAGE_TYPE_RAW        /* the hypervisor's own type word, after it */
};
enum trace_take_drop {
    TRACE_TAKE,
    TRACE_DROP,
    TRACE_SET /* the hypervisor has set type and count itself */
};

enum trace_pin_field {
    TRACE_PIN_MFN,
    TRACE_PIN_OP,
    TRACE_PIN_TYPE,
    TRACE_PIN_OWNER,
    TRACE_PIN_RESULT
};
enum trace_pin_op { TRACE_PIN_OP_PIN, TRACE_PIN_OP_UNPIN };

enum trace_cr3_field { TRACE_CR3_OLD, TRACE_CR3_NEW, TRACE_CR3_WHICH, TRACE_CR3_RESULT };
enum trace_cr3_which { TRACE_CR3_KERNEL, TRACE_CR3_USER, TRACE_CR3_HARDWARE };

enum trace_pt_write_field {
    TRACE_PT_WRITE_VA,
    TRACE_PT_WRITE_MFN,
    TRACE_PT_WRITE_LEVEL,
    TRACE_PT_WRITE_OLD,
    TRACE_PT_WRITE_NEW,
    TRACE_PT_WRITE_SIZE,
    TRACE_PT_WRITE_RESULT,
    TRACE_PT_WRITE_RIP
};

enum trace_tlb_flush_field {
    TRACE_TLB_FLUSH_SCOPE,
    TRACE_TLB_FLUSH_VA,
    TRACE_TLB_FLUSH_ORDER,
    TRACE_TLB_FLUSH_CPUS,
    TRACE_TLB_FLUSH_FLAGS
};
enum trace_tlb_scope { TRACE_TLB_LOCAL, TRACE_TLB_MASK, TRACE_TLB_PAGE };

enum trace_grant_map_field {
    TRACE_GRANT_MAP_GRANTER,
    TRACE_GRANT_MAP_MAPPER,
    TRACE_GRANT_MAP_REF,
    TRACE_GRANT_MAP_MFN,
    TRACE_GRANT_MAP_HOST_ADDR,
    TRACE_GRANT_MAP_FLAGS,
    TRACE_GRANT_MAP_HANDLE,
    TRACE_GRANT_MAP_STATUS
};
enum trace_grant_unmap_field {
    TRACE_GRANT_UNMAP_GRANTER,
    TRACE_GRANT_UNMAP_MAPPER,
    TRACE_GRANT_UNMAP_REF,
    TRACE_GRANT_UNMAP_MFN,
    TRACE_GRANT_UNMAP_HOST_ADDR,
    TRACE_GRANT_UNMAP_HANDLE,
    TRACE_GRANT_UNMAP_STATUS
};
enum trace_grant_copy_field {
    TRACE_GRANT_COPY_CALLER,
    TRACE_GRANT_COPY_SRC,
    TRACE_GRANT_COPY_SRC_REF,
    TRACE_GRANT_COPY_SRC_MFN,
    TRACE_GRANT_COPY_SRC_OFFSET,
    TRACE_GRANT_COPY_DST,
    TRACE_GRANT_COPY_DST_REF,
    TRACE_GRANT_COPY_DST_MFN,
    TRACE_GRANT_COPY_DST_OFFSET,
    TRACE_GRANT_COPY_SIZE,
    TRACE_GRANT_COPY_FLAGS,
    TRACE_GRANT_COPY_STATUS
};
enum trace_grant_transfer_field {
    TRACE_GRANT_TRANSFER_GIVER,
    TRACE_GRANT_TRANSFER_RECEIVER,
    TRACE_GRANT_TRANSFER_REF,
    TRACE_GRANT_TRANSFER_MFN,
    TRACE_GRANT_TRANSFER_STATUS
};

enum trace_frame_owner_field {
    TRACE_FRAME_OWNER_MFN,
    TRACE_FRAME_OWNER_ORDER,
    TRACE_FRAME_OWNER_OLD,
    TRACE_FRAME_OWNER_NEW
};

enum trace_evtchn_send_field {
    TRACE_EVTCHN_SEND_PORT,
    TRACE_EVTCHN_SEND_REMOTE,
    TRACE_EVTCHN_SEND_REMOTE_PORT,
    TRACE_EVTCHN_SEND_REMOTE_VCPU,
    TRACE_EVTCHN_SEND_RESULT
};
enum trace_virq_field {
    TRACE_VIRQ_VIRQ,
    TRACE_VIRQ_TARGET,
    TRACE_VIRQ_TARGET_VCPU,
    TRACE_VIRQ_PORT
};
enum trace_upcall_field { TRACE_UPCALL_RIP, TRACE_UPCALL_CALLBACK, TRACE_UPCALL_SELECTOR };

enum trace_switch_field {
    TRACE_SWITCH_FROM,
    TRACE_SWITCH_FROM_VCPU,
    TRACE_SWITCH_TO,
    TRACE_SWITCH_TO_VCPU
};
enum trace_mode_field { TRACE_MODE_TO, TRACE_MODE_RIP };
enum trace_mode_to { TRACE_MODE_KERNEL, TRACE_MODE_USER };

enum trace_exception_field {
    TRACE_EXCEPTION_VECTOR,
    TRACE_EXCEPTION_HAS_ERROR,
    TRACE_EXCEPTION_ERROR,
    TRACE_EXCEPTION_SOFTWARE,
    TRACE_EXCEPTION_RIP,
    TRACE_EXCEPTION_CR2
};
enum trace_interrupt_field { TRACE_INTERRUPT_VECTOR, TRACE_INTERRUPT_NMI };

enum trace_demand_walk_field {
    TRACE_DEMAND_WALK_VA,
    TRACE_DEMAND_WALK_ERROR,
    TRACE_DEMAND_WALK_L4E,
    TRACE_DEMAND_WALK_L3E,
    TRACE_DEMAND_WALK_L2E,
    TRACE_DEMAND_WALK_L1E,
    TRACE_DEMAND_WALK_RESULT
};

enum trace_console_field { TRACE_CONSOLE_TEXT };
enum trace_port_field { TRACE_PORT_PORT, TRACE_PORT_SIZE, TRACE_PORT_WRITE, TRACE_PORT_VALUE };
enum trace_mmio_field { TRACE_MMIO_GPA, TRACE_MMIO_SIZE, TRACE_MMIO_WRITE, TRACE_MMIO_VALUE };
enum trace_dma_field {
    TRACE_DMA_DEVICE,
    TRACE_DMA_GPA,
    TRACE_DMA_SIZE,
    TRACE_DMA_WRITE,
    TRACE_DMA_RESULT
};
enum trace_input_field { TRACE_INPUT_CHANNEL, TRACE_INPUT_BYTES };

enum trace_domain_field { TRACE_DOMAIN_TARGET, TRACE_DOMAIN_OP, TRACE_DOMAIN_REASON };
enum trace_domain_op {
    TRACE_DOMAIN_CREATE,
    TRACE_DOMAIN_PAUSE,
    TRACE_DOMAIN_UNPAUSE,
    TRACE_DOMAIN_SHUTDOWN,
    TRACE_DOMAIN_DESTROY
};
enum trace_note_field { TRACE_NOTE_TEXT };

/* --- making events ------------------------------------------------------------------------ */

#define TRACE_BUILD_BLOBS 40
#define TRACE_BUILD_BYTES 65536 /* of texts, bytes and blobs of one event */

/** One event in the making; 66 KiB, so not on the stack.  Zero-initialised is fine. */
struct trace_build {
    struct trace_event event;
    struct trace_blob blob[TRACE_BUILD_BLOBS];
    unsigned blobs;
    uint32_t used_bytes;
    bool cut; /* something did not fit; the blob in question is shorter or missing */
    uint8_t arena[TRACE_BUILD_BYTES];
};

/** trace_build_begin - all fields 0 and empty, domain unknown. */
void trace_build_begin(struct trace_build *b, enum trace_kind_id kind, uint64_t insns,
                       uint64_t virtual_ns, unsigned vcpu);

/** trace_build_at - the instant of the event, where it is not that of trace_build_begin(). */
static inline void trace_build_at(struct trace_build *b, uint64_t insns, uint64_t virtual_ns)
{
    b->event.insns = insns;
    b->event.virtual_ns = virtual_ns;
}

static inline void trace_build_domain(struct trace_build *b, unsigned domid, unsigned dom_vcpu)
{
    b->event.domid = domid;
    b->event.dom_vcpu = dom_vcpu;
}

/** trace_build_u64 - field number @field; of any type that is a number. */
static inline void trace_build_u64(struct trace_build *b, unsigned field, uint64_t value)
{
    b->event.value[field].u64 = value;
}

/** trace_build_bytes - copy @data into a field of type TEXT or BYTES. */
void trace_build_bytes(struct trace_build *b, unsigned field, const void *data, size_t size_bytes);

/**
 * trace_build_blob - add a blob to field @field, which is of type BLOBS.
 * Returns: where to write its @size_bytes bytes; NULL if there is no room (and @b->cut).
 */
uint8_t *trace_build_blob(struct trace_build *b, unsigned field, enum trace_role role,
                          unsigned stage, uint64_t gva, uint32_t size_bytes);
/** trace_build_blob_shrink - the last blob has only @size_bytes; no more than it had. */
void trace_build_blob_shrink(struct trace_build *b, uint32_t size_bytes);

/** trace_build_end - the event, valid until the next trace_build_begin() of the same builder. */
const struct trace_event *trace_build_end(struct trace_build *b);

/** Who takes events: the recorder, a checker, a printer. */
struct trace_sink {
    void *user;
    /** event - @event is borrowed for the call; its number is not set yet. */
    void (*event)(void *user, const struct trace_event *event);
};

static inline void trace_sink_event(const struct trace_sink *sink, const struct trace_event *event)
{
    sink->event(sink->user, event);
}

#endif
