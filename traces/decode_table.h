/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the decoders (traces/decode*.c): structures of the public interface as tables, and
 * the one engine that goes through a table.
 */
#ifndef PARAVANE_TRACES_DECODE_TABLE_H
#define PARAVANE_TRACES_DECODE_TABLE_H

#include <stddef.h>

#include "sim/base/types.h"
#include "traces/decode.h"

enum decode_type {
    DECODE_U64,
    DECODE_I64,
    DECODE_HEX,
    DECODE_BOOL,
    DECODE_MFN, /* a machine frame: touches */
    DECODE_GFN, /* a guest's or a machine's frame, who knows: is shown only */
    DECODE_PTE,
    DECODE_VA,
    DECODE_DOMID,
    DECODE_PORT,
    DECODE_REF,
    DECODE_ENUM,
    DECODE_FLAGS,
    DECODE_TIME,
    DECODE_STATUS, /* GNTST_* */
    DECODE_TEXT,   /* up to its NUL */
    DECODE_BYTES
};

struct decode_field {
    const char *name;
    uint16_t offset, size;
    uint8_t type;
    bool out; /* written by the hypervisor */
    const struct trace_name *names;
    unsigned count;
};

#define DECODE_FIELD(label, structure, member, kind, is_out, list, length)                         \
    {                                                                                              \
        label, offsetof(structure, member), sizeof(((structure *)0)->member), DECODE_##kind,       \
            is_out, list, length                                                                   \
    }
/* A member that the guest writes, and one that the hypervisor writes. */
#define IN(label, structure, member, kind)                                                         \
    DECODE_FIELD(label, structure, member, kind, false, NULL, 0)
#define OUT(label, structure, member, kind)                                                        \
    DECODE_FIELD(label, structure, member, kind, true, NULL, 0)
/* Of kind ENUM or FLAGS, with its names. */
#define IN_NAMED(label, structure, member, kind, names)                                            \
    DECODE_FIELD(label, structure, member, kind, false, names, ARRAY_LEN(names))
#define OUT_NAMED(label, structure, member, kind, names)                                           \
    DECODE_FIELD(label, structure, member, kind, true, names, ARRAY_LEN(names))

/** A sub-operation: its number, its name, and the structure behind it. */
struct decode_op {
    uint64_t cmd;
    const char *name;
    const struct decode_field *field; /* NULL: it has none */
    unsigned fields;
    uint32_t size_bytes; /* of the structure, in an array of them */
};

#define OP(cmd, name, structure, table)                                                            \
    {                                                                                              \
        cmd, name, table, ARRAY_LEN(table), sizeof(structure)                                      \
    }
#define OP_BARE(cmd, name)                                                                         \
    {                                                                                              \
        cmd, name, NULL, 0, 0                                                                      \
    }

/** Captured bytes, @data NULL: there are none. */
struct decode_span {
    const uint8_t *data;
    uint32_t size_bytes;
    uint64_t gva;
};

/** One hypercall being decoded. */
struct decode_call {
    struct trace_out *o;
    const struct trace_event *event;
    uint64_t arg[6];
    int64_t result;
};

/** decode_blob - the @nth blob of @role and @stage. */
struct decode_span decode_blob(const struct trace_event *e, enum trace_role role, unsigned stage,
                               unsigned nth);
/** decode_slice - @size_bytes of @span from @offset on, as much of it as is there. */
struct decode_span decode_slice(struct decode_span span, uint64_t offset, uint32_t size_bytes);

/** decode_op_find - NULL if there is none with this @cmd. */
const struct decode_op *decode_op_find(const struct decode_op *ops, unsigned count, uint64_t cmd);

/**
 * decode_members - the members of a structure, without braces.
 * @in:  as it was at the entry; when it is not there, @out stands in for it.
 * @out: as it was at the end; when it is not there, what the hypervisor writes is not shown.
 */
void decode_members(struct trace_out *o, const struct decode_field *field, unsigned fields,
                    struct decode_span in, struct decode_span out);

/**
 * decode_simple - the usual form: a command in one argument, a pointer to one structure in
 *                 another.  Shows the command's name, then the structure or the pointer.
 */
void decode_simple(struct decode_call *c, const struct decode_op *ops, unsigned count,
                   uint64_t cmd, uint64_t pointer, enum trace_role role);

/** decode_frame_list - the blobs of role FRAME_LIST: "frames" at the entry, "=>" at the end.
 *  @in_how, @out_how: how the frames are touched; NULL: they are not machine frames. */
void decode_frame_list(struct decode_call *c, const char *in_how, const char *out_how);

/** decode_raw - bytes of the blobs that nothing has described, role RAW and DATA. */
void decode_raw(struct decode_call *c);

/** decode_read_u64 - a little-endian number of 1, 2, 4 or 8 bytes. */
uint64_t decode_read_u64(const uint8_t *data, unsigned size_bytes);

/** A family of hypercalls.  op: NULL or the name of the sub-operation. */
struct decode_handler {
    void (*args)(struct decode_call *c);
    const char *(*op)(const struct decode_call *c);
};

extern const struct decode_handler decode_mmu_update, decode_mmuext_op, decode_update_va_mapping,
    decode_update_va_mapping_otherdomain;
extern const struct decode_handler decode_memory_op, decode_grant_table_op,
    decode_event_channel_op;
extern const struct decode_handler decode_sched_op, decode_sched_op_compat, decode_vcpu_op,
    decode_set_timer_op;
extern const struct decode_handler decode_set_trap_table, decode_set_gdt, decode_stack_switch,
    decode_set_callbacks, decode_fpu_taskswitch, decode_set_debugreg, decode_get_debugreg,
    decode_update_descriptor, decode_set_segment_base, decode_iret;
extern const struct decode_handler decode_callback_op, decode_nmi_op, decode_vm_assist;
extern const struct decode_handler decode_domctl, decode_sysctl, decode_platform_op;
extern const struct decode_handler decode_physdev_op;
extern const struct decode_handler decode_xen_version, decode_console_io, decode_hvm_op,
    decode_kexec_op, decode_multicall;

#endif
