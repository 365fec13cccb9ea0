/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encoder of ACPI Machine Language and of the resource descriptors in it: as much as the
 * description of this machine needs.
 *
 * Source: ACPI specification 6.5, section 20.2 (AML grammar), section 6.4 (resource data).
 *
 * Everything is appended to a GByteArray.  What has a length in front of it is written
 * between an aml_open_...() and aml_close() with its return value.
 */
#ifndef PARAVANE_SIM_AML_H
#define PARAVANE_SIM_AML_H

#include <glib.h>
#include <stdint.h>

/** Offset at which aml_close() puts the length. */
typedef guint aml_mark;

/* Names are paths of one segment of four characters, with a backslash in front if absolute. */

/** aml_open_scope - Scope (@name) {...} */
aml_mark aml_open_scope(GByteArray *out, const char *name);
/** aml_open_device - Device (@name) {...} */
aml_mark aml_open_device(GByteArray *out, const char *name);
/** aml_open_package - Package (@elements) {...}; @elements of them must follow, at most 255. */
aml_mark aml_open_package(GByteArray *out, unsigned elements);
void aml_close(GByteArray *out, aml_mark mark);

/** aml_name - Name (@name, ...); the object must follow. */
void aml_name(GByteArray *out, const char *name);
/** aml_integer - in its shortest form. */
void aml_integer(GByteArray *out, uint64_t value);
/** aml_name_integer - Name (@name, @value) */
void aml_name_integer(GByteArray *out, const char *name, uint64_t value);
/** aml_name_eisa_id - Name (@name, EisaId (@id)); @id: three capitals, four hex digits. */
void aml_name_eisa_id(GByteArray *out, const char *name, const char *id);
/** aml_processor - Processor (@name, @acpi_id, 0, 0) {} */
void aml_processor(GByteArray *out, const char *name, uint8_t acpi_id);

/** aml_name_resources - Name (@name, Buffer {@resources, end tag}) */
void aml_name_resources(GByteArray *out, const char *name, const GByteArray *resources);

/* Resource descriptors, for aml_name_resources(). */

/** aml_resource_io - ports [@first, @first + @count), 16 address lines decoded. */
void aml_resource_io(GByteArray *res, uint16_t first, uint8_t count);
/** aml_resource_irq - one ISA interrupt: edge, active high, not shared. */
void aml_resource_irq(GByteArray *res, unsigned irq);
/** aml_resource_bus_range - bus numbers @first to @last, produced. */
void aml_resource_bus_range(GByteArray *res, uint16_t first, uint16_t last);
/** aml_resource_io_range - ports @first to @last, produced. */
void aml_resource_io_range(GByteArray *res, uint16_t first, uint16_t last);
/** aml_resource_memory_range - addresses @first to @last, produced, not cacheable. */
void aml_resource_memory_range(GByteArray *res, uint32_t first, uint32_t last);

#endif
