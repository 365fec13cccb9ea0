/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI bus 0 behind configuration mechanism 1.
 *
 *   0xcf8   31 30      24 23    16 15    11 10   8 7       2 1 0
 *          +--+----------+--------+--------+------+---------+---+
 *          |en| reserved |  bus   | device | func | register|0 0|   dwords only
 *          +--+----------+--------+--------+------+---------+---+
 *   0xcfc - 0xcff: the four bytes of that register.  0xcf9 as a byte is the reset control.
 *
 * Invariants
 *  1. config[] of a function is what the guest reads, BARs included.
 *  2. Which BARs decode, and where, is a function of all config[] (host_map()): a BAR
 *     decodes if it is enabled, lies whole in its window, and overlaps no BAR that comes
 *     before it in the order of functions and registers.  So no write can make two of them
 *     claim one address, and the result does not depend on the order of the writes.
 *  3. A line of intx[] is high while any function whose pin is routed to it is.
 */
#include "sim/dev/pci_host.h"

#include <glib.h>
#include <string.h>

#include "sim/base/assert.h"

#define PCI_SLOTS      32
#define PCI_FUNCTIONS  256 /* 32 slots of 8 */
#define PCI_CONFIG     256
#define PCI_BARS       6
#define PCI_UNMAPPED   UINT64_MAX
#define PCI_ENABLE     0x80000000u
#define PCI_ADDRESS    0x80fffffcu /* bits of 0xcf8 that can be written */
#define PCI_FIRST_PORT 0xcf8
#define PCI_RESET_AT   (ACPIPM_RESET_PORT - PCI_FIRST_PORT)

/* Offsets in configuration space. */
enum { C_COMMAND = 0x04, C_STATUS = 0x06, C_BAR = 0x10, C_LINE = 0x3c, C_PIN = 0x3d };
enum { COMMAND_PORTS = 1, COMMAND_MEMORY = 2, COMMAND_INTX_OFF = 4 /* bit 10: of byte 5 */ };
enum { STATUS_INTX = 8 };
enum { BAR_PORTS = 1, BAR_64 = 4, BAR_PREFETCH = 8 };

struct pci_host {
    const struct sim_services *sv;
    struct acpipm *pm;
    struct sim_irq intx[PCI_INTX_LINES];
    uint32_t address; /* 0xcf8 */
    struct pci_function bridge;
    struct pci_function *fn[PCI_FUNCTIONS]; /* by devfn, NULL: absent */
};

/* ---- base address registers ---- */

static uint32_t config_dword(const struct pci_function *fn, unsigned at)
{
    return fn->config[at] | (uint32_t)fn->config[at + 1] << 8 | (uint32_t)fn->config[at + 2] << 16 |
           (uint32_t)fn->config[at + 3] << 24;
}

static uint64_t bar_window_end(const struct pci_bar *bar)
{
    return bar->kind == PCI_BAR_PORTS ? PCI_PORT_END : PCI_MEMORY_END;
}

/* Where register @i of @fn decodes by itself; PCI_UNMAPPED: disabled or outside its window. */
static uint64_t bar_address(const struct pci_function *fn, unsigned i)
{
    const struct pci_bar *bar = &fn->bar[i];
    uint64_t address = config_dword(fn, C_BAR + 4 * i) & ~(uint64_t)(bar->size_bytes - 1);
    bool ports = bar->kind == PCI_BAR_PORTS;
    uint64_t base = ports ? PCI_PORT_BASE : PCI_MEMORY_BASE;

    if (bar->kind == PCI_BAR_NONE ||
        !(fn->config[C_COMMAND] & (ports ? COMMAND_PORTS : COMMAND_MEMORY)))
        return PCI_UNMAPPED;
    if (bar->kind == PCI_BAR_MEMORY_64)
        address |= (uint64_t)config_dword(fn, C_BAR + 4 * i + 4) << 32;
    if (address < base || address + bar->size_bytes > bar_window_end(bar))
        return PCI_UNMAPPED;
    return address;
}

/* Whether [@address, + @bar's size) overlaps a register before (@devfn, @i) in @want. */
static bool bar_overlaps(const struct pci_host *h, unsigned devfn, unsigned i, uint64_t address,
                         uint64_t (*want)[PCI_BARS])
{
    const struct pci_bar *bar = &h->fn[devfn]->bar[i];

    for (unsigned f = 0; f <= devfn; f++) {
        for (unsigned b = 0; h->fn[f] && b < (f == devfn ? i : PCI_BARS); b++) {
            const struct pci_bar *other = &h->fn[f]->bar[b];

            if (want[f][b] == PCI_UNMAPPED ||
                (other->kind == PCI_BAR_PORTS) != (bar->kind == PCI_BAR_PORTS))
                continue;
            if (address < want[f][b] + other->size_bytes && want[f][b] < address + bar->size_bytes)
                return true;
        }
    }
    return false;
}

static void bar_unclaim(struct pci_host *h, struct pci_bar *bar)
{
    if (bar->mapped_at != PCI_UNMAPPED && bar->kind != PCI_BAR_PORTS)
        sim_bus_release_mmio(h->sv->bus, GPA(bar->mapped_at));
    bar->mapped_at = PCI_UNMAPPED;
}

static void bar_claim(struct pci_host *h, struct pci_function *fn, struct pci_bar *bar,
                      uint64_t address)
{
    if (address == PCI_UNMAPPED || bar->mapped_at == address)
        return;
    bar->mapped_at = address;
    if (bar->kind != PCI_BAR_PORTS)
        sim_bus_claim_mmio(h->sv->bus, GPA(address), bar->size_bytes, bar->mmio, fn->dev);
}

/* Make what decodes agree with config[]: first take back what moved, then claim. */
static void host_map(struct pci_host *h)
{
    uint64_t want[PCI_FUNCTIONS][PCI_BARS];

    for (unsigned f = 0; f < PCI_FUNCTIONS; f++) {
        for (unsigned b = 0; h->fn[f] && b < PCI_BARS; b++) {
            want[f][b] = bar_address(h->fn[f], b);
            if (want[f][b] != PCI_UNMAPPED && bar_overlaps(h, f, b, want[f][b], want))
                want[f][b] = PCI_UNMAPPED;
            if (h->fn[f]->bar[b].mapped_at != want[f][b])
                bar_unclaim(h, &h->fn[f]->bar[b]);
        }
    }
    for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
        for (unsigned b = 0; h->fn[f] && b < PCI_BARS; b++)
            bar_claim(h, h->fn[f], &h->fn[f]->bar[b], want[f][b]);
}

/* ---- interrupt pins ---- */

static unsigned function_line(const struct pci_function *fn)
{
    return (fn->devfn / 8u + fn->interrupt_pin - 1u) % PCI_INTX_LINES;
}

static bool function_drives(const struct pci_function *fn)
{
    return fn->intx_level && !(fn->config[C_COMMAND + 1] & COMMAND_INTX_OFF);
}

static void host_drive_line(struct pci_host *h, unsigned line)
{
    bool level = false;

    for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
        if (h->fn[f] && h->fn[f]->interrupt_pin && function_line(h->fn[f]) == line)
            level |= function_drives(h->fn[f]);
    sim_irq_set(&h->intx[line], level);
}

void pci_function_set_intx(struct pci_function *fn, bool level)
{
    fn->intx_level = level && fn->interrupt_pin;
    if (fn->interrupt_pin)
        host_drive_line(fn->host, function_line(fn));
}

/* ---- configuration space ---- */

/* The function and offset that 0xcf8 points to; NULL: absent. */
static struct pci_function *host_selected(const struct pci_host *h)
{
    if (!(h->address & PCI_ENABLE) || (h->address >> 16 & 0xff) != 0)
        return NULL;
    return h->fn[h->address >> 8 & 0xff];
}

static uint32_t config_read(const struct pci_function *fn, unsigned at, unsigned size_bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size_bytes; i++)
        value |= (uint32_t)fn->config[at + i] << (8 * i);
    if (at <= C_STATUS && at + size_bytes > C_STATUS && fn->intx_level)
        value |= (uint32_t)STATUS_INTX << (8 * (C_STATUS - at));
    return value;
}

static void config_write(struct pci_function *fn, unsigned at, unsigned size_bytes, uint32_t value)
{
    struct pci_host *h = fn->host;

    for (unsigned i = at; i < at + size_bytes; i++, value >>= 8) {
        uint8_t byte = (uint8_t)value, mask = fn->writable[i];

        fn->config[i] = (fn->config[i] & (uint8_t)~mask) | (byte & mask);
        fn->config[i] &= (uint8_t) ~(byte & fn->write_one_clear[i]);
    }
    if (at < C_BAR + 4 * PCI_BARS && at + size_bytes > C_COMMAND)
        host_map(h);
    if (fn->interrupt_pin)
        host_drive_line(h, function_line(fn));
    if (fn->config_written)
        fn->config_written(fn->dev, at, size_bytes);
}

static uint32_t ones(unsigned size_bytes)
{
    return size_bytes == 4 ? UINT32_MAX : (1u << (8 * size_bytes)) - 1;
}

/* Ports 0xcf8 to 0xcff.  @offset + @size_bytes <= 8; an access that begins in the address
 * register and is not its whole dword belongs to nobody, but for the reset control. */
static uint32_t host_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    const struct pci_host *h = dev;
    const struct pci_function *fn;

    if (offset == 0 && size_bytes == 4)
        return h->address;
    if (offset == PCI_RESET_AT && size_bytes == 1 && h->pm)
        return acpipm_reset_control_read(h->pm);
    fn = host_selected(h);
    if (offset < 4 || !fn)
        return ones(size_bytes);
    return config_read(fn, (h->address & 0xfc) + offset - 4, size_bytes);
}

static void host_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct pci_host *h = dev;
    struct pci_function *fn;

    if (offset == 0 && size_bytes == 4) {
        h->address = value & PCI_ADDRESS;
        return;
    }
    if (offset == PCI_RESET_AT && size_bytes == 1 && h->pm) {
        acpipm_reset_control_write(h->pm, (uint8_t)value);
        return;
    }
    fn = host_selected(h);
    if (offset >= 4 && fn)
        config_write(fn, (h->address & 0xfc) + offset - 4, size_bytes, value);
}

static const struct sim_port_ops host_ports = {host_read, host_write, 4};

/* ---- the window of port BARs ---- */

static struct pci_bar *host_port_bar(struct pci_host *h, uint32_t port, struct pci_function **fn)
{
    for (unsigned f = 0; f < PCI_FUNCTIONS; f++) {
        for (unsigned b = 0; h->fn[f] && b < PCI_BARS; b++) {
            struct pci_bar *bar = &h->fn[f]->bar[b];

            if (bar->kind == PCI_BAR_PORTS && bar->mapped_at != PCI_UNMAPPED &&
                port >= bar->mapped_at && port - bar->mapped_at < bar->size_bytes) {
                *fn = h->fn[f];
                return bar;
            }
        }
    }
    return NULL;
}

/* The widest piece of an access at @at that @bar takes whole. */
static unsigned port_piece(const struct pci_bar *bar, uint64_t at, unsigned size_bytes)
{
    unsigned piece = size_bytes == 3 ? 2 : size_bytes;

    while (bar && (piece > bar->ports->max_access_bytes || at + piece > bar->size_bytes))
        piece /= 2;
    return bar ? piece : 1;
}

static uint32_t window_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct pci_host *h = dev;
    uint32_t value = 0;
    unsigned piece;

    for (unsigned done = 0; done < size_bytes; done += piece) {
        uint32_t port = PCI_PORT_BASE + offset + done;
        struct pci_function *fn = NULL;
        struct pci_bar *bar = host_port_bar(h, port, &fn);
        uint32_t part = UINT32_MAX;

        piece = port_piece(bar, bar ? port - bar->mapped_at : 0, size_bytes - done);
        if (bar)
            part = bar->ports->read(fn->dev, (uint16_t)(port - bar->mapped_at), piece);
        value |= (part & ones(piece)) << (8 * done);
    }
    return value;
}

static void window_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct pci_host *h = dev;
    unsigned piece;

    for (unsigned done = 0; done < size_bytes; done += piece) {
        uint32_t port = PCI_PORT_BASE + offset + done;
        struct pci_function *fn = NULL;
        struct pci_bar *bar = host_port_bar(h, port, &fn);

        piece = port_piece(bar, bar ? port - bar->mapped_at : 0, size_bytes - done);
        if (bar)
            bar->ports->write(fn->dev, (uint16_t)(port - bar->mapped_at), piece,
                              value >> (8 * done) & ones(piece));
    }
}

static const struct sim_port_ops window_ports = {window_read, window_write, 4};

/* ---- life ---- */

static void function_reset(struct pci_function *fn)
{
    memcpy(fn->config, fn->config_reset, PCI_CONFIG);
    fn->intx_level = false;
    if (fn->reset)
        fn->reset(fn->dev);
}

static bool is_power_of_two(uint32_t value)
{
    return value && !(value & (value - 1));
}

/* Type bits and writable bits of register @i; a 64-bit one has its upper half in the next. */
static void function_prepare_bar(struct pci_function *fn, unsigned i)
{
    struct pci_bar *bar = &fn->bar[i];
    bool ports = bar->kind == PCI_BAR_PORTS, wide = bar->kind == PCI_BAR_MEMORY_64;
    uint32_t mask = ~(bar->size_bytes - 1);

    bar->mapped_at = PCI_UNMAPPED;
    if (bar->kind == PCI_BAR_NONE)
        return;
    BASE_ASSERT(is_power_of_two(bar->size_bytes));
    BASE_ASSERT(ports ? bar->ports && bar->size_bytes >= 4 && bar->size_bytes <= 256
                      : bar->mmio && bar->size_bytes >= 4096 && bar->size_bytes <= 256u << 20);
    BASE_ASSERT(!wide || (i + 1 < PCI_BARS && fn->bar[i + 1].kind == PCI_BAR_NONE));
    fn->config_reset[C_BAR + 4 * i] =
        ports ? BAR_PORTS : (uint8_t)((wide ? BAR_64 : 0) | (bar->prefetchable ? BAR_PREFETCH : 0));
    for (unsigned b = 0; b < 4; b++)
        fn->writable[C_BAR + 4 * i + b] = (uint8_t)(mask >> (8 * b));
    if (wide)
        memset(&fn->writable[C_BAR + 4 * i + 4], 0xff, 4);
}

void pci_host_attach(struct pci_host *h, struct pci_function *fn, unsigned slot, unsigned function)
{
    BASE_ASSERT(slot < PCI_SLOTS && function < 8);
    BASE_ASSERT(!h->fn[slot * 8 + function] && fn->interrupt_pin <= 4);
    fn->host = h;
    fn->devfn = (uint8_t)(slot * 8 + function);
    fn->config_reset[C_PIN] = fn->interrupt_pin;
    if (fn->interrupt_pin)
        fn->writable[C_LINE] = 0xff;
    for (unsigned i = 0; i < PCI_BARS; i++)
        function_prepare_bar(fn, i);
    h->fn[fn->devfn] = fn;
    function_reset(fn);
}

static void pci_host_reset(void *dev)
{
    struct pci_host *h = dev;

    h->address = 0;
    for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
        if (h->fn[f])
            function_reset(h->fn[f]);
    host_map(h);
    for (unsigned line = 0; line < PCI_INTX_LINES; line++)
        host_drive_line(h, line);
}

/* 82441FX: memory and bus master are always on; errors are never seen. */
static void bridge_init(struct pci_function *fn)
{
    static const uint8_t config[16] = {
        0x86, 0x80, 0x37, 0x12, /* vendor 8086, device 1237 */
        0x06, 0x00, 0x80, 0x02, /* command; status: medium DEVSEL timing, fast back-to-back */
        0x02, 0x00, 0x00, 0x06, /* revision 2, class 0600: host bridge */
        0x00, 0x00, 0x00, 0x00,
    };

    fn->name = "host bridge";
    memcpy(fn->config_reset, config, sizeof(config));
    fn->writable[C_COMMAND + 1] = 0x01; /* SERR# enable */
    fn->writable[0x0d] = 0xf8;          /* latency timer */
}

struct pci_host *pci_host_new(const struct sim_services *sv,
                              const struct sim_irq intx[PCI_INTX_LINES], struct acpipm *pm)
{
    struct pci_host *h = g_new0(struct pci_host, 1);

    h->sv = sv;
    h->pm = pm;
    memcpy(h->intx, intx, sizeof(h->intx));
    bridge_init(&h->bridge);
    pci_host_attach(h, &h->bridge, 0, 0);
    sim_bus_claim_ports(sv->bus, PCI_FIRST_PORT, 8, &host_ports, h);
    sim_bus_claim_ports(sv->bus, PCI_PORT_BASE, PCI_PORT_END - PCI_PORT_BASE, &window_ports, h);
    return h;
}

static void function_state(struct pci_function *fn, struct base_state *st)
{
    uint8_t level = fn->intx_level;

    BASE_STATE(st, fn->config);
    BASE_STATE(st, level);
    fn->intx_level = level != 0;
    if (fn->state)
        fn->state(fn->dev, st);
}

static void pci_host_state(void *dev, struct base_state *st)
{
    struct pci_host *h = dev;

    base_state_tag(st, "pci");
    BASE_STATE(st, h->address);
    for (unsigned f = 0; f < PCI_FUNCTIONS; f++)
        if (h->fn[f])
            function_state(h->fn[f], st);
    if (st->mode == BASE_STATE_LOAD)
        host_map(h);
}

void pci_host_device(struct pci_host *h, struct sim_device *out)
{
    *out = (struct sim_device){"PCI", h, pci_host_reset, pci_host_state, g_free};
}
