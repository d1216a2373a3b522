/* tml_compiled.h: the functions of model.h over the tables of one compiled model.
 *
 * Included once, by the generated model.c, after its tables and before the body of run().
 */
#include <stddef.h>

static int8_t arena[ARENA_BYTES] TML_ALIGN_ARENA;

/* The compiler must not see that this is the arena. Given constant addresses, GCC 12.2 for Cortex-M
 * turns them into integers in its induction variable pass, forgets what they point to, takes a
 * kernel that writes through them for one without effect, and drops the call. */
static inline void *at(uint32_t offset) {
  int8_t *start = arena;
  __asm__("" : "+r"(start));
  return start + offset;
}

static int ready;
static tml_step_hook_t step_hook;
static void *step_context;

static void run(void);
#ifdef KEEPS_STATE
static void forget(void); /* give variables their first values */
#endif

static inline void done(int step) {
  if (step_hook != NULL) {
    step_hook(step_context, step, at(step_offset[step]));
  }
}

int tml_model_init(void) {
#ifdef KEEPS_STATE
  forget();
#endif
  ready = 1;
  return TML_OK;
}

int tml_model_invoke(void) {
  if (!ready) {
    return TML_ERROR_STATE;
  }
  run();
  return TML_OK;
}

int tml_model_reset(void) {
  if (!ready) {
    return TML_ERROR_STATE;
  }
#ifdef KEEPS_STATE
  forget();
#endif
  return TML_OK;
}

int tml_model_input_count(void) { return INPUT_COUNT; }

int tml_model_output_count(void) { return OUTPUT_COUNT; }

void *tml_model_input(int index) { return at(input_offset[index]); }

const void *tml_model_output(int index) { return at(output_offset[index]); }

const tml_tensor_t *tml_model_input_info(int index) { return &input_info[index]; }

const tml_tensor_t *tml_model_output_info(int index) { return &output_info[index]; }

int tml_model_step_count(void) { return STEP_COUNT; }

const tml_step_t *tml_model_step(int index) { return &step_info[index]; }

void tml_model_set_step_hook(tml_step_hook_t hook, void *context) {
  step_hook = hook;
  step_context = context;
}

void tml_model_memory(tml_memory_t *memory) {
  memory->arena = ARENA_BYTES;
  memory->arena_used = ARENA_BYTES;
  memory->constants = CONSTANT_BYTES;
}
