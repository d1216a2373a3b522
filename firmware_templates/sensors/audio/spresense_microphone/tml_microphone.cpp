/* tml_microphone.cpp: the first microphone (MIC A) at the Spresense's audio connector, mono.
 *
 * The audio hardware captures at 48 kHz; here every third sample is kept, behind a low-pass. Sony's
 * own way to 16 kHz would need the sample-rate converter of its DSP, a file on an SD card. */
#include "tml_decimate.h"
#include "tml_ring.h"
#include "tml_sensor.h"
#include "tml_spresense_audio.h"

#ifndef TML_MICROPHONE_GAIN
#define TML_MICROPHONE_GAIN 180 /* tenths of a dB: 0 to 210 for an analog microphone */
#endif

namespace {

const uint32_t kRateHz = 16000;
const uint32_t kFrameSamples = 768; /* 16 ms at 48 kHz; whole threes, so frames need no rest */
const uint32_t kStartUs = 100000;   /* until the microphone's level has settled */

tml_decimator_t decimator;
volatile uint32_t invalid; /* samples lost by the capture */
bool ready;

/* In a thread of the audio system. */
void Captured(AsPcmDataParam pcm) {
  static int16_t kept[kFrameSamples / TML_DECIMATION];
  uint32_t count = pcm.size / sizeof(int16_t);
  if (!pcm.is_valid || count > kFrameSamples) {
    invalid = invalid + count / TML_DECIMATION;
    return;
  }
  count = tml_decimate(&decimator, static_cast<const int16_t *>(pcm.mh.getPa()), count, kept);
  tml_ring_put(kept, count);
}

/* Errors show as a lack of samples; the library's own handler would print into frames. */
void Attention(const ErrorAttentionParam *) {}

int Prepare(FrontEnd *front_end) {
  if (initMemoryPools() != 0 || createStaticPools(MEM_LAYOUT_RECORDER) != 0 ||
      front_end->begin(Attention) != FRONTEND_ECODE_OK ||
      front_end->setCapturingClkMode(FRONTEND_CAPCLK_NORMAL) != FRONTEND_ECODE_OK ||
      front_end->activate() != FRONTEND_ECODE_OK) {
    return -1;
  }
  usleep(kStartUs);
  return 0;
}

}  // namespace

int tml_sensor_start(uint32_t rate_hz, uint32_t channels) {
  if (rate_hz != kRateHz || channels != 1) {
    return -1;
  }
  FrontEnd *front_end = FrontEnd::getInstance();
  if (!ready && Prepare(front_end) < 0) {
    return -2;
  }
  ready = true;
  tml_decimate_start(&decimator);
  tml_ring_start(1);
  invalid = 0;
  AsDataDest destination;
  destination.cb = Captured;
  if (front_end->init(AS_CHANNEL_MONO, AS_BITLENGTH_16, kFrameSamples, AsDataPathCallback,
                      destination) != FRONTEND_ECODE_OK ||
      front_end->setMicGain(TML_MICROPHONE_GAIN) != FRONTEND_ECODE_OK ||
      front_end->start() != FRONTEND_ECODE_OK) {
    return -3;
  }
  return 0;
}

uint32_t tml_sensor_read(int16_t *samples, uint32_t capacity) {
  return tml_ring_take(samples, capacity);
}

void tml_sensor_stop(void) { FrontEnd::getInstance()->stop(); }

uint32_t tml_sensor_overruns(void) { return tml_ring_dropped() + invalid; }
