"""Recipe of the extension `tinyml.features._native`: the firmware's C files, made callable."""

from __future__ import annotations

from pathlib import Path

import cffi

_FOLDER = Path(__file__).parent  # relative, as setuptools wants it: it names this file so

ffi = cffi.FFI()
ffi.cdef(
    """
    typedef struct { uint16_t frame[40]; ...; } tml_audio_t;
    int tml_audio_init(tml_audio_t *audio, uint32_t stride);
    uint32_t push_all(tml_audio_t *audio, const int16_t *samples, uint32_t count, uint16_t *frames);
    void to_int8(const uint16_t *frames, uint32_t count, int8_t *out);

    #define TML_MOTION_MAX_RATE_HZ ...
    #define TML_MOTION_MAX_STRIDE_MS ...
    #define TML_MOTION_MAX_GRAVITY_MS ...
    #define TML_MOTION_MAX_RANGE_MG ...
    typedef struct {
        uint32_t rate_hz; uint32_t stride_ms; uint32_t gravity_ms; uint32_t range_mg;
        uint32_t upright;
    } tml_motion_config_t;
    typedef struct { ...; } tml_motion_t;
    int tml_motion_init(tml_motion_t *motion, const tml_motion_config_t *config);
    uint32_t push_motion(tml_motion_t *motion, const int16_t *samples, uint32_t count,
                         int8_t *rows);

    #define TML_IMAGE_GRAY ...
    #define TML_IMAGE_RGB565 ...
    #define TML_IMAGE_YUYV ...
    #define TML_IMAGE_UYVY ...
    #define TML_IMAGE_RGB888 ...
    #define TML_IMAGE_MAX_SIDE ...
    #define TML_IMAGE_MAX_WINDOW ...
    #define TML_IMAGE_MAX_WANTED ...
    typedef struct {
        uint32_t source_width, source_height; uint32_t format;
        uint32_t width, height; uint32_t channels;
    } tml_image_config_t;
    typedef struct { ...; } tml_image_t;
    int tml_image_init(tml_image_t *image, const tml_image_config_t *config, uint32_t *sums);
    uint32_t push_image(tml_image_t *image, const int16_t *samples, uint32_t count,
                        int8_t *picture, uint32_t bytes, int8_t *rows);

    #define TML_STROKE_MIN_RATE_HZ ...
    #define TML_STROKE_MAX_RATE_HZ ...
    #define TML_STROKE_MAX_MS ...
    #define TML_STROKE_MAX_STILL ...
    #define TML_STROKE_MAX_DDEG ...
    typedef struct {
        uint32_t rate_hz; uint32_t rest_ms; uint32_t still_mg; uint32_t still_ddps;
        uint32_t least_ddeg; uint32_t longest_ms; int32_t axis;
    } tml_stroke_config_t;
    typedef struct { uint32_t drawn; int16_t points[160][2]; ...; } tml_stroke_t;
    int tml_stroke_init(tml_stroke_t *stroke, const tml_stroke_config_t *config);
    uint32_t push_stroke(tml_stroke_t *stroke, const int16_t *samples, uint32_t count,
                         int8_t *rows, uint32_t *ends);
    uint32_t first_stroke(tml_stroke_t *stroke, const int16_t *samples, uint32_t count);
    void draw_stroke(const int16_t *points, uint32_t count, int8_t *picture);

    #define TML_RECOGNIZER_LABELS ...
    #define TML_RECOGNIZER_AVERAGE ...
    typedef struct {
        uint8_t labels; uint8_t average; int8_t threshold; int8_t release;
        uint32_t refractory; uint32_t background; uint8_t repeats;
    } tml_recognizer_config_t;
    typedef struct { uint64_t sample; uint8_t label; int8_t score; } tml_event_t;
    typedef struct { ...; } tml_recognizer_t;
    int tml_recognizer_init(tml_recognizer_t *recognizer, const tml_recognizer_config_t *config);
    int tml_recognizer_push(tml_recognizer_t *recognizer, const int8_t *scores, uint64_t sample,
                            tml_event_t *event);
    """
)
ffi.set_source(
    "tinyml.features._native",
    """
    #include <string.h>

    #include "audio.h"
    #include "image.h"
    #include "motion.h"
    #include "recognizer.h"
    #include "stroke.h"

    static uint32_t push_all(tml_audio_t *audio, const int16_t *samples, uint32_t count,
                             uint16_t *frames) {
      uint32_t made = 0;
      for (; tml_audio_push(audio, &samples, &count); made++) {
        memcpy(frames + made * TML_AUDIO_CHANNELS, audio->frame, sizeof audio->frame);
      }
      return made;
    }

    static void to_int8(const uint16_t *frames, uint32_t count, int8_t *out) {
      for (uint32_t i = 0; i < count * TML_AUDIO_CHANNELS; i += TML_AUDIO_CHANNELS) {
        tml_audio_to_int8(frames + i, out + i);
      }
    }

    static uint32_t push_motion(tml_motion_t *motion, const int16_t *samples, uint32_t count,
                                int8_t *rows) {
      uint32_t made = 0;
      for (; tml_motion_push(motion, &samples, &count); made++) {
        memcpy(rows + made * TML_MOTION_AXES, motion->row, sizeof motion->row);
      }
      return made;
    }

    static uint32_t push_image(tml_image_t *image, const int16_t *samples, uint32_t count,
                               int8_t *picture, uint32_t bytes, int8_t *rows) {
      uint32_t made = 0;
      for (; tml_image_push(image, &samples, &count, picture); made++) {
        memcpy(rows + made * bytes, picture, bytes);
      }
      return made;
    }

    static uint32_t push_stroke(tml_stroke_t *stroke, const int16_t *samples, uint32_t count,
                                int8_t *rows, uint32_t *ends) {
      uint32_t made = 0, left = count;
      for (; tml_stroke_push(stroke, &samples, &left, rows + made * TML_STROKE_BYTES); made++) {
        ends[made] = count - left;
      }
      return made;
    }

    static uint32_t first_stroke(tml_stroke_t *stroke, const int16_t *samples, uint32_t count) {
      int8_t picture[TML_STROKE_BYTES];
      return tml_stroke_push(stroke, &samples, &count, picture) ? stroke->drawn : 0;
    }

    static void draw_stroke(const int16_t *points, uint32_t count, int8_t *picture) {
      tml_stroke_draw((const int16_t(*)[2])points, count, picture);
    }
    """,
    sources=[str(file) for file in sorted(_FOLDER.glob("[!_]*.c"))],
    depends=[str(file) for file in sorted(_FOLDER.glob("*.h"))],
    include_dirs=[str(_FOLDER)],
    extra_compile_args=["-std=c99", "-O2"],
)
