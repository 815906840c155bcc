/* The conformance model in C: does what `sdk/conformance/README.md` says. */
#include <stdlib.h>
#include <string.h>

#include "outputs.h"
#include "read.h"
#include "understudy.h"

#define ANY UNDERSTUDY_ANY_LENGTH

static void describe(understudy_description *description)
{
    understudy_describe_input(description, "mode", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "argument", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(1));
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        understudy_describe_input(description, vector_names[i], (understudy_datatype)i, UNDERSTUDY_SHAPE(ANY));
        understudy_describe_output(description, vector_names[i], (understudy_datatype)i, UNDERSTUDY_SHAPE(ANY));
    }
    understudy_describe_input(description, "scalar", UNDERSTUDY_FP64, UNDERSTUDY_NO_DIMENSIONS);
    understudy_describe_input(description, "matrix", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(ANY, ANY));
    understudy_describe_input(description, "cube", UNDERSTUDY_INT32, UNDERSTUDY_SHAPE(2, ANY, 2));
    understudy_describe_output(description, "scalar", UNDERSTUDY_FP64, UNDERSTUDY_NO_DIMENSIONS);
    understudy_describe_output(description, "matrix", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(ANY, ANY));
    understudy_describe_output(description, "cube", UNDERSTUDY_INT32, UNDERSTUDY_SHAPE(ANY, ANY, ANY));
    understudy_describe_output(description, "report", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(ANY));
    description->batch_limit = 100;
}

/* The elements of an array in reverse order. */
static void *reversed(const void *elements, size_t count, size_t size)
{
    char *last_first = understudy_allocate(count * size);
    for (size_t i = 0; i < count; i++) memcpy(last_first + i * size, (const char *)elements + (count - 1 - i) * size, size);
    return last_first;
}

/* Reads whatever `echo` and `reverse` give back. */
static bool read_all(const understudy_request *request, outputs *outputs, understudy_answer *answer)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        if (!read_vector(request, (understudy_datatype)i, &outputs->vectors[i], answer)) return false;
    }
    if (!understudy_scalar(understudy_input(request, "scalar", answer), &outputs->scalar, answer)) return false;
    size_t count;
    const understudy_tensor *matrix = understudy_input(request, "matrix", answer);
    if (!understudy_elements(matrix, &outputs->matrix, &count, answer)) return false;
    memcpy(outputs->matrix_lengths, matrix->shape, sizeof outputs->matrix_lengths);
    const understudy_tensor *cube = understudy_input(request, "cube", answer);
    if (!understudy_elements(cube, &outputs->cube, &count, answer)) return false;
    memcpy(outputs->cube_lengths, cube->shape, sizeof outputs->cube_lengths);
    return true;
}

static void echo(const understudy_request *request, understudy_answer *answer)
{
    outputs outputs = {0};
    if (read_all(request, &outputs, answer)) write_outputs(&outputs, answer);
}

static void reverse(const understudy_request *request, understudy_answer *answer)
{
    outputs outputs = {0};
    if (!read_all(request, &outputs, answer)) return;
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        vector *vector = &outputs.vectors[i];
        vector->elements = reversed(vector->elements, vector->count, element_sizes[i]);
    }
    outputs.scalar = -outputs.scalar;
    uint32_t rows = outputs.matrix_lengths[0], columns = outputs.matrix_lengths[1];
    float *transposed = understudy_allocate(sizeof *transposed * rows * columns);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t column = 0; column < columns; column++) {
            transposed[column * rows + row] = outputs.matrix[row * columns + column];
        }
    }
    outputs.matrix = transposed;
    outputs.matrix_lengths[0] = columns;
    outputs.matrix_lengths[1] = rows;
    uint32_t *lengths = outputs.cube_lengths;
    outputs.cube = reversed(outputs.cube, lengths[0] * lengths[1] * lengths[2], sizeof(int32_t));
    uint32_t first = lengths[0];
    lengths[0] = lengths[2];
    lengths[2] = first;
    write_outputs(&outputs, answer);
}

static void sum(const understudy_request *request, understudy_answer *answer)
{
    const double *doubles;
    const float *matrix;
    const int32_t *integers;
    const understudy_blob *blobs;
    size_t double_count, rows, columns, integer_count, blob_count;
    if (!understudy_vector(understudy_input(request, "fp64", answer), &doubles, &double_count, answer) ||
        !understudy_matrix(understudy_input(request, "matrix", answer), &matrix, &rows, &columns, answer) ||
        !understudy_vector(understudy_input(request, "int32", answer), &integers, &integer_count, answer) ||
        !understudy_vector(understudy_input(request, "blob", answer), &blobs, &blob_count, answer)) return;
    outputs outputs = {0};
    for (size_t i = 0; i < double_count; i++) outputs.scalar += doubles[i];
    double *row_sums = understudy_allocate(rows * sizeof *row_sums);
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++) row_sums[row] += matrix[row * columns + column];
    }
    int64_t integer_sum = 0;
    for (size_t i = 0; i < integer_count; i++) integer_sum += integers[i];
    uint64_t byte_count = 0;
    for (size_t i = 0; i < blob_count; i++) byte_count += blobs[i].size;
    outputs.vectors[UNDERSTUDY_FP64] = (vector){row_sums, rows};
    outputs.vectors[UNDERSTUDY_INT64] = (vector){&integer_sum, 1};
    outputs.vectors[UNDERSTUDY_UINT64] = (vector){&byte_count, 1};
    write_outputs(&outputs, answer);
}

static void halves(const understudy_request *request, understudy_answer *answer)
{
    const understudy_f16 *halves;
    const understudy_bf16 *brains;
    const float *singles;
    size_t half_count, brain_count, single_count;
    if (!understudy_vector(understudy_input(request, "fp16", answer), &halves, &half_count, answer) ||
        !understudy_vector(understudy_input(request, "bf16", answer), &brains, &brain_count, answer) ||
        !understudy_vector(understudy_input(request, "fp32", answer), &singles, &single_count, answer)) return;
    float *widened = understudy_allocate((half_count + brain_count) * sizeof *widened);
    for (size_t i = 0; i < half_count; i++) widened[i] = understudy_f16_to_float(halves[i]);
    for (size_t i = 0; i < brain_count; i++) widened[half_count + i] = understudy_bf16_to_float(brains[i]);
    understudy_f16 *to_halves = understudy_allocate(single_count * sizeof *to_halves);
    understudy_bf16 *to_brains = understudy_allocate(single_count * sizeof *to_brains);
    for (size_t i = 0; i < single_count; i++) {
        to_halves[i] = understudy_f16_from_float(singles[i]);
        to_brains[i] = understudy_bf16_from_float(singles[i]);
    }
    outputs outputs = {0};
    outputs.vectors[UNDERSTUDY_FP32] = (vector){widened, half_count + brain_count};
    outputs.vectors[UNDERSTUDY_FP16] = (vector){to_halves, single_count};
    outputs.vectors[UNDERSTUDY_BF16] = (vector){to_brains, single_count};
    write_outputs(&outputs, answer);
}

static understudy_text joined(const understudy_text *texts, size_t count)
{
    size_t size = count == 0 ? 0 : count - 1;
    for (size_t i = 0; i < count; i++) size += texts[i].size;
    char *data = understudy_allocate(size);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i != 0) data[at++] = '|';
        if (texts[i].size != 0) memcpy(data + at, texts[i].data, texts[i].size);
        at += texts[i].size;
    }
    return (understudy_text){data, size};
}

static void unicode(const understudy_request *request, understudy_answer *answer)
{
    const understudy_text *texts;
    size_t count;
    if (!understudy_vector(understudy_input(request, "text", answer), &texts, &count, answer)) return;
    uint32_t *sizes = understudy_allocate(count * sizeof *sizes);
    uint64_t *code_points = understudy_allocate(count * sizeof *code_points);
    bool *like_the_first = understudy_allocate(count * sizeof *like_the_first);
    for (size_t i = 0; i < count; i++) {
        sizes[i] = (uint32_t)texts[i].size;
        for (size_t at = 0; at < texts[i].size; at++) code_points[i] += ((uint8_t)texts[i].data[at] & 0xc0) != 0x80;
        like_the_first[i] = texts[i].size == texts[0].size &&
                            (texts[i].size == 0 || memcmp(texts[i].data, texts[0].data, texts[i].size) == 0);
    }
    const understudy_text all = joined(texts, count);
    outputs outputs = {0};
    outputs.vectors[UNDERSTUDY_TEXT] = (vector){&all, 1};
    /* A text and a blob differ only in what they promise. */
    outputs.vectors[UNDERSTUDY_BLOB] = (vector){texts, count};
    outputs.vectors[UNDERSTUDY_UINT32] = (vector){sizes, count};
    outputs.vectors[UNDERSTUDY_UINT64] = (vector){code_points, count};
    outputs.vectors[UNDERSTUDY_BOOL] = (vector){like_the_first, count};
    write_outputs(&outputs, answer);
}

static void notes(const understudy_request *request, understudy_answer *answer)
{
    const understudy_text *texts;
    size_t count;
    if (!understudy_vector(understudy_input(request, "text", answer), &texts, &count, answer)) return;
    write_outputs(&(outputs){0}, answer);
    for (size_t i = 0; i < count; i += 2) {
        understudy_add_note(answer, texts[i], i + 1 < count ? texts[i + 1] : (understudy_text){"", 0});
    }
}

static void refuse(const understudy_request *request, understudy_answer *answer)
{
    const understudy_text *texts;
    size_t count;
    understudy_text kind;
    if (!understudy_vector(understudy_input(request, "text", answer), &texts, &count, answer)) return;
    if (!understudy_scalar(understudy_input(request, "argument", answer), &kind, answer)) return;
    const understudy_text why = count == 0 ? (understudy_text){"", 0} : texts[0];
    if (understudy_text_is(kind, "invalid-input")) {
        understudy_invalid_input(answer, "%.*s", (int)why.size, why.data);
    } else if (understudy_text_is(kind, "abstain")) {
        understudy_abstain(answer, "%.*s", (int)why.size, why.data);
    } else if (understudy_text_is(kind, "failed")) {
        understudy_fail(answer, "%.*s", (int)why.size, why.data);
    } else {
        understudy_invalid_input(answer, "argument is `%.*s`, expected `invalid-input`, `abstain` or `failed`",
            (int)kind.size, kind.data);
    }
}

static void report(const understudy_request *request, understudy_answer *answer)
{
    size_t count = 2 + request->input_count;
    understudy_text *lines = understudy_allocate(count * sizeof *lines);
    lines[0] = request->id;
    lines[1] = understudy_format("%llu", (unsigned long long)request->time_us);
    for (size_t i = 0; i < request->input_count; i++) lines[2 + i] = understudy_describe_tensor(&request->inputs[i]);
    outputs outputs = {.report = {lines, count}};
    write_outputs(&outputs, answer);
}

static void breaks(const understudy_request *request, understudy_answer *answer)
{
    understudy_text kind;
    if (!understudy_scalar(understudy_input(request, "argument", answer), &kind, answer)) return;
    if (understudy_text_is(kind, "throw")) abort();
    /* Whoever only loops may be left out by a compiler, but not whoever reads what may change. */
    volatile bool on = true;
    if (understudy_text_is(kind, "loop")) while (on) { }
    understudy_invalid_input(answer, "argument is `%.*s`, expected `throw` or `loop`", (int)kind.size, kind.data);
}

static const struct {
    const char *name;
    understudy_predict_function *predict;
} modes[] = {{"echo", echo}, {"reverse", reverse}, {"sum", sum}, {"halves", halves}, {"unicode", unicode},
    {"read", answer_read}, {"notes", notes}, {"refuse", refuse}, {"request", report},
    {"break", breaks}};

static void predict(const understudy_request *request, understudy_answer *answer)
{
    understudy_text mode;
    if (!understudy_scalar(understudy_input(request, "mode", answer), &mode, answer)) return;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (understudy_text_is(mode, modes[i].name)) {
            modes[i].predict(request, answer);
            return;
        }
    }
    understudy_invalid_input(answer,
        "mode is `%.*s`, expected `echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, `request` or `break`",
        (int)mode.size, mode.data);
}

static void predict_batch(const understudy_request *requests, size_t count, understudy_answer *answers)
{
    for (size_t i = 0; i < count; i++) predict(&requests[i], &answers[i]);
}

UNDERSTUDY_BATCH_MODEL(describe, predict_batch)
