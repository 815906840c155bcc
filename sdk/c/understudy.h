/*
 * Write a model for Understudy in C.
 *
 * A model is a WebAssembly component that says what tensors it takes and gives, and answers requests. It imports
 * nothing: no file, no socket, no clock, no random number. The same request therefore always gets the same prediction.
 *
 *     #include <math.h>
 *     #include "understudy.h"
 *
 *     static void describe(understudy_description *description)
 *     {
 *         understudy_describe_input(description, "carrier", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(1));
 *         understudy_describe_input(description, "distance", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(1));
 *         understudy_describe_output(description, "delayed", UNDERSTUDY_FP64, UNDERSTUDY_SHAPE(1));
 *     }
 *
 *     static void predict(const understudy_request *request, understudy_answer *answer)
 *     {
 *         understudy_text carrier;
 *         float distance;
 *         if (!understudy_scalar(understudy_input(request, "carrier", answer), &carrier, answer)) return;
 *         if (!understudy_scalar(understudy_input(request, "distance", answer), &distance, answer)) return;
 *         if (!understudy_text_is(carrier, "UA")) {
 *             understudy_abstain(answer, "carrier `%.*s` was not in the training data", (int)carrier.size, carrier.data);
 *             return;
 *         }
 *         double delayed = 1.0 / (1.0 + exp(1.4 - 1.0e-4 * distance));
 *         understudy_output(answer, "delayed", &delayed, UNDERSTUDY_LENGTHS(1));
 *     }
 *
 *     UNDERSTUDY_MODEL(describe, predict)
 *
 * Requests are read where the host wrote them: nothing is copied, and whatever a function below returns is good until the
 * call ends. Then everything goes at once, so there is nothing to free. The library calls nothing of the C library.
 */
#ifndef UNDERSTUDY_H
#define UNDERSTUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The type of the elements of a tensor, and how the Open Inference Protocol calls it. */
typedef uint8_t understudy_datatype;

enum {
    UNDERSTUDY_BOOL,   /* bool: `BOOL` */
    UNDERSTUDY_UINT8,  /* uint8_t: `UINT8` */
    UNDERSTUDY_UINT16, /* uint16_t: `UINT16` */
    UNDERSTUDY_UINT32, /* uint32_t: `UINT32` */
    UNDERSTUDY_UINT64, /* uint64_t: `UINT64` */
    UNDERSTUDY_INT8,   /* int8_t: `INT8` */
    UNDERSTUDY_INT16,  /* int16_t: `INT16` */
    UNDERSTUDY_INT32,  /* int32_t: `INT32` */
    UNDERSTUDY_INT64,  /* int64_t: `INT64` */
    UNDERSTUDY_FP16,   /* understudy_f16: `FP16` */
    UNDERSTUDY_BF16,   /* understudy_bf16: `BF16` */
    UNDERSTUDY_FP32,   /* float: `FP32` */
    UNDERSTUDY_FP64,   /* double: `FP64` */
    UNDERSTUDY_TEXT,   /* understudy_text: `BYTES` that are UTF-8 */
    UNDERSTUDY_BLOB,   /* understudy_blob: `BYTES` that need not be */
};

/* A string of UTF-8. Nothing ends it but its size: print it with `%.*s`. */
typedef struct understudy_text {
    const char *data;
    size_t size; /* in bytes */
} understudy_text;

/* A string of any bytes. */
typedef struct understudy_blob {
    const uint8_t *data;
    size_t size;
} understudy_blob;

/* An IEEE 754 binary16 number, as its bits. */
typedef struct understudy_f16 {
    uint16_t bits;
} understudy_f16;

/* A bfloat16 number, as its bits: the upper half of a float. */
typedef struct understudy_bf16 {
    uint16_t bits;
} understudy_bf16;

/* A named array of any rank. */
typedef struct understudy_tensor {
    understudy_text name;
    const uint32_t *shape; /* the length of each dimension */
    size_t rank;           /* how many dimensions there are: none in a scalar, which has one element */
    understudy_datatype datatype;
    const void *elements; /* in row-major order */
    size_t count;         /* how many elements there are */
} understudy_tensor;

/* One question. Its inputs are those that the model described, in the order of the description. */
typedef struct understudy_request {
    understudy_text id; /* unique on its endpoint */
    uint64_t time_us;   /* when it was made, in microseconds since 1970-01-01T00:00:00Z: the only clock of a model */
    const understudy_tensor *inputs;
    size_t input_count;
} understudy_request;

/* A remark for people, which is recorded with the score. */
typedef struct understudy_remark {
    understudy_text name;
    understudy_text text;
} understudy_remark;

/* What an answer is. A refusal costs the model nothing: it is not a fault, as a trap or an endless loop is. */
typedef enum understudy_outcome {
    UNDERSTUDY_PREDICTED,     /* A prediction. What an answer is until something is refused. */
    UNDERSTUDY_INVALID_INPUT, /* A no because the request makes no sense to the model. */
    UNDERSTUDY_ABSTAINED,     /* A no because the model would rather not answer. */
    UNDERSTUDY_FAILED,        /* A no because the model tried and could not. */
} understudy_outcome;

/* One answer. It begins as a prediction without outputs. Read its fields in tests; write with the functions below. */
typedef struct understudy_answer {
    understudy_outcome outcome;
    understudy_text why; /* of a refusal */
    understudy_tensor *outputs;
    size_t output_count;
    understudy_remark *notes;
    size_t note_count;
} understudy_answer;

/* What a tensor has to look like. */
typedef struct understudy_tensor_type {
    understudy_text name;
    understudy_datatype datatype;
    const int32_t *shape; /* the length of each dimension, or UNDERSTUDY_ANY_LENGTH */
    size_t rank;
} understudy_tensor_type;

/* What a model takes, gives, and allows the host to do with it. It begins without tensors, and stateless. */
typedef struct understudy_description {
    understudy_tensor_type *inputs;
    size_t input_count;
    understudy_tensor_type *outputs;
    size_t output_count;
    uint32_t batch_limit; /* how many requests one call may bring at most; 0 leaves it to the host */
    bool stateless;       /* false where a prediction depends on earlier requests; the host then runs one instance alone */
} understudy_description;

/* ---- What a model is ---- */

/* Says what the model takes and gives. Called once after loading; must always say the same. */
typedef void understudy_describe_function(understudy_description *description);

/* Answers one request. Whatever it writes into `answer` is its answer. */
typedef void understudy_predict_function(const understudy_request *request, understudy_answer *answer);

/* Answers many requests: `answers[i]` is the answer to `requests[i]`. The host chooses how many it hands over, so an
   answer must not depend on its neighbours. */
typedef void understudy_predict_batch_function(const understudy_request *requests, size_t count, understudy_answer *answers);

/* The functions of a model. One of the last two is NULL. */
typedef struct understudy_model {
    understudy_describe_function *describe;
    understudy_predict_function *predict;
    understudy_predict_batch_function *predict_batch;
} understudy_model;

/* The model of this program, which one of the macros below defines. */
extern const understudy_model understudy_exported_model;

#ifndef __cplusplus /* C++ has understudy.hpp for what are macros here. */

/* Exports a model that answers one request at a time. To be used once in a program. */
#define UNDERSTUDY_MODEL(describe, predict) const understudy_model understudy_exported_model = {describe, predict, NULL};

/* Exports a model that answers many requests at a time. To be used once in a program. */
#define UNDERSTUDY_BATCH_MODEL(describe, predict_batch) \
    const understudy_model understudy_exported_model = {describe, NULL, predict_batch};

#endif

/* ---- Describe ---- */

/* Stands in a shape for a dimension of any length. */
#define UNDERSTUDY_ANY_LENGTH (-1)

/* The shape of a tensor that is described, as in UNDERSTUDY_SHAPE(UNDERSTUDY_ANY_LENGTH, 4). */
#define UNDERSTUDY_SHAPE(...) (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)

/* The lengths of a tensor's dimensions, as in UNDERSTUDY_LENGTHS(rows, 4). */
#define UNDERSTUDY_LENGTHS(...) (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)

/* The shape, or the lengths, of a tensor without dimensions. */
#define UNDERSTUDY_NO_DIMENSIONS NULL, 0

/* Adds an input that the model reads. */
void understudy_describe_input(
    understudy_description *description, const char *name, understudy_datatype datatype, const int32_t *shape, size_t rank);

/* Adds an output that every prediction has. */
void understudy_describe_output(
    understudy_description *description, const char *name, understudy_datatype datatype, const int32_t *shape, size_t rank);

/* ---- Read a request ----
 *
 * Each of these takes the answer, where it writes a refusal of the input that says what was found and what was expected.
 * A tensor that is NULL was refused before, so that the calls can be nested. The first refusal stays.
 */

/* The input with this name, or NULL. The host hands over every input that the model describes, so one that is not there
   is missing from the description. */
const understudy_tensor *understudy_input(const understudy_request *request, const char *name, understudy_answer *answer);
const understudy_tensor *understudy_find_input(
    const understudy_request *request, understudy_text name, understudy_answer *answer);

/* Reads the one element of a tensor of shape [], [1], [1, 1] and so on: `float value; understudy_scalar(x, &value, answer)`. */
#define understudy_scalar(tensor, value, answer) \
    understudy_read_scalar((tensor), UNDERSTUDY_DATATYPE_OF(*(value)), (value), (answer))

/* Reads all elements, whatever the shape:
   `const float *values; size_t count; understudy_elements(x, &values, &count, answer)`. */
#define understudy_elements(tensor, elements, count, answer) \
    understudy_read_elements((tensor), UNDERSTUDY_DATATYPE_OF(**(elements)), (elements), (count), (answer))

/* Reads the elements of a tensor with one dimension. */
#define understudy_vector(tensor, elements, count, answer) \
    understudy_read_vector((tensor), UNDERSTUDY_DATATYPE_OF(**(elements)), (elements), (count), (answer))

/* Reads the elements of a tensor with two dimensions. Row i begins at `elements + i * columns`. */
#define understudy_matrix(tensor, elements, rows, columns, answer) \
    understudy_read_matrix((tensor), UNDERSTUDY_DATATYPE_OF(**(elements)), (elements), (rows), (columns), (answer))

/* The datatype that the type of an expression stands for. */
#define UNDERSTUDY_DATATYPE_OF(expression) \
    _Generic((expression), \
        bool: UNDERSTUDY_BOOL, \
        uint8_t: UNDERSTUDY_UINT8, \
        uint16_t: UNDERSTUDY_UINT16, \
        uint32_t: UNDERSTUDY_UINT32, \
        uint64_t: UNDERSTUDY_UINT64, \
        int8_t: UNDERSTUDY_INT8, \
        int16_t: UNDERSTUDY_INT16, \
        int32_t: UNDERSTUDY_INT32, \
        int64_t: UNDERSTUDY_INT64, \
        understudy_f16: UNDERSTUDY_FP16, \
        understudy_bf16: UNDERSTUDY_BF16, \
        float: UNDERSTUDY_FP32, \
        double: UNDERSTUDY_FP64, \
        understudy_text: UNDERSTUDY_TEXT, \
        understudy_blob: UNDERSTUDY_BLOB)

/* What the macros above stand for, with the datatype as an argument. `elements` is the address of a pointer to elements. */
bool understudy_read_scalar(
    const understudy_tensor *tensor, understudy_datatype datatype, void *value, understudy_answer *answer);
bool understudy_read_elements(
    const understudy_tensor *tensor, understudy_datatype datatype, void *elements, size_t *count, understudy_answer *answer);
bool understudy_read_vector(
    const understudy_tensor *tensor, understudy_datatype datatype, void *elements, size_t *count, understudy_answer *answer);
bool understudy_read_matrix(const understudy_tensor *tensor, understudy_datatype datatype, void *elements, size_t *rows,
    size_t *columns, understudy_answer *answer);

/* Says whether a text is this one. */
bool understudy_text_is(understudy_text text, const char *other);

/* Says what a tensor is, and none of its elements, as refusals do: "tensor `x` is FP32[2, 3]". */
understudy_text understudy_describe_tensor(const understudy_tensor *tensor);

/* ---- Answer ---- */

/* Adds an output with a copy of `elements`, of which there have to be as many as the lengths ask for:
   `understudy_output(answer, "delayed", &delayed, UNDERSTUDY_LENGTHS(1))`. */
#define understudy_output(answer, name, elements, lengths) \
    understudy_add_output((answer), (name), UNDERSTUDY_DATATYPE_OF(*(elements)), (elements), lengths)

/* What the macro above stands for, with the datatype as an argument. */
void understudy_add_output(understudy_answer *answer, const char *name, understudy_datatype datatype, const void *elements,
    const uint32_t *lengths, size_t rank);

/* Adds an output and gives the place of its elements, to be written by the caller. They begin as zeros. */
void *understudy_new_output(
    understudy_answer *answer, const char *name, understudy_datatype datatype, const uint32_t *lengths, size_t rank);

/* Adds a text as an output of shape [1]. */
void understudy_text_output(understudy_answer *answer, const char *name, const char *text);

#if defined(__GNUC__)
#define UNDERSTUDY_FORMAT(format_at) __attribute__((format(printf, format_at, format_at + 1)))
#else
#define UNDERSTUDY_FORMAT(format_at)
#endif

/* Texts are written as by printf, of which there are %s, %.*s, %c, %d, %u (with l, ll and z before them), and %%. */

/* Adds a remark for people. */
void understudy_note(understudy_answer *answer, const char *name, const char *format, ...) UNDERSTUDY_FORMAT(3);

/* Answers no because the request makes no sense. Say which input, what was found, and what was expected. */
void understudy_invalid_input(understudy_answer *answer, const char *format, ...) UNDERSTUDY_FORMAT(2);

/* Answers no because the model would rather not answer: the request is outside of what it was trained on, say. */
void understudy_abstain(understudy_answer *answer, const char *format, ...) UNDERSTUDY_FORMAT(2);

/* Answers no because the model tried and could not. */
void understudy_fail(understudy_answer *answer, const char *format, ...) UNDERSTUDY_FORMAT(2);

/* A text of its own. */
understudy_text understudy_format(const char *format, ...) UNDERSTUDY_FORMAT(1);

/* The same with texts as they are: what they point at has to stay until the call ends. */
void understudy_add_note(understudy_answer *answer, understudy_text name, understudy_text text);
void understudy_refuse(understudy_answer *answer, understudy_outcome outcome, understudy_text why);

/* ---- Memory and half floats ---- */

/* Memory until the call ends, with zeros in it. Fit for every type. */
void *understudy_allocate(size_t size);

float understudy_f16_to_float(understudy_f16 number);
float understudy_bf16_to_float(understudy_bf16 number);

/* Rounds to the nearest number, and to the even one of two. */
understudy_f16 understudy_f16_from_float(float number);
understudy_bf16 understudy_bf16_from_float(float number);

/* ---- Test ----
 *
 * Outside of WebAssembly a model is plain C, and so are its tests:
 *
 *     const float features[] = {0.0f, 1.0f, 2.0f};
 *     const understudy_tensor inputs[] = {understudy_tensor_of("features", features, UNDERSTUDY_LENGTHS(3))};
 *     understudy_answer *answer = understudy_ask(inputs, 1);
 *     assert(answer->outcome == UNDERSTUDY_PREDICTED);
 *     understudy_forget();
 */

/* A tensor that points at the elements of the caller. */
#define understudy_tensor_of(name, elements, lengths) \
    understudy_new_tensor((name), UNDERSTUDY_DATATYPE_OF(*(elements)), (elements), lengths)

/* What the macro above stands for, with the datatype as an argument. */
understudy_tensor understudy_new_tensor(
    const char *name, understudy_datatype datatype, const void *elements, const uint32_t *lengths, size_t rank);

/* Has the model answer a request with these inputs. The answer is there until `understudy_forget`. */
understudy_answer *understudy_ask(const understudy_tensor *inputs, size_t input_count);

/* What the model says of itself, until `understudy_forget`. */
const understudy_description *understudy_ask_description(void);

/* The output with this name, or NULL. */
const understudy_tensor *understudy_output_named(const understudy_answer *answer, const char *name);

/* Forgets what was answered, as the end of a call does, and keeps the memory for the next. */
void understudy_forget(void);

#ifdef __cplusplus
}
#endif

#endif
