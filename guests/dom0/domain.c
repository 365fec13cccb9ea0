/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/dom0/domain.h"

#include "guests/dom0/builder.h"
#include "guests/dom0/control.h"
#include "guests/lib/console.h"
#include "guests/lib/event.h"
#include "guests/lib/grant.h"
#include "guests/lib/heap.h"
#include "guests/lib/memory.h"
#include "guests/lib/runtime.h"
#include "guests/lib/string.h"

/* What a domain may have beyond its target, for its own short-lived needs (as Debian's toolstack). */
#define SLACK_PAGES 256u

/* Places for the rings of domains that are gone. */
#define SPARE_RINGS 64u

struct xenstore domain_xenstore;
struct domain *domain_first;

static bool exception_event;
static u64 spare_rings[SPARE_RINGS];
static u32 spare_count;
static char why_text[128];

void domain_init(void)
{
    if (xenstore_init(&domain_xenstore))
        panic("no memory for the store");
}

const char *domain_path(const struct domain *domain, const char *rest)
{
    static char path[STORE_PATH_BYTES];

    print_to(path, sizeof path, "/local/domain/%u%s%s", domain->domid, *rest ? "/" : "", rest);
    return path;
}

struct domain *domain_find(const char *name)
{
    for (struct domain *d = domain_first; d; d = d->next) {
        char number[8];

        print_to(number, sizeof number, "%u", d->domid);
        if (!strcmp(d->name, name) || !strcmp(number, name))
            return d;
    }
    return NULL;
}

/* ---- rings and event channels ---- */

static u64 ring_place(void)
{
    u64 va;

    if (spare_count)
        return spare_rings[--spare_count];
    va = memory_reserve(1);
    /* The tables above must be there before a grant can be mapped. */
    if (!memory_map(va, 0))
        panic("no place for a ring: %ld", memory_error);
    return va;
}

static void on_store(u32 port, void *arg)
{
    (void)port;
    ((struct domain *)arg)->store_event = true;
}

static void on_console(u32 port, void *arg)
{
    (void)port;
    ((struct domain *)arg)->console_event = true;
}

/* Our end of the channel whose other end, @port, was made for the domain. */
static long bind(struct domain *d, long port, event_handler handler)
{
    long ours = event_bind_interdomain(d->domid, (u32)port);

    if (ours < 0)
        return ours;
    event_set_handler((u32)ours, handler, d);
    event_unmask((u32)ours);
    return ours;
}

static void unbind(long port)
{
    if (port < 0)
        return;
    event_mask((u32)port);
    event_close((u32)port);
    event_set_handler((u32)port, NULL, NULL);
}

static void unmap_ring(long handle, u64 va)
{
    long status;

    if (!va)
        return;
    if (handle >= 0 && (status = grant_unmap((u32)handle, va)) != 0)
        panic("a domain's ring cannot be unmapped: %ld", status);
    if (spare_count < SPARE_RINGS)
        spare_rings[spare_count++] = va;
}

static bool connect_rings(struct domain *d, long store_port, long console_port)
{
    d->store_va = ring_place();
    d->store_handle = grant_map(d->domid, GNTTAB_RESERVED_XENSTORE, d->store_va, 0);
    d->console_va = ring_place();
    d->console_handle = grant_map(d->domid, GNTTAB_RESERVED_CONSOLE, d->console_va, 0);
    if (d->store_handle < 0 || d->console_handle < 0)
        return false;
    d->console.ring = (struct xencons_interface *)d->console_va;
    d->console.name = d->name;
    d->store = xenstore_connect(&domain_xenstore, d->domid,
                                (struct xenstore_domain_interface *)d->store_va);
    d->store_port = bind(d, store_port, on_store);
    d->console_port = bind(d, console_port, on_console);
    return d->store && d->store_port >= 0 && d->console_port >= 0;
}

/* ---- what the store says about a domain ---- */

enum access { READABLE, OWN };

/* A node with a value: read by the domain, or its own to write. */
static int introduce_node(struct domain *d, const char *rest, const char *value, enum access access)
{
    struct store_perm perms[2] = {{access == OWN ? d->domid : 0, 0}, {d->domid, STORE_READ}};
    const char *path = domain_path(d, rest);
    int error = xenstore_write(&domain_xenstore, path, value);

    return error ? error : xenstore_set_perms(&domain_xenstore, path, perms, access == OWN ? 1 : 2);
}

static int introduce(struct domain *d, const struct domain_config *config, u64 console_mfn,
                     u64 store_mfn, long console_port, long store_port)
{
    char number[24];
    int error = introduce_node(d, "", "", READABLE);

#define NODE(rest, access, ...)                                                                    \
    do {                                                                                           \
        print_to(number, sizeof number, __VA_ARGS__);                                              \
        error = error ? error : introduce_node(d, rest, number, access);                           \
    } while (0)

    error = error ? error : introduce_node(d, "name", d->name, READABLE);
    NODE("domid", READABLE, "%u", d->domid);
    NODE("memory", READABLE, "%s", "");
    NODE("memory/static-max", READABLE, "%lu", config->pages * 4);
    NODE("memory/target", READABLE, "%lu", config->pages * 4);
    NODE("cpu", READABLE, "%s", "");
    for (u32 i = 0; i < config->vcpus && !error; i++) {
        char rest[40];

        print_to(rest, sizeof rest, "cpu/%u/availability", i);
        error = introduce_node(d, rest, "online", READABLE);
    }
    NODE("store", READABLE, "%s", "");
    NODE("store/port", READABLE, "%ld", store_port);
    NODE("store/ring-ref", READABLE, "%lu", store_mfn);
    NODE("console", READABLE, "%s", "");
    NODE("console/port", READABLE, "%ld", console_port);
    NODE("console/ring-ref", READABLE, "%lu", console_mfn);
    NODE("console/type", READABLE, "%s", "xenconsoled");
    NODE("console/limit", READABLE, "%u", 1048576);
    NODE("control", READABLE, "%s", "");
    NODE("control/shutdown", OWN, "%s", "");
    NODE("control/feature-poweroff", OWN, "%s", "");
    NODE("control/feature-reboot", OWN, "%s", "");
    NODE("device", READABLE, "%s", "");
    NODE("data", OWN, "%s", "");
#undef NODE
    if (!error)
        xenstore_fire_special(&domain_xenstore, "@introduceDomain");
    return error;
}

/* ---- creation and end ---- */

static struct domain *refuse(struct domain *d, const char **why, const char *text, long error)
{
    print_to(why_text, sizeof why_text, "%s (error %ld)", text, error);
    *why = why_text;
    if (d)
        domain_destroy(d);
    return NULL;
}

static struct domain *record_new(const struct domain_config *config, u16 domid)
{
    struct domain **at = &domain_first, *d = heap_alloc(sizeof *d);

    if (!d)
        return NULL;
    d->domid = domid;
    d->vcpus = config->vcpus;
    print_to(d->name, sizeof d->name, "%s", config->name);
    d->store_handle = d->console_handle = d->store_port = d->console_port = -1;
    while (*at)
        at = &(*at)->next;
    *at = d;
    return d;
}

struct domain *domain_create(const struct domain_config *config, const char **why)
{
    struct pv_image image;
    struct builder_request request = {.image = &image,
                                      .initrd = config->initrd,
                                      .initrd_bytes = config->initrd_bytes,
                                      .cmdline = config->cmdline,
                                      .pages = config->pages};
    struct builder_result built;
    struct domain *d;
    long store_port, console_port, error;

    if (!pv_image_parse(config->kernel, config->kernel_bytes, &image, why))
        return refuse(NULL, why, *why, -XEN_EINVAL);
    error = control_create(config->vcpus);
    if (error < 0)
        return refuse(NULL, why, "the hypervisor makes no domain", error);
    request.domid = (u16)error;
    d = record_new(config, request.domid);
    if (!d) {
        control_destroy(request.domid);
        return refuse(NULL, why, "domain 0 is out of memory", -XEN_ENOMEM);
    }
    error = control_max_memory(d->domid, config->pages + SLACK_PAGES);
    if (error)
        return refuse(d, why, "the memory limit is not taken", error);
    store_port = event_alloc_unbound(d->domid, 0);
    console_port = event_alloc_unbound(d->domid, 0);
    if (store_port < 0 || console_port < 0)
        return refuse(d, why, "no event channels", store_port < 0 ? store_port : console_port);
    request.store_port = (u32)store_port;
    request.console_port = (u32)console_port;
    error = builder_build(&request, &built, why);
    if (error)
        return refuse(d, why, *why, error);
    if (!connect_rings(d, store_port, console_port))
        return refuse(d, why, "the rings cannot be connected", d->store_handle);
    error = introduce(d, config, built.console_mfn, built.store_mfn, console_port, store_port);
    if (error)
        return refuse(d, why, "the store does not take the domain", error);
    return d;
}

/* Print all that a domain which does not run any more has written. */
static void drain_console(struct domain *d)
{
    bool again = true;

    while (again)
        console_service(&d->console, &again);
    console_end_line(&d->console);
}

void domain_destroy(struct domain *domain)
{
    struct domain **at = &domain_first;
    long error;

    control_pause(domain->domid);
    drain_console(domain);
    if (domain->store)
        xenstore_disconnect(&domain_xenstore, domain->store);
    unbind(domain->store_port);
    unbind(domain->console_port);
    unmap_ring(domain->store_handle, domain->store_va);
    unmap_ring(domain->console_handle, domain->console_va);
    error = control_destroy(domain->domid);
    if (error && error != -XEN_ESRCH) /* somebody else may have done it */
        print("dom0: domain %u cannot be destroyed: error %ld\n", domain->domid, error);
    xenstore_remove(&domain_xenstore, domain_path(domain, ""));
    xenstore_fire_special(&domain_xenstore, "@releaseDomain");
    while (*at != domain)
        at = &(*at)->next;
    *at = domain->next;
    heap_free(domain);
}

long domain_set_target(struct domain *domain, u64 pages)
{
    char kib[24];
    domain_info_t info;
    long error = control_info(domain->domid, &info);

    if (error)
        return error;
    /* Never below what it has: the limit falls when the domain has given back. */
    error = control_max_memory(domain->domid,
                               (pages > info.tot_pages ? pages : info.tot_pages) + SLACK_PAGES);
    if (error)
        return error;
    print_to(kib, sizeof kib, "%lu", pages * 4);
    return xenstore_write(&domain_xenstore, domain_path(domain, "memory/target"), kib);
}

/* ---- service ---- */

void domain_ended_event(void)
{
    exception_event = true;
}

static void look_for_ends(void)
{
    domain_info_t info;

    exception_event = false;
    for (struct domain *d = domain_first; d; d = d->next) {
        if (d->ended || control_info(d->domid, &info))
            continue;
        if (info.flags & (XEN_DOMINF_shutdown | XEN_DOMINF_dying)) {
            drain_console(d);
            d->ended = true;
            d->end_reason = (info.flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask;
        }
    }
}

bool domain_service(void)
{
    bool more = false;

    if (exception_event)
        look_for_ends();
    for (struct domain *d = domain_first; d; d = d->next) {
        bool again;

        if (d->console_event) {
            if (console_service(&d->console, &again))
                event_send((u32)d->console_port);
            d->console_event = again;
            more |= again;
        }
        if (d->store_event) {
            if (xenstore_service(&domain_xenstore, d->store, &again))
                event_send((u32)d->store_port);
            d->store_event = again;
            more |= again;
        }
    }
    /* A request of one domain may have made an event for another, which sits in its queue. */
    for (struct domain *d = domain_first; d; d = d->next)
        if (d->store && xenstore_has_output(d->store) && !d->store_event) {
            bool again;

            if (xenstore_service(&domain_xenstore, d->store, &again))
                event_send((u32)d->store_port);
            d->store_event |= again;
            more |= again;
        }
    return more;
}
