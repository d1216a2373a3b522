/* Source: Arduino_OV767X 0.0.2 (commit e5dd28f), src/OV767X.h. */
/* Stand-in for Arduino's library of the cameras OV7670 and OV7675. */
#ifndef STAND_IN_OV767X_H
#define STAND_IN_OV767X_H

enum { GRAYSCALE = 4 };
enum { OV7675 = 1 };
enum { QQVGA = 4 };

class OV767X {
 public:
  int begin(int resolution, int format, int fps, int camera_name = 0);
  void end();
  void readFrame(void *buffer);
};

extern OV767X Camera;

#endif
