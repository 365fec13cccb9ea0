/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/domu/program.h"

#include "guests/domu/space.h"
#include "guests/lib/elf.h"
#include "guests/lib/errno.h"
#include "guests/lib/string.h"

/* programs.S */
extern const struct program {
    const char *name;
    const u8 *start, *end;
} programs[], programs_end[];

static bool load_segment(struct space *space, const struct program *p, const struct elf_segment *s,
                         u64 *end_va)
{
    bool writable = s->flags & PF_W;
    u64 size_bytes = (u64)(p->end - p->start);

    if (s->offset > size_bytes || s->filesz > size_bytes - s->offset || s->filesz > s->memsz)
        return false;
    if (s->vaddr + s->memsz > *end_va)
        *end_va = s->vaddr + s->memsz;
    return space_put(space, s->vaddr, p->start + s->offset, s->filesz, writable) &&
           space_put(space, s->vaddr + s->filesz, NULL, s->memsz - s->filesz, writable);
}

static struct space *load(const struct program *p, struct trap_frame *frame, long *error)
{
    struct elf_header header;
    struct space *space = space_new();
    u64 end_va = 0;

    *error = -XEN_ENOMEM;
    if (!space)
        return NULL;
    memcpy(&header, p->start, sizeof header);
    for (u32 i = 0; i < header.phnum; i++) {
        struct elf_segment s;

        memcpy(&s, p->start + header.phoff + i * sizeof s, sizeof s);
        if (s.type == PT_LOAD && !load_segment(space, p, &s, &end_va)) {
            space_free(space);
            return NULL;
        }
    }
    space_set_brk(space, end_va);
    *frame = (struct trap_frame){
        .rip = header.entry,
        .cs = SEL_USER_CS,
        .rflags = 0x202,
        /* As after a call: 8 below a multiple of 16. */
        .rsp = SPACE_STACK_TOP - 8,
        .ss = SEL_DS,
    };
    *error = 0;
    return space;
}

struct space *program_load(const char *name, struct trap_frame *frame, long *error)
{
    for (const struct program *p = programs; p < programs_end; p++)
        if (!strcmp(p->name, name))
            return load(p, frame, error);
    *error = -XEN_ENOENT;
    return NULL;
}
