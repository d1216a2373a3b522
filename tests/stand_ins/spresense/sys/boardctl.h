/* Source: Spresense SDK 3.4.4 (NuttX), include/sys/boardctl.h. */
/* Like the real one, this does not declare C linkage for C++. */
#ifndef STAND_IN_SYS_BOARDCTL_H
#define STAND_IN_SYS_BOARDCTL_H

#include <stdint.h>

#define BOARDIOC_RESET 0xff04

int boardctl(unsigned int command, uintptr_t argument);

#endif
