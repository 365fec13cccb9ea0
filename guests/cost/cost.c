/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hypercalls cost: runs as the initial domain of any hypervisor with Xen's PV interface and prints one
 * line for each operation (samples.h).  tests/bench/hypercalls.sh makes a table of two hypervisors.
 */
#include "guests/cost/samples.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/grant.h"
#include "guests/lib/hypercall.h"
#include "guests/lib/memory.h"
#include "guests/lib/trap.h"
#include "guests/lib/user.h"
#include "guests/lib/vcpu.h"

#define BATCH_MAX 32
#define TREE_TABLES 32 /* L1 tables of 2 MiB: a tree of 64 MiB */
#define UNKNOWN_CALL 61
#define STR(x) #x
#define XSTR(x) STR(x)

static void simple_calls(void)
{
    ASSERT(hypercall(UNKNOWN_CALL, 0, 0, 0, 0, 0) == -XEN_ENOSYS);
    MEASURE("null", hypercall(UNKNOWN_CALL, 0, 0, 0, 0, 0));
    MEASURE("xen_version", hypercall_xen_version(XENVER_version, NULL));
}

/* Two frames that take turns behind one address; both stay mapped elsewhere. */
static void mapping_calls(void)
{
    u64 va = memory_reserve(128);
    u64 pte[2] = {(memory_virt_to_mfn(page_alloc()) << PAGE_SHIFT) | MEMORY_RW,
                  (memory_virt_to_mfn(page_alloc()) << PAGE_SHIFT) | MEMORY_RW};
    static mmu_update_t requests[128];

    for (u32 i = 0; i < 128; i++)
        ASSERT(memory_map(va + i * PAGE_SIZE, pte[0]));
    check("update_va_mapping", hypercall_update_va_mapping(va, pte[1], UVMF_INVLPG));
    MEASURE("update_va_mapping", hypercall_update_va_mapping(va, pte[round_ & 1], UVMF_INVLPG));
    MEASURE("update_va_mapping-noflush", hypercall_update_va_mapping(va, pte[round_ & 1], 0));
    for (u32 i = 0; i < 128; i++)
        requests[i].ptr = memory_entry_maddr(va + i * PAGE_SIZE, 1);
    for (u32 count = 1; count <= 128; count += 127) {
        for (u32 round = 0; round < SAMPLES; round++) {
            u64 start;

            for (u32 i = 0; i < count; i++)
                requests[i].val = pte[~round & 1];
            start = clock_tsc();
            check("mmu_update", hypercall_mmu_update(requests, count, NULL, DOMID_SELF));
            samples[round] = clock_tsc() - start - samples_overhead;
        }
        samples_report(count == 1 ? "mmu_update-1" : "mmu_update-128");
    }
}

static void batched(multicall_entry_t *calls, u32 count, const char *name)
{
    MEASURE(name, hypercall_multicall(calls, count));
    for (u32 i = 0; i < count; i++)
        check("a call of a batch", (long)calls[i].result);
}

/* The claim of the lecture: several calls in one cost less than one by one. */
static void multicalls(void)
{
    static multicall_entry_t calls[BATCH_MAX];
    static const char *const names[] = {"multicall-1",  "multicall-2",  "multicall-4",
                                        "multicall-8", "multicall-16", "multicall-32"};

    for (u32 i = 0; i < BATCH_MAX; i++) {
        calls[i].op = __HYPERVISOR_xen_version;
        calls[i].args[0] = XENVER_version;
    }
    for (u32 k = 0; k < sizeof(names) / sizeof(names[0]); k++)
        batched(calls, 1u << k, names[k]);
    MEASURE("separate-8", for (u32 i = 0; i < 8; i++) hypercall_xen_version(XENVER_version, NULL));
    MEASURE("separate-32",
            for (u32 i = 0; i < 32; i++) hypercall_xen_version(XENVER_version, NULL));
}

static u64 *table_alloc(void)
{
    return page_alloc();
}

static void seal(const void *table)
{
    check("read-only table", memory_protect(table, MEMORY_RO));
}

static u64 *full_l1(u64 mfn)
{
    u64 *l1 = table_alloc();

    for (u32 i = 0; i < 512; i++)
        l1[i] = (mfn << PAGE_SHIFT) | MEMORY_RW;
    seal(l1);
    return l1;
}

static void pins(const char *pin_name, const char *unpin_name, const void *table, u32 cmd)
{
    struct mmuext_op op;
    static u64 unpin[SAMPLES];

    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start;

        op = (struct mmuext_op){.cmd = cmd, .arg1.mfn = memory_virt_to_mfn(table)};
        start = clock_tsc();
        check(pin_name, hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF));
        samples[round] = clock_tsc() - start - samples_overhead;
        op.cmd = MMUEXT_UNPIN_TABLE;
        start = clock_tsc();
        check(unpin_name, hypercall_mmuext_op(&op, 1, NULL, DOMID_SELF));
        unpin[round] = clock_tsc() - start - samples_overhead;
    }
    samples_report(pin_name);
    for (u32 round = 0; round < SAMPLES; round++)
        samples[round] = unpin[round];
    samples_report(unpin_name);
}

static void trees(void)
{
    u64 mfn = memory_virt_to_mfn(page_alloc());
    u64 *l2 = table_alloc(), *l3 = table_alloc(), *l4 = table_alloc();
    u64 *l1 = full_l1(mfn);

    pins("pin-l1", "unpin-l1", l1, MMUEXT_PIN_L1_TABLE);
    l2[0] = (memory_virt_to_mfn(l1) << PAGE_SHIFT) | MEMORY_TABLE;
    for (u32 i = 1; i < TREE_TABLES; i++)
        l2[i] = (memory_virt_to_mfn(full_l1(mfn)) << PAGE_SHIFT) | MEMORY_TABLE;
    l3[0] = (memory_virt_to_mfn(l2) << PAGE_SHIFT) | MEMORY_TABLE;
    l4[0] = (memory_virt_to_mfn(l3) << PAGE_SHIFT) | MEMORY_TABLE;
    seal(l2);
    seal(l3);
    seal(l4);
    pins("pin-64MiB", "unpin-64MiB", l4, MMUEXT_PIN_L4_TABLE);
}

static void grants(void)
{
    u64 *from = page_alloc(), *to = page_alloc();
    u64 va = memory_reserve(1);
    struct gnttab_copy copy = {.len = PAGE_SIZE, .flags = GNTCOPY_source_gref};
    u32 ref;
    long handle;

    check("grant table", grant_init(1));
    ref = grant_access(0, memory_virt_to_mfn(from), false);
    ASSERT(memory_map(va, 0));
    handle = grant_map(0, ref, va, 0);
    check("grant map", handle);
    check("grant unmap", grant_unmap((u32)handle, va));
    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start = clock_tsc();

        handle = grant_map(0, ref, va, 0);
        grant_unmap((u32)handle, va);
        samples[round] = clock_tsc() - start - samples_overhead;
    }
    samples_report("grant-map-unmap");
    copy.source.u.ref = ref;
    copy.source.domid = 0;
    copy.dest.u.gmfn = memory_virt_to_mfn(to);
    copy.dest.domid = DOMID_SELF;
    from[0] = 1;
    MEASURE("grant-copy-4096", hypercall_grant_table_op(GNTTABOP_copy, &copy, 1));
    ASSERT(copy.status == GNTST_okay && to[0] == 1);
    copy.len = 8;
    MEASURE("grant-copy-8", hypercall_grant_table_op(GNTTABOP_copy, &copy, 1));
}

/*
 * --- control transfers -----------------------------------------------------------------------
 *
 * Measured at the first and last instruction of the guest: the stubs stand before those of
 * guests/lib, read the counter and go on there, so that no code of the guest counts.
 */

static volatile u64 resumed;

__asm__(".text\n"
        /*
         * A handler of #UD that steps over the instruction and returns by the hypercall iret; the
         * frame is RCX R11 RIP ..., that of iret RAX R11 RCX flags RIP ... (xen-x86_64.h).
         */
        "cost_ud:\n"
        "    movq %rax, samples_rax(%rip)\n"
        "    movq %rdx, samples_rdx(%rip)\n"
        "    rdtsc\n"
        "    movl %eax, samples_arrived(%rip)\n"
        "    movl %edx, 4+samples_arrived(%rip)\n"
        "    movq (%rsp), %rcx\n"
        "    movq 8(%rsp), %r11\n"
        "    addq $2, 16(%rsp)\n"
        "    movq $0, 8(%rsp)\n"
        "    movq %rcx, (%rsp)\n"
        "    pushq %r11\n"
        "    pushq samples_rax(%rip)\n"
        "    movq samples_rdx(%rip), %rdx\n"
        "    movq $" XSTR(__HYPERVISOR_iret) ", %rax\n"
        "    syscall\n");
void cost_ud(void);

static void on_event(u32 port, void *arg)
{
    (void)port;
    (void)arg;
}

static void events(void)
{
    struct callback_register callback = {
        .type = CALLBACKTYPE_event, .flags = CALLBACKF_mask_events, .address = (u64)samples_stub};
    long port = event_alloc_unbound(DOMID_SELF, DOMID_SELF);
    long peer;

    check("event channel", port);
    peer = event_bind_interdomain(DOMID_SELF, (u32)port);
    check("event channel", peer);
    event_clear((u32)peer);
    event_clear((u32)port);
    event_set_handler((u32)port, on_event, NULL);
    event_unmask((u32)port);
    samples_next = (u64)trap_entry_event;
    check("callback", hypercall_callback_op(CALLBACKOP_register, &callback));
    event_enable();
    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start = clock_tsc();

        check("send", event_send((u32)peer));
        samples[round] = samples_arrived - start - samples_overhead;
    }
    samples_report("event-to-handler");
    event_disable();
    trap_install();
}

static void exceptions(void)
{
    struct trap_info table[2] = {
        {.vector = TRAP_UD, .cs = SEL_USER_CS, .address = (unsigned long)cost_ud}};
    static u64 whole[SAMPLES];

    check("trap table", hypercall_set_trap_table(table));
    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start = clock_tsc();

        __asm__ volatile("ud2" : : : "memory");
        whole[round] = clock_tsc() - start - samples_overhead;
        samples[round] = samples_arrived - start - samples_overhead;
    }
    samples_report("exception-to-handler");
    for (u32 round = 0; round < SAMPLES; round++)
        samples[round] = whole[round];
    samples_report("exception-and-iret");
    trap_install();
}

static bool on_syscall(struct trap_frame *frame)
{
    return trap_leave(frame, 0);
}

static u64 user_part(u64 unused)
{
    resumed = clock_tsc();
    __asm__ volatile("syscall" : : "a"(1) : "rcx", "r11", "memory");
    return unused;
}

static void user_syscalls(void)
{
    struct callback_register callback = {
        .type = CALLBACKTYPE_syscall, .flags = CALLBACKF_mask_events, .address = (u64)samples_stub};
    trap_handler old = trap_set_handler(TRAP_SYSCALL, on_syscall);

    user_init();
    samples_next = (u64)trap_entry_syscall;
    check("callback", hypercall_callback_op(CALLBACKOP_register, &callback));
    for (u32 round = 0; round < SAMPLES; round++) {
        user_call(user_part, 0);
        samples[round] = samples_arrived - resumed - samples_overhead;
    }
    samples_report("user-syscall");
    trap_set_handler(TRAP_SYSCALL, old);
    trap_install();
}

/* --- switches: vCPU 1 answers vCPU 0; both sleep in SCHEDOP_poll, so no upcall is in the way --- */

static evtchn_port_t port_of[2];
static volatile bool answering;

static void poll_for(evtchn_port_t port)
{
    struct sched_poll poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, &port);
    hypercall_sched_op(SCHEDOP_poll, &poll);
    event_clear(port);
}

static void answer(void)
{
    answering = true;
    for (;;) {
        poll_for(port_of[1]);
        event_send(port_of[0]);
    }
}

static bool start_answering(void)
{
    static struct vcpu_guest_context context;
    u8 *stack = pages_alloc(2);

    vcpu_context(&context, (u64)answer, 0, stack + 2 * PAGE_SIZE, memory_virt_to_mfn(memory_root()));
    if (hypercall_vcpu_op(VCPUOP_is_up, 1, NULL) != 0)
        return false;
    for (u32 i = 0; i < 2; i++) {
        port_of[i] = (evtchn_port_t)event_bind_ipi(i);
        check("bind_ipi", (int)port_of[i]);
        event_mask(port_of[i]);
    }
    check("start", vcpu_start(1, &context));
    while (!answering)
        vcpu_yield();
    return true;
}

static void switches(void)
{
    if (!start_answering()) {
        print("cost vcpu-ping-pong - -\n");
        return;
    }
    for (u32 round = 0; round < SAMPLES; round++) {
        u64 start = clock_tsc();

        event_send(port_of[1]);
        poll_for(port_of[0]);
        samples[round] = clock_tsc() - start - samples_overhead;
    }
    samples_report("vcpu-ping-pong");
}

void guest_main(void)
{
    samples_calibrate();
    simple_calls();
    mapping_calls();
    multicalls();
    trees();
    grants();
    events();
    exceptions();
    user_syscalls();
    switches();
    print("cost done\n");
}
