/* Source: Spresense Arduino core 3.4.4, libraries/MemoryUtil/MemoryUtil.h. */
#ifndef STAND_IN_MEMORY_UTIL_H
#define STAND_IN_MEMORY_UTIL_H

#include <stdint.h>

#define MEM_LAYOUT_RECORDER 2

int initMemoryPools(void);
int createStaticPools(uint8_t layout);

#endif
