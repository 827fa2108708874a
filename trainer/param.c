#include "trainer/param.h"

#include <ctype.h>
#include <string.h>

const char *const ft_dtype_names[FT_DTYPES] = {"F32", "BF16", "F16", "I32", "U8"};

/* transformers trainer.py, get_decay_parameter_names: get_parameter_names is given the patterns
 *     bias  layernorm  rmsnorm  (?:^|\.)norm(?:$|\.)  _norm(?:$|\.)
 * and searches the lower-cased name. */
bool ft_param_decays(const char *name)
{
    char s[512];
    size_t n = 0;

    for (; name[n] && n + 1 < sizeof s; n++)
        s[n] = (char)tolower((unsigned char)name[n]);
    s[n] = 0;
    if (strstr(s, "bias") || strstr(s, "layernorm") || strstr(s, "rmsnorm"))
        return false;
    for (const char *p = s; (p = strstr(p, "norm")); p++) {
        const bool ends = p[4] == 0 || p[4] == '.';
        if (ends && (p == s || p[-1] == '.' || p[-1] == '_'))
            return false;
    }
    return true;
}
