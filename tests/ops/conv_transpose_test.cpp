#include "testing/operator_test.h"
