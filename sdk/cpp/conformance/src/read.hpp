#pragma once

#include "understudy.hpp"

/// The mode `read`: one accessor of the library, for one datatype, on one input.
understudy::Result answer_read(const understudy::Request &request);
