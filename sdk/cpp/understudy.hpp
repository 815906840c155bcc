// Write a model for Understudy in C++20.
//
// A model is a WebAssembly component that says what tensors it takes and gives, and answers requests. It imports nothing:
// no file, no socket, no clock, no random number. The same request therefore always gets the same prediction.
//
//     #include <cmath>
//     #include "understudy.hpp"
//
//     struct Late {
//         static understudy::Description describe()
//         {
//             return understudy::Description()
//                 .input<std::string_view>("carrier", {1})
//                 .input<float>("distance", {1})
//                 .output<double>("delayed", {1});
//         }
//
//         static understudy::Result predict(const understudy::Request &request)
//         {
//             UNDERSTUDY_TRY(carrier, request.text("carrier"));
//             UNDERSTUDY_TRY(distance, request.scalar<float>("distance"));
//             if (carrier != "UA") {
//                 return understudy::Refusal::abstain("carrier `", carrier, "` was not in the training data");
//             }
//             return understudy::Prediction().output("delayed", 1.0 / (1.0 + std::exp(1.4 - 1.0e-4 * distance)));
//         }
//     };
//
//     UNDERSTUDY_MODEL(Late)
//
// A type with `predict_batch` in place of `predict` is given all requests of a call:
//
//     static void predict_batch(std::span<const understudy::Request> requests, std::span<understudy::Result> results);
//
// It writes the answer to `requests[i]` into `results[i]`; the host chooses how many it hands over, so an answer must not
// depend on its neighbours.
//
// | on the wire | in a description and when reading |
// |---|---|
// | `BOOL` | `bool` |
// | `UINT8` ... `UINT64`, `INT8` ... `INT64` | `std::uint8_t` ... `std::uint64_t`, `std::int8_t` ... `std::int64_t` |
// | `FP16`, `BF16` | `understudy::F16`, `understudy::BF16`, which `understudy::to_float` widens |
// | `FP32`, `FP64` | `float`, `double` |
// | `BYTES` | `std::string_view` where it is UTF-8, `understudy::Blob` where it need not be |
//
// Requests are read where the host wrote them. Views are good until the call ends, and so is whatever is made of a
// Prediction or a Refusal; both are handles that cost nothing to copy. No exception is thrown, and none is needed.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

#include "understudy.h"

namespace understudy {

/// An IEEE 754 binary16 number, as its bits.
using F16 = understudy_f16;
/// A bfloat16 number, as its bits: the upper half of a float.
using BF16 = understudy_bf16;
/// A string of any bytes.
using Blob = std::span<const std::byte>;

inline float to_float(F16 number) { return understudy_f16_to_float(number); }
inline float to_float(BF16 number) { return understudy_bf16_to_float(number); }
/// Rounds to the nearest number, and to the even one of two.
inline F16 to_f16(float number) { return understudy_f16_from_float(number); }
/// Rounds to the nearest number, and to the even one of two.
inline BF16 to_bf16(float number) { return understudy_bf16_from_float(number); }

/// Stands in a shape for a dimension of any length.
inline constexpr std::int32_t any_length = UNDERSTUDY_ANY_LENGTH;

namespace detail {

inline std::string_view view(understudy_text text) { return {text.data, text.size}; }
inline understudy_text text(std::string_view view) { return {view.data(), view.size()}; }

/// Memory until the call ends.
template <typename T> std::span<T> allocate(std::size_t count)
{
    return {static_cast<T *>(understudy_allocate(count * sizeof(T))), count};
}

inline const char *c_string(std::string_view view)
{
    auto copy = allocate<char>(view.size() + 1);
    if (!view.empty()) std::memcpy(copy.data(), view.data(), view.size());
    return copy.data();
}

/// What a C++ type is to the library in C: its datatype, how it is stored, and how it is seen.
template <typename T> struct Element;

template <typename T, understudy_datatype of> struct Plain {
    using Stored = T;
    using Elements = std::span<const T>;
    static constexpr understudy_datatype datatype = of;
    static T view(const Stored &stored) { return stored; }
    static Stored store(const T &element) { return element; }
};

template <> struct Element<bool> : Plain<bool, UNDERSTUDY_BOOL> {};
template <> struct Element<std::uint8_t> : Plain<std::uint8_t, UNDERSTUDY_UINT8> {};
template <> struct Element<std::uint16_t> : Plain<std::uint16_t, UNDERSTUDY_UINT16> {};
template <> struct Element<std::uint32_t> : Plain<std::uint32_t, UNDERSTUDY_UINT32> {};
template <> struct Element<std::uint64_t> : Plain<std::uint64_t, UNDERSTUDY_UINT64> {};
template <> struct Element<std::int8_t> : Plain<std::int8_t, UNDERSTUDY_INT8> {};
template <> struct Element<std::int16_t> : Plain<std::int16_t, UNDERSTUDY_INT16> {};
template <> struct Element<std::int32_t> : Plain<std::int32_t, UNDERSTUDY_INT32> {};
template <> struct Element<std::int64_t> : Plain<std::int64_t, UNDERSTUDY_INT64> {};
template <> struct Element<F16> : Plain<F16, UNDERSTUDY_FP16> {};
template <> struct Element<BF16> : Plain<BF16, UNDERSTUDY_BF16> {};
template <> struct Element<float> : Plain<float, UNDERSTUDY_FP32> {};
template <> struct Element<double> : Plain<double, UNDERSTUDY_FP64> {};

struct AsText {
    std::string_view operator()(const understudy_text &stored) const { return {stored.data, stored.size}; }
};

struct AsBlob {
    Blob operator()(const understudy_blob &stored) const
    {
        return {reinterpret_cast<const std::byte *>(stored.data), stored.size};
    }
};

template <> struct Element<std::string_view> {
    using Stored = understudy_text;
    using Elements = std::ranges::transform_view<std::span<const Stored>, AsText>;
    static constexpr understudy_datatype datatype = UNDERSTUDY_TEXT;
    static std::string_view view(const Stored &stored) { return AsText()(stored); }
    static Stored store(std::string_view element) { return {element.data(), element.size()}; }
};

template <> struct Element<Blob> {
    using Stored = understudy_blob;
    using Elements = std::ranges::transform_view<std::span<const Stored>, AsBlob>;
    static constexpr understudy_datatype datatype = UNDERSTUDY_BLOB;
    static Blob view(const Stored &stored) { return AsBlob()(stored); }
    static Stored store(Blob element) { return {reinterpret_cast<const std::uint8_t *>(element.data()), element.size()}; }
};

/// The elements as the type that users see: a span, or a range of views.
template <typename T> typename Element<T>::Elements elements(std::span<const typename Element<T>::Stored> stored)
{
    if constexpr (std::is_same_v<typename Element<T>::Elements, std::span<const T>>) {
        return stored;
    } else {
        return typename Element<T>::Elements(stored, {});
    }
}

inline std::string_view part(std::string_view text) { return text; }
inline std::string_view part(std::integral auto number)
{
    return view(std::is_signed_v<decltype(number)> ? understudy_format("%lld", static_cast<long long>(number))
                                                   : understudy_format("%llu", static_cast<unsigned long long>(number)));
}

/// One text made of several, and of integers.
template <typename... Parts> std::string_view joined(const Parts &...parts)
{
    const std::initializer_list<std::string_view> texts = {part(parts)...};
    std::size_t size = 0;
    for (auto text : texts) size += text.size();
    auto all = allocate<char>(size);
    std::size_t at = 0;
    for (auto text : texts) {
        if (!text.empty()) std::memcpy(all.data() + at, text.data(), text.size());
        at += text.size();
    }
    return {all.data(), size};
}

} // namespace detail

/// A C++ type that stands for one datatype. The set is closed.
template <typename T>
concept Element = requires { detail::Element<T>::datatype; };

/// Elements as they are read: a std::span, or for texts and blobs a range of views, with [] and size().
template <Element T> using Elements = typename detail::Element<T>::Elements;

/// A model's polite no. It costs the model nothing: it is not a fault, as a trap or an endless loop is.
class Refusal {
public:
    /// A no because the request makes no sense. Say which input, what was found, and what was expected, in texts and
    /// integers that are joined.
    template <typename... Parts> static Refusal invalid_input(const Parts &...why)
    {
        return {UNDERSTUDY_INVALID_INPUT, detail::joined(why...)};
    }

    /// A no because the model would rather not answer: the request is outside of what it was trained on, say.
    template <typename... Parts> static Refusal abstain(const Parts &...why)
    {
        return {UNDERSTUDY_ABSTAINED, detail::joined(why...)};
    }

    /// A no because the model tried and could not.
    template <typename... Parts> static Refusal failed(const Parts &...why)
    {
        return {UNDERSTUDY_FAILED, detail::joined(why...)};
    }

    /// What the library in C refused.
    explicit Refusal(const understudy_answer &answer) : Refusal(answer.outcome, detail::view(answer.why)) {}

    /// UNDERSTUDY_INVALID_INPUT, UNDERSTUDY_ABSTAINED or UNDERSTUDY_FAILED.
    understudy_outcome kind() const { return kind_; }
    std::string_view why() const { return why_; }

private:
    Refusal(understudy_outcome kind, std::string_view why) : kind_(kind), why_(why) {}

    understudy_outcome kind_;
    std::string_view why_;
};

/// A value, or the refusal that came instead.
template <typename T> class [[nodiscard]] Expected {
public:
    Expected() requires std::default_initializable<T> : value_(T()) {}
    Expected(const T &value) : value_(value) {}
    Expected(const Refusal &refusal) : refusal_(refusal) {}

    bool has_value() const { return value_.has_value(); }
    explicit operator bool() const { return has_value(); }

    /// The value. To be called only where there is one.
    const T &operator*() const { return *value_; }
    const T *operator->() const { return &*value_; }

    /// The refusal. To be called only where there is no value.
    const Refusal &refusal() const { return *refusal_; }

private:
    std::optional<T> value_;
    std::optional<Refusal> refusal_;
};

/// Declares a variable with the value of an Expected, or returns its refusal from the function.
#define UNDERSTUDY_TRY(variable, ...) \
    const auto variable##_or_refusal = (__VA_ARGS__); \
    if (!variable##_or_refusal) return variable##_or_refusal.refusal(); \
    const auto &variable = *variable##_or_refusal

/// The elements of a tensor with two dimensions.
template <Element T> class Matrix {
public:
    Matrix(std::size_t rows, std::size_t columns, std::span<const typename detail::Element<T>::Stored> elements)
        : rows_(rows), columns_(columns), elements_(elements)
    {
    }

    std::size_t row_count() const { return rows_; }
    std::size_t column_count() const { return columns_; }

    /// The row at `index`, which has to be below `row_count()`.
    Elements<T> row(std::size_t index) const { return detail::elements<T>(elements_.subspan(index * columns_, columns_)); }

    /// All elements, row by row.
    Elements<T> elements() const { return detail::elements<T>(elements_); }

private:
    std::size_t rows_;
    std::size_t columns_;
    std::span<const typename detail::Element<T>::Stored> elements_;
};

/// A named array of any rank.
class Tensor {
public:
    explicit Tensor(const understudy_tensor *raw) : raw_(raw) {}

    std::string_view name() const { return detail::view(raw_->name); }
    std::span<const std::uint32_t> shape() const { return {raw_->shape, raw_->rank}; }
    understudy_datatype datatype() const { return raw_->datatype; }

    /// Says what the tensor is, and none of its elements.
    std::string_view describe() const { return detail::view(understudy_describe_tensor(raw_)); }

    /// All elements in row-major order, whatever the shape. Refuses where they are of another type.
    template <Element T> Expected<Elements<T>> elements() const { return read<T>(understudy_read_elements); }

    /// The elements of a tensor with one dimension.
    template <Element T> Expected<Elements<T>> vector() const { return read<T>(understudy_read_vector); }

    /// The one element, of a tensor of shape [], [1], [1, 1] and so on.
    template <Element T> Expected<T> scalar() const
    {
        understudy_answer answer = {};
        typename detail::Element<T>::Stored stored;
        if (!understudy_read_scalar(raw_, detail::Element<T>::datatype, &stored, &answer)) return Refusal(answer);
        return detail::Element<T>::view(stored);
    }

    /// The one text, as in `scalar`.
    Expected<std::string_view> text() const { return scalar<std::string_view>(); }

    /// The elements of a tensor with two dimensions.
    template <Element T> Expected<Matrix<T>> matrix() const
    {
        understudy_answer answer = {};
        const typename detail::Element<T>::Stored *stored;
        std::size_t rows, columns;
        if (!understudy_read_matrix(raw_, detail::Element<T>::datatype, &stored, &rows, &columns, &answer)) {
            return Refusal(answer);
        }
        return Matrix<T>(rows, columns, {stored, rows * columns});
    }

private:
    template <Element T> Expected<Elements<T>> read(decltype(understudy_read_elements) *accessor) const
    {
        understudy_answer answer = {};
        const typename detail::Element<T>::Stored *stored;
        std::size_t count;
        if (!accessor(raw_, detail::Element<T>::datatype, &stored, &count, &answer)) return Refusal(answer);
        return detail::elements<T>(std::span(stored, count));
    }

    const understudy_tensor *raw_;
};

/// One question.
class Request {
public:
    explicit Request(const understudy_request *raw) : raw_(raw) {}

    /// Unique on its endpoint.
    std::string_view id() const { return detail::view(raw_->id); }

    /// When it was made, in microseconds since 1970-01-01T00:00:00Z: the only clock of a model.
    std::uint64_t time_us() const { return raw_->time_us; }

    std::size_t input_count() const { return raw_->input_count; }

    /// An input by its place in the description, which has to be below `input_count()`.
    Tensor input_at(std::size_t index) const { return Tensor(raw_->inputs + index); }

    /// The input with this name. The host hands over every input that the model describes, so one that is not there is
    /// missing from the description.
    Expected<Tensor> input(std::string_view name) const
    {
        understudy_answer answer = {};
        const understudy_tensor *tensor = understudy_find_input(raw_, detail::text(name), &answer);
        if (tensor == nullptr) return Refusal(answer);
        return Tensor(tensor);
    }

    /// What the accessors of the tensor with this name give.
    template <Element T> Expected<Elements<T>> elements(std::string_view name) const
    {
        UNDERSTUDY_TRY(tensor, input(name));
        return tensor.template elements<T>();
    }
    template <Element T> Expected<T> scalar(std::string_view name) const
    {
        UNDERSTUDY_TRY(tensor, input(name));
        return tensor.template scalar<T>();
    }
    template <Element T> Expected<Elements<T>> vector(std::string_view name) const
    {
        UNDERSTUDY_TRY(tensor, input(name));
        return tensor.template vector<T>();
    }
    template <Element T> Expected<Matrix<T>> matrix(std::string_view name) const
    {
        UNDERSTUDY_TRY(tensor, input(name));
        return tensor.template matrix<T>();
    }
    Expected<std::string_view> text(std::string_view name) const { return scalar<std::string_view>(name); }

private:
    const understudy_request *raw_;
};

/// The lengths of the dimensions of a tensor: `{rows, 4}`, or `{}` for a scalar.
class Shape {
public:
    Shape(std::initializer_list<std::size_t> lengths) : Shape(std::span(lengths.begin(), lengths.size())) {}

    template <std::ranges::sized_range Lengths>
        requires std::integral<std::ranges::range_value_t<Lengths>>
    Shape(const Lengths &lengths) : lengths_(detail::allocate<std::uint32_t>(std::ranges::size(lengths)))
    {
        std::size_t at = 0;
        for (auto length : lengths) lengths_[at++] = static_cast<std::uint32_t>(length);
    }

    const std::uint32_t *data() const { return lengths_.data(); }
    std::size_t size() const { return lengths_.size(); }

    /// How many elements a tensor of this shape has.
    std::size_t element_count() const
    {
        std::size_t count = 1;
        for (auto length : lengths_) count *= length;
        return count;
    }

private:
    std::span<std::uint32_t> lengths_;
};

/// What a model gives back.
class Prediction {
public:
    /// Adds an output with a copy of its elements, in any range that has a size. A number of elements that does not fit
    /// the shape is a fault.
    template <std::ranges::sized_range Range>
        requires(!std::convertible_to<const Range &, std::string_view>)
    Prediction &output(std::string_view name, Shape shape, const Range &elements)
    {
        using Given = std::remove_cvref_t<std::ranges::range_value_t<Range>>;
        // A std::string is a text, and a container of bytes a blob.
        using T = std::conditional_t<Element<Given>, Given,
            std::conditional_t<std::convertible_to<Given, std::string_view>, std::string_view, Blob>>;
        if (std::ranges::size(elements) != shape.element_count()) __builtin_trap();
        auto stored = detail::allocate<typename detail::Element<T>::Stored>(shape.element_count());
        std::size_t at = 0;
        for (const auto &element : elements) stored[at++] = detail::Element<T>::store(T(element));
        understudy_add_output(
            &answer_, detail::c_string(name), detail::Element<T>::datatype, stored.data(), shape.data(), shape.size());
        return *this;
    }

    template <Element T> Prediction &output(std::string_view name, Shape shape, std::initializer_list<T> elements)
    {
        return output(name, shape, std::span(elements.begin(), elements.size()));
    }

    /// Adds one element as an output of shape [1].
    template <Element T> Prediction &output(std::string_view name, T element) { return output(name, {1}, {element}); }

    /// Adds a text as an output of shape [1].
    Prediction &text(std::string_view name, std::string_view text) { return output(name, {1}, {text}); }

    /// Adds a remark for people, of texts and integers that are joined. It is recorded with the score.
    template <typename... Parts> Prediction &note(std::string_view name, const Parts &...text)
    {
        understudy_add_note(
            &answer_, detail::text(detail::joined(name)), detail::text(detail::joined(text...)));
        return *this;
    }

    /// The output with this name. For tests.
    std::optional<Tensor> tensor(std::string_view name) const
    {
        const understudy_tensor *found = understudy_output_named(&answer_, detail::c_string(name));
        return found == nullptr ? std::nullopt : std::optional(Tensor(found));
    }

    /// The answer as the library in C has it.
    const understudy_answer &raw() const { return answer_; }

private:
    understudy_answer answer_ = {};
};

/// What comes of a request.
using Result = Expected<Prediction>;

/// What a model takes, gives, and allows the host to do with it. It begins without tensors, and stateless.
class Description {
public:
    /// Adds an input with elements of type T. A length of `any_length` fits any; `{}` is a scalar.
    template <Element T> Description &input(std::string_view name, std::initializer_list<std::int32_t> shape)
    {
        understudy_describe_input(
            &raw_, detail::c_string(name), detail::Element<T>::datatype, shape.begin(), shape.size());
        return *this;
    }

    /// Adds an output that every prediction has, with elements of type T.
    template <Element T> Description &output(std::string_view name, std::initializer_list<std::int32_t> shape)
    {
        understudy_describe_output(
            &raw_, detail::c_string(name), detail::Element<T>::datatype, shape.begin(), shape.size());
        return *this;
    }

    /// Sets how many requests one call may bring at most; 0 leaves it to the host.
    Description &batch_limit(std::uint32_t requests)
    {
        raw_.batch_limit = requests;
        return *this;
    }

    /// Says that a prediction may depend on earlier requests. The host then runs one instance alone.
    Description &stateful()
    {
        raw_.stateless = false;
        return *this;
    }

    /// The description as the library in C has it.
    const understudy_description &raw() const { return raw_; }

private:
    understudy_description raw_ = {.inputs = nullptr,
        .input_count = 0,
        .outputs = nullptr,
        .output_count = 0,
        .batch_limit = 0,
        .stateless = true};
};

/// A request for a test, and the memory of its answer, which goes with it.
///
///     understudy::TestCall call;
///     call.input("features", {3}, {0.0f, 1.0f, 2.0f});
///     const understudy::Result result = MyModel::predict(call.request());
class TestCall {
public:
    TestCall() = default;
    TestCall(const TestCall &) = delete;
    TestCall &operator=(const TestCall &) = delete;
    ~TestCall() { understudy_forget(); }

    /// Adds an input, as `Prediction::output` adds an output.
    template <typename Elements> TestCall &input(std::string_view name, Shape shape, const Elements &elements)
    {
        inputs_.output(name, shape, elements);
        return *this;
    }
    template <Element T> TestCall &input(std::string_view name, Shape shape, std::initializer_list<T> elements)
    {
        inputs_.output(name, shape, elements);
        return *this;
    }

    Request request()
    {
        raw_ = {{"1", 1}, 0, inputs_.raw().outputs, inputs_.raw().output_count};
        return Request(&raw_);
    }

private:
    Prediction inputs_;
    understudy_request raw_ = {};
};

namespace detail {

/// A model behind the functions that the library in C calls.
template <typename Model> struct Exported {
    static void describe(understudy_description *description) { *description = Model::describe().raw(); }

    static void predict(const understudy_request *request, understudy_answer *answer)
    {
        write(Model::predict(Request(request)), *answer);
    }

    static void predict_batch(const understudy_request *requests, std::size_t count, understudy_answer *answers)
    {
        auto given = allocate<Request>(count);
        auto results = allocate<Result>(count);
        for (std::size_t i = 0; i < count; i++) {
            new (&given[i]) Request(&requests[i]);
            new (&results[i]) Result();
        }
        Model::predict_batch(std::span<const Request>(given), results);
        for (std::size_t i = 0; i < count; i++) write(results[i], answers[i]);
    }

    static void write(const Result &result, understudy_answer &answer)
    {
        if (result) {
            answer = result->raw();
        } else {
            understudy_refuse(&answer, result.refusal().kind(), text(result.refusal().why()));
        }
    }
};

template <typename Model> constexpr understudy_model exported()
{
    if constexpr (requires { &Model::predict_batch; }) {
        return {Exported<Model>::describe, nullptr, Exported<Model>::predict_batch};
    } else {
        return {Exported<Model>::describe, Exported<Model>::predict, nullptr};
    }
}

} // namespace detail

} // namespace understudy

/// Exports a type as the model of this program. To be used once, outside of every namespace.
#define UNDERSTUDY_MODEL(Model) \
    extern "C" constinit const understudy_model understudy_exported_model = ::understudy::detail::exported<Model>();
