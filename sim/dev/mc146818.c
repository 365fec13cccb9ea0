/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MC146818.
 *
 * The ten time bytes and the century lie in ram[] as they were at the instant base_ns, at
 * which a second began; what the guest sees later is computed from them, and bytes that
 * make no sense stay as they are until the next second.  The divider is at 0 at base_ns.
 *
 *      one second:  |<---------------- 1 s ---------------->|
 *      UIP          ______________________________/~~~~~~~~~\___
 *                                                 244 us + 1984 us before the new second
 *
 * Invariants
 *  1. Flags of register C are set by rtc_sync(), which looks at all that happened since the
 *     last time, synced_ns; it runs before every write and reading of C and in the event.
 *  2. The event is armed for the next instant at which an enabled flag that is clear would be
 *     set, and only then: a clock with its interrupts off costs nothing.
 *  3. base_ns <= synced_ns <= now.
 *  4. While SET is 1 or the divider is held in reset no second passes (RTC_STOPPED).
 */
#include "sim/dev/mc146818.h"

#include <glib.h>
#include <string.h>

#include "sim/dev/ticks.h"

#define RTC_NS           1000000000ll
#define RTC_DAY          86400ll
#define RTC_XTAL_HZ      32768
#define RTC_UIP_NS       (244000 + 1984000) /* data sheet table 6, 32.768 kHz time base */
#define RTC_FIRST_SECOND (RTC_NS / 2)       /* after the divider is let go */
#define RTC_RAM          128
#define RTC_IRQ          8
#define RTC_ANY          0xc0 /* an alarm byte of 0xc0 to 0xff matches everything */

/* Bytes of ram[]. */
enum {
    B_SECOND,
    B_SECOND_ALARM,
    B_MINUTE,
    B_MINUTE_ALARM,
    B_HOUR,
    B_HOUR_ALARM,
    B_WEEKDAY,
    B_DAY,
    B_MONTH,
    B_YEAR,
    B_A,
    B_B,
    B_C,
    B_D,
    B_EQUIPMENT = 0x14,
    B_BASE_KIB = 0x15,
    B_EXTENDED_KIB = 0x17,
    B_CHECKSUM = 0x2e,
    B_EXTENDED_KIB_2 = 0x30,
    B_CENTURY = 0x32,
    B_ABOVE_16M = 0x34,
    B_ABOVE_4G = 0x5b,
};

enum { A_UIP = 0x80, A_DV_RESET = 0x60, A_RATE = 0x0f };
enum { C_IRQF = 0x80, FLAG_PF = 0x40, FLAG_AF = 0x20, FLAG_UF = 0x10, FLAGS = 0x70 };
enum { BB_SET = 0x80, BB_UIE = 0x10, BB_BINARY = 4, BB_24H = 2 };
enum { D_VALID = 0x80, HOUR_PM = 0x80 };

struct mc146818 {
    const struct sim_services *sv;
    struct sim_irq irq;
    struct sim_event event;
    int64_t base_ns;    /* when the second of the bytes in ram[] began; may be before 0 */
    uint64_t synced_ns; /* up to which flags are set */
    uint8_t index;      /* port 0x70: bit 7 masks NMI */
    uint8_t flags;      /* PF, AF, UF */
    uint8_t ram[RTC_RAM];
};

/* A date in numbers. */
struct date {
    int64_t year;
    unsigned month, day, weekday; /* from 1; weekday 1 is Sunday */
    unsigned second_of_day;
};

static bool rtc_stopped(const struct mc146818 *r)
{
    return (r->ram[B_B] & BB_SET) || (r->ram[B_A] & A_DV_RESET) == A_DV_RESET;
}

static bool rtc_divider_reset(const struct mc146818 *r)
{
    return (r->ram[B_A] & A_DV_RESET) == A_DV_RESET;
}

/* Days from 1970-01-01 to a date, proleptic Gregorian.  Counting years from March puts the
 * leap day last; a cycle of 400 years has 146097 days. */
static int64_t days_of_date(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t cycle = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_cycle = y - cycle * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return cycle * 146097 + year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 +
           day_of_year - 719468;
}

static void date_of_days(int64_t days, struct date *out)
{
    int64_t shifted = days + 719468;
    int64_t cycle = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t rest = shifted - cycle * 146097;
    int64_t y = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t day_of_year = rest - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * day_of_year + 2) / 153;

    out->day = (unsigned)(day_of_year - (153 * m + 2) / 5 + 1);
    out->month = (unsigned)(m < 10 ? m + 3 : m - 9);
    out->year = y + cycle * 400 + (out->month <= 2);
}

static uint8_t rtc_encode(const struct mc146818 *r, unsigned value)
{
    if (r->ram[B_B] & BB_BINARY)
        return (uint8_t)value;
    return (uint8_t)((value / 10 % 10) << 4 | value % 10);
}

static unsigned rtc_decode(const struct mc146818 *r, uint8_t byte)
{
    return (r->ram[B_B] & BB_BINARY) ? byte : (byte >> 4) * 10u + (byte & 15);
}

static uint8_t rtc_encode_hour(const struct mc146818 *r, unsigned hour)
{
    if (r->ram[B_B] & BB_24H)
        return rtc_encode(r, hour);
    return rtc_encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned rtc_decode_hour(const struct mc146818 *r, uint8_t byte)
{
    if (r->ram[B_B] & BB_24H)
        return MIN(rtc_decode(r, byte), 23);
    return rtc_decode(r, byte & 0x7f) % 12 + ((byte & HOUR_PM) ? 12 : 0);
}

/* The bytes of @ram as a date; what is out of range counts as the nearest that is not. */
static void rtc_decode_date(const struct mc146818 *r, const uint8_t *ram, struct date *out)
{
    out->year = 100 * rtc_decode(r, ram[B_CENTURY]) + rtc_decode(r, ram[B_YEAR]);
    out->month = CLAMP(rtc_decode(r, ram[B_MONTH]), 1, 12);
    out->day = CLAMP(rtc_decode(r, ram[B_DAY]), 1, 31);
    out->weekday = CLAMP(rtc_decode(r, ram[B_WEEKDAY]), 1, 7);
    out->second_of_day = rtc_decode_hour(r, ram[B_HOUR]) * 3600 +
                         MIN(rtc_decode(r, ram[B_MINUTE]), 59) * 60 +
                         MIN(rtc_decode(r, ram[B_SECOND]), 59);
}

static void rtc_encode_date(const struct mc146818 *r, const struct date *date, uint8_t *ram)
{
    ram[B_CENTURY] = rtc_encode(r, (unsigned)(date->year / 100));
    ram[B_YEAR] = rtc_encode(r, (unsigned)(date->year % 100));
    ram[B_MONTH] = rtc_encode(r, date->month);
    ram[B_DAY] = rtc_encode(r, date->day);
    ram[B_WEEKDAY] = rtc_encode(r, date->weekday);
    ram[B_HOUR] = rtc_encode_hour(r, date->second_of_day / 3600);
    ram[B_MINUTE] = rtc_encode(r, date->second_of_day / 60 % 60);
    ram[B_SECOND] = rtc_encode(r, date->second_of_day % 60);
}

static uint64_t rtc_now(const struct mc146818 *r)
{
    return sim_timeline_now_ns(r->sv->timeline);
}

/* Whole seconds from base_ns to @ns. */
static int64_t rtc_seconds_at(const struct mc146818 *r, uint64_t ns)
{
    int64_t since = (int64_t)ns - r->base_ns;

    return since < 0 ? 0 : since / RTC_NS;
}

/* The time bytes at @ns, into @ram (as long as r->ram). */
static void rtc_time_at(const struct mc146818 *r, uint64_t ns, uint8_t *ram)
{
    int64_t seconds = rtc_stopped(r) ? 0 : rtc_seconds_at(r, ns);
    struct date date;
    int64_t total, days;

    memcpy(ram, r->ram, RTC_RAM);
    if (seconds == 0)
        return;
    rtc_decode_date(r, ram, &date);
    total = date.second_of_day + seconds;
    days = total / RTC_DAY;
    date.second_of_day = (unsigned)(total % RTC_DAY);
    date.weekday = (unsigned)((date.weekday - 1 + days) % 7 + 1);
    if (days > 0)
        date_of_days(days_of_date(date.year, date.month, date.day) + days, &date);
    rtc_encode_date(r, &date, ram);
}

/* Make the bytes in ram[] those of @ns; the phase of the second stays. */
static void rtc_rebase(struct mc146818 *r, uint64_t ns)
{
    uint8_t now[RTC_RAM];
    int64_t seconds = rtc_seconds_at(r, ns);

    rtc_time_at(r, ns, now);
    memcpy(r->ram, now, RTC_RAM);
    r->base_ns += seconds * RTC_NS;
}

/* Whether the alarm byte at @at matches what the clock shows as @shown. */
static bool rtc_alarm_matches(const struct mc146818 *r, unsigned at, uint8_t shown)
{
    return r->ram[at] >= RTC_ANY || r->ram[at] == shown;
}

/* First second of the day at or after @from that the alarm bytes match; -1 if none. */
static int64_t rtc_alarm_from(const struct mc146818 *r, unsigned from)
{
    for (unsigned h = from / 3600; h < 24; h++) {
        if (!rtc_alarm_matches(r, B_HOUR_ALARM, rtc_encode_hour(r, h)))
            continue;
        for (unsigned m = 0; m < 60; m++) {
            if (h * 3600 + m * 60 + 59 < from ||
                !rtc_alarm_matches(r, B_MINUTE_ALARM, rtc_encode(r, m)))
                continue;
            for (unsigned s = 0; s < 60; s++)
                if (h * 3600 + m * 60 + s >= from &&
                    rtc_alarm_matches(r, B_SECOND_ALARM, rtc_encode(r, s)))
                    return h * 3600 + m * 60 + s;
        }
    }
    return -1;
}

/* Number of the first update after number @done (from base_ns) that the alarm matches;
 * -1 if none does. */
static int64_t rtc_next_alarm(const struct mc146818 *r, int64_t done)
{
    struct date date;
    int64_t next, second, match;

    rtc_decode_date(r, r->ram, &date);
    next = done + 1;
    second = (date.second_of_day + next) % RTC_DAY;
    match = rtc_alarm_from(r, (unsigned)second);
    if (match < 0) {
        match = rtc_alarm_from(r, 0);
        if (match < 0)
            return -1;
        match += RTC_DAY;
    }
    return next + match - second;
}

/* Clocks of the 32.768 kHz divider since base_ns. */
static int64_t rtc_xtal_at(const struct mc146818 *r, uint64_t ns)
{
    return (int64_t)ticks_at(ns - (uint64_t)r->base_ns, RTC_XTAL_HZ);
}

/* Period of PF in clocks, data sheet table 5; 0: none. */
static unsigned rtc_period(const struct mc146818 *r)
{
    unsigned rate = r->ram[B_A] & A_RATE;

    if (rate == 0 || rtc_divider_reset(r))
        return 0;
    return 1u << (rate <= 2 ? rate + 6 : rate - 1);
}

static void rtc_sync(struct mc146818 *r)
{
    uint64_t now = rtc_now(r);
    int64_t before = rtc_seconds_at(r, r->synced_ns), after = rtc_seconds_at(r, now);
    unsigned period = rtc_period(r);

    if (period && rtc_xtal_at(r, now) / period > rtc_xtal_at(r, r->synced_ns) / period)
        r->flags |= FLAG_PF;
    if (!rtc_stopped(r) && after > before) {
        int64_t alarm = rtc_next_alarm(r, before);

        r->flags |= FLAG_UF;
        if (alarm >= 0 && alarm <= after)
            r->flags |= FLAG_AF;
    }
    r->synced_ns = now;
}

static uint64_t rtc_next_period_ns(const struct mc146818 *r)
{
    int64_t period = rtc_period(r);
    int64_t clock = (rtc_xtal_at(r, r->synced_ns) / period + 1) * period;

    return (uint64_t)r->base_ns + ticks_ns((uint64_t)clock, RTC_XTAL_HZ);
}

/* Drive the line and arm the event, after rtc_sync() and any change. */
static void rtc_update(struct mc146818 *r)
{
    uint8_t wanted = r->ram[B_B] & FLAGS & (uint8_t)~r->flags;
    int64_t done = rtc_seconds_at(r, r->synced_ns);
    uint64_t next = SIM_TIME_NEVER;

    sim_irq_set(&r->irq, r->flags & r->ram[B_B] & FLAGS);
    if ((wanted & FLAG_PF) && rtc_period(r))
        next = rtc_next_period_ns(r);
    if ((wanted & FLAG_UF) && !rtc_stopped(r))
        next = MIN(next, (uint64_t)(r->base_ns + (done + 1) * RTC_NS));
    if ((wanted & FLAG_AF) && !rtc_stopped(r)) {
        int64_t alarm = rtc_next_alarm(r, done);

        if (alarm >= 0)
            next = MIN(next, (uint64_t)(r->base_ns + alarm * RTC_NS));
    }
    if (next == SIM_TIME_NEVER)
        sim_event_cancel(r->sv->timeline, &r->event);
    else
        sim_event_arm(r->sv->timeline, &r->event, next);
}

static void rtc_event(void *user, uint64_t due_ns)
{
    struct mc146818 *r = user;

    (void)due_ns;
    rtc_sync(r);
    rtc_update(r);
}

static uint8_t rtc_read_a(const struct mc146818 *r)
{
    int64_t since = (int64_t)rtc_now(r) - r->base_ns;
    bool updating = !rtc_stopped(r) && since % RTC_NS >= RTC_NS - RTC_UIP_NS;

    return r->ram[B_A] | (updating ? A_UIP : 0);
}

static uint8_t rtc_read_c(struct mc146818 *r)
{
    uint8_t value;

    rtc_sync(r);
    value = r->flags | ((r->flags & r->ram[B_B] & FLAGS) ? C_IRQF : 0);
    r->flags = 0;
    rtc_update(r);
    return value;
}

static bool rtc_is_time_byte(unsigned at)
{
    return at == B_CENTURY ||
           (at <= B_YEAR && at != B_SECOND_ALARM && at != B_MINUTE_ALARM && at != B_HOUR_ALARM);
}

/* Only register C needs rtc_sync(): the others are read in loops and are a function of time. */
static uint32_t rtc_read(void *dev, uint16_t offset, unsigned size_bytes)
{
    struct mc146818 *r = dev;
    unsigned at = r->index & (RTC_RAM - 1);
    uint8_t time[RTC_RAM];

    (void)size_bytes;
    if (offset == 0)
        return 0xff; /* the index cannot be read */
    if (rtc_is_time_byte(at)) {
        rtc_time_at(r, rtc_now(r), time);
        return time[at];
    }
    if (at == B_C)
        return rtc_read_c(r);
    return at == B_A ? rtc_read_a(r) : r->ram[at];
}

/* Letting the divider go: the first update comes half a second later. */
static void rtc_write_a(struct mc146818 *r, uint8_t value)
{
    uint64_t now = rtc_now(r);
    bool was_reset = rtc_divider_reset(r);

    if (!rtc_stopped(r))
        rtc_rebase(r, now);
    r->ram[B_A] = value & (uint8_t)~A_UIP;
    if (was_reset && !rtc_divider_reset(r))
        r->base_ns = (int64_t)now - (RTC_NS - RTC_FIRST_SECOND);
}

/* SET stops the updates but not the divider: the phase of the second stays.  It clears UIE. */
static void rtc_write_b(struct mc146818 *r, uint8_t value)
{
    uint64_t now = rtc_now(r);
    bool stopped = rtc_stopped(r);
    int64_t seconds = rtc_seconds_at(r, now);

    if (!stopped)
        rtc_rebase(r, now);
    else if (!rtc_divider_reset(r))
        r->base_ns += seconds * RTC_NS;
    r->ram[B_B] = (value & BB_SET) ? value & (uint8_t)~BB_UIE : value;
}

static void rtc_write_data(struct mc146818 *r, unsigned at, uint8_t value)
{
    switch (at) {
    case B_A:
        rtc_write_a(r, value);
        break;
    case B_B:
        rtc_write_b(r, value);
        break;
    case B_C:
    case B_D:
        break; /* read-only */
    default:
        if (rtc_is_time_byte(at) && !rtc_stopped(r))
            rtc_rebase(r, rtc_now(r));
        r->ram[at] = value;
        break;
    }
}

static void rtc_write(void *dev, uint16_t offset, unsigned size_bytes, uint32_t value)
{
    struct mc146818 *r = dev;

    (void)size_bytes;
    if (offset == 0) {
        r->index = (uint8_t)value;
        return;
    }
    rtc_sync(r);
    rtc_write_data(r, r->index & (RTC_RAM - 1), (uint8_t)value);
    rtc_update(r);
}

static const struct sim_port_ops rtc_ports = {rtc_read, rtc_write, 1};

static void put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* What a PC's set-up program leaves about memory.  RAM above 3 GiB lies above 4 GiB. */
static void rtc_fill_memory_bytes(struct mc146818 *r, uint64_t memory_bytes)
{
    uint64_t low = MIN(memory_bytes, 3ull << 30);
    uint64_t extended_kib = low > 1u << 20 ? MIN((low - (1u << 20)) >> 10, 0xffff) : 0;
    uint64_t above_16m = low > 16u << 20 ? MIN((low - (16u << 20)) >> 16, 0xffff) : 0;
    unsigned sum = 0;

    r->ram[B_EQUIPMENT] = 0x02; /* a numeric coprocessor; no floppy, no display */
    put_le(&r->ram[B_BASE_KIB], 640, 2);
    put_le(&r->ram[B_EXTENDED_KIB], extended_kib, 2);
    put_le(&r->ram[B_EXTENDED_KIB_2], extended_kib, 2);
    put_le(&r->ram[B_ABOVE_16M], above_16m, 2);
    put_le(&r->ram[B_ABOVE_4G], (memory_bytes - low) >> 16, 3);
    for (unsigned i = 0x10; i < B_CHECKSUM; i++)
        sum += r->ram[i];
    r->ram[B_CHECKSUM] = (uint8_t)(sum >> 8);
    r->ram[B_CHECKSUM + 1] = (uint8_t)sum;
}

static void rtc_fill_date(struct mc146818 *r, int64_t start_seconds)
{
    int64_t first = days_of_date(1, 1, 1) * RTC_DAY;
    int64_t last = days_of_date(10000, 1, 1) * RTC_DAY - 1;
    int64_t seconds = CLAMP(start_seconds, first, last);
    int64_t days = (seconds - first) / RTC_DAY;
    struct date date = {
        .second_of_day = (unsigned)((seconds - first) % RTC_DAY),
        .weekday = (unsigned)((days + 1) % 7 + 1), /* 0001-01-01 was a Monday */
    };

    date_of_days(days + days_of_date(1, 1, 1), &date);
    rtc_encode_date(r, &date, r->ram);
}

/* The RESET pin: interrupts and flags off; battery, time and memory stay. */
static void mc146818_reset(void *dev)
{
    struct mc146818 *r = dev;

    rtc_sync(r);
    r->index = 0;
    r->flags = 0;
    r->ram[B_B] &= BB_SET | BB_BINARY | BB_24H | 1;
    rtc_update(r);
}

struct mc146818 *mc146818_new(const struct sim_services *sv, int64_t start_seconds,
                              uint64_t memory_bytes)
{
    struct mc146818 *r = g_new0(struct mc146818, 1);

    r->sv = sv;
    r->irq = sv->isa_irq(sv->machine, RTC_IRQ);
    sim_event_register(sv->timeline, &r->event, "MC146818", rtc_event, r);
    sim_bus_claim_ports(sv->bus, 0x70, 2, &rtc_ports, r);
    r->ram[B_A] = 0x26; /* 32.768 kHz, periodic rate 1024 Hz */
    r->ram[B_B] = BB_24H;
    r->ram[B_D] = D_VALID;
    rtc_fill_date(r, start_seconds);
    rtc_fill_memory_bytes(r, memory_bytes);
    mc146818_reset(r);
    return r;
}

static void mc146818_state(void *dev, struct base_state *st)
{
    struct mc146818 *r = dev;

    base_state_tag(st, "mc146818");
    BASE_STATE(st, r->base_ns);
    BASE_STATE(st, r->synced_ns);
    BASE_STATE(st, r->index);
    BASE_STATE(st, r->flags);
    BASE_STATE(st, r->ram);
    if (r->base_ns > (int64_t)r->synced_ns) {
        st->bad = true;
        r->base_ns = 0;
    }
}

void mc146818_device(struct mc146818 *r, struct sim_device *out)
{
    *out = (struct sim_device){"MC146818", r, mc146818_reset, mc146818_state, g_free};
}
