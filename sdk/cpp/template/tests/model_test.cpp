// Tests of the model as plain C++: `make test`.
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <limits>

#include "model.hpp"

namespace {

void check(bool holds, const char *what)
{
    if (!holds) {
        std::cerr << "not so: " << what << '\n';
        std::exit(1);
    }
}

void without_features_the_bias_decides()
{
    understudy::TestCall call;
    call.input("features", {3}, {0.0f, 0.0f, 0.0f});
    const auto result = MyModel::predict(call.request());
    check(result.has_value(), "there is a prediction");
    const auto probability = result->tensor("probability")->scalar<double>();
    check(probability && std::abs(*probability - 0.425557) < 1e-6, "without features the bias decides");
}

void a_missing_feature_is_no_ground_for_a_guess()
{
    understudy::TestCall call;
    call.input("features", {3}, {0.0f, std::numeric_limits<float>::quiet_NaN(), 0.0f});
    const auto result = MyModel::predict(call.request());
    check(!result && result.refusal().kind() == UNDERSTUDY_ABSTAINED, "a missing feature is no ground for a guess");
}

} // namespace

int main()
{
    without_features_the_bias_decides();
    a_missing_feature_is_no_ground_for_a_guess();
    std::cout << "ok\n";
}
