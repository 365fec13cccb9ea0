/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work with another domain: a shared page, events to and fro, a copy by grant, the transfer of a frame.
 *
 * The toolstack tells each of the two the other's number (data/peer) and its role (data/role); the
 * rest they find out from each other through the store.
 */
#ifndef GUESTS_DOMU_PAIR_H
#define GUESTS_DOMU_PAIR_H

/** pair_start - start the thread, which waits for a peer. */
void pair_start(void);

#endif
