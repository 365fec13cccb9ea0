/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF64 files, as the System V ABI (generic ABI, chapters 4 and 5) draws them. */
#ifndef GUESTS_LIB_ELF_H
#define GUESTS_LIB_ELF_H

#include "guests/lib/types.h"

struct elf_header {
    u8 ident[16];
    u16 type, machine;
    u32 version;
    u64 entry, phoff, shoff;
    u32 flags;
    u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct elf_segment {
    u32 type, flags;
    u64 offset, vaddr, paddr, filesz, memsz, align;
};
struct elf_section {
    u32 name, type;
    u64 flags, addr, offset, size;
    u32 link, info;
    u64 addralign, entsize;
};
struct elf_note {
    u32 namesz, descsz, type;
};
enum { PT_LOAD = 1, PT_NOTE = 4, PF_W = 2, SHT_NOTE = 7, EM_X86_64 = 62, ET_EXEC = 2, ET_DYN = 3 };

#endif
