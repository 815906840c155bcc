/* How likely a flight is to be late, by logistic regression. */
#include <math.h>

#include "trained.h"
#include "understudy.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void describe(understudy_description *description)
{
    understudy_describe_input(description, "carrier", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "origin", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "dest", UNDERSTUDY_TEXT, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "distance", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "hour", UNDERSTUDY_INT32, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "weekday", UNDERSTUDY_INT32, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "wind_speed", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "precip", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(1));
    understudy_describe_input(description, "visib", UNDERSTUDY_FP32, UNDERSTUDY_SHAPE(1));
    understudy_describe_output(description, "delayed", UNDERSTUDY_FP64, UNDERSTUDY_SHAPE(1));
}

/* What was learnt about a name. One that was not in the training data adds nothing. */
static double of_name(
    const understudy_request *request, const char *input, const learnt *table, size_t count, understudy_answer *answer)
{
    understudy_text name;
    if (!understudy_scalar(understudy_input(request, input, answer), &name, answer)) return 0.0;
    for (size_t i = 0; i < count; i++) {
        if (understudy_text_is(name, table[i].name)) return table[i].weight;
    }
    return 0.0;
}

/* What was learnt about a number from 0 on. */
static double of_number(
    const understudy_request *request, const char *input, const double *table, int32_t count, understudy_answer *answer)
{
    int32_t number;
    if (!understudy_scalar(understudy_input(request, input, answer), &number, answer)) return 0.0;
    if (number < 0 || number >= count) {
        understudy_invalid_input(answer, "input `%s` is %d, expected 0 to %d", input, number, count - 1);
        return 0.0;
    }
    return table[number];
}

/* A number, or the usual one where it is unknown. */
static double known_or(float usual, const understudy_request *request, const char *input, understudy_answer *answer)
{
    float number;
    if (!understudy_scalar(understudy_input(request, input, answer), &number, answer)) return 0.0;
    return isnan(number) ? usual : number;
}

static void predict(const understudy_request *request, understudy_answer *answer)
{
    float distance = 0.0f;
    understudy_scalar(understudy_input(request, "distance", answer), &distance, answer);
    double log_odds = intercept;
    log_odds += of_name(request, "carrier", carriers, COUNT(carriers), answer);
    log_odds += of_name(request, "origin", origins, COUNT(origins), answer);
    log_odds += of_name(request, "dest", dests, COUNT(dests), answer);
    log_odds += of_number(request, "hour", hours, COUNT(hours), answer);
    log_odds += of_number(request, "weekday", weekdays, COUNT(weekdays), answer);
    log_odds += per_distance * distance;
    log_odds += per_wind_speed * known_or(usual_wind_speed, request, "wind_speed", answer);
    log_odds += per_precip * known_or(usual_precip, request, "precip", answer);
    log_odds += per_visib * known_or(usual_visib, request, "visib", answer);
    /* Whatever was refused on the way stays refused. */
    double delayed = 1.0 / (1.0 + exp(-log_odds));
    understudy_output(answer, "delayed", &delayed, UNDERSTUDY_LENGTHS(1));
}

UNDERSTUDY_MODEL(describe, predict)
