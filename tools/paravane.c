/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/types.h"
#include "tools/commands.h"

static const char overview[] =
    "paravane - a machine that does the same every time\n"
    "\n"
    "usage: paravane run MACHINE [OPTION]...   run a machine\n"
    "       paravane record MACHINE -o FILE    run it and record a trace\n"
    "       paravane replay FILE               go through a recording again and check it\n"
    "       paravane trace COMMAND FILE        read a trace: info, dump, stat, grep, ...\n"
    "       paravane diff A B                  compare two traces\n"
    "       paravane help [COMMAND]            this text, or all about a command\n"
    "       paravane version                   which version this is\n"
    "\n"
    "A machine file says what the machine is made of and what it boots:\n"
    "\n"
    "    paravane run guests/machines/hv-demo.machine      Paravane's own hypervisor\n"
    "    paravane run guests/machines/xen-linux.machine    Debian's Xen with Linux\n"
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
    "To go on later\n"
    "  --save FILE --save-at insns=N\n"
    "                          write what is needed to go on from instruction N\n"
    "  --restore FILE          go on from there, in the place of MACHINE; a trace may\n"
    "                          be given as well: the run goes on where it ends\n"
    "  --no-pack               leave the images out of the saved file\n"
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
    "  paravane run guests/machines/hv-guest.machine --set domu.kernel=my-pv.elf\n"
    "  paravane run guests/machines/xen-guest.machine \\\n"
    "      --set module.dom0.path=my-pv.elf --set module.dom0.cmdline='a b'\n";

static const char record_help[] =
    "usage: paravane record MACHINE -o FILE [OPTION]...\n"
    "\n"
    "Runs a machine exactly as `paravane run` does, and writes a trace: all that is\n"
    "needed to replay the run elsewhere, to the instruction, and what happened.\n"
    "\n"
    "  -o, --output FILE       the trace\n"
    "  --events LIST           which events, separated by commas: names of kinds (see\n"
    "                          paravane trace dump --help) and of groups: validation,\n"
    "                          grant, evtchn, device, all, none.  Otherwise\n"
    "                          hypercall,validation,grant,evtchn,domain,console,input\n"
    "  --profile FILE          hypervisor profile; none; otherwise the installed one\n"
    "                          for the kernel's build-id\n"
    "  --symbols FILE          ELF file with the hypervisor's symbols, if the kernel has\n"
    "                          none and there is none beside it\n"
    "  --checkpoint-every N    instructions between checkpoints (100M); 0: none.  More\n"
    "                          of them make `replay --until` faster, the file larger\n"
    "  --no-pack               leave out the images: replaying needs the same files\n"
    "\n"
    "All options of `paravane run` but --verify, --save and --restore are understood\n"
    "as well.  Whatever happens to the recording, its file replays up to its last\n"
    "whole part, at most 100 million instructions back.\n"
    "\n"
    "Examples\n"
    "  paravane record guests/machines/xen-linux.machine -o boot.trace --quiet \\\n"
    "      --console-script guests/machines/demo.console\n"
    "  paravane trace dump boot.trace\n"
    "  paravane replay boot.trace --quiet\n";

static const char replay_help[] =
    "usage: paravane replay FILE [OPTION]...\n"
    "\n"
    "Goes through a recorded run again, from the file alone, and compares as it goes:\n"
    "the state every 10 million instructions, and the events that were recorded.\n"
    "\n"
    "  --until insns=N         stop before instruction N + 1 and show where that is;\n"
    "                          starts at the last checkpoint before\n"
    "  --until event=K         the same where event number K is complete\n"
    "  --verify hash           compare digests of the state (this is the default)\n"
    "  --verify full           compare every byte of the checkpoints, too\n"
    "  --hash                  show the hash of the state where it stops\n"
    "  --summary FILE          write counts and hashes as JSON\n"
    "  --quiet                 do not show the guest's console\n"
    "\n"
    "Exit status: 0 all is as recorded, 2 the file is damaged (what is in front of the\n"
    "damage is replayed) or is of another version, 3 something differs: what, and\n"
    "between which instructions, is on standard error.\n";

bool help_print(const char *topic)
{
    static const struct {
        const char *name, *text;
    } topics[] = {{"run", run_help}, {"record", record_help}, {"replay", replay_help}};

    for (unsigned i = 0; topic && i < ARRAY_LEN(topics); i++) {
        if (strcmp(topic, topics[i].name) == 0) {
            fputs(topics[i].text, stdout);
            return true;
        }
    }
    if (!topic)
        fputs(overview, stdout);
    return !topic;
}

/* A message is one line, and no terminal's commands, whatever the names in it are made of. */
static void put_printable(const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < ' ' || byte == 0x7f)
            fprintf(stderr, "\\x%02x", byte);
        else
            fputc(byte, stderr);
    }
}

int tools_fail(GError *error)
{
    fputs("paravane: ", stderr);
    put_printable(error->message);
    fputc('\n', stderr);
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

static int usage(const char *before, const char *word, const char *after)
{
    fputs("paravane: ", stderr);
    fputs(before, stderr);
    put_printable(word);
    fprintf(stderr, "%s (see paravane help)\n", after);
    return TOOLS_EXIT_USAGE;
}

/* @argv is what follows the word. */
static int help(int argc, char **argv)
{
    char *ask[] = {argc > 1 ? argv[1] : (char *)"--help", (char *)"--help"};

    if (argc > 0 && strcmp(argv[0], "trace") == 0)
        return cmd_trace(argc > 1 ? 2 : 1, ask);
    if (argc > 0 && strcmp(argv[0], "diff") == 0)
        return cmd_diff(1, ask + 1);
    if (!help_print(argc > 0 ? argv[0] : NULL))
        return usage("help: there is no command ", argv[0], "");
    return finish_stdout();
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : NULL;

    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write() ... */
    signal(SIGXFSZ, SIG_IGN); /* ... and so is a file that may not grow */
    if (!command)
        return usage("what shall I do? Try: paravane run MACHINE", "", "");
    if (strcmp(command, "run") == 0)
        return cmd_run(argc - 2, argv + 2);
    if (strcmp(command, "record") == 0)
        return cmd_record(argc - 2, argv + 2);
    if (strcmp(command, "replay") == 0)
        return cmd_replay(argc - 2, argv + 2);
    if (strcmp(command, "trace") == 0)
        return cmd_trace(argc - 2, argv + 2);
    if (strcmp(command, "diff") == 0)
        return cmd_diff(argc - 2, argv + 2);
    if (strcmp(command, "help") == 0 || strcmp(command, "--help") == 0 ||
        strcmp(command, "-h") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0) {
        puts("paravane " PARAVANE_VERSION);
        return finish_stdout();
    }
    return usage("unknown command ", command,
                 "; there are run, record, replay, trace, diff, help, version");
}
