/* names.c - see names.h. Taught in lesson 07. */
#include "names.h"

#include "text.h"

int is_name(const char *line, size_t length)
{
    if (length < 1 || length > NAME_LIMIT || line[0] == '/')
        return 0;
    for (size_t i = 0, size; i < length; i += size) {
        size = utf8_length(line + i, length - i);
        if (size == 0 || line[i] == ':' || is_control(line + i, size) ||
            is_space(line + i, size) || is_direction_mark(line + i, size))
            return 0;
    }
    return 1;
}
