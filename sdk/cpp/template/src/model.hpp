#pragma once

#include "understudy.hpp"

/// A logistic regression of three features.
struct MyModel {
    static understudy::Description describe();
    static understudy::Result predict(const understudy::Request &request);
};
