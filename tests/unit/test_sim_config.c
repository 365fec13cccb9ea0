/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "sim/base/types.h"
#include "sim/config.h"

#define BOOT "[boot]\nkernel = k\n"

static struct sim_config *parse(const char *text, const char *const *sets, GError **error)
{
    return sim_config_parse("/dir/x.machine", text, strlen(text), sets, error);
}

static struct sim_config *parse_good(const char *text, const char *const *sets)
{
    GError *error = NULL;
    struct sim_config *config = parse(text, sets, &error);

    cr_assert_not_null(config, "%s was refused: %s", text, error->message);
    return config;
}

/* The message of the refusal; the caller frees it. */
static char *refusal(const char *text, const char *const *sets)
{
    GError *error = NULL;
    struct sim_config *config = parse(text, sets, &error);
    char *message;

    cr_assert_null(config, "%s %s was accepted", text, sets ? sets[0] : "");
    cr_assert_not_null(error);
    message = g_strdup(error->message);
    g_error_free(error);
    return message;
}

static void refused_with(const char *text, const char *const *sets, const char *wanted)
{
    char *message = refusal(text, sets);

    cr_assert(strstr(message, wanted), "%s: the message is \"%s\", without \"%s\"", text, message,
              wanted);
    cr_assert_null(strchr(message, '\n'), "%s: more than one line: %s", text, message);
    g_free(message);
}

Test(sim_config, what_is_not_given_has_its_default)
{
    struct sim_config *c = parse_good(BOOT, NULL);

    cr_assert_eq(c->memory_bytes, 256ull << 20);
    cr_assert_eq(c->cpus, 1);
    cr_assert_eq(c->seed, 0);
    cr_assert_str_eq(c->cpu_model, "paravane-v1");
    cr_assert_eq(c->start_seconds, 1704067200);
    cr_assert_not(c->halted_is_good);
    cr_assert_str_eq(c->kernel, "/dir/k");
    cr_assert_str_eq(c->cmdline, "");
    cr_assert_eq(c->modules->len, 0);
    cr_assert_str_eq(c->timing_model, "flat");
    cr_assert_eq(c->frequency_hz, 1000000000);
    cr_assert_eq(c->rdtsc_cycles, 0);
    cr_assert_eq(c->quantum_ns, 250000);
    cr_assert_eq(c->input_poll_ns, 1000000);
    sim_config_free(c);
}

Test(sim_config, every_key_is_read)
{
    struct sim_config *c =
        parse_good("[machine]\nmemory=2G\ncpus=8\nseed=0xffffffffffffffff\ncpu=other\n"
                   "date=2030-05-06T07:08:09Z\non-halt=good\n"
                   "[boot]\nkernel=/abs/k\ncmdline=a  b\\sc\n"
                   "[timing]\nmodel=flat\nfrequency=2.5GHz\nrdtsc-cycles=25\nport-cycles=1000\n"
                   "mmio-cycles=7\nquantum-ns=1000\ninput-poll-ns=1000000000\n",
                   NULL);

    cr_assert_eq(c->memory_bytes, 2ull << 30);
    cr_assert_eq(c->cpus, 8);
    cr_assert_eq(c->seed, UINT64_MAX);
    cr_assert_str_eq(c->cpu_model, "other");
    cr_assert_eq(c->start_seconds, 1904281689);
    cr_assert(c->halted_is_good);
    cr_assert_str_eq(c->kernel, "/abs/k");
    cr_assert_str_eq(c->cmdline, "a  b c");
    cr_assert_eq(c->frequency_hz, 2500000000);
    cr_assert_eq(c->rdtsc_cycles, 25);
    cr_assert_eq(c->port_cycles, 1000);
    cr_assert_eq(c->mmio_cycles, 7);
    cr_assert_eq(c->quantum_ns, 1000);
    cr_assert_eq(c->input_poll_ns, 1000000000);
    sim_config_free(c);
}

Test(sim_config, modules_keep_the_order_of_the_file)
{
    const char *const sets[] = {"module.zz.path=late", "module.b.cmdline=new", NULL};
    struct sim_config *c = parse_good(BOOT "[module.b]\npath=1\n[module.a]\npath=sub/2\n"
                                           "cmdline=x y\n[module.c]\npath=/3\n",
                                      sets);
    const char *const want[][3] = {
        {"b", "/dir/1", "new"}, {"a", "/dir/sub/2", "x y"}, {"c", "/3", ""}, {"zz", "late", ""}};

    cr_assert_eq(c->modules->len, ARRAY_LEN(want));
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        const struct sim_config_module *m = g_ptr_array_index(c->modules, i);

        cr_assert_str_eq(m->name, want[i][0], "module %u is %s", i, m->name);
        cr_assert_str_eq(m->path, want[i][1], "module %u: %s", i, m->path);
        cr_assert_str_eq(m->cmdline, want[i][2], "module %u: %s", i, m->cmdline);
    }
    sim_config_free(c);
}

Test(sim_config, a_module_keeps_its_place_until_set_gives_its_path)
{
    const char *const sets[] = {"module.dom0.path=mine", NULL};
    struct sim_config *c = parse_good(BOOT "[module.dom0]\n[module.initrd]\npath=i\n", sets);
    const struct sim_config_module *first = g_ptr_array_index(c->modules, 0);

    cr_assert_str_eq(first->name, "dom0");
    cr_assert_str_eq(first->path, "mine");
    sim_config_free(c);
}

Test(sim_config, sets_replace_in_order_and_take_values_literally)
{
    const char *const sets[] = {"machine.cpus=2", "machine.cpus=3", "boot.kernel=here/k",
                                "boot.cmdline=a=b c\\n.d", NULL};
    struct sim_config *c = parse_good("[machine]\ncpus=5\n", sets);

    cr_assert_eq(c->cpus, 3);
    cr_assert_str_eq(c->kernel, "here/k");
    cr_assert_str_eq(c->cmdline, "a=b c\\n.d");
    sim_config_free(c);
}

Test(sim_config, a_relative_file_gives_relative_paths)
{
    GError *error = NULL;
    const char text[] = BOOT;
    struct sim_config *c = sim_config_parse("x.machine", text, strlen(text), NULL, &error);

    cr_assert_str_eq(c->kernel, "k");
    sim_config_free(c);
    c = sim_config_parse("a/b/x.machine", text, strlen(text), NULL, &error);
    cr_assert_str_eq(c->kernel, "a/b/k");
    sim_config_free(c);
}

Test(sim_config, mistakes_in_the_file_are_named)
{
    const char *const cases[][2] = {
        {"[machine]\nmemroy=1G\n" BOOT, "[machine] memroy: unknown key; did you mean \"memory\"?"},
        {"[machine]\nfoo=1\n" BOOT, "[machine] foo: unknown key; there are memory, cpus"},
        {"[machin]\ncpus=1\n" BOOT, "[machin]: unknown group; did you mean \"machine\"?"},
        {"[disks]\n" BOOT, "[disks]: unknown group; there are machine, boot"},
        {"[module.]\npath=x\n" BOOT, "[module.]: a module's name"},
        {"[module.a b]\npath=x\n" BOOT, "[module.a b]: a module's name"},
        {"[module.a]\nfile=x\n" BOOT, "[module.a] file: unknown key; there are path, cmdline"},
        {"[module.a]\n" BOOT, "[module.a] path: missing"},
        {"[module.a]\npath=\n" BOOT, "[module.a] path: the path is empty"},
        {"[machine]\ncpus=1\ncpus=2\n" BOOT, "/dir/x.machine:3: [machine] cpus is given twice"},
        {"[machine]\n[boot]\nkernel=k\n[machine]\n", "/dir/x.machine:4: [machine] is given twice"},
        {"[machine]\ncpus\n" BOOT, "/dir/x.machine:2: neither"},
        {"[machine]\ncpus[de]=2\n" BOOT, "[machine] cpus[de]: unknown key"},
        {"[machine\ncpus=1\n" BOOT, "/dir/x.machine:1: neither"},
        {"[machine] x=1\n" BOOT, "/dir/x.machine:1: neither"},
        {"[]\n" BOOT, "/dir/x.machine:1: neither"},
        {"[machine]\n = 1\n" BOOT, "/dir/x.machine:2: neither"},
        {"[boot]\nkernel=k\ncmdline=a\\q\\\n", "[boot] cmdline: a backslash"},
        {"[boot]\nkernel=k\ncmdline=a\\\n", "[boot] cmdline: a backslash"},
        {"cpus=2\n" BOOT, "/dir/x.machine: "},
        {"[machine]\ncpus=\xff\n" BOOT, "not a text file"},
        {"", "[boot] kernel: missing"},
        {"[boot]\ncmdline=x\n", "[boot] kernel: missing"},
        {"[boot]\nkernel=k\ncmdline=a\\qb\n", "[boot] cmdline: a backslash"},
        {"[timing]\nmodel=fancy\n" BOOT, "[timing] model: \"fancy\" is not known; there is flat"},
        {"[machine]\ndate=today\n" BOOT, "[machine] date: \"today\" is not a date"},
        {"[machine]\non-halt=maybe\n" BOOT, "[machine] on-halt: \"maybe\" is neither"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        refused_with(cases[i][0], NULL, cases[i][1]);
}

Test(sim_config, numbers_out_of_range_name_the_range)
{
    const char *const cases[][2] = {
        {"machine.memory=0", "from 1M to 64G, a multiple of 4K"},
        {"machine.memory=64K", "from 1M to 64G"},
        {"machine.memory=65G", "from 1M to 64G"},
        {"machine.memory=1048577", "a multiple of 4K"},
        {"machine.memory=99999999999999999999G", "is not a number of bytes"},
        {"machine.memory=-1M", "is not a number of bytes"},
        {"machine.memory=1M x", "is not a number of bytes"},
        {"machine.memory=", "\"\" is not a number"},
        {"machine.cpus=0", "from 1 to 8"},
        {"machine.cpus=9", "[machine] cpus: 9 is not allowed: from 1 to 8"},
        {"machine.cpus=4294967297", "from 1 to 8"},
        {"machine.cpus=2.0", "is not a number"},
        {"machine.cpus=two", "\"two\" is not a number"},
        {"machine.seed=18446744073709551616", "is not a number"},
        {"machine.seed=-1", "is not a number"},
        {"timing.frequency=0", "from 1000000 to 10000000000"},
        {"timing.frequency=11GHz", "from 1000000 to 10000000000"},
        {"timing.quantum-ns=999", "from 1000 to 1000000000"},
        {"timing.input-poll-ns=1000000001", "from 1000 to 1000000000"},
        {"timing.rdtsc-cycles=1000001", "from 0 to 1000000"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const sets[] = {cases[i][0], NULL};

        refused_with(BOOT, sets, cases[i][1]);
    }
}

Test(sim_config, malformed_sets_are_named)
{
    const char *const cases[][2] = {
        {"cpus=1", "--set cpus=1: not of the form GROUP.KEY=VALUE"},
        {"machine.cpus", "--set machine.cpus: not of the form"},
        {"", "not of the form"},
        {".cpus=1", "not of the form"},
        {"machine.=1", "not of the form"},
        {"machine.cpu=", "the name is empty"},
        {"machine.cpuss=1", "--set [machine] cpuss: unknown key; did you mean"},
        {"nothing.cpus=1", "--set [nothing]: unknown group"},
        {"module.a.b.path=1", "--set [module.a.b]: a module's name"},
        {"module.new.cmdline=x", "[module.new] path: missing"},
        {"machine.cpus=\xff", "not of the form"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const sets[] = {cases[i][0], NULL};

        refused_with(BOOT, sets, cases[i][1]);
    }
}

Test(sim_config, the_canonical_text_is_its_own_canonical_text)
{
    const char *const sets[] = {"boot.cmdline= lead \\ \"q\" # ; =", "module.m.cmdline=tab\there",
                                NULL};
    struct sim_config *c = parse_good("[timing]\nfrequency=2MHz\n[module.m]\npath=p\n" BOOT, sets);
    char *once = sim_config_to_text(c), *twice;
    struct sim_config *again = parse_good(once, NULL);

    twice = sim_config_to_text(again);
    cr_assert_str_eq(once, twice);
    cr_assert_str_eq(again->cmdline, c->cmdline);
    cr_assert_str_eq(((struct sim_config_module *)again->modules->pdata[0])->cmdline, "tab\there");
    g_free(once);
    g_free(twice);
    sim_config_free(c);
    sim_config_free(again);
}

Test(sim_config, truncating_a_file_anywhere_never_breaks_the_reader)
{
    const char text[] = "[machine]\nmemory = 768M\ncpus = 2\ndate = 2024-01-01T00:00:00Z\n" BOOT
                        "[module.a]\npath = x\ncmdline = a\\\\b\n[timing]\nfrequency = 1GHz\n";

    for (size_t length = 0; length < sizeof(text); length++) {
        GError *error = NULL;
        struct sim_config *c = sim_config_parse("t", text, length, NULL, &error);

        cr_assert((c != NULL) != (error != NULL), "length %zu", length);
        sim_config_free(c);
        g_clear_error(&error);
    }
}

Test(sim_config, a_file_that_cannot_be_read_is_named)
{
    GError *error = NULL;

    cr_assert_null(sim_config_load("/nonexistent/x.machine", NULL, &error));
    cr_assert_str_eq(error->message, "/nonexistent/x.machine: No such file or directory");
    g_clear_error(&error);
    cr_assert_null(sim_config_load("/", NULL, &error));
    cr_assert_str_eq(error->message, "/: is a directory");
    g_clear_error(&error);
}
