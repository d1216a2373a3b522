#include "tml_commands.h"

#include <string.h>

#include "model.h"
#include "tml_capture.h"
#include "tml_config.h"
#include "tml_crc.h"
#include "tml_port.h"
#include "tml_run.h"
#include "tml_sensor.h"
#include "tml_slot.h"
#include "tml_stream.h"
#include "tml_trace.h"

static void hello(const tml_request_t *request) {
  /* The first nonce after a start is as good a boot id as a random number, which we lack. */
  static uint32_t boot_id;
  static int known;
  tml_wire_hello_t ask;
  tml_wire_get_hello(request->payload, &ask);
  if (!known) {
    known = 1;
    boot_id = ask.nonce;
  }
  const tml_wire_hello_reply_t reply = {
      .nonce = ask.nonce,
      .boot_id = boot_id,
      .version_min = TML_PROTOCOL_VERSION_MIN,
      .version_max = TML_PROTOCOL_VERSION,
      .max_payload = TML_MAX_PAYLOAD,
      .window = (uint16_t)tml_port_receive_bytes(),
  };
  uint8_t payload[TML_WIRE_HELLO_REPLY_BYTES];
  tml_wire_put_hello_reply(payload, &reply);
  tml_reply(request, payload, sizeof payload);
}

#define NOT_INFERRED (-1)

/* Bytes of each kept input that have arrived in order; an inference needs all of them. */
static uint32_t arrived[TML_INPUTS];

void tml_inputs_lost(void) { memset(arrived, 0, sizeof arrived); }

static void input(const tml_request_t *request) {
  tml_wire_input_t ask;
  tml_wire_get_input(request->payload, &ask);
  const uint32_t bytes = request->header.bytes - (uint32_t)TML_WIRE_INPUT_BYTES;
  if (ask.index >= TML_INPUTS) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask.index, "index");
    return;
  }
  const uint32_t total = tml_model_input_info(ask.index)->bytes;
  if (ask.offset > 0 && ask.offset > arrived[ask.index]) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)arrived[ask.index], "offset");
    return;
  }
  if (bytes > total - ask.offset) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)total, "length");
    return;
  }
  memcpy(tml_run_input(ask.index) + ask.offset, request->payload + TML_WIRE_INPUT_BYTES, bytes);
  if (ask.offset == 0 || ask.offset + bytes > arrived[ask.index]) {
    arrived[ask.index] = ask.offset + bytes;
  }
  const tml_wire_input_reply_t reply = {arrived[ask.index]};
  uint8_t payload[TML_WIRE_INPUT_REPLY_BYTES];
  tml_wire_put_input_reply(payload, &reply);
  tml_reply(request, payload, sizeof payload);
}

/* Whether all inputs are there; refuses the request where not. */
static int have_inputs(const tml_request_t *request) {
  for (int i = 0; i < TML_INPUTS; i++) {
    if (arrived[i] != tml_model_input_info(i)->bytes) {
      tml_refuse(request, TML_ERROR_CODE_STATE, i, "an INPUT is incomplete");
      return 0;
    }
  }
  return 1;
}

/* The INFER that was executed last, while nothing else was: a model that keeps state must not run
 * again because a reply was lost on its way. */
static int32_t inferred = NOT_INFERRED;

static void infer(const tml_request_t *request) {
  static tml_wire_infer_reply_t reply;
  tml_wire_infer_t ask;
  tml_wire_get_infer(request->payload, &ask);
  if (ask.repeat == 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, 0, "repeat");
    return;
  }
  if (!have_inputs(request)) {
    return;
  }
  if (inferred != request->header.seq) {
    inferred = NOT_INFERRED;
    const uint64_t start = tml_port_time_us();
    for (uint32_t i = 0; i < ask.repeat; i++) {
      const int status = tml_run(&reply.counter);
      if (status < 0) {
        tml_refuse(request, TML_ERROR_CODE_MODEL, status, "invoke");
        return;
      }
    }
    reply.time_us = tml_port_time_us() - start;
    inferred = request->header.seq;
  }
  uint8_t head[TML_WIRE_INFER_REPLY_BYTES];
  tml_wire_put_infer_reply(head, &reply);
  tml_body_begin(request);
  tml_body_put(head, sizeof head);
  for (int i = 0; i < tml_model_output_count(); i++) {
    tml_body_put(tml_model_output(i), tml_model_output_info(i)->bytes);
  }
  tml_body_end();
}

typedef struct {
  uint16_t wanted; /* step, or TML_ALL_STEPS */
  uint64_t start;  /* counter when the step began */
} layers_t;

/* Runs in the middle of an inference: its own cost is kept out of the next step's. */
static void layer_done(void *context, int step, const void *data) {
  layers_t *layers = context;
  tml_wire_layer_t layer = {.counter = tml_port_counter() - layers->start};
  if (layers->wanted == TML_ALL_STEPS || layers->wanted == step) {
    const uint32_t bytes = tml_model_step(step)->bytes;
    layer.crc = tml_crc32(data, bytes);
    uint8_t record[TML_WIRE_LAYER_BYTES];
    tml_wire_put_layer(record, &layer);
    tml_body_put(record, sizeof record);
    if (layers->wanted == step) {
      tml_body_put(data, bytes);
    }
  }
  layers->start = tml_port_counter();
}

static void layers(const tml_request_t *request) {
  tml_wire_layers_t ask;
  tml_wire_get_layers(request->payload, &ask);
  if (ask.step != TML_ALL_STEPS && ask.step >= tml_model_step_count()) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask.step, "step");
    return;
  }
  if (!have_inputs(request)) {
    return;
  }
  layers_t context = {ask.step, tml_port_counter()};
  tml_body_begin(request);
  const int status = tml_run_hooked(layer_done, &context);
  if (status < 0) {
    tml_refuse(request, TML_ERROR_CODE_MODEL, status, "invoke");
    return;
  }
  tml_body_end();
}

static void bench(const tml_request_t *request) {
  tml_wire_bench_t ask;
  tml_wire_get_bench(request->payload, &ask);
  if (ask.count == 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, 0, "count");
    return;
  }
  if (!have_inputs(request)) {
    return;
  }
  tml_body_begin(request);
  for (uint32_t i = 0; i < (uint32_t)ask.warmup + ask.count; i++) {
    uint64_t counter;
    const int status = tml_run(&counter);
    if (status < 0) {
      tml_refuse(request, TML_ERROR_CODE_MODEL, status, "invoke");
      return;
    }
    if (i < ask.warmup) {
      continue;
    }
    if (i > ask.warmup) {
      tml_body_flush();
    }
    uint8_t record[sizeof counter];
    tml_put_u64(record, counter);
    tml_body_put(record, sizeof record);
  }
  tml_body_end();
}

static void stream(const tml_request_t *request) {
  tml_stream_command(request);
  if (tml_stream_running()) {
    tml_inputs_lost(); /* the stream's window takes their place */
  }
}

static void reset_model(const tml_request_t *request) {
  if (tml_stream_running()) {
    tml_refuse(request, TML_ERROR_CODE_STATE, 0, "a STREAM runs");
    return;
  }
  const int status = tml_run_reset();
  if (status < 0) {
    tml_refuse(request, TML_ERROR_CODE_MODEL, status, "reset");
  } else {
    tml_reply(request, request->payload, 0);
  }
}

void tml_reset_command(const tml_request_t *request) {
  tml_wire_reset_t ask;
  tml_wire_get_reset(request->payload, &ask);
  if (ask.target == TML_RESET_TARGET_MODEL) {
    reset_model(request);
    return;
  }
  if (ask.target <= TML_RESET_TARGET_BOOTLOADER) {
    tml_reply(request, request->payload, 0);
    tml_port_reset(ask.target);
  }
  tml_refuse(request, TML_ERROR_CODE_BAD_ARG, ask.target, "target");
}

typedef struct {
  uint8_t type;
  uint8_t bytes;      /* fixed part of the payload */
  uint8_t more;       /* whether bytes may follow it */
  uint8_t needs_idle; /* whether a running stream forbids it, because both use the model */
  tml_line_handler_t handler;
} command_t;

static const command_t commands[] = {
    {TML_TYPE_HELLO, TML_WIRE_HELLO_BYTES, 0, 0, hello},
    {TML_TYPE_INFO, TML_WIRE_INFO_BYTES, 0, 0, tml_info},
    {TML_TYPE_INPUT, TML_WIRE_INPUT_BYTES, 1, 1, input},
    {TML_TYPE_INFER, TML_WIRE_INFER_BYTES, 0, 1, infer},
    {TML_TYPE_LAYERS, TML_WIRE_LAYERS_BYTES, 0, 1, layers},
    {TML_TYPE_STREAM, TML_WIRE_STREAM_REQUEST_BYTES, 0, 0, stream},
    {TML_TYPE_RESEND, TML_WIRE_RESEND_BYTES, 0, 0, tml_stream_resend},
    {TML_TYPE_WATCH, TML_WIRE_WATCH_BYTES, 0, 0, tml_trace_command},
    {TML_TYPE_SENSOR, TML_WIRE_SENSOR_SAMPLES_BYTES, 1, 0, tml_sensor_command},
    {TML_TYPE_BENCH, TML_WIRE_BENCH_BYTES, 0, 1, bench},
    {TML_TYPE_RESET, TML_WIRE_RESET_BYTES, 0, 0, tml_reset_command},
    {TML_TYPE_CAPTURE, TML_WIRE_CAPTURE_BYTES, 0, 0, tml_capture_command},
    {TML_TYPE_SLOT, 0, 0, 0, tml_slot_command},
    {TML_TYPE_LOAD, TML_WIRE_LOAD_BYTES, 1, 0, tml_slot_command},
    {TML_TYPE_USE, TML_WIRE_USE_BYTES, 1, 1, tml_slot_command},
};

static const command_t *find(uint8_t type) {
  for (uint32_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    if (commands[i].type == type) {
      return &commands[i];
    }
  }
  return NULL;
}

void tml_command(const tml_request_t *request) {
  const tml_wire_header_t *header = &request->header;
  if (header->flags & (TML_FLAG_RESPONSE | TML_FLAG_ERROR | TML_FLAG_EVENT)) {
    return; /* an echo of our own frames: answering it would never end */
  }
  if (header->version < TML_PROTOCOL_VERSION_MIN || header->version > TML_PROTOCOL_VERSION) {
    const int32_t range = TML_PROTOCOL_VERSION_MIN | TML_PROTOCOL_VERSION << 8;
    tml_refuse(request, TML_ERROR_CODE_VERSION, range, "version");
    return;
  }
  const command_t *command = find(header->type);
  if (command == NULL) {
    tml_refuse(request, TML_ERROR_CODE_UNSUPPORTED, header->type, "type");
  } else if (header->flags != 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, header->flags, "flags");
  } else if (header->bytes < command->bytes || (header->bytes > command->bytes && !command->more)) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, header->bytes, "length");
  } else if (command->needs_idle && tml_stream_running()) {
    tml_refuse(request, TML_ERROR_CODE_STATE, 0, "a STREAM runs");
  } else {
    if (header->type != TML_TYPE_INFER && header->type != TML_TYPE_HELLO) {
      inferred = NOT_INFERRED;
    }
    command->handler(request);
  }
}
