/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which memory an instruction accesses: what data breakpoints look at. */
#include <criterion/criterion.h>
#include <glib.h>
#include <stdlib.h>

#include "cpu/decode.h"
#include "sim/base/types.h"

/* Bytes from text such as "0f 01 f9".  Returns: how many. */
static size_t bytes(const char *text, uint8_t out[64])
{
    size_t n = 0;
    char *end;

    for (; *text && n < 64; text = end)
        out[n++] = (uint8_t)strtoul(text, &end, 16);
    return n;
}

/* SDM volume 2, each instruction: what it reads and writes. */
Test(cpu_decode_access, accesses)
{
    static const struct {
        enum cpu_mode mode;
        const char *code;
        unsigned count;
        struct cpu_access access[2];
    } cases[] = {
        {CPU_MODE_64, "48 89 07", 1, {{CPU_ACCESS_OPERAND, true, 8, false}}},
        {CPU_MODE_64, "66 8b 07", 1, {{CPU_ACCESS_OPERAND, false, 2, true}}},
        {CPU_MODE_64, "8a 07", 1, {{CPU_ACCESS_OPERAND, false, 1, true}}},
        {CPU_MODE_64, "89 c0", 0, {{0}}},
        {CPU_MODE_64, "48 8d 07", 0, {{0}}},
        {CPU_MODE_64, "0f 1f 00", 0, {{0}}},
        {CPU_MODE_64, "50", 1, {{CPU_ACCESS_PUSH, true, 8, false}}},
        {CPU_MODE_32, "66 50", 1, {{CPU_ACCESS_PUSH, true, 2, false}}},
        {CPU_MODE_32, "60", 1, {{CPU_ACCESS_PUSH, true, 32, false}}},
        {CPU_MODE_64, "c3", 1, {{CPU_ACCESS_POP, false, 8, true}}},
        {CPU_MODE_64, "48 cf", 1, {{CPU_ACCESS_POP, false, 40, true}}},
        {CPU_MODE_64, "c9", 1, {{CPU_ACCESS_BP, false, 8, true}}},
        {CPU_MODE_64, "ff 37", 2, {{CPU_ACCESS_OPERAND, false, 8, true}, {CPU_ACCESS_PUSH, true, 8, false}}},
        {CPU_MODE_64, "ff 17", 2, {{CPU_ACCESS_OPERAND, false, 8, true}, {CPU_ACCESS_PUSH, true, 8, false}}},
        {CPU_MODE_64, "ff 07", 1, {{CPU_ACCESS_OPERAND, true, 4, true}}},
        {CPU_MODE_64, "8f 07", 2, {{CPU_ACCESS_POPPED, true, 8, false}, {CPU_ACCESS_POP, false, 8, true}}},
        {CPU_MODE_64, "f3 48 a5", 2, {{CPU_ACCESS_SI, false, 8, true}, {CPU_ACCESS_DI, true, 8, false}}},
        {CPU_MODE_64, "f3 aa", 1, {{CPU_ACCESS_DI, true, 1, false}}},
        {CPU_MODE_64, "6d", 1, {{CPU_ACCESS_DI, true, 4, false}}},
        {CPU_MODE_64, "ac", 1, {{CPU_ACCESS_SI, false, 1, true}}},
        {CPU_MODE_64, "d7", 1, {{CPU_ACCESS_XLAT, false, 1, true}}},
        {CPU_MODE_32, "a3 00 10 00 00", 1, {{CPU_ACCESS_OPERAND, true, 4, false}}},
        {CPU_MODE_64, "0f 11 07", 1, {{CPU_ACCESS_OPERAND, true, 16, false}}},
        {CPU_MODE_64, "f2 0f 10 07", 1, {{CPU_ACCESS_OPERAND, false, 8, true}}},
        {CPU_MODE_64, "db 3f", 1, {{CPU_ACCESS_OPERAND, true, 10, false}}},
        {CPU_MODE_64, "0f ae 07", 1, {{CPU_ACCESS_OPERAND, true, 512, false}}},
        {CPU_MODE_64, "48 0f c7 0f", 1, {{CPU_ACCESS_OPERAND, true, 16, true}}},
        {CPU_MODE_64, "0f 94 07", 1, {{CPU_ACCESS_OPERAND, true, 1, false}}},
        {CPU_MODE_64, "d1 27", 1, {{CPU_ACCESS_OPERAND, true, 4, true}}},
        {CPU_MODE_64, "87 07", 1, {{CPU_ACCESS_OPERAND, true, 4, true}}},
        {CPU_MODE_64, "f0 00 07", 1, {{CPU_ACCESS_OPERAND, true, 1, true}}},
        {CPU_MODE_64, "c8 10 00 03", 2, /* ENTER */
         {{CPU_ACCESS_PUSH, true, 32, false}, {CPU_ACCESS_BELOW_BP, false, 16, true}}},
        {CPU_MODE_64, "0f 0b", 0, {{0}}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_access out[CPU_ACCESSES_MAX];
        uint8_t code[64];
        unsigned n = cpu_decode_accesses(cases[i].mode, code, bytes(cases[i].code, code), out);

        cr_expect_eq(n, cases[i].count, "%s: %u accesses", cases[i].code, n);
        for (unsigned k = 0; k < MIN(n, cases[i].count); k++)
            cr_expect(out[k].at == cases[i].access[k].at &&
                          out[k].write == cases[i].access[k].write &&
                          out[k].read == cases[i].access[k].read &&
                          out[k].bytes == cases[i].access[k].bytes,
                      "%s: access %u: at %u, %u bytes", cases[i].code, k, out[k].at, out[k].bytes);
    }
}
