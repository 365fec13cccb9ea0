/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that look into xenstore, and change it.
 */
#include "guests/dom0/commands_internal.h"

#include "guests/dom0/shell.h"
#include "guests/lib/console.h"
#include "guests/lib/string.h"

bool commands_store_write_failed(long error)
{
    return error ? !shell_fail("the store refuses: error %ld", error) : false;
}

/* ---- the store ---- */

/* `NAME:REST` is REST of the domain's own part of the store. */
static bool store_path(const char *word, char *path)
{
    char name[DOMAIN_NAME_BYTES];
    const char *colon = strchr(word, ':');
    struct domain *d;

    if (!colon) {
        print_to(path, STORE_PATH_BYTES, "%s", word);
        return store_path_check(path) || shell_fail("store: %s is no path", word);
    }
    print_to(name, sizeof name, "%s", word);
    if ((size_t)(colon - word) < sizeof name)
        name[colon - word] = '\0';
    d = commands_need_domain(name);
    if (!d)
        return false;
    print_to(path, STORE_PATH_BYTES, "%s", domain_path(d, colon + 1));
    return store_path_check(path) || shell_fail("store: %s is no path", word);
}

static void print_value(const struct store_node *node)
{
    for (u32 i = 0; i < node->value_bytes; i++)
        if (node->value[i] >= ' ' && node->value[i] < 127)
            print("%c", node->value[i]);
        else
            print("\\x%02x", node->value[i]);
}

static bool store_list(const char *path)
{
    const struct store_node *node = store_lookup(&domain_xenstore.tree, path);

    if (!node)
        return shell_fail("store: there is no %s", path);
    for (u32 i = 0; i < node->child_count; i++) {
        print("%s = \"", node->children[i]->name);
        print_value(node->children[i]);
        print("\"");
        for (u32 k = 0; k < node->children[i]->perm_count; k++)
            print(" %c%u", "nrwb"[node->children[i]->perms[k].mode & 3],
                  node->children[i]->perms[k].domid);
        print("\n");
    }
    return true;
}

bool command_store(char **words, u32 count)
{
    const char *what = words[1];
    const struct store_node *node;
    char path[STORE_PATH_BYTES];

    if (!store_path(count > 2 ? words[2] : "/", path))
        return false;
    if (!strcmp(what, "ls"))
        return store_list(path);
    if (!strcmp(what, "read") && count == 3) {
        node = store_lookup(&domain_xenstore.tree, path);
        if (!node)
            return shell_fail("store: there is no %s", path);
        print_value(node);
        print("\n");
        return true;
    }
    if (!strcmp(what, "write") && count == 4)
        return !commands_store_write_failed(xenstore_write(&domain_xenstore, path, words[3]));
    if (!strcmp(what, "rm") && count == 3)
        return !commands_store_write_failed(xenstore_remove(&domain_xenstore, path));
    return shell_fail("store: ls [PATH], read PATH, write PATH VALUE, or rm PATH");
}

static long link_one(struct domain *d, struct domain *peer, const char *role)
{
    char number[8];
    long error;

    print_to(number, sizeof number, "%u", peer->domid);
    error = xenstore_write(&domain_xenstore, domain_path(d, "data/role"), role);
    return error ? error : xenstore_write(&domain_xenstore, domain_path(d, "data/peer"), number);
}

/* Tell two domains of each other. */
bool command_link(char **words, u32 count)
{
    struct domain *one = commands_need_domain(words[1]), *two = one ? commands_need_domain(words[2]) : NULL;
    long error;

    (void)count;
    if (!two)
        return false;
    error = link_one(one, two, "first");
    return !commands_store_write_failed(error ? error : link_one(two, one, "second"));
}
