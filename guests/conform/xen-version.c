/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen_version: every sub-operation, its bounds, its errors.
 */
#include "guests/conform/conform.h"

static u8 buffer[PAGE_SIZE] ALIGNED(4096);

/* The bytes of a string answer behind its end are zero, and nothing is written behind the field. */
static void text(const char *name, u32 cmd, u32 size)
{
    u32 used;

    test(name, "a text of %u bytes, padded with zeroes, nothing behind it", size);
    memset(buffer, 0xaa, sizeof buffer);
    equal("result", hypercall_xen_version(cmd, buffer), 0);
    equal("behind", buffer[size], 0xaa);
    for (used = 0; used < size && buffer[used]; used++)
        ;
    holds("ends", used < size);
    for (; used < size && !buffer[used]; used++)
        ;
    equal("zeroes to the end", used, size);
}

void guest_main(void)
{
    static const u32 with_argument[] = {XENVER_extraversion,  XENVER_compile_info,
                                        XENVER_capabilities,  XENVER_changeset,
                                        XENVER_platform_parameters, XENVER_get_features,
                                        XENVER_guest_handle,  XENVER_commandline};
    xen_feature_info_t features = {.submap_idx = 0};
    xen_platform_parameters_t parameters;
    long version;

    report_start("xen-version");
    test("version", "4.17, from a call without argument");
    version = hypercall_xen_version(XENVER_version, NULL);
    equal("version", version, 4 << 16 | 17);
    text("extraversion", XENVER_extraversion, sizeof(xen_extraversion_t));
    text("changeset", XENVER_changeset, sizeof(xen_changeset_info_t));
    text("capabilities", XENVER_capabilities, sizeof(xen_capabilities_info_t));
    if (runtime_is_dom0()) {
        text("commandline", XENVER_commandline, sizeof(xen_commandline_t));
    } else {
        test("commandline-denied", "the command line is not for this domain: <denied>");
        equal("result", hypercall_xen_version(XENVER_commandline, buffer), 0);
        holds("denied", !strcmp((char *)buffer, "<denied>"));
    }
    test("capabilities-pv", "capabilities name xen-3.0-x86_64");
    hypercall_xen_version(XENVER_capabilities, buffer);
    holds("named", strstr((char *)buffer, "xen-3.0-x86_64"));
    test("compile-info", "four texts, nothing behind them");
    memset(buffer, 0xaa, sizeof buffer);
    equal("result", hypercall_xen_version(XENVER_compile_info, buffer), 0);
    equal("behind", buffer[sizeof(xen_compile_info_t)], 0xaa);
    differ("compiler", buffer[0], 0);
    test("guest-handle", "16 bytes, nothing behind them");
    memset(buffer, 0xaa, sizeof buffer);
    equal("result", hypercall_xen_version(XENVER_guest_handle, buffer), 0);
    equal("behind", buffer[sizeof(xen_domain_handle_t)], 0xaa);
    test("pagesize", "4096");
    equal("size", hypercall_xen_version(XENVER_pagesize, NULL), PAGE_SIZE);
    test("platform-parameters", "the hypervisor starts at 0xffff800000000000");
    equal("result", hypercall_xen_version(XENVER_platform_parameters, &parameters), 0);
    equal("virt_start", parameters.virt_start, MACH2PHYS_BASE);

    test("features", "submap 0 has preserve_ad, gnttab_map_avail_bits, highmem_assist, direct_mapped");
    equal("result", hypercall_xen_version(XENVER_get_features, &features), 0);
    u32 want = 1 << XENFEAT_mmu_pt_update_preserve_ad | 1 << XENFEAT_gnttab_map_avail_bits |
               1 << XENFEAT_highmem_assist | 1 << XENFEAT_memory_op_vnode_supported |
               1 << XENFEAT_direct_mapped;
    equal("wanted", features.submap & want, want);
    test("features-dom0", "XENFEAT_dom0 for the initial domain only");
    equal("bit", features.submap >> XENFEAT_dom0 & 1, runtime_is_dom0());
    test("features-off", "no writable page tables, no writable descriptors, no translation");
    equal("bits", features.submap & (1 << XENFEAT_writable_page_tables |
                                     1 << XENFEAT_writable_descriptor_tables |
                                     1 << XENFEAT_auto_translated_physmap |
                                     1 << XENFEAT_supervisor_mode_kernel |
                                     1 << XENFEAT_not_direct_mapped), 0);
    test("features-all", "submap 0 as a whole");
    equal("submap", features.submap & ~(1u << XENFEAT_dom0 | 1u << XENFEAT_pae_pgdir_above_4gb),
          0x220e0);
    test("features-submap-1", "a submap that does not exist: -EINVAL");
    features.submap_idx = 1;
    equal("result", hypercall_xen_version(XENVER_get_features, &features), -XEN_EINVAL);
    features.submap_idx = ~0u;
    equal("result", hypercall_xen_version(XENVER_get_features, &features), -XEN_EINVAL);

    test("fault-null", "a null argument is only an unmapped address: -EFAULT");
    for (u32 i = 0; i < ARRAY_SIZE(with_argument); i++)
        equal("result", hypercall_xen_version(with_argument[i], NULL), -XEN_EFAULT);
    test("fault-unmapped", "an unmapped argument: -EFAULT");
    for (u32 i = 0; i < ARRAY_SIZE(with_argument); i++)
        equal("result", hypercall_xen_version(with_argument[i], (void *)VA_UNMAPPED), -XEN_EFAULT);
    test("fault-hypervisor", "an argument in the hypervisor's range: -EFAULT");
    for (u32 i = 0; i < ARRAY_SIZE(with_argument); i++)
        equal("result", hypercall_xen_version(with_argument[i], (void *)VA_HYPERVISOR), -XEN_EFAULT);
    test("fault-m2p", "an argument in the read-only m2p table: -EFAULT");
    equal("result", hypercall_xen_version(XENVER_extraversion, (void *)MACH2PHYS_BASE), -XEN_EFAULT);
    test("fault-read-only", "a read-only argument: -EFAULT");
    equal("result", hypercall_xen_version(XENVER_extraversion, table_page()), -XEN_EFAULT);
    test("fault-noncanonical", "an argument that is not canonical: -EFAULT");
    equal("result", hypercall_xen_version(XENVER_extraversion, (void *)VA_NONCANONICAL), -XEN_EFAULT);
    test("build-id", "build id without a buffer: its size; -EPERM for a domain that is not the initial one");
    version = hypercall_xen_version(XENVER_build_id, NULL);
    holds("size or error", runtime_is_dom0() ? version > 0 || version == -XEN_ENODATA : version == -XEN_EPERM);
    test("unknown", "an unknown sub-operation: -ENOSYS");
    equal("11", hypercall_xen_version(11, buffer), -XEN_ENOSYS);
    equal("12", hypercall_xen_version(12, buffer), -XEN_ENOSYS);
    equal("-1", hypercall_xen_version(~0u, buffer), -XEN_ENOSYS);
    report_end();
}
