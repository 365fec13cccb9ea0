/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"

static const char overview[] =
    "paravane - a machine that does the same every time\n"
    "\n"
    "usage: paravane run MACHINE [OPTION]...   run a machine\n"
    "       paravane help [run]                this text, or all about run\n"
    "       paravane version                   which version this is\n"
    "\n"
    "A machine file says what the machine is made of and what it boots:\n"
    "\n"
    "    paravane run guests/machines/xen-linux.machine\n"
    "\n"
    "The guest's console is on standard output, and with a terminal on standard\n"
    "input you can type into it; Ctrl-A x leaves, Ctrl-A h shows the other keys.\n"
    "\n"
    "Exit status: 0 the run went well, 1 the guest failed, 2 the command line, a\n"
    "file or the output is wrong, 3 a replay diverged.\n";

static const char run_help[] =
    "usage: paravane run MACHINE [OPTION]...\n"
    "\n"
    "What to run\n"
    "  --set GROUP.KEY=VALUE   replace a key of the machine file (repeatable)\n"
    "  --seed N                the same as --set machine.seed=N\n"
    "\n"
    "When to stop (the first that happens; the machine itself may end earlier)\n"
    "  --until insns=N         after N instructions; k, M and G are understood\n"
    "  --until vtime=T         at the virtual time T: 500us, 20ms, 1.5s\n"
    "  --until console=TEXT    when the guest has written TEXT\n"
    "\n"
    "Who types\n"
    "  --console-script FILE   expect and send lines, see docs/console-script.md;\n"
    "                          - reads them from standard input\n"
    "  With a terminal on standard input, no script and no --quiet: you.\n"
    "  Otherwise nobody; standard input is not read.\n"
    "\n"
    "What to learn\n"
    "  --summary FILE          write counts and hashes as JSON\n"
    "  --hash                  show the hash of the final state\n"
    "  --symbols FILE          ELF file that names addresses in a failure report\n"
    "                          (the kernel itself, if this is not given)\n"
    "  --quiet                 do not show the guest's console\n"
    "\n"
    "Whether it is the same every time\n"
    "  --verify N              run N times and compare state, counts and console\n"
    "  --pause-at N[,N]...     stop after N instructions and go on\n"
    "  --pause-random COUNT:SEED:MAX\n"
    "                          the same at COUNT random places up to MAX\n"
    "  --portable              for diagnosis: nothing but the CPU library's public\n"
    "                          interface; several times slower, results are the same\n"
    "\n"
    "Examples\n"
    "  paravane run guests/machines/xen-linux.machine\n"
    "  paravane run guests/machines/xen-linux.machine --quiet \\\n"
    "      --console-script guests/machines/demo.console --summary out.json\n"
    "  paravane run guests/machines/xen-linux.machine --verify 3 --quiet \\\n"
    "      --until 'console=Run /init'\n"
    "  paravane run guests/machines/bare.machine --set boot.kernel=my.elf\n"
    "  paravane run guests/machines/xen-guest.machine \\\n"
    "      --set module.dom0.path=my-pv.elf --set module.dom0.cmdline='a b'\n";

void help_print(const char *topic)
{
    fputs(topic && strcmp(topic, "run") == 0 ? run_help : overview, stdout);
}

int tools_fail(GError *error)
{
    fprintf(stderr, "paravane: %s\n", error->message);
    g_error_free(error);
    return TOOLS_EXIT_USAGE;
}

/* What was printed must have arrived. */
static int finish_stdout(void)
{
    if (fflush(stdout) == 0)
        return TOOLS_EXIT_GOOD;
    perror("paravane: standard output");
    return TOOLS_EXIT_USAGE;
}

G_GNUC_PRINTF(1, 0)
static int usage(const char *format, const char *word)
{
    fputs("paravane: ", stderr);
    fprintf(stderr, format, word);
    fputs(" (see paravane help)\n", stderr);
    return TOOLS_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : NULL;

    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write() */
    if (!command)
        return usage("what shall I do? Try: paravane run MACHINE%s", "");
    if (strcmp(command, "run") == 0)
        return cmd_run(argc - 2, argv + 2);
    if (strcmp(command, "trace") == 0)
        return cmd_trace(argc - 2, argv + 2);
    if (strcmp(command, "diff") == 0)
        return cmd_diff(argc - 2, argv + 2);
    if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 ||
        strcmp(command, "-h") == 0) {
        help_print(argc > 2 ? argv[2] : NULL);
        return finish_stdout();
    }
    if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0) {
        puts("paravane " PARAVANE_VERSION);
        return finish_stdout();
    }
    return usage("unknown command %s; there are run, help, version", command);
}
