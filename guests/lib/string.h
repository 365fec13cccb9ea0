/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few functions of the C library that the compiler calls by itself, and their nearest kin.
 * They do what the C standard says.
 */
#ifndef GUESTS_LIB_STRING_H
#define GUESTS_LIB_STRING_H

#include "guests/lib/types.h"

void *memset(void *to, int byte, size_t size_bytes);
void *memcpy(void *to, const void *from, size_t size_bytes);
void *memmove(void *to, const void *from, size_t size_bytes);
int memcmp(const void *a, const void *b, size_t size_bytes);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max_bytes);
char *strchr(const char *text, int byte);
char *strstr(const char *text, const char *word);

#endif
