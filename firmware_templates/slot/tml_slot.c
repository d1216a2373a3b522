/* A model slot in RAM: two rooms, so that a model can arrive while another runs.
 *
 * What arrives is used only when all of it is there, made for this firmware, and has its hash. A
 * restart forgets it: the built-in model runs again, so no transfer can keep a device from starting.
 */
#include "tml_slot.h"

#include <string.h>

#include "tml_config.h"
#include "tml_model_slot.h"
#include "tml_sha256.h"

#define NAME_BYTES 255u
#define BUILT_IN (-1)

static const uint8_t structure[TML_SHA256_BYTES] = TML_SLOT_STRUCTURE;
static const uint8_t built_in_sha256[TML_SHA256_BYTES] = TML_MODEL_SHA256;

/* Each room starts at a multiple of 16, as runtimes read their models in place. */
static uint8_t rooms[2][(TML_SLOT_BYTES + 15u) / 16u * 16u] __attribute__((aligned(16)));

static struct {
  int32_t used;     /* room of the model that runs, or BUILT_IN */
  uint32_t arrived; /* bytes in the other room that came in order */
  uint8_t content[TML_SHA256_BYTES]; /* of the room that is used */
  uint8_t sha256[TML_SHA256_BYTES];
  char name[NAME_BYTES + 1u];
} slot = {.used = BUILT_IN};

static uint8_t *spare(void) { return rooms[slot.used == 0]; }

const char *tml_slot_name(void) { return slot.used == BUILT_IN ? TML_MODEL_NAME : slot.name; }

const uint8_t *tml_slot_sha256(void) {
  return slot.used == BUILT_IN ? built_in_sha256 : slot.sha256;
}

static void describe(const tml_request_t *request) {
  tml_wire_slot_reply_t reply = {.bytes = TML_SLOT_BYTES, .loaded = slot.used != BUILT_IN};
  uint8_t payload[TML_WIRE_SLOT_REPLY_BYTES];
  memcpy(reply.structure, structure, sizeof structure);
  tml_wire_put_slot_reply(payload, &reply);
  tml_reply(request, payload, sizeof payload);
}

static void load(const tml_request_t *request) {
  tml_wire_load_t ask;
  tml_wire_get_load(request->payload, &ask);
  const uint32_t bytes = request->header.bytes - (uint32_t)TML_WIRE_LOAD_BYTES;
  if (ask.offset > slot.arrived) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)slot.arrived, "offset");
    return;
  }
  if (bytes > TML_SLOT_BYTES - ask.offset) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)TML_SLOT_BYTES, "length");
    return;
  }
  memcpy(spare() + ask.offset, request->payload + TML_WIRE_LOAD_BYTES, bytes);
  if (ask.offset == 0 || ask.offset + bytes > slot.arrived) {
    slot.arrived = ask.offset + bytes;
  }
  const tml_wire_load_reply_t reply = {slot.arrived};
  uint8_t payload[TML_WIRE_LOAD_REPLY_BYTES];
  tml_wire_put_load_reply(payload, &reply);
  tml_reply(request, payload, sizeof payload);
}

/* Whether what the spare room has is what the host means; refuses the request where not. */
static int is_whole(const tml_request_t *request, const tml_wire_use_t *ask) {
  uint8_t content[TML_SHA256_BYTES];
  if (memcmp(ask->structure, structure, sizeof structure) != 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, 0, "structure");
    return 0;
  }
  if (ask->bytes != slot.arrived) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, (int32_t)slot.arrived, "bytes");
    return 0;
  }
  tml_sha256(spare(), ask->bytes, content);
  if (memcmp(ask->content, content, sizeof content) != 0) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, 0, "content");
    return 0;
  }
  return 1;
}

static int runs_already(const tml_wire_use_t *ask) {
  return slot.arrived == 0 && slot.used != BUILT_IN &&
         memcmp(ask->content, slot.content, sizeof slot.content) == 0 &&
         memcmp(ask->sha256, slot.sha256, sizeof slot.sha256) == 0;
}

/* Run the built-in model, or the one in the spare room. */
static void use(const tml_request_t *request) {
  tml_wire_use_t ask;
  tml_wire_get_use(request->payload, &ask);
  const uint8_t *name = request->payload + TML_WIRE_USE_BYTES;
  const uint32_t left = request->header.bytes - (uint32_t)TML_WIRE_USE_BYTES;
  if (left == 0 || left != 1u + name[0]) {
    tml_refuse(request, TML_ERROR_CODE_BAD_ARG, request->header.bytes, "length");
    return;
  }
  if (ask.bytes > 0 && !runs_already(&ask) && !is_whole(request, &ask)) {
    return;
  }
  if (ask.bytes == 0 || !runs_already(&ask)) {
    const int status = tml_model_use(ask.bytes > 0 ? spare() : NULL, ask.bytes);
    if (status < 0) {
      tml_refuse(request, TML_ERROR_CODE_MODEL, status, "use");
      return;
    }
    slot.used = ask.bytes == 0 ? BUILT_IN : slot.used == 0;
    slot.arrived = 0;
    memcpy(slot.content, ask.content, sizeof slot.content);
    memcpy(slot.sha256, ask.sha256, sizeof slot.sha256);
    memcpy(slot.name, name + 1, name[0]);
    slot.name[name[0]] = 0;
  }
  tml_reply(request, request->payload, 0);
}

void tml_slot_command(const tml_request_t *request) {
  switch (request->header.type) {
    case TML_TYPE_SLOT:
      describe(request);
      break;
    case TML_TYPE_LOAD:
      load(request);
      break;
    default:
      use(request);
  }
}
