/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "guests/dom0/commands.h"
#include "guests/dom0/pump.h"
#include "guests/dom0/shell.h"
#include "tests/unit/guest_host.h"

/* In the place of the commands: says what it got, and fails for `fail`. */
bool commands_run(char **words, u32 count)
{
    char text[256] = "";

    for (u32 i = 0; i < count; i++) {
        strcat(text, "<");
        strcat(text, words[i]);
        strcat(text, ">");
    }
    strcat(text, "\n");
    return strcmp(words[0], "fail") ? (shell_fail("%s", text), true) : shell_fail("no");
}

enum pump_end pump_until(bool (*done)(void *arg), void *arg, u64 deadline_ns)
{
    (void)deadline_ns;
    return done(arg) ? PUMP_DONE : PUMP_TIMEOUT;
}

int pump_read(void)
{
    return -1;
}

static void expect(const char *line, const char *output)
{
    const char *printed;

    shell_line(line);
    printed = host_printed();
    cr_assert_str_eq(printed, output, "%s: %s", line, printed);
}

Test(guests_shell, words_are_cut_at_blanks)
{
    expect("a b  c", "dom0: <a><b><c>\n\n");
    expect("  a\tb  ", "dom0: <a><b>\n\n");
    expect("", "");
    expect("   ", "");
}

Test(guests_shell, quotes_hold_words_together)
{
    expect("create x cmdline=\"a b; c\" y", "dom0: <create><x><cmdline=a b; c><y>\n\n");
    expect("\"a b\"c", "dom0: <a bc>\n\n");
    expect("a \"\" b", "dom0: <a><><b>\n\n");
    expect("a \"b", "dom0: an open quote, or too many words\n");
}

Test(guests_shell, semicolons_separate_commands)
{
    expect("a;b c ; d", "dom0: <a>\n\ndom0: <b><c>\n\ndom0: <d>\n\n");
    expect(";;a;", "dom0: <a>\n\n");
}

Test(guests_shell, the_first_failure_ends_the_line)
{
    expect("a; fail; b", "dom0: <a>\n\ndom0: no\n");
}

Test(guests_shell, comments_are_left_out)
{
    expect("# a; b", "");
    expect("a # b", "dom0: <a>\n\n");
    expect("a#b", "dom0: <a#b>\n\n");
}

Test(guests_shell, a_script_names_the_line_that_failed)
{
    const char *script = "a\n\n# nothing\nfail\nb\n";

    cr_assert_not(shell_script("demo", script, strlen(script)));
    cr_assert_str_eq(host_printed(), "dom0: demo:1: <a>\n\ndom0: demo:4: no\n");
    cr_assert(shell_script("demo", "a\nb", 3));
    cr_assert_str_eq(host_printed(), "dom0: demo:1: <a>\n\ndom0: demo:2: <b>\n\n");
}

Test(guests_shell, a_line_has_limits)
{
    char line[SHELL_LINE_BYTES + 1], words[128] = "";

    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '\0';
    expect(line, "dom0: the line is too long\n");
    for (u32 i = 0; i <= SHELL_MAX_WORDS; i++)
        strcat(words, "a ");
    expect(words, "dom0: an open quote, or too many words\n");
}
