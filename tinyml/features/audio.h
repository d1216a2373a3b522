/* audio.h: from 16 kHz speech to the features that keyword models read, one frame per stride.
 *
 * A frame is 40 mel channels (125-7500 Hz) of a 30 ms Hann window, after noise reduction, per-
 * channel gain control (PCAN) and a logarithm: exactly the numbers of TensorFlow's micro-frontend
 * with the settings of micro_speech and microWakeWord. Integers only, no heap, about 2 KB of state.
 *
 * A stream is samples 0, 1, 2, ... Frame n covers samples n*stride to n*stride + 479 and is ready
 * with the last of them. How the samples are cut into calls never changes a frame.
 *
 *   tml_audio_init(&audio, 320);
 *   while (tml_audio_push(&audio, &samples, &count)) {
 *     tml_audio_to_int8(audio.frame, row);
 *     ... row is one line of the model's input; keep the last ones in chronological order
 *   }
 */
#ifndef TML_AUDIO_H
#define TML_AUDIO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_AUDIO_RATE_HZ 16000
#define TML_AUDIO_WINDOW 480 /* samples: 30 ms */
#define TML_AUDIO_CHANNELS 40
#define TML_AUDIO_FFT 512

/* Read `frame` only; the rest belongs to audio.c. */
typedef struct {
  uint16_t frame[TML_AUDIO_CHANNELS]; /* the newest frame, lowest channel first; 0..~670 */
  uint16_t stride;                    /* samples from one frame to the next */
  uint16_t filled;                    /* samples in `window` */
  int16_t window[TML_AUDIO_WINDOW];
  uint32_t noise[TML_AUDIO_CHANNELS]; /* estimate per channel, 10 fraction bits */
  uint32_t spectrum[TML_AUDIO_FFT / 2];
} tml_audio_t;

/* Start a stream: no samples, no noise known. `stride` in samples, 1..480: 320 (20 ms) for models
 * of the micro_speech family, 160 (10 ms) for microWakeWord's. Returns 0, or -1 for a stride that
 * is not possible. */
int tml_audio_init(tml_audio_t *audio, uint32_t stride);

/* Take samples until a frame is ready or none are left; moves *samples and *count past what it
 * took. Returns true when `audio->frame` is new: call again, samples may be left. */
bool tml_audio_push(tml_audio_t *audio, const int16_t **samples, uint32_t *count);

/* The int8 form of a frame that int8 models take, by micro_speech's rule: 0..666 -> -128..127,
 * rounded, larger values 127. `frame` and `out` have TML_AUDIO_CHANNELS elements. */
void tml_audio_to_int8(const uint16_t *frame, int8_t *out);

#ifdef __cplusplus
}
#endif

#endif
