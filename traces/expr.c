/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions: a recursive-descent parser that writes code for a small stack machine.
 *
 * Definitions are parsed in place, with their argument's value in a slot of its own, so that an
 * argument is evaluated once.  Code is checked for stack use when it is made: evaluation cannot
 * overflow.
 */
#include "traces/expr.h"

#include <string.h>

#include "sim/base/assert.h"
#include "sim/base/types.h"

G_DEFINE_QUARK(paravane-trace-expr-error-quark, trace_expr_error)

#define DEPTH_MAX   24  /* values on the stack */
#define SLOTS_MAX   24  /* arguments of definitions */
#define CODE_MAX    512
#define NESTING_MAX 40  /* of the parser */
#define NAME_MAX_BYTES 64

enum op {
    OP_NUMBER,
    OP_REGISTER,
    OP_RET,
    OP_ARGUMENT,
    OP_LOAD,  /* .a: bytes */
    OP_SIGN,  /* .a: bits */
    OP_STORE_SLOT,
    OP_SLOT,
    OP_NOT, OP_INVERT, OP_NEGATE,
    OP_JUMP_IF_ZERO, OP_JUMP, /* .number: to */
    OP_OR, OP_XOR, OP_AND,
    OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE,
    OP_SHL, OP_SHR, OP_ADD, OP_SUB, OP_MUL,
};

struct insn {
    uint8_t op;
    uint8_t a;
    uint64_t number;
};

struct trace_expr {
    unsigned size;
    bool needs_exit;
    struct insn code[];
};

struct parser {
    const struct trace_expr_names *names;
    const char *text, *at; /* of the definition at hand */
    int slot;              /* of its argument; -1: none */
    unsigned slots, depth, nesting, size;
    bool needs_exit, failed;
    struct insn code[CODE_MAX];
    GError **error;
};

static void fail(struct parser *p, enum trace_expr_error code, const char *what, const char *name)
{
    if (!p->failed)
        g_set_error(p->error, TRACE_EXPR_ERROR, code, "%s%s at column %d of \"%s\"", what, name,
                    (int)(p->at - p->text) + 1, p->text);
    p->failed = true;
}

static void emit(struct parser *p, enum op op, uint8_t a, uint64_t number, int grows)
{
    if (p->failed)
        return;
    if (p->size == CODE_MAX || (int)p->depth + grows > DEPTH_MAX) {
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "expression too large", "");
        return;
    }
    p->code[p->size++] = (struct insn){(uint8_t)op, a, number};
    p->depth = (unsigned)((int)p->depth + grows);
}

static void skip_space(struct parser *p)
{
    while (*p->at == ' ' || *p->at == '\t')
        p->at++;
}

static bool accept(struct parser *p, const char *token)
{
    size_t size = strlen(token);

    skip_space(p);
    if (strncmp(p->at, token, size) != 0)
        return false;
    p->at += size;
    return true;
}

static void expect(struct parser *p, const char *token)
{
    if (!accept(p, token))
        fail(p, TRACE_EXPR_ERROR_SYNTAX, token, " is missing");
}

static void ternary(struct parser *p);

static void definition(struct parser *p, const char *name, const char *text)
{
    const char *text_before = p->text, *at_before = p->at;
    int slot_before = p->slot, slot = -1;

    if (accept(p, "(")) {
        ternary(p);
        expect(p, ")");
        if (p->slots == SLOTS_MAX) {
            fail(p, TRACE_EXPR_ERROR_SYNTAX, "too many definitions used, at ", name);
            return;
        }
        slot = (int)p->slots++;
        emit(p, OP_STORE_SLOT, (uint8_t)slot, 0, -1);
        at_before = p->at;
    }
    if (p->failed)
        return;
    p->text = p->at = text;
    p->slot = slot;
    ternary(p);
    skip_space(p);
    if (*p->at)
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "something is left over", "");
    p->text = text_before;
    p->at = at_before;
    p->slot = slot_before;
}

static bool register_number(const char *name, unsigned *number)
{
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    for (*number = 0; *number < 16; ++*number)
        if (strcmp(names[*number], name) == 0)
            return true;
    return false;
}

static bool name_at(struct parser *p, char name[NAME_MAX_BYTES])
{
    size_t n = 0;

    skip_space(p);
    while (g_ascii_isalnum(p->at[n]) || p->at[n] == '_' || p->at[n] == '.')
        n++;
    if (n == 0 || n >= NAME_MAX_BYTES)
        return false;
    memcpy(name, p->at, n);
    name[n] = '\0';
    p->at += n;
    return true;
}

static void symbol(struct parser *p)
{
    char name[NAME_MAX_BYTES];
    uint64_t address;

    if (!name_at(p, name))
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "& wants a symbol's name", "");
    else if (!p->names->symbol || !p->names->symbol(p->names->user, name, &address))
        fail(p, TRACE_EXPR_ERROR_NAME, "no symbol ", name);
    else
        emit(p, OP_NUMBER, 0, address, 1);
}

/* u8[..] to u64[..], i8(..) to i32(..): *bits, or false. */
static bool sized(const char *name, char kind, unsigned *bits)
{
    static const char *const widths[] = {"8", "16", "32", "64"};

    for (unsigned i = 0; i < ARRAY_LEN(widths); i++) {
        *bits = 8u << i;
        if (name[0] == kind && strcmp(name + 1, widths[i]) == 0)
            return true;
    }
    return false;
}

static void named(struct parser *p, const char *name)
{
    const char *text = NULL;
    unsigned number;

    if (sized(name, 'u', &number)) {
        expect(p, "[");
        ternary(p);
        expect(p, "]");
        emit(p, OP_LOAD, (uint8_t)(number / 8), 0, 0);
    } else if (sized(name, 'i', &number)) {
        expect(p, "(");
        ternary(p);
        expect(p, ")");
        emit(p, OP_SIGN, (uint8_t)number, 0, 0);
    } else if (register_number(name, &number)) {
        emit(p, OP_REGISTER, (uint8_t)number, 0, 1);
    } else if (strcmp(name, "ret") == 0) {
        p->needs_exit = true;
        emit(p, OP_RET, 0, 0, 1);
    } else {
        if (p->names->definition)
            text = p->names->definition(p->names->user, name);
        if (text)
            definition(p, name, text);
        else
            fail(p, TRACE_EXPR_ERROR_NAME, "no definition of ", name);
    }
}

static void number(struct parser *p)
{
    char *end;
    guint64 value = g_ascii_strtoull(p->at, &end, 0);

    if (end == p->at || g_ascii_isalnum(*end) || *end == '_')
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "not a number", "");
    p->at = end;
    emit(p, OP_NUMBER, 0, value, 1);
}

static void operand(struct parser *p)
{
    char name[NAME_MAX_BYTES];

    if (p->failed || ++p->nesting > NESTING_MAX) {
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "nested too deep (a definition that uses itself?)", "");
        return;
    }
    skip_space(p);
    if (accept(p, "(")) {
        ternary(p);
        expect(p, ")");
    } else if (accept(p, "~")) {
        operand(p);
        emit(p, OP_INVERT, 0, 0, 0);
    } else if (accept(p, "!")) {
        operand(p);
        emit(p, OP_NOT, 0, 0, 0);
    } else if (accept(p, "-")) {
        operand(p);
        emit(p, OP_NEGATE, 0, 0, 0);
    } else if (accept(p, "&")) {
        symbol(p);
    } else if (accept(p, "$")) {
        emit(p, p->slot >= 0 ? OP_SLOT : OP_ARGUMENT, (uint8_t)MAX(p->slot, 0), 0, 1);
    } else if (g_ascii_isdigit(*p->at)) {
        number(p);
    } else if (name_at(p, name)) {
        named(p, name);
    } else {
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "a value is missing", "");
    }
    p->nesting--;
}

/* Binary operators by strength; a longer token stands before one that it begins with. */
struct binary {
    const char *token;
    const char *not_before; /* ... unless one of these follows */
    uint8_t strength;
    uint8_t op;
};
static const struct binary binaries[] = {
    {"|", "|", 1, OP_OR},    {"^", "", 2, OP_XOR},    {"&", "&", 3, OP_AND},  {"==", "", 4, OP_EQ},
    {"!=", "", 4, OP_NE},    {"<<", "", 5, OP_SHL},   {">>", "", 5, OP_SHR},  {"<=", "", 4, OP_LE},
    {">=", "", 4, OP_GE},    {"<", "", 4, OP_LT},     {">", "", 4, OP_GT},    {"+", "", 6, OP_ADD},
    {"-", "", 6, OP_SUB},    {"*", "", 7, OP_MUL},
};

static const struct binary *binary_at(struct parser *p)
{
    skip_space(p);
    for (unsigned i = 0; i < ARRAY_LEN(binaries); i++) {
        const struct binary *b = &binaries[i];
        size_t size = strlen(b->token);

        if (strncmp(p->at, b->token, size) == 0 &&
            !(b->not_before[0] && p->at[size] == b->not_before[0]))
            return b;
    }
    return NULL;
}

static void binary(struct parser *p, unsigned weakest)
{
    const struct binary *b;

    operand(p);
    while (!p->failed && (b = binary_at(p)) != NULL && b->strength >= weakest) {
        p->at += strlen(b->token);
        binary(p, b->strength + 1u);
        emit(p, (enum op)b->op, 0, 0, -1);
    }
}

static void ternary(struct parser *p)
{
    unsigned otherwise, end, depth;

    binary(p, 0);
    if (p->failed || !accept(p, "?"))
        return;
    otherwise = p->size;
    emit(p, OP_JUMP_IF_ZERO, 0, 0, -1);
    depth = p->depth;
    ternary(p);
    expect(p, ":");
    end = p->size;
    emit(p, OP_JUMP, 0, 0, 0);
    if (p->failed)
        return;
    p->code[otherwise].number = p->size;
    p->depth = depth;
    ternary(p);
    p->code[end].number = p->size;
}

struct trace_expr *trace_expr_compile(const char *text, const struct trace_expr_names *names,
                                      GError **error)
{
    static const struct trace_expr_names nobody;
    struct parser *p = g_new0(struct parser, 1);
    struct trace_expr *expr = NULL;

    p->names = names ? names : &nobody;
    p->text = p->at = text;
    p->slot = -1;
    p->error = error;
    ternary(p);
    skip_space(p);
    if (!p->failed && *p->at)
        fail(p, TRACE_EXPR_ERROR_SYNTAX, "something is left over", "");
    if (!p->failed) {
        BASE_ASSERT(p->depth == 1);
        expr = g_malloc0(sizeof(*expr) + p->size * sizeof(p->code[0]));
        expr->size = p->size;
        expr->needs_exit = p->needs_exit;
        memcpy(expr->code, p->code, p->size * sizeof(p->code[0]));
    }
    g_free(p);
    return expr;
}

void trace_expr_free(struct trace_expr *expr)
{
    g_free(expr);
}

bool trace_expr_needs_exit(const struct trace_expr *expr)
{
    return expr->needs_exit;
}

/* ---- evaluation ---- */

static uint64_t apply(enum op op, uint64_t a, uint64_t b)
{
    switch (op) {
    case OP_OR:
        return a | b;
    case OP_XOR:
        return a ^ b;
    case OP_AND:
        return a & b;
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_LT:
        return a < b;
    case OP_LE:
        return a <= b;
    case OP_GT:
        return a > b;
    case OP_GE:
        return a >= b;
    case OP_SHL:
        return b < 64 ? a << b : 0;
    case OP_SHR:
        return b < 64 ? a >> b : 0;
    case OP_ADD:
        return a + b;
    case OP_SUB:
        return a - b;
    default: /* OP_MUL */
        return a * b;
    }
}

static uint64_t extend(uint64_t value, unsigned bits)
{
    return bits == 64 ? value : (uint64_t)((int64_t)(value << (64 - bits)) >> (64 - bits));
}

bool trace_expr_value(const struct trace_expr *expr, const struct trace_expr_frame *frame,
                      uint64_t *value)
{
    uint64_t stack[DEPTH_MAX + 1], slot[SLOTS_MAX], *top = stack; /* stack[0] is not used */

    *value = 0;
    for (unsigned i = 0; i < expr->size; i++) {
        const struct insn *in = &expr->code[i];

        switch ((enum op)in->op) {
        case OP_NUMBER:
            *++top = in->number;
            break;
        case OP_REGISTER:
            *++top = frame->entry[in->a];
            break;
        case OP_RET:
            if (!frame->exit)
                return false;
            *++top = frame->exit[BASE_RAX];
            break;
        case OP_ARGUMENT:
            *++top = frame->argument;
            break;
        case OP_LOAD: {
            uint64_t loaded = 0;

            if (frame->guest->read(frame->guest->user, *top, &loaded, in->a) != in->a)
                return false;
            *top = loaded;
            break;
        }
        case OP_SIGN:
            *top = extend(*top, in->a);
            break;
        case OP_STORE_SLOT:
            slot[in->a] = *top--;
            break;
        case OP_SLOT:
            *++top = slot[in->a];
            break;
        case OP_NOT:
            *top = !*top;
            break;
        case OP_INVERT:
            *top = ~*top;
            break;
        case OP_NEGATE:
            *top = -*top;
            break;
        case OP_JUMP_IF_ZERO:
            if (!*top--)
                i = (unsigned)in->number - 1;
            break;
        case OP_JUMP:
            i = (unsigned)in->number - 1;
            break;
        default:
            top--;
            *top = apply((enum op)in->op, top[0], top[1]);
        }
    }
    *value = *top;
    return true;
}
