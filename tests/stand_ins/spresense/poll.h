/* Source: Spresense SDK 3.4.4 (NuttX), include/sys/poll.h. */
#ifndef STAND_IN_POLL_H
#define STAND_IN_POLL_H

#define POLLIN 0x01
#define POLLOUT 0x04

struct pollfd {
  int fd;
  unsigned events;
  unsigned revents;
  void *owned_by_the_system[3];
};

#ifdef __cplusplus
extern "C" {
#endif

int poll(struct pollfd *fds, unsigned count, int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
