/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "guests/dom0/store.h"
#include "guests/lib/errno.h"
#include "tests/unit/guest_host.h"

static struct store store;
static u64 store_clock;

static void set_up(void)
{
    cr_assert_eq(store_init(&store, &store_clock), 0);
}

TestSuite(guests_store, .init = set_up);

static int write_text(u16 domid, const char *path, const char *value)
{
    return store_write(&store, domid, path, value, strlen(value));
}

static void expect_value(const struct store *tree, const char *path, const char *value)
{
    const struct store_node *node = store_lookup(tree, path);

    if (!value) {
        cr_assert_null(node, "%s is there", path);
        return;
    }
    cr_assert_not_null(node, "%s is not there", path);
    cr_assert(node->value_bytes == strlen(value) && !memcmp(node->value, value, strlen(value)),
              "%s: %.*s", path, (int)node->value_bytes, node->value);
}

static void give(u16 domid, const char *path)
{
    struct store_perm perms = {domid, 0};

    cr_assert_eq(store_mkdir(&store, 0, path), 0);
    cr_assert_eq(store_set_perms(&store, 0, path, &perms, 1), 0);
}

Test(guests_store, a_write_makes_what_is_missing)
{
    cr_assert_eq(write_text(0, "/a/b/c", "x"), 0);
    expect_value(&store, "/a/b/c", "x");
    expect_value(&store, "/a/b", "");
    expect_value(&store, "/a", "");
    expect_value(&store, "/a/b/c/d", NULL);
    cr_assert_eq(store_owned(&store, 0), 4, "%u nodes", store_owned(&store, 0));
}

Test(guests_store, children_are_sorted_and_found)
{
    char path[8];

    for (int i = 0; i < 26; i++) {
        snprintf(path, sizeof path, "/%c", 'a' + i * 7 % 26);
        cr_assert_eq(write_text(0, path, path + 1), 0);
    }
    cr_assert_eq(store.root->child_count, 26);
    for (u32 i = 0; i < 26; i++)
        cr_assert_eq(store.root->children[i]->name[0], (char)('a' + i), "child %u", i);
    expect_value(&store, "/q", "q");
}

Test(guests_store, removing_takes_all_below)
{
    write_text(0, "/a/b/c", "1");
    write_text(0, "/a/d", "2");
    cr_assert_eq(store_remove(&store, 0, "/a/b"), 0);
    expect_value(&store, "/a/b", NULL);
    expect_value(&store, "/a/b/c", NULL);
    expect_value(&store, "/a/d", "2");
    cr_assert_eq(store_owned(&store, 0), 3);
    /* As in xenstored: what is not there but could be counts as removed. */
    cr_assert_eq(store_remove(&store, 0, "/a/b"), 0);
    cr_assert_eq(store_remove(&store, 0, "/a/b/c"), -XEN_ENOENT);
    cr_assert_eq(store_remove(&store, 0, "/"), -XEN_EINVAL);
}

Test(guests_store, paths_are_checked)
{
    static const char *const good[] = {"/", "/a", "/a/b-c_d@e/09", "/A"};
    static const char *const bad[] = {"", "a", "/a/", "//", "/a//b", "/a b", "/a.b", "/\xc3\xa4", "/a/?"};
    char deep[2 * STORE_MAX_DEPTH + 3] = "", longest[STORE_PATH_BYTES + 2];

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_assert(store_path_check(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_assert_not(store_path_check(bad[i]), "%s", bad[i]);
    for (u32 i = 0; i < STORE_MAX_DEPTH; i++)
        strcat(deep, "/a");
    cr_assert(store_path_check(deep));
    strcat(deep, "/a");
    cr_assert_not(store_path_check(deep));
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[STORE_PATH_BYTES - 1] = '\0';
    cr_assert(store_path_check(longest));
    longest[STORE_PATH_BYTES - 1] = 'a';
    longest[STORE_PATH_BYTES] = '\0';
    cr_assert_not(store_path_check(longest));
}

Test(guests_store, permissions_decide)
{
    struct store_perm perms[] = {{1, 0}, {2, STORE_READ}, {3, STORE_READ | STORE_WRITE}};
    const struct store_node *node;

    write_text(0, "/secret", "x");
    give(1, "/one");
    cr_assert_eq(write_text(1, "/one/value", "mine"), 0);
    cr_assert_eq(store_set_perms(&store, 1, "/one/value", perms, 3), 0);

    cr_assert_eq(store_find(&store, 1, "/secret", STORE_READ, &node), -XEN_EACCES);
    cr_assert_eq(store_find(&store, 0, "/secret", STORE_READ, &node), 0);
    cr_assert_eq(store_find(&store, 2, "/one/value", STORE_READ, &node), 0);
    cr_assert_eq(write_text(2, "/one/value", "yours"), -XEN_EACCES);
    cr_assert_eq(write_text(3, "/one/value", "ours"), 0);
    cr_assert_eq(store_find(&store, 4, "/one/value", STORE_READ, &node), -XEN_EACCES);
    /* Who must not look into a folder must not learn what is not in it. */
    cr_assert_eq(store_find(&store, 4, "/one/nothing", STORE_READ, &node), -XEN_EACCES);
    cr_assert_eq(store_find(&store, 1, "/one/nothing", STORE_READ, &node), -XEN_ENOENT);
    cr_assert_eq(write_text(4, "/one/new", "x"), -XEN_EACCES);
    cr_assert_eq(store_remove(&store, 4, "/one"), -XEN_EACCES);
}

Test(guests_store, only_the_owner_sets_permissions_and_cannot_give_away)
{
    struct store_perm to_two = {2, 0}, open = {1, STORE_READ | STORE_WRITE};

    give(1, "/one");
    cr_assert_eq(store_set_perms(&store, 1, "/one", &to_two, 1), -XEN_EPERM);
    cr_assert_eq(store_set_perms(&store, 1, "/one", &open, 1), 0);
    cr_assert_eq(store_set_perms(&store, 2, "/one", &to_two, 1), -XEN_EACCES);
    cr_assert_eq(store_set_perms(&store, 0, "/one", &to_two, 1), 0);
    cr_assert_eq(store_owned(&store, 1), 0);
    cr_assert_eq(store_owned(&store, 2), 1);
}

Test(guests_store, a_new_node_has_the_permissions_above_and_its_maker_as_owner)
{
    struct store_perm open = {1, STORE_READ | STORE_WRITE};
    const struct store_node *node;

    give(1, "/one");
    store_set_perms(&store, 1, "/one", &open, 1);
    cr_assert_eq(write_text(2, "/one/two", "x"), 0);
    node = store_lookup(&store, "/one/two");
    cr_assert_eq(node->perms[0].domid, 2);
    cr_assert_eq(node->perms[0].mode, STORE_READ | STORE_WRITE);
    cr_assert_eq(write_text(0, "/one/zero", "x"), 0);
    cr_assert_eq(store_lookup(&store, "/one/zero")->perms[0].domid, 1);
}

Test(guests_store, a_domain_has_limits_and_domain_0_has_not)
{
    static char large[STORE_MAX_VALUE_BYTES + 1];
    char path[32];
    u32 made = 0;

    give(1, "/one");
    cr_assert_eq(store_write(&store, 1, "/one/v", large, STORE_MAX_VALUE_BYTES), 0);
    cr_assert_eq(store_write(&store, 1, "/one/v", large, sizeof large), -XEN_ENOSPC);
    cr_assert_eq(store_write(&store, 0, "/one/v", large, sizeof large), 0);
    for (;; made++) {
        int error;

        snprintf(path, sizeof path, "/one/%u", made);
        error = write_text(1, path, "");
        if (error) {
            cr_assert_eq(error, -XEN_ENOSPC);
            break;
        }
    }
    cr_assert_eq(store_owned(&store, 1), STORE_MAX_NODES);
    cr_assert_eq(store_remove(&store, 1, "/one/0"), 0);
    cr_assert_eq(write_text(1, "/one/again", ""), 0);
    cr_assert_eq(store_write(&store, 1, "/one/again/a/b", "", 0), -XEN_ENOSPC);
}

Test(guests_store, a_snapshot_stays_as_it_was)
{
    struct store before;
    u64 generation;

    write_text(0, "/a/b", "old");
    write_text(0, "/a/c", "kept");
    cr_assert_eq(store_snapshot(&store, &before), 0);
    generation = store_lookup(&store, "/a/c")->generation;
    write_text(0, "/a/b", "new");
    store_remove(&store, 0, "/a/c");
    write_text(0, "/z", "");
    expect_value(&before, "/a/b", "old");
    expect_value(&before, "/a/c", "kept");
    expect_value(&before, "/z", NULL);
    expect_value(&store, "/a/b", "new");
    expect_value(&store, "/a/c", NULL);
    cr_assert_eq(store_lookup(&before, "/a/c")->generation, generation);
    cr_assert_eq(store_owned(&before, 0), 4);
    store_fini(&before);
    expect_value(&store, "/a/b", "new");
}

Test(guests_store, without_memory_nothing_changes_and_nothing_leaks)
{
    size_t used;

    write_text(0, "/a/b", "old");
    for (u32 n = 1; n < 60; n++) {
        struct store copy;
        int error;

        cr_assert_eq(store_snapshot(&store, &copy), 0);
        host_heap_fail_after(n);
        error = write_text(0, "/a/b/c/d", "x");
        error = error ? error : write_text(0, "/a/b", "new");
        error = error ? error : store_remove(&store, 0, "/a/b/c");
        host_heap_fail_after(0);
        expect_value(&copy, "/a/b", "old");
        expect_value(&copy, "/a/b/c", NULL);
        if (error)
            cr_assert_eq(error, -XEN_ENOMEM, "allocation %u: %d", n, error);
        else
            expect_value(&store, "/a/b", "new");
        store_fini(&store);
        store = copy;
        cr_assert_eq(store_owned(&store, 0), 3);
        if (!error)
            break;
        cr_assert_lt(n, 59, "it never worked");
    }
    store_fini(&store);
    used = heap_used_bytes();
    cr_assert_eq(used, 0, "%zu bytes are left", used);
}

Test(guests_store, all_memory_comes_back)
{
    for (u16 domid = 1; domid < 200; domid++) {
        char path[32];

        snprintf(path, sizeof path, "/local/domain/%u", domid);
        give(domid, path);
        cr_assert_eq(store_remove(&store, 0, path), 0);
    }
    cr_assert_leq(store.owner_count, 1, "%u owners", store.owner_count);
    store_fini(&store);
    cr_assert_eq(heap_used_bytes(), 0, "%zu bytes are left", heap_used_bytes());
}
