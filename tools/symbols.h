/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of the guest's addresses, from the symbol table of an ELF file.
 */
#ifndef PARAVANE_TOOLS_SYMBOLS_H
#define PARAVANE_TOOLS_SYMBOLS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct symbols;

/**
 * symbols_load - read .symtab of the ELF file at @path (gzip allowed), 32 or 64 bit.
 * Returns: NULL with @error when the file cannot be read, is no ELF file or has no symbols.
 */
struct symbols *symbols_load(const char *path, GError **error);
void symbols_free(struct symbols *symbols);

/**
 * symbols_find - the symbol that @address belongs to.
 * @offset: set to @address minus the symbol's address.
 * Returns: its name, owned by @symbols; NULL when @address is below all symbols or far
 *          behind the one before it.  @symbols may be NULL.
 */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset);

/**
 * symbols_address - where the symbol called @name is.
 * Returns: false when there is none, or several at different addresses.
 */
bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *address);

/**
 * symbols_build_id - GNU build-id of the ELF file at @path (gzip allowed), in hexadecimal.
 * Returns: owned by the caller; NULL if it has none or cannot be read.
 */
char *symbols_build_id(const char *path);

GQuark symbols_error_quark(void);
#define SYMBOLS_ERROR symbols_error_quark()
enum symbols_error { SYMBOLS_ERROR_FORMAT };

#endif
