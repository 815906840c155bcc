// The conformance model in C++: does what `sdk/conformance/README.md` says.
#include <algorithm>

#include "outputs.hpp"
#include "read.hpp"
#include "understudy.hpp"

using understudy::any_length;
using understudy::BF16;
using understudy::Blob;
using understudy::Description;
using understudy::Expected;
using understudy::F16;
using understudy::Refusal;
using understudy::Request;
using understudy::Result;

namespace {

/// Everything as it came.
Expected<Outputs> all(const Request &request)
{
    Outputs outputs;
    std::optional<Refusal> refusal;
    for_each_vector([&]<std::size_t i, typename T>() {
        const auto elements = request.vector<T>(vector_names[i]);
        if (elements) {
            std::get<i>(outputs.vectors).assign(elements->begin(), elements->end());
        } else {
            refusal = elements.refusal();
        }
        return elements.has_value();
    });
    if (refusal) return *refusal;
    UNDERSTUDY_TRY(scalar, request.scalar<double>("scalar"));
    UNDERSTUDY_TRY(matrix, request.input("matrix"));
    UNDERSTUDY_TRY(matrix_elements, matrix.elements<float>());
    UNDERSTUDY_TRY(cube, request.input("cube"));
    UNDERSTUDY_TRY(cube_elements, cube.elements<std::int32_t>());
    outputs.scalar = scalar;
    outputs.matrix.assign(matrix_elements.begin(), matrix_elements.end());
    outputs.matrix_shape.assign(matrix.shape().begin(), matrix.shape().end());
    outputs.cube.assign(cube_elements.begin(), cube_elements.end());
    outputs.cube_shape.assign(cube.shape().begin(), cube.shape().end());
    return outputs;
}

Result echo(const Request &request)
{
    UNDERSTUDY_TRY(outputs, all(request));
    return outputs.prediction();
}

Result reverse(const Request &request)
{
    UNDERSTUDY_TRY(given, all(request));
    Outputs outputs = given;
    std::apply([](auto &...vectors) { (std::reverse(vectors.begin(), vectors.end()), ...); }, outputs.vectors);
    outputs.scalar = -outputs.scalar;
    const std::size_t rows = given.matrix_shape[0], columns = given.matrix_shape[1];
    for (std::size_t row = 0; row < rows; row++) {
        for (std::size_t column = 0; column < columns; column++) {
            outputs.matrix[column * rows + row] = given.matrix[row * columns + column];
        }
    }
    std::ranges::reverse(outputs.matrix_shape);
    std::ranges::reverse(outputs.cube);
    std::ranges::reverse(outputs.cube_shape);
    return outputs.prediction();
}

Result sum(const Request &request)
{
    UNDERSTUDY_TRY(doubles, request.vector<double>("fp64"));
    UNDERSTUDY_TRY(matrix, request.matrix<float>("matrix"));
    UNDERSTUDY_TRY(integers, request.vector<std::int32_t>("int32"));
    UNDERSTUDY_TRY(blobs, request.vector<Blob>("blob"));
    Outputs outputs;
    for (double element : doubles) outputs.scalar += element;
    for (std::size_t i = 0; i < matrix.row_count(); i++) {
        double row_sum = 0.0;
        for (float element : matrix.row(i)) row_sum += element;
        outputs.of<double>().push_back(row_sum);
    }
    std::int64_t integer_sum = 0;
    for (std::int32_t element : integers) integer_sum += element;
    std::uint64_t byte_count = 0;
    for (Blob blob : blobs) byte_count += blob.size();
    outputs.of<std::int64_t>() = {integer_sum};
    outputs.of<std::uint64_t>() = {byte_count};
    return outputs.prediction();
}

Result halves(const Request &request)
{
    UNDERSTUDY_TRY(halves, request.vector<F16>("fp16"));
    UNDERSTUDY_TRY(brains, request.vector<BF16>("bf16"));
    UNDERSTUDY_TRY(singles, request.vector<float>("fp32"));
    Outputs outputs;
    for (F16 half : halves) outputs.of<float>().push_back(understudy::to_float(half));
    for (BF16 brain : brains) outputs.of<float>().push_back(understudy::to_float(brain));
    for (float single : singles) {
        outputs.of<F16>().push_back(understudy::to_f16(single));
        outputs.of<BF16>().push_back(understudy::to_bf16(single));
    }
    return outputs.prediction();
}

Result unicode(const Request &request)
{
    UNDERSTUDY_TRY(texts, request.vector<std::string_view>("text"));
    Outputs outputs;
    std::string joined;
    for (std::string_view text : texts) {
        if (!outputs.of<Blob>().empty()) joined += '|';
        joined += text;
        const auto is_first_byte = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; };
        outputs.of<Blob>().push_back(std::as_bytes(std::span(text)));
        outputs.of<std::uint32_t>().push_back(static_cast<std::uint32_t>(text.size()));
        outputs.of<std::uint64_t>().push_back(static_cast<std::uint64_t>(std::ranges::count_if(text, is_first_byte)));
        outputs.of<bool>().push_back(text == texts[0]);
    }
    outputs.of<std::string_view>() = {joined};
    return outputs.prediction();
}

Result notes(const Request &request)
{
    UNDERSTUDY_TRY(texts, request.vector<std::string_view>("text"));
    auto prediction = Outputs().prediction();
    for (std::size_t i = 0; i < texts.size(); i += 2) {
        prediction.note(texts[i], i + 1 < texts.size() ? texts[i + 1] : std::string_view());
    }
    return prediction;
}

Result refuse(const Request &request)
{
    UNDERSTUDY_TRY(texts, request.vector<std::string_view>("text"));
    UNDERSTUDY_TRY(kind, request.text("argument"));
    const auto why = texts.empty() ? std::string_view() : texts[0];
    if (kind == "invalid-input") return Refusal::invalid_input(why);
    if (kind == "abstain") return Refusal::abstain(why);
    if (kind == "failed") return Refusal::failed(why);
    return Refusal::invalid_input("argument is `", kind, "`, expected `invalid-input`, `abstain` or `failed`");
}

Result report(const Request &request)
{
    Outputs outputs;
    outputs.report = {std::string(request.id()), std::to_string(request.time_us())};
    for (std::size_t i = 0; i < request.input_count(); i++) {
        outputs.report.emplace_back(request.input_at(i).describe());
    }
    return outputs.prediction();
}

Result breaks(const Request &request)
{
    UNDERSTUDY_TRY(kind, request.text("argument"));
    if (kind == "throw") std::abort();
    // Whoever only loops may be left out by a compiler, but not whoever reads what may change.
    volatile bool on = true;
    if (kind == "loop") while (on) { }
    return Refusal::invalid_input("argument is `", kind, "`, expected `throw` or `loop`");
}

Result answer(const Request &request)
{
    UNDERSTUDY_TRY(mode, request.text("mode"));
    if (mode == "echo") return echo(request);
    if (mode == "reverse") return reverse(request);
    if (mode == "sum") return sum(request);
    if (mode == "halves") return halves(request);
    if (mode == "unicode") return unicode(request);
    if (mode == "read") return answer_read(request);
    if (mode == "notes") return notes(request);
    if (mode == "refuse") return refuse(request);
    if (mode == "request") return report(request);
    if (mode == "break") return breaks(request);
    return Refusal::invalid_input("mode is `", mode,
        "`, expected `echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, `request` or `break`");
}

} // namespace

struct Conformance {
    static Description describe()
    {
        Description description;
        description.input<std::string_view>("mode", {1}).input<std::string_view>("argument", {1});
        for_each_vector([&]<std::size_t i, typename T>() {
            description.input<T>(vector_names[i], {any_length}).template output<T>(vector_names[i], {any_length});
            return true;
        });
        return description.input<double>("scalar", {})
            .input<float>("matrix", {any_length, any_length})
            .input<std::int32_t>("cube", {2, any_length, 2})
            .output<double>("scalar", {})
            .output<float>("matrix", {any_length, any_length})
            .output<std::int32_t>("cube", {any_length, any_length, any_length})
            .output<std::string_view>("report", {any_length})
            .batch_limit(100);
    }

    static void predict_batch(std::span<const Request> requests, std::span<Result> results)
    {
        for (std::size_t i = 0; i < requests.size(); i++) results[i] = answer(requests[i]);
    }
};

UNDERSTUDY_MODEL(Conformance)
