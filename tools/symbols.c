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

/* An ELF file in memory; *data is to be freed after elf_end().  NULL: it cannot be read (@error),
 * or is no ELF file. */
static Elf *open_elf(const char *path, char **data, GError **error)
{
    g_autoptr(GBytes) image = sim_image_read(path, FILE_BYTES_MAX, SIM_IMAGE_GUNZIP, error);
    size_t size_bytes;
    Elf *elf;

    *data = NULL;
    if (!image)
        return NULL;
    *data = g_bytes_unref_to_data(g_steal_pointer(&image), &size_bytes);
    elf_version(EV_CURRENT);
    elf = elf_memory(*data, size_bytes);
    if (elf && elf_kind(elf) == ELF_K_ELF)
        return elf;
    elf_end(elf);
    return NULL;
}

static void close_elf(Elf *elf, char *data)
{
    elf_end(elf);
    g_free(data);
}

struct symbols *symbols_load(const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;
    struct symbols *symbols;
    char *data;
    Elf *elf = open_elf(path, &data, &why);

    if (why) {
        g_propagate_error(error, g_steal_pointer(&why));
        return NULL;
    }
    symbols = g_new0(struct symbols, 1);
    symbols->list = g_array_new(FALSE, FALSE, sizeof(struct symbol));
    g_array_set_clear_func(symbols->list, symbol_clear);
    if (elf)
        read_elf(symbols, elf);
    close_elf(elf, data);
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

bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *address)
{
    bool found = false;

    for (unsigned i = 0; i < symbols->list->len; i++) {
        const struct symbol *symbol = &g_array_index(symbols->list, struct symbol, i);

        if (strcmp(symbol->name, name) != 0)
            continue;
        if (found && symbol->address != *address)
            return false;
        *address = symbol->address;
        found = true;
    }
    return found;
}

/* ---- build-id ---- */

#define BUILD_ID_BYTES_MAX 64

static char *hexadecimal(const uint8_t *bytes, size_t size)
{
    GString *text = g_string_new("");

    for (size_t i = 0; i < size; i++)
        g_string_append_printf(text, "%02x", bytes[i]);
    return g_string_free(text, FALSE);
}

static char *build_id_in(Elf_Data *notes)
{
    size_t at = 0, name, description;
    GElf_Nhdr header;

    while (notes && (at = gelf_getnote(notes, at, &header, &name, &description)) > 0) {
        const uint8_t *bytes = notes->d_buf;

        if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 &&
            memcmp(bytes + name, "GNU", 4) == 0 && header.n_descsz <= BUILD_ID_BYTES_MAX)
            return hexadecimal(bytes + description, header.n_descsz);
    }
    return NULL;
}

/* Xen's boot image has its notes where a segment says; linkers make a section as well. */
char *symbols_build_id(const char *path)
{
    char *data, *id = NULL;
    Elf *elf = open_elf(path, &data, NULL);
    size_t segments = 0;
    GElf_Phdr header;

    if (elf && elf_getphdrnum(elf, &segments) != 0)
        segments = 0;
    for (size_t i = 0; i < segments && !id; i++)
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_NOTE)
            id = build_id_in(elf_getdata_rawchunk(elf, (int64_t)header.p_offset, header.p_filesz,
                                                  ELF_T_NHDR));
    close_elf(elf, data);
    return id;
}
