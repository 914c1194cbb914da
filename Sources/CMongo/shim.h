#pragma once
#include <mongoc/mongoc.h>

// What Swift can't call directly: macros, structs it can't import, and out-parameters of bson_t, which is 128 bytes
// aligned to 128 and arrives in Swift as an opaque pointer. Replies are therefore handed out as copies on the heap
// (NULL when memory is short), to be freed with bson_destroy.

static inline const char *cmongo_error_message(const bson_error_t *error) { return error->message; }

static inline uint32_t cmongo_bson_length(const bson_t *document) { return document->len; }

static inline const char *cmongo_host_text(const mongoc_host_list_t *host) { return host->host_and_port; }

static inline const mongoc_host_list_t *cmongo_host_next(const mongoc_host_list_t *host) { return host->next; }

static inline bool cmongo_update_one(
    mongoc_collection_t *collection, const bson_t *selector, const bson_t *update, const bson_t *options,
    bson_t **reply, bson_error_t *error)
{
    bson_t document;
    bool done = mongoc_collection_update_one(collection, selector, update, options, &document, error);
    *reply = bson_copy(&document);
    bson_destroy(&document);
    return done;
}

static inline bool cmongo_delete_many(
    mongoc_collection_t *collection, const bson_t *selector, bson_t **reply, bson_error_t *error)
{
    bson_t document;
    bool done = mongoc_collection_delete_many(collection, selector, NULL, &document, error);
    *reply = bson_copy(&document);
    bson_destroy(&document);
    return done;
}

static inline bool cmongo_write_command(
    mongoc_collection_t *collection, const bson_t *command, bson_t **reply, bson_error_t *error)
{
    bson_t document;
    bool done = mongoc_collection_write_command_with_opts(collection, command, NULL, &document, error);
    *reply = bson_copy(&document);
    bson_destroy(&document);
    return done;
}

static inline bool cmongo_decimal_from_text(const char *text, int length, uint64_t *low, uint64_t *high)
{
    bson_decimal128_t decimal;
    bool fits = bson_decimal128_from_string_w_len(text, length, &decimal);
    *low = decimal.low;
    *high = decimal.high;
    return fits;
}

// Writes at most BSON_DECIMAL128_STRING bytes, the closing NUL among them.
static inline void cmongo_decimal_to_text(uint64_t low, uint64_t high, char *text)
{
    bson_decimal128_t decimal;
    decimal.low = low;
    decimal.high = high;
    bson_decimal128_to_string(&decimal, text);
}
