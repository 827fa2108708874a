/* jmarkup.c -- the methods of markupsafe's Markup: Python functions around those of str, so their arguments are bound, and
 * refused, as a Python function's. */
#include "templates/jattrs.h"
#include "templates/jiter.h"
#include "templates/jstrmeth.h"

static const struct {
    int attr;
    const char *name, *params;
} methods[] = {
    {A_capitalize, "Markup.capitalize", ""},
    {A_casefold, "Markup.casefold", ""},
    {A_center, "Markup.center", "/width fillchar="},
    {A_escape, "Markup.escape", "/s"},
    {A_expandtabs, "Markup.expandtabs", "tabsize="},
    {A_join, "Markup.join", "/iterable"},
    {A_ljust, "Markup.ljust", "/width fillchar="},
    {A_lower, "Markup.lower", ""},
    {A_lstrip, "Markup.lstrip", "/chars="},
    {A_partition, "Markup.partition", "/sep"},
    {A_removeprefix, "Markup.removeprefix", "/prefix"},
    {A_removesuffix, "Markup.removesuffix", "suffix"},
    {A_replace, "Markup.replace", "/old new count="},
    {A_rjust, "Markup.rjust", "/width fillchar="},
    {A_rpartition, "Markup.rpartition", "/sep"},
    {A_rsplit, "Markup.rsplit", "sep= maxsplit="},
    {A_rstrip, "Markup.rstrip", "/chars="},
    {A_split, "Markup.split", "sep= maxsplit="},
    {A_splitlines, "Markup.splitlines", "keepends="},
    {A_strip, "Markup.strip", "/chars="},
    {A_striptags, "Markup.striptags", ""},
    {A_swapcase, "Markup.swapcase", ""},
    {A_title, "Markup.title", ""},
    {A_translate, "Markup.translate", "/table"},
    {A_unescape, "Markup.unescape", ""},
    {A_upper, "Markup.upper", ""},
    {A_zfill, "Markup.zfill", "/width"},
};

bool ft_jmarkup_bind(struct jrt *rt, int attr, const struct jargs *a, struct jval room[3], struct jargs *out)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (methods[i].attr != attr)
            continue;
        for (int k = 0; k < 3; k++)
            room[k] = (struct jval){0};
        ft_jbind(rt, methods[i].name, methods[i].params, 1, a, room);
        *out = (struct jargs){.v = room, .n = 3};
        while (out->n && room[out->n - 1].tag == J_MISSING)
            out->n--;
        for (uint32_t k = 0; k < out->n; k++)
            if (room[k].tag == J_MISSING) /* split's sep, before a maxsplit */
                room[k] = ft_jnone();
        return true;
    }
    return false;
}
