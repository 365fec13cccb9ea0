/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "guests/dom0/console_service.h"
#include "tests/unit/guest_host.h"

static struct xencons_interface ring;
static struct console console;

static void set_up(void)
{
    memset(&ring, 0, sizeof ring);
    console = (struct console){.ring = &ring, .name = "alice"};
}

TestSuite(guests_console, .init = set_up);

static void domain_writes(const char *text)
{
    for (; *text; text++)
        ring.out[MASK_XENCONS_IDX(ring.out_prod++, ring.out)] = *text;
}

static bool service(void)
{
    bool again;

    return console_service(&console, &again);
}

Test(guests_console, lines_get_the_name_when_they_are_whole)
{
    domain_writes("one\r\ntw");
    cr_assert(service());
    cr_assert_str_eq(host_printed(), "alice: one\n");
    domain_writes("o\n\n");
    cr_assert(service());
    cr_assert_str_eq(host_printed(), "alice: two\nalice:\n");
    cr_assert_eq(ring.out_cons, ring.out_prod);
    cr_assert_not(service(), "nothing new, but the domain is notified");
}

Test(guests_console, the_end_of_a_line_can_be_forced)
{
    domain_writes("no end");
    service();
    cr_assert_str_eq(host_printed(), "");
    console_end_line(&console);
    console_end_line(&console);
    cr_assert_str_eq(host_printed(), "alice: no end\n");
}

Test(guests_console, a_line_without_end_is_cut)
{
    char line[CONSOLE_LINE_BYTES + 2];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    domain_writes(line);
    service();
    cr_assert_eq(strlen(host_printed()), strlen("alice: \n") + CONSOLE_LINE_BYTES - 1);
}

Test(guests_console, attached_is_raw)
{
    console.attached = true;
    domain_writes("a\r\nb");
    service();
    cr_assert_str_eq(host_printed(), "a\r\nb");
}

Test(guests_console, indexes_may_wrap)
{
    ring.out_cons = ring.out_prod = UINT32_MAX - 2;
    domain_writes("wraps\n");
    cr_assert(service());
    cr_assert_str_eq(host_printed(), "alice: wraps\n");
}

Test(guests_console, indexes_that_make_no_sense_end_it)
{
    ring.out_prod = sizeof ring.out + 1;
    cr_assert_not(service());
    cr_assert(console.broken);
    ring.out_prod = 0;
    cr_assert_not(service());
    cr_assert_eq(console_type(&console, "x", 1), 0);
}

Test(guests_console, input_stops_when_the_ring_is_full)
{
    u32 n = 0;

    while (console_type(&console, "x", 1))
        n++;
    cr_assert_eq(n, sizeof ring.in, "%u bytes", n);
    ring.in_cons += 5;
    cr_assert_eq(console_type(&console, "abcdefgh", 8), 5);
    cr_assert_eq(ring.in[MASK_XENCONS_IDX(ring.in_prod - 1, ring.in)], 'e');
}
