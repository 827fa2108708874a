#!/usr/bin/env python3
"""Random templates and data through the installed transformers and through the engine; every difference is printed.

Usage: templates.py DRIVER [SECONDS [SEED]]   (DRIVER: build/tests/bench/templates)
Compared: the text, or else the type and message of the exception. Values whose text holds an address, and what the
engine refuses by name (LimitError), are counted apart."""
import collections
import datetime
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import logging
import warnings

logging.disable(logging.WARNING)
warnings.simplefilter("ignore")
import jinja2
import transformers
import transformers.utils.chat_template_utils as U

rnd = random.Random(1)


class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2025, 3, 5, 7, 8, 9)


U.datetime = Frozen

# ---- values ----

WORDS = ["", "a", "b", "abc", "Hello World", "  pad\t", "x,y,,z", "user", "role", "content", "text", "items", "A<b>&\"'", "line1\nline2\r\nline3",
         "ß", "ÀÉ", "ΑΣ", "ὈΔΥΣΣΕΎΣ ΟΣ", "İi", "ǆǅ", "ﬁn", "日本", "😀a", "\u200d", "\u3000x\u00a0", "\u0085", "\u1c85", "½²٣", "12", "-7", "3.5", "1e5",
         " 42 ", "0x1f", "1_000", "inf", "nan", "%s", "%d items", "%(a)s", "{}", "{0}-{a}", "{a.b}", "{:>5}", "true", "None", "a b  c", "\\", "\x00\x1f\x7f",
         "http://x.org/a?b=c d", "aXbXc", "tab\tx", "it's", "don't \"q\"", "a-b_c", "ab" * 20, "well-known em--dash a-b-c foo-", "&lt;x&gt; &copy &#65;&#x41 &notit; &bogus; &#128;", "z" * 3, "<p>hi &amp; <b>x</b></p>", "one two three four"]
KEYS = ["a", "b", "role", "content", "items", "keys", "get", "text", "A", "x y", "é", "name"]


def value(d=3):
    k = rnd.randrange(14 if d else 8)
    if k == 0: return None
    if k == 1: return rnd.random() < .5
    if k == 2: return rnd.choice([0, 1, 2, 3, -1, 7, 10, 255, -128, 10**18, -2**63, 2**63 - 1, 2**64, 10**30, -10**25])
    if k == 3: return rnd.choice([0.0, -0.0, 1.0, 1.5, -2.25, 0.1, 1e-7, 1e16, 123456789.125, 2.675, 1e100, 1e22, 5e-324, 1234.5678])
    if k < 8: return rnd.choice(WORDS)
    if k < 11: return [value(d - 1) for _ in range(rnd.randrange(5))]
    return {rnd.choice(KEYS): value(d - 1) for _ in range(rnd.randrange(5))}


def context():
    c = {n: value() for n in "abcdefg"}
    c["s"] = rnd.choice(WORDS)
    c["t"] = rnd.choice(WORDS)
    c["n"] = rnd.randrange(-3, 12)
    c["l"] = [rnd.choice(WORDS) for _ in range(rnd.randrange(6))] if rnd.random() < .5 else [rnd.randrange(-5, 9) for _ in range(rnd.randrange(6))]
    c["o"] = [{"role": rnd.choice(["user", "User", "tool", "assistant"]), "content": rnd.choice(WORDS), "n": rnd.randrange(4)} for _ in range(rnd.randrange(5))]
    if rnd.random() < .5: c["messages"] = [{"role": rnd.choice(["system", "user", "assistant", "tool"]), "content": rnd.choice(WORDS + [None, [{"type": "text", "text": "t"}, {"type": "image"}]]),
                                            **({"tool_calls": [{"function": {"name": "f", "arguments": value(1)}}]} if rnd.random() < .3 else {})} for _ in range(rnd.randrange(1, 5))]
    if rnd.random() < .3: c["tools"] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {rnd.choice(KEYS): {"type": rnd.choice(["string", ["null", "x"]])} for _ in range(2)}}}}]
    c["d"] = {rnd.choice(KEYS): rnd.choice(WORDS + [1, 2, None, True]) for _ in range(rnd.randrange(6))}
    return c


# ---- expressions ----

FILTERS = ["abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first", "float", "forceescape",
           "format", "groupby", "indent", "int", "join", "last", "length", "list", "lower", "items", "map", "min", "max", "pprint", "pprint", "reject", "rejectattr",
           "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique",
           "upper", "urlencode", "wordcount", "wordwrap", "wordwrap", "xmlattr", "tojson"]
TESTS0 = ["odd", "even", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true", "integer", "float", "lower", "upper", "string",
          "mapping", "number", "sequence", "iterable", "callable", "escaped"]
TESTS1 = ["divisibleby", "sameas", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le"]
METHODS = ["capitalize", "casefold", "center", "count", "endswith", "expandtabs", "find", "format", "format_map", "index", "isalnum", "isalpha", "isascii",
           "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip",
           "partition", "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines",
           "startswith", "strip", "swapcase", "title", "upper", "zfill", "get", "items", "keys", "values", "copy", "append", "pop", "update", "clear", "sort",
           "extend", "is_integer", "bit_length", "conjugate", "__class__", "__len__", "_x", "foo", "striptags", "unescape"]
FORMATS = ["%s", "%d", "%5d|%-5d", "%05.1f", "%x %X %o", "%e", "%g", "%r", "%c", "%%", "%+d % d", "%#x", "%.3s", "%10s|%-10s", "%(a)s", "%(role)r", "%*d", "%i%s", "%s %s",
           "%.0f", "%G", "%a", "%5.2f%%", "%z", "%", "%.10g"]
SPECS = ["{}", "{0}", "{a}", "{:>8}", "{:*^9}", "{:05d}", "{:,}", "{:_}", "{:+.2f}", "{:x}", "{:#b}", "{:e}", "{:.3}", "{:%}", "{!r}", "{!s:>6}", "{0[0]}", "{a.b}", "{0.x}", "{{}}",
         "{:{n}}", "{", "}", "{:g}", "{:n}", "{:c}", "{:<5}|{:>5}", "{!a}", "{!z}", "{:q}", "{0}{}", "{:.1f}", "{:010.3f}", "{:=+8}", "{a[role]}", "{:#x}", "{:08,}", "{:s}"]
NAMES = list("abcdefgstnlod") + ["u", "undefd"]


def lit(s):
    return json.dumps(s, ensure_ascii=rnd.random() < .3).replace("\\/", "/") if "\\u" not in json.dumps(s) or True else s


def string():
    s = rnd.choice(WORDS)
    out = []
    q = rnd.choice("'\"")
    for ch in s:
        if ch == q or ch == "\\": out.append("\\" + ch)
        elif ch == "\n": out.append("\\n")
        elif ch == "\r": out.append("\\r")
        elif ch == "\t": out.append(rnd.choice(["\\t", "\t"]))
        elif ord(ch) < 32 or ord(ch) == 127: out.append("\\x%02x" % ord(ch))
        else: out.append(ch)
    return q + "".join(out) + q


def number():
    return rnd.choice(["0", "1", "2", "3", "-1", "10", "1.5", "0.1", "2.0", "1e3", "100", "7", "0x1f", "1_000", "9223372036854775807", "1e-7", "12345678901234567890"])


def atom(d):
    k = rnd.randrange(12)
    if k < 5: return rnd.choice(NAMES)
    if k < 7: return string()
    if k < 9: return number()
    if k == 9: return rnd.choice(["true", "false", "none", "True", "None"])
    if d <= 0: return rnd.choice(NAMES)
    if k == 10: return "[" + ", ".join(expr(d - 1) for _ in range(rnd.randrange(4))) + "]"
    if rnd.random() < .5: return "{" + ", ".join(f"{rnd.choice([string(), string(), number(), rnd.choice(NAMES)])}: {expr(d - 1)}" for _ in range(rnd.randrange(3))) + "}"
    n = rnd.randrange(3)
    return "(" + ", ".join(expr(d - 1) for _ in range(n)) + ("," if n == 1 else "") + ")"


def args(d, lo=0, hi=2, kw=()):
    a = [expr(d) for _ in range(rnd.randint(lo, hi))]
    if kw and rnd.random() < .5: a += [f"{k}={expr(d)}" for k in rnd.sample(kw, rnd.randint(1, min(2, len(kw))))]
    return ", ".join(a)


def sargs(*choices):
    """Arguments that make sense, most of the time."""
    return ", ".join(c() if callable(c) else str(c) for c in choices)


def attr_path():
    return rnd.choice(["'role'", "'content'", "'n'", "'a'", "'a.b'", "0", "'0'", "'items'", "'role,n'"])


def filter_call(d):
    f = rnd.choice(FILTERS)
    small = lambda: rnd.choice(["0", "1", "2", "3", "5", "-1", "n"])
    if rnd.random() < .12: return f + "(" + args(d - 1, 0, 3) + ")"
    c = {
        "attr": lambda: "(" + string() + ")", "batch": lambda: f"({small()}" + rnd.choice([")", f", {string()})"]),
        "center": lambda: f"({rnd.choice(['10', '3', 'n'])})", "d": lambda: f"({expr(d-1)}" + rnd.choice([")", ", true)"]), "default": lambda: f"({expr(d-1)}" + rnd.choice([")", ", true)", ", boolean=true)"]),
        "dictsort": lambda: rnd.choice(["", "(true)", "(by='value')", "(false, 'key', true)", "(reverse=true)"]),
        "filesizeformat": lambda: rnd.choice(["", "(true)"]), "float": lambda: rnd.choice(["", "(1.5)"]), "format": lambda: "(" + args(d - 1, 0, 3) + ")",
        "groupby": lambda: f"({attr_path()}" + rnd.choice([")", ", default='x')", ", case_sensitive=true)"]),
        "indent": lambda: rnd.choice(["", "(2)", "(width=4, first=true)", "(1, blank=true)", "('> ')", "(n)"]), "int": lambda: rnd.choice(["", "(5)", "(0, 16)", "(base=0)", "(-1, 2)"]),
        "join": lambda: rnd.choice(["", "(', ')", f"({string()})", f"('|', attribute={attr_path()})", f"(attribute={attr_path()})"]),
        "map": lambda: rnd.choice(["('upper')", f"(attribute={attr_path()})", f"(attribute={attr_path()}, default='-')", "('string')", "('length')", "('default', 'x')", "('tojson')", "()", "('int')", f"('{rnd.choice(FILTERS)}')"]),
        "min": lambda: rnd.choice(["", f"(attribute={attr_path()})", "(true)"]), "max": lambda: rnd.choice(["", f"(attribute={attr_path()})", "(true)"]),
        "reject": lambda: rnd.choice(["", f"('{rnd.choice(TESTS0)}')", f"('{rnd.choice(TESTS1)}', {expr(d-1)})"]), "select": lambda: rnd.choice(["", f"('{rnd.choice(TESTS0)}')", f"('{rnd.choice(TESTS1)}', {expr(d-1)})"]),
        "rejectattr": lambda: rnd.choice([f"({attr_path()})", f"({attr_path()}, '{rnd.choice(TESTS0)}')", f"({attr_path()}, '{rnd.choice(TESTS1)}', {expr(d-1)})", "()"]),
        "selectattr": lambda: rnd.choice([f"({attr_path()})", f"({attr_path()}, '{rnd.choice(TESTS0)}')", f"({attr_path()}, '{rnd.choice(TESTS1)}', {expr(d-1)})"]),
        "replace": lambda: f"({string()}, {string()}" + rnd.choice([")", f", {small()})"]), "round": lambda: rnd.choice(["", "(1)", "(2, 'floor')", "(0, 'ceil')", "(-1)", "(precision=2)", "(1, 'x')"]),
        "slice": lambda: f"({small()}" + rnd.choice([")", f", {string()})"]), "sort": lambda: rnd.choice(["", "(true)", f"(attribute={attr_path()})", "(case_sensitive=true)", "(reverse=true)"]),
        "sum": lambda: rnd.choice(["", f"(attribute={attr_path()})", "(start=5)", "(attribute='n', start=1)", "(start=[])"]), "trim": lambda: rnd.choice(["", f"({string()})"]),
        "truncate": lambda: rnd.choice(["", "(5)", "(9, true)", "(11, false, '..', 0)", "(3, end='')", "(n)"]), "unique": lambda: rnd.choice(["", "(true)", f"(attribute={attr_path()})"]),
        "wordwrap": lambda: rnd.choice(["", "(5)", "(10, false)", "(7, wrapstring='|')", "(4, break_on_hyphens=false)"]), "xmlattr": lambda: rnd.choice(["", "(false)"]),
        "urlize": lambda: rnd.choice(["", "(10)", "(nofollow=true)", "(target='_blank')"]),
        "tojson": lambda: rnd.choice(["", "(indent=2)", "(ensure_ascii=true)", "(separators=(',', ':'))", "(sort_keys=true)", "(indent='\\t')", "(true, 1)", "(indent=0)", "(n)"]),
    }.get(f)
    return f + (c() if c else "")


def method_call(d):
    m = rnd.choice(METHODS)
    small = lambda: rnd.choice(["0", "1", "2", "-1", "5", "n"])
    if rnd.random() < .12: return m + "(" + args(d - 1, 0, 3) + ")"
    if m in ("center", "ljust", "rjust"): return f"{m}({rnd.choice(['8', '3', 'n'])}" + rnd.choice([")", ", '*')", ", 'é')"])
    if m in ("count", "find", "index", "rfind", "rindex", "startswith", "endswith"): return f"{m}({string()}" + rnd.choice([")", f", {small()})", f", {small()}, {small()})"])
    if m in ("partition", "rpartition", "removeprefix", "removesuffix"): return f"{m}({string()})"
    if m in ("split", "rsplit"): return m + rnd.choice(["()", f"({string()})", f"({string()}, {small()})", f"(none, {small()})", "(maxsplit=1)"])
    if m in ("strip", "lstrip", "rstrip"): return m + rnd.choice(["()", f"({string()})"])
    if m == "replace": return f"replace({string()}, {string()}" + rnd.choice([")", f", {small()})"])
    if m == "zfill": return f"zfill({rnd.choice(['5', 'n'])})"
    if m == "splitlines": return rnd.choice(["splitlines()", "splitlines(true)"])
    if m == "get": return f"get({string()}" + rnd.choice([")", f", {expr(d-1)})"])
    if m == "join": return f"join({expr(d-1)})"
    if m == "format": return "format(" + args(d - 1, 0, 2, ("a", "n")) + ")"
    return m + rnd.choice(["()", "()", "()", ""])


CHAT = ["messages", "messages[0]", "messages[0].role", "messages[-1]['content']", "messages|length", "messages|selectattr('role', 'equalto', 'user')|list", "messages|map(attribute='content')|list", "messages[1:]",
        "(messages|last).content", "tools", "tools[0].function.parameters.properties.items()", "messages[0].tool_calls", "messages|rejectattr('tool_calls')|list|length", "messages|map(attribute='role')|unique|join(',')",
        "messages[::-1]", "messages|groupby('role')", "tools|tojson(indent=2)", "messages[0].content.split('a')[-1].lstrip('\\n')", "messages[0]|dictsort", "messages[0].get('name', 'none')", "tools is not none", "messages[0].content is string",
        "messages[0].content is iterable and messages[0].content is not string", "messages|first == messages|last", "messages.pop", "messages[0].items()|list", "loop", "add_generation_prompt", "documents"]


def expr(d=3):
    if d <= 0: return atom(0)
    if rnd.random() < .06: return rnd.choice(CHAT)
    if rnd.random() < .05:
        t = rnd.choice(TESTS0 + TESTS1[:4] + ["eq", "in", "sameas"])
        return f"{rnd.choice(NAMES)} is {rnd.choice(['', 'not '])}{t}" + (rnd.choice([" 3", " none", " s", " 'a'", " [1]", " l"]) if t in TESTS1 and t.isalpha() else "") + rnd.choice(["", f" and {expr(d-1)}", f" or {rnd.choice(NAMES)} is defined"])
    k = rnd.randrange(24)
    e = lambda: expr(d - 1)
    if k < 4: return atom(d)
    if k == 4: return f"({e()} {rnd.choice(['+', '+', '-', '*', '/', '//', '%'])} {e()})"
    if k == 5: return f"{e()} {rnd.choice(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} {e()}"
    if k == 6: return f"({e()} {rnd.choice(['and', 'or'])} {e()})"
    if k == 7: return f"(not {e()})"
    if k == 8: return rnd.choice(["-", "+", "not "]) + e()
    if k == 9: return f"({e()} ~ {e()})"
    if k == 10: return f"({e()} if {e()}" + (f" else {e()})" if rnd.random() < .7 else ")")
    if k < 15: return f"{rnd.choice([e, lambda: rnd.choice(NAMES)])()}|{filter_call(d)}"
    if k < 18: return f"{rnd.choice([rnd.choice(NAMES), string(), '(' + e() + ')'])}.{method_call(d)}"
    if k == 18: return f"({e()} is {rnd.choice(['', 'not '])}{rnd.choice(TESTS0)})"
    if k == 19: return f"({e()} is {rnd.choice([t for t in TESTS1 if t.isalpha()])}({e()}))"
    if k == 20: return f"({e()})[{rnd.choice([e(), number(), string(), 'n'])}]"
    if k == 21:
        p = lambda: rnd.choice(["", "", "0", "1", "2", "-1", "-2", "n", "none"])
        return f"({e()})[{p()}:{p()}" + rnd.choice(["", f":{rnd.choice(['', '1', '2', '-1', '-2', 'n'])}"]) + "]"
    if k == 22: return f"{rnd.choice(NAMES)}.{rnd.choice(KEYS[:8])}"
    j = rnd.randrange(6)
    if j == 0: return f"({json.dumps(rnd.choice(FORMATS))} % {rnd.choice([e(), '(' + e() + ', ' + e() + ')', 'd', 'n'])})"
    if j == 1: return f"{json.dumps(rnd.choice(SPECS))}.format({args(d-1, 0, 2, ('a', 'n'))})"
    if j == 2: return f"range({args(d-1, 1, 3)})" + rnd.choice(["", "|list"])
    if j == 3: return f"dict({rnd.choice(['', e(), 'a=1', 'd', 'd, x=2', '[(1,2)]'])})"
    if j == 4: return f"({e()}) ** {rnd.choice(['2', '0', '-1', '0.5', '3'])}"
    return f"strftime_now({json.dumps(rnd.choice(['%Y-%m-%d', '%d %b %Y', '%A %B', '%H:%M:%S', '%j %U %p', '%%', '']))})"


# ---- templates ----

def ws():
    return rnd.choice(["", "", "", " ", "\n", "  \n", "\t", "\n\n  ", " x ", "text\n", "é", "\r\n", "{", "}", "%", "\u3000"])


def tag(body):
    return "{%" + rnd.choice(["", "-", "-", "+"][: 3 if rnd.random() < .9 else 4]) + " " + body + " " + rnd.choice(["", "-", "-", "+"][: 3 if rnd.random() < .9 else 4]) + "%}"


def out(e):
    return "{{" + rnd.choice(["", "-"]) + " " + e + " " + rnd.choice(["", "-"]) + "}}"


VARS = ["v", "w", "a", "s", "ns", "loop_", "x"]


def block(d, macros, in_loop=False):
    return ws().join([""] + [statement(d, macros, in_loop) for _ in range(rnd.randrange(1, 4))] + [""])


def statement(d, macros, in_loop):
    k = rnd.randrange(28 if d > 0 else 7)
    e = lambda: expr(rnd.choice([0, 1, 1, 2]))
    b = lambda il=in_loop: block(d - 1, macros, il)
    name = lambda: rnd.choice(VARS)
    if k < 3: return out(rnd.choice([e(), name(), name()]))
    if k == 3: return tag(f"set {name()} = {e()}")
    if k == 4: return "{#" + rnd.choice(["", "-"]) + " c " + rnd.choice(["", "-", "+"]) + "#}"
    if k == 5: return ws()
    if k == 6:
        if in_loop: return rnd.choice([out("loop." + rnd.choice(["index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem", "depth", "cycle('x','y')", "changed(" + name() + ")"])), tag("if " + e()) + tag(rnd.choice(["break", "continue"])) + tag("endif")])
        return out(name())
    if k < 10: return tag(f"if {e()}") + b() + (tag(f"elif {e()}") + b() if rnd.random() < .3 else "") + (tag("else") + b() if rnd.random() < .5 else "") + tag("endif")
    if k < 14:
        t = rnd.choice(["x", "v", "x", "a, b", "x, v"])
        it = rnd.choice(["l", "o", "d.items()", "d|items", "range(3)", "d", "s", "l[1:]", e(), "o|selectattr('n')", "[[1,2],[3,4]]", "l|batch(2)"])
        return tag(f"for {t} in {it}" + (f" if {e()}" if rnd.random() < .3 else "") + (" recursive" if rnd.random() < .05 else "")) + b(True) + (tag("else") + b() if rnd.random() < .25 else "") + tag("endfor")
    if k == 14: return tag(f"set {name()}" + rnd.choice(["", "", "|upper", "|trim|title"])) + b() + tag("endset")
    if k == 15: return tag(f"filter {rnd.choice(['upper', 'trim', 'replace(' + string() + ', ' + string() + ')', 'indent(2)', 'title'])}") + b() + tag("endfilter")
    if k == 16: return tag(f"with {name()} = {e()}, q = {e()}") + b() + out("q") + tag("endwith")
    if k == 17:
        m = f"m{len(macros)}"
        params = rnd.choice(["", "p", "p, q=1", "p='x', q=p", "p, q=s"])
        r = tag(f"macro {m}({params})") + block(d - 1, list(macros), False) + rnd.choice(["", out("p"), out("varargs"), out("kwargs"), out("caller()"), out("caller(1)"), out("caller(p, z=p)"), out("q"), out("caller is defined"), out("p.x")]) + tag("endmacro")
        macros.append(m)
        return r
    if k == 18 and macros: return out(f"{rnd.choice(macros)}({rnd.choice(['', '1', 's', '1, 2', 'p=s', 'q=1', '1, 2, 3', 'z=1', 'l'])})")
    if k == 19 and macros: return tag(f"call{rnd.choice(['', '(y)', '(y, z=2)'])} {rnd.choice(macros)}({rnd.choice(['', '1', 's'])})") + b(False) + tag("endcall")
    if k == 20: return tag("set ns = namespace(v=1, s=s)") + tag(f"set ns.{rnd.choice(['v', 's', 'z', '_p'] if rnd.random() < .1 else ['v', 's', 'z'])} = {e()}") + out(f"ns.{rnd.choice(['v', 's', 'q'])}")
    if k == 22:
        body = lambda: rnd.choice(["{{ loop.depth }}", "{{ loop.depth0 }}", "{{ x }}", "{{ loop.index }}", "{{ loop.changed(x) }}"]) + rnd.choice(["{{ loop(x.c) }}", "{{ loop(x) }}", "{% if x is iterable and x is not string %}{{ loop(x) }}{% endif %}", "{{ loop([]) }}", "{% if loop.depth < 3 %}{{ loop(l) }}{% endif %}", "{% for y in [1] %}{{ loop.index }}{% endfor %}"]) + ws()
        return tag("for x in " + rnd.choice(["[1, [2, [3]], 4]", "l", "[{'c': [{'c': []}]}, {'c': []}]", "o", "b"]) + " recursive") + body() + (tag("else") + "none" if rnd.random() < .3 else "") + tag("endfor")
    if k == 23: return tag("for " + rnd.choice(["g, i in o|groupby('role')", "g in o|groupby('n')", "k, v in d|dictsort", "k, v in d.items()", "i in l|batch(2, '-')", "i in l|slice(2)", "(a, b), c in [[[1, 2], 3]]", "m in messages", "m in messages if m.role == 'user'", "x in l if loop", "i in range(n)"])) + rnd.choice(["{{ g }}{{ i|length }}", "{{ g.grouper }}", "{{ k }}={{ v }}", "{{ i }}", "{{ loop.index }}/{{ loop.length }}", "{{ m.role }}: {{ m.content }}", "{{ loop.previtem }}>{{ loop.nextitem }}", "{% set ns.v = loop.index %}", "{{ loop.cycle(1, 2) }}{{ loop.cycle() }}", "{{ loop.changed(loop.index0 // 2, x) }}", "{{ loop }}", "{{ loop.last and loop.first }}"]) + b(True) + tag("endfor")
    if k == 24: return tag("set " + name()) + b() + tag("endset") + rnd.choice(["{{ v|first }}", "{{ v == v|trim }}", "{{ w is string }}", "{{ s ~ v }}", "{{ v + s }}", "{{ [v] }}"])
    if k == 25: return tag("filter " + rnd.choice(["upper|replace('A', 'b')", "indent(2)|trim", "indent(1, true)", "escape", "replace('a', n)", "default('x')|title", "string|reverse", "truncate(7)", "wordwrap(5)|indent", "striptags"])) + b() + tag("endfilter")
    if k == 26 and macros:
        m = rnd.choice(macros)
        return out(rnd.choice([f"{m}(*l)", f"{m}(**d)", f"{m}(1, *l, **{{'z': 2}})", f"{m}.name", f"{m}.arguments", f"{m}.catch_kwargs, {m}.catch_varargs, {m}.caller", f"{m}(caller=none)", f"{m}(q={m}(1))", f"{m}({m}())|length", f"{m}|string|length > 5", f"[{m}(1)]", f"{m}(s)|upper"]))
    if k == 27: return tag("set ns = namespace(" + rnd.choice(["", "v=0", "d", "v=l, w=s", "**d"]) + ")") + tag("for x in " + rnd.choice(["l", "o", "range(3)"])) + tag("set ns.v = " + rnd.choice(["loop.index", "ns.v ~ x", "ns.v + 1", "x", "ns"])) + tag("endfor") + out(rnd.choice(["ns.v", "ns.w", "ns", "ns['v']", "ns.v is defined", "ns is mapping", "ns.items"]))
    if k == 21: return rnd.choice([tag("generation") + b(False) + tag("endgeneration"), tag("raw") + " {{ raw }} " + tag("endraw"), tag(f"set v, w = {rnd.choice(['1, 2', 'l', e()])}"), tag("autoescape true") + b() + tag("endautoescape"), tag("print " + e())])
    return out(e())


# ---- running ----

ADDRESS = re.compile(r"0x[0-9a-f]{10,}", re.I)


class Slow(Exception):
    pass


def alarm(*a):
    raise Slow()


signal.signal(signal.SIGALRM, alarm)


DEFAULTS = dict(messages=None, tools=None, documents=None, add_generation_prompt=False)


def reference(text, ctx):
    ctx = json.loads(json.dumps(ctx)) # a filter may change it: indent adds a line end to a list, in place
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        t = U._compile_jinja_template(text)
        if "generation" in text:
            r, g = U._render_with_assistant_indices(t, **{**DEFAULTS, **ctx})
            return {"text": r, "gens": [list(x) for x in g]}
        return {"text": t.render(**{**DEFAULTS, **ctx})}
    except Slow:
        return None
    except RecursionError:
        return None
    except Exception as e:
        line, tb = 0, e.__traceback__
        while tb:
            if tb.tb_frame.f_code.co_filename == "<template>": line = tb.tb_lineno
            tb = tb.tb_next
        return {"error": {"type": type(e).__name__, "message": str(e.message if isinstance(e, jinja2.TemplateError) else e), "line": line}}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def case():
    k = rnd.random()
    ctx = context()
    if k < .55: return "{{ " + expr(rnd.choice([1, 1, 2, 2, 3])) + " }}", ctx
    if k < .65: return "{% set x = " + expr(2) + " %}{{ x }}|{{ x|string }}|{{ x is defined }}|{% for i in x %}[{{ i }}]{% endfor %}", ctx
    macros = []
    return "".join(statement(3, macros, False) + ws() for _ in range(rnd.randrange(1, 5))), ctx


def same(want, got):
    if "text" in want:
        return got.get("text") == want["text"] and ("gens" not in want or [g[:2] for g in got["gens"]] == want["gens"])
    e = got.get("error")
    if not e: return False
    if want["error"]["type"] in ("TemplateSyntaxError", "TemplateAssertionError", "SyntaxError"): return True
    # the position of a non-string in a list of output pieces is Jinja's alone
    norm = lambda m: re.sub(r"sequence item \d+: expected str instance", "sequence item: expected str instance", m)
    return (e["type"], norm(e["message"])) == (want["error"]["type"], norm(want["error"]["message"])) and (not want["error"]["line"] or e["line"] == want["error"]["line"])


def main(driver, seconds="60", seed="1"):
    rnd.seed(int(seed))
    p = subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    n = bad = 0
    kinds = collections.Counter()
    shown = collections.Counter()
    end = time.time() + float(seconds)
    while time.time() < end:
        batch = []
        for _ in range(100):
            text, ctx = case()
            if rnd.random() < .04: text = "{% block " + rnd.choice(["b", "b", "b scoped"]) + " %}" + text + "{% endblock %}" + rnd.choice(["", "", "{{ self.b() }}"])
            if rnd.random() < .02: text = "{% for x in l %}{% set v = x %}{% block b" + rnd.choice(["", " scoped", " scoped"]) + " %}" + text + "{{ v }}{{ x }}{% endblock %}{% endfor %}"
            try:
                text.encode()
            except UnicodeError:
                continue
            batch.append((text, ctx, reference(text, ctx)))
        for text, ctx, want in batch:
            if want is None:
                kinds["no answer"] += 1
                continue
            full = {**DEFAULTS, **ctx}
            p.stdin.write(json.dumps({"template": text, "context": full}).encode() + b"\n")
            p.stdin.flush()
            line = p.stdout.readline()
            if not line:
                print("the engine died on", json.dumps({"template": text, "context": full}))
                sys.exit(1)
            try:
                got = json.loads(line)
            except ValueError as e:
                got = {"error": {"type": "bad output", "message": repr(line)[:300]}}
            n += 1
            kinds["text" if "text" in want else "error"] += 1
            if got.get("error", {}).get("type") == "LimitError":
                kinds["refused: " + got["error"]["message"][:60]] += 1
                continue
            w = json.dumps(want, ensure_ascii=False)
            if ADDRESS.search(w):
                kinds["address"] += 1
                continue
            if same(want, got): continue
            bad += 1
            sig = re.sub(r"'[^']*'|\d+", "_", json.dumps(want.get("error", "text"))) + " / " + re.sub(r"'[^']*'|\d+", "_", json.dumps(got.get("error", "text"))[:90])
            if shown[sig] < 2:
                shown[sig] += 1
                used = {k: v for k, v in ctx.items() if re.search(rf"\b{k}\b", text)}
                print("template", json.dumps(text, ensure_ascii=False), "\n  context", json.dumps(used, ensure_ascii=False)[:600],
                      "\n  want", json.dumps(want, ensure_ascii=False)[:500], "\n  got ", json.dumps(got, ensure_ascii=False)[:500])
    print(f"transformers {transformers.__version__}, jinja2 {jinja2.__version__}, seed {seed}: {n} templates, {bad} differ")
    for k, v in kinds.most_common(20): print(f"  {v:7} {k}")
    sys.exit(bad > 0)


if __name__ == "__main__": main(*sys.argv[1:])
