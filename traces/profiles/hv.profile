# SPDX-License-Identifier: GPL-2.0-or-later
#
# The project's own hypervisor, any build of it: offsets are constants that it exports (hv/offsets.c).
# References to a frame are counted in line: of page types the first reference and the last are seen.

[profile]
name = Paravane's hypervisor
symbol = hv_offset_vcpu_regs
stack-bytes = 0x4000

[define]
current = u64[&hv_cpu]
vcpu_id = u32[$ + u32[&hv_offset_vcpu_id]]
domain_id = u16[$ + u32[&hv_offset_domain_id]]
vcpu_domid = domain_id(u64[$ + u32[&hv_offset_vcpu_domain]])
guest_rip = u64[current + u32[&hv_offset_vcpu_regs] + 0x80]
frame = ($ - 0xffff82e000000000) >> 5
type_word = u64[$ + u32[&hv_offset_frame_type_count]]
owner = u16[$ + u32[&hv_offset_frame_owner]]
is_upper = ((($ >> 48) & 0xff) >= 2) & ((($ >> 48) & 0xff) <= 4)

[current]
domain = vcpu_domid(current)
vcpu = vcpu_id(current)
user-root = u64[current + u32[&hv_offset_vcpu_user_cr3]] >> 12

[page-type]
index = ($ >> 48) & 0xff
names = none;l1;l2;l3;l4;seg;writable;
count = $ & 0xffffffff
validated = ($ >> 57) & 1

[point hypercall]
event = hypercall
symbol = hv_hypercall_dispatch
number = u64[rdi + 0x50]
arg1 = u64[rdi + 0x70]
arg2 = u64[rdi + 0x68]
arg3 = u64[rdi + 0x60]
arg4 = u64[rdi + 0x38]
arg5 = u64[rdi + 0x48]
rip = u64[rdi + 0x80]
rsp = u64[rdi + 0x98]
result = u64[rdi + 0x50]
arg2-after = u64[rdi + 0x68]
arg3-after = u64[rdi + 0x60]
rip-after = u64[rdi + 0x80]

[point multicall-entry]
event = multicall-entry
symbol = hv_multicall_entry
number = u64[rdi]
arg1 = u64[rdi + 0x10]
arg2 = u64[rdi + 0x18]
arg3 = u64[rdi + 0x20]
arg4 = u64[rdi + 0x28]
arg5 = u64[rdi + 0x30]
result = ret
arg2-after = u64[rdi + 0x18]
arg3-after = u64[rdi + 0x20]
continued = i32(ret) == -85

[point first-reference]
event = page-get
symbol = hv_get_type_slow
frame = frame(rdi)
type = rsi
word = type_word(rdi)
owner = owner(rdi)
result = i32(ret)
word-after = type_word(rdi)

# It is called when the count has fallen to 0.  Tables of higher levels keep one reference until they are
# taken apart, later: as if the call had been interrupted (-ERESTART).
[point last-reference]
event = page-put
symbol = hv_put_type_last
frame = frame(rdi)
word = type_word(rdi) + 1
owner = owner(rdi)
result = is_upper(type_word(rdi)) ? -85 : 0
word-after = type_word(rdi)

[point taken-apart]
event = page-put
symbol = taken_apart
frame = frame(rsi)
word = type_word(rsi)
owner = owner(rsi)
result = 0
word-after = type_word(rsi)

# A table of a higher level begins to be validated; for the one that was asked for, first-reference ends it.
[point begin]
event = page-get
symbol = begin
frame = frame(rsi)
word = type_word(rsi)
owner = owner(rsi)
result = -85
word-after = type_word(rsi)

[point adopt]
event = page-get
symbol = adopt
frame = frame(rsi)
word = type_word(rsi)
owner = owner(rsi)
result = 0
word-after = type_word(rsi)

[point share]
event = page-set
symbol = hv_page_share
frame = (rdi - 0xffff830000000000) >> 12
owner = domain_id(rsi)
word-after = u64[0xffff82e000000000 + (((rdi - 0xffff830000000000) >> 12) << 5) + u32[&hv_offset_frame_type_count]]

[point allocate]
event = frame-assign
symbol = hv_frame_alloc
frame = frame(ret)
domain = domain_id(rdi)
success = ret != 0

# Of order 0 it is the former, by a jump.
[point allocate-run]
event = frame-assign
symbol = hv_frame_alloc_run
when = rsi & 0xffffffff
frame = frame(ret)
count = 1 << (rsi & 0x3f)
domain = domain_id(rdi)
success = ret != 0

[point give]
event = frame-assign
symbol = hv_frame_give
frame = frame(rdi)
domain = domain_id(rsi)
success = ret & 0xff

[point free]
event = frame-free
symbol = hv_frame_release
frame = frame(rdi)
domain = owner(rdi)

[point steal]
event = frame-free
symbol = hv_frame_steal
frame = frame(rdi)
domain = domain_id(rsi)
success = ret & 0xff

# hv_grant_acquire(domain, reference, user, pins, mapping, struct hv_grant_use *)
[point grant-frame]
event = grant-frame
symbol = hv_grant_acquire
domain = domain_id(rdi)
ref = rsi & 0xffffffff
frame = u32[r9 + 0x10]

[point cr3]
event = cr3
symbol = hv_load_cr3
new = (u32[rdi + u32[&hv_offset_vcpu_flags]] & 1 ? u64[rdi + u32[&hv_offset_vcpu_cr3]] : u64[rdi + u32[&hv_offset_vcpu_user_cr3]]) >> 12
which = 2

[point pt-write]
event = pt-write
symbol = hv_ptwr
va = rsi
old = u64[rsi & ~7]
rip = guest_rip
new = u64[rsi & ~7]
result = ret & 0xff ? 0 : -22

[point flush]
event = tlb-flush
symbol = hv_tlb_flush_local
scope = 0

[point send]
event = evtchn-send
symbol = hv_evtchn_send
port = rdi & 0xffffffff
result = i32(ret)

[point pending]
event = evtchn-pending
symbol = hv_evtchn_set_pending
domain = domain_id(rdi)
port = rsi & 0xffffffff

[point virq-vcpu]
event = virq
symbol = hv_virq_raise_vcpu
virq = rsi & 0xffffffff
target = vcpu_domid(rdi)
target-vcpu = vcpu_id(rdi)
done = 1

[point upcall]
event = upcall
symbol = hv_event_upcall
rip = guest_rip
callback = u64[rdi + u32[&hv_offset_vcpu_event_callback]]

[point switch]
event = switch
symbol = hv_context_switch
from = vcpu_domid(rdi)
from-vcpu = vcpu_id(rdi)
to = vcpu_domid(rsi)
to-vcpu = vcpu_id(rsi)

[point mode]
event = mode
symbol = hv_toggle_mode
to = u32[rdi + u32[&hv_offset_vcpu_flags]] & 1
rip = guest_rip
