/**
 * @file re_clock.c  libre's timers by a clock that nobody sets
 *
 * libre 1.1.0 takes the time of day: when that is put back by an hour, every
 * timer waits an hour longer, and with them the key of somebody who has left.
 * A program's own tmr_jiffies() comes before that of the library, for the
 * library's calls as well (ELF: the first definition in search order).
 */
#include "clock.h"
#include "re_compat.h"


uint64_t tmr_jiffies(void)
{
	return clock_mono_ms();
}
