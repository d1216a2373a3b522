#include <string.h>

#include "model.h"
#include "tml_commands.h"
#include "tml_config.h"
#include "tml_port.h"
#include "tml_run.h"
#include "tml_slot.h"
#include "tml_stream.h"

static void identity(void) {
  tml_wire_identity_t record = {
      .counter_hz = tml_port_counter_hz(),
      .inputs = (uint8_t)tml_model_input_count(),
      .outputs = (uint8_t)tml_model_output_count(),
      .labels = TML_LABEL_COUNT,
      .steps = (uint16_t)tml_model_step_count(),
  };
  uint8_t bytes[TML_WIRE_IDENTITY_BYTES];
  memcpy(record.sha256, tml_slot_sha256(), sizeof record.sha256);
  tml_wire_put_identity(bytes, &record);
  tml_body_put(bytes, sizeof bytes);
  tml_body_put_text(TML_BOARD);
  tml_body_put_text(TML_FIRMWARE_VERSION);
  tml_body_put_text(TML_RUNTIME);
  tml_body_put_text(tml_slot_name());
  tml_body_put_text(TML_FEATURES);
  tml_body_put_text(TML_SENSOR);
}

static void tensor(const tml_tensor_t *info) {
  tml_wire_tensor_record_t record = {
      .dtype = info->dtype,
      .rank = info->rank,
      .scale = info->scale,
      .zero_point = info->zero_point,
      .bytes = info->bytes,
  };
  uint8_t bytes[TML_WIRE_TENSOR_RECORD_BYTES];
  for (int i = 0; i < TML_MAX_RANK; i++) {
    record.shape[i] = info->shape[i];
  }
  tml_wire_put_tensor_record(bytes, &record);
  tml_body_put(bytes, sizeof bytes);
  tml_body_put_text(info->name);
}

static void tensors(void) {
  for (int i = 0; i < tml_model_input_count(); i++) {
    tensor(tml_model_input_info(i));
  }
  for (int i = 0; i < tml_model_output_count(); i++) {
    tensor(tml_model_output_info(i));
  }
}

static void labels(void) {
#define PUT_LABEL(name) tml_body_put_text(name);
  TML_LABELS(PUT_LABEL)
#undef PUT_LABEL
}

static void parameter(double value, const char *name) {
  const tml_wire_parameter_t record = {value};
  uint8_t bytes[TML_WIRE_PARAMETER_BYTES];
  tml_wire_put_parameter(bytes, &record);
  tml_body_put(bytes, sizeof bytes);
  tml_body_put_text(name);
}

static void parameters(void) {
  static const struct {
    const char *name;
    double value;
  } all[] = {
#define PARAMETER(name, value) {name, value},
      TML_PARAMETERS(PARAMETER)
#undef PARAMETER
      {"", 0.0} /* C99 has no empty arrays */
  };
  for (uint32_t i = 0; i + 1 < sizeof all / sizeof all[0]; i++) {
    parameter(all[i].value, all[i].name);
  }
}

static void status(void) {
  tml_memory_t memory;
  tml_wire_totals_t stream;
  tml_model_memory(&memory);
  tml_stream_totals(&stream);
  const tml_wire_status_t record = {
      .uptime_us = tml_port_time_us(),
      .arena = memory.arena,
      .arena_used = memory.arena_used,
      .constants = memory.constants,
      .stack = tml_port_stack_bytes(),
      .stack_used = tml_port_stack_used(),
      .frames = tml_line_frames(),
      .bad_frames = tml_line_bad_frames(),
      .inferences = tml_run_count(),
      .dropped = stream.dropped,
  };
  uint8_t bytes[TML_WIRE_STATUS_BYTES];
  tml_wire_put_status(bytes, &record);
  tml_body_put(bytes, sizeof bytes);
}

static void put_u16(uint16_t value) {
  uint8_t bytes[2];
  tml_put_u16(bytes, value);
  tml_body_put(bytes, sizeof bytes);
}

static void steps(void) {
  for (int i = 0; i < tml_model_step_count(); i++) {
    const tml_step_t *step = tml_model_step(i);
    const uint16_t channels = step->channels ? step->channel_count : 0;
    const tml_wire_step_info_t record = {step->op, step->tensor, step->bytes};
    uint8_t bytes[TML_WIRE_STEP_INFO_BYTES];
    tml_wire_put_step_info(bytes, &record);
    tml_body_put(bytes, sizeof bytes);
    put_u16(channels);
    for (uint32_t channel = 0; channel < channels; channel++) {
      put_u16(step->channels[channel]);
    }
  }
}

static void model_state(void) {
  const tml_wire_model_state_t record = {tml_run_status()};
  uint8_t bytes[TML_WIRE_MODEL_STATE_BYTES];
  tml_wire_put_model_state(bytes, &record);
  tml_body_put(bytes, sizeof bytes);
}

void tml_info(const tml_request_t *request) {
  static void (*const sections[])(void) = {
      [TML_INFO_SECTION_IDENTITY] = identity,     [TML_INFO_SECTION_TENSORS] = tensors,
      [TML_INFO_SECTION_LABELS] = labels,         [TML_INFO_SECTION_PARAMETERS] = parameters,
      [TML_INFO_SECTION_STATUS] = status,         [TML_INFO_SECTION_STEPS] = steps,
      [TML_INFO_SECTION_MODEL] = model_state,
  };
  tml_wire_info_t ask;
  tml_wire_get_info(request->payload, &ask);
  if (ask.section >= sizeof sections / sizeof sections[0]) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask.section, "section");
    return;
  }
  tml_body_begin(request);
  sections[ask.section]();
  tml_body_end();
}
