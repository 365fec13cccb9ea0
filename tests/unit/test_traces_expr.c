/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/base/rng.h"
#include "sim/base/types.h"
#include "tests/unit/fake_guest.h"
#include "traces/expr.h"

static const char *definition(void *user, const char *name)
{
    static const char *const table[][2] = {
        {"field", "u64[$ + 8]"}, {"twice", "$ + $"}, {"four", "twice(twice($))"}, {"seven", "7"},
        {"self", "self + 1"},    {"broken", "1 +"},   {"low", "$ & 0xff"},
    };

    (void)user;
    for (unsigned i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i][0], name) == 0)
            return table[i][1];
    return NULL;
}

static bool symbol(void *user, const char *name, uint64_t *address)
{
    (void)user;
    *address = FAKE_GUEST_BASE + 0x100;
    return strcmp(name, "known") == 0;
}

static const struct trace_expr_names names = {NULL, definition, symbol};

struct value {
    const char *text;
    uint64_t value;
};

/* RAX..R15 at the entry are 1000 + number; RAX at the return is -5 in 32 bits.
 * Memory: 0x10100: 0x8899aabbccddeeff; 0x10108: 0x10100. */
static const struct value values[] = {
    {"0", 0},
    {"0xffffffffffffffff", UINT64_MAX},
    {"010", 8},
    {"1 + 2 * 3", 7},
    {"(1 + 2) * 3", 9},
    {"10 - 3 - 2", 5},
    {"1 << 4 + 1", 32},
    {"0xff00 >> 8 & 0xf", 0xf},
    {"1 | 2 ^ 3 & 5", 1 | (2 ^ (3 & 5))},
    {"1 << 64", 0},
    {"~0 >> 60", 15},
    {"-1", UINT64_MAX},
    {"!0 + !7", 1},
    {"3 == 3", 1},
    {"3 != 3", 0},
    {"2 < 3", 1},
    {"-1 < 3", 0}, /* unsigned */
    {"3 <= 3 & 3 >= 4", 0},
    {"1 ? 2 : 3", 2},
    {"0 ? 2 : 3", 3},
    {"0 ? 1 : 0 ? 2 : 5", 5},
    {"1 ? 0 ? 4 : 6 : 5", 6},
    {"rax", 1000},
    {"rsp + r15", 1004 + 1015},
    {"ret", 0xfffffffb},
    {"i32(ret)", (uint64_t)-5},
    {"i8(0x80)", (uint64_t)-128},
    {"i16(0x7fff)", 0x7fff},
    {"u8[0x10100]", 0xff},
    {"u16[0x10100]", 0xeeff},
    {"u32[0x10100]", 0xccddeeff},
    {"u64[0x10100]", 0x8899aabbccddeeff},
    {"u64[u64[0x10100 + 8]]", 0x8899aabbccddeeff},
    {"&known", 0x10100},
    {"u32[&known] & 0xff", 0xff},
    {"seven * seven", 49},
    {"twice(4)", 8},
    {"four(rax)", 4000},
    {"field(&known)", 0x10100},
    {"u64[field(field(0x10100))] & 0xff", 0xff}, /* 0x10100 is its own field */
    {"low(0x1234) + low(0x56)", 0x34 + 0x56},
    {"$", 77},
    {"twice($) + $", 231},
    {"0 ? u8[0] : 4", 4}, /* what is not looked at cannot be unknown */
};

static void evaluate(const struct trace_expr *expr, bool exit, bool *known, uint64_t *value)
{
    static struct fake_guest g;
    uint64_t at_exit[16] = {0xfffffffb}, at_entry[16];
    struct trace_expr_frame frame = {
        .guest = &g.guest, .entry = at_entry, .exit = exit ? at_exit : NULL, .argument = 77};

    fake_guest_init(&g);
    for (unsigned i = 0; i < 16; i++)
        at_entry[i] = 1000 + i;
    fake_guest_poke64(&g, 0x10100, 0x8899aabbccddeeff);
    fake_guest_poke64(&g, 0x10108, 0x10100);
    *known = trace_expr_value(expr, &frame, value);
    fake_guest_fini(&g);
}

Test(traces_expr, values_are_right)
{
    for (unsigned i = 0; i < ARRAY_LEN(values); i++) {
        const struct value *v = &values[i];
        g_autoptr(GError) error = NULL;
        struct trace_expr *expr = trace_expr_compile(v->text, &names, &error);
        uint64_t value;
        bool known;

        cr_assert_not_null(expr, "%s: %s", v->text, error ? error->message : "");
        evaluate(expr, true, &known, &value);
        cr_assert(known, "%s is unknown", v->text);
        cr_assert_eq(value, v->value, "%s is %#lx, not %#lx", v->text, value, v->value);
        trace_expr_free(expr);
    }
}

Test(traces_expr, what_cannot_be_read_is_unknown)
{
    static const char *const texts[] = {"u8[0]", "u64[0x4fffc]", "1 + u8[0] * 0", "ret",
                                        "1 ? u8[0] : 4"};

    for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
        struct trace_expr *expr = trace_expr_compile(texts[i], &names, NULL);
        uint64_t value;
        bool known;

        cr_assert_not_null(expr, "%s", texts[i]);
        evaluate(expr, false, &known, &value);
        cr_assert_not(known, "%s", texts[i]);
        cr_assert_eq(value, 0, "%s", texts[i]);
        cr_assert_eq(trace_expr_needs_exit(expr), strcmp(texts[i], "ret") == 0);
        trace_expr_free(expr);
    }
}

Test(traces_expr, mistakes_are_told)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "a value is missing"},        {"1 +", "a value is missing"},
        {"1 2", "something is left over"}, {"(1", ") is missing"},
        {"u64[1", "] is missing"},         {"u64(1)", "[ is missing"},
        {"i32[1]", "( is missing"},        {"nobody", "no definition of nobody"},
        {"&nobody", "no symbol nobody"},   {"&", "& wants a symbol"},
        {"1 ? 2", ": is missing"},         {"12x", "not a number"},
        {"self", "nested too deep"},       {"broken", "a value is missing"},
        {"u7[1]", "no definition of u7"},  {"1 && 2", "something is left over"},
        {"rax)", "something is left over"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        g_autoptr(GError) error = NULL;

        cr_assert_null(trace_expr_compile(bad[i].text, &names, &error), "%s", bad[i].text);
        cr_assert_not_null(error, "%s", bad[i].text);
        cr_assert_not_null(strstr(error->message, bad[i].message), "%s: %s", bad[i].text,
                           error->message);
    }
}

/* Whatever is written, it is refused or it can be evaluated. */
Test(traces_expr, nonsense_does_no_harm)
{
    static const char alphabet[] = "0123456789x+-*&|^<>=!~?:()[]$ u8u64i32raxrsptwicefourself.&known";
    static struct fake_guest guest;
    struct base_rng rng;
    unsigned good = 0;

    base_rng_init(&rng, 11, 0);
    fake_guest_init(&guest);
    for (unsigned i = 0; i < 200000; i++) {
        char text[24];
        size_t size = base_rng_next(&rng) % (sizeof(text) - 1);
        struct trace_expr *expr;

        for (size_t j = 0; j < size; j++)
            text[j] = alphabet[base_rng_next(&rng) % (sizeof(alphabet) - 1)];
        text[size] = '\0';
        expr = trace_expr_compile(text, &names, NULL);
        if (expr) {
            uint64_t regs[16] = {0}, value;

            trace_expr_value(expr, &(struct trace_expr_frame){&guest.guest, regs, regs, 0}, &value);
            good++;
        }
        trace_expr_free(expr);
    }
    fake_guest_fini(&guest);
    cr_assert_gt(good, 1000, "only %u were expressions", good);
}

Test(traces_expr, depth_has_a_limit)
{
    GString *text = g_string_new("");

    for (unsigned i = 0; i < 5000; i++)
        g_string_append(text, "(");
    cr_assert_null(trace_expr_compile(text->str, &names, NULL));
    g_string_truncate(text, 0);
    for (unsigned i = 0; i < 5000; i++)
        g_string_append(text, "1?");
    cr_assert_null(trace_expr_compile(text->str, &names, NULL));
    g_string_truncate(text, 0);
    for (unsigned i = 0; i < 5000; i++)
        g_string_append(text, "0?1:");
    cr_assert_null(trace_expr_compile(text->str, &names, NULL));
    g_string_free(text, TRUE);
}
