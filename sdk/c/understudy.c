/*
 * The library behind understudy.h: memory, accessors, answers, and the canonical ABI of the world `model`.
 *
 * On wasm32 the structures of the header are laid out as the ABI lays out the records of the contract, so that requests
 * are read and answers are written in place. Nothing of the C library is called, and on wasm32 nothing is imported.
 */
#include "understudy.h"

#include <stdarg.h>

#define ALIGNMENT 16

/* ---- Memory: an arena, which begins again with each call ---- */

#define PAGE_SIZE 65536

/* A stretch of memory; what can be given away comes after it. */
typedef struct region {
    struct region *next;
    uintptr_t end;
} region;

/* Regions are kept from call to call, and filled in their order. `total` is the sum of their sizes. */
static struct {
    region *first;
    region *current;
    uintptr_t free;
    size_t total;
} arena;

_Static_assert(sizeof(region) <= ALIGNMENT, "a region has to be as small as the gap that is left for it");

#if defined(__wasm__)

/* Pages come straight from the memory. They are never given back, since a memory cannot shrink. */
static uintptr_t new_pages(size_t pages)
{
    size_t before = __builtin_wasm_memory_grow(0, pages);
    return before == SIZE_MAX ? 0 : before * PAGE_SIZE;
}

/* Makes the current region longer where nobody has taken the pages after it. So there is only one, as a rule. */
static bool extend(size_t size)
{
    size_t pages = size / PAGE_SIZE + 1;
    region *last = arena.current;
    if (last == NULL || last->next != NULL || last->end / PAGE_SIZE != __builtin_wasm_memory_size(0)) return false;
    if (new_pages(pages) == 0) return false;
    last->end += pages * PAGE_SIZE;
    arena.total += pages * PAGE_SIZE;
    return true;
}

#else

void *malloc(size_t size);

static uintptr_t new_pages(size_t pages) { return (uintptr_t)malloc(pages * PAGE_SIZE); }

static bool extend(size_t size)
{
    (void)size;
    return false;
}

#endif

static void enter(region *next)
{
    arena.current = next;
    arena.free = (uintptr_t)next + ALIGNMENT;
}

/* Adds a region. Each is as large as all before it, so that there are few, and calls of any sizes take only a few times
   the memory that the largest of them needs. */
static bool add_region(size_t size)
{
    size_t pages = (size > arena.total ? size : arena.total) / PAGE_SIZE + 1;
    uintptr_t start = new_pages(pages);
    if (start == 0) {
        pages = size / PAGE_SIZE + 1;
        start = new_pages(pages);
    }
    if (start == 0) return false;
    region *added = (region *)start;
    *added = (region){.next = NULL, .end = start + pages * PAGE_SIZE};
    arena.total += pages * PAGE_SIZE;
    if (arena.current == NULL) {
        arena.first = added;
    } else {
        arena.current->next = added;
    }
    enter(added);
    return true;
}

/* Takes memory, which is not cleared. A model that runs out of it traps: that is a fault. */
static void *take(size_t size, size_t alignment)
{
    for (;;) {
        if (arena.current != NULL) {
            uintptr_t start = (arena.free + alignment - 1) & ~(uintptr_t)(alignment - 1);
            if (start <= arena.current->end && size <= arena.current->end - start) {
                arena.free = start + size;
                return (void *)start;
            }
            if (arena.current->next != NULL) {
                enter(arena.current->next);
                continue;
            }
        }
        size_t with_gaps = size + 2 * ALIGNMENT;
        if (with_gaps < size || !(extend(with_gaps) || add_region(with_gaps))) __builtin_trap();
    }
}

/* Makes the memory at `old` larger, in place where nothing was taken since. */
static void *take_more(void *old, size_t old_size, size_t alignment, size_t size)
{
    uintptr_t start = (uintptr_t)old;
    if (start + old_size == arena.free && size >= old_size && size <= arena.current->end - start) {
        arena.free = start + size;
        return old;
    }
    void *taken = take(size, alignment);
    __builtin_memcpy(taken, old, old_size < size ? old_size : size);
    return taken;
}

void *understudy_allocate(size_t size)
{
    void *taken = take(size, ALIGNMENT);
    __builtin_memset(taken, 0, size);
    return taken;
}

void understudy_forget(void)
{
    if (arena.first != NULL) enter(arena.first);
}

/* The place of one more item at the end of an array, which doubles whenever its count is a power of two. */
static void *one_more(void *items, size_t *count, size_t item_size)
{
    size_t found = (*count)++;
    char *place = *(char **)items;
    if ((found & (found - 1)) == 0) {
        place = take((found == 0 ? 1 : 2 * found) * item_size, ALIGNMENT);
        if (found != 0) __builtin_memcpy(place, *(char **)items, found * item_size);
        *(char **)items = place;
    }
    return place + found * item_size;
}

/* ---- Texts ---- */

static size_t length_of(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') length++;
    return length;
}

static understudy_text copy_of(const char *text)
{
    size_t size = length_of(text);
    char *data = take(size, 1);
    __builtin_memcpy(data, text, size);
    return (understudy_text){data, size};
}

bool understudy_text_is(understudy_text text, const char *other)
{
    for (size_t i = 0; i < text.size; i++) {
        if (other[i] == '\0' || other[i] != text.data[i]) return false;
    }
    return other[text.size] == '\0';
}

static void append(understudy_text *text, const char *data, size_t size)
{
    char *joined = take_more((void *)text->data, text->size, 1, text->size + size);
    __builtin_memcpy(joined + text->size, data, size);
    *text = (understudy_text){joined, text->size + size};
}

static void append_number(understudy_text *text, bool negative, uint64_t magnitude)
{
    char digits[21];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    if (negative) digits[--at] = '-';
    append(text, digits + at, sizeof digits - at);
}

static understudy_text new_text(void) { return (understudy_text){take(0, 1), 0}; }

/* One conversion of a format: %s, %c, %d, %u or %%. */
static void append_argument(understudy_text *text, char conversion, int longs, int precision, va_list *arguments)
{
    if (conversion == 's') {
        const char *argument = va_arg(*arguments, const char *);
        append(text, argument, precision < 0 ? length_of(argument) : (size_t)precision);
    } else if (conversion == 'c') {
        char argument = (char)va_arg(*arguments, int);
        append(text, &argument, 1);
    } else if (conversion == 'd') {
        int64_t argument = longs == 0 ? va_arg(*arguments, int)
                         : longs == 1 ? va_arg(*arguments, long)
                                      : va_arg(*arguments, long long);
        append_number(text, argument < 0, argument < 0 ? 0 - (uint64_t)argument : (uint64_t)argument);
    } else if (conversion == 'u') {
        append_number(text, false,
            longs == 0   ? va_arg(*arguments, unsigned)
            : longs == 1 ? va_arg(*arguments, unsigned long)
                         : va_arg(*arguments, unsigned long long));
    } else if (conversion == '%') {
        append(text, "%", 1);
    } else {
        /* The format asks for what there is not: better a fault than a text that says something else. */
        __builtin_trap();
    }
}

static understudy_text formatted(const char *format, va_list *arguments)
{
    understudy_text text = new_text();
    while (*format != '\0') {
        size_t plain = 0;
        while (format[plain] != '\0' && format[plain] != '%') plain++;
        append(&text, format, plain);
        format += plain;
        if (*format == '\0') break;
        format++;
        int precision = -1;
        if (format[0] == '.' && format[1] == '*') {
            precision = va_arg(*arguments, int);
            format += 2;
        }
        int longs = 0;
        while (*format == 'l' || *format == 'z') {
            longs += 1;
            format++;
        }
        append_argument(&text, *format, longs, precision, arguments);
        if (*format != '\0') format++;
    }
    return text;
}

understudy_text understudy_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    understudy_text text = formatted(format, &arguments);
    va_end(arguments);
    return text;
}

/* ---- Describe ---- */

static void describe_tensor(understudy_tensor_type **types, size_t *count, const char *name, understudy_datatype datatype,
    const int32_t *shape, size_t rank)
{
    int32_t *lengths = take(rank * sizeof *lengths, _Alignof(int32_t));
    if (rank != 0) __builtin_memcpy(lengths, shape, rank * sizeof *lengths);
    understudy_tensor_type *added = one_more(types, count, sizeof *added);
    *added = (understudy_tensor_type){copy_of(name), datatype, lengths, rank};
}

void understudy_describe_input(
    understudy_description *description, const char *name, understudy_datatype datatype, const int32_t *shape, size_t rank)
{
    describe_tensor(&description->inputs, &description->input_count, name, datatype, shape, rank);
}

void understudy_describe_output(
    understudy_description *description, const char *name, understudy_datatype datatype, const int32_t *shape, size_t rank)
{
    describe_tensor(&description->outputs, &description->output_count, name, datatype, shape, rank);
}

/* ---- Refuse ---- */

void understudy_refuse(understudy_answer *answer, understudy_outcome outcome, understudy_text why)
{
    if (answer->outcome != UNDERSTUDY_PREDICTED) return;
    answer->why = why;
    answer->outcome = outcome;
}

#define REFUSE_AS(outcome) \
    va_list arguments; \
    va_start(arguments, format); \
    understudy_refuse(answer, outcome, formatted(format, &arguments)); \
    va_end(arguments)

void understudy_invalid_input(understudy_answer *answer, const char *format, ...) { REFUSE_AS(UNDERSTUDY_INVALID_INPUT); }

void understudy_abstain(understudy_answer *answer, const char *format, ...) { REFUSE_AS(UNDERSTUDY_ABSTAINED); }

void understudy_fail(understudy_answer *answer, const char *format, ...) { REFUSE_AS(UNDERSTUDY_FAILED); }

/* ---- Read a request ---- */

static const char *const datatype_names[] = {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "BF16", "FP32", "FP64", "BYTES (text)", "BYTES (blob)"};

static const uint8_t element_sizes[] = {
    1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, sizeof(understudy_text), sizeof(understudy_blob)};

understudy_text understudy_describe_tensor(const understudy_tensor *tensor)
{
    understudy_text text = new_text();
    append(&text, "tensor `", 8);
    append(&text, tensor->name.data, tensor->name.size);
    append(&text, "` is ", 5);
    append(&text, datatype_names[tensor->datatype], length_of(datatype_names[tensor->datatype]));
    append(&text, "[", 1);
    for (size_t i = 0; i < tensor->rank; i++) {
        if (i != 0) append(&text, ", ", 2);
        append_number(&text, false, tensor->shape[i]);
    }
    append(&text, "]", 1);
    return text;
}

static bool refuse_tensor(
    const understudy_tensor *tensor, understudy_datatype datatype, const char *expected, understudy_answer *answer)
{
    understudy_text found = understudy_describe_tensor(tensor);
    understudy_invalid_input(
        answer, "%.*s, expected %s%s", (int)found.size, found.data, datatype_names[datatype], expected);
    return false;
}

/* Says whether the shape asks for as many elements as there are. */
static bool is_whole(const understudy_tensor *tensor)
{
    uint64_t expected = 1;
    for (size_t i = 0; i < tensor->rank; i++) {
        if (__builtin_mul_overflow(expected, tensor->shape[i], &expected)) return false;
    }
    return expected == tensor->count;
}

static bool check_elements(const understudy_tensor *tensor, understudy_datatype datatype, understudy_answer *answer)
{
    if (tensor == NULL) return false;
    if (tensor->datatype != datatype) return refuse_tensor(tensor, datatype, "", answer);
    if (is_whole(tensor)) return true;
    understudy_text found = understudy_describe_tensor(tensor);
    understudy_invalid_input(answer, "%.*s but holds %zu elements", (int)found.size, found.data, tensor->count);
    return false;
}

/* Writes where the elements are into a pointer of whatever type. */
static bool point(const understudy_tensor *tensor, void *elements)
{
    __builtin_memcpy(elements, &tensor->elements, sizeof tensor->elements);
    return true;
}

const understudy_tensor *understudy_input(const understudy_request *request, const char *name, understudy_answer *answer)
{
    return understudy_find_input(request, (understudy_text){name, length_of(name)}, answer);
}

const understudy_tensor *understudy_find_input(
    const understudy_request *request, understudy_text name, understudy_answer *answer)
{
    for (size_t i = 0; i < request->input_count; i++) {
        const understudy_text found = request->inputs[i].name;
        if (found.size == name.size && __builtin_memcmp(found.data, name.data, name.size) == 0) return &request->inputs[i];
    }
    understudy_text found = new_text();
    for (size_t i = 0; i < request->input_count; i++) {
        if (i != 0) append(&found, ", ", 2);
        append(&found, "`", 1);
        append(&found, request->inputs[i].name.data, request->inputs[i].name.size);
        append(&found, "`", 1);
    }
    if (request->input_count == 0) append(&found, "none", 4);
    understudy_invalid_input(answer, "input `%.*s` is missing; the inputs are: %.*s", (int)name.size, name.data,
        (int)found.size, found.data);
    return NULL;
}

bool understudy_read_elements(
    const understudy_tensor *tensor, understudy_datatype datatype, void *elements, size_t *count, understudy_answer *answer)
{
    if (!check_elements(tensor, datatype, answer)) return false;
    *count = tensor->count;
    return point(tensor, elements);
}

bool understudy_read_scalar(
    const understudy_tensor *tensor, understudy_datatype datatype, void *value, understudy_answer *answer)
{
    if (!check_elements(tensor, datatype, answer)) return false;
    if (tensor->count != 1) return refuse_tensor(tensor, datatype, " with one element", answer);
    __builtin_memcpy(value, tensor->elements, element_sizes[datatype]);
    return true;
}

bool understudy_read_vector(
    const understudy_tensor *tensor, understudy_datatype datatype, void *elements, size_t *count, understudy_answer *answer)
{
    if (!check_elements(tensor, datatype, answer)) return false;
    if (tensor->rank != 1) return refuse_tensor(tensor, datatype, " with one dimension", answer);
    *count = tensor->count;
    return point(tensor, elements);
}

bool understudy_read_matrix(const understudy_tensor *tensor, understudy_datatype datatype, void *elements, size_t *rows,
    size_t *columns, understudy_answer *answer)
{
    if (!check_elements(tensor, datatype, answer)) return false;
    if (tensor->rank != 2) return refuse_tensor(tensor, datatype, " with two dimensions", answer);
    *rows = tensor->shape[0];
    *columns = tensor->shape[1];
    return point(tensor, elements);
}

/* ---- Answer ---- */

void *understudy_new_output(
    understudy_answer *answer, const char *name, understudy_datatype datatype, const uint32_t *lengths, size_t rank)
{
    size_t count = 1;
    uint32_t *shape = take(rank * sizeof *shape, _Alignof(uint32_t));
    for (size_t i = 0; i < rank; i++) {
        shape[i] = lengths[i];
        if (__builtin_mul_overflow(count, lengths[i], &count)) __builtin_trap();
    }
    size_t size;
    if (__builtin_mul_overflow(count, element_sizes[datatype], &size)) __builtin_trap();
    void *elements = understudy_allocate(size);
    understudy_tensor *added = one_more(&answer->outputs, &answer->output_count, sizeof *added);
    *added = (understudy_tensor){copy_of(name), shape, rank, datatype, elements, count};
    return elements;
}

void understudy_add_output(understudy_answer *answer, const char *name, understudy_datatype datatype, const void *elements,
    const uint32_t *lengths, size_t rank)
{
    void *copy = understudy_new_output(answer, name, datatype, lengths, rank);
    size_t count = answer->outputs[answer->output_count - 1].count;
    if (count != 0) __builtin_memcpy(copy, elements, count * element_sizes[datatype]);
    if (datatype != UNDERSTUDY_TEXT && datatype != UNDERSTUDY_BLOB) return;
    /* What they point at may be gone when this call of a function ends. */
    understudy_text *texts = copy;
    for (size_t i = 0; i < count; i++) {
        char *data = take(texts[i].size, 1);
        if (texts[i].size != 0) __builtin_memcpy(data, texts[i].data, texts[i].size);
        texts[i].data = data;
    }
}

void understudy_text_output(understudy_answer *answer, const char *name, const char *text)
{
    const understudy_text element = {text, length_of(text)};
    understudy_add_output(answer, name, UNDERSTUDY_TEXT, &element, UNDERSTUDY_LENGTHS(1));
}

void understudy_add_note(understudy_answer *answer, understudy_text name, understudy_text text)
{
    understudy_remark *added = one_more(&answer->notes, &answer->note_count, sizeof *added);
    *added = (understudy_remark){name, text};
}

void understudy_note(understudy_answer *answer, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    understudy_add_note(answer, copy_of(name), formatted(format, &arguments));
    va_end(arguments);
}

/* ---- Half floats ---- */

static float float_of(uint32_t bits)
{
    float number;
    __builtin_memcpy(&number, &bits, sizeof number);
    return number;
}

static uint32_t bits_of(float number)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &number, sizeof bits);
    return bits;
}

float understudy_bf16_to_float(understudy_bf16 number) { return float_of((uint32_t)number.bits << 16); }

understudy_bf16 understudy_bf16_from_float(float number)
{
    uint32_t bits = bits_of(number);
    if ((bits & 0x7fffffff) > 0x7f800000) return (understudy_bf16){(uint16_t)(bits >> 16 | 0x40)};
    return (understudy_bf16){(uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

float understudy_f16_to_float(understudy_f16 number)
{
    uint32_t sign = (uint32_t)(number.bits & 0x8000) << 16;
    uint32_t magnitude = number.bits & 0x7fff;
    if (magnitude >= 0x7c00) {
        /* Infinite, or not a number, which is kept and made quiet. */
        return float_of(sign | 0x7f800000 | (magnitude & 0x3ff) << 13 | (magnitude > 0x7c00 ? 0x400000 : 0));
    }
    if (magnitude >= 0x400) return float_of(sign | ((magnitude << 13) + (112u << 23)));
    return float_of(sign | bits_of((float)magnitude * 0x1p-24f));
}

understudy_f16 understudy_f16_from_float(float number)
{
    uint32_t bits = bits_of(number);
    uint32_t sign = bits >> 16 & 0x8000;
    uint32_t magnitude = bits & 0x7fffffff;
    uint32_t half;
    if (magnitude > 0x7f800000) {
        half = 0x7e00 | (magnitude >> 13 & 0x3ff);
    } else if (magnitude >= 0x47800000) {
        half = 0x7c00;
    } else if (magnitude >= 0x38800000) {
        half = (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    } else {
        /* The sum has the unit of a subnormal half in its last place, so that the addition rounds. */
        half = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
    }
    return (understudy_f16){(uint16_t)(sign | half)};
}

/* ---- Call the model ---- */

static void answer_all(const understudy_request *requests, size_t count, understudy_answer *answers)
{
    if (understudy_exported_model.predict_batch != NULL) {
        understudy_exported_model.predict_batch(requests, count, answers);
        return;
    }
    for (size_t i = 0; i < count; i++) understudy_exported_model.predict(&requests[i], &answers[i]);
}

const understudy_description *understudy_ask_description(void)
{
    understudy_description *description = understudy_allocate(sizeof *description);
    description->stateless = true;
    understudy_exported_model.describe(description);
    return description;
}

understudy_answer *understudy_ask(const understudy_tensor *inputs, size_t input_count)
{
    const understudy_request request = {copy_of("1"), 0, inputs, input_count};
    understudy_answer *answer = understudy_allocate(sizeof *answer);
    answer_all(&request, 1, answer);
    return answer;
}

understudy_tensor understudy_new_tensor(
    const char *name, understudy_datatype datatype, const void *elements, const uint32_t *lengths, size_t rank)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++) count *= lengths[i];
    return (understudy_tensor){{name, length_of(name)}, lengths, rank, datatype, elements, count};
}

const understudy_tensor *understudy_output_named(const understudy_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->output_count; i++) {
        if (understudy_text_is(answer->outputs[i].name, name)) return &answer->outputs[i];
    }
    return NULL;
}

/* ---- The canonical ABI ---- */

#if defined(__wasm__)

/* A `result<prediction, refusal>`. */
typedef struct result {
    uint8_t is_refusal;
    union {
        struct {
            const understudy_tensor *outputs;
            size_t output_count;
            const understudy_remark *notes;
            size_t note_count;
        } prediction;
        struct {
            uint8_t kind;
            understudy_text why;
        } refusal;
    } of;
} result;

/* A `list<result<prediction, refusal>>`. */
typedef struct result_list {
    const result *results;
    size_t count;
} result_list;

_Static_assert(sizeof(understudy_tensor) == 28 && offsetof(understudy_tensor, datatype) == 16 &&
                   offsetof(understudy_tensor, elements) == 20,
    "a tensor is laid out as in the canonical ABI");
_Static_assert(sizeof(understudy_request) == 24 && offsetof(understudy_request, time_us) == 8, "so is a request");
_Static_assert(sizeof(understudy_tensor_type) == 20 && offsetof(understudy_tensor_type, shape) == 12, "and its type");
_Static_assert(sizeof(understudy_description) == 24 && offsetof(understudy_description, stateless) == 20, "and all of them");
_Static_assert(sizeof(result) == 20 && offsetof(result, of) == 4, "and what comes of a request");

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("cabi_realloc") void *understudy_cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size)
{
    if (size == 0) return (void *)alignment;
    return old_size == 0 ? take(size, alignment) : take_more(old, old_size, alignment, size);
}

EXPORT("understudy:model/predictor@0.1.0#describe") const understudy_description *understudy_export_describe(void)
{
    return understudy_ask_description();
}

EXPORT("understudy:model/predictor@0.1.0#predict")
const result_list *understudy_export_predict(const understudy_request *requests, size_t count)
{
    understudy_answer *answers = understudy_allocate(count * sizeof *answers);
    answer_all(requests, count, answers);
    result *results = understudy_allocate(count * sizeof *results);
    for (size_t i = 0; i < count; i++) {
        const understudy_answer *answer = &answers[i];
        if (answer->outcome == UNDERSTUDY_PREDICTED) {
            results[i].of.prediction.outputs = answer->outputs;
            results[i].of.prediction.output_count = answer->output_count;
            results[i].of.prediction.notes = answer->notes;
            results[i].of.prediction.note_count = answer->note_count;
        } else {
            results[i].is_refusal = 1;
            results[i].of.refusal.kind = (uint8_t)(answer->outcome - UNDERSTUDY_INVALID_INPUT);
            results[i].of.refusal.why = answer->why;
        }
    }
    result_list *list = understudy_allocate(sizeof *list);
    *list = (result_list){results, count};
    return list;
}

EXPORT("cabi_post_understudy:model/predictor@0.1.0#describe") void understudy_post_describe(const void *description)
{
    (void)description;
    understudy_forget();
}

EXPORT("cabi_post_understudy:model/predictor@0.1.0#predict") void understudy_post_predict(const void *results)
{
    (void)results;
    understudy_forget();
}

#endif
