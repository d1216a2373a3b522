/* model.h: the contract between a runtime (compiled, tflm) and everything above it.
 *
 * A runtime implements these functions for one model; the application, the protocol and the host
 * tools use nothing else of it. All functions are called from one thread. No function allocates.
 */
#ifndef TML_MODEL_H
#define TML_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TML_MAX_RANK 6

/* Numbers of TensorType in the TFLite schema. */
typedef enum {
  TML_FLOAT32 = 0,
  TML_INT32 = 2,
  TML_UINT8 = 3,
  TML_INT64 = 4,
  TML_BOOL = 6,
  TML_INT16 = 7,
  TML_INT8 = 9
} tml_dtype_t;

/* Negative reasons that init and invoke return. */
enum {
  TML_OK = 0,
  TML_ERROR_SCHEMA = -1,   /* the model data is not what this runtime was built for */
  TML_ERROR_OPERATOR = -2, /* an operator is missing or failed */
  TML_ERROR_ARENA = -3,    /* the arena is too small */
  TML_ERROR_STATE = -4     /* invoke before a successful init */
};

/* An input or output tensor. real = (quantized - zero_point) * scale; scale 0 = not quantized.
 * shape[i] is 1 for i >= rank. Layout is row-major, channels last. */
typedef struct {
  const char *name;
  uint8_t dtype;
  uint8_t rank;
  int32_t shape[TML_MAX_RANK];
  float scale;
  int32_t zero_point;
  uint32_t bytes;
} tml_tensor_t;

/* One result that exists at run time: operator op of the .tflite (its index in the main subgraph)
 * wrote tensor (its index there). The buffer holds `bytes` bytes, channels last. channels lists
 * the channel_count computed channels in buffer order; NULL means all of them. */
typedef struct {
  uint16_t op;
  uint16_t tensor;
  uint32_t bytes;
  const uint16_t *channels;
  uint16_t channel_count;
} tml_step_t;

/* Memory of the model in bytes. arena_used is what init and invoke really needed so far; for a
 * static plan it equals arena. constants are weights and tables in flash. */
typedef struct {
  uint32_t arena;
  uint32_t arena_used;
  uint32_t constants;
} tml_memory_t;

/* Called after a step, while its result is still intact. `data` has tml_model_step(step)->bytes. */
typedef void (*tml_step_hook_t)(void *context, int step, const void *data);

/* Prepare the model once. Returns 0 or a negative reason. */
int tml_model_init(void);

/* Run one inference on the inputs. May overwrite the inputs: write them again before the next.
 * Returns 0 or a negative reason. */
int tml_model_invoke(void);

/* Forget what earlier inferences left behind, as after init; nothing to do for most models.
 * Returns 0 or a negative reason. */
int tml_model_reset(void);

int tml_model_input_count(void);
int tml_model_output_count(void);
void *tml_model_input(int index);
const void *tml_model_output(int index); /* valid until an input is written or invoke runs */
const tml_tensor_t *tml_model_input_info(int index);
const tml_tensor_t *tml_model_output_info(int index);

/* Steps in the order in which they run; their count is fixed after init. */
int tml_model_step_count(void);
const tml_step_t *tml_model_step(int index);

/* Call hook after every step of the following invocations; NULL for none. */
void tml_model_set_step_hook(tml_step_hook_t hook, void *context);

void tml_model_memory(tml_memory_t *memory);

#ifdef __cplusplus
}
#endif

#endif
