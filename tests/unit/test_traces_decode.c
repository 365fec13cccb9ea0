/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What decoders make of hypercalls and other events.  The wanted texts are written by hand from
 * the public interface; structures come from its headers.
 */
#include "traces/xen_public.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <json-glib/json-glib.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "sim/base/types.h"
#include "tests/unit/trace_events.h"
#include "traces/levels.h"

static struct trace_build b;

static void call(uint64_t number, int64_t result, uint64_t a1, uint64_t a2, uint64_t a3,
                 uint64_t a4)
{
    const uint64_t arg[] = {a1, a2, a3, a4};

    events_call(&b, number, result, 4, arg);
}

/* The event's line is @wanted, and its JSON can be parsed. */
static void expect_line(const char *wanted)
{
    g_autofree char *line = events_line(&b), *json = events_json(&b);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;

    cr_expect(eq(str, line, (char *)wanted));
    cr_expect(json_parser_load_from_data(parser, json, -1, &error), "%s is no JSON: %s", json,
              error ? error->message : "");
}

Test(traces_decode, mmu_update_shows_tables_and_entries)
{
    const struct mmu_update reqs[] = {
        {0x1a2b3018, 0x4d5e067},
        {0x1a2b3020 | MMU_PT_UPDATE_PRESERVE_AD, 0},
        {0x77000 | MMU_MACHPHYS_UPDATE, 0x123},
    };

    call(1, 0, 0xffff888000001000, 3, 0, DOMID_SELF);
    events_blob(&b, TRACE_ROLE_MMU_UPDATE, 0, reqs, sizeof(reqs));
    expect_line("[d0v0] mmu_update([{pte 0x1a2b3[3] <- 0x4d5e067 mfn 0x4d5e RW U A D}, "
                "{pte 0x1a2b3[4] <- 0x0 not present preserve_ad}, {m2p 0x77 <- pfn=0x123}], "
                "count=3, domain=DOMID_SELF) = 0");
}

Test(traces_decode, mmu_update_knows_levels_from_page_type_events)
{
    const struct mmu_update req = {0x1a2b3018, 0x4d5e067};
    struct trace_levels *levels = trace_levels_new();
    const struct trace_line_options options = {0};
    struct trace_out o = {.items_max = 3, .levels = levels};
    GString *line = g_string_new(NULL);

    events_new(&b, TRACE_KIND_PAGE_TYPE);
    trace_build_u64(&b, TRACE_PAGE_TYPE_MFN, 0x1a2b3);
    trace_build_u64(&b, TRACE_PAGE_TYPE_NEW, TRACE_PAGE_L1);
    trace_levels_event(levels, trace_build_end(&b));
    call(1, 0, 0, 1, 0, DOMID_SELF);
    events_blob(&b, TRACE_ROLE_MMU_UPDATE, 0, &req, sizeof(req));
    trace_line(line, trace_build_end(&b), &o, &options);
    cr_expect(eq(str, line->str,
                 "[  1.500000000 d0v0] mmu_update([{l1e 0x1a2b3[3] <- 0x4d5e067 mfn 0x4d5e RW U A "
                 "D}], count=1, domain=DOMID_SELF) = 0 <412 insns>"));
    g_string_free(line, TRUE);
    trace_levels_free(levels);
}

Test(traces_decode, long_lists_are_shortened_in_the_text_only)
{
    struct mmuext_op ops[5] = {{.cmd = MMUEXT_TLB_FLUSH_LOCAL}, {.cmd = MMUEXT_INVLPG_ALL},
                               {.cmd = MMUEXT_PIN_L4_TABLE},    {.cmd = MMUEXT_TLB_FLUSH_ALL},
                               {.cmd = 99}};
    g_autofree char *json = NULL;

    ops[1].arg1.linear_addr = 0xffff800000001000;
    ops[2].arg1.mfn = 0x99;
    call(26, -22, 0x1000, 5, 0, DOMID_SELF);
    events_blob(&b, TRACE_ROLE_MMUEXT_OP, 0, ops, sizeof(ops));
    expect_line("[d0v0] mmuext_op([{tlb_flush_local}, {invlpg_all, va=0xffff800000001000}, "
                "{pin_l4_table, mfn=0x99}, ... 2 more], count=5, domain=DOMID_SELF) = -22 EINVAL");
    json = events_json(&b);
    cr_expect(strstr(json, "\"op\":99") != NULL, "%s", json);
}

Test(traces_decode, update_va_mapping)
{
    call(14, 0, 0xffff888004d5e000, 0x8000000004d5e025, UVMF_INVLPG | UVMF_ALL, 0);
    expect_line("[d0v0] update_va_mapping(va=0xffff888004d5e000 <- 0x8000000004d5e025 mfn 0x4d5e "
                "RO U A NX, flags=INVLPG|ALL) = 0");
}

Test(traces_decode, what_an_entry_was_and_how_many_were_done)
{
    const uint64_t old = 0x4d5f067;
    const struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    const uint32_t done = 1;

    call(14, 0, 0x1000, 0x4d5e025, 0, 0);
    events_blob(&b, TRACE_ROLE_L1E, 0, &old, sizeof(old));
    expect_line("[d0v0] update_va_mapping(va=0x1000 <- 0x4d5e025 mfn 0x4d5e RO U A, was 0x4d5f067 "
                "mfn 0x4d5f RW U A D, flags=0) = 0");
    call(26, 0, 0x1000, 1, 0x2000, DOMID_SELF);
    events_blob(&b, TRACE_ROLE_MMUEXT_OP, 0, &op, sizeof(op));
    events_blob(&b, TRACE_ROLE_DATA, 1, &done, sizeof(done));
    expect_line("[d0v0] mmuext_op([{tlb_flush_local}], count=1, done=0x2000 => 1, "
                "domain=DOMID_SELF) = 0");
}

Test(traces_decode, grants_show_status_of_each)
{
    struct gnttab_map_grant_ref in[2] = {{.host_addr = 0x10000,
                                          .flags = GNTMAP_host_map | GNTMAP_readonly,
                                          .ref = 8,
                                          .dom = 1},
                                         {.host_addr = 0x11000, .ref = 9, .dom = 1}};
    struct gnttab_map_grant_ref out[2];

    memcpy(out, in, sizeof(in));
    out[0].handle = 3;
    out[0].dev_bus_addr = 0x5000;
    out[1].status = GNTST_bad_gntref;
    call(20, 0, GNTTABOP_map_grant_ref, 0x2000, 2, 0);
    events_blob(&b, TRACE_ROLE_GRANT_OP, 0, in, sizeof(in));
    events_blob(&b, TRACE_ROLE_GRANT_OP, 1, out, sizeof(out));
    expect_line("[d0v0] grant_table_op(map_grant_ref, [{host_addr=0x10000, "
                "flags=host_map|readonly, ref=8, dom=d1 => status=okay, handle=3, "
                "dev_bus_addr=0x5000}, {host_addr=0x11000, flags=0, ref=9, dom=d1 => "
                "status=bad_gntref, handle=0, dev_bus_addr=0x0}], count=2) = 0");
}

Test(traces_decode, grant_copy_tells_references_from_frames)
{
    struct gnttab_copy op = {.source.u.ref = 12,
                             .source.domid = 1,
                             .dest.u.gmfn = 0x80,
                             .dest.domid = DOMID_SELF,
                             .dest.offset = 256,
                             .len = 64,
                             .flags = GNTCOPY_source_gref};

    call(20, 0, GNTTABOP_copy, 0x2000, 1, 0);
    events_blob(&b, TRACE_ROLE_GRANT_OP, 0, &op, sizeof(op));
    expect_line("[d0v0] grant_table_op(copy, [{source={ref=12, dom=d1, offset=0}, "
                "dest={gmfn=0x80, dom=DOMID_SELF, offset=256}, len=64, flags=source_gref}], "
                "count=1) = 0");
}

Test(traces_decode, event_channels_show_the_port_that_was_given)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = 2};

    call(32, 0, EVTCHNOP_alloc_unbound, 0x2000, 0, 0);
    events_blob(&b, TRACE_ROLE_EVTCHN_OP, 0, &op, sizeof(op));
    op.port = 17;
    events_blob(&b, TRACE_ROLE_EVTCHN_OP, 1, &op, sizeof(op));
    expect_line("[d0v0] event_channel_op(alloc_unbound, {dom=DOMID_SELF, remote_dom=d2 => "
                "port=17}) = 0");
}

Test(traces_decode, a_failed_operation_has_no_outputs)
{
    struct evtchn_alloc_unbound op = {.dom = 3, .remote_dom = 2};

    call(32, -3, EVTCHNOP_alloc_unbound, 0x2000, 0, 0);
    events_blob(&b, TRACE_ROLE_EVTCHN_OP, 0, &op, sizeof(op));
    events_blob(&b, TRACE_ROLE_EVTCHN_OP, 1, &op, sizeof(op));
    expect_line("[d0v0] event_channel_op(alloc_unbound, {dom=d3, remote_dom=d2}) = -3 ESRCH");
}

Test(traces_decode, memory_op_lists_frames_before_and_after)
{
    struct xen_memory_reservation op = {.nr_extents = 2, .domid = DOMID_SELF};
    const uint64_t in[] = {0x100, 0x101}, out[] = {0x9000, 0x9001};

    call(12, 2, XENMEM_populate_physmap, 0x3000, 0, 0);
    events_blob(&b, TRACE_ROLE_MEMORY_OP, 0, &op, sizeof(op));
    events_blob(&b, TRACE_ROLE_FRAME_LIST, 0, in, sizeof(in));
    events_blob(&b, TRACE_ROLE_FRAME_LIST, 1, out, sizeof(out));
    expect_line("[d0v0] memory_op(populate_physmap, {extents=0x0, nr_extents=2, order=0, "
                "flags=0x0, domid=DOMID_SELF}, frames=[0x100, 0x101] => [0x9000, 0x9001]) = 2");
}

Test(traces_decode, sched_op_vcpu_op_and_timer)
{
    struct sched_shutdown shutdown = {.reason = SHUTDOWN_poweroff};
    struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = 2500000000,
                                              .flags = VCPU_SSHOTTMR_future};

    call(29, 0, SCHEDOP_block, 0x1234, 0, 0);
    expect_line("[d0v0] sched_op(block) = 0");
    call(29, 0, SCHEDOP_shutdown, 0x1234, 0, 0);
    events_blob(&b, TRACE_ROLE_SCHED_OP, 0, &shutdown, sizeof(shutdown));
    trace_build_u64(&b, TRACE_HYPERCALL_END, TRACE_END_UNFINISHED);
    expect_line("[d0v0] sched_op(shutdown, {reason=poweroff}) <unfinished ...>");
    call(24, 0, VCPUOP_set_singleshot_timer, 1, 0x5000, 0);
    events_blob(&b, TRACE_ROLE_VCPU_OP, 0, &timer, sizeof(timer));
    expect_line("[d0v0] vcpu_op(set_singleshot_timer, {at=2.500000000s, flags=future}, vcpu=1) = 0");
    call(15, 0, 1234567890, 0, 0, 0);
    expect_line("[d0v0] set_timer_op(at=1.234567890s) = 0");
}

Test(traces_decode, what_replaces_privileged_instructions)
{
    const struct trap_info traps[] = {{14, 4, 0xe033, 0xffffffff81a00000}};
    const struct iret_context frame = {
        .rip = 0x401000, .cs = 0xe033, .rflags = 0x200, .rsp = 0x7ff0, .ss = 0xe02b};

    call(0, 0, 0x1000, 0, 0, 0);
    events_blob(&b, TRACE_ROLE_TRAP_INFO, 0, traps, sizeof(traps));
    expect_line("[d0v0] set_trap_table([{vector=0xe, flags=0x4, cs=0xe033, "
                "address=0xffffffff81a00000}]) = 0");
    call(23, 0, 0, 0, 0, 0);
    events_blob(&b, TRACE_ROLE_IRET_FRAME, 0, &frame, sizeof(frame));
    trace_build_u64(&b, TRACE_HYPERCALL_END, TRACE_END_NO_RETURN);
    expect_line("[d0v0] iret(rip=0x401000, cs=0xe033, rflags=0x200, rsp=0x7ff0, ss=0xe02b, "
                "rax=0x0, flags=0x0) = ?");
    call(25, 0, 2, 0xffff888000000000, 0, 0);
    expect_line("[d0v0] set_segment_base(gs_kernel, 0xffff888000000000) = 0");
    call(10, 0, 0x5018, 0x00af9a000000ffff, 0, 0);
    expect_line("[d0v0] update_descriptor(address=0x5018 <- 0xaf9a000000ffff, {base=0x0, "
                "limit=0xfffff, type=0x1a, dpl=0, present=yes}) = 0");
    call(5, 0, 1, 0, 0, 0);
    expect_line("[d0v0] fpu_taskswitch(set) = 0");
}

Test(traces_decode, domctl_names_the_domain)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_max_mem, .domain = 7};

    op.u.max_mem.max_memkb = 65536;
    call(36, 0, 0x1000, 0, 0, 0);
    events_blob(&b, TRACE_ROLE_DOMCTL, 0, &op, sizeof(op));
    expect_line("[d0v0] domctl(max_mem, domain=d7, {max_memkb=65536}) = 0");
}

Test(traces_decode, console_text_is_quoted)
{
    call(18, 3, 0, 3, 0x1000, 0);
    events_blob(&b, TRACE_ROLE_CONSOLE, 0, "a\"\n", 3);
    expect_line("[d0v0] console_io(write, count=3, \"a\\\"\\n\") = 3");
}

Test(traces_decode, unknown_numbers_and_commands_show_what_is_there)
{
    call(61, -38, 1, 2, 0, 0);
    expect_line("[d0v0] hypercall_61(0x1, 0x2) = -38 ENOSYS");
    call(32, -38, 77, 0x2000, 0, 0);
    events_blob(&b, TRACE_ROLE_EVTCHN_OP, 0, "\1\2\3", 3);
    expect_line("[d0v0] event_channel_op(op=77, <01 02 03>) = -38 ENOSYS");
    call(27, -38, 0xabc, 0, 0, 0);
    expect_line("[d0v0] xsm_op(0xabc) = -38 ENOSYS");
}

Test(traces_decode, a_32_bit_guests_structures_are_not_guessed)
{
    call(29, 0, SCHEDOP_shutdown, 0x1000, 0, 0);
    trace_build_u64(&b, TRACE_HYPERCALL_ABI, 32);
    events_blob(&b, TRACE_ROLE_SCHED_OP, 0, "\0\0\0", 4);
    expect_line("[d0v0] sched_op(0x2, 0x1000, sched_op=<00 00 00 00>) = 0 [32-bit]");
}

/* Each hypercall with each of its commands, with blobs of each length of each role. */
Test(traces_decode, short_memory_never_crashes)
{
    static uint8_t bytes[300];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    for (unsigned number = 0; number < 64; number++) {
        for (unsigned cmd = 0; cmd < 32; cmd += cmd < 16 ? 1 : 5) {
            for (unsigned size = 0; size < sizeof(bytes); size += size < 40 ? 3 : 37) {
                call(number, (int64_t)cmd - 3, cmd, cmd, 40, DOMID_SELF);
                bytes[0] = (uint8_t)cmd;
                bytes[1] = bytes[2] = bytes[3] = 0;
                for (unsigned role = 0; role <= TRACE_ROLE_DATA; role++) {
                    g_autofree uint8_t *exact = g_memdup2(bytes, size);

                    events_blob(&b, role, size & 1, exact, size);
                }
                g_free(events_line(&b));
                g_free(events_json(&b));
            }
        }
    }
}

Test(traces_decode, a_structure_cut_off_says_so)
{
    struct evtchn_bind_virq op = {.virq = VIRQ_TIMER, .vcpu = 1};

    call(32, 0, EVTCHNOP_bind_virq, 0x2000, 0, 0);
    events_blob(&b, TRACE_ROLE_EVTCHN_OP, 0, &op, 6);
    expect_line("[d0v0] event_channel_op(bind_virq, {virq=timer, cut off}) = 0");
}

Test(traces_decode, other_kinds_are_readable)
{
    events_new(&b, TRACE_KIND_PAGE_TYPE);
    trace_build_u64(&b, TRACE_PAGE_TYPE_MFN, 0x4d5e);
    trace_build_u64(&b, TRACE_PAGE_TYPE_OP, TRACE_TAKE);
    trace_build_u64(&b, TRACE_PAGE_TYPE_NEW, TRACE_PAGE_L1);
    trace_build_u64(&b, TRACE_PAGE_TYPE_NEW_COUNT, 1);
    trace_build_u64(&b, TRACE_PAGE_TYPE_VALIDATED, 1);
    expect_line("[d0v0] page_type(take, mfn=0x4d5e, owner=d0, none:0 -> l1:1, validated=yes, "
                "raw=0x0, result=0)");
    events_new(&b, TRACE_KIND_EXCEPTION);
    trace_build_u64(&b, TRACE_EXCEPTION_VECTOR, 14);
    trace_build_u64(&b, TRACE_EXCEPTION_HAS_ERROR, 1);
    trace_build_u64(&b, TRACE_EXCEPTION_ERROR, 6);
    trace_build_u64(&b, TRACE_EXCEPTION_RIP, 0x401234);
    trace_build_u64(&b, TRACE_EXCEPTION_CR2, 0x7fff0000);
    expect_line("[d0v0] exception(#PF, error=0x6, cr2=0x7fff0000, rip=0x401234)");
    events_new(&b, TRACE_KIND_SWITCH);
    trace_build_u64(&b, TRACE_SWITCH_FROM, 0x7fff);
    trace_build_u64(&b, TRACE_SWITCH_TO, 1);
    expect_line("[d0v0] switch(from=DOMID_IDLE, from_vcpu=0, to=d1, to_vcpu=0)");
    events_new(&b, TRACE_KIND_GRANT_MAP);
    trace_build_u64(&b, TRACE_GRANT_MAP_GRANTER, 1);
    trace_build_u64(&b, TRACE_GRANT_MAP_REF, 8);
    trace_build_u64(&b, TRACE_GRANT_MAP_MFN, 0x5);
    trace_build_u64(&b, TRACE_GRANT_MAP_STATUS, (uint64_t)-1);
    expect_line("[d0v0] grant_map(granter=d1, mapper=d0, ref=8, mfn=0x5, host_addr=0x0, "
                "flags=0x0, handle=0, status=general_error)");
    events_new(&b, TRACE_KIND_CONSOLE);
    trace_build_bytes(&b, TRACE_CONSOLE_TEXT, "hello\n", 6);
    expect_line("[d0v0] console(text=\"hello\\n\")");
}

Test(traces_decode, a_kind_of_another_version_is_shown_by_its_own_schema)
{
    static const struct trace_field fields[] = {{"frame", TRACE_TYPE_MFN, NULL, 0, 0},
                                                {"what", TRACE_TYPE_TEXT, NULL, 0, 0}};
    static const struct trace_kind kind = {200, "novelty", "", fields, ARRAY_LEN(fields)};

    events_new(&b, TRACE_KIND_NOTE);
    b.event.kind = &kind;
    b.event.value[0].u64 = 0x77;
    b.event.value[1].u64 = 2;
    b.event.value[1].bytes = (const uint8_t *)"ab";
    expect_line("[d0v0] novelty(frame=0x77, what=\"ab\")");
}

Test(traces_decode, terms_are_hit_with_how)
{
    const struct mmu_update reqs[] = {{0x1a2b3018, 0x4d5e067}, {0x1a2b4018, 0x4d5f065}};
    const struct trace_term terms[] = {{TRACE_TERM_FRAME, 0x4d5f}, {TRACE_TERM_FRAME, 0x1a2b3},
                                       {TRACE_TERM_FRAME, 0x9}, {TRACE_TERM_DOMAIN, 0}};
    struct trace_out o = {.term = terms, .terms = 4};

    call(1, 0, 0, 2, 0, DOMID_SELF);
    events_blob(&b, TRACE_ROLE_MMU_UPDATE, 0, reqs, sizeof(reqs));
    trace_out_start(&o);
    trace_decode_event(&o, trace_build_end(&b));
    cr_expect(eq(u32, o.hit, 0xb));
    cr_expect(eq(str, (char *)o.how[0], "mapped RO"));
    cr_expect(eq(str, (char *)o.how[1], "table"));
    cr_expect(eq(str, (char *)o.how[3], "its own"));
}

Test(traces_decode, failures_are_found_by_results_and_statuses)
{
    call(1, -22, 0, 0, 0, 0);
    cr_expect(trace_event_failed(trace_build_end(&b)));
    call(12, 5, 0, 0, 0, 0);
    cr_expect(not(trace_event_failed(trace_build_end(&b))));
    events_new(&b, TRACE_KIND_GRANT_MAP);
    trace_build_u64(&b, TRACE_GRANT_MAP_STATUS, (uint64_t)-3);
    cr_expect(trace_event_failed(trace_build_end(&b)));
    events_new(&b, TRACE_KIND_PAGE_TYPE);
    trace_build_u64(&b, TRACE_PAGE_TYPE_RESULT, (uint64_t)-85); /* to be continued */
    cr_expect(not(trace_event_failed(trace_build_end(&b))));
    trace_build_u64(&b, TRACE_PAGE_TYPE_RESULT, (uint64_t)-22);
    cr_expect(trace_event_failed(trace_build_end(&b)));
}

Test(traces_decode, an_entry_that_is_replaced_unmaps_its_frame)
{
    struct trace_term terms[] = {{TRACE_TERM_FRAME, 0x11}, {TRACE_TERM_FRAME, 0x12}};
    struct trace_out o = {.term = terms, .terms = 2};

    events_new(&b, TRACE_KIND_PT_WRITE);
    trace_build_u64(&b, TRACE_PT_WRITE_OLD, 0x11067);
    trace_build_u64(&b, TRACE_PT_WRITE_NEW, 0x12067);
    trace_out_start(&o);
    trace_decode_event(&o, trace_build_end(&b));
    cr_expect(eq(str, (char *)o.how[0], "unmapped"));
    cr_expect(eq(str, (char *)o.how[1], "mapped RW"));
    trace_build_u64(&b, TRACE_PT_WRITE_NEW, 0x11065);
    trace_out_start(&o);
    trace_decode_event(&o, trace_build_end(&b));
    cr_expect(eq(str, (char *)o.how[0], "mapped RO"));
}
