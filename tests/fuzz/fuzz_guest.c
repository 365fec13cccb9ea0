/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs random guests: see guest_gen.h for what they are.
 *
 *   fuzz_guest [--seeds FIRST:COUNT] [--points] [--restore] [--insns N] [--jobs N] [--time SECONDS] [-v]
 *   fuzz_guest --one SEED [--insns N] [--stops [-v] | --points | --half N | --stop N...] [--save FILE]
 *                     in this process, for a debugger; --stop: stop there and go on, --half: save and
 *                     restore there, -v: say where the random stops are; FILE gets the end state
 *
 * Each seed is run twice or more, in forked copies of a machine that has just been built: once from start
 * to end; once with stops at random instruction counts; with --points, once with an observer at random
 * execution points that come and go; with --restore, once to a random instruction, where the state is
 * saved, and on from there in another copy.  A seed is a finding when
 *
 *   crash   a signal, an assertion, a sanitizer's report
 *   hang    --time seconds of processor time are used up
 *   memory  the process has grown beyond MEMORY_KIB_MAX, or (ASan) leaks
 *   random  two runs without stops end in different states
 *   stops   runs with and without stops end in different states
 *   points  runs with and without execution points do
 *   restore so does the run of which the second half is another machine's
 *
 * The last line holds a hash of the end states of all seeds: the same on every host.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/hash.h"
#include "sim/base/rng.h"
#include "sim/config.h"
#include "sim/machine.h"
#include "tests/fuzz/guest_gen.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/lsan_interface.h>
#define MEMORY_KIB_MAX (4096u << 10)
#define LEAK_CHECK_EVERY 64
#else
#define MEMORY_KIB_MAX (400u << 10)
#endif

#define KINDS         4
#define VIRTUAL_NS    400000u /* a run ends here, be it that all CPUs wait or fault without end */
#define STOPS         8
#define EXIT_LEAK     33
#define WORKERS_MAX   64

enum way { PLAIN, STOPS_ON_THE_WAY, POINTS, SAVE, RESTORE };
static const char *const way_names[] = {"plain", "stops", "points", "save", "restore"};

/* What SAVE leaves to RESTORE. */
#define SAVED_BYTES_MAX (1u << 20)
struct saved {
    uint64_t at; /* the instruction count; set by the parent */
    size_t bytes;
    uint8_t state[SAVED_BYTES_MAX];
    uint8_t ram[GUEST_RAM_BYTES];
};
static struct saved *saved; /* shared with the children */

struct options {
    uint64_t first, count, insns, stop_at[STOPS];
    uint64_t half; /* with one and restore */
    unsigned stop_count;
    unsigned jobs, seconds;
    bool verbose, one, points, restore;
    enum way way; /* with one */
    const char *save;
};

/* How one run ended; written by the process that runs it. */
struct outcome {
    char hash[BASE_HASH_TEXT];
    uint64_t insns, blocks, virtual_ns, exceptions, interrupts;
    uint64_t told; /* by execution points */
    enum sim_stop stop;
    struct guest_facts facts;
};

/* In shared memory, one for each worker. */
struct worker {
    struct outcome outcome;
    uint64_t findings, seeds, insns, exceptions, interrupts, told;
    uint64_t stop[16], mode[GUEST_MODES];
    uint64_t restored; /* seeds */
    uint64_t digest; /* sum over seeds, so that it does not depend on who ran which */
    long max_kib;
};

static const struct {
    unsigned cpus;
    const char *model;
} kinds[KINDS] = {{1, "paravane-v1"}, {1, "paravane-v1"}, {1, "paravane-v2"}, {2, "paravane-v1"}};

/* ---- one run ---- */

static char *kernel_path; /* a Multiboot kernel whose place the guest takes */

static void make_kernel(void)
{
    struct {
        uint32_t magic, flags, checksum, header, load, load_end, bss_end, entry, text;
    } image = {0x1badb002, 0x10000, 0, GUEST_ENTRY, GUEST_ENTRY, 0, 0, GUEST_ENTRY + 32, 0xf4f4f4f4};
    int fd = memfd_create("kernel", 0);

    image.checksum = 0u - image.magic - image.flags;
    if (fd < 0 || write(fd, &image, sizeof(image)) != sizeof(image)) {
        perror("fuzz_guest: memfd");
        exit(2);
    }
    kernel_path = g_strdup_printf("/proc/%d/fd/%d", (int)getpid(), fd);
}

static struct sim_machine *machine_for(unsigned kind)
{
    g_autofree char *text = g_strdup_printf(
        "[machine]\nmemory = 4M\ncpus = %u\ncpu = %s\n[boot]\nkernel = %s\n[timing]\nquantum-ns = 1000\n",
        kinds[kind].cpus, kinds[kind].model, kernel_path);
    GError *error = NULL;
    struct sim_config *config = sim_config_parse("fuzz", text, strlen(text), NULL, &error);
    struct sim_machine *m = config ? sim_machine_new(config, NULL, &error) : NULL;

    if (!m) {
        fprintf(stderr, "fuzz_guest: %s\n", error->message);
        exit(2);
    }
    sim_config_free(config);
    guest_prepare(sim_machine_ram(m));
    return m;
}

/* An observer that looks around and moves its points; it reports nothing. */
struct observer {
    const struct base_guest *guest;
    struct base_rng rng;
    uint64_t told, looked_at;
};

static void on_point(void *user, const struct base_guest_view *view)
{
    struct observer *w = user;
    uint64_t random = base_rng_next(&w->rng);
    uint8_t bytes[64];

    w->told++;
    w->looked_at += w->guest->read(w->guest->user, view->gpr[random & 15], bytes, sizeof(bytes));
    if (random % 7 == 0 && w->told < 4096)
        w->guest->add(w->guest->user, view->rip + (random >> 8) % 24, on_point, w);
    if (random % 11 == 0)
        w->guest->remove(w->guest->user, view->rip, on_point, w);
}

/* A quarter of all bytes where a guest's code may be; rising, so that adding is cheap. */
static void add_points(struct sim_machine *m, struct observer *w, uint64_t seed)
{
    static const struct {
        uint32_t at, size;
    } places[] = {{0x20000, 0x2000}, {0x2e800, 0x1000}, {GUEST_ENTRY, 0x400},
                  {0x10a000, 0x1000}, {0x130000, 0x4000}};

    w->guest = cpu_guest(sim_machine_cpu(m));
    base_rng_init(&w->rng, seed, 2);
    for (unsigned i = 0; i < ARRAY_LEN(places); i++)
        for (uint32_t at = 0; at < places[i].size; at += 1 + base_rng_next(&w->rng) % 7)
            w->guest->add(w->guest->user, places[i].at + at, on_point, w);
}

/* The machine's state; of RAM, which frames differ from what guest_prepare() has put there, and how. */
static void end_state(struct sim_machine *m, char text[BASE_HASH_TEXT])
{
    const struct mmu_ram *ram = sim_machine_ram(m);
    uint8_t plain[PAGE_SIZE];
    struct base_hash h;
    struct base_state st;

    base_hash_init(&h);
    base_state_init_hash(&st, &h);
    sim_machine_visit(m, &st, SIM_PART_DEVICES | SIM_PART_CPUS);
    memset(plain, GUEST_FILL, sizeof(plain));
    for (uint64_t pa = 0; pa < GUEST_RAM_BYTES; pa += PAGE_SIZE) {
        if (memcmp(ram->host + pa, plain, PAGE_SIZE) == 0)
            continue;
        base_hash_u64(&h, pa);
        base_hash_update(&h, ram->host + pa, PAGE_SIZE);
    }
    base_hash_final(&h, text);
}

static void make_saved(void)
{
    saved = mmap(NULL, sizeof(*saved), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (saved == MAP_FAILED) {
        perror("fuzz_guest: mmap");
        exit(2);
    }
}

/* Where RESTORE goes on. */
static uint64_t random_half(uint64_t seed, uint64_t insns)
{
    struct base_rng rng;

    base_rng_init(&rng, seed, 3);
    return base_rng_next(&rng) % insns;
}

static void save_half(struct sim_machine *m)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    struct base_state st;

    base_state_init_save(&st, out);
    sim_machine_visit(m, &st, SIM_PART_DEVICES | SIM_PART_CPUS | SIM_PART_HIDDEN);
    if (out->len > SAVED_BYTES_MAX) {
        fprintf(stderr, "fuzz_guest: a state of %u bytes\n", out->len);
        exit(2);
    }
    saved->bytes = out->len;
    memcpy(saved->state, out->data, out->len);
    mmu_ram_read(sim_machine_ram(m), GPA(0), saved->ram, GUEST_RAM_BYTES);
}

static void load_half(struct sim_machine *m)
{
    GError *error = NULL;

    if (!sim_machine_load(m, saved->state, saved->bytes, &error)) {
        fprintf(stderr, "fuzz_guest: %s\n", error->message);
        exit(2);
    }
    for (uint64_t pa = 0; pa < GUEST_RAM_BYTES; pa += PAGE_SIZE)
        mmu_ram_restore(sim_machine_ram(m), pa >> PAGE_SHIFT, saved->ram + pa);
}

static void run_guest(struct sim_machine *m, const struct options *o, uint64_t seed, enum way way,
                      struct outcome *out)
{
    static struct observer observer;
    struct sim_limits limits = {.insns = o->insns, .virtual_ns = VIRTUAL_NS};
    struct cpu_counters counters;
    struct base_rng rng;

    memset(out, 0, sizeof(*out));
    out->facts = guest_generate(sim_machine_ram(m), seed, kinds[seed % KINDS].cpus);
    cpu_start_multiboot(sim_machine_cpu(m), GUEST_ENTRY, 0x2badb002, 0x10000);
    base_rng_init(&rng, seed, 1);
    if (way == POINTS)
        add_points(m, &observer, seed);
    if (way == RESTORE)
        load_half(m);
    if (way == SAVE) {
        limits.insns = saved->at;
        sim_machine_run(m, &limits);
        save_half(m);
        return;
    }
    for (unsigned i = 0; way == STOPS_ON_THE_WAY && i < STOPS; i++) {
        uint64_t room = o->insns >> (base_rng_next(&rng) % 8);
        uint64_t next = sim_machine_insns(m) + base_rng_next(&rng) % (room + 1);
        struct sim_limits now = limits;

        now.insns = MIN(o->insns, next);
        if (o->one && o->verbose)
            printf("stop at %" PRIu64 "\n", now.insns);
        if (sim_machine_run(m, &now) != SIM_STOP_LIMIT)
            break;
    }
    for (unsigned i = 0; i < o->stop_count; i++) {
        struct sim_limits now = limits;

        now.insns = o->stop_at[i];
        sim_machine_run(m, &now);
    }
    out->stop = sim_machine_run(m, &limits);
    out->insns = sim_machine_insns(m);
    out->virtual_ns = sim_machine_virtual_ns(m);
    for (unsigned v = 0; v < kinds[seed % KINDS].cpus; v++) {
        cpu_get_counters(sim_machine_cpu(m), v, &counters);
        out->exceptions += counters.exceptions;
        out->interrupts += counters.interrupts;
        out->blocks += counters.blocks;
    }
    out->told = observer.told;
    end_state(m, out->hash);
}

/* ---- many runs ---- */

static void child(struct sim_machine *m, const struct options *o, uint64_t seed, enum way way,
                  struct outcome *out)
{
    struct rlimit cpu_time = {o->seconds, o->seconds + 1};

    setrlimit(RLIMIT_CPU, &cpu_time);
    run_guest(m, o, seed, way, out);
#ifdef WITH_ASAN
    if (seed % LEAK_CHECK_EVERY == 0 && way == PLAIN && __lsan_do_recoverable_leak_check())
        _exit(EXIT_LEAK);
#endif
    _exit(0);
}

static void report(struct worker *w, uint64_t seed, const char *kind, const char *detail)
{
    const struct guest_facts *f = &w->outcome.facts;

    w->findings++;
    printf("finding: seed %" PRIu64 ": %s: %s (%s, ring %u, paging %u, kind %u)\n", seed, kind, detail,
           guest_mode_name(f->mode), f->ring, f->paging, (unsigned)(seed % KINDS));
    fflush(stdout);
}

/* Returns: whether the run came to its end by itself; else it has been reported. */
static bool run_forked(struct sim_machine *m, const struct options *o, uint64_t seed, enum way way,
                       struct worker *w)
{
    struct rusage usage;
    char detail[64];
    int status;
    pid_t pid = fork();

    if (pid == 0)
        child(m, o, seed, way, &w->outcome);
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("fuzz_guest: fork");
        exit(2);
    }
    w->max_kib = MAX(w->max_kib, usage.ru_maxrss);
    g_snprintf(detail, sizeof(detail), "%s",
               WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : way_names[way]);
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
        report(w, seed, "hang", detail);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LEAK)
        report(w, seed, "memory", "leak");
    else if (status)
        report(w, seed, "crash", detail);
    else if (usage.ru_maxrss > MEMORY_KIB_MAX)
        report(w, seed, "memory", detail);
    else
        return true;
    return false;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    return a->insns == b->insns && a->stop == b->stop && strcmp(a->hash, b->hash) == 0;
}

static void digest_add(struct worker *w, uint64_t seed, const struct outcome *out)
{
    char text[BASE_HASH_TEXT];
    struct base_hash h;

    base_hash_init(&h);
    base_hash_u64(&h, seed);
    base_hash_u64(&h, out->insns);
    base_hash_update(&h, out->hash, strlen(out->hash));
    base_hash_final(&h, text);
    text[16] = 0;
    w->digest += g_ascii_strtoull(text, NULL, 16);
}

static void account(struct worker *w, uint64_t seed, const struct outcome *out)
{
    w->seeds++;
    w->insns += out->insns;
    w->exceptions += out->exceptions;
    w->interrupts += out->interrupts;
    w->stop[out->stop]++;
    w->mode[out->facts.mode]++;
    digest_add(w, seed, out);
}

/* The other ways have to end as the plain one did. */
static void check_way(struct sim_machine *m, const struct options *o, uint64_t seed, enum way way,
                      const struct outcome *plain, struct worker *w)
{
    char detail[160];

    if (!run_forked(m, o, seed, way, w))
        return;
    w->told += w->outcome.told;
    if (same(plain, &w->outcome))
        return;
    g_snprintf(detail, sizeof(detail), "%s %" PRIu64 " %.8s, then %s %" PRIu64 " %.8s",
               sim_stop_name(plain->stop), plain->insns, plain->hash,
               sim_stop_name(w->outcome.stop), w->outcome.insns, w->outcome.hash);
    if (way == RESTORE)
        g_snprintf(detail + strlen(detail), sizeof(detail) - strlen(detail), " half %" PRIu64, saved->at);
    if (!run_forked(m, o, seed, PLAIN, w))
        return;
    report(w, seed, same(plain, &w->outcome) ? way_names[way] : "random", detail);
}

static void check_seed(struct sim_machine *m, const struct options *o, uint64_t seed,
                       struct worker *w)
{
    struct outcome plain;

    if (!run_forked(m, o, seed, PLAIN, w))
        return;
    plain = w->outcome;
    account(w, seed, &plain);
    if (o->verbose)
        printf("seed %" PRIu64 " %s ring %u paging %u: %s insns %" PRIu64 " exceptions %" PRIu64
               " ns %" PRIu64 " %s\n", seed, guest_mode_name(plain.facts.mode), plain.facts.ring,
               plain.facts.paging, sim_stop_name(plain.stop), plain.insns, plain.exceptions,
               plain.virtual_ns, plain.hash);
    check_way(m, o, seed, STOPS_ON_THE_WAY, &plain, w);
    if (o->points)
        check_way(m, o, seed, POINTS, &plain, w);
    if (o->restore && plain.insns) {
        saved->at = random_half(seed, plain.insns);
        if (!run_forked(m, o, seed, SAVE, w))
            return;
        check_way(m, o, seed, RESTORE, &plain, w);
        w->restored++;
    }
}

static void work(const struct options *o, unsigned index, struct worker *w)
{
    make_saved();
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct sim_machine *m = machine_for(kind);

        for (uint64_t i = index; i < o->count; i += o->jobs)
            if ((o->first + i) % KINDS == kind)
                check_seed(m, o, o->first + i, w);
        sim_machine_free(m);
    }
}

static bool total(const struct options *o, const struct worker *workers)
{
    struct worker t = {0};

    for (unsigned i = 0; i < o->jobs; i++) {
        t.findings += workers[i].findings;
        t.seeds += workers[i].seeds;
        t.insns += workers[i].insns;
        t.exceptions += workers[i].exceptions;
        t.interrupts += workers[i].interrupts;
        t.told += workers[i].told;
        t.restored += workers[i].restored;
        t.digest += workers[i].digest;
        t.max_kib = MAX(t.max_kib, workers[i].max_kib);
        for (unsigned s = 0; s < ARRAY_LEN(t.stop); s++)
            t.stop[s] += workers[i].stop[s];
        for (unsigned s = 0; s < GUEST_MODES; s++)
            t.mode[s] += workers[i].mode[s];
    }
    printf("instructions %" PRIu64 ", exceptions %" PRIu64 ", interrupts %" PRIu64
           ", points %" PRIu64 ", restored %" PRIu64 ", largest process %ld KiB\nstops:", t.insns,
           t.exceptions, t.interrupts, t.told, t.restored, t.max_kib);
    for (unsigned s = 0; s <= SIM_STOP_CRASH; s++)
        printf(" %s %" PRIu64, sim_stop_name((enum sim_stop)s), t.stop[s]);
    printf("\nmodes:");
    for (unsigned s = 0; s < GUEST_MODES; s++)
        printf(" %s %" PRIu64, guest_mode_name((enum guest_mode)s), t.mode[s]);
    printf("\nfuzz_guest: %" PRIu64 " seeds, %" PRIu64 " findings, digest %016" PRIx64 "\n", o->count,
           t.findings, t.digest);
    return t.findings == 0 && t.seeds == o->count;
}

static bool run_all(const struct options *o)
{
    size_t size = WORKERS_MAX * sizeof(struct worker);
    struct worker *workers =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid[WORKERS_MAX];
    bool good = true;
    int status;

    if (workers == MAP_FAILED) {
        perror("fuzz_guest: mmap");
        exit(2);
    }
    for (unsigned i = 0; i < o->jobs; i++) {
        fflush(stdout);
        pid[i] = fork();
        if (pid[i] == 0) {
            work(o, i, &workers[i]);
            fflush(stdout);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < o->jobs; i++)
        good = pid[i] > 0 && waitpid(pid[i], &status, 0) == pid[i] && status == 0 && good;
    good = total(o, workers) && good;
    munmap(workers, size);
    return good;
}

static void save_state(struct sim_machine *m, const char *path)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    struct base_state st;

    base_state_init_save(&st, out);
    sim_machine_state(m, &st);
    if (!g_file_set_contents(path, (const char *)out->data, out->len, NULL)) {
        fprintf(stderr, "fuzz_guest: cannot write %s\n", path);
        exit(2);
    }
}

static void run_one(const struct options *o)
{
    struct sim_machine *m = machine_for(o->first % KINDS);
    struct outcome out;
    struct cpu_regs r;
    char text[128];

    if (o->restore) {
        make_saved();
        saved->at = o->half;
        run_guest(m, o, o->first, SAVE, &out);
        sim_machine_free(m);
        m = machine_for(o->first % KINDS);
    }
    run_guest(m, o, o->first, o->restore ? RESTORE : o->way, &out);
    cpu_get_regs(sim_machine_cpu(m), cpu_current(sim_machine_cpu(m)), &r);
    if (!cpu_disassemble(sim_machine_cpu(m), cpu_current(sim_machine_cpu(m)),
                         GVA(r.seg[CPU_CS].base + r.rip), text, sizeof(text)))
        g_strlcpy(text, "?", sizeof(text));
    printf("%s, ring %u, paging %u: %s %s\ninsns %" PRIu64 " blocks %" PRIu64 " exceptions %" PRIu64
           " interrupts %" PRIu64 " ns %" PRIu64 " hash %s\nvcpu %u cs:rip %04x:%" PRIx64 " %s\n", guest_mode_name(out.facts.mode),
           out.facts.ring, out.facts.paging, sim_stop_name(out.stop),
           cpu_fault_text(sim_machine_cpu(m)), out.insns, out.blocks, out.exceptions,
           out.interrupts,
           out.virtual_ns, out.hash, cpu_current(sim_machine_cpu(m)), r.seg[CPU_CS].selector, r.rip, text);
    for (unsigned i = 0; i < 16; i++)
        printf("r%-2u %016" PRIx64 "%s", i, r.gpr[i], i % 4 == 3 ? "\n" : "  ");
    printf("rflags %" PRIx64 " cr0 %" PRIx64 " cr2 %" PRIx64 " cr3 %" PRIx64 " cr4 %" PRIx64 " efer %" PRIx64
           "\n", r.rflags, r.cr0, r.cr2, r.cr3, r.cr4, r.efer);
    if (o->save)
        save_state(m, o->save);
    sim_machine_free(m);
}

static uint64_t number(const char *text, char **end)
{
    errno = 0;
    uint64_t value = g_ascii_strtoull(text, end, 0);

    if (errno || *end == text) {
        fprintf(stderr, "fuzz_guest: not a number: %s\n", text);
        exit(2);
    }
    return value;
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"seeds", 1, NULL, 's'}, {"insns", 1, NULL, 'i'}, {"jobs", 1, NULL, 'j'},
        {"time", 1, NULL, 't'},  {"one", 1, NULL, 'o'},   {"stops", 0, NULL, 'p'},
        {"save", 1, NULL, 'f'},  {"stop", 1, NULL, 'a'}, {"points", 0, NULL, 'e'},
        {"restore", 0, NULL, 'r'}, {"half", 1, NULL, 'h'},
        {NULL, 0, NULL, 0}};
    char *end;
    int c;

    while ((c = getopt_long(argc, argv, "v", longs, NULL)) != -1) {
        switch (c) {
        case 's':
            o->first = number(optarg, &end);
            o->count = *end == ':' ? number(end + 1, &end) : 1;
            break;
        case 'o':
            o->first = number(optarg, &end);
            o->one = true;
            break;
        case 'i':
            o->insns = number(optarg, &end);
            break;
        case 'j':
            o->jobs = (unsigned)CLAMP(number(optarg, &end), 1, WORKERS_MAX);
            break;
        case 't':
            o->seconds = (unsigned)number(optarg, &end);
            break;
        case 'p':
            o->way = STOPS_ON_THE_WAY;
            break;
        case 'e':
            o->points = true;
            o->way = POINTS;
            break;
        case 'r':
            o->restore = true;
            break;
        case 'h':
            o->half = number(optarg, &end);
            o->restore = true;
            break;
        case 'a':
            if (o->stop_count < STOPS)
                o->stop_at[o->stop_count++] = number(optarg, &end);
            break;
        case 'f':
            o->save = optarg;
            break;
        case 'v':
            o->verbose = true;
            break;
        default:
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    struct options o = {.count = 300, .insns = 20000, .jobs = 1, .seconds = 20};

    parse(argc, argv, &o);
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* a run touches little: large pages cost more to clear than they save */
    make_kernel();
    if (o.one) {
        run_one(&o);
        return 0;
    }
    return run_all(&o) ? 0 : 1;
}
