/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physdev_op.  Source: Xen's public physdev.h.
 */
#include "traces/xen_public.h"

#include <xen/physdev.h>

#include "traces/decode_table.h"

static const struct trace_name irq_flags[] = {{XENIRQSTAT_needs_eoi, "needs_eoi"},
                                              {XENIRQSTAT_shared, "shared"}};
static const struct trace_name map_types[] = {{MAP_PIRQ_TYPE_MSI, "msi"},
                                              {MAP_PIRQ_TYPE_GSI, "gsi"},
                                              {MAP_PIRQ_TYPE_UNKNOWN, "unknown"},
                                              {MAP_PIRQ_TYPE_MSI_SEG, "msi_seg"},
                                              {MAP_PIRQ_TYPE_MULTI_MSI, "multi_msi"}};
static const struct trace_name device_flags[] = {{XEN_PCI_DEV_EXTFN, "extfn"},
                                                 {XEN_PCI_DEV_VIRTFN, "virtfn"},
                                                 {XEN_PCI_DEV_PXM, "pxm"}};
static const struct trace_name mmcfg_flags[] = {{XEN_PCI_MMCFG_RESERVED, "reserved"}};

static const struct decode_field eoi_fields[] = {IN("irq", struct physdev_eoi, irq, U64)};
static const struct decode_field gmfn_fields[] = {
    IN("gmfn", struct physdev_pirq_eoi_gmfn, gmfn, GFN)};
static const struct decode_field status_fields[] = {
    IN("irq", struct physdev_irq_status_query, irq, U64),
    OUT_NAMED("flags", struct physdev_irq_status_query, flags, FLAGS, irq_flags)};
static const struct decode_field iopl_fields[] = {IN("iopl", struct physdev_set_iopl, iopl, U64)};
static const struct decode_field bitmap_fields[] = {
    IN("bitmap", struct physdev_set_iobitmap, bitmap, HEX),
    IN("nr_ports", struct physdev_set_iobitmap, nr_ports, U64)};
static const struct decode_field apic_read_fields[] = {
    IN("apic", struct physdev_apic, apic_physbase, HEX), IN("reg", struct physdev_apic, reg, HEX),
    OUT("value", struct physdev_apic, value, HEX)};
static const struct decode_field apic_write_fields[] = {
    IN("apic", struct physdev_apic, apic_physbase, HEX), IN("reg", struct physdev_apic, reg, HEX),
    IN("value", struct physdev_apic, value, HEX)};
static const struct decode_field vector_fields[] = {IN("irq", struct physdev_irq, irq, U64),
                                                    OUT("vector", struct physdev_irq, vector, HEX)};
static const struct decode_field map_fields[] = {
    IN("domid", struct physdev_map_pirq, domid, DOMID),
    IN_NAMED("type", struct physdev_map_pirq, type, ENUM, map_types),
    IN("index", struct physdev_map_pirq, index, I64),
    IN("pirq", struct physdev_map_pirq, pirq, I64),
    IN("bus", struct physdev_map_pirq, bus, I64),
    IN("devfn", struct physdev_map_pirq, devfn, HEX),
    IN("entry_nr", struct physdev_map_pirq, entry_nr, I64),
    IN("table_base", struct physdev_map_pirq, table_base, HEX),
    OUT(".pirq_after", struct physdev_map_pirq, pirq, I64)};
static const struct decode_field unmap_fields[] = {
    IN("domid", struct physdev_unmap_pirq, domid, DOMID),
    IN("pirq", struct physdev_unmap_pirq, pirq, I64)};
static const struct decode_field pci_fields[] = {IN("bus", struct physdev_manage_pci, bus, HEX),
                                                 IN("devfn", struct physdev_manage_pci, devfn, HEX)};
static const struct decode_field pci_ext_fields[] = {
    IN("bus", struct physdev_manage_pci_ext, bus, HEX),
    IN("devfn", struct physdev_manage_pci_ext, devfn, HEX),
    IN("is_extfn", struct physdev_manage_pci_ext, is_extfn, BOOL),
    IN("is_virtfn", struct physdev_manage_pci_ext, is_virtfn, BOOL)};
static const struct decode_field gsi_fields[] = {
    IN("gsi", struct physdev_setup_gsi, gsi, I64),
    IN("triggering", struct physdev_setup_gsi, triggering, U64),
    IN("polarity", struct physdev_setup_gsi, polarity, U64)};
static const struct decode_field free_pirq_fields[] = {
    IN_NAMED("type", struct physdev_get_free_pirq, type, ENUM, map_types),
    OUT("pirq", struct physdev_get_free_pirq, pirq, U64)};
static const struct decode_field mmcfg_fields[] = {
    IN("address", struct physdev_pci_mmcfg_reserved, address, HEX),
    IN("segment", struct physdev_pci_mmcfg_reserved, segment, U64),
    IN("start_bus", struct physdev_pci_mmcfg_reserved, start_bus, HEX),
    IN("end_bus", struct physdev_pci_mmcfg_reserved, end_bus, HEX),
    IN_NAMED("flags", struct physdev_pci_mmcfg_reserved, flags, FLAGS, mmcfg_flags)};
static const struct decode_field add_fields[] = {
    IN("seg", struct physdev_pci_device_add, seg, HEX),
    IN("bus", struct physdev_pci_device_add, bus, HEX),
    IN("devfn", struct physdev_pci_device_add, devfn, HEX),
    IN_NAMED("flags", struct physdev_pci_device_add, flags, FLAGS, device_flags)};
static const struct decode_field device_fields[] = {
    IN("seg", struct physdev_pci_device, seg, HEX), IN("bus", struct physdev_pci_device, bus, HEX),
    IN("devfn", struct physdev_pci_device, devfn, HEX)};
static const struct decode_field dbgp_fields[] = {IN("op", struct physdev_dbgp_op, op, U64),
                                                  IN("bus", struct physdev_dbgp_op, bus, U64)};

static const struct decode_op ops[] = {
    OP_BARE(4, "irq_unmask_notify"),
    OP(PHYSDEVOP_irq_status_query, "irq_status_query", struct physdev_irq_status_query,
       status_fields),
    OP(PHYSDEVOP_set_iopl, "set_iopl", struct physdev_set_iopl, iopl_fields),
    OP(PHYSDEVOP_set_iobitmap, "set_iobitmap", struct physdev_set_iobitmap, bitmap_fields),
    OP(PHYSDEVOP_apic_read, "apic_read", struct physdev_apic, apic_read_fields),
    OP(PHYSDEVOP_apic_write, "apic_write", struct physdev_apic, apic_write_fields),
    OP(PHYSDEVOP_alloc_irq_vector, "alloc_irq_vector", struct physdev_irq, vector_fields),
    OP(PHYSDEVOP_free_irq_vector, "free_irq_vector", struct physdev_irq, vector_fields),
    OP(PHYSDEVOP_eoi, "eoi", struct physdev_eoi, eoi_fields),
    OP(PHYSDEVOP_map_pirq, "map_pirq", struct physdev_map_pirq, map_fields),
    OP(PHYSDEVOP_unmap_pirq, "unmap_pirq", struct physdev_unmap_pirq, unmap_fields),
    OP(PHYSDEVOP_manage_pci_add, "manage_pci_add", struct physdev_manage_pci, pci_fields),
    OP(PHYSDEVOP_manage_pci_remove, "manage_pci_remove", struct physdev_manage_pci, pci_fields),
    OP(PHYSDEVOP_pirq_eoi_gmfn_v1, "pirq_eoi_gmfn_v1", struct physdev_pirq_eoi_gmfn, gmfn_fields),
    OP(PHYSDEVOP_restore_msi, "restore_msi", struct physdev_restore_msi, pci_fields),
    OP(PHYSDEVOP_manage_pci_add_ext, "manage_pci_add_ext", struct physdev_manage_pci_ext,
       pci_ext_fields),
    OP(PHYSDEVOP_setup_gsi, "setup_gsi", struct physdev_setup_gsi, gsi_fields),
    OP(PHYSDEVOP_get_free_pirq, "get_free_pirq", struct physdev_get_free_pirq, free_pirq_fields),
    OP(PHYSDEVOP_pci_mmcfg_reserved, "pci_mmcfg_reserved", struct physdev_pci_mmcfg_reserved,
       mmcfg_fields),
    OP(PHYSDEVOP_pci_device_add, "pci_device_add", struct physdev_pci_device_add, add_fields),
    OP(PHYSDEVOP_pci_device_remove, "pci_device_remove", struct physdev_pci_device, device_fields),
    OP(PHYSDEVOP_restore_msi_ext, "restore_msi_ext", struct physdev_pci_device, device_fields),
    OP(PHYSDEVOP_pirq_eoi_gmfn_v2, "pirq_eoi_gmfn_v2", struct physdev_pirq_eoi_gmfn, gmfn_fields),
    OP(PHYSDEVOP_dbgp_op, "dbgp_op", struct physdev_dbgp_op, dbgp_fields),
    OP(PHYSDEVOP_prepare_msix, "prepare_msix", struct physdev_pci_device, device_fields),
    OP(PHYSDEVOP_release_msix, "release_msix", struct physdev_pci_device, device_fields),
};

static void args(struct decode_call *c)
{
    decode_simple(c, ops, ARRAY_LEN(ops), c->arg[0], c->arg[1], TRACE_ROLE_PHYSDEV_OP);
}

static const char *op_name(const struct decode_call *c)
{
    const struct decode_op *op = decode_op_find(ops, ARRAY_LEN(ops), c->arg[0]);

    return op ? op->name : NULL;
}

const struct decode_handler decode_physdev_op = {args, op_name};
