/* Tests of the model as plain C: `make test`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "understudy.h"

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\n", what);
        exit(1);
    }
}

static understudy_answer *ask(float first, float second, float third)
{
    const float features[] = {first, second, third};
    const understudy_tensor inputs[] = {understudy_tensor_of("features", features, UNDERSTUDY_LENGTHS(3))};
    return understudy_ask(inputs, 1);
}

int main(void)
{
    understudy_answer *answer = ask(0.0f, 0.0f, 0.0f);
    double probability = 0.0;
    check(understudy_scalar(understudy_output_named(answer, "probability"), &probability, answer), "there is a probability");
    check(fabs(probability - 0.425557) < 1e-6, "without features the bias decides");
    understudy_forget();

    check(ask(0.0f, NAN, 0.0f)->outcome == UNDERSTUDY_ABSTAINED, "a missing feature is no ground for a guess");
    understudy_forget();
    puts("ok");
}
