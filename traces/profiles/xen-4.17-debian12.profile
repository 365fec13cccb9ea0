# SPDX-License-Identifier: GPL-2.0-or-later
#
# Xen 4.17 as Debian 12 builds it.  Symbols: package xen-hypervisor-4.17-amd64-dbg, file
# usr/lib/debug/boot/xen-syms-*, which has .symtab but no debugging information; docs/
# hypervisor-profiles.md says how each number below was found in the disassembly.

[profile]
name = Xen 4.17.7 (Debian 12, amd64)
build-id = 151b373fd64b321593bf987fd923cd10dabadac4;
stack-bytes = 0x8000

[define]
# struct cpu_info lies at the top of each CPU's stack: the guest's registers, then more.
top = rsp | 0x7fff
guest_regs = (rsp | 0x7fff) - 0x107
guest_rip = u64[guest_regs + 0x80]
current = u64[top - 0x37]
# struct vcpu and struct domain
vcpu_id = u32[$]
vcpu_domain = u64[$ + 0x10]
domain_id = u16[$]
vcpu_domid = domain_id(vcpu_domain($))
# struct page_info
pdx = ($ - 0xffff82e000000000) >> 5
pdx_mfn = u32[&pfn_pdx_hole_shift] ? ($ & u64[&pfn_pdx_bottom_mask]) | (($ << u32[&pfn_pdx_hole_shift]) & u64[&pfn_top_mask]) : $
mfn = pdx_mfn(pdx($))
type_info = u64[$ + 0x10]
owner = u32[$ + 0x18] ? domain_id(0xffff830000000000 + (u32[$ + 0x18] << 12)) : 0x7ff4
page = 0xffff82e000000000 + ($ << 5)

[current]
domain = vcpu_domid(current)
vcpu = vcpu_id(current)
user-root = u64[current + 0xb00]

[page-type]
index = $ >> 61
names = none;l1;l2;l3;l4;seg;shared;writable;
count = $ & 0x7fffffffffffff
validated = ($ >> 58) & 1

# RDI: struct cpu_user_regs, as in the public headers
[point hypercall]
event = hypercall
symbol = pv_hypercall
number = u64[rdi + 0x50]
arg1 = u64[rdi + 0x70]
arg2 = u64[rdi + 0x68]
arg3 = u64[rdi + 0x60]
arg4 = u64[rdi + 0x38]
arg5 = u64[rdi + 0x48]
arg6 = u64[rdi + 0x40]
rip = u64[rdi + 0x80]
rsp = u64[rdi + 0x98]
result = u64[rdi + 0x50]
arg2-after = u64[rdi + 0x68]
arg3-after = u64[rdi + 0x60]
rip-after = u64[rdi + 0x80]

# RDI: struct mc_state; its second member is the public struct multicall_entry
[point multicall-entry]
event = multicall-entry
symbol = pv_do_multicall_call
number = u64[rdi + 0x08]
arg1 = u64[rdi + 0x18]
arg2 = u64[rdi + 0x20]
arg3 = u64[rdi + 0x28]
arg4 = u64[rdi + 0x30]
arg5 = u64[rdi + 0x38]
arg6 = u64[rdi + 0x40]
result = u64[rdi + 0x10]
arg2-after = u64[rdi + 0x20]
arg3-after = u64[rdi + 0x28]
continued = u8[current + 0x119]

[point page-get]
event = page-get
symbol = _get_page_type
frame = mfn(rdi)
type = rsi >> 61
word = type_info(rdi)
owner = owner(rdi)
result = i32(ret)
word-after = type_info(rdi)

[point page-put]
event = page-put
symbol = _put_page_type
frame = mfn(rdi)
word = type_info(rdi)
owner = owner(rdi)
result = i32(ret)
word-after = type_info(rdi)

[point page-share]
event = page-set
symbol = share_xen_page_with_guest
frame = mfn(rdi)
owner = domain_id(rsi)
word-after = type_info(rdi)

# The builder of dom0 writes the types of its first page tables directly.  Frames in use by a
# domain have bit 63 of count_info.
[point dom0-built]
event = page-scan
symbol = dom0_construct_pv
first = 0
count = u64[&max_page]
word = u64[page($) + 8] >> 63 ? type_info(page($)) : 0
owner = owner(page($))

[point assign]
event = frame-assign
symbol = assign_pages
frame = mfn(rdi)
count = rsi & 0xffffffff
domain = domain_id(rdx)
success = !i32(ret)

[point free]
event = frame-free
symbol = free_domheap_pages
frame = mfn(rdi)
count = 1 << (rsi & 0x3f)
domain = owner(rdi)

[point steal]
event = frame-free
symbol = steal_page
frame = mfn(rsi)
domain = domain_id(rdi)
success = !i32(ret)

[point grant-frame]
event = grant-frame
symbol = acquire_grant_for_copy
domain = domain_id(rdi)
ref = rsi & 0xffffffff
frame = i16(ret) == 0 ? u64[r8] : 0

[point cr3]
event = cr3
symbol = new_guest_cr3
new = rdi
old = u64[current + 0xb08]
which = 0
result = i32(ret)

# R8: struct x86_emulate_ctxt; its data: CR2, and the L1 entry that maps the table
[point pt-write]
event = pt-write
symbol = ptwr_emulated_update
va = rdi
old = u64[rdi & ~7]
mfn = (u64[u64[r8 + 0x10] + 8] >> 12) & 0xffffffffff
level = 1
size = rcx & 0xffffffff
rip = guest_rip
new = u64[rdi & ~7]
result = i32(ret)

# flags: 0xff order + 1, 0x800 the address counts
[point flush-mask]
event = tlb-flush
symbol = flush_area_mask
scope = rdx & 0x800 ? 2 : 1
va = rdx & 0x800 ? rsi : 0
order = rdx & 0xff ? (rdx & 0xff) - 1 : 0
cpus = u64[rdi]
flags = rdx & 0xffffffff

[point flush-local]
event = tlb-flush
symbol = flush_area_local
scope = rsi & 0x800 ? 2 : 0
va = rsi & 0x800 ? rdi : 0
order = rsi & 0xff ? (rsi & 0xff) - 1 : 0
flags = rsi & 0xffffffff

[point send]
event = evtchn-send
symbol = evtchn_send
domain = domain_id(rdi)
port = rsi & 0xffffffff
result = i32(ret)

# RDI: struct vcpu to be notified, RSI: struct evtchn
[point pending-fifo]
event = evtchn-pending
symbol = evtchn_fifo_set_pending
domain = vcpu_domid(rdi)
vcpu = vcpu_id(rdi)
port = u32[rsi + 0x10]

[point pending-2l]
event = evtchn-pending
symbol = evtchn_2l_set_pending
domain = vcpu_domid(rdi)
vcpu = vcpu_id(rdi)
port = u32[rsi + 0x10]

[point virq-vcpu]
event = virq
symbol = send_guest_vcpu_virq
virq = rsi & 0xffffffff
target = vcpu_domid(rdi)
target-vcpu = vcpu_id(rdi)
done = 1

# While Xen starts there is nobody to tell: no domain, or one without a vCPU.
[point virq-global]
event = virq
symbol = send_guest_global_virq
when = rdi ? (u64[rdi + 8] ? u64[u64[rdi + 8]] : 0) : 0
virq = rsi & 0xffffffff
target = domain_id(rdi)
target-vcpu = 0
done = 1

# RBX: struct vcpu, RDX: struct trap_bounce (flags at 4, RIP at 8); it is an upcall when it
# goes to the guest's event callback with events masked.
[point upcall]
event = upcall
symbol = create_bounce_frame
when = (u8[rdx + 4] == 8) & (u64[rdx + 8] == u64[rbx + 0x568])
rip = guest_rip
callback = u64[rdx + 8]

[point switch]
event = switch
symbol = context_switch
from = vcpu_domid(rdi)
from-vcpu = vcpu_id(rdi)
to = vcpu_domid(rsi)
to-vcpu = vcpu_id(rsi)

# Bit 0 of the flags says that the guest's kernel runs: it will be user mode.
[point mode]
event = mode
symbol = toggle_guest_mode
to = u64[rdi + 0x380] & 1
rip = guest_rip
