/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state is global because signal handlers and atexit() must reach it, and because a process
 * has one terminal.
 *
 *    COOKED --console_open, SIGCONT--> RAW --console_close, exit, fatal signal, SIGTSTP--> COOKED
 *
 * `active` says that RAW is what is wanted: it stays set during a suspension.
 */
#include "tools/console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "sim/base/types.h"

#define CTRL_A       0x01
#define AHEAD_MAX_NS 1000000000ll /* never sleep longer than this in one go */

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};
static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};

static struct termios saved;
static volatile sig_atomic_t active;
static volatile sig_atomic_t caught;
static void (*interrupt_fn)(void);

static bool after_ctrl_a;
static uint8_t keys[256]; /* pressed and not yet taken by the guest */
static size_t keys_count;
static bool leaving;
static int64_t offset_ns; /* virtual time minus the host's when they were last together */
static bool offset_known;

static void set_raw(void)
{
    struct termios raw = saved;

    /* Output processing stays on: a guest's bare line feed starts a line. */
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON | IXOFF);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Also while we are in the background, where SIGTTOU would stop us. */
static void set_saved(void)
{
    sigset_t block, before;

    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    sigprocmask(SIG_BLOCK, &block, &before);
    tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void restore(void)
{
    if (active)
        set_saved();
}

/* Dies of @signal the way it would have without us. */
static void die_of(int number)
{
    sigset_t only;

    signal(number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
}

static void on_fatal(int number)
{
    restore();
    active = 0;
    die_of(number);
}

static void on_ending(int number)
{
    if (caught || !interrupt_fn) {
        restore();
        active = 0;
        die_of(number);
        return;
    }
    caught = number;
    interrupt_fn();
}

static void catch (int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void on_continue(int number)
{
    int error = errno;

    (void)number;
    if (active)
        set_raw();
    errno = error;
}

static void on_suspend(int number)
{
    int error = errno;

    restore();
    die_of(number); /* returns when we are continued, or at once where nobody could do that */
    catch (number, on_suspend);
    if (active)
        set_raw();
    errno = error;
}

static void catch_fatal_signals(void)
{
    static uint8_t stack[1 << 16]; /* a handler must run although the stack overflowed */
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

    sigaltstack(&alternate, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(fatal_signals); i++)
        catch (fatal_signals[i], on_fatal);
}

bool console_is_usable(void)
{
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

gboolean console_open(GError **error)
{
    static bool at_exit_done;

    if (tcgetattr(STDIN_FILENO, &saved) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "standard input: %s",
                    g_strerror(errno));
        return FALSE;
    }
    if (!at_exit_done)
        atexit(console_close);
    at_exit_done = true;
    catch_fatal_signals();
    catch (SIGTSTP, on_suspend);
    catch (SIGCONT, on_continue);
    active = 1;
    set_raw();
    return TRUE;
}

void console_close(void)
{
    restore();
    active = 0;
}

bool console_wants_to_leave(void)
{
    return leaving;
}

void console_catch_signals(void (*interrupt)(void))
{
    interrupt_fn = interrupt;
    for (unsigned i = 0; i < ARRAY_LEN(ending_signals); i++)
        catch (ending_signals[i], on_ending);
}

int console_caught_signal(void)
{
    return caught;
}

static void help(void)
{
    fputs("\nparavane: Ctrl-A x  leave\n"
          "          Ctrl-A z  suspend (fg continues)\n"
          "          Ctrl-A h  this help\n"
          "          Ctrl-A Ctrl-A  send Ctrl-A to the guest\n",
          stderr);
}

/* One key.  Returns: whether the guest shall get it. */
static bool take_key(uint8_t key)
{
    if (!after_ctrl_a) {
        after_ctrl_a = key == CTRL_A;
        return !after_ctrl_a;
    }
    after_ctrl_a = false;
    switch (key) {
    case CTRL_A:
        return true;
    case 'x':
    case 'X':
        leaving = true;
        return false;
    case 'z':
    case 'Z':
        raise(SIGTSTP);
        return false;
    default:
        help();
        return false;
    }
}

/* Waits until a key is pressed or the host's time has caught up with the guest's. */
static void wait_for_host(uint64_t virtual_ns)
{
    int64_t ahead_ns = (int64_t)virtual_ns - g_get_monotonic_time() * 1000 - offset_ns;
    struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};

    if (!offset_known || ahead_ns < 0) { /* a guest that fell behind does not run after */
        offset_ns += ahead_ns;
        offset_known = true;
    } else if (ahead_ns >= 1000000) {
        poll(&wait, 1, (int)(MIN(ahead_ns, AHEAD_MAX_NS) / 1000000));
    }
}

/* Reads what was pressed into `keys`; Ctrl-A x must work also when the guest takes nothing. */
static void read_keys(void)
{
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};

    while (keys_count < sizeof(keys) && !leaving && poll(&ready, 1, 0) == 1) {
        uint8_t key;
        ssize_t got = read(STDIN_FILENO, &key, 1);

        if (got == 1) {
            if (take_key(key))
                keys[keys_count++] = key;
        } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
            leaving = true; /* the terminal has gone away */
        }
    }
    if (keys_count == sizeof(keys)) { /* nobody takes them: the newest must get through */
        fputs("\a", stderr);
        keys_count = 0;
    }
}

size_t console_poll(uint64_t virtual_ns, uint8_t *buf, size_t size_bytes)
{
    size_t count;

    wait_for_host(virtual_ns);
    read_keys();
    count = MIN(size_bytes, keys_count);
    memcpy(buf, keys, count);
    keys_count -= count;
    memmove(keys, keys + count, keys_count);
    return count;
}
