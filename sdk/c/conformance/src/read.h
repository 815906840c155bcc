#ifndef READ_H
#define READ_H

#include "understudy.h"

/* Reads what the argument names, with the accessor that it names. */
void answer_read(const understudy_request *request, understudy_answer *answer);

#endif
