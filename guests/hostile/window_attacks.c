/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an interrupt brings: attacks on what the windows work with, whatever state that is in. */
#include "guests/hostile/window.h"

static void by_nothing(void) {}
static void by_unpin(void) { mmuext(MMUEXT_UNPIN_TABLE, mfns[T4], 0); mmuext(MMUEXT_UNPIN_TABLE, mfns[T1], 0); }
static void by_pin(void) { pin_as(4, T4); }
static void by_pin_lower(void) { pin_as(3, T3); pin_as(2, T2B); }
static void by_wrong_level(void) { pin_as(3, T2); pin_as(4, T1); pin_as(1, T2B); }
static void by_pin_data(void) { pin_as(1, DA); pin_as(2, DB); pin_as(1, DC); }
static void by_map_l1(void) { put(AT_ATTACK, pte(T1, MEMORY_RW)); put(AT_ATTACK2, pte(T1B, MEMORY_RW)); }
static void by_map_upper(void) { put(AT_ATTACK, pte(T4, MEMORY_RW)); put(AT_ATTACK2, pte(T2, MEMORY_RW)); }
static void by_map_data(void) { put(AT_ATTACK, pte(DA, MEMORY_RW)); put(AT_ATTACK2, pte(DC, MEMORY_RW)); }
static void by_cutting_off(void) { memory_update(slot(T2, 0), 0); memory_update(slot(T3, 0), 0); }
static void by_linking(void) { memory_update(slot(T3, 1), pte(T2, MEMORY_TABLE)); memory_update(slot(T4, 1), pte(T3, MEMORY_TABLE)); }
static void by_linear(void) { memory_update(slot(T4, 2), pte(T4, MEMORY_RO)); memory_update(slot(T2, 2), pte(T2B, MEMORY_RO)); }
static void by_self_map(void) { memory_update(slot(T1, 2), pte(T1, MEMORY_RW)); memory_update(slot(T1B, 2), pte(T4, MEMORY_RW)); }
static void by_release_table(void) { release_frame(T2); release_frame(T1); }
static void by_release_data(void) { release_frame(DA); release_frame(DC); }

static void by_exchange(void)
{
    u64 in = mfns[T1], out = pfns[T1];
    struct xen_memory_exchange e = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
                                    .out = {.nr_extents = 1, .domid = DOMID_SELF}};

    set_xen_guest_handle(e.in.extent_start, &in);
    set_xen_guest_handle(e.out.extent_start, &out);
    if (!hypercall_memory_op(XENMEM_exchange, &e))
        mfns[T1] = out;
}

static void by_clear(void) { mmuext(MMUEXT_CLEAR_PAGE, mfns[T2], 0); mmuext(MMUEXT_COPY_PAGE, mfns[T1B], mfns[DC]); }

static void by_copy(void)
{
    gnttab_copy_t copy = {.source = {.u.gmfn = mfns[DC], .domid = DOMID_SELF},
                          .dest = {.u.gmfn = mfns[T1], .domid = DOMID_SELF}, .len = 64};

    hypercall_grant_table_op(GNTTABOP_copy, &copy, 1);
}

static void by_transfer(void)
{
    gnttab_transfer_t transfer = {.mfn = mfns[T3], .domid = own_id(), .ref = REF_ACCEPT};

    hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1);
    transfer.mfn = mfns[DA];
    hypercall_grant_table_op(GNTTABOP_transfer, &transfer, 1);
}

static void by_gdt(void) { hypercall_set_gdt(&mfns[DA], 512); }
static void by_user_root(void) { mmuext(MMUEXT_NEW_USER_BASEPTR, mfns[T4], 0); }
static void by_ending_grants(void) { grant_table[REF_A].flags = grant_table[REF_B].flags = 0; }
static void by_other_frame(void) { grant_table[REF_A].frame = (u32)mfns[T4]; grant_table[REF_B].frame = 0x200; }

static void by_mapping_grant(void)
{
    attack_map = (gnttab_map_grant_ref_t){
        .host_addr = at(AT_ATTACK), .flags = GNTMAP_host_map, .ref = REF_A, .dom = own_id()};
    if (hypercall_grant_table_op(GNTTABOP_map_grant_ref, &attack_map, 1))
        attack_map.status = GNTST_general_error;
}

static void by_unmapping_grant(void)
{
    for (u32 i = 0; i < 3; i++) {
        gnttab_unmap_grant_ref_t op = {.host_addr = maps[i].host_addr, .handle = maps[i].handle};

        if (maps[i].host_addr && !maps[i].status)
            hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);
    }
}

static void by_version(void)
{
    gnttab_set_version_t version = {.version = 2};

    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
    version.version = 1;
    hypercall_grant_table_op(GNTTABOP_set_version, &version, 1);
}

static void by_closing_ports(void)
{
    for (u32 i = 0; i < 4; i++)
        event_close(port_first + i);
}

static void by_ports(void)
{
    event_send(port_first);
    event_send(port_first + 1);
    event_bind_interdomain(DOMID_SELF, port_first);
    event_alloc_unbound(DOMID_SELF, DOMID_SELF);
}

static void by_vcpu(void)
{
    context.ctrlreg[3] = mfns[T4] << PAGE_SHIFT;
    hypercall_vcpu_op(VCPUOP_initialise, 2, &context);
    hypercall_vcpu_op(VCPUOP_up, 2, NULL);
}

static void by_rewriting_batch(void)
{
    for (u32 i = 2; i < ARRAY_SIZE(calls); i++)
        calls[i].op = i == 2 ? __HYPERVISOR_multicall : 99;
    exchange_in[2] = mfns[T4];
    released[1] = mfns[T1];
    maps[1].ref = 7000;
    unmaps[1].handle = ~0u;
    copies[1].len = 5000;
}

static void by_descriptor(void) { hypercall_update_descriptor(slot(DA, 5), 0x00cffb000000ffff); hypercall_update_descriptor(slot(T1, 5), 0); }

static void by_area(void)
{
    struct vcpu_register_runstate_memory_area area = {{.v = (void *)at(AT_WINDOW)}};

    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 1, &area);
}

static void by_populating(void)
{
    u64 frame = pfns[DC];

    if (frames_take(&frame, 1) == 1)
        attack_populated = frame;
}

#define ATTACK_BY(name) {#name, by_##name}
const struct window_attack window_attacks[] = {
    ATTACK_BY(nothing),       ATTACK_BY(unpin),          ATTACK_BY(pin),           ATTACK_BY(pin_lower),
    ATTACK_BY(wrong_level),   ATTACK_BY(pin_data),       ATTACK_BY(map_l1),        ATTACK_BY(map_upper),
    ATTACK_BY(map_data),      ATTACK_BY(cutting_off),    ATTACK_BY(linking),       ATTACK_BY(linear),
    ATTACK_BY(self_map),      ATTACK_BY(release_table),  ATTACK_BY(release_data),  ATTACK_BY(exchange),
    ATTACK_BY(clear),         ATTACK_BY(copy),           ATTACK_BY(transfer),      ATTACK_BY(gdt),
    ATTACK_BY(user_root),     ATTACK_BY(ending_grants),  ATTACK_BY(other_frame),   ATTACK_BY(mapping_grant),
    ATTACK_BY(unmapping_grant), ATTACK_BY(version),      ATTACK_BY(closing_ports), ATTACK_BY(ports),
    ATTACK_BY(vcpu),          ATTACK_BY(rewriting_batch), ATTACK_BY(descriptor),   ATTACK_BY(area),
    ATTACK_BY(populating),
};

const u32 window_attack_count = ARRAY_SIZE(window_attacks);
