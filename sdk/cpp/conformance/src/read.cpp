#include "read.hpp"

#include <algorithm>

#include "outputs.hpp"

using understudy::Expected;
using understudy::Refusal;
using understudy::Request;
using understudy::Result;

namespace {

/// Cuts off the part before the first space, if there is one.
std::optional<std::string_view> next_word(std::string_view &text)
{
    const auto space = text.find(' ');
    if (space == text.npos) return std::nullopt;
    const auto word = text.substr(0, space);
    text.remove_prefix(space + 1);
    return word;
}

/// Reads into the vector of elements of type T.
template <typename T> Result read_as(std::string_view accessor, const understudy::Tensor &tensor)
{
    Outputs outputs;
    auto &vector = outputs.of<T>();
    if (accessor == "scalar") {
        UNDERSTUDY_TRY(element, tensor.scalar<T>());
        vector.push_back(element);
    } else if (accessor == "matrix") {
        UNDERSTUDY_TRY(matrix, tensor.matrix<T>());
        for (std::size_t i = matrix.row_count(); i > 0; i--) {
            const auto row = matrix.row(i - 1);
            vector.insert(vector.end(), row.begin(), row.end());
        }
        outputs.report = {std::to_string(matrix.row_count()) + " rows", std::to_string(matrix.column_count()) + " columns"};
    } else {
        UNDERSTUDY_TRY(elements, accessor == "vector" ? tensor.vector<T>() : tensor.elements<T>());
        vector.assign(elements.begin(), elements.end());
    }
    return outputs.prediction();
}

} // namespace

Result answer_read(const Request &request)
{
    UNDERSTUDY_TRY(argument, request.text("argument"));
    const auto refusal = Refusal::invalid_input("argument is `", argument, "`, expected ACCESSOR DATATYPE INPUT");
    std::string_view name = argument;
    const auto accessor = next_word(name);
    const auto datatype = next_word(name);
    constexpr std::array<std::string_view, 4> accessors = {"elements", "scalar", "vector", "matrix"};
    if (!datatype || std::ranges::find(accessors, *accessor) == accessors.end() ||
        std::ranges::find(vector_names, *datatype) == vector_names.end()) return refusal;
    UNDERSTUDY_TRY(tensor, request.input(name));
    std::optional<Result> result;
    for_each_vector([&]<std::size_t i, typename T>() {
        if (*datatype == vector_names[i]) result = read_as<T>(*accessor, tensor);
        return !result;
    });
    return *result;
}
