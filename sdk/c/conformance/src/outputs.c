#include "outputs.h"

const char *const vector_names[VECTOR_COUNT] = {"boolean", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32",
    "int64", "fp16", "bf16", "fp32", "fp64", "text", "blob"};

const size_t element_sizes[VECTOR_COUNT] = {sizeof(bool), sizeof(uint8_t), sizeof(uint16_t), sizeof(uint32_t),
    sizeof(uint64_t), sizeof(int8_t), sizeof(int16_t), sizeof(int32_t), sizeof(int64_t), sizeof(understudy_f16),
    sizeof(understudy_bf16), sizeof(float), sizeof(double), sizeof(understudy_text), sizeof(understudy_blob)};

void write_outputs(const outputs *outputs, understudy_answer *answer)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        const vector *vector = &outputs->vectors[i];
        understudy_add_output(answer, vector_names[i], (understudy_datatype)i, vector->elements,
            UNDERSTUDY_LENGTHS((uint32_t)vector->count));
    }
    understudy_output(answer, "scalar", &outputs->scalar, UNDERSTUDY_NO_DIMENSIONS);
    understudy_add_output(answer, "matrix", UNDERSTUDY_FP32, outputs->matrix, outputs->matrix_lengths, 2);
    understudy_add_output(answer, "cube", UNDERSTUDY_INT32, outputs->cube, outputs->cube_lengths, 3);
    understudy_add_output(answer, "report", UNDERSTUDY_TEXT, outputs->report.elements,
        UNDERSTUDY_LENGTHS((uint32_t)outputs->report.count));
}

bool read_vector(
    const understudy_request *request, understudy_datatype datatype, vector *vector, understudy_answer *answer)
{
    const understudy_tensor *input = understudy_input(request, vector_names[datatype], answer);
    return understudy_read_vector(input, datatype, &vector->elements, &vector->count, answer);
}
