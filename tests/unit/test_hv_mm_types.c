/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables that are half checked, and who may go on with them. */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/unit/hv_domain_world.h"

#define L1 1u
#define L2 2u
#define CHILDREN 40u
/* Units of work until an operation is stopped: so many entries, and the one that is not begun. */
#define STEP 10u
#define ENTRIES(stops) ((stops) * (STEP - 1))
#define STOPPED (-ERESTART)
#define TABLE 0x67ull /* present, writable, user, accessed, dirty */

#define EQ(a, b) cr_assert_eq((long)(a), (long)(b), "%s is %ld, not %ld", #a, (long)(a), (long)(b))

/* An L2 table with CHILDREN empty L1 tables. */
struct tree {
    uint64_t root, child[CHILDREN];
};

static struct tree tree_make(uint16_t id)
{
    struct tree t = {.root = domain_world_frame(id)};

    for (unsigned i = 0; i < CHILDREN; i++) {
        t.child[i] = domain_world_frame(id);
        domain_world_table(t.root)[i] = t.child[i] << 12 | TABLE;
    }
    return t;
}

/* What each frame has: the allocation's reference, and those of @users of the root and of its entries. */
static void tree_is(const struct tree *t, unsigned users)
{
    EQ(domain_world_valid(t->root), users != 0);
    EQ(domain_world_count(t->root), 1);
    EQ(domain_world_type_count(t->root), users);
    for (unsigned i = 0; i < CHILDREN; i++) {
        EQ(domain_world_count(t->child[i]), users ? 2 : 1);
        EQ(domain_world_type_count(t->child[i]), users != 0);
    }
}

/* Take the type, again and again if it has to be stopped.  Returns: how often it was. */
static unsigned get(uint64_t mfn)
{
    unsigned stops;
    int rc;

    for (stops = 0; (rc = domain_world_get(mfn, L2)) == STOPPED && stops < 100; stops++)
        while (domain_world_drain())
            ;
    EQ(rc, 0);
    return stops;
}

static void init(void)
{
    domain_world_init();
    EQ(domain_world_create(1, 2), 0);
    EQ(domain_world_create(2, 1), 0);
    domain_world_is(1, 0);
    domain_world_preempt(STEP);
}

TestSuite(hv_mm_types, .init = init, .fini = domain_world_fini);

Test(hv_mm_types, a_check_goes_on_where_it_was_stopped)
{
    struct tree t = tree_make(1);

    EQ(domain_world_get(t.root, L2), STOPPED);
    EQ(domain_world_entries(t.root), ENTRIES(1));
    EQ(domain_world_get(t.root, L2), STOPPED);
    EQ(domain_world_entries(t.root), ENTRIES(2));
    EQ(get(t.root), 2);
    tree_is(&t, 1);
    domain_world_put(t.root);
    while (domain_world_drain())
        ;
    tree_is(&t, 0);
}

Test(hv_mm_types, what_a_vcpu_left_half_checked_holds_nobody_up)
{
    struct tree t = tree_make(1);

    EQ(domain_world_get(t.root, L2), STOPPED);
    domain_world_is(1, 1);
    cr_assert_leq(get(t.root), 6);
    tree_is(&t, 1);
    domain_world_is(1, 0);
    EQ(get(t.root), 0);
    tree_is(&t, 2);
}

Test(hv_mm_types, nor_does_what_it_left_half_taken_apart)
{
    struct tree t = tree_make(1);

    get(t.root);
    domain_world_put(t.root);
    EQ(domain_world_drain(), STOPPED);
    domain_world_is(1, 1);
    cr_assert_leq(get(t.root), 6);
    tree_is(&t, 1);
}

Test(hv_mm_types, only_who_holds_the_table_loses_what_it_was_doing)
{
    struct tree t = tree_make(1), other = tree_make(2);

    domain_world_is(2, 0);
    for (unsigned i = 1; i <= 3; i++)
        EQ(domain_world_get(other.root, L2), STOPPED);
    domain_world_is(1, 0);
    EQ(domain_world_get(t.root, L2), STOPPED);
    domain_world_is(1, 1);
    get(t.root);
    tree_is(&t, 1);
    EQ(domain_world_entries(other.root), ENTRIES(3));
    domain_world_is(2, 0);
    EQ(get(other.root), 1);
    tree_is(&other, 1);
}

Test(hv_mm_types, the_end_of_a_domain_takes_apart_what_it_left)
{
    struct tree t = tree_make(1);
    uint64_t before;

    domain_world_is(0, 0);
    EQ(domain_world_create(3, 1), 0);
    before = domain_world_free();
    t = tree_make(3);
    domain_world_is(3, 0);
    EQ(domain_world_get(t.root, L2), STOPPED);
    domain_world_is(0, 0);
    domain_world_preempt(0);
    domain_world_kill(3);
    EQ(domain_world_exists(3), false);
    cr_assert_gt(domain_world_free(), before);
    for (unsigned i = 0; i < CHILDREN; i++)
        EQ(domain_world_count(t.child[i]), 0);
}
