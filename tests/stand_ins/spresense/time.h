/* Source: Spresense SDK 3.4.4 (NuttX), include/time.h. */
/* The compiler's own header, and the clock that it leaves to a system with one. */
#ifndef STAND_IN_TIME_H
#define STAND_IN_TIME_H

#include_next <time.h>

#ifndef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC 1

#ifdef __cplusplus
extern "C" {
#endif

int clock_gettime(clockid_t clock, struct timespec *now);

#ifdef __cplusplus
}
#endif
#endif

#endif
