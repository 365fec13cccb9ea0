/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_trap_table: its errors, its end, replacing and clearing of entries.
 */
#include "guests/conform/conform.h"

INSN(do_ud2, "ud2")
INSN(do_int40, "int $0x40")

static bool went_elsewhere;
static bool note_it(struct trap_frame *frame)
{
    went_elsewhere = true;
    return trap_leave(frame, 0);
}

void guest_main(void)
{
    struct trap_info one[2] = {{0}, {0}};

    report_start("trap-table");
    test("end", "the list ends at the first address 0; an empty list is taken");
    equal("result", hypercall_set_trap_table(one), 0);
    test("end-keeps", "an empty list leaves the table as it is");
    equal("vector", trap_try(do_ud2, 0), TRAP_UD);
    test("replace", "an entry replaces the vector's entry and no other");
    one[0] = (struct trap_info){.vector = TRAP_UD, .cs = FLAT_KERNEL_CS, .address = trap_stub(0x50)};
    equal("result", hypercall_set_trap_table(one), 0);
    trap_set_handler(0x50, note_it);
    trap_try(do_ud2, 0);
    holds("new entry", went_elsewhere);
    equal("other", trap_try(do_int40, 0), 0x40);
    one[0].address = trap_stub(TRAP_UD);
    hypercall_set_trap_table(one);

    test("noncanonical", "an address that is not canonical: -EINVAL");
    one[0].address = VA_NONCANONICAL;
    equal("result", hypercall_set_trap_table(one), -XEN_EINVAL);
    test("noncanonical-keeps", "and the entry stays as it was");
    equal("vector", trap_try(do_ud2, 0), TRAP_UD);
    test("partial", "entries before a bad one are taken");
    struct trap_info three[3] = {
        {.vector = 0x40, .flags = 3, .cs = FLAT_KERNEL_CS, .address = trap_stub(0x50)},
        {.vector = 0x41, .flags = 3, .cs = FLAT_KERNEL_CS, .address = VA_NONCANONICAL},
        {0}};
    equal("result", hypercall_set_trap_table(three), -XEN_EINVAL);
    went_elsewhere = false;
    trap_try(do_int40, 0);
    holds("first entry", went_elsewhere);
    test("fault", "an unreadable list: -EFAULT");
    equal("unmapped", hypercall_set_trap_table((void *)VA_UNMAPPED), -XEN_EFAULT);
    equal("hypervisor", hypercall_set_trap_table((void *)VA_HYPERVISOR), -XEN_EFAULT);
    test("hypervisor-address", "an address in the hypervisor's range is canonical, so it is taken");
    three[0].vector = 0x42;
    three[0].address = VA_HYPERVISOR;
    three[1].address = 0;
    equal("result", hypercall_set_trap_table(three), 0);
    test("cs", "a selector of any kind is taken, its RPL forced to 3");
    three[0].vector = 0x40;
    three[0].cs = FLAT_KERNEL_CS & ~3;
    three[0].address = trap_stub(0x40);
    equal("result", hypercall_set_trap_table(three), 0);
    equal("vector", trap_try(do_int40, 0), 0x40);
    three[0].cs = 0;
    equal("null selector", hypercall_set_trap_table(three), 0);
    trap_install();

    test("page-edge", "a list that ends at the end of a mapped page is read no further");
    u8 *page = pages_alloc(2);
    struct trap_info *last = (struct trap_info *)(page + PAGE_SIZE) - 1;
    memory_unmap(page + PAGE_SIZE);
    last->address = 0;
    equal("result", hypercall_set_trap_table(last), 0);
    test("page-edge-fault", "a list that goes on into an unmapped page: -EFAULT, the first part taken");
    *last = (struct trap_info){.vector = 0x40, .flags = 3, .cs = FLAT_KERNEL_CS, .address = trap_stub(0x50)};
    equal("result", hypercall_set_trap_table(last), -XEN_EFAULT);
    went_elsewhere = false;
    trap_try(do_int40, 0);
    holds("first part", went_elsewhere);

    test("null", "NULL clears the whole table: 0");
    equal("result", hypercall_set_trap_table(NULL), 0);
    trap_install();
    test("reinstall", "after that a new table works");
    equal("vector", trap_try(do_ud2, 0), TRAP_UD);
    report_end();
}
