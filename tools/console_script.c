/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script is a list of steps with one current step.
 *
 *    EXPECT --its text complete, in output() or from the backlog in poll()--> next
 *    SEND   --all bytes taken by the guest, in poll()-----------------------> next
 *    WAIT   --its instant reached, in poll()--------------------------------> next
 *
 * Output that comes while the current step is not an EXPECT goes to the backlog, which the next
 * EXPECT reads first.  So an EXPECT sees all output since the last one was met, exactly once.
 */
#include "tools/console_script.h"

#include <string.h>
#include <unistd.h>

#include "sim/base/units.h"
#include "sim/image.h"
#include "tools/text_match.h"

G_DEFINE_QUARK(console_script_error, console_script_error)

#define SCRIPT_BYTES_MAX   (1u << 20)
#define TIMEOUT_DEFAULT_NS (300ull * 1000000000)
#define NEVER              UINT64_MAX

enum step_kind { STEP_EXPECT, STEP_SEND, STEP_WAIT };

struct step {
    enum step_kind kind;
    unsigned line;
    char *source;       /* the text as written */
    GByteArray *bytes;  /* EXPECT, SEND */
    uint64_t length_ns; /* EXPECT: timeout or NEVER; WAIT */
};

struct console_script {
    char *name;
    GArray *steps;           /* struct step */
    unsigned at;             /* current step */
    struct text_match match; /* of the current step if it is an EXPECT */
    GByteArray *backlog;
    size_t sent;       /* SEND: bytes taken */
    uint64_t until_ns; /* EXPECT, WAIT: when it ends; 0 until the first poll that sees it */
    bool timed_out;
};

/* --- reading ----------------------------------------------------------------------------- */

G_GNUC_PRINTF(4, 5)
static gboolean fail(GError **error, const struct console_script *s, unsigned line,
                     const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, CONSOLE_SCRIPT_ERROR, CONSOLE_SCRIPT_ERROR_SYNTAX, "%s:%u: %s", s->name,
                line, text);
    return FALSE;
}

/* One escape at *@at, behind its backslash.  Returns: its byte, -1 if it is none. */
static int unescape(const char **at)
{
    static const char names[] = "nrtabefv0\\\"'", values[] = "\n\r\t\a\b\033\f\v\0\\\"'";
    const char *name;
    int high, low;

    if (**at == 'x') {
        high = g_ascii_xdigit_value((*at)[1]);
        low = high < 0 ? -1 : g_ascii_xdigit_value((*at)[2]);
        if (low < 0)
            return -1;
        *at += 3;
        return high * 16 + low;
    }
    name = **at ? strchr(names, **at) : NULL;
    if (!name)
        return -1;
    (*at)++;
    return (uint8_t)values[name - names];
}

static GByteArray *parse_bytes(const struct console_script *s, unsigned line, const char *text,
                               GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (!*text) {
        fail(error, s, line, "a text is missing");
        return NULL;
    }
    while (*text) {
        uint8_t byte = (uint8_t)*text++;

        if (byte == '\\') {
            int value = unescape(&text);

            if (value < 0) {
                fail(error, s, line,
                     "unknown escape; there are \\n \\r \\t \\a \\b \\e \\f \\v \\0 "
                     "\\\\ \\\" \\' \\xNN");
                return NULL;
            }
            byte = (uint8_t)value;
        }
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_steal_pointer(&bytes);
}

/* A number of @unit_ns, whole or with a fraction where @suffix allows one. */
static bool parse_time(const char *text, const char *suffix, uint64_t *out_ns)
{
    g_autofree char *with_unit = g_strconcat(text, suffix, NULL);

    return base_units_parse(with_unit, base_units_duration, out_ns);
}

static gboolean parse_line(struct console_script *s, unsigned line, char *text,
                           uint64_t *timeout_ns, GError **error)
{
    char *argument = text + strcspn(text, " \t");
    struct step step = {.line = line};

    if (*argument)
        *argument++ = '\0';
    argument = g_strstrip(argument);
    if (strcmp(text, "timeout") == 0) {
        if (!parse_time(argument, "s", timeout_ns))
            return fail(error, s, line, "timeout needs a number of virtual seconds, not \"%s\"",
                        argument);
        if (*timeout_ns == 0)
            *timeout_ns = NEVER;
        return TRUE;
    }
    if (strcmp(text, "wait") == 0) {
        step.kind = STEP_WAIT;
        if (!parse_time(argument, "ms", &step.length_ns))
            return fail(error, s, line, "wait needs a number of virtual milliseconds, not \"%s\"",
                        argument);
    } else if (strcmp(text, "expect") == 0 || strcmp(text, "send") == 0) {
        step.kind = *text == 'e' ? STEP_EXPECT : STEP_SEND;
        step.length_ns = *timeout_ns;
        step.bytes = parse_bytes(s, line, argument, error);
        if (!step.bytes)
            return FALSE;
    } else {
        return fail(error, s, line, "unknown word \"%.40s\"; there are expect, send, wait, timeout",
                    text);
    }
    step.source = g_strdup(argument);
    g_array_append_val(s->steps, step);
    return TRUE;
}

static void step_clear(void *p)
{
    struct step *step = p;

    g_free(step->source);
    g_clear_pointer(&step->bytes, g_byte_array_unref);
}

/* --- running ----------------------------------------------------------------------------- */

static struct step *current(const struct console_script *s)
{
    return s->at < s->steps->len ? &g_array_index(s->steps, struct step, s->at) : NULL;
}

static bool is_expect(const struct step *step)
{
    return step && step->kind == STEP_EXPECT;
}

/* Makes the step number @at the current one. */
static void enter(struct console_script *s, unsigned at)
{
    const struct step *step;

    text_match_fini(&s->match);
    s->at = at;
    s->sent = 0;
    s->until_ns = 0;
    step = current(s);
    if (is_expect(step))
        text_match_init(&s->match, step->bytes->data, step->bytes->len);
}

/* Lets the current EXPECT, and those that follow it at once, read the backlog. */
static void read_backlog(struct console_script *s)
{
    guint used = 0;

    while (used < s->backlog->len && is_expect(current(s)))
        if (text_match_byte(&s->match, s->backlog->data[used++]))
            enter(s, s->at + 1);
    g_byte_array_remove_range(s->backlog, 0, used);
}

void console_script_output(struct console_script *s, uint8_t byte)
{
    if (!current(s))
        return;
    g_byte_array_append(s->backlog, &byte, 1);
    if (is_expect(current(s)))
        read_backlog(s);
}

static bool is_over(struct console_script *s, const struct step *step, uint64_t virtual_ns)
{
    if (s->until_ns == 0 && __builtin_add_overflow(virtual_ns, step->length_ns, &s->until_ns))
        s->until_ns = NEVER;
    return virtual_ns >= s->until_ns && s->until_ns != NEVER;
}

size_t console_script_poll(struct console_script *s, uint64_t virtual_ns, uint8_t *buf,
                           size_t size_bytes)
{
    size_t count = 0;
    const struct step *step;

    while ((step = current(s)) != NULL) {
        if (step->kind == STEP_SEND) {
            size_t n = MIN(step->bytes->len - s->sent, size_bytes - count);

            memcpy(buf + count, step->bytes->data + s->sent, n);
            count += n;
            s->sent += n;
            if (s->sent < step->bytes->len)
                break;
            enter(s, s->at + 1);
            read_backlog(s);
        } else if (step->kind == STEP_WAIT) {
            if (!is_over(s, step, virtual_ns))
                break;
            enter(s, s->at + 1);
            read_backlog(s);
        } else {
            s->timed_out |= is_over(s, step, virtual_ns);
            break;
        }
    }
    return count;
}

bool console_script_timed_out(const struct console_script *s)
{
    return s->timed_out;
}

char *console_script_unmet(const struct console_script *s)
{
    for (unsigned i = s->at; i < s->steps->len; i++) {
        const struct step *step = &g_array_index(s->steps, struct step, i);

        if (step->kind == STEP_EXPECT)
            return g_strdup_printf(
                "%s:%u: %s: \"%s\"", s->name, step->line,
                s->timed_out ? "timed out waiting for" : "the console never said", step->source);
    }
    return NULL;
}

/* --- life -------------------------------------------------------------------------------- */

struct console_script *console_script_parse(const char *name, const char *text, size_t size_bytes,
                                            GError **error)
{
    struct console_script *s = g_new0(struct console_script, 1);
    g_autofree char *copy = g_strndup(text, size_bytes);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    uint64_t timeout_ns = TIMEOUT_DEFAULT_NS;
    gboolean ok = TRUE;

    s->name = g_strdup(name);
    s->backlog = g_byte_array_new();
    s->steps = g_array_new(FALSE, TRUE, sizeof(struct step));
    g_array_set_clear_func(s->steps, step_clear);
    if (memchr(text, '\0', size_bytes))
        ok = fail(error, s, 1, "not a text file");
    for (unsigned i = 0; ok && lines[i]; i++) {
        char *line = g_strstrip(lines[i]);

        if (*line && *line != '#')
            ok = parse_line(s, i + 1, line, &timeout_ns, error);
    }
    if (!ok) {
        console_script_free(s);
        return NULL;
    }
    enter(s, 0);
    return s;
}

/* Everything that standard input has. */
static GBytes *read_stdin(GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    uint8_t piece[4096];
    ssize_t got;

    while ((got = read(STDIN_FILENO, piece, sizeof(piece))) > 0 && all->len < SCRIPT_BYTES_MAX)
        g_byte_array_append(all, piece, (guint)got);
    if (got == 0)
        return g_byte_array_free_to_bytes(g_steal_pointer(&all));
    g_set_error(error, CONSOLE_SCRIPT_ERROR, CONSOLE_SCRIPT_ERROR_FILE,
                "standard input: cannot be read, or is too long for a console script");
    return NULL;
}

struct console_script *console_script_load(const char *path, GError **error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    g_autoptr(GBytes) bytes = is_stdin
                                  ? read_stdin(error)
                                  : sim_image_read(path, SCRIPT_BYTES_MAX, SIM_IMAGE_PLAIN, error);
    size_t size_bytes;
    const char *text;

    if (!bytes)
        return NULL;
    text = g_bytes_get_data(bytes, &size_bytes);
    return console_script_parse(is_stdin ? "standard input" : path, text ? text : "", size_bytes,
                                error);
}

void console_script_free(struct console_script *s)
{
    if (!s)
        return;
    text_match_fini(&s->match);
    g_array_unref(s->steps);
    g_byte_array_unref(s->backlog);
    g_free(s->name);
    g_free(s);
}
