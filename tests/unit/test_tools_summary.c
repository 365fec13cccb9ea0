/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "tools/console_out.h"
#include "tools/summary.h"
#include "tools/symbols.h"

static struct summary example(void)
{
    return (struct summary){
        .stop_reason = "exit-port",
        .seed = UINT64_MAX,
        .insns = 8700000000,
        .virtual_ns = 9000000001,
        .wall_s = 10.0,
        .ram_touched_bytes = 4096,
        .has_exit_value = true,
        .exit_value = 3,
        .state_hash = "0123456789abcdef0123456789abcdef",
        .console_hash = "fedcba9876543210fedcba9876543210",
        .vcpus = 2,
        .vcpu = {{.insns = 5, .blocks = 2, .syscalls = 1}, {.insns = 7, .blocks = 3, .nmis = 4}},
    };
}

Test(summary, the_line_says_all)
{
    struct summary s = example();
    g_autofree char *line = summary_line(&s);

    cr_assert_str_eq(line,
                     "exit-port (value 3) after 8700000000 instructions, 9.000000001 s virtual, "
                     "10.000 s wall, 870.0 MIPS, state 0123456789abcdef0123456789abcdef");
}

Test(summary, the_file_has_every_number)
{
    struct summary s = example();
    g_autofree char *folder = g_dir_make_tmp("paravane-summary-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "s.json", NULL);
    g_autoptr(JsonParser) parser = json_parser_new();
    GError *error = NULL;
    JsonObject *o, *vcpu;

    cr_assert(summary_check_path(path, &error));
    cr_assert(summary_write(&s, path, &error), "%s", error ? error->message : "");
    cr_assert(json_parser_load_from_file(parser, path, &error));
    o = json_node_get_object(json_parser_get_root(parser));
    cr_assert_str_eq(json_object_get_string_member(o, "stop_reason"), "exit-port");
    cr_assert_eq(json_object_get_int_member(o, "exit_value"), 3);
    cr_assert_str_eq(json_object_get_string_member(o, "seed"), "18446744073709551615");
    cr_assert_eq(json_object_get_int_member(o, "insns"), 8700000000);
    cr_assert_eq(json_object_get_int_member(o, "blocks"), 5);
    cr_assert_eq(json_object_get_int_member(o, "ram_touched_bytes"), 4096);
    cr_assert_eq(json_object_get_int_member(o, "virtual_ns"), 9000000001);
    cr_assert_str_eq(json_object_get_string_member(o, "version"), PARAVANE_VERSION);
    cr_assert_eq(json_array_get_length(json_object_get_array_member(o, "vcpus")), 2);
    vcpu = json_array_get_object_element(json_object_get_array_member(o, "vcpus"), 1);
    cr_assert_eq(json_object_get_int_member(vcpu, "nmis"), 4);
    g_unlink(path);
    g_rmdir(folder);
}

Test(summary, devices_are_written_to_and_not_replaced)
{
    struct summary s = example();
    GError *error = NULL;

    cr_assert(summary_check_path("/dev/null", &error));
    cr_assert(summary_write(&s, "/dev/null", &error));
    cr_assert_not(g_file_test("/dev/null", G_FILE_TEST_IS_REGULAR));
    cr_assert_not(summary_write(&s, "/dev/full", &error), "a full disk was not noticed");
    cr_assert_str_eq(error->message, "--summary /dev/full: No space left on device");
    g_clear_error(&error);
}

Test(summary, hopeless_paths_are_refused_at_once)
{
    const char *const cases[] = {"/nonexistent/s.json", "/", "/tmp", ""};

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;

        cr_assert_not(summary_check_path(cases[i], &error), "\"%s\" was accepted", cases[i]);
        cr_assert_not_null(error);
        g_clear_error(&error);
    }
}

/* Where a folder lets nobody make files, not even root, only writing shows it. */
Test(summary, what_cannot_be_written_is_told_in_one_way)
{
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"/nonexistent/s.json", "--summary /nonexistent/s.json: No such file or directory"},
        {"/proc/s.json", "--summary /proc/s.json: No such file or directory"},
    };
    struct summary s = example();

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *error = NULL;

        cr_assert_not(summary_write(&s, cases[i].path, &error), "%s was written", cases[i].path);
        cr_assert_str_eq(error->message, cases[i].message);
        g_clear_error(&error);
    }
}

static void stop(void *user)
{
    ++*(unsigned *)user;
}

Test(console_out, a_failed_write_stops_the_run_once)
{
    struct console_out out;
    unsigned stops = 0;
    int full = g_open("/dev/full", O_WRONLY, 0);

    console_out_init(&out, full, NULL);
    out.stop = stop;
    out.stop_user = &stops;
    for (unsigned i = 0; i < 10000; i++)
        console_out_byte(&out, '\n');
    cr_assert_not(console_out_flush(&out));
    cr_assert_eq(out.error, ENOSPC);
    cr_assert_eq(stops, 1, "%u stops", stops);
    console_out_fini(&out);
    close(full);
}

Test(console_out, the_until_text_stops_at_its_last_byte)
{
    struct console_out out;
    unsigned stops = 0;

    console_out_init(&out, -1, "Run /init");
    out.stop = stop;
    out.stop_user = &stops;
    for (const char *p = "RunRun /ini"; *p; p++)
        console_out_byte(&out, (uint8_t)*p);
    cr_assert_eq(stops, 0);
    console_out_byte(&out, 't');
    cr_assert_eq(stops, 1);
    cr_assert(out.until_seen);
    console_out_fini(&out);
}

extern const char __executable_start; /* of the linker; 0 in the file if we are relocatable */

int symbols_test_anchor(void);
int symbols_test_anchor(void)
{
    return 42;
}

Test(symbols, an_address_is_named_by_the_symbol_before_it)
{
    GError *error = NULL;
    struct symbols *symbols = symbols_load("/proc/self/exe", &error);
    uint64_t at = (uintptr_t)symbols_test_anchor, offset = 0;
    const char *name;

    cr_assert_not_null(symbols, "%s", error ? error->message : "");
    name = symbols_find(symbols, at + 3, &offset);
    if (!name)
        name = symbols_find(symbols, at + 3 - (uintptr_t)&__executable_start, &offset);
    cr_assert_str_eq(name, "symbols_test_anchor");
    cr_assert_eq(offset, 3);
    cr_assert_null(symbols_find(symbols, UINT64_MAX, &offset));
    cr_assert_null(symbols_find(NULL, 5, &offset));
    symbols_free(symbols);
}

Test(symbols, files_without_symbols_are_refused)
{
    GError *error = NULL;

    cr_assert_null(symbols_load("/etc/passwd", &error));
    cr_assert_str_eq(error->message, "/etc/passwd: not an ELF file with a symbol table");
    g_clear_error(&error);
}
