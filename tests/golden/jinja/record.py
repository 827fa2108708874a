#!/usr/bin/env python3
"""Records what transformers and jinja2 make of small templates: cases.jsonl, read by tests/unit/jinja.c.

A line: {"t": template, "c": context (absent: the common one, the first line's), "text" or "error": [type, message], "gens"}.
Run from the project's root with the Python of the reference; the cases at random are those of tests/parity with a fixed seed."""
import json
import os
import sys

sys.path.insert(0, "tests/parity")
import templates as P

COMMON = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "  Hi <b>\n"}, {"role": "assistant", "content": [{"type": "text", "text": "yo"}, {"type": "image"}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"items": {"type": "string"}, "é": {"type": ["integer", "null"]}}}}}],
    "s": "Hello World", "u": "ÀÉ日本😀", "e": "", "sp": "\u3000 x\u00a0y \u200b", "q": "it's \"q\" \\ \u200d\n\t\x00", "i": 7, "neg": -3, "big": 10**25, "f": 2.5, "t": True, "z": None,
    "l": [3, 1, 2], "w": ["b", "A", "a", "B"], "d": {"b": 1, "a": 2, "items": "mine", "x y": None}, "nest": {"a": {"b": [{"c": 5}]}},
    "o": [{"n": 2, "k": "x", "on": True}, {"n": 1, "k": "Y", "on": False}, {"n": 2, "k": "y"}],
}
EXPRESSIONS = r'''
1 + 2 * 3 ** 2
7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 / 2, 2 ** -1, 2 ** 100
-7.5 // 2, -7.5 % 2, 7.5 % -2, 1e308 * 10, 5 // 0.3
9223372036854775807 + 1, -9223372036854775808 - 1, big * big, big // 7, big % 7, -big // 7, big / 3
1 / 0
1 % 0
0.1 + 0.2, 1e16, 1e-7, 1e22, 123456789012345680.0, 5e-324, 1.0, -0.0
"a" + 1
1 + "a"
s + z
[1] + (2,)
[1] + [2], (1,) + (2,), "ab" * 3, [0] * 2, 2 * "x"
"a" ~ 1 ~ none ~ [1, "b"] ~ undefd
1 < 2 < 3, 3 > 2 > 2, 1 == 1.0 == true, "a" < "b", [1, 2] < [1, 3], 1 != 1
1 < "a"
none < 1
2 in l, "a" in d, "ell" in s, 5 not in l, "items" in d
1 in "abc"
1 in 5
not e, not l, e or "dflt", s and i, z or 0 or "x", undefd or 1
"yes" if t else "no", "yes" if z
("x" if z).foo
s[0], s[-1], s[1:4], s[::-1], s[6:], s[:-6], s[::2], s[10:2:-3], u[1], u[-2:], l[1:], l[::-1], l[5:], s[99]
l["a"] is defined, s.foo is defined, d.zz is defined, none.x is defined
z.foo.bar
undefd.foo
undefd["x"]
undefd + 1
-undefd
undefd()
undefd == undefd2, undefd is undefined, undefd|length, undefd|list, undefd|string
d.items, d["items"], d.items()|list, d.keys()|list, d.values()|list, d.get("b"), d.get("q", "no"), d.get("q")
d.pop("a")
l.append(1)
l.sort
d.update
s.__class__
d.__class__ is defined
s.format.__globals__
d.b, d["b"], d.nope, nest.a.b[0].c, nest["a"]["b"][0]["c"]
messages[1].content.strip(), messages[-1].content[0].text, messages[0]["role"]
{1: "a", 1.0: "b", true: "c"}, {(1, 2): 3}, {none: 1}
{[1]: 2}
{}[[]] is defined
[1, "a", none, true, 1.5, {"k": [()]}, (1,), ()]
q, [q], u, [u], [sp]
"\x41\u00e9\n\101\q\'", 'a"b', "a'b"
[none, true, 1e300, "x"]|tojson, d|tojson, q|tojson, u|tojson(ensure_ascii=true), nest|tojson(indent=2), tools|tojson
d|tojson(sort_keys=true), d|tojson(separators=(",", ":")), [[], {}]|tojson(indent=1), {1: 2, none: 3, true: 4, 1.5: 5}|tojson
"\x7f\x80\ue000"|tojson(ensure_ascii=true), "\x7f\x80"|tojson
undefd|tojson
l|map("string")|tojson
s|upper, s|lower, "hELLO wORLD-x (y)"|title, "hELLO"|capitalize, s|length, u|length, u|lower, "ß ﬁ"|upper, "ΑΣ ΟΔΟΣ"|lower, "ǆ"|title
sp|trim, sp.strip(), "xxaxx".strip("x"), "abcab".lstrip("ab"), "abc".rstrip("c"), "..a."|trim("."), "\x1f\x85a\u2029"|trim
"a,b,,c".split(","), " a  b ".split(), "a,b,c".split(",", 1), "a,b,c".rsplit(",", 1), "a b c".split(none, 1), "abc".split("")
"a\nb\r\nc\u2028d".splitlines(), "a\nb\n".splitlines(true), "a-b".partition("-"), "a-b".rpartition("x")
"abcabc".replace("b", "X"), "abcabc".replace("b", "X", 1), "aaa"|replace("a", "b", 2), "abc".replace("", "-"), s|replace("l", i)
"abc".find("c"), "abc".rfind("z"), "abc".index("b"), "abcabc".count("bc"), "éa".find("a"), "abc".startswith(("x", "a")), "abc".endswith("c", 0, 2)
"abc".index("z")
"ab".center(7, "*"), "ab".ljust(4) ~ "|", "ab".rjust(4), "-5".zfill(4), "a\tb".expandtabs(4), "prefix-x".removeprefix("prefix-"), "x.py".removesuffix(".py"), "abc".center(6), "abcd"|center(9)
"aB".swapcase(), "ẞ".casefold(), "12".isdigit(), "²".isdigit(), "½".isnumeric(), "a1".isalnum(), "Ab C".istitle(), " ".isspace(), "a_1".isidentifier(), "é".isascii(), "\u200d".isprintable(), "AB".isupper(), "ab1".islower()
",".join(["a", "b"]), "".join([]), ",".join([1])
"%s is %d years, %5.2f|%-6s|%06d|%x|%%|%r|%c" % ("Al", 3, 2.5, "ab", -42, 255, "q", 65)
"%(a)s-%(b)05d" % {"a": 1, "b": 2}
"%s" % none, "%s %s"|format("a", 1), "%(x)s"|format(x=2), "%e %g %G" % (12345.678, 0.00001234, 1e20)
"%d" % "a"
"%s %s" % ("a",)
"%s" % ("a", "b")
"{} {1} {x.a.b[0][c]:>5} {{}}".format("p", "q", x=nest)
"{} {} {x.a.b[0][c]:>5} {{}} {!r:^9}".format("p", "q", s, x=nest)
"{:,} {:_} {:+.2f} {:e} {:%} {:#x} {:b} {:>8} {:*^9} {:08.3f} {:<4}|".format(1234567, 1234567, 2.5, 12345.678, 0.25, 255, 5, "ab", "mid", 3.14159, 7)
"{0.__class__}".format(s)
"{:d}".format("a")
"{".format()
l|sort, w|sort, w|sort(case_sensitive=true), w|sort(reverse=true), o|sort(attribute="n")|map(attribute="k")|list, o|sort(attribute="n,k")|map(attribute="k")|join, w|unique|list, w|unique(true)|join
["a", 1]|sort
d|dictsort, d|dictsort(by="value")
{"b": 2, "A": 1, "a": 3}|dictsort, {"b": 2, "A": 1}|dictsort(true), {"b": 2, "A": 1}|dictsort(false, "value", true)
l|sum, l|sum(start=10), o|sum("n"), l|min, l|max, w|min, w|max(true), []|max is defined, o|max(attribute="n"), l|first, l|last, s|first, s|last, []|first is defined
l|map("string")|join("-"), o|map(attribute="k")|join(","), o|map(attribute="zz", default="?")|list, w|map("upper")|list, l|map("default")|length
l|select("odd")|list, l|select(">", 1)|list, l|reject("equalto", 2)|list, o|selectattr("on")|list|length, o|selectattr("on", "defined")|list|length, o|selectattr("k", "equalto", "x")|list, o|rejectattr("n", "eq", 2)|list, [0, 1, "", "a"]|select|list
l|select("nope")|list
l|map("nope")|list
l|map
l|batch(2)|list, l|batch(2, "x")|list, l|slice(2)|list, [1,2,3,4,5]|slice(3, 0)|list, l|reverse|list, s|reverse, l|list, s|list, d|list
o|groupby("n"), o|groupby("k")|map(attribute="grouper")|list, o|groupby("on", default=9)|map("first")|list
l|join, l|join(", "), s|join("-"), o|join("|", attribute="k"), "ab"|join, 5|join
"42"|int, "4.9"|int, "x"|int, "x"|int(-1), "ff"|int(0, 16), "0x1f"|int(0, 0), 3.99|int, z|int, true|int, " 12 "|int, "1_0"|int, "٣"|int, "3.5"|float, "x"|float(9.5), "1e3"|float, "inf"|float
2.5|round, 3.5|round, 2.675|round(2), 1234.5|round(-2), 2.1|round(0, "ceil"), 2.9|round(method="floor"), 25|round(-1), -2.5|round, 42|round, 42|round(1, "ceil")
neg|abs, -2.5|abs, true|abs, "x"|abs
123|filesizeformat, 1|filesizeformat, 1500000|filesizeformat, 1500000|filesizeformat(true), "1000"|filesizeformat
undefd|default("x"), z|default("x"), e|default("x", true), z|default("x", boolean=true), undefd|d
"a\nb\n\nc"|indent, "a\nb"|indent(2, true), "a\n\nb"|indent("> ", blank=true), ("a\nb"|safe)|indent(1)
"one two three four five"|truncate(12), "one two three"|truncate(9, true), "one two three four"|truncate(11, false, "..", 0), s|wordcount, "it's a-b_c 1"|wordcount
"<a href='x'>&\"</a>"|e, ("<b>"|safe)|e, ("<b>"|safe) + "<i>", "<i>" + ("<b>"|safe), ("%s"|safe) % "<", ("{}"|safe).format("<"), ("<"|safe)|forceescape, "<p>a &amp;  <b>b</b></p>"|striptags, ["<", "<"|safe]|join
("a<"|safe).split("<"), ("x"|safe).upper(), [("x"|safe)], ("a"|safe).join(["<", 1]), ("a"|safe)[0], ("a"|safe) ~ "<", ("a"|safe).replace("a", "<")
{"class": "a b", "id": none, "x": "<"}|xmlattr, {"a": 1}|xmlattr(false), {"a b": 1}|xmlattr
"a b/c?d=é"|urlencode, {"a": "x y", "b": 1}|urlencode
o|pprint, d|pprint, "x"|pprint, {"k": "word " * 30}|pprint, range(40)|list|pprint
1 is odd, 2 is even, 9 is divisibleby 3, s is string, i is number, f is float, i is integer, t is boolean, t is number, z is none, d is mapping, l is sequence, s is sequence, i is iterable, range is callable, s is sameas s, z is sameas none, "a" is in "abc", 1 is eq 1, 1 is lessthan 2, "A" is upper, "trim" is filter, "nope" is filter, "odd" is test, ("x"|safe) is escaped, undefd is iterable, undefd is sequence, undefd is callable
s is not string, not s is string, i is defined and i is odd
s is nope
s|nope
s|trim|nope if z else "ok"
range(5)|list, range(1, 10, 3)|list, range(5, 0, -2)|list, range(3), range(3)|length, range(0), 2 in range(3), range(10)[2:5]
range(200000)
range(1, 2, 0)
dict(a=1, b=[2]), dict(d, z=1), dict([("x", 1)]), dict.fromkeys(["a"], 0)
dict([1])
namespace(a=1).a, namespace(d).b
namespace(_a=1)
raise_exception("stop: " ~ s)
strftime_now("%Y-%m-%d %H:%M:%S %A %d %B %b %j")
cycler("a", "b").next(), joiner("|")()
true and 1, false or none, True, None, none == None
1_000, 0x1F, 0b101, 0o17, 1e3, 1.5E-3
(1, 2)[0], (1), (1,), [1, 2,], {"a": 1,}
"a" "b" 'c'
s.upper().lower().title()
s|attr("upper") is callable, s|attr("nope") is defined, d|attr("b") is defined
(s, i)|string, d|string|length, z|string, t|string
i.real, i.bit_length(), f.is_integer(), 3.0.is_integer(), t.numerator
l.index(1), l.count(3), (1, 2).index(2), l.index(9)
[1, 2][true], [1, 2][none] is defined, "abc"[1.0] is defined
s.title is defined, s.title
foo.bar if foo is defined else "none"
messages|map(attribute="role")|join(","), messages|selectattr("role", "equalto", "user")|map(attribute="content")|first|trim, messages[1:]|length
undefd|attr([])
1|attr({})
s|e + l
s|e + 1
s|e * undefd
undefd * (s|e)
l|map(undefd)|list
l|select(d.zzz)|list
l|selectattr("a", undefd)|list
true|tojson(0.1, 1e-7, s)
true|tojson(none, l, true)
(false)[0:-2] and l|reject("ge", none)
((1)[2:] and undefd)|default(4)
undefd if (1)[2:] else 2
undefd if (1)[2:]
[].index(1, undefd)
s.center(undefd)
s * undefd
s.rsplit(l, none)
s.split(1, s)
l|sort(12345678901234567890)
s.expandtabs(1234567890123), "x".expandtabs(-5)
namespace, cycler, joiner, [joiner], namespace|string|length
s.expandtabs(12345678901234567890)
"{:c}".format(12345678901234567890)
("ab" * 150)|filesizeformat
"{:{n}}".format(1, n=("ab" * 150))
"{:x}".format(s|e)
range(1, 12345678901234567890, 0)
{d: 1, 2: 1 < l}
(1, l) is filter
{(1, l): 4}
"{:10000000000000000000000}".format(1)
1.5.hex(), 0.1.hex(), (-2.25).hex(), 5e-324.hex(), 1e308.hex(), (-0.0).hex(), (1e308 * 10).hex(), 1e-310.hex()
1.5.as_integer_ratio(), 0.1.as_integer_ratio(), (-2.25).as_integer_ratio(), 1e22.as_integer_ratio(), (3).as_integer_ratio()
(1e308 * 10).as_integer_ratio()
"a".removeprefix(none)
"a".replace("a", none)
strftime_now(none)
cycler()
5|sum("a", "b")
range(-1, 9223372036854775807)
"{:.10000000000}".format("abc")
"see http://a.b/c?d=e&f#g, (www.x.org) <https://q.io>."|urlize
"a@b.co mailto:c@d.ef, @x e@ f@g ftp.net x.com:80/y n:1 WWW.A.COM HTTP://q.de"|urlize
"(http://x.com/a_(b)) &lt;http://y.org&gt; http://1.2.3.4:8/ http://[::1] http://[1:2:3:4] http://localhost xn--a.b"|urlize
"http://long.example.com/path"|urlize(12), "http://x.com"|urlize(-2, true, target="_top", rel="me a me")
"tel:1 ftp://x y:z"|urlize(extra_schemes=["tel:", "ftp://"])
"x"|urlize(extra_schemes=["tel"])
"<b> http://x.com?<"|safe|urlize, u|urlize, 5|urlize, undefd|urlize, "http://日本.com 日本.jp"|urlize
"x"|urlize(rel=5)
"http://x.com"|urlize("a")
'''
TEMPLATES = r'''
{% for m in messages %}{{ loop.index }}/{{ loop.length }}:{{ m.role }}{{ ", " if not loop.last }}{% endfor %}
{% for x in l %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.cycle("a", "b") }}{{ loop.changed(x > 1) }};{% endfor %}
{% for x in l if x > 1 %}{{ x }}{{ loop.index }}{{ loop.length }}{% else %}none{% endfor %}{% for x in [] %}{% else %}empty{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k, v in d|items %}{{ k }}{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in z %}{% endfor %}
{% for x in undefd %}{% else %}nothing{% endfor %}{% for c in u %}[{{ c }}]{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}
{% for x in [1, 2] %}{% for y in [1, 2] %}{{ x }}{{ y }}{{ loop.index }}{% if y == 1 %}{% continue %}{% endif %};{% endfor %}{{ loop.index }}{% endfor %}
{% set x = 1 %}{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}
{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}{% if z %}{% set y = 1 %}{% endif %}{{ y is defined }}
{% set ns = namespace(n=0, a=[]) %}{% for i in l %}{% set ns.n = ns.n + i %}{% set ns.a = ns.a + [i] %}{% endfor %}{{ ns.n }}{{ ns.a }}{{ ns.zz is defined }}{{ ns }}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% set d.x = 1 %}
{% set undefd.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set ns = namespace() %}{% set ns.x, c = [3, 4] %}{{ ns.x }}{{ c }}
{% set x %}a{{ s }}b{% endset %}{{ x }}{{ x|length }}{% set y | upper | trim %} q {% endset %}[{{ y }}]
{% macro m(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(a=5, c=6) }} {{ m() }} {{ m.name }} {{ m.arguments }} {{ m }}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}{{ m(*[5, 6], **{"y": 7}) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}
{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in {{ s }}{% endcall %}
{% macro m() %}[{{ caller("p") }}]{% endmacro %}{% call(x, y=2) m() %}{{ x }}{{ y }}{% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro r(n) %}{{ n }}{% if n > 0 %},{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(5) }}
{% macro r(n) %}{{ r(n) }}{% endmacro %}{{ r(1) }}
{% macro m() %}{{ later }}{% endmacro %}{% set later = "late" %}{{ m() }}{% for i in [1] %}{% set later = 2 %}{{ m() }}{% endfor %}
{% macro outer() %}{% macro inner() %}i{{ x }}{% endmacro %}{% set x = 3 %}{{ inner() }}{% endmacro %}{{ outer() }}
{% for i in [1, 2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}
{% for item in [{"n": 1, "c": [{"n": 2, "c": []}]}] recursive %}{{ item.n }}{{ loop.depth0 }}({{ loop(item.c) }}){% endfor %}
{% filter upper %}a{{ s }}{% endfilter %}{% filter replace("a", "b")|upper %}aaa{% endfilter %}
{% with a = 1, b = s %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}{% with %}x{% endwith %}
{% raw %}{{ x }}{% y %}{% endraw %}{%- raw -%}  z  {%- endraw -%}  !
{% print 1, "b" %}{% print s|upper %}
{% autoescape true %}{{ "<" }}{{ "<"|safe }}{{ "<" ~ 1 }}{% endautoescape %}{{ "<" }}
a{# c #}b{#- c -#} c {# {{ x }} {% y %} #}
  {% if t %}
  x
  {% endif %}
y
  {%+ if t %} x {% endif +%}
z
{%- if t -%}  a  {%- endif -%}  b
	{{ s }}	{{- s -}}	.
a {{- " b " -}} c {{ "\n" }}{{ '' }}
line {# c #}
{% if t %}q{% endif %}

end
{% generation %}x{{ s }}{% endgeneration %}y{% for i in l %}{% generation %}{{ i }}é{% endgeneration %}|{% endfor %}
{% set x = 1 %}{% generation %}{% set x = 2 %}{{ x }}{% endgeneration %}{{ x }}
{% macro m() %}{% generation %}in{% endgeneration %}{% endmacro %}a{{ "bc" ~ m() }}{{ m() }}
{{ loop is defined }}{% for loop_ in [1] %}{{ loop_ }}{% endfor %}{% for x in [1] %}{{ loop.index }}{% endfor %}{{ loop is defined }}
{% for x in l %}{% set loop = 1 %}{% endfor %}
{% if t %}a{% elif z %}b{% else %}c{% endif %}{% if z %}a{% elif t %}b{% endif %}{% if z %}a{% elif e %}b{% else %}c{% endif %}
{% if s|nope %}{% endif %}
{% if z %}{{ s|nope }}{% endif %}ok
{{ s
{{ s }
{% if %}
{% endif %}
{% for x in l %}
{% nope %}
{{ 1 +* 2 }}
{{ "abc }}
{# unclosed
{% raw %} unclosed
{{ [1, 2 }}
{{ s.1 }}{{ l.1 }}
{{ 'a' if t }}{{ 'b' if z }}{{ ('c' if z) is undefined }}
{{ self }}{{ range }}
{{ messages[1]['content'] | trim + 'x' }}{{ (messages[1]['content'] | trim) + 'x' }}
{% set messages = messages[1:] %}{{ messages|length }}{% for m in messages %}{{ m.role }}{% endfor %}
{%- for m in messages %}{%- if m.content is string %}{{ m.content }}{%- elif m.content is iterable %}{%- for p in m.content %}{%- if p.type == 'text' %}{{ p.text }}{%- else %}<{{ p.type }}>{%- endif %}{%- endfor %}{%- endif %}{%- endfor %}
{%- for tool in tools %}{{ tool | tojson }}{% for name, p in tool.function.parameters.properties.items() %}{{ name }}: {{ p.type }}{% endfor %}{%- endfor %}
{% set c = cycler("x", "y") %}{% for i in l %}{{ c.next() }}{{ c.current }}{% endfor %}{% set j = joiner() %}{% for i in l %}{{ j() }}{{ i }}{% endfor %}
{% set g = l|map("string") %}{{ g|list }}{{ g|list }}{% for x in l|select("odd") %}{{ x }}{{ loop.last }}{% endfor %}{{ (l|map("string"))|length }}
{{ l|map("string")|last }}
{% set x = 5 %}{% macro m(x=x) %}{{ x }}{% endmacro %}{{ m() }}{{ m(1) }}
{%if t%}x{%endif%}{{-s-}}{{i}}
{% for in in l %}{{ in }}{% endfor %}{% for in, x in l|batch(2) %}{{ x }}{% endfor %}
{% for x, in l %}{% endfor %}
{% for x in recursive %}{{ x }}{% endfor %}
{% set n = namespace(v=1) %}{% set n.v = n %}{{ n }}{{ n.v.v }}{{ [n] }}
{% for x in l %}{% autoescape true %}{% if x == 1 %}{% break %}{% endif %}{{ "<" }}{% endautoescape %}{% endfor %}{{ "<" }}
'''
# alone, a line each: blocks may be defined once, and methods say what they are given
ALONE = r'''
{% block x %}a{{i}}b{% endblock %}
{% block x %}a{{i}}{% endblock %}{{ self.x() }}{{ self['x']() }}
{% block x scoped %}a{% endblock x %}
{% for i in l %}{% block q scoped %}{{i}}{{loop.index}}{% endblock %}{% endfor %}
{% for i in l %}{% block q %}{{i}}{{loop}}{% endblock %}{% endfor %}
{% set i=5 %}{% block q %}{{i}}{% endblock %}
{% block q %}{{i}}{% endblock %}{% set i=5 %}{{ self.q() }}
{% block a %}{% block b %}x{{i}}{% endblock %}{% endblock %}{{ self.b() }}
{% block a %}{% block b %}x{{i}}{% endblock %}{% endblock %}{{ super() }}
{% block a %}{{ super() }}{% endblock %}
{% block a %}{{ super }}|{{ super is defined }}{% endblock %}
{% block a required %}x{% endblock %}
{% block a required %}{% endblock %}
{% if false %}{% block a required %} {% endblock %}{% endif %}[{{ self.a() }}]
{% block a %}x{% endblock %}{% block a %}y{% endblock %}
{% block a %}{% set ns.x = 1 %}{% endblock %}
{% set ns = namespace(x=0) %}{% block a %}{% set ns.x = 1 %}{% endblock %}{{ ns.x }}
{% block a %}{% set y = 1 %}{{y}}{% endblock %}{{ y }}
{% if i %}{% set y = 1 %}{% endif %}{% block a %}{{ y }}{% endblock %}
{% for j in l %}{% set y = j %}{% block a %}[{{ y }}]{% endblock %}{% endfor %}
{% for j in l %}{% set y = j %}{% block a scoped %}[{{ y }}{{ j }}]{% endblock %}{% endfor %}
{% macro m(a) %}{% block a1 %}{{ a }}{% endblock %}{% endmacro %}{{ m(3) }}
{% macro m(a) %}{% block a1 scoped %}{{ a }}{{ i }}{% endblock %}{% endmacro %}{{ m(3) }}
{% macro m() %}{{ i }}{% endmacro %}{% for i in l %}{% block b scoped %}{{ m() }}{{ i }}{% endblock %}{% endfor %}
{% block b %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endblock %}{{ m }}
{% for i in l %}{% block b scoped %}{% block c %}{{ i }}{% endblock %}{% endblock %}{% endfor %}
{% for i in l %}{% block b scoped %}{% for i in 'ab' %}{% block c scoped %}{{ i }}{% endblock %}{% endfor %}{% endblock %}{% endfor %}
{% set v %}{% block b %}x{{ i }}{% endblock %}{% endset %}{{ v }}{{ v|length }}
{% filter upper %}{% block b %}x{{ s }}{% endblock %}{% endfilter %}
{% block b %}{{ self.b }}{% endblock %}
{% block b %}{% if not done is defined %}{{ self.c() }}{% endif %}{% endblock %}{% block c %}C{% endblock %}
{{ self.nope }}{{ self.nope() }}
{{ self.b }}
{% block b %}q{% endblock %}{{ self.b is callable }}{{ self.b is defined }}{{ self.c is defined }}
{% block b %}q{% endblock %}{{ self.b(1) }}
{% block b %}q{% endblock %}{{ self.b(a=1) }}
{% block b %}q{% endblock %}{{ self.b()|upper }}{{ self.b() ~ 'x' }}
{% block b-c %}{% endblock %}
{% block 3 %}{% endblock %}
{% block %}{% endblock %}
{% block b %}
{% block b %}{% endblock c %}
{% block b %}{% endfor %}
{% block b scoped required %} {% endblock %}
{% block b required scoped %} {% endblock %}
{% block b: %}x{% endblock %}
{% block b %}{% break %}{% endblock %}
{% for i in l %}{% block b %}{% break %}{% endblock %}{% endfor %}
{% for i in l %}{% block b %}{% set loop = 1 %}{% endblock %}{% endfor %}
{% for i in l %}{{ loop.index }}{% block b scoped %}{% for j in l %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endblock %}{% endfor %}
{% block b %}{{ x|nope }}{% endblock %}
{% block b %}{{ undefd.x }}{% endblock %}
{% block b %}
{% block generation %}{% generation %}a{{i}}{% endgeneration %}{% endblock %}
é{% block b %}{% generation %}a{{i}}{% endgeneration %}{% endblock %}{{ self.b() }}
{% with q=1 %}{% block b scoped %}{{ q }}{% endblock %}{% endwith %}{{ q }}
{% with q=1 %}{% block b %}{{ q }}{% endblock %}{% endwith %}
{% set a, b = 1, 2 %}{% block c %}{{ a }}{{ b }}{% endblock %}
{% set _p = 1 %}{% block c %}{{ _p }}{% endblock %}
{% set i = 1 %}{% for k in l %}{% set i = k %}{% block c scoped %}{{ i }}{% endblock %}{% endfor %}{{ i }}
{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}{% block c %}{{ i }}{% endblock %}{% endcall %}
{% for i in l recursive %}{% block c scoped %}{{ i }}{% endblock %}{% if loop.depth < 2 %}{{ loop([9]) }}{% endif %}{% endfor %}
{% block a %}{{ self }}{% endblock %}{{ self }}
{% set self = 3 %}{% block a %}{{ self }}{% endblock %}{{ self }}
{% for i in l if i > 1 %}{% block a scoped %}{{ i }}{{ loop.length }}{% endblock %}{% endfor %}
{% block a %}1{% endblock %}{% set x = self.a() %}{{ x }}{{ x is string }}
{% if i > 100 %}{% block a %}hidden{% endblock %}{% endif %}{{ self.a() }}
{% if i %}{% set w = 1 %}{% block a scoped %}{{ w }}{% endblock %}{% else %}{% set w = 2 %}{% endif %}
{% for a in l %}{% else %}{% block c scoped %}{{ a }}{% endblock %}{% endfor %}
{%- block a -%}  x  {%- endblock -%}  y
{% block content %}{{ messages }}{% endblock %}{{ self.content }}
{{ ('<b> x'|safe).upper(1) }}
{{ ('<b> x'|safe).title(x=1) }}
{{ ('<b> x'|safe).isnumeric(1) }}
{{ ('<b> x'|safe).isalpha(x=1) }}
{{ ('<b> x'|safe).center() }}
{{ ('<b> x'|safe).center(5, 2) }}
{{ ('<b> x'|safe).center('a') }}
{{ ('<b> x'|safe).center(width=3) }}
{{ ('<b> x'|safe).strip(chars='a') }}
{{ ('<b> x'|safe).strip(1) }}
{{ ('<b> x'|safe).replace('a') }}
{{ ('<b> x'|safe).replace('b', '<') }}
{{ ('<b> x'|safe).replace(old='b', new='c') }}
{{ ('<b> x'|safe).join() }}
{{ ('<b> x'|safe).join(iterable=l) }}
{{ ('<b> x'|safe).split('b', 1, 2) }}
{{ ('<b> x'|safe).split(maxsplit=1) }}
{{ ('<b> x'|safe).split(x=1) }}
{{ ('<b> x'|safe).removesuffix(suffix='>') }}
{{ ('<b> x'|safe).removeprefix(prefix='<') }}
{{ ('<b> x'|safe).zfill() }}
{{ ('<b> x'|safe).escape() }}
{{ ('<b> x'|safe).striptags(1) }}
{{ ('<b> x'|safe).expandtabs(tabsize=2) }}
{{ ('<b> x'|safe).splitlines(keepends=true) }}
{{ s.count(x=1) }}
{{ s.find('a', x=1) }}
{{ s.startswith(x=1) }}
{{ s.split(x=1) }}
{{ s.split(sep='o', maxsplit=1, q=2) }}
{{ s.splitlines(x=1, y=2) }}
{{ s.expandtabs(x=1) }}
{{ s.splitlines(x=1) }}
{{ -big * 'x' }}
{{ s.translate({111:'0', 108:none, 72:74}) }}
{{ s.translate({}) }}
{{ s.translate({246:'oe', 'l':'x'}) }}
{{ s.translate(3) }}
{{ s.translate(none) }}
{{ e.translate(3) }}
{{ s.translate('abc') }}
{{ ('\x01\x02').translate('abc') }}
{{ ('\x01').translate([1,'q']) }}
{{ s.translate(l) }}
{{ s.translate(undefd) }}
{{ s.translate() }}
{{ s.translate(1,2) }}
{{ s.translate(x=1) }}
{{ s.translate({72:1.5}) }}
{{ s.translate({72:-1}) }}
{{ s.translate({72:1114112}) }}
{{ s.translate({72:true}) }}
{{ s.translate({72:[]}) }}
{{ s.translate({72:0x1f600}) }}
{{ s.translate(range(200)) }}
{{ s.translate((1,2)) }}
{{ s.translate({72:'<&'}) }}
{{ ("<b>x"|safe).translate({120:'<'}) }}
{{ ("<b>x"|safe).translate("<b>x".maketrans('b','B')) }}
{{ s.translate({72:big}) }}
{{ s.translate(d.items()) }}
{{ s.translate({true:'x'}) }}
{{ s.maketrans() }}
{{ s.maketrans(1) }}
{{ s.maketrans('a') }}
{{ s.maketrans({}) }}
{{ s.maketrans({'a':'b',1:2}) }}
{{ s.maketrans({'ab':1}) }}
{{ s.maketrans({1.5:1}) }}
{{ s.maketrans({none:1}) }}
{{ s.maketrans('ab','cd') }}
{{ s.maketrans('ab','c') }}
{{ s.maketrans('ab','cd','xé') }}
{{ s.maketrans('ab',1) }}
{{ s.maketrans(1,'ab') }}
{{ s.maketrans('a','b',1) }}
{{ s.maketrans('a','b','c','d') }}
{{ s.maketrans(x=1) }}
{{ s.maketrans('aa','bc') }}
{{ s.maketrans('a','b','a') }}
{{ s.maketrans(d) }}
{{ s.maketrans('','','lo') }}
{{ s.translate(s.maketrans('lo','01','H')) }}
{{ s.translate(s.maketrans('é','e')) }}
{{ ("<b>x"|safe).maketrans('a','b') }}
{{ s.maketrans({true:1}) }}
{{ s.maketrans(undefd) }}
{{ s.maketrans([('a','b')]) }}
{{ s.maketrans('日本','ab') }}
{{ big.bit_count() }}
{{ (-big).bit_count() }}
{{ i.bit_count() }}
'''


def main():
    out = open("tests/golden/jinja/cases.jsonl", "w", encoding="utf-8")
    seen = set()
    out.write(json.dumps({"common": COMMON}, ensure_ascii=False) + "\n")

    def put(text, ctx=None):
        if text in seen: return
        seen.add(text)
        want = P.reference(text, COMMON if ctx is None else ctx)
        if want is None or P.ADDRESS.search(json.dumps(want)): return
        row = {"t": text}
        if ctx is not None: row["c"] = ctx
        if "text" in want: row["text"] = want["text"]
        else: row["error"] = [want["error"]["type"], want["error"]["message"], want["error"]["line"]]
        if want.get("gens"): row["gens"] = want["gens"]
        out.write(json.dumps(row, ensure_ascii=False) + "\n")

    for line in EXPRESSIONS.strip().split("\n"):
        put("{{ " + line + " }}")
        # one failure must not hide the rest of the line
        if "error" in P.reference("{{ " + line + " }}", COMMON):
            for part in line.split(", "): put("{{ " + part + " }}")
    lines = TEMPLATES.strip("\n").split("\n")
    for line in lines: put(line)
    # the line that an error names: of the set, or of what came before
    for t in ["{% set n = 1 %}\n{{ n }}\n\n{% set n.x = 2 %}", "{% set n = 1 %}\n{% if n %}\n\n{% set n.x =\n 2 %}{% endif %}", "\n\n{% set s.x = 2 %}", "{% macro m() %}\n\n{% set s.x = 2 %}{% endmacro %}\n\n{{ m() }}",
              "{% set y %}\n\n{{ s }}\n{% endset %}\n\n{% set s.x = 1 %}", "{% for i in l if i %}\n{% generation %}\na{% endgeneration %}\n{% set s.x = 1 %}{% endfor %}", "{% for x, y in l|batch(2) %}\n{{ x }}{% endfor %}",
              "{{ s }}\n\n{% with a =\n s + 1 %}\n{% endwith %}", "{{ s }}\n\n{{ s\n + 1 }}", "{% if s %}\n{% elif\n 1 < s %}{% endif %}", "{% for x in l\n if x < s %}{% endfor %}", "{% for x in l|map('nope') %}\n{{ x }}{% endfor %}",
              "{% set x = {'a': 1,\n 'b': s + 1,\n 'c': 2} %}", "{% macro m(a) %}\n{{ a.b.c }}\n{% endmacro %}\n\n{{ m(1) }}", "{% macro m() %}\n{{ caller() }}\n{% endmacro %}\n\n{% call m() %}\n\n{{ s + 1 }}{% endcall %}", "{{\n raise_exception(\n'x') }}"]: put(t)
    for n in range(len(lines)): put("\n".join(lines[n:n + 4]))
    for line in ALONE.strip().split("\n"): put(line)
    P.rnd.seed(20251124)
    for _ in range(1100):
        text, ctx = P.case()
        if len(text) > 160: continue
        put(text, {k: v for k, v in ctx.items() if k in text})


main()
