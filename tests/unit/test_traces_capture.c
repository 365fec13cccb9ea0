/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capture on an invented hypervisor: what happens is written down in the test, and the events are
 * compared as lines of text.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/base/types.h"
#include "tests/unit/fake_guest.h"
#include "traces/capture.h"
#include "traces/xen_public.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>

/* Linear addresses of code; nothing lies there. */
enum { HYPERCALL = 0x1000, ENTRY = 0x1100, GET = 0x1200, INNER = 0x1300, SWITCH = 0x1400,
       SEND = 0x1500, PENDING = 0x1600, RA = 0x2000, RA2 = 0x2100, RA3 = 0x2200 };

/* In the guest's memory: stacks of 4 KiB, the vCPU's and the domain's number, page words. */
enum { STACK1 = 0x11000, STACK2 = 0x12000, WHO = 0x20000, PAGES = 0x21000, REQUESTS = 0x22000,
       REGS = 0x23000, MC_STATE = 0x23100 };

static const char profile_text[] =
    "[profile]\nname = Test\nbuild-id = 00\nstack-bytes = 0x1000\n"
    "[symbols]\nhypercall = 0x1000\nentry = 0x1100\nget = 0x1200\ninner = 0x1300\n"
    "switch = 0x1400\nsend = 0x1500\npending = 0x1600\n"
    "[current]\ndomain = u64[0x20000]\nvcpu = u64[0x20008]\n"
    "[page-type]\nindex = $ >> 8\nnames = none;l1;l2;l3;l4;seg;writable;shared;\n"
    "count = $ & 0x7f\nvalidated = ($ >> 7) & 1\n"
    "[point h]\nevent = hypercall\nsymbol = hypercall\nnumber = u64[rdi]\narg1 = u64[rdi + 8]\n"
    "arg2 = u64[rdi + 16]\narg3 = u64[rdi + 24]\narg4 = u64[rdi + 32]\narg5 = 0\n"
    "rip = 0x9002\nrsp = 0x13000\nresult = u64[rdi]\narg2-after = u64[rdi + 16]\n"
    "arg3-after = u64[rdi + 24]\nrip-after = u64[rdi + 40]\n"
    "[point m]\nevent = multicall-entry\nsymbol = entry\nnumber = u64[rdi]\narg1 = u64[rdi + 8]\n"
    "arg2 = u64[rdi + 16]\narg3 = u64[rdi + 24]\narg4 = u64[rdi + 32]\narg5 = 0\n"
    "result = ret\ncontinued = u64[rdi + 40]\n"
    "[point g]\nevent = page-get\nsymbol = get\nwhen = rdi < 100\nframe = rdi\n"
    "word = u64[0x21000 + rdi * 8]\nresult = i32(ret)\nword-after = u64[0x21000 + rdi * 8]\n"
    "[point i]\nevent = page-put\nsymbol = inner\nframe = rdi\nword = u64[0x21000 + rdi * 8]\n"
    "result = i32(ret)\nword-after = u64[0x21000 + rdi * 8]\n"
    "[point s]\nevent = switch\nsymbol = switch\nfrom = rdi\nto = rsi\n"
    "[point e]\nevent = evtchn-send\nsymbol = send\nport = rsi\nresult = i32(ret)\n"
    "[point p]\nevent = evtchn-pending\nsymbol = pending\ndomain = rdi\nvcpu = 3\nport = rsi\n";

struct rig {
    struct fake_guest g;
    struct trace_profile *profile;
    struct trace_capture *capture;
    struct base_probe probe;
    GString *log;
};

static void log_field(GString *log, const struct trace_field *field, const struct trace_value *v)
{
    if (field->type == TRACE_TYPE_BLOBS) {
        for (uint64_t i = 0; i < v->u64; i++)
            g_string_append_printf(log, " [%u.%u %u]", v->blob[i].role, v->blob[i].stage,
                                   v->blob[i].size_bytes);
    } else if (field->type == TRACE_TYPE_TEXT) {
        g_string_append_printf(log, " '%.*s'", (int)v->u64, (const char *)v->bytes);
    } else if (v->u64) {
        g_string_append_printf(log, " %s=%" G_GINT64_FORMAT, field->name, (gint64)v->u64);
    }
}

static void on_event(void *user, const struct trace_event *e)
{
    GString *log = ((struct rig *)user)->log;

    g_string_append_printf(log, "%s d%uv%u", e->kind->name, e->domid, e->dom_vcpu);
    for (unsigned i = 0; i < e->kind->fields; i++)
        if (strncmp(e->kind->field[i].name, "duration", 8) != 0 &&
            strcmp(e->kind->field[i].name, "abi") != 0)
            log_field(log, &e->kind->field[i], &e->value[i]);
    g_string_append_c(log, '\n');
}

static void attach(struct rig *r, bool with_profile)
{
    struct trace_capture_config config = {.guest = &r->g.guest,
                                          .profile = with_profile ? r->profile : NULL,
                                          .sink = {.user = r, .event = on_event}};

    memset(config.want, true, sizeof(config.want));
    r->capture = trace_capture_new(&config);
    trace_capture_probe(r->capture, &r->probe);
}

static void rig_open(struct rig *r, bool with_profile)
{
    g_autoptr(GError) error = NULL;

    fake_guest_init(&r->g);
    r->profile = trace_profile_parse(profile_text, "test", NULL, NULL, &error);
    cr_assert_not_null(r->profile, "%s", error ? error->message : "");
    r->log = g_string_new("");
    r->g.gpr[BASE_RSP] = STACK1 + 0xf00;
    fake_guest_poke64(&r->g, WHO, 5);
    fake_guest_poke64(&r->g, WHO + 8, 1);
    attach(r, with_profile);
}

static void rig_close(struct rig *r)
{
    trace_capture_free(r->capture);
    cr_assert_eq(r->g.points->len, 0, "%u points left", r->g.points->len);
    trace_profile_free(r->profile);
    fake_guest_fini(&r->g);
    g_string_free(r->log, TRUE);
}

static void expect(struct rig *r, const char *lines)
{
    cr_assert_str_eq(r->log->str, lines, "events:\n%sexpected:\n%s", r->log->str, lines);
    g_string_truncate(r->log, 0);
}

static void hypercall_entry(struct rig *r, uint64_t number, uint64_t arg1, uint64_t arg2,
                            uint64_t arg3, uint64_t arg4)
{
    uint64_t regs[] = {number, arg1, arg2, arg3, arg4, 0x9002};

    fake_guest_poke(&r->g, REGS, regs, sizeof(regs));
    r->g.gpr[BASE_RDI] = REGS;
    fake_guest_call(&r->g, HYPERCALL, RA);
}

static void hypercall_return(struct rig *r, int64_t result)
{
    fake_guest_poke64(&r->g, REGS, (uint64_t)result);
    r->g.gpr[BASE_RDI] = 0xdead; /* registers of the entry do not last */
    fake_guest_return(&r->g, 0);
}

static void set_word(struct rig *r, uint64_t frame, unsigned type, unsigned count)
{
    fake_guest_poke64(&r->g, PAGES + frame * 8, type << 8 | 0x80 | count);
}

static void call_page(struct rig *r, uint64_t function, uint64_t frame, uint64_t ra)
{
    r->g.gpr[BASE_RDI] = frame;
    fake_guest_call(&r->g, function, ra);
}

Test(traces_capture, a_hypercall_is_one_event_at_its_return)
{
    struct mmu_update requests[3] = {{0x5000, 1}, {0x5008, 2}, {0x5010, 3}};
    struct rig r;

    rig_open(&r, true);
    fake_guest_poke(&r.g, REQUESTS, requests, sizeof(requests));
    hypercall_entry(&r, __HYPERVISOR_mmu_update, REQUESTS, 3, 0, DOMID_SELF);
    expect(&r, "");
    hypercall_return(&r, 0);
    expect(&r, "hypercall d5v1 number=1 arg1=139264 arg2=3 arg4=32752 rip=36866 [1.0 48]\n");
    hypercall_entry(&r, 99, 7, 0, 0, 0);
    hypercall_return(&r, -38);
    expect(&r, "hypercall d5v1 number=99 arg1=7 result=-38 rip=36866\n");
    rig_close(&r);
}

Test(traces_capture, memory_that_cannot_be_read_is_short_or_empty)
{
    uint64_t end = FAKE_GUEST_BASE + FAKE_GUEST_BYTES;
    struct rig r;

    rig_open(&r, true);
    hypercall_entry(&r, __HYPERVISOR_mmu_update, end - 24, 2, 0, DOMID_SELF);
    hypercall_return(&r, -14);
    expect(&r, "hypercall d5v1 number=1 arg1=327656 arg2=2 arg4=32752 result=-14 rip=36866 "
               "[1.0 24]\n");
    hypercall_entry(&r, __HYPERVISOR_mmu_update, 16, 2, 0, DOMID_SELF);
    hypercall_return(&r, -14);
    expect(&r, "hypercall d5v1 number=1 arg1=16 arg2=2 arg4=32752 result=-14 rip=36866 [1.0 0]\n");
    rig_close(&r);
}

Test(traces_capture, pins_follow_from_mmuext_op)
{
    struct mmuext_op op[3] = {{.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = 70},
                              {.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = 71},
                              {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = 72}};
    struct rig r;

    rig_open(&r, true);
    fake_guest_poke(&r.g, REQUESTS, op, sizeof(op));
    hypercall_entry(&r, __HYPERVISOR_mmuext_op, REQUESTS, 3, 0, DOMID_SELF);
    hypercall_return(&r, 0);
    expect(&r, "pin d5v1 mfn=70 type=4 owner=5\n"
               "pin d5v1 mfn=71 op=1 type=255 owner=5\n"
               "cr3 d5v1 new=72\n"
               "hypercall d5v1 number=26 arg1=139264 arg2=3 arg4=32752 rip=36866 [2.0 72]\n");
    /* The guest wants to know how far it came: one is done, the second has failed. */
    fake_guest_poke(&r.g, REQUESTS + 0x800, "\x05\0\0", 4);
    hypercall_entry(&r, __HYPERVISOR_mmuext_op, REQUESTS, 3, REQUESTS + 0x800, DOMID_SELF);
    fake_guest_poke(&r.g, REQUESTS + 0x800, "\x06\0\0", 4);
    hypercall_return(&r, -22);
    expect(&r, "pin d5v1 mfn=70 type=4 owner=5\n"
               "pin d5v1 mfn=71 op=1 type=255 owner=5 result=-22\n"
               "hypercall d5v1 number=26 arg1=139264 arg2=3 arg3=141312 arg4=32752 result=-22 "
               "rip=36866 [2.0 72] [23.0 4] [23.1 4]\n");
    rig_close(&r);
}

Test(traces_capture, a_hypercall_that_goes_on_later_says_so)
{
    struct mmuext_op op[2] = {{.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = 70},
                              {.cmd = MMUEXT_PIN_L2_TABLE, .arg1.mfn = 71}};
    struct rig r;

    rig_open(&r, true);
    fake_guest_poke(&r.g, REQUESTS, op, sizeof(op));
    hypercall_entry(&r, __HYPERVISOR_mmuext_op, REQUESTS, 2, 0, DOMID_SELF);
    fake_guest_poke64(&r.g, REGS + 16, 0x80000001); /* one to go */
    fake_guest_poke64(&r.g, REGS + 40, 0x9000);     /* RIP is at the SYSCALL again */
    hypercall_return(&r, 26);
    expect(&r, "pin d5v1 mfn=70 type=1 owner=5\n"
               "hypercall d5v1 number=26 arg1=139264 arg2=2 arg4=32752 end=2 rip=36866 [2.0 48]\n");
    rig_close(&r);
}

Test(traces_capture, multicall_entries_are_events_of_their_own)
{
    uint64_t entry[6] = {14, 0x4000, 5, 0, 0, 0};
    struct rig r;

    rig_open(&r, true);
    hypercall_entry(&r, __HYPERVISOR_multicall, REQUESTS, 2, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        fake_guest_poke(&r.g, MC_STATE, entry, sizeof(entry));
        r.g.gpr[BASE_RDI] = MC_STATE;
        fake_guest_call(&r.g, ENTRY, RA2);
        fake_guest_return(&r.g, i ? (uint64_t)-22 : 0);
    }
    hypercall_return(&r, 0);
    expect(&r, "hypercall d5v1 number=14 depth=1 arg1=16384 arg2=5 rip=36866\n"
               "hypercall d5v1 number=14 depth=1 index=1 arg1=16384 arg2=5 result=-22 rip=36866\n"
               "hypercall d5v1 number=13 arg1=139264 arg2=2 rip=36866\n");
    rig_close(&r);
}

Test(traces_capture, page_types_are_told_when_the_function_returns)
{
    struct rig r;

    rig_open(&r, true);
    set_word(&r, 3, 0, 0);
    call_page(&r, GET, 3, RA);
    set_word(&r, 3, 2, 1);
    fake_guest_return(&r.g, 0);
    expect(&r, "page_type d5v1 mfn=3 new=2 new_count=1 validated=1 owner=65535 raw=641\n");
    call_page(&r, GET, 200, RA); /* `when` says no */
    fake_guest_return(&r.g, 0);
    expect(&r, "");
    rig_close(&r);
}

/* Frames 1, 2, 3 are in calls within calls, of which the stacks take turns. */
Test(traces_capture, each_stack_has_its_own_calls)
{
    uint64_t sp;
    struct rig r;

    rig_open(&r, true);
    for (uint64_t f = 1; f <= 3; f++)
        set_word(&r, f, 1, (unsigned)f);
    call_page(&r, GET, 1, RA);
    sp = r.g.gpr[BASE_RSP];
    r.g.gpr[BASE_RSP] = STACK2 + 0xf00;
    r.g.vcpu = 1;
    call_page(&r, GET, 2, RA); /* the same call site */
    r.g.vcpu = 0;
    r.g.gpr[BASE_RSP] ^= sp;
    sp ^= r.g.gpr[BASE_RSP];
    r.g.gpr[BASE_RSP] ^= sp;
    call_page(&r, GET, 3, RA);
    fake_guest_return(&r.g, 0);
    fake_guest_return(&r.g, 1);
    r.g.gpr[BASE_RSP] = sp;
    fake_guest_return(&r.g, 2);
    expect(&r,
           "page_type d5v1 mfn=3 old=1 new=1 old_count=3 new_count=3 validated=1 owner=65535 "
           "raw=387\n"
           "page_type d5v1 mfn=1 old=1 new=1 old_count=1 new_count=1 validated=1 owner=65535 "
           "result=1 raw=385\n"
           "page_type d5v1 mfn=2 old=1 new=1 old_count=2 new_count=2 validated=1 owner=65535 "
           "result=2 raw=386\n");
    rig_close(&r);
}

Test(traces_capture, a_tail_call_returns_twice)
{
    struct rig r;

    rig_open(&r, true);
    set_word(&r, 1, 1, 1);
    call_page(&r, GET, 1, RA);
    fake_guest_reach(&r.g, INNER); /* jumps there: the same stack, the same return address */
    fake_guest_return(&r.g, 0);
    expect(&r, "page_type d5v1 mfn=1 op=1 old=1 new=1 old_count=1 new_count=1 validated=1 "
               "owner=65535 raw=385\n"
               "page_type d5v1 mfn=1 old=1 new=1 old_count=1 new_count=1 validated=1 owner=65535 "
               "raw=385\n");
    rig_close(&r);
}

Test(traces_capture, what_never_returns_is_told_when_its_stack_is_used_again)
{
    struct trace_capture_counts counts;
    struct rig r;

    rig_open(&r, true);
    hypercall_entry(&r, 7, 0, 0, 0, 0);
    call_page(&r, GET, 1, RA2);
    r.g.gpr[BASE_RSP] = STACK1 + 0xf00; /* thrown away */
    hypercall_entry(&r, 8, 0, 0, 0, 0);
    expect(&r, "hypercall d5v1 number=7 end=3 rip=36866\n");
    hypercall_return(&r, 0);
    expect(&r, "hypercall d5v1 number=8 rip=36866\n");
    trace_capture_get_counts(r.capture, &counts);
    cr_assert_eq(counts.abandoned, 2);
    hypercall_entry(&r, 9, 0, 0, 0, 0);
    trace_capture_finish(r.capture, 1000000, 5);
    expect(&r, "hypercall d5v1 number=9 end=3 rip=36866\n");
    rig_close(&r);
}

Test(traces_capture, a_return_address_reached_otherwise_is_no_return)
{
    struct rig r;

    rig_open(&r, true);
    hypercall_entry(&r, 7, 0, 0, 0, 0);
    r.g.gpr[BASE_RSP] -= 0x40; /* somebody else is called from the same place, deeper */
    fake_guest_call(&r.g, 0x7777, RA);
    fake_guest_return(&r.g, 0);
    r.g.gpr[BASE_RSP] += 0x40;
    expect(&r, "");
    hypercall_return(&r, 0);
    expect(&r, "hypercall d5v1 number=7 rip=36866\n");
    rig_close(&r);
}

Test(traces_capture, without_a_value_that_must_be_there_there_is_no_event)
{
    struct trace_capture_counts counts;
    struct rig r;

    rig_open(&r, true);
    r.g.gpr[BASE_RDI] = 1ull << 40; /* neither word of this frame can be read */
    fake_guest_call(&r.g, INNER, RA);
    fake_guest_return(&r.g, 0);
    expect(&r, "");
    trace_capture_get_counts(r.capture, &counts);
    cr_assert_eq(counts.unreadable, 2, "%" G_GUINT64_FORMAT " unreadable", counts.unreadable);
    rig_close(&r);
}

Test(traces_capture, a_send_knows_whom_it_reaches)
{
    struct rig r;

    rig_open(&r, true);
    r.g.gpr[BASE_RSI] = 12;
    fake_guest_call(&r.g, SEND, RA);
    r.g.gpr[BASE_RDI] = 6;
    r.g.gpr[BASE_RSI] = 34;
    fake_guest_call(&r.g, PENDING, RA2);
    fake_guest_return(&r.g, 0);
    fake_guest_return(&r.g, 0);
    expect(&r, "evtchn_send d5v1 port=12 remote=6 remote_port=34 remote_vcpu=3\n");
    rig_close(&r);
}

static void grant_op(struct rig *r, uint64_t command, const void *before, const void *after,
                     size_t size)
{
    fake_guest_poke(&r->g, REQUESTS, before, size);
    hypercall_entry(r, __HYPERVISOR_grant_table_op, command, REQUESTS, 1, 0);
    fake_guest_poke(&r->g, REQUESTS, after, size);
    hypercall_return(r, 0);
}

Test(traces_capture, a_grant_is_known_by_its_handle_until_it_is_unmapped)
{
    struct gnttab_map_grant_ref map = {
        .host_addr = 0x7000, .flags = GNTMAP_host_map, .ref = 9, .dom = 2};
    struct gnttab_map_grant_ref mapped = map;
    struct gnttab_unmap_grant_ref unmap = {.host_addr = 0x7000, .handle = 4};
    struct rig r;

    rig_open(&r, true);
    mapped.handle = 4;
    mapped.dev_bus_addr = 0x33000;
    grant_op(&r, GNTTABOP_map_grant_ref, &map, &mapped, sizeof(map));
    expect(&r, "grant_map d5v1 granter=2 mapper=5 ref=9 mfn=51 host_addr=28672 flags=2 handle=4\n"
               "hypercall d5v1 number=20 arg2=139264 arg3=1 rip=36866 [4.0 32] [4.1 32]\n");
    for (unsigned i = 0; i < 2; i++) {
        unmap.status = i ? GNTST_bad_handle : GNTST_okay;
        grant_op(&r, GNTTABOP_unmap_grant_ref, &unmap, &unmap, sizeof(unmap));
        expect(&r, i ? "grant_unmap d5v1 granter=65535 mapper=5 host_addr=28672 handle=4 "
                       "status=-4\n"
                       "hypercall d5v1 number=20 arg1=1 arg2=139264 arg3=1 rip=36866 [4.0 24] "
                       "[4.1 24]\n"
                     : "grant_unmap d5v1 granter=2 mapper=5 ref=9 mfn=51 host_addr=28672 "
                       "handle=4\n"
                       "hypercall d5v1 number=20 arg1=1 arg2=139264 arg3=1 rip=36866 [4.0 24] "
                       "[4.1 24]\n");
    }
    rig_close(&r);
}

Test(traces_capture, the_guest_is_who_ran_last)
{
    struct base_probe_exception exc = {.vector = 6, .rip = 0x8000};
    struct base_probe_at at = {1, 2, 0};
    struct rig r;

    rig_open(&r, true);
    r.probe.exception(r.probe.user, &at, &exc);
    expect(&r, "exception d65535v65535 vector=6 rip=32768\n");
    r.g.gpr[BASE_RDI] = 5;
    r.g.gpr[BASE_RSI] = 8;
    fake_guest_call(&r.g, SWITCH, RA);
    r.probe.exception(r.probe.user, &at, &exc);
    expect(&r, "switch d8v65535 from=5 from_vcpu=65535 to=8 to_vcpu=65535\n"
               "exception d8v65535 vector=6 rip=32768\n");
    rig_close(&r);
}

Test(traces_capture, console_text_comes_in_lines)
{
    struct base_probe_at at = {1, 2, 0};
    struct rig r;

    rig_open(&r, true);
    for (const char *p = "one\ntwo"; *p; p++)
        r.probe.console(r.probe.user, &at, (uint8_t)*p);
    expect(&r, "console d65535v65535 'one\n'\n");
    trace_capture_finish(r.capture, 5, 5);
    expect(&r, "console d65535v65535 'two'\n");
    rig_close(&r);
}

/* ---- without a profile ---- */

static void guest_syscall(struct rig *r, uint64_t rip, uint64_t number)
{
    struct base_probe_at at = {r->g.insns, 0, 0};

    r->g.cpl = 3;
    r->g.gpr[BASE_RAX] = number;
    r->probe.syscall(r->probe.user, &at, rip);
}

static void guest_goes_on(struct rig *r, uint64_t rip, uint64_t rax)
{
    r->g.gpr[BASE_RAX] = rax;
    fake_guest_reach(&r->g, rip);
}

#define KERNEL 0xffffffff81000000ull

Test(traces_capture, an_unknown_hypervisors_hypercalls_are_seen_from_the_guest)
{
    struct rig r;

    rig_open(&r, false);
    r.g.gpr[BASE_RDI] = 1;
    guest_syscall(&r, KERNEL, 3);
    guest_syscall(&r, 0x400000, 2); /* a system call */
    r.g.gpr[BASE_RSP] -= 8;
    guest_goes_on(&r, KERNEL + 2, 0); /* not this one: another stack */
    r.g.gpr[BASE_RSP] += 8;
    expect(&r, "");
    guest_goes_on(&r, KERNEL + 2, (uint64_t)-1);
    expect(&r, "hypercall d65535v65535 number=3 arg1=1 result=-1 rip=-2130706430\n");
    guest_syscall(&r, KERNEL, 23);
    expect(&r, "hypercall d65535v65535 number=23 arg1=1 end=1 rip=-2130706430 [18.0 72]\n");
    guest_syscall(&r, KERNEL, 4); /* and once more before it has returned */
    guest_syscall(&r, KERNEL, 4);
    expect(&r, "hypercall d65535v65535 number=4 arg1=1 end=2 rip=-2130706430\n");
    trace_capture_finish(r.capture, 900, 5);
    expect(&r, "hypercall d65535v65535 number=4 arg1=1 end=3 rip=-2130706430\n");
    rig_close(&r);
}

/* ---- state ---- */

static void save_and_go_on(struct rig *r, bool with_profile)
{
    GByteArray *saved = g_byte_array_new(), *again = g_byte_array_new();
    struct base_state st;

    base_state_init_save(&st, saved);
    trace_capture_state(r->capture, &st);
    trace_capture_free(r->capture);
    cr_assert_eq(r->g.points->len, 0);
    attach(r, with_profile);
    base_state_init_load(&st, saved->data, saved->len);
    trace_capture_state(r->capture, &st);
    cr_assert_not(st.bad);
    cr_assert_eq(st.in_left, 0);
    base_state_init_save(&st, again);
    trace_capture_state(r->capture, &st);
    cr_assert_eq(saved->len, again->len);
    cr_assert(memcmp(saved->data, again->data, saved->len) == 0);
    g_byte_array_free(saved, TRUE);
    g_byte_array_free(again, TRUE);
}

Test(traces_capture, goes_on_from_a_saved_state)
{
    struct mmu_update request = {0x5000, 1};
    struct base_probe_at at = {1, 2, 0};
    struct rig r;

    rig_open(&r, true);
    fake_guest_poke(&r.g, REQUESTS, &request, sizeof(request));
    r.probe.console(r.probe.user, &at, 'x');
    hypercall_entry(&r, __HYPERVISOR_mmu_update, REQUESTS, 1, 0, DOMID_SELF);
    set_word(&r, 1, 1, 1);
    call_page(&r, GET, 1, RA2);
    save_and_go_on(&r, true);
    fake_guest_return(&r.g, 0);
    hypercall_return(&r, 0);
    r.probe.console(r.probe.user, &at, '\n');
    expect(&r, "page_type d5v1 mfn=1 old=1 new=1 old_count=1 new_count=1 validated=1 owner=65535 "
               "raw=385\n"
               "hypercall d5v1 number=1 arg1=139264 arg2=1 arg4=32752 rip=36866 [1.0 16]\n"
               "console d5v1 'x\n'\n");
    rig_close(&r);

    rig_open(&r, false);
    guest_syscall(&r, KERNEL, 3);
    save_and_go_on(&r, false);
    guest_goes_on(&r, KERNEL + 2, 0);
    expect(&r, "hypercall d65535v65535 number=3 rip=-2130706430\n");
    rig_close(&r);
}

/* A state from a damaged file: refused or harmless, at every byte. */
Test(traces_capture, a_damaged_state_does_no_harm)
{
    GByteArray *saved = g_byte_array_new();
    struct base_state st;
    struct rig r;

    rig_open(&r, true);
    hypercall_entry(&r, __HYPERVISOR_mmu_update, REQUESTS, 1, 0, DOMID_SELF);
    call_page(&r, GET, 1, RA2);
    base_state_init_save(&st, saved);
    trace_capture_state(r.capture, &st);
    for (guint i = 0; i < saved->len; i++) {
        static const uint8_t flips[] = {0x01, 0x80, 0xff};

        for (unsigned k = 0; k < ARRAY_LEN(flips); k++) {
            saved->data[i] ^= flips[k];
            base_state_init_load(&st, saved->data, saved->len);
            trace_capture_state(r.capture, &st);
            if (!st.bad)
                trace_capture_finish(r.capture, 1, 1);
            saved->data[i] ^= flips[k];
        }
        base_state_init_load(&st, saved->data, i);
        trace_capture_state(r.capture, &st);
        cr_assert(st.bad, "%u bytes of %u", i, saved->len);
    }
    g_byte_array_free(saved, TRUE);
    rig_close(&r);
}
