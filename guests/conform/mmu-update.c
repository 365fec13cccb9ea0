/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu_update: commands, owners, counting, errors; and writes to frames that are no tables.
 */
#include "guests/conform/conform.h"

static mmu_update_t request[8];
static u32 done;

static long run(u32 count, u32 domid)
{
    done = 0;
    return hypercall_mmu_update(request, count, &done, domid);
}

static void commands(void)
{
    u64 *page = page_alloc();
    u64 maddr = memory_virt_to_maddr(page), mfn = maddr >> 12;

    test("empty", "no request: 0");
    equal("result", hypercall_mmu_update(NULL, 0, NULL, DOMID_SELF), 0);
    test("plain-store", "an update of an ordinary page is a store of 8 bytes");
    request[0] = (mmu_update_t){maddr + 0x18, 0x123456789abcdef0};
    equal("result", run(1, DOMID_SELF), 0);
    equal("done", done, 1);
    equal("word", page[3], 0x123456789abcdef0);
    equal("before", page[2], 0);
    equal("after", page[4], 0);
    test("done-added", "the count of done requests is added to");
    done = 5;
    equal("result", hypercall_mmu_update(request, 1, &done, DOMID_SELF), 0);
    equal("done", done, 1);
    test("command-4-7", "commands 4 to 7 are unknown: -ENOSYS");
    for (u64 c = 4; c < 8; c++) {
        request[0] = (mmu_update_t){maddr | c, 1};
        equal("result", run(1, DOMID_SELF), -XEN_ENOSYS);
        equal("done", done, 0);
    }
    test("command-3", "MMU_PT_UPDATE_NO_TRANSLATE is a store as well");
    request[0] = (mmu_update_t){maddr | 3, 0x77};
    equal("result", run(1, DOMID_SELF), 0);
    equal("word", page[0], 0x77);
    test("stops", "the first error stops; what was before is done, what comes after is not");
    page[0] = page[1] = page[2] = 0;
    request[0] = (mmu_update_t){maddr, 1};
    request[1] = (mmu_update_t){maddr + 8, 2};
    request[2] = (mmu_update_t){maddr | 5, 3};
    request[3] = (mmu_update_t){maddr + 16, 4};
    equal("result", run(4, DOMID_SELF), -XEN_ENOSYS);
    equal("done", done, 2);
    equal("word 1", page[1], 2);
    equal("word 2", page[2], 0);
    test("m2p", "MMU_MACHPHYS_UPDATE sets the m2p entry");
    request[0] = (mmu_update_t){(mfn << 12) | MMU_MACHPHYS_UPDATE, 0x4321};
    equal("result", run(1, DOMID_SELF), 0);
    equal("m2p", memory_mfn_to_pfn(mfn), 0x4321);
    request[0].val = memory_virt_to_pfn(page);
    equal("back", run(1, DOMID_SELF), 0);
    test("m2p-foreign", "of a frame the domain does not own: -EINVAL");
    request[0] = (mmu_update_t){(MFN_BEYOND << 12) | MMU_MACHPHYS_UPDATE, 1};
    equal("beyond", run(1, DOMID_SELF), -XEN_EINVAL);
    request[0] = (mmu_update_t){(1ul << 12) | MMU_MACHPHYS_UPDATE, 1};
    equal("frame 1", run(1, DOMID_SELF), -XEN_EINVAL);
    test("m2p-shared-info", "of the shared info page: it is owned, so it is taken");
    request[0] = (mmu_update_t){start_info->shared_info | MMU_MACHPHYS_UPDATE, ~0ul};
    equal("result", run(1, DOMID_SELF), 0);
}

static void owners(void)
{
    u64 *page = page_alloc();
    u64 maddr = memory_virt_to_maddr(page);

    test("frame-beyond", "a frame beyond memory: -EINVAL");
    request[0] = (mmu_update_t){MFN_BEYOND << 12, 1};
    equal("result", run(1, DOMID_SELF), -XEN_EINVAL);
    test("frame-foreign", "a frame of nobody or the hypervisor: -EINVAL");
    request[0] = (mmu_update_t){0x1000, 1};
    equal("result", run(1, DOMID_SELF), -XEN_EINVAL);
    test("domain-unknown", "an unknown domain: -ESRCH");
    request[0] = (mmu_update_t){maddr, 1};
    equal("result", run(1, DOMID_NOBODY), -XEN_ESRCH);
    test("tables-unknown", "an unknown owner of the tables (upper half): -ESRCH");
    equal("result", run(1, DOMID_SELF | (DOMID_NOBODY + 1) << 16), -XEN_ESRCH);
    test("tables-self", "the own domain as owner of the tables: the current one is not allowed by number there");
    equal("result", run(1, DOMID_SELF | (DOMID_SELF + 1) << 16), -XEN_ESRCH);
    test("fault", "an unreadable list: -EFAULT, none done");
    done = 0;
    equal("unmapped", hypercall_mmu_update((void *)VA_UNMAPPED, 1, &done, DOMID_SELF), -XEN_EFAULT);
    equal("done", done, 0);
    equal("hypervisor", hypercall_mmu_update((void *)VA_HYPERVISOR, 1, NULL, DOMID_SELF), -XEN_EFAULT);
    test("fault-done", "an unwritable count: the result is the list's");
    request[0] = (mmu_update_t){maddr, 9};
    long result = hypercall_mmu_update(request, 1, (u32 *)VA_UNMAPPED, DOMID_SELF);
    equal("result", result, 0);
    equal("word", page[0], 9);
    test("shared-info", "a store to the shared info page, which is always writable");
    request[0] = (mmu_update_t){start_info->shared_info + PAGE_SIZE - 8, 0x5a};
    equal("result", run(1, DOMID_SELF), 0);
    test("io-domain", "DOMID_IO as owner of the mapped frames: for a plain store all the same");
    request[0] = (mmu_update_t){maddr, 9};
    equal("result", run(1, DOMID_IO), 0);
}

void guest_main(void)
{
    report_start("mmu-update");
    commands();
    owners();
    report_end();
}
