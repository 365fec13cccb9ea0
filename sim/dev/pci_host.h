/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: configuration mechanism 1, bus 0, and the interface of the functions on it.
 *
 * Source: PCI Local Bus Specification 3.0, section 3.2.2.3 (mechanism 1), chapter 6
 * (configuration space); Intel 82441FX data sheet (the host bridge's identity).
 *
 * Function 00:00.0 is the host bridge, 8086:1237.  Absent functions read as all ones.
 * A device joins by filling a struct pci_function and calling pci_host_attach().
 *
 * Memory BARs answer while they lie, whole, in the window below and overlap no BAR of an
 * earlier function; I/O BARs likewise.  Anything else the guest writes is kept in the
 * register and decodes nothing.
 */
#ifndef PARAVANE_SIM_DEV_PCI_HOST_H
#define PARAVANE_SIM_DEV_PCI_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/bus.h"
#include "sim/dev/acpipm.h"

/* Where BARs may lie; _CRS of the root bridge says the same. */
#define PCI_MEMORY_BASE 0xc0000000u
#define PCI_MEMORY_END  0xfec00000u
#define PCI_PORT_BASE   0xc000u
#define PCI_PORT_END    0x10000u

/* INTA# to INTD# of slot s go to GSI 16 + (s + pin) % 4. */
#define PCI_INTX_LINES    4
#define PCI_INTX_GSI_BASE 16

struct pci_host;

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_MEMORY, PCI_BAR_MEMORY_64, PCI_BAR_PORTS };

/* One base address register.  A 64-bit one takes its own place and the next, which must
 * be PCI_BAR_NONE.  The first group is filled by the device and constant. */
struct pci_bar {
    enum pci_bar_kind kind;
    uint32_t size_bytes; /* power of two: memory 4 KiB to 256 MiB, ports 4 to 256 */
    bool prefetchable;
    const struct sim_mmio_ops *mmio;  /* of a memory BAR */
    const struct sim_port_ops *ports; /* of a port BAR */

    uint64_t mapped_at; /* kept by the host bridge; UINT64_MAX: decodes nothing */
};

/*
 * A function of a device.  Embedded in the device; borrowed by the host bridge until it is
 * freed.  The first group is filled by the device before pci_host_attach() and constant.
 */
struct pci_function {
    const char *name;
    void *dev;                    /* handed to everything below and to the BARs' ops */
    uint8_t config_reset[256];    /* value of each byte after a reset; BARs are filled in */
    uint8_t writable[256];        /* which bits the guest can write */
    uint8_t write_one_clear[256]; /* which bits a written 1 clears */
    struct pci_bar bar[6];
    uint8_t interrupt_pin; /* 0 none, 1 INTA# to 4 INTD#: goes to offset 0x3d */
    /* After the guest has written config bytes (may be NULL). */
    void (*config_written)(void *dev, unsigned offset, unsigned size_bytes);
    void (*reset)(void *dev);                        /* may be NULL */
    void (*state)(void *dev, struct base_state *st); /* may be NULL: the device's own fields */

    /* Kept by the host bridge. */
    struct pci_host *host;
    uint8_t devfn;
    bool intx_level;
    uint8_t config[256];
};

/**
 * pci_host_new - bus 0 with its host bridge; ports 0xcf8 to 0xcff and the port window.
 * @sv:   borrowed; must outlive the result.
 * @intx: the lines of GSI 16 to 19; copied.
 * @pm:   whose reset control answers at 0xcf9 (bytes only); borrowed, may be NULL.
 * Returns: owned by the caller, until the free function of pci_host_device() is called.
 * Test:  tests/unit/test_sim_dev_pci_host.c
 */
struct pci_host *pci_host_new(const struct sim_services *sv,
                              const struct sim_irq intx[PCI_INTX_LINES], struct acpipm *pm);

/**
 * pci_host_attach - put @fn at @slot, function @function, of bus 0.
 * Aborts: if the place is taken or outside 0-31, 0-7; if a BAR is not as struct pci_bar says.
 */
void pci_host_attach(struct pci_host *host, struct pci_function *fn, unsigned slot,
                     unsigned function);

/** pci_function_set_intx - the level of the function's interrupt pin. */
void pci_function_set_intx(struct pci_function *fn, bool level);

/** pci_host_device - the device interface of @host with all its functions' reset and state;
 *  freeing it frees @host but not the functions. */
void pci_host_device(struct pci_host *host, struct sim_device *out);

#endif
