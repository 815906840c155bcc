/* Every output of the conformance model, empty until a mode fills it. */
#ifndef OUTPUTS_H
#define OUTPUTS_H

#include "understudy.h"

#define VECTOR_COUNT 15

/* The vectors are numbered by their datatype. */
extern const char *const vector_names[VECTOR_COUNT];
extern const size_t element_sizes[VECTOR_COUNT];

typedef struct vector {
    const void *elements;
    size_t count;
} vector;

typedef struct outputs {
    vector vectors[VECTOR_COUNT];
    double scalar;
    const float *matrix;
    uint32_t matrix_lengths[2];
    const int32_t *cube;
    uint32_t cube_lengths[3];
    vector report;
} outputs;

/* Writes them into the answer, in the order of the description. */
void write_outputs(const outputs *outputs, understudy_answer *answer);

/* The elements of an input, which is one of the fifteen vectors. */
bool read_vector(
    const understudy_request *request, understudy_datatype datatype, vector *vector, understudy_answer *answer);

#endif
