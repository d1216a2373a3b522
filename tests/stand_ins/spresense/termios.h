/* Source: Spresense SDK 3.4.4 (NuttX), include/termios.h. */
#ifndef STAND_IN_TERMIOS_H
#define STAND_IN_TERMIOS_H

#define B115200 115200
#define TCSANOW 0

struct termios {
  unsigned c_iflag, c_oflag, c_cflag, c_lflag;
  unsigned long c_speed;
};

#ifdef __cplusplus
extern "C" {
#endif

int tcgetattr(int fd, struct termios *settings);
int tcsetattr(int fd, int when, const struct termios *settings);
int cfsetspeed(struct termios *settings, unsigned long speed);

#ifdef __cplusplus
}
#endif

#endif
