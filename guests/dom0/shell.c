/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/shell.h"

#include "guests/dom0/commands.h"
#include "guests/dom0/pump.h"
#include "guests/lib/console.h"
#include "guests/lib/string.h"

#define PROMPT "dom0> "

/* Where the running command stands, for messages. */
static const char *script_name;
static u32 script_line;

bool shell_fail(const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    print_to_v(text, sizeof text, format, args);
    va_end(args);
    if (script_name)
        print("dom0: %s:%u: %s\n", script_name, script_line, text);
    else
        print("dom0: %s\n", text);
    return false;
}

/* One word: *@at moves behind it.  False: a quote is not closed. */
static bool take_word(char **at, char **word)
{
    char *from = *at, *to = *at;
    bool quoted = false;

    *word = to;
    for (; *from && (quoted || !strchr(" \t;", *from)); from++) {
        if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    }
    *at = from;
    /* The separator is looked at before it may be overwritten. */
    if (from != to)
        *to = '\0';
    return !quoted;
}

int shell_split(char *line, char **words, u32 max, char **rest)
{
    u32 count = 0;

    for (;;) {
        char end;

        while (*line == ' ' || *line == '\t')
            line++;
        if (!*line || *line == '#' || *line == ';')
            break;
        if (count == max || !take_word(&line, &words[count]))
            return -1;
        count++;
        end = *line;
        if (end)
            *line++ = '\0';
        if (end == ';' || !end) {
            *rest = line;
            return (int)count;
        }
    }
    *rest = *line == ';' ? line + 1 : line + strlen(line);
    return (int)count;
}

bool shell_line(const char *text)
{
    char line[SHELL_LINE_BYTES], *words[SHELL_MAX_WORDS], *rest = line;
    size_t n = strlen(text);

    if (n >= sizeof line)
        return shell_fail("the line is too long");
    memcpy(line, text, n + 1);
    while (*rest) {
        int count = shell_split(rest, words, SHELL_MAX_WORDS, &rest);

        if (count < 0)
            return shell_fail("an open quote, or too many words");
        if (count && !commands_run(words, (u32)count))
            return false;
    }
    return true;
}

bool shell_script(const char *name, const char *text, size_t size_bytes)
{
    const char *outer_name = script_name, *end = text + size_bytes;
    u32 outer_line = script_line;
    bool good = true;

    script_name = name;
    for (script_line = 1; good && text < end; script_line++) {
        char line[SHELL_LINE_BYTES];
        size_t n = 0;

        while (text + n < end && text[n] != '\n')
            n++;
        if (n < sizeof line) {
            memcpy(line, text, n);
            line[n] = '\0';
            good = shell_line(line);
        } else {
            good = shell_fail("the line is too long");
        }
        text += n + (text + n < end);
    }
    script_name = outer_name;
    script_line = outer_line;
    return good;
}

/* ---- typing ---- */

static char typed[SHELL_LINE_BYTES];
static u32 typed_bytes;

/* Take what was typed into the line.  True at its end. */
static bool edit(void *arg)
{
    int c;

    (void)arg;
    while ((c = pump_read()) >= 0) {
        if (c == '\r' || c == '\n') {
            print("\n");
            return true;
        }
        if ((c == '\b' || c == 127) && typed_bytes) {
            typed_bytes--;
            print("\b \b");
        } else if (c == 3 || c == 21) {
            /* Ctrl-C, Ctrl-U: a new line */
            typed_bytes = 0;
            print(c == 3 ? "^C\n" PROMPT : "\n" PROMPT);
        } else if (c >= ' ' && c != 127 && typed_bytes < sizeof typed - 1) {
            char text = (char)c;

            typed[typed_bytes++] = text;
            console_write(&text, 1);
        }
    }
    return false;
}

void shell_interactive(void)
{
    for (;;) {
        print(PROMPT);
        typed_bytes = 0;
        while (pump_until(edit, NULL, PUMP_FOR_EVER) != PUMP_DONE)
            ;
        typed[typed_bytes] = '\0';
        shell_line(typed);
    }
}
