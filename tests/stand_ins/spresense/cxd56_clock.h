/* Source: Spresense SDK 3.4.4 (NuttX), arch/arm/src/cxd56xx/cxd56_clock.h. */
#ifndef STAND_IN_CXD56_CLOCK_H
#define STAND_IN_CXD56_CLOCK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t cxd56_get_cpu_baseclk(void);

#ifdef __cplusplus
}
#endif

#endif
