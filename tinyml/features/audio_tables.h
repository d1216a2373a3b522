/* audio_tables.h: constants of the audio front end; scripts/make_audio_tables has the formulas. */
#ifndef TML_AUDIO_TABLES_H
#define TML_AUDIO_TABLES_H

#include <stdint.h>

extern const int16_t tml_audio_window[480];          /* Hann, 12 fraction bits */
extern const uint32_t tml_audio_twiddles[190];       /* exp(-2i pi k/256), packed complex */
extern const uint32_t tml_audio_split_twiddles[129]; /* exp(-2i pi (k/512 + 1/4)), likewise */
extern const uint8_t tml_audio_bands[41];            /* bins between two neighbouring centres */
extern const uint16_t tml_audio_weights[236];        /* a bin's lower channel's share, 12 bits */
extern const int16_t tml_audio_pcan_gain[95];        /* 2 values, then 31 parabolas */
extern const uint16_t tml_audio_log2[129];           /* log2(1 + k/128) - k/128, 16 fraction bits */

#endif
