/* tml_nuttx.h: what is used of the system; its warnings are not ours. */
#ifndef TML_NUTTX_H
#define TML_NUTTX_H

#pragma GCC system_header

#include <nuttx/config.h>

#include <cxd56_clock.h>
#include <fcntl.h>
#include <nuttx/sched.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern "C" { /* which this header forgets */
#include <sys/boardctl.h>
}

#endif
