#include "model.hpp"

#include <array>
#include <cmath>

namespace {

constexpr std::array weights = {0.8, -1.2, 0.05};
constexpr double bias = -0.3;

} // namespace

understudy::Description MyModel::describe()
{
    return understudy::Description().input<float>("features", {3}).output<double>("probability", {1});
}

understudy::Result MyModel::predict(const understudy::Request &request)
{
    UNDERSTUDY_TRY(features, request.vector<float>("features"));
    double logit = bias;
    for (std::size_t i = 0; i < weights.size(); i++) {
        if (std::isnan(features[i])) {
            return understudy::Refusal::abstain("a feature is missing, and the training data had none of those");
        }
        logit += weights[i] * features[i];
    }
    return understudy::Prediction().output("probability", 1.0 / (1.0 + std::exp(-logit)));
}

UNDERSTUDY_MODEL(MyModel)
