// tml_fully_connected.h: FULLY_CONNECTED with a scale per output channel.
//
// The library of 2023 takes the first channel's scale for all of them, without a word. Converters
// have written one per channel since. The current tree knows them, and keeps its own kernel.
#ifndef TML_FULLY_CONNECTED_H
#define TML_FULLY_CONNECTED_H

#include "tensorflow/lite/micro/kernels/fully_connected.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"

#if __has_include("tensorflow/lite/micro/micro_interpreter_graph.h")

inline auto tml_fully_connected_per_channel() -> decltype(tflite::Register_FULLY_CONNECTED_INT8()) {
  return tflite::Register_FULLY_CONNECTED_INT8();
}

#else

// int8 input, weights and output; bias int32 or none.
TfLiteRegistration tml_fully_connected_per_channel();

#endif

#endif
