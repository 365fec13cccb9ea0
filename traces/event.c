/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of kinds, and the builder.
 */
#include "traces/event.h"

#include <string.h>

#include "sim/base/assert.h"
#include "sim/base/types.h"

/* --- names of values ----------------------------------------------------------------------- */

static const struct trace_name hypercall_names[] = {
    {0, "set_trap_table"},
    {1, "mmu_update"},
    {2, "set_gdt"},
    {3, "stack_switch"},
    {4, "set_callbacks"},
    {5, "fpu_taskswitch"},
    {6, "sched_op_compat"},
    {7, "platform_op"},
    {8, "set_debugreg"},
    {9, "get_debugreg"},
    {10, "update_descriptor"},
    {12, "memory_op"},
    {13, "multicall"},
    {14, "update_va_mapping"},
    {15, "set_timer_op"},
    {16, "event_channel_op_compat"},
    {17, "xen_version"},
    {18, "console_io"},
    {19, "physdev_op_compat"},
    {20, "grant_table_op"},
    {21, "vm_assist"},
    {22, "update_va_mapping_otherdomain"},
    {23, "iret"},
    {24, "vcpu_op"},
    {25, "set_segment_base"},
    {26, "mmuext_op"},
    {27, "xsm_op"},
    {28, "nmi_op"},
    {29, "sched_op"},
    {30, "callback_op"},
    {31, "xenoprof_op"},
    {32, "event_channel_op"},
    {33, "physdev_op"},
    {34, "hvm_op"},
    {35, "sysctl"},
    {36, "domctl"},
    {37, "kexec_op"},
    {38, "tmem_op"},
    {39, "argo_op"},
    {40, "xenpmu_op"},
    {41, "dm_op"},
    {42, "hypfs_op"},
    {48, "mca"},
    {49, "paging_domctl"},
};
static const struct trace_name end_names[] = {
    {TRACE_END_RETURNED, "returned"},
    {TRACE_END_NO_RETURN, "no-return"},
    {TRACE_END_CONTINUED, "continued"},
    {TRACE_END_UNFINISHED, "unfinished"},
};
static const struct trace_name role_names[] = {
    {TRACE_ROLE_RAW, "raw"},
    {TRACE_ROLE_MMU_UPDATE, "mmu_update"},
    {TRACE_ROLE_MMUEXT_OP, "mmuext_op"},
    {TRACE_ROLE_MULTICALL_ENTRY, "multicall_entry"},
    {TRACE_ROLE_GRANT_OP, "grant_op"},
    {TRACE_ROLE_EVTCHN_OP, "evtchn_op"},
    {TRACE_ROLE_MEMORY_OP, "memory_op"},
    {TRACE_ROLE_SCHED_OP, "sched_op"},
    {TRACE_ROLE_DOMCTL, "domctl"},
    {TRACE_ROLE_SYSCTL, "sysctl"},
    {TRACE_ROLE_PLATFORM_OP, "platform_op"},
    {TRACE_ROLE_PHYSDEV_OP, "physdev_op"},
    {TRACE_ROLE_VCPU_OP, "vcpu_op"},
    {TRACE_ROLE_XEN_VERSION, "xen_version"},
    {TRACE_ROLE_CONSOLE, "console"},
    {TRACE_ROLE_TRAP_INFO, "trap_info"},
    {TRACE_ROLE_FRAME_LIST, "frame_list"},
    {TRACE_ROLE_DESCRIPTOR, "descriptor"},
    {TRACE_ROLE_IRET_FRAME, "iret_frame"},
    {TRACE_ROLE_CALLBACK_OP, "callback_op"},
    {TRACE_ROLE_NMI_OP, "nmi_op"},
    {TRACE_ROLE_HVM_OP, "hvm_op"},
    {TRACE_ROLE_PORT_LIST, "port_list"},
    {TRACE_ROLE_DATA, "data"},
    {TRACE_ROLE_L1E, "l1e"},
};
static const struct trace_name page_names[] = {
    {TRACE_PAGE_NONE, "none"},
    {TRACE_PAGE_L1, "l1"},
    {TRACE_PAGE_L2, "l2"},
    {TRACE_PAGE_L3, "l3"},
    {TRACE_PAGE_L4, "l4"},
    {TRACE_PAGE_SEG, "seg"},
    {TRACE_PAGE_WRITABLE, "writable"},
    {TRACE_PAGE_SHARED, "shared"},
    {TRACE_PAGE_UNKNOWN, "unknown"},
};
static const struct trace_name take_names[] = {{TRACE_TAKE, "take"}, {TRACE_DROP, "drop"},
                                               {TRACE_SET, "set"}};
static const struct trace_name pin_names[] = {{TRACE_PIN_OP_PIN, "pin"},
                                              {TRACE_PIN_OP_UNPIN, "unpin"}};
static const struct trace_name cr3_names[] = {
    {TRACE_CR3_KERNEL, "kernel"}, {TRACE_CR3_USER, "user"}, {TRACE_CR3_HARDWARE, "hardware"}};
static const struct trace_name scope_names[] = {
    {TRACE_TLB_LOCAL, "local"}, {TRACE_TLB_MASK, "mask"}, {TRACE_TLB_PAGE, "page"}};
static const struct trace_name virq_names[] = {
    {0, "timer"},    {1, "debug"},    {2, "console"},  {3, "dom_exc"},    {4, "tbuf"},
    {6, "debugger"}, {7, "xenoprof"}, {8, "con_ring"}, {9, "pcpu_state"}, {10, "mem_event"},
    {11, "argo"},    {12, "enomem"},  {13, "xenpmu"},  {16, "mca"},
};
static const struct trace_name mode_names[] = {{TRACE_MODE_KERNEL, "kernel"},
                                               {TRACE_MODE_USER, "user"}};
static const struct trace_name vector_names[] = {
    {0, "#DE"},  {1, "#DB"},  {2, "NMI"},  {3, "#BP"},  {4, "#OF"},  {5, "#BR"},
    {6, "#UD"},  {7, "#NM"},  {8, "#DF"},  {10, "#TS"}, {11, "#NP"}, {12, "#SS"},
    {13, "#GP"}, {14, "#PF"}, {16, "#MF"}, {17, "#AC"}, {18, "#MC"}, {19, "#XM"},
};
static const struct trace_name channel_names[] = {{0, "console"}};
static const struct trace_name domain_names[] = {
    {TRACE_DOMAIN_CREATE, "create"},   {TRACE_DOMAIN_PAUSE, "pause"},
    {TRACE_DOMAIN_UNPAUSE, "unpause"}, {TRACE_DOMAIN_SHUTDOWN, "shutdown"},
    {TRACE_DOMAIN_DESTROY, "destroy"},
};

/* --- fields -------------------------------------------------------------------------------- */

/* clang-format off */
#define U64(n) {n, TRACE_TYPE_U64, NULL, 0, 0}
#define I64(n) {n, TRACE_TYPE_I64, NULL, 0, 0}
#define HEX(n) {n, TRACE_TYPE_HEX, NULL, 0, 0}
#define MFN(n) {n, TRACE_TYPE_MFN, NULL, 0, 0}
#define DOMID(n) {n, TRACE_TYPE_DOMID, NULL, 0, 0}
#define BOOL(n) {n, TRACE_TYPE_BOOL, NULL, 0, 0}
#define TEXT(n) {n, TRACE_TYPE_TEXT, NULL, 0, 0}
#define BYTES(n) {n, TRACE_TYPE_BYTES, NULL, 0, 0}
#define NEAR(n, other) {n, TRACE_TYPE_U64, NULL, 0, 1 + (other)}
#define ENUM(n, names) {n, TRACE_TYPE_ENUM, names, ARRAY_LEN(names), 0}
#define BLOBS(n) {n, TRACE_TYPE_BLOBS, role_names, ARRAY_LEN(role_names), 0}
/* clang-format on */

static const struct trace_field hypercall_fields[] = {
    ENUM("number", hypercall_names),
    U64("depth"),
    U64("index"),
    HEX("arg1"),
    HEX("arg2"),
    HEX("arg3"),
    HEX("arg4"),
    HEX("arg5"),
    HEX("arg6"),
    I64("result"),
    ENUM("end", end_names),
    U64("abi"),
    BOOL("switched"),
    U64("duration_insns"),
    NEAR("duration_cycles", TRACE_HYPERCALL_DURATION_INSNS),
    HEX("rip"),
    BLOBS("memory"),
};
static const struct trace_field page_type_fields[] = {
    MFN("mfn"),
    ENUM("op", take_names),
    ENUM("old", page_names),
    ENUM("new", page_names),
    U64("old_count"),
    NEAR("new_count", TRACE_PAGE_TYPE_OLD_COUNT),
    BOOL("validated"),
    DOMID("owner"),
    I64("result"),
    HEX("raw"),
};
static const struct trace_field pin_fields[] = {
    MFN("mfn"), ENUM("op", pin_names), ENUM("type", page_names), DOMID("owner"), I64("result"),
};
static const struct trace_field cr3_fields[] = {
    MFN("old"),
    MFN("new"),
    ENUM("which", cr3_names),
    I64("result"),
};
static const struct trace_field pt_write_fields[] = {
    HEX("va"),  MFN("mfn"),  U64("level"),  HEX("old"),
    HEX("new"), U64("size"), I64("result"), HEX("rip"),
};
static const struct trace_field tlb_flush_fields[] = {
    ENUM("scope", scope_names), HEX("va"), U64("order"), HEX("cpus"), HEX("flags"),
};
static const struct trace_field grant_map_fields[] = {
    DOMID("granter"), DOMID("mapper"), U64("ref"),    MFN("mfn"),
    HEX("host_addr"), HEX("flags"),    U64("handle"), I64("status"),
};
static const struct trace_field grant_unmap_fields[] = {
    DOMID("granter"), DOMID("mapper"), U64("ref"),    MFN("mfn"),
    HEX("host_addr"), U64("handle"),   I64("status"),
};
static const struct trace_field grant_copy_fields[] = {
    DOMID("caller"),   DOMID("src"), U64("src_ref"), MFN("src_mfn"),
    U64("src_offset"), DOMID("dst"), U64("dst_ref"), MFN("dst_mfn"),
    U64("dst_offset"), U64("size"),  HEX("flags"),   I64("status"),
};
static const struct trace_field grant_transfer_fields[] = {
    DOMID("giver"), DOMID("receiver"), U64("ref"), MFN("mfn"), I64("status"),
};
static const struct trace_field frame_owner_fields[] = {
    MFN("mfn"),
    U64("order"),
    DOMID("old"),
    DOMID("new"),
};
static const struct trace_field evtchn_send_fields[] = {
    U64("port"), DOMID("remote"), U64("remote_port"), U64("remote_vcpu"), I64("result"),
};
static const struct trace_field virq_fields[] = {
    ENUM("virq", virq_names),
    DOMID("target"),
    U64("target_vcpu"),
    U64("port"),
};
static const struct trace_field upcall_fields[] = {
    HEX("rip"),
    HEX("callback"),
    HEX("selector"),
};
static const struct trace_field switch_fields[] = {
    DOMID("from"),
    U64("from_vcpu"),
    DOMID("to"),
    U64("to_vcpu"),
};
static const struct trace_field mode_fields[] = {
    ENUM("to", mode_names),
    HEX("rip"),
};
static const struct trace_field exception_fields[] = {
    ENUM("vector", vector_names),
    BOOL("has_error"),
    HEX("error"),
    BOOL("software"),
    HEX("rip"),
    HEX("cr2"),
};
static const struct trace_field interrupt_fields[] = {
    HEX("vector"),
    BOOL("nmi"),
};
static const struct trace_field demand_walk_fields[] = {
    HEX("va"), HEX("error"), HEX("l4e"), HEX("l3e"), HEX("l2e"), HEX("l1e"), I64("result"),
};
static const struct trace_field console_fields[] = {TEXT("text")};
static const struct trace_field port_fields[] = {
    HEX("port"),
    U64("size"),
    BOOL("write"),
    HEX("value"),
};
static const struct trace_field mmio_fields[] = {
    HEX("gpa"),
    U64("size"),
    BOOL("write"),
    HEX("value"),
};
static const struct trace_field dma_fields[] = {
    TEXT("device"), HEX("gpa"), U64("size"), BOOL("write"), I64("result"),
};
static const struct trace_field input_fields[] = {
    ENUM("channel", channel_names),
    BYTES("bytes"),
};
static const struct trace_field domain_fields[] = {
    DOMID("target"),
    ENUM("op", domain_names),
    U64("reason"),
};
static const struct trace_field note_fields[] = {TEXT("text")};

/* --- kinds --------------------------------------------------------------------------------- */

#define KIND(number, word, text)                                                                   \
    static const struct trace_kind word##_kind = {number, #word, text, word##_fields,              \
                                                  ARRAY_LEN(word##_fields)};                       \
    _Static_assert(ARRAY_LEN(word##_fields) <= TRACE_FIELDS_MAX, #word " has too many fields")

KIND(TRACE_KIND_HYPERCALL, hypercall, "hypercalls, with arguments, result and memory");
KIND(TRACE_KIND_PAGE_TYPE, page_type, "a frame's type was taken or dropped");
KIND(TRACE_KIND_PIN, pin, "page tables pinned and unpinned");
KIND(TRACE_KIND_CR3, cr3, "base pointers loaded");
KIND(TRACE_KIND_PT_WRITE, pt_write, "stores to page tables that were emulated");
KIND(TRACE_KIND_TLB_FLUSH, tlb_flush, "TLB flushes asked for");
KIND(TRACE_KIND_GRANT_MAP, grant_map, "grants mapped");
KIND(TRACE_KIND_GRANT_UNMAP, grant_unmap, "grants unmapped");
KIND(TRACE_KIND_GRANT_COPY, grant_copy, "grant copies");
KIND(TRACE_KIND_GRANT_TRANSFER, grant_transfer, "grant transfers");
KIND(TRACE_KIND_FRAME_OWNER, frame_owner, "frames that went to another owner");
KIND(TRACE_KIND_EVTCHN_SEND, evtchn_send, "event channels sent to");
KIND(TRACE_KIND_VIRQ, virq, "virtual interrupts");
KIND(TRACE_KIND_UPCALL, upcall, "event callbacks entered");
KIND(TRACE_KIND_SWITCH, switch, "another vCPU of a domain runs");
KIND(TRACE_KIND_MODE, mode, "guests between kernel and user mode");
KIND(TRACE_KIND_EXCEPTION, exception, "exceptions");
KIND(TRACE_KIND_INTERRUPT, interrupt, "interrupts");
KIND(TRACE_KIND_DEMAND_WALK, demand_walk, "page walks on demand");
KIND(TRACE_KIND_CONSOLE, console, "console text");
KIND(TRACE_KIND_PORT, port, "port accesses");
KIND(TRACE_KIND_MMIO, mmio, "device memory accesses");
KIND(TRACE_KIND_DMA, dma, "devices that read and write memory");
KIND(TRACE_KIND_INPUT, input, "input to the machine");
KIND(TRACE_KIND_DOMAIN, domain, "lives of domains");
KIND(TRACE_KIND_NOTE, note, "said by the recorder");

static const struct trace_schema builtin = {{
    [TRACE_KIND_HYPERCALL] = &hypercall_kind,
    [TRACE_KIND_PAGE_TYPE] = &page_type_kind,
    [TRACE_KIND_PIN] = &pin_kind,
    [TRACE_KIND_CR3] = &cr3_kind,
    [TRACE_KIND_PT_WRITE] = &pt_write_kind,
    [TRACE_KIND_TLB_FLUSH] = &tlb_flush_kind,
    [TRACE_KIND_GRANT_MAP] = &grant_map_kind,
    [TRACE_KIND_GRANT_UNMAP] = &grant_unmap_kind,
    [TRACE_KIND_GRANT_COPY] = &grant_copy_kind,
    [TRACE_KIND_GRANT_TRANSFER] = &grant_transfer_kind,
    [TRACE_KIND_FRAME_OWNER] = &frame_owner_kind,
    [TRACE_KIND_EVTCHN_SEND] = &evtchn_send_kind,
    [TRACE_KIND_VIRQ] = &virq_kind,
    [TRACE_KIND_UPCALL] = &upcall_kind,
    [TRACE_KIND_SWITCH] = &switch_kind,
    [TRACE_KIND_MODE] = &mode_kind,
    [TRACE_KIND_EXCEPTION] = &exception_kind,
    [TRACE_KIND_INTERRUPT] = &interrupt_kind,
    [TRACE_KIND_DEMAND_WALK] = &demand_walk_kind,
    [TRACE_KIND_CONSOLE] = &console_kind,
    [TRACE_KIND_PORT] = &port_kind,
    [TRACE_KIND_MMIO] = &mmio_kind,
    [TRACE_KIND_DMA] = &dma_kind,
    [TRACE_KIND_INPUT] = &input_kind,
    [TRACE_KIND_DOMAIN] = &domain_kind,
    [TRACE_KIND_NOTE] = &note_kind,
}};

const struct trace_schema *trace_schema_builtin(void)
{
    return &builtin;
}

const struct trace_kind *trace_schema_find(const struct trace_schema *schema, const char *name)
{
    for (unsigned i = 0; i <= TRACE_KIND_MAX; i++)
        if (schema->kind[i] && strcmp(schema->kind[i]->name, name) == 0)
            return schema->kind[i];
    return NULL;
}

int trace_kind_field(const struct trace_kind *kind, const char *name)
{
    for (unsigned i = 0; i < kind->fields; i++)
        if (strcmp(kind->field[i].name, name) == 0)
            return (int)i;
    return -1;
}

const char *trace_field_value_name(const struct trace_field *field, uint64_t value)
{
    for (unsigned i = 0; i < field->name_count; i++)
        if (field->names[i].value == value)
            return field->names[i].name;
    return NULL;
}

/* --- the builder --------------------------------------------------------------------------- */

void trace_build_begin(struct trace_build *b, enum trace_kind_id kind, uint64_t insns,
                       uint64_t virtual_ns, unsigned vcpu)
{
    BASE_ASSERT((unsigned)kind <= TRACE_KIND_MAX && builtin.kind[kind]);
    memset(b->event.value, 0, builtin.kind[kind]->fields * sizeof(b->event.value[0]));
    b->event.kind = builtin.kind[kind];
    b->event.number = 0;
    b->event.insns = insns;
    b->event.virtual_ns = virtual_ns;
    b->event.vcpu = vcpu;
    b->event.domid = TRACE_DOMID_UNKNOWN;
    b->event.dom_vcpu = TRACE_DOM_VCPU_UNKNOWN;
    b->blobs = 0;
    b->used_bytes = 0;
    b->cut = false;
}

/* Room in the arena, for as much of @size_bytes as there is. */
static uint8_t *take(struct trace_build *b, size_t *size_bytes)
{
    uint8_t *room = b->arena + b->used_bytes;

    if (*size_bytes > TRACE_BUILD_BYTES - b->used_bytes) {
        *size_bytes = TRACE_BUILD_BYTES - b->used_bytes;
        b->cut = true;
    }
    b->used_bytes += (uint32_t)*size_bytes;
    return room;
}

void trace_build_bytes(struct trace_build *b, unsigned field, const void *data, size_t size_bytes)
{
    struct trace_value *value = &b->event.value[field];

    value->bytes = take(b, &size_bytes);
    value->u64 = size_bytes;
    if (size_bytes)
        memcpy(b->arena + (value->bytes - b->arena), data, size_bytes);
}

uint8_t *trace_build_blob(struct trace_build *b, unsigned field, enum trace_role role,
                          unsigned stage, uint64_t gva, uint32_t size_bytes)
{
    struct trace_value *value = &b->event.value[field];
    struct trace_blob *blob = &b->blob[b->blobs];
    uint8_t *room;

    if (b->blobs == TRACE_BUILD_BLOBS || size_bytes > TRACE_BUILD_BYTES - b->used_bytes) {
        b->cut = true;
        return NULL;
    }
    room = b->arena + b->used_bytes;
    b->used_bytes += size_bytes;
    *blob = (struct trace_blob){.role = (uint16_t)role,
                                .stage = (uint8_t)stage,
                                .gva = gva,
                                .data = room,
                                .size_bytes = size_bytes};
    b->blobs++;
    value->blob = b->blob;
    value->u64 = b->blobs;
    return room;
}

void trace_build_blob_shrink(struct trace_build *b, uint32_t size_bytes)
{
    struct trace_blob *blob = &b->blob[b->blobs - 1];

    BASE_ASSERT(b->blobs && size_bytes <= blob->size_bytes);
    b->used_bytes -= blob->size_bytes - size_bytes;
    blob->size_bytes = size_bytes;
}

const struct trace_event *trace_build_end(struct trace_build *b)
{
    return &b->event;
}
