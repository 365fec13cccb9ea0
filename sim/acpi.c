/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables are built in one array that stands for the BIOS area, each aligned to 16
 * bytes (the FACS to 64), and are written to memory at once:
 *
 *     RSDP at the start --> RSDT and XSDT --> FADT --> FACS, DSDT
 *                                         --> MADT
 */
#include "sim/acpi.h"

#include <string.h>

#include "sim/base/assert.h"
#include "sim/dev/acpipm.h"
#include "sim/dsdt.h"

#define ACPI_OEM_ID       "PRVANE"
#define ACPI_OEM_TABLE_ID "PARAVANE"
#define ACPI_CREATOR_ID   "PRVN"
#define ACPI_HEADER_BYTES 36
#define ACPI_FADT_BYTES   244 /* revision 4 */
#define ACPI_FACS_BYTES   64
#define ACPI_RSDP_BYTES   36
#define ACPI_RSDP_V1      20 /* bytes under the first checksum */

#define ACPI_LAPIC_BASE   0xfee00000u
#define ACPI_IOAPIC_BASE  0xfec00000u
#define ACPI_IOAPIC_ID    0    /* what its register shows after a reset */
#define ACPI_CENTURY_BYTE 0x32 /* of the CMOS */

/* FADT flags, table 5.10: what is 1 here. */
enum {
    FADT_WBINVD = 1 << 0,
    FADT_PROC_C1 = 1 << 2,
    FADT_NO_SLEEP_BUTTON = 1 << 5,
    FADT_NO_FIXED_RTC = 1 << 6,
    FADT_TIMER_32_BITS = 1 << 8,
    FADT_RESET_REGISTER = 1 << 10,
};
/* IA-PC boot flags, table 5.11.  The 8042 flag stays 0: the controller is there for reset
 * and A20 only, and no system shall wait for its keyboard. */
enum { BOOT_LEGACY_DEVICES = 1 << 0, BOOT_NO_VGA = 1 << 2 };
/* MPS INTI flags, table 5.26. */
enum { INTI_ACTIVE_HIGH = 1 << 0, INTI_LEVEL = 3 << 2 };

enum { GAS_PORTS = 1, GAS_BYTE = 1, GAS_WORD = 2, GAS_DWORD = 3 };

GQuark sim_acpi_error_quark(void)
{
    return g_quark_from_static_string("sim-acpi-error");
}

static void put(GByteArray *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));

        g_byte_array_append(out, &byte, 1);
    }
}

static void put_zeros(GByteArray *out, guint bytes)
{
    while (bytes--)
        put(out, 0, 1);
}

static void put_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static void put_at(GByteArray *out, guint at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out->data[at + i] = (uint8_t)(value >> (8 * i));
}

static void align(GByteArray *out, guint bytes)
{
    put_zeros(out, -out->len % bytes);
}

/* Make the sum of [@from, @from + @size_bytes) zero by the byte at @at. */
static void checksum(GByteArray *out, guint from, guint size_bytes, guint at)
{
    guint8 sum = 0;

    out->data[at] = 0;
    for (guint i = 0; i < size_bytes; i++)
        sum += out->data[from + i];
    out->data[at] = (guint8)-sum;
}

/* Start a table: its header with length and checksum still 0.  Returns: where it begins. */
static guint table_begin(GByteArray *out, const char *signature, uint8_t revision)
{
    guint at;

    align(out, 16);
    at = out->len;
    put_text(out, signature);
    put(out, 0, 4); /* length */
    put(out, revision, 1);
    put(out, 0, 1); /* checksum */
    put_text(out, ACPI_OEM_ID);
    put_text(out, ACPI_OEM_TABLE_ID);
    put(out, 1, 4);
    put_text(out, ACPI_CREATOR_ID);
    put(out, 1, 4);
    return at;
}

/* Returns: the guest-physical address of the table. */
static uint32_t table_end(GByteArray *out, guint at)
{
    put_at(out, at + 4, out->len - at, 4);
    checksum(out, at, out->len - at, at + 9);
    return SIM_ACPI_BASE + at;
}

static uint32_t add_facs(GByteArray *out)
{
    guint at;

    align(out, 64);
    at = out->len;
    put_text(out, "FACS");
    put(out, ACPI_FACS_BYTES, 4);
    put_zeros(out, 8);  /* hardware signature, waking vector */
    put_zeros(out, 16); /* global lock, flags, X waking vector */
    put(out, 1, 1);     /* version */
    put_zeros(out, at + ACPI_FACS_BYTES - out->len);
    return SIM_ACPI_BASE + at;
}

static uint32_t add_dsdt(GByteArray *out, unsigned cpus)
{
    guint at = table_begin(out, "DSDT", 2);

    sim_dsdt_append(out, cpus);
    return table_end(out, at);
}

static void put_gas(GByteArray *out, uint8_t bits, uint8_t access, uint16_t port)
{
    put(out, bits ? GAS_PORTS : 0, 1);
    put(out, bits, 1);
    put(out, 0, 1); /* bit offset */
    put(out, access, 1);
    put(out, port, 8);
}

/* The part of the FADT that revision 1 had, bytes 36 to 115. */
static void put_fadt_legacy(GByteArray *out, uint32_t facs, uint32_t dsdt)
{
    put(out, facs, 4);
    put(out, dsdt, 4);
    put(out, 0, 1);
    put(out, 4, 1); /* preferred profile: enterprise server */
    put(out, ACPIPM_SCI_IRQ, 2);
    put(out, 0, 4); /* no SMI command port: always in ACPI mode */
    put(out, 0, 4); /* ACPI_ENABLE, ACPI_DISABLE, S4BIOS_REQ, PSTATE_CNT */
    put(out, ACPIPM_PM1_EVENT_PORT, 4);
    put(out, 0, 4);
    put(out, ACPIPM_PM1_CONTROL_PORT, 4);
    put(out, 0, 4);
    put(out, 0, 4); /* no PM2 control */
    put(out, ACPIPM_TIMER_PORT, 4);
    put(out, 0, 4 + 4); /* no general-purpose events */
    put(out, 4, 1);     /* PM1 event length */
    put(out, 2, 1);     /* PM1 control length */
    put(out, 0, 1);
    put(out, 4, 1);    /* timer length */
    put(out, 0, 4);    /* GPE lengths and base, CST_CNT */
    put(out, 101, 2);  /* above 100: no C2 */
    put(out, 1001, 2); /* above 1000: no C3 */
    put(out, 0, 4);    /* flush size and stride: WBINVD works */
    put(out, 0, 4);    /* duty cycle, day and month alarm: none */
    put(out, ACPI_CENTURY_BYTE, 1);
    put(out, BOOT_LEGACY_DEVICES | BOOT_NO_VGA, 2);
    put(out, 0, 1);
    put(out,
        FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_FIXED_RTC | FADT_TIMER_32_BITS |
            FADT_RESET_REGISTER,
        4);
}

static uint32_t add_fadt(GByteArray *out, uint32_t facs, uint32_t dsdt)
{
    guint at = table_begin(out, "FACP", 4);

    put_fadt_legacy(out, facs, dsdt);
    put_gas(out, 8, GAS_BYTE, ACPIPM_RESET_PORT);
    put(out, ACPIPM_RESET_VALUE, 1);
    put(out, 0, 3);
    put(out, facs, 8);
    put(out, dsdt, 8);
    put_gas(out, 32, GAS_WORD, ACPIPM_PM1_EVENT_PORT);
    put_gas(out, 0, 0, 0);
    put_gas(out, 16, GAS_WORD, ACPIPM_PM1_CONTROL_PORT);
    put_gas(out, 0, 0, 0);
    put_gas(out, 0, 0, 0);
    put_gas(out, 32, GAS_DWORD, ACPIPM_TIMER_PORT);
    put_gas(out, 0, 0, 0);
    put_gas(out, 0, 0, 0);
    BASE_ASSERT(out->len - at == ACPI_FADT_BYTES);
    return table_end(out, at);
}

static void put_madt_override(GByteArray *out, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    put(out, 2, 1);
    put(out, 10, 1);
    put(out, 0, 1); /* ISA */
    put(out, irq, 1);
    put(out, gsi, 4);
    put(out, flags, 2);
}

static uint32_t add_madt(GByteArray *out, unsigned cpus)
{
    guint at = table_begin(out, "APIC", 2);

    put(out, ACPI_LAPIC_BASE, 4);
    put(out, 1, 4); /* PCAT_COMPAT: there is an 8259 pair too */
    for (unsigned i = 0; i < cpus; i++) {
        put(out, 0, 1); /* processor local APIC */
        put(out, 8, 1);
        put(out, i, 1); /* id of the processor object */
        put(out, i, 1); /* local APIC id */
        put(out, 1, 4); /* enabled */
    }
    put(out, 1, 1); /* IO-APIC */
    put(out, 12, 1);
    put(out, ACPI_IOAPIC_ID, 1);
    put(out, 0, 1);
    put(out, ACPI_IOAPIC_BASE, 4);
    put(out, 0, 4); /* first GSI */
    put_madt_override(out, 0, 2, 0);
    put_madt_override(out, ACPIPM_SCI_IRQ, ACPIPM_SCI_IRQ, INTI_ACTIVE_HIGH | INTI_LEVEL);
    put(out, 4, 1); /* local APIC NMI */
    put(out, 6, 1);
    put(out, 0xff, 1); /* of all processors */
    put(out, 0, 2);
    put(out, 1, 1); /* LINT1 */
    return table_end(out, at);
}

static uint32_t add_root(GByteArray *out, const char *signature, unsigned pointer_bytes,
                         uint32_t fadt, uint32_t madt)
{
    guint at = table_begin(out, signature, 1);

    put(out, fadt, pointer_bytes);
    put(out, madt, pointer_bytes);
    return table_end(out, at);
}

static void fill_rsdp(GByteArray *out, uint32_t rsdt, uint32_t xsdt)
{
    memcpy(out->data, "RSD PTR ", 8);
    memcpy(out->data + 9, ACPI_OEM_ID, 6);
    out->data[15] = 2; /* revision */
    put_at(out, 16, rsdt, 4);
    put_at(out, 20, ACPI_RSDP_BYTES, 4);
    put_at(out, 24, xsdt, 8);
    checksum(out, 0, ACPI_RSDP_V1, 8);
    checksum(out, 0, ACPI_RSDP_BYTES, 32);
}

static GByteArray *build(unsigned cpus)
{
    GByteArray *out = g_byte_array_new();
    uint32_t facs, dsdt, fadt, madt, rsdt, xsdt;

    put_zeros(out, ACPI_RSDP_BYTES);
    facs = add_facs(out);
    dsdt = add_dsdt(out, cpus);
    fadt = add_fadt(out, facs, dsdt);
    madt = add_madt(out, cpus);
    rsdt = add_root(out, "RSDT", 4, fadt, madt);
    xsdt = add_root(out, "XSDT", 8, fadt, madt);
    fill_rsdp(out, rsdt, xsdt);
    return out;
}

gboolean sim_acpi_install(struct mmu_ram *ram, unsigned cpus, GError **error)
{
    static const uint8_t ebda_segment[2] = {(SIM_ACPI_EBDA >> 4) & 0xff, SIM_ACPI_EBDA >> 12};
    static const uint8_t base_kib[2] = {(SIM_ACPI_EBDA >> 10) & 0xff, SIM_ACPI_EBDA >> 18};
    GByteArray *tables;
    bool ok;

    if (cpus < 1 || cpus > 255) {
        g_set_error(error, SIM_ACPI_ERROR, SIM_ACPI_ERROR_SIZE,
                    "ACPI tables are for 1 to 255 CPUs, not %u", cpus);
        return FALSE;
    }
    tables = build(cpus);
    ok = tables->len <= SIM_ACPI_END - SIM_ACPI_BASE &&
         mmu_ram_write(ram, GPA(SIM_ACPI_BASE), tables->data, tables->len) &&
         mmu_ram_write(ram, GPA(0x40e), ebda_segment, 2) &&
         mmu_ram_write(ram, GPA(0x413), base_kib, 2);
    if (!ok)
        g_set_error(error, SIM_ACPI_ERROR, SIM_ACPI_ERROR_SIZE,
                    "ACPI tables of %u bytes do not fit at %#x", tables->len, SIM_ACPI_BASE);
    g_byte_array_free(tables, TRUE);
    return ok;
}
