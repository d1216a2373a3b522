#include "MemoryUtil.h"

int initMemoryPools(void) { return 0; }
int createStaticPools(uint8_t) { return 0; }
