/* tml_model_data.h: a .tflite file as C, with the tables that model.h speaks of. */
#ifndef TML_MODEL_DATA_H
#define TML_MODEL_DATA_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const uint8_t tml_model_data[]; /* aligned to 16 bytes */
extern const uint32_t tml_model_data_bytes;

extern const tml_tensor_t tml_model_inputs[];
extern const tml_tensor_t tml_model_outputs[];
extern const tml_step_t tml_model_steps[]; /* in the order in which they run */
extern const int tml_model_inputs_count;
extern const int tml_model_outputs_count;
extern const int tml_model_steps_count;

#ifdef __cplusplus
}
#endif

#endif
