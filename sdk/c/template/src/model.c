/* A logistic regression of three features. */
#include <math.h>

#include "understudy.h"

static const double weights[] = {0.8, -1.2, 0.05};
static const double bias = -0.3;

static void describe(understudy_description *description)
{
    understudy_describe_input(description, "features", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(3));
    understudy_describe_output(description, "probability", UNDERSTUDY_FP64, UNDERSTUDY_SHAPE(1));
}

static void predict(const understudy_request *request, understudy_answer *answer)
{
    const float *features;
    size_t count;
    if (!understudy_vector(understudy_input(request, "features", answer), &features, &count, answer)) return;
    double logit = bias;
    for (size_t i = 0; i < count; i++) {
        if (isnan(features[i])) {
            understudy_abstain(answer, "a feature is missing, and the training data had none of those");
            return;
        }
        logit += weights[i] * features[i];
    }
    double probability = 1.0 / (1.0 + exp(-logit));
    understudy_output(answer, "probability", &probability, UNDERSTUDY_LENGTHS(1));
}

UNDERSTUDY_MODEL(describe, predict)
