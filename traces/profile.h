/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypervisor profiles: where in one build of a hypervisor the things happen that events tell of,
 * and how their values are found in its registers and structures.
 *
 * A profile is a text (GKeyFile; docs/hypervisor-profiles.md says how to write one), chosen by the
 * build-id of the hypervisor's image.  It names symbols; together with the symbols' addresses it
 * becomes self-contained, and is written so into a trace.
 */
#ifndef PARAVANE_TRACES_PROFILE_H
#define PARAVANE_TRACES_PROFILE_H

#include <glib.h>

#include "traces/expr.h"

/** What a point is. */
enum trace_point_kind {
    TRACE_POINT_HYPERCALL,
    TRACE_POINT_MULTICALL_ENTRY,
    TRACE_POINT_PAGE_GET,
    TRACE_POINT_PAGE_PUT,
    TRACE_POINT_PAGE_SET,
    TRACE_POINT_PAGE_SCAN,
    TRACE_POINT_FRAME_ASSIGN,
    TRACE_POINT_FRAME_FREE,
    TRACE_POINT_GRANT_FRAME,
    TRACE_POINT_CR3,
    TRACE_POINT_PT_WRITE,
    TRACE_POINT_TLB_FLUSH,
    TRACE_POINT_EVTCHN_SEND,
    TRACE_POINT_EVTCHN_PENDING,
    TRACE_POINT_VIRQ,
    TRACE_POINT_UPCALL,
    TRACE_POINT_SWITCH,
    TRACE_POINT_MODE,
    TRACE_POINT_KINDS
};

/* Operands by kind: their order is that of the table in profile.c. */
enum { TRACE_HC_NUMBER, TRACE_HC_ARG1, TRACE_HC_ARG6 = TRACE_HC_ARG1 + 5, TRACE_HC_RIP,
       TRACE_HC_RSP, TRACE_HC_RESULT, TRACE_HC_ARG2_AFTER, TRACE_HC_ARG3_AFTER, TRACE_HC_RIP_AFTER };
enum { TRACE_MC_RESULT = TRACE_HC_RESULT - 2, TRACE_MC_ARG2_AFTER, TRACE_MC_ARG3_AFTER,
       TRACE_MC_CONTINUED }; /* the first ones as above */
enum { TRACE_PG_FRAME, TRACE_PG_TYPE, TRACE_PG_WORD, TRACE_PG_OWNER, TRACE_PG_RESULT,
       TRACE_PG_WORD_AFTER };
enum { TRACE_PS_FRAME, TRACE_PS_OWNER, TRACE_PS_WORD_AFTER };
enum { TRACE_SCAN_FIRST, TRACE_SCAN_COUNT, TRACE_SCAN_WORD, TRACE_SCAN_OWNER };
enum { TRACE_FR_FRAME, TRACE_FR_COUNT, TRACE_FR_DOMAIN, TRACE_FR_OLD, TRACE_FR_SUCCESS };
enum { TRACE_GF_DOMAIN, TRACE_GF_REF, TRACE_GF_FRAME };
enum { TRACE_CR_NEW, TRACE_CR_OLD, TRACE_CR_WHICH, TRACE_CR_RESULT };
enum { TRACE_PW_VA, TRACE_PW_OLD, TRACE_PW_MFN, TRACE_PW_LEVEL, TRACE_PW_SIZE, TRACE_PW_RIP,
       TRACE_PW_NEW, TRACE_PW_RESULT };
enum { TRACE_TF_SCOPE, TRACE_TF_VA, TRACE_TF_ORDER, TRACE_TF_CPUS, TRACE_TF_FLAGS };
enum { TRACE_ES_PORT, TRACE_ES_DOMAIN, TRACE_ES_VCPU, TRACE_ES_RESULT };
enum { TRACE_EP_DOMAIN, TRACE_EP_VCPU, TRACE_EP_PORT };
enum { TRACE_VQ_VIRQ, TRACE_VQ_TARGET, TRACE_VQ_VCPU, TRACE_VQ_DONE };
enum { TRACE_UP_RIP, TRACE_UP_CALLBACK, TRACE_UP_SELECTOR };
enum { TRACE_SW_FROM, TRACE_SW_FROM_VCPU, TRACE_SW_TO, TRACE_SW_TO_VCPU };
enum { TRACE_MD_TO, TRACE_MD_RIP };

#define TRACE_OPERANDS_MAX 14

struct trace_operand {
    const char *name;
    bool at_exit;  /* evaluated when the function returns */
    bool required;
};

/** The operands of @kind, @count of them. */
const struct trace_operand *trace_point_operands(enum trace_point_kind kind, unsigned *count);
const char *trace_point_kind_name(enum trace_point_kind kind);

struct trace_point {
    enum trace_point_kind kind;
    char *name;
    uint64_t address;
    struct trace_expr *when; /* NULL: always */
    struct trace_expr *operand[TRACE_OPERANDS_MAX]; /* NULL: not given */
    uint32_t required; /* bit: without this operand's value there is no event */
    bool exits; /* the event is complete when the function returns */
};

struct trace_profile {
    char *name;
    char *build_id; /* lower-case hexadecimal digits; several, separated by `;`; NULL: none */
    char *symbol; /* a symbol that the images have which it is for; NULL: none */
    uint64_t stack_bytes; /* hypervisor stacks are so large, and aligned to it */
    struct trace_expr *domid, *dom_vcpu; /* of the running vCPU; NULL: not known */
    struct trace_expr *user_root; /* its user base pointer, a frame; NULL: not known */
    /* $ is a frame's type word. */
    struct trace_expr *type_index, *type_count, *type_validated; /* NULL: no page types */
    uint8_t type_of[16];                                         /* index: enum trace_page_type */
    GPtrArray *points;                                           /* struct trace_point, owned */
    char *text;                                                  /* self-contained */
};

/** trace_symbol_fn - address of symbol @name.  Returns: false: there is none. */
typedef bool trace_symbol_fn(void *user, const char *name, uint64_t *address);

/**
 * trace_profile_parse - @text as a profile, owned by the caller.
 * @origin: its name in errors.
 * @symbol: asked for symbols that @text has no address of; NULL if it is self-contained.
 * Returns: NULL with @error.
 */
struct trace_profile *trace_profile_parse(const char *text, const char *origin,
                                          trace_symbol_fn *symbol, void *user, GError **error);
void trace_profile_free(struct trace_profile *profile);

/** trace_profile_is_for - whether @text says that it is for the image with @build_id. */
bool trace_profile_is_for(const char *text, const char *build_id);

/** trace_profile_is_for_symbols - the same by the symbol that @text names. */
bool trace_profile_is_for_symbols(const char *text, trace_symbol_fn *symbol, void *user);

GQuark trace_profile_error_quark(void);
#define TRACE_PROFILE_ERROR trace_profile_error_quark()
enum trace_profile_error { TRACE_PROFILE_ERROR_FORMAT, TRACE_PROFILE_ERROR_SYMBOL };

#endif
