// How likely a flight is to be late, by logistic regression.
#include <algorithm>
#include <cmath>

#include "trained.hpp"
#include "understudy.hpp"

using understudy::Description;
using understudy::Expected;
using understudy::Prediction;
using understudy::Refusal;
using understudy::Request;
using understudy::Result;

namespace {

/// What was learnt about a name. One that was not in the training data adds nothing.
Expected<double> of_name(const Request &request, std::string_view input, std::span<const Learnt> table)
{
    UNDERSTUDY_TRY(name, request.text(input));
    const auto found = std::ranges::find(table, name, &Learnt::name);
    return found == table.end() ? 0.0 : found->weight;
}

/// What was learnt about a number from 0 on.
Expected<double> of_number(const Request &request, std::string_view input, std::span<const double> table)
{
    UNDERSTUDY_TRY(number, request.scalar<std::int32_t>(input));
    if (number < 0 || static_cast<std::size_t>(number) >= table.size()) {
        return Refusal::invalid_input("input `", input, "` is ", number, ", expected 0 to ", table.size() - 1);
    }
    return table[number];
}

/// A number, or the usual one where it is unknown.
Expected<double> known_or(float usual, const Request &request, std::string_view input)
{
    UNDERSTUDY_TRY(number, request.scalar<float>(input));
    return static_cast<double>(std::isnan(number) ? usual : number);
}

} // namespace

struct Logit {
    static Description describe()
    {
        return Description()
            .input<std::string_view>("carrier", {1})
            .input<std::string_view>("origin", {1})
            .input<std::string_view>("dest", {1})
            .input<float>("distance", {1})
            .input<std::int32_t>("hour", {1})
            .input<std::int32_t>("weekday", {1})
            .input<float>("wind_speed", {1})
            .input<float>("precip", {1})
            .input<float>("visib", {1})
            .output<double>("delayed", {1});
    }

    static Result predict(const Request &request)
    {
        UNDERSTUDY_TRY(of_carrier, of_name(request, "carrier", carriers));
        UNDERSTUDY_TRY(of_origin, of_name(request, "origin", origins));
        UNDERSTUDY_TRY(of_dest, of_name(request, "dest", dests));
        UNDERSTUDY_TRY(of_hour, of_number(request, "hour", hours));
        UNDERSTUDY_TRY(of_weekday, of_number(request, "weekday", weekdays));
        UNDERSTUDY_TRY(distance, request.scalar<float>("distance"));
        UNDERSTUDY_TRY(wind_speed, known_or(usual_wind_speed, request, "wind_speed"));
        UNDERSTUDY_TRY(precip, known_or(usual_precip, request, "precip"));
        UNDERSTUDY_TRY(visib, known_or(usual_visib, request, "visib"));
        const double log_odds = intercept + of_carrier + of_origin + of_dest + of_hour + of_weekday +
                                per_distance * distance + per_wind_speed * wind_speed + per_precip * precip +
                                per_visib * visib;
        return Prediction().output("delayed", 1.0 / (1.0 + std::exp(-log_odds)));
    }
};

UNDERSTUDY_MODEL(Logit)
