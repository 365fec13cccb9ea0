/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "traces/profile.h"

#include <string.h>

#include "sim/base/types.h"
#include "traces/event.h"

G_DEFINE_QUARK(paravane-trace-profile-error-quark, trace_profile_error)

#define TEXT_BYTES_MAX (1u << 20)
#define POINTS_MAX     200
#define SYMBOLS_GROUP  "symbols"
#define DEFINE_GROUP   "define"

/* ---- the kinds of points ---- */

#define ENTRY(name)    {name, false, true}
#define MAY_ENTRY(name) {name, false, false}
#define EXIT(name)     {name, true, true}
#define MAY_EXIT(name) {name, true, false}

static const struct trace_operand hypercall_operands[] = {
    ENTRY("number"), ENTRY("arg1"), ENTRY("arg2"), ENTRY("arg3"), ENTRY("arg4"), ENTRY("arg5"),
    MAY_ENTRY("arg6"), ENTRY("rip"), MAY_ENTRY("rsp"), EXIT("result"),
    MAY_EXIT("arg2-after"), MAY_EXIT("arg3-after"), MAY_EXIT("rip-after")};
static const struct trace_operand multicall_operands[] = {
    ENTRY("number"), ENTRY("arg1"), ENTRY("arg2"), ENTRY("arg3"), ENTRY("arg4"), ENTRY("arg5"),
    MAY_ENTRY("arg6"), EXIT("result"), MAY_EXIT("arg2-after"), MAY_EXIT("arg3-after"),
    MAY_EXIT("continued")};
static const struct trace_operand page_operands[] = {
    ENTRY("frame"), MAY_ENTRY("type"), ENTRY("word"), MAY_ENTRY("owner"), EXIT("result"),
    EXIT("word-after")};
static const struct trace_operand page_set_operands[] = {ENTRY("frame"), MAY_EXIT("owner"),
                                                         EXIT("word-after")};
static const struct trace_operand scan_operands[] = {EXIT("first"), EXIT("count"), EXIT("word"),
                                                     MAY_EXIT("owner")};
static const struct trace_operand frame_operands[] = {EXIT("frame"), MAY_ENTRY("count"),
                                                      MAY_ENTRY("domain"), MAY_ENTRY("old"),
                                                      MAY_EXIT("success")};
static const struct trace_operand grant_frame_operands[] = {ENTRY("domain"), ENTRY("ref"),
                                                            EXIT("frame")};
static const struct trace_operand cr3_operands[] = {ENTRY("new"), MAY_ENTRY("old"),
                                                    MAY_ENTRY("which"), MAY_EXIT("result")};
static const struct trace_operand pt_write_operands[] = {
    ENTRY("va"),         MAY_ENTRY("old"), MAY_ENTRY("mfn"), MAY_ENTRY("level"),
    MAY_ENTRY("size"), MAY_ENTRY("rip"), MAY_EXIT("new"),  MAY_EXIT("result")};
static const struct trace_operand tlb_operands[] = {MAY_ENTRY("scope"), MAY_ENTRY("va"),
                                                    MAY_ENTRY("order"), MAY_ENTRY("cpus"),
                                                    MAY_ENTRY("flags")};
static const struct trace_operand send_operands[] = {ENTRY("port"), MAY_ENTRY("domain"),
                                                     MAY_ENTRY("vcpu"), EXIT("result")};
static const struct trace_operand pending_operands[] = {ENTRY("domain"), MAY_ENTRY("vcpu"),
                                                        ENTRY("port")};
static const struct trace_operand virq_operands[] = {ENTRY("virq"), ENTRY("target"),
                                                     MAY_ENTRY("target-vcpu"), EXIT("done")};
static const struct trace_operand upcall_operands[] = {ENTRY("rip"), MAY_ENTRY("callback"),
                                                       MAY_ENTRY("selector")};
static const struct trace_operand switch_operands[] = {ENTRY("from"), MAY_ENTRY("from-vcpu"),
                                                       ENTRY("to"), MAY_ENTRY("to-vcpu")};
static const struct trace_operand mode_operands[] = {ENTRY("to"), MAY_ENTRY("rip")};

static const struct {
    const char *name;
    const struct trace_operand *operand;
    unsigned operands;
} kinds[TRACE_POINT_KINDS] = {
#define KIND(number, name, table) [number] = {name, table, ARRAY_LEN(table)}
    KIND(TRACE_POINT_HYPERCALL, "hypercall", hypercall_operands),
    KIND(TRACE_POINT_MULTICALL_ENTRY, "multicall-entry", multicall_operands),
    KIND(TRACE_POINT_PAGE_GET, "page-get", page_operands),
    KIND(TRACE_POINT_PAGE_PUT, "page-put", page_operands),
    KIND(TRACE_POINT_PAGE_SET, "page-set", page_set_operands),
    KIND(TRACE_POINT_PAGE_SCAN, "page-scan", scan_operands),
    KIND(TRACE_POINT_FRAME_ASSIGN, "frame-assign", frame_operands),
    KIND(TRACE_POINT_FRAME_FREE, "frame-free", frame_operands),
    KIND(TRACE_POINT_GRANT_FRAME, "grant-frame", grant_frame_operands),
    KIND(TRACE_POINT_CR3, "cr3", cr3_operands),
    KIND(TRACE_POINT_PT_WRITE, "pt-write", pt_write_operands),
    KIND(TRACE_POINT_TLB_FLUSH, "tlb-flush", tlb_operands),
    KIND(TRACE_POINT_EVTCHN_SEND, "evtchn-send", send_operands),
    KIND(TRACE_POINT_EVTCHN_PENDING, "evtchn-pending", pending_operands),
    KIND(TRACE_POINT_VIRQ, "virq", virq_operands),
    KIND(TRACE_POINT_UPCALL, "upcall", upcall_operands),
    KIND(TRACE_POINT_SWITCH, "switch", switch_operands),
    KIND(TRACE_POINT_MODE, "mode", mode_operands),
};
_Static_assert(ARRAY_LEN(hypercall_operands) <= TRACE_OPERANDS_MAX, "operands");

const struct trace_operand *trace_point_operands(enum trace_point_kind kind, unsigned *count)
{
    *count = kinds[kind].operands;
    return kinds[kind].operand;
}

const char *trace_point_kind_name(enum trace_point_kind kind)
{
    return kinds[kind].name;
}

/* ---- parsing ---- */

struct parse {
    const char *origin;
    GKeyFile *file;
    trace_symbol_fn *symbol;
    void *user;
    struct trace_profile *profile;
    GError **error;
};

static bool G_GNUC_PRINTF(3, 4)
    refuse(struct parse *p, enum trace_profile_error code, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(p->error, TRACE_PROFILE_ERROR, code, "%s: %s", p->origin, what);
    return false;
}

/* What is asked for is kept, so that the text becomes self-contained. */
static bool find_symbol(void *user, const char *name, uint64_t *address)
{
    struct parse *p = user;
    g_autofree char *text = g_key_file_get_string(p->file, SYMBOLS_GROUP, name, NULL);
    g_autofree char *hex = NULL;

    if (text)
        return g_ascii_string_to_unsigned(g_str_has_prefix(text, "0x") ? text + 2 : text, 16, 0,
                                          UINT64_MAX, address, NULL);
    if (!p->symbol || !p->symbol(p->user, name, address))
        return false;
    hex = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", *address);
    g_key_file_set_string(p->file, SYMBOLS_GROUP, name, hex);
    return true;
}

/* Owned by the table that makes them live as long as the parsing. */
static GHashTable *definitions_of(GKeyFile *file)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) keys = g_key_file_get_keys(file, DEFINE_GROUP, NULL, NULL);

    for (char **key = keys; key && *key; key++)
        g_hash_table_insert(table, g_strdup(*key),
                            g_key_file_get_string(file, DEFINE_GROUP, *key, NULL));
    return table;
}

struct names {
    struct parse *parse;
    GHashTable *definitions;
};

static const char *find_definition(void *user, const char *name)
{
    return g_hash_table_lookup(((struct names *)user)->definitions, name);
}

static bool find_name(void *user, const char *name, uint64_t *address)
{
    return find_symbol(((struct names *)user)->parse, name, address);
}

/* The expression in a key: *expr stays NULL if there is none. */
static bool expression(struct parse *p, struct names *names, const char *group, const char *key,
                       struct trace_expr **expr)
{
    const struct trace_expr_names n = {names, find_definition, find_name};
    g_autofree char *text = g_key_file_get_string(p->file, group, key, NULL);
    g_autoptr(GError) why = NULL;

    *expr = NULL;
    if (!text)
        return true;
    *expr = trace_expr_compile(text, &n, &why);
    if (*expr)
        return true;
    return refuse(p,
                  g_error_matches(why, TRACE_EXPR_ERROR, TRACE_EXPR_ERROR_NAME)
                      ? TRACE_PROFILE_ERROR_SYMBOL
                      : TRACE_PROFILE_ERROR_FORMAT,
                  "[%s] %s: %s", group, key, why->message);
}

static bool kind_of(const char *name, enum trace_point_kind *kind)
{
    for (unsigned i = 0; i < TRACE_POINT_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = (enum trace_point_kind)i;
            return true;
        }
    }
    return false;
}

static bool is_known_key(enum trace_point_kind kind, const char *key)
{
    if (strcmp(key, "event") == 0 || strcmp(key, "symbol") == 0 || strcmp(key, "when") == 0 ||
        strcmp(key, "optional") == 0)
        return true;
    for (unsigned i = 0; i < kinds[kind].operands; i++)
        if (strcmp(key, kinds[kind].operand[i].name) == 0)
            return true;
    return false;
}

static bool check_keys(struct parse *p, const char *group, enum trace_point_kind kind)
{
    g_auto(GStrv) keys = g_key_file_get_keys(p->file, group, NULL, NULL);

    for (char **key = keys; key && *key; key++)
        if (!is_known_key(kind, *key))
            return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "[%s] %s: a %s has no such key", group,
                          *key, kinds[kind].name);
    return true;
}

static bool operands(struct parse *p, struct names *names, const char *group,
                     struct trace_point *point)
{
    const struct trace_operand *o = kinds[point->kind].operand;

    for (unsigned i = 0; i < kinds[point->kind].operands; i++) {
        if (!expression(p, names, group, o[i].name, &point->operand[i]))
            return false;
        if (!point->operand[i] && o[i].required)
            return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "[%s] %s is missing", group, o[i].name);
        if (!point->operand[i])
            continue;
        if (!o[i].at_exit && trace_expr_needs_exit(point->operand[i]))
            return refuse(p, TRACE_PROFILE_ERROR_FORMAT,
                          "[%s] %s: ret is known only when the function returns", group, o[i].name);
        point->exits |= o[i].at_exit;
        point->required |= (uint32_t)o[i].required << i;
    }
    if (point->kind == TRACE_POINT_PAGE_SCAN) /* has a value for each frame */
        point->required &= ~(1u << TRACE_SCAN_WORD);
    return expression(p, names, group, "when", &point->when);
}

static void point_free(void *data)
{
    struct trace_point *point = data;

    for (unsigned i = 0; i < TRACE_OPERANDS_MAX; i++)
        trace_expr_free(point->operand[i]);
    trace_expr_free(point->when);
    g_free(point->name);
    g_free(point);
}

static bool parse_point(struct parse *p, struct names *names, const char *group)
{
    g_autofree char *event = g_key_file_get_string(p->file, group, "event", NULL);
    g_autofree char *symbol = g_key_file_get_string(p->file, group, "symbol", NULL);
    struct trace_point *point = g_new0(struct trace_point, 1);

    point->name = g_strdup(group + strlen("point "));
    g_ptr_array_add(p->profile->points, point);
    if (!event || !kind_of(event, &point->kind))
        return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "[%s] event: no kind of point is called '%s'",
                      group, event ? event : "");
    if (!symbol)
        return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "[%s] symbol is missing", group);
    if (!check_keys(p, group, point->kind))
        return false;
    if (!find_symbol(p, symbol, &point->address)) {
        if (g_key_file_get_boolean(p->file, group, "optional", NULL)) {
            g_ptr_array_remove(p->profile->points, point);
            return true;
        }
        return refuse(p, TRACE_PROFILE_ERROR_SYMBOL, "[%s] there is no symbol %s", group, symbol);
    }
    return operands(p, names, group, point);
}

static bool parse_points(struct parse *p, struct names *names)
{
    g_auto(GStrv) groups = g_key_file_get_groups(p->file, NULL);

    for (char **group = groups; *group; group++) {
        if (!g_str_has_prefix(*group, "point "))
            continue;
        if (p->profile->points->len == POINTS_MAX)
            return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "more than %d points", POINTS_MAX);
        if (!parse_point(p, names, *group))
            return false;
    }
    return true;
}

static bool parse_type_names(struct parse *p)
{
    static const char *const known[] = {"none", "l1", "l2", "l3", "l4", "seg", "writable", "shared"};
    g_auto(GStrv) names = g_key_file_get_string_list(p->file, "page-type", "names", NULL, NULL);

    memset(p->profile->type_of, TRACE_PAGE_UNKNOWN, sizeof(p->profile->type_of));
    for (unsigned i = 0; names && names[i]; i++) {
        unsigned type = 0;

        while (type < ARRAY_LEN(known) && strcmp(known[type], names[i]) != 0)
            type++;
        if (type == ARRAY_LEN(known) || i == ARRAY_LEN(p->profile->type_of))
            return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "[page-type] names: '%s' is no type",
                          names[i]);
        p->profile->type_of[i] = (uint8_t)type;
    }
    return true;
}

static bool parse_head(struct parse *p, struct names *names)
{
    struct trace_profile *profile = p->profile;
    g_autofree char *stack = NULL;

    profile->name = g_key_file_get_string(p->file, "profile", "name", NULL);
    profile->build_id = g_key_file_get_string(p->file, "profile", "build-id", NULL);
    stack = g_key_file_get_string(p->file, "profile", "stack-bytes", NULL);
    profile->stack_bytes = stack ? g_ascii_strtoull(stack, NULL, 0) : 0;
    profile->symbol = g_key_file_get_string(p->file, "profile", "symbol", NULL);
    if (!profile->name || (!profile->build_id && !profile->symbol))
        return refuse(p, TRACE_PROFILE_ERROR_FORMAT,
                      "[profile] wants name, and build-id or symbol");
    if (!profile->stack_bytes || (profile->stack_bytes & (profile->stack_bytes - 1)))
        return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "[profile] stack-bytes is no power of two");
    return expression(p, names, "current", "domain", &profile->domid) &&
           expression(p, names, "current", "vcpu", &profile->dom_vcpu) &&
           expression(p, names, "current", "user-root", &profile->user_root) &&
           expression(p, names, "page-type", "index", &profile->type_index) &&
           expression(p, names, "page-type", "count", &profile->type_count) &&
           expression(p, names, "page-type", "validated", &profile->type_validated) &&
           parse_type_names(p);
}

static bool load(struct parse *p, const char *text)
{
    g_autoptr(GError) why = NULL;

    if (strlen(text) > TEXT_BYTES_MAX)
        return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "too large for a profile");
    if (!g_key_file_load_from_data(p->file, text, strlen(text), G_KEY_FILE_KEEP_COMMENTS, &why))
        return refuse(p, TRACE_PROFILE_ERROR_FORMAT, "%s", why->message);
    return true;
}

struct trace_profile *trace_profile_parse(const char *text, const char *origin,
                                          trace_symbol_fn *symbol, void *user, GError **error)
{
    struct parse p = {.origin = origin,
                      .file = g_key_file_new(),
                      .symbol = symbol,
                      .user = user,
                      .profile = g_new0(struct trace_profile, 1),
                      .error = error};
    struct names names = {.parse = &p};
    bool ok;

    p.profile->points = g_ptr_array_new_with_free_func(point_free);
    ok = load(&p, text);
    if (ok) {
        names.definitions = definitions_of(p.file);
        ok = parse_head(&p, &names) && parse_points(&p, &names);
        g_hash_table_destroy(names.definitions);
    }
    if (ok)
        p.profile->text = g_key_file_to_data(p.file, NULL, NULL);
    g_key_file_free(p.file);
    if (ok)
        return p.profile;
    trace_profile_free(p.profile);
    return NULL;
}

void trace_profile_free(struct trace_profile *profile)
{
    if (!profile)
        return;
    g_ptr_array_free(profile->points, TRUE);
    trace_expr_free(profile->domid);
    trace_expr_free(profile->dom_vcpu);
    trace_expr_free(profile->user_root);
    trace_expr_free(profile->type_index);
    trace_expr_free(profile->type_count);
    trace_expr_free(profile->type_validated);
    g_free(profile->name);
    g_free(profile->build_id);
    g_free(profile->symbol);
    g_free(profile->text);
    g_free(profile);
}

bool trace_profile_is_for_symbols(const char *text, trace_symbol_fn *symbol, void *user)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *name = NULL;
    uint64_t address;

    if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
        return false;
    name = g_key_file_get_string(file, "profile", "symbol", NULL);
    return name && symbol(user, name, &address);
}

bool trace_profile_is_for(const char *text, const char *build_id)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_auto(GStrv) ids = NULL;

    if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
        return false;
    ids = g_key_file_get_string_list(file, "profile", "build-id", NULL, NULL);
    return ids && g_strv_contains((const char *const *)ids, build_id);
}
