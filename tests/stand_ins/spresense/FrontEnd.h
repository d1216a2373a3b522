/* Source: Spresense Arduino core 3.4.4, libraries/Audio/FrontEnd.h. */
/* Stand-in for Sony's capture class: what the microphone driver uses, in the same shape. */
#ifndef STAND_IN_FRONT_END_H
#define STAND_IN_FRONT_END_H

#include <stdint.h>

typedef int err_t;

#define FRONTEND_ECODE_OK 0
#define FRONTEND_CAPCLK_NORMAL 0
#define AS_CHANNEL_MONO 1
#define AS_BITLENGTH_16 16

enum AsMicFrontendDataPath { AsDataPathCallback };

struct ErrorAttentionParam {
  uint8_t error_code;
};

class StandInMemoryHandle {
 public:
  void *getPa() const;
};

struct AsPcmDataParam {
  StandInMemoryHandle mh;
  uint32_t sample;
  uint32_t size;
  bool is_valid;
};

union AsDataDest {
  void (*cb)(AsPcmDataParam pcm);
  void *simple_fifo_handler;
};

class FrontEnd {
 public:
  static FrontEnd *getInstance();
  err_t begin(void (*attention)(const ErrorAttentionParam *));
  err_t activate();
  err_t init(uint8_t channels, uint8_t bits, uint32_t samples_per_frame, uint8_t path,
             AsDataDest destination);
  err_t start();
  err_t stop();
  err_t setMicGain(int16_t tenths_of_db);
  err_t setCapturingClkMode(uint8_t mode);
};

#endif
