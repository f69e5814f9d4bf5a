#include "decode/paste_masks.h"
