/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore for the threads of this kernel: one request at a time, sleeping until its answer is there,
 * and a thread that listens to the watches.
 */
#ifndef GUESTS_DOMU_STORE_H
#define GUESTS_DOMU_STORE_H

#include "guests/lib/types.h"

/**
 * store_start - connect; start the thread.
 * Returns: false when this domain has no store.
 */
bool store_start(void);

/** store_watch - call @changed, in the listening thread, once now and at every change of @path. */
void store_watch(const char *path, void (*changed)(void));

int store_read(const char *path, char *value, size_t size_bytes);
int store_write(const char *path, const char *value);
/** store_share - let @domid read @path, which is ours. */
int store_share(const char *path, u16 domid);
/** store_take - read a value and leave an empty one behind, in one transaction. */
int store_take(const char *path, char *value, size_t size_bytes);

/** store_read_number - a decimal number, or @otherwise. */
u64 store_read_number(const char *path, u64 otherwise);
int store_write_number(const char *path, u64 value);

#endif
