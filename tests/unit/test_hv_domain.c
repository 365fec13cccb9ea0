/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/unit/hv_domain_world.h"

TestSuite(hv_domain, .init = domain_world_init, .fini = domain_world_fini);

#define EQ(a, b) cr_assert_eq((long)(a), (long)(b), "with %u frames: %s is %ld, not %ld", n, #a, (long)(a), (long)(b))
/* More frames than a domain with as many vCPUs as there can be needs before it has memory. */
#define ENOUGH 200u

Test(hv_domain, one_that_cannot_be_created_leaves_nothing)
{
    unsigned n;

    for (n = 0; n < ENOUGH; n++) {
        int rc;

        domain_world_leave(n);
        EQ(domain_world_free(), n);
        rc = domain_world_create(7, 0);
        if (!rc)
            break;
        EQ(rc, -ENOMEM);
        EQ(domain_world_exists(7), false);
        EQ(domain_world_free(), n);
    }
    /* Itself, two tables, shared info, ports, grants with what belongs to them: each was the one to fail. */
    cr_assert_geq(n, 8, "%u frames are enough", n);
    cr_assert_lt(n, ENOUGH, "%u frames are not enough", n);
    EQ(domain_world_free(), 0);
    domain_world_kill(7);
    EQ(domain_world_exists(7), false);
    EQ(domain_world_free(), n);
}

Test(hv_domain, one_without_room_for_its_vcpus_leaves_nothing_at_its_end)
{
    unsigned n, few = 0;

    for (n = 0; n < ENOUGH; n++) {
        int rc;

        domain_world_leave(n);
        rc = domain_world_create(7, 20);
        if (!rc)
            break;
        EQ(rc, -ENOMEM);
        if (!domain_world_exists(7))
            continue;
        few += domain_world_vcpus(7) && domain_world_vcpus(7) < 20;
        domain_world_kill(7);
        EQ(domain_world_exists(7), false);
        EQ(domain_world_free(), n);
    }
    cr_assert_lt(n, ENOUGH, "%u frames are not enough", n);
    cr_assert_geq(few, 19, "only %u times there was room for some of them", few);
    domain_world_kill(7);
    EQ(domain_world_free(), n);
}

Test(hv_domain, a_number_is_used_once)
{
    unsigned n = 100;

    domain_world_leave(n);
    EQ(domain_world_create(7, 1), 0);
    n = domain_world_free();
    EQ(domain_world_create(7, 1), -EEXIST);
    EQ(domain_world_free(), n);
    domain_world_kill(7);
    EQ(domain_world_create(7, 1), 0);
    EQ(domain_world_free(), n);
}
