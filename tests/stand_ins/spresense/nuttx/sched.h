/* Source: Spresense SDK 3.4.4 (NuttX), include/nuttx/sched.h. */
#ifndef STAND_IN_NUTTX_SCHED_H
#define STAND_IN_NUTTX_SCHED_H

#include <stddef.h>
#include <sys/types.h>

struct stackinfo_s {
  size_t adj_stack_size;
  void *stack_alloc_ptr;
  void *stack_base_ptr;
};

#ifdef __cplusplus
extern "C" {
#endif

int nxsched_get_stackinfo(pid_t pid, struct stackinfo_s *stackinfo);

#ifdef __cplusplus
}
#endif

#endif
