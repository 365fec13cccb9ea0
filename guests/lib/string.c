/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guests/lib/string.h"

void *memset(void *to, int byte, size_t size_bytes)
{
    void *at = to;

    __asm__ volatile("rep stosb" : "+D"(at), "+c"(size_bytes) : "a"(byte) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t size_bytes)
{
    void *at = to;

    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(size_bytes) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t size_bytes)
{
    u8 *d = to;
    const u8 *s = from;

    if (d <= s || d >= s + size_bytes)
        return memcpy(to, from, size_bytes);
    while (size_bytes--)
        d[size_bytes] = s[size_bytes];
    return to;
}

int memcmp(const void *a, const void *b, size_t size_bytes)
{
    const u8 *x = a, *y = b;

    for (; size_bytes; size_bytes--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t max_bytes)
{
    for (; max_bytes; max_bytes--, a++, b++) {
        if (*a != *b)
            return (u8)*a < (u8)*b ? -1 : 1;
        if (!*a)
            break;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *text, int byte)
{
    for (; *text != (char)byte; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

char *strstr(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; *text; text++)
        if (!strncmp(text, word, n))
            return (char *)text;
    return n ? NULL : (char *)text;
}
