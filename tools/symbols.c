/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/symbols.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "sim/image.h"

G_DEFINE_QUARK(symbols_error, symbols_error)

#define FILE_BYTES_MAX (1ull << 30)
#define FAR_BYTES      (1u << 20) /* a symbol without a size names no more than this */

struct symbol {
    uint64_t address;
    uint64_t size_bytes;
    char *name;
};

struct symbols {
    GArray *list; /* struct symbol, by address */
};

static void symbol_clear(void *p)
{
    g_free(((struct symbol *)p)->name);
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->address != y->address)
        return x->address > y->address ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void add_symbol(struct symbols *symbols, Elf *elf, size_t strings, const GElf_Sym *sym)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);
    const char *name;
    struct symbol symbol;

    if (sym->st_shndx == SHN_UNDEF ||
        (type != STT_FUNC && type != STT_NOTYPE && type != STT_OBJECT))
        return;
    name = elf_strptr(elf, strings, sym->st_name);
    if (!name || !*name)
        return;
    symbol = (struct symbol){sym->st_value, sym->st_size, g_utf8_make_valid(name, -1)};
    g_array_append_val(symbols->list, symbol);
}

static void read_table(struct symbols *symbols, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Sym sym;

    for (int i = 0; data && gelf_getsym(data, i, &sym); i++)
        add_symbol(symbols, elf, header->sh_link, &sym);
}

static void read_elf(struct symbols *symbols, Elf *elf)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(elf, section)) != NULL)
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
            read_table(symbols, elf, section, &header);
}

struct symbols *symbols_load(const char *path, GError **error)
{
    g_autoptr(GBytes) image = sim_image_read(path, FILE_BYTES_MAX, SIM_IMAGE_GUNZIP, error);
    struct symbols *symbols;
    size_t size_bytes;
    char *data;
    Elf *elf;

    if (!image)
        return NULL;
    data = g_bytes_unref_to_data(g_steal_pointer(&image), &size_bytes);
    symbols = g_new0(struct symbols, 1);
    symbols->list = g_array_new(FALSE, FALSE, sizeof(struct symbol));
    g_array_set_clear_func(symbols->list, symbol_clear);
    elf_version(EV_CURRENT);
    elf = elf_memory(data, size_bytes);
    if (elf && elf_kind(elf) == ELF_K_ELF)
        read_elf(symbols, elf);
    elf_end(elf);
    g_free(data);
    if (symbols->list->len == 0) {
        g_set_error(error, SYMBOLS_ERROR, SYMBOLS_ERROR_FORMAT,
                    "%s: not an ELF file with a symbol table", path);
        symbols_free(symbols);
        return NULL;
    }
    g_array_sort(symbols->list, by_address);
    return symbols;
}

void symbols_free(struct symbols *symbols)
{
    if (!symbols)
        return;
    g_array_unref(symbols->list);
    g_free(symbols);
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
    unsigned low = 0, high = symbols ? symbols->list->len : 0;
    const struct symbol *symbol;

    while (low < high) { /* the number of symbols at or below @address */
        unsigned middle = low + (high - low) / 2;

        if (g_array_index(symbols->list, struct symbol, middle).address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    symbol = &g_array_index(symbols->list, struct symbol, low - 1);
    *offset = address - symbol->address;
    return *offset < MAX(symbol->size_bytes, FAR_BYTES) ? symbol->name : NULL;
}
