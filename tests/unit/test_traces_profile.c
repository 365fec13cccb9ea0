/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

#include "sim/base/types.h"
#include "traces/event.h"
#include "traces/profile.h"

#define HEAD                                                                                       \
    "[profile]\nname = Test\nbuild-id = abc;def;\nstack-bytes = 0x2000\n"                          \
    "[define]\nbase = &data + 8\n"
#define POINT                                                                                      \
    "[point one]\nevent = mode\nsymbol = function\nto = u64[base]\n"

static bool symbol(void *user, const char *name, uint64_t *address)
{
    unsigned *asked = user;

    if (asked)
        ++*asked;
    *address = strcmp(name, "function") == 0 ? 0x1000 : 0x2000;
    return strcmp(name, "function") == 0 || strcmp(name, "data") == 0;
}

Test(traces_profile, is_read)
{
    g_autoptr(GError) error = NULL;
    struct trace_profile *p = trace_profile_parse(
        HEAD "[page-type]\nindex = $ >> 61\nnames = none;l4;shared;\n" POINT, "test", symbol, NULL,
        &error);
    const struct trace_point *point;

    cr_assert_not_null(p, "%s", error ? error->message : "");
    cr_assert_str_eq(p->name, "Test");
    cr_assert_eq(p->stack_bytes, 0x2000);
    cr_assert_eq(p->type_of[0], TRACE_PAGE_NONE);
    cr_assert_eq(p->type_of[1], TRACE_PAGE_L4);
    cr_assert_eq(p->type_of[2], TRACE_PAGE_SHARED);
    cr_assert_eq(p->type_of[3], TRACE_PAGE_UNKNOWN);
    cr_assert_eq(p->points->len, 1);
    point = g_ptr_array_index(p->points, 0);
    cr_assert_eq(point->kind, TRACE_POINT_MODE);
    cr_assert_eq(point->address, 0x1000);
    cr_assert_str_eq(point->name, "one");
    cr_assert_not(point->exits);
    trace_profile_free(p);
}

Test(traces_profile, its_text_is_self_contained)
{
    unsigned asked = 0;
    struct trace_profile *p = trace_profile_parse(HEAD POINT, "test", symbol, &asked, NULL), *again;

    cr_assert_not_null(p);
    cr_assert_gt(asked, 0);
    again = trace_profile_parse(p->text, "again", NULL, NULL, NULL);
    cr_assert_not_null(again);
    cr_assert_str_eq(again->text, p->text);
    cr_assert_eq(((struct trace_point *)g_ptr_array_index(again->points, 0))->address, 0x1000);
    trace_profile_free(again);
    trace_profile_free(p);
}

Test(traces_profile, is_chosen_by_build_id)
{
    cr_assert(trace_profile_is_for(HEAD, "abc"));
    cr_assert(trace_profile_is_for(HEAD, "def"));
    cr_assert_not(trace_profile_is_for(HEAD, "ab"));
    cr_assert_not(trace_profile_is_for("nonsense", "abc"));
    cr_assert_not(trace_profile_is_for("", "abc"));
}

Test(traces_profile, mistakes_are_told)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"nonsense", "test: "},
        {"[profile]\nname = x\n", "wants name, and build-id or symbol"},
        {"[profile]\nname = x\nbuild-id = y\nstack-bytes = 100\n", "no power of two"},
        {"[profile]\nname = x\nbuild-id = y\n", "no power of two"},
        {HEAD "[point a]\nsymbol = function\n", "no kind of point is called ''"},
        {HEAD "[point a]\nevent = moon\nsymbol = function\n", "no kind of point is called 'moon'"},
        {HEAD "[point a]\nevent = mode\nto = 1\n", "symbol is missing"},
        {HEAD "[point a]\nevent = mode\nsymbol = nobody\nto = 1\n", "there is no symbol nobody"},
        {HEAD "[point a]\nevent = mode\nsymbol = function\n", "to is missing"},
        {HEAD "[point a]\nevent = mode\nsymbol = function\nto = 1 +\n", "[point a] to: "},
        {HEAD "[point a]\nevent = mode\nsymbol = function\nto = &nobody\n", "no symbol nobody"},
        {HEAD "[point a]\nevent = mode\nsymbol = function\nto = ret\n", "only when the function"},
        {HEAD "[point a]\nevent = mode\nsymbol = function\nto = 1\nfro = 2\n", "has no such key"},
        {HEAD "[page-type]\nnames = l1;l9;\n", "'l9' is no type"},
        {HEAD "[current]\ndomain = u64[\n", "[current] domain: "},
    };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        g_autoptr(GError) error = NULL;

        cr_assert_null(trace_profile_parse(bad[i].text, "test", symbol, NULL, &error), "%s",
                       bad[i].text);
        cr_assert_not_null(error, "%s", bad[i].text);
        cr_assert(g_str_has_prefix(error->message, "test: "), "%s", error->message);
        cr_assert_not_null(strstr(error->message, bad[i].message), "%s: %s", bad[i].text,
                           error->message);
    }
}

Test(traces_profile, an_optional_point_may_be_missing)
{
    struct trace_profile *p = trace_profile_parse(
        HEAD POINT "[point b]\nevent = mode\noptional = true\nsymbol = nobody\nto = 1\n", "test",
        symbol, NULL, NULL);

    cr_assert_not_null(p);
    cr_assert_eq(p->points->len, 1);
    trace_profile_free(p);
}

static bool any_symbol(void *user, const char *name, uint64_t *address)
{
    (void)user;
    *address = 0xffff82d040200000 + g_str_hash(name);
    return true;
}

/* Of those that come with the program; whether their numbers are right is another question. */
Test(traces_profile, those_that_are_shipped_are_read)
{
    g_autofree char *folder = g_build_filename(g_getenv("PARAVANE_SRC"), "traces/profiles", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    unsigned seen = 0;

    cr_assert_not_null(dir);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
        g_autoptr(GError) error = NULL;
        struct trace_profile *p;

        if (!g_str_has_suffix(name, ".profile"))
            continue;
        cr_assert(g_file_get_contents(path, &text, NULL, NULL));
        p = trace_profile_parse(text, name, any_symbol, NULL, &error);
        cr_assert_not_null(p, "%s", error ? error->message : "");
        cr_assert_gt(p->points->len, 0);
        trace_profile_free(p);
        seen++;
    }
    cr_assert_gt(seen, 0);
}
