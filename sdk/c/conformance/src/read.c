/* The mode `read`: one accessor of the library, for one datatype, on one input. */
#include "read.h"

#include <string.h>

#include "outputs.h"

/* Cuts off the part before the first space; false where there is no space. */
static bool next_word(understudy_text *text, understudy_text *word)
{
    const char *space = text->size == 0 ? NULL : memchr(text->data, ' ', text->size);
    if (space == NULL) return false;
    word->data = text->data;
    word->size = (size_t)(space - text->data);
    text->data = space + 1;
    text->size -= word->size + 1;
    return true;
}

static bool is_accessor(understudy_text word)
{
    return understudy_text_is(word, "elements") || understudy_text_is(word, "scalar") ||
           understudy_text_is(word, "vector") || understudy_text_is(word, "matrix");
}

static bool is_datatype(understudy_text word, understudy_datatype *datatype)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        *datatype = (understudy_datatype)i;
        if (understudy_text_is(word, vector_names[i])) return true;
    }
    return false;
}

static bool read_matrix(
    const understudy_tensor *tensor, understudy_datatype datatype, outputs *outputs, understudy_answer *answer)
{
    const char *elements;
    size_t rows, columns;
    if (!understudy_read_matrix(tensor, datatype, &elements, &rows, &columns, answer)) return false;
    size_t row_size = columns * element_sizes[datatype];
    char *last_first = understudy_allocate(rows * row_size);
    for (size_t i = 0; i < rows && row_size != 0; i++) {
        memcpy(last_first + i * row_size, elements + (rows - 1 - i) * row_size, row_size);
    }
    outputs->vectors[datatype] = (vector){last_first, rows * columns};
    understudy_text *report = understudy_allocate(2 * sizeof *report);
    report[0] = understudy_format("%zu rows", rows);
    report[1] = understudy_format("%zu columns", columns);
    outputs->report = (vector){report, 2};
    return true;
}

static bool read_with(understudy_text accessor, understudy_datatype datatype, const understudy_tensor *tensor,
    outputs *outputs, understudy_answer *answer)
{
    vector *read = &outputs->vectors[datatype];
    if (understudy_text_is(accessor, "elements")) {
        return understudy_read_elements(tensor, datatype, &read->elements, &read->count, answer);
    }
    if (understudy_text_is(accessor, "vector")) {
        return understudy_read_vector(tensor, datatype, &read->elements, &read->count, answer);
    }
    if (understudy_text_is(accessor, "matrix")) return read_matrix(tensor, datatype, outputs, answer);
    void *element = understudy_allocate(element_sizes[datatype]);
    *read = (vector){element, 1};
    return understudy_read_scalar(tensor, datatype, element, answer);
}

void answer_read(const understudy_request *request, understudy_answer *answer)
{
    understudy_text argument;
    if (!understudy_scalar(understudy_input(request, "argument", answer), &argument, answer)) return;
    understudy_text name = argument, accessor, word;
    understudy_datatype datatype;
    if (!next_word(&name, &accessor) || !next_word(&name, &word) || !is_accessor(accessor) || !is_datatype(word, &datatype)) {
        understudy_invalid_input(answer, "argument is `%.*s`, expected ACCESSOR DATATYPE INPUT", (int)argument.size,
            argument.data);
        return;
    }
    outputs outputs = {0};
    const understudy_tensor *tensor = understudy_find_input(request, name, answer);
    if (read_with(accessor, datatype, tensor, &outputs, answer)) write_outputs(&outputs, answer);
}
