/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O ports: the virtual IOPL, the port bitmap, what the hypervisor allows itself.
 */
#include "guests/conform/conform.h"

static u32 in8(u16 port, u8 *value)
{
    u8 v = 0;
    u32 vector = TRAP_INSN("inb %1, %0", ("=a"(v)), ("d"(port)));

    *value = v;
    return vector;
}

static u32 out8(u16 port, u8 value)
{
    return TRAP_INSN("outb %0, %1", (), ("a"(value), "d"(port)));
}

static long iopl(u32 level)
{
    struct physdev_set_iopl op = {.iopl = level};

    return hypercall_physdev_op(PHYSDEVOP_set_iopl, &op);
}

static u8 bitmap[8192];

static long iobitmap(u8 *map, u32 ports)
{
    struct physdev_set_iobitmap op = {.nr_ports = ports};

    set_xen_guest_handle(op.bitmap, map);
    return hypercall_physdev_op(PHYSDEVOP_set_iobitmap, &op);
}

static u64 user_in(u64 port)
{
    u8 v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "d"((u16)port));
    return v;
}

static void levels(void)
{
    u8 v;

    test("iopl-0", "with IOPL 0 kernel mode may use no port: #GP");
    equal("in", in8(0x61, &v), TRAP_GP);
    equal("out", out8(0x80, 0), TRAP_GP);
    equal("error", trap_last.error, 0);
    test("iopl-range", "an IOPL above 3: -EINVAL");
    equal("4", iopl(4), -XEN_EINVAL);
    equal("-1", iopl(~0u), -XEN_EINVAL);
    test("iopl-1", "IOPL 1 is enough for kernel mode");
    equal("set", iopl(1), 0);
    equal("in", in8(0x61, &v), TRAP_NONE);
    test("iopl-user", "not for user mode: #GP");
    user_init();
    equal("vector", user_call(user_in, 0x61), TRAP_GP);
    test("iopl-3", "IOPL 3 is enough for user mode");
    equal("set", iopl(3), 0);
    equal("vector", user_call(user_in, 0x61), TRAP_NONE);
    test("iopl-fault", "an unreadable argument: -EFAULT");
    equal("result", hypercall_physdev_op(PHYSDEVOP_set_iopl, (void *)VA_UNMAPPED), -XEN_EFAULT);
}

static void ports(void)
{
    u8 v;
    u16 v16;
    u32 v32;

    test("denied", "a port the hypervisor keeps: reads as all ones, writes are dropped");
    equal("pic", in8(0x20, &v), TRAP_NONE);
    equal("value", v, 0xff);
    equal("out", out8(0x20, 0), TRAP_NONE);
    test("denied-16", "also as a word and as a doubleword");
    equal("inw", TRAP_INSN("inw %1, %0", ("=a"(v16)), ("d"((u16)0x20))), TRAP_NONE);
    equal("value", v16, 0xffff);
    equal("inl", TRAP_INSN("inl %1, %0", ("=a"(v32)), ("d"((u16)0x20))), TRAP_NONE);
    equal("value", v32, 0xffffffff);
    test("keeps-upper", "IN of a byte keeps the rest of RAX, IN of a doubleword clears the upper half");
    u64 rax = 0x1122334455667788;
    TRAP_INSN("inb $0x20, %%al", ("+a"(rax)), ());
    equal("byte", rax, 0x11223344556677ff);
    rax = 0x1122334455667788;
    TRAP_INSN("inl %1, %%eax", ("+a"(rax)), ("d"((u16)0x20)));
    equal("doubleword", rax, 0xffffffff);
    test("immediate", "IN and OUT with the port in the instruction");
    equal("in", TRAP_INSN("inb $0x61, %%al", (), (), "rax"), TRAP_NONE);
    equal("out", TRAP_INSN("outb %%al, $0x80", (), (), "memory"), TRAP_NONE);
    test("pci-address", "0xcf8 as a doubleword is a register of the domain: it reads back");
    equal("out", TRAP_INSN("outl %0, %1", (), ("a"(0x80000000), "d"((u16)0xcf8))), TRAP_NONE);
    equal("in", TRAP_INSN("inl %1, %0", ("=a"(v32)), ("d"((u16)0xcf8))), TRAP_NONE);
    equal("value", v32, 0x80000000);
    test("pci-data", "0xcfc reads the host bridge for the initial domain, all ones for others");
    TRAP_INSN("inl %1, %0", ("=a"(v32)), ("d"((u16)0xcfc)));
    if (runtime_is_dom0())
        differ("id", v32, 0xffffffff);
    else
        equal("id", v32, 0xffffffff);
}

static void strings(void)
{
    test("string-in", "INS stores what it reads");
    static u8 buffer[4] = {1, 2, 3, 4};
    u64 rdi = (u64)buffer, rcx = 3;
    equal("vector", TRAP_INSN("rep insb", ("+D"(rdi), "+c"(rcx)), ("d"((u16)0x20))), TRAP_NONE);
    equal("count", rcx, 0);
    equal("rdi", rdi, (u64)buffer + 3);
    equal("0", buffer[0], 0xff);
    equal("3", buffer[3], 4);
    test("string-in-fault", "INS to a page that is not there: #PF");
    rdi = VA_UNMAPPED;
    equal("vector", TRAP_INSN("insb", ("+D"(rdi)), ("d"((u16)0x20))), TRAP_PF);
    equal("cr2", trap_last.cr2, VA_UNMAPPED);
    test("string-out", "OUTS reads memory");
    u64 rsi = (u64)buffer;
    rcx = 4;
    equal("vector", TRAP_INSN("rep outsb", ("+S"(rsi), "+c"(rcx)), ("d"((u16)0x80))), TRAP_NONE);
    equal("count", rcx, 0);
    test("string-out-fault", "OUTS from a page that is not there: #PF");
    rsi = VA_UNMAPPED;
    equal("vector", TRAP_INSN("outsb", ("+S"(rsi)), ("d"((u16)0x80))), TRAP_PF);
}

static void bitmaps(void)
{
    u8 v;
    u16 v16;

    test("bitmap", "with IOPL 0 the bitmap allows single ports: a bit of 0");
    memset(bitmap, 0xff, sizeof bitmap);
    bitmap[0x61 / 8] &= (u8)~(1 << (0x61 % 8));
    equal("set", iobitmap(bitmap, 65536), 0);
    equal("allowed", in8(0x61, &v), TRAP_NONE);
    equal("not allowed", in8(0x60, &v), TRAP_GP);
    test("bitmap-user", "for user mode as well");
    equal("vector", user_call(user_in, 0x61), TRAP_NONE);
    equal("not allowed", user_call(user_in, 0x62), TRAP_GP);
    test("bitmap-wide", "all ports of a word must be allowed");
    equal("inw", TRAP_INSN("inw %1, %0", ("=a"(v16)), ("d"((u16)0x61))), TRAP_GP);
    test("bitmap-live", "the bitmap is read at each access, not copied");
    bitmap[0x60 / 8] &= (u8)~1;
    equal("allowed", in8(0x60, &v), TRAP_NONE);
    test("bitmap-limit", "a port behind its end: #GP");
    equal("set", iobitmap(bitmap, 0x60), 0);
    equal("vector", in8(0x61, &v), TRAP_GP);
    test("bitmap-many", "more than 65536 ports: -EINVAL");
    equal("set", iobitmap(bitmap, 65537), -XEN_EINVAL);
    test("bitmap-hypervisor", "a bitmap in the hypervisor's range: -EINVAL or -EFAULT");
    long got = iobitmap((u8 *)VA_HYPERVISOR, 65536);
    equal("set", got, -XEN_EINVAL);
    test("bitmap-unmapped", "a bitmap that is not mapped allows nothing");
    equal("set", iobitmap((u8 *)VA_UNMAPPED, 65536), 0);
    equal("vector", in8(0x61, &v), TRAP_GP);
    test("bitmap-none", "no bitmap, no ports");
    equal("set", iobitmap(NULL, 0), 0);
    equal("vector", in8(0x61, &v), TRAP_GP);
}

void guest_main(void)
{
    report_start("ioports");
    levels(); /* and leaves IOPL at 3 */
    ports();
    strings();
    iopl(0);
    bitmaps();
    report_end();
}
