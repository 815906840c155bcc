// Every output of the conformance model, empty until a mode fills it.
#pragma once

#include <array>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "understudy.hpp"

/// The element types of the fifteen vectors, in their order.
using Types = std::tuple<bool, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t,
    std::int32_t, std::int64_t, understudy::F16, understudy::BF16, float, double, std::string_view, understudy::Blob>;

inline constexpr std::array<std::string_view, 15> vector_names = {"boolean", "uint8", "uint16", "uint32", "uint64", "int8",
    "int16", "int32", "int64", "fp16", "bf16", "fp32", "fp64", "text", "blob"};

/// Elements of our own. A std::vector of bool has none that could be pointed at, but a range will do.
template <typename T> using Vector = std::vector<T>;

/// Calls a function with the index and the type of each of the fifteen vectors, until one says false.
template <typename Function> bool for_each_vector(Function function)
{
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
        return (function.template operator()<i, std::tuple_element_t<i, Types>>() && ...);
    }(std::make_index_sequence<std::tuple_size_v<Types>>());
}

struct Outputs {
    std::tuple<Vector<bool>, Vector<std::uint8_t>, Vector<std::uint16_t>, Vector<std::uint32_t>, Vector<std::uint64_t>,
        Vector<std::int8_t>, Vector<std::int16_t>, Vector<std::int32_t>, Vector<std::int64_t>, Vector<understudy::F16>,
        Vector<understudy::BF16>, Vector<float>, Vector<double>, Vector<std::string_view>, Vector<understudy::Blob>>
        vectors;
    double scalar = 0.0;
    std::vector<float> matrix;
    std::vector<std::uint32_t> matrix_shape = {0, 0};
    std::vector<std::int32_t> cube;
    std::vector<std::uint32_t> cube_shape = {0, 0, 0};
    std::vector<std::string> report;

    /// The vector of elements of type T.
    template <typename T> Vector<T> &of() { return std::get<Vector<T>>(vectors); }

    understudy::Prediction prediction() const
    {
        understudy::Prediction prediction;
        for_each_vector([&]<std::size_t i, typename T>() {
            const auto &vector = std::get<i>(vectors);
            prediction.output(vector_names[i], {vector.size()}, vector);
            return true;
        });
        return prediction.output("scalar", {}, {scalar})
            .output("matrix", matrix_shape, matrix)
            .output("cube", cube_shape, cube)
            .output("report", {report.size()}, report);
    }
};
