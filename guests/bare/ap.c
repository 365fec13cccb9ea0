/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A second CPU: how it starts, what reaches it, what both see. */
#include "apic.h"

static volatile u32 ap_id, ap_cpuid, ap_bsp, ap_ints, ap_nmis, ap_go;
static volatile u64 ap_seen;

static void ap_ident(void)
{
	u32 r[4];
	cpuid(1, 0, r);
	ap_cpuid = r[1] >> 24;
	ap_id = apic_r(ID) >> 24;
	ap_bsp = rdmsr(0x1b) >> 8 & 1;
}

static int ap_tick(struct frame *f)
{
	if (apic_r(ID) >> 24 != me)
		ap_ints++;
	else
		count[f->vec]++;
	if (f->vec != NMI)
		apic_w(EOI, 0);
	return 1;
}

static int ap_nmi(struct frame *f)
{
	(void)f;
	ap_nmis++;
	return 1;
}

/* Waits with interrupts on until told to stop. */
static void ap_listen(void)
{
	apic_w(LDR, 0x02000000);
	ap_go = 1;
	while (ap_go) {
		sti();
		pause_();
	}
	cli();
}

static void ap_halt(void)
{
	ap_go = 1;
	while (!ap_ints)
		asm volatile("sti\n hlt\n cli" ::: "memory");
}

static void started(void)
{
	for (u32 i = 0; i < 3000000 && !ap_go; i++)
		pause_();
}

static void until(volatile u32 *p, u32 n)
{
	for (u32 i = 0; i < 3000000 && *p < n; i++)
		pause_();
}

static volatile u64 counter;
static void ap_add(void)
{
	for (int i = 0; i < 20000; i++)
		asm volatile("lock incq %0" : "+m"(counter));
}

static void ap_read(void) { ap_seen = *(volatile u8 *)(TV + 4000); }
static int ap_shoot(struct frame *f)
{
	(void)f;
	invlpg(TV);
	ap_ints++;
	apic_w(EOI, 0);
	return 1;
}

static void g_smp(void)
{
	static u8 fa[4096] __attribute__((aligned(4096))), fb[4096] __attribute__((aligned(4096)));

	T("SDM 3A 8.4.4: INIT and SIPI start the second CPU", "ap-start");
	eq("alive", ap_boot(), 1);
	if (!ap_alive)
		return;
	ap_do(ap_ident);
	T("SDM 3A 10.4.6: its APIC id is 1, CPUID agrees", "ap-id");
	eq("id", ap_id, 1);
	eq("cpuid", ap_cpuid, 1);
	T("SDM 3A 10.4.4: its IA32_APIC_BASE has no BSP flag", "ap-not-bsp");
	eq("bsp", ap_bsp, 0);
	static const struct { const char *n; u32 high, low; } t[] = {
		{ "physical", 0x01000000, 0x4051 }, { "logical", 0x02000000, 0x4851 }, { "all-but-self", 0, 0xc4051 },
		{ "all-with-self", 0, 0x84051 }, { "logical-both", 0x03000000, 0x4851 },
	};
	for (u32 i = 0; i < sizeof t / sizeof *t; i++) {
		T("SDM 3A 10.6.1: a fixed IPI to the other CPU", "ap-ipi-%s", t[i].n);
		clear();
		ap_ints = ap_go = 0;
		hook[0x51] = ap_tick;
		apic_w(LDR, 0x01000000);
		ap_post(ap_listen);
		started();
		apic_w(ICRH, t[i].high);
		apic_w(ICR, t[i].low);
		until(&ap_ints, 1);
		window();
		ap_go = 0;
		ap_wait();
		eq("there", ap_ints, 1);
		eq("here", count[0x51], i > 2);
	}
	T("SDM 3A 10.6.1: an NMI IPI to the other CPU with IF=0 there", "ap-nmi");
	ap_nmis = 0;
	hook[NMI] = ap_nmi;
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4400);
	until(&ap_nmis, 1);
	eq("nmis", ap_nmis, 1);
	T("SDM 2A HLT: an IPI wakes the other CPU from HLT", "ap-wake");
	ap_ints = ap_go = 0;
	hook[0x51] = ap_tick;
	ap_post(ap_halt);
	started();
	settle();
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4051);
	ap_wait();
	eq("woken", ap_ints >= 1, 1);
	T("SDM 3A 8.1.2: locked increments of both CPUs add up", "ap-locked-add");
	counter = 0;
	ap_post(ap_add);
	ap_add();
	ap_wait();
	eq("sum", counter, 40000);
	T("SDM 3A 4.10.5: TLB shoot-down by IPI and INVLPG", "ap-shootdown");
	win_init();
	fa[4000] = 0xaa;
	fb[4000] = 0xbb;
	win_pt[0] = (ulong)fa | 7;
	ap_do(ap_read);
	eq("before", ap_seen, 0xaa);
	win_pt[0] = (ulong)fb | 7;
	ap_ints = ap_go = 0;
	hook[0x51] = ap_shoot;
	ap_post(ap_listen);
	started();
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4051);
	until(&ap_ints, 1);
	ap_go = 0;
	ap_wait();
	ap_do(ap_read);
	eq("after", ap_seen, 0xbb);
	T("I/O APIC: an interrupt directed at the other CPU", "ap-ioapic");
	clear();
	ap_ints = ap_go = 0;
	hook[0x62] = ap_tick;
	ap_post(ap_listen);
	started();
	ioapic_w(REDIR(2) + 1, 0x01000000);
	ioapic_w(REDIR(2), 0x62);
	pit_rate(0x200);
	until(&ap_ints, 2);
	ioapic_w(REDIR(2), 0x10062);
	pit_stop();
	ap_go = 0;
	ap_wait();
	yes("there", ap_ints >= 2);
	eq("here", count[0x62], 0);

	/* From here on the second CPU runs the real-mode stub below. */
	extern u8 stub_start[], stub_end[];
	volatile u32 *box = (void *)0x9800;
	copy((void *)0x9000, stub_start, stub_end - stub_start);
	fill((void *)0x9800, 0, 64);
	T("SDM 3A 8.4.4.1: SIPI vector 0x09 starts in real mode at 0900:0000", "ap-real-mode");
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4500);
	for (int i = 0; i < 20000; i++)
		inb(0x61);
	eq("waiting", box[0], 0);
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4609);
	until(box + 7, 1);
	eq("cs", box[0], 0x900);
	eq("ip", box[1], 0);
	T("SDM 3A 9.1.1: CR0 after INIT is 0x60000010, or CD and NW as they were", "ap-init-cr0");
	eq("cr0", box[2] & ~0x60000000u, 0x10);
	T("SDM 3A 9.1.1: EFLAGS after INIT is 2", "ap-init-eflags");
	eq("eflags", box[3], 2);
	T("SDM 3A 9.1.1: data segments after INIT are 0", "ap-init-segments");
	eq("ds-es", box[4], 0);
	T("SDM 3A 9.1.1: CR4 after INIT is 0", "ap-init-cr4");
	eq("cr4", box[5], 0);
	T("SDM 3A 9.1.1: EDX after INIT is the processor signature", "ap-init-edx");
	u32 r[4];
	cpuid(1, 0, r);
	eq("edx", box[6] & 0x0fff0ff0, r[0] & 0x0fff0ff0);
	T("SDM 3A 8.4.4: a SIPI to a CPU that runs is ignored", "ap-sipi-ignored");
	apic_w(ICRH, 0x01000000);
	apic_w(ICR, 0x4609);
	for (int i = 0; i < 20000; i++)
		inb(0x61);
	eq("starts", box[7], 1);
	T("SDM 3A 6.7, 20.1.4: INT n in real mode goes through the IVT and comes back", "ap-real-int");
	eq("marker", box[8], 0x1234);
	T("SDM 3A 20.1.4: #DE in real mode pushes FLAGS, CS, IP of the DIV, no error code", "ap-real-de");
	eq("ip", box[9] & 0xffff, box[10] & 0xffff);
	eq("depth", box[11] & 0xffff, 6);
}

/* Real mode at 0900:0000. Stores what INIT left, then tries two events. */
asm(".pushsection .snip,\"ax\"\n.code16\n"
    "stub_start:\n"
    "	movl	%edx,%cs:0x818\n"
    "	movw	%cs,%ax\n"
    "	movw	%ax,%cs:0x800\n"
    "	pushfl\n"
    "	popl	%cs:0x80c\n"
    "	movl	%cr0,%eax\n"
    "	movl	%eax,%cs:0x808\n"
    "	movl	%cr4,%eax\n"
    "	movl	%eax,%cs:0x814\n"
    "	movw	%ds,%ax\n"
    "	movw	%es,%bx\n"
    "	orw	%bx,%ax\n"
    "	movw	%ax,%cs:0x810\n"
    "	call	1f\n"
    "1:	popw	%ax\n"
    "	subw	$(1b - stub_start),%ax\n"
    "	movw	%ax,%cs:0x804\n"
    "	xorw	%ax,%ax\n"
    "	movw	%ax,%ds\n"
    "	movw	%ax,%ss\n"
    "	movw	$0x9f00,%sp\n"
    "	movw	$(stub_int - stub_start),0x180\n"
    "	movw	%cs,0x182\n"
    "	movw	$(stub_de - stub_start),0\n"
    "	movw	%cs,2\n"
    "	int	$0x60\n"
    "	xorw	%cx,%cx\n"
    "	movw	%sp,%bx\n"
    "2:	divb	%cl\n"
    "3:	hlt\n"
    "	jmp	3b\n"
    "stub_int:\n"
    "	movw	$0x1234,%cs:0x820\n"
    "	iretw\n"
    "stub_de:\n"
    "	subw	%sp,%bx\n"
    "	movw	%bx,%cs:0x82c\n"
    "	popw	%cs:0x824\n"
    "	movw	$(2b - stub_start),%cs:0x828\n"
    "	incl	%cs:0x81c\n"
    "	jmp	3b\n"
    "stub_end:\n"
    ".code64\n.popsection");

void kmain(void)
{
	controllers_begin();
	group("second CPU", g_smp);
}
