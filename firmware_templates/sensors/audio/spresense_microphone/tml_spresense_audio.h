/* tml_spresense_audio.h: what is used of Sony's audio library; its warnings are not ours. */
#ifndef TML_SPRESENSE_AUDIO_H
#define TML_SPRESENSE_AUDIO_H

#pragma GCC system_header

#include <FrontEnd.h>
#include <MemoryUtil.h>
#include <unistd.h>

#endif
