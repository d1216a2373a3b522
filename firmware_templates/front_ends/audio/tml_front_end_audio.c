#include "audio.h"
#include "tml_config.h"
#include "tml_front_end.h"

/* A card may repeat what audio.h computes, but cannot change it. */
#if defined TML_FEATURE_SAMPLE_RATE_HZ && TML_FEATURE_SAMPLE_RATE_HZ != TML_AUDIO_RATE_HZ
#error "the audio front end samples at TML_AUDIO_RATE_HZ only"
#endif
#if defined TML_FEATURE_CHANNELS && TML_FEATURE_CHANNELS != TML_AUDIO_CHANNELS
#error "the audio front end has TML_AUDIO_CHANNELS channels only"
#endif

const tml_front_end_t tml_front_end = {TML_AUDIO_RATE_HZ, 1, TML_AUDIO_CHANNELS};

static tml_audio_t audio;

int tml_front_end_start(void) {
  return tml_audio_init(&audio, TML_FEATURE_STRIDE_MS * TML_AUDIO_RATE_HZ / 1000);
}

int tml_front_end_push(const int16_t **samples, uint32_t *count, int8_t *row) {
  if (!tml_audio_push(&audio, samples, count)) {
    return 0;
  }
  tml_audio_to_int8(audio.frame, row);
  return 1;
}
