#!/usr/bin/env python3
"""Writes regex_tables.h: the named character classes and the case pairs of the regex engine that Hugging Face tokenizers 0.23 uses
(Oniguruma, Unicode 16), made by asking the library about every scalar value.

Usage: regex_tables.py >regex_tables.h      (needs the `tokenizers` package)
"""
from tokenizers import Regex, normalizers

scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
everything = "".join(map(chr, scalars))

def members(inside):
    """The characters that [inside] matches, as ranges; None when the engine does not know the name."""
    try:
        left = normalizers.Replace(Regex("[^" + inside + "]+"), "").normalize_str(everything)
    except Exception:
        return None
    out, wanted = [], set(map(ord, left))
    for c in scalars:
        if c in wanted:
            if out and out[-1][1] == c - 1:
                out[-1][1] = c
            else:
                out.append([c, c])
    return out

CATEGORIES = {"C": "Other", "Cc": "Control", "Cf": "Format", "Cn": "Unassigned", "Co": "Private_Use", "L": "Letter", "LC": "Cased_Letter",
    "Ll": "Lowercase_Letter", "Lm": "Modifier_Letter", "Lo": "Other_Letter", "Lt": "Titlecase_Letter", "Lu": "Uppercase_Letter", "M": "Mark",
    "Mc": "Spacing_Mark", "Me": "Enclosing_Mark", "Mn": "Nonspacing_Mark", "N": "Number", "Nd": "Decimal_Number", "Nl": "Letter_Number",
    "No": "Other_Number", "P": "Punctuation", "Pc": "Connector_Punctuation", "Pd": "Dash_Punctuation", "Pe": "Close_Punctuation",
    "Pf": "Final_Punctuation", "Pi": "Initial_Punctuation", "Po": "Other_Punctuation", "Ps": "Open_Punctuation", "S": "Symbol",
    "Sc": "Currency_Symbol", "Sk": "Modifier_Symbol", "Sm": "Math_Symbol", "So": "Other_Symbol", "Z": "Separator", "Zl": "Line_Separator",
    "Zp": "Paragraph_Separator", "Zs": "Space_Separator"}
OTHERS = """Alnum Alpha Blank Cntrl Digit Graph Lower Print Punct Space Upper XDigit Word ASCII Any Assigned Alphabetic Lowercase Uppercase
    White_Space Ideographic Emoji Emoji_Presentation Emoji_Modifier Emoji_Modifier_Base Emoji_Component Extended_Pictographic Cased""".split()
SCRIPTS = """Adlam:Adlm Ahom Anatolian_Hieroglyphs:Hluw Arabic:Arab Armenian:Armn Avestan:Avst Balinese:Bali Bamum:Bamu Bassa_Vah:Bass Batak:Batk
    Bengali:Beng Bhaiksuki:Bhks Bopomofo:Bopo Brahmi:Brah Braille:Brai Buginese:Bugi Buhid:Buhd Canadian_Aboriginal:Cans Carian:Cari
    Caucasian_Albanian:Aghb Chakma:Cakm Cham Cherokee:Cher Chorasmian:Chrs Common:Zyyy Coptic:Copt Cuneiform:Xsux Cypriot:Cprt Cypro_Minoan:Cpmn
    Cyrillic:Cyrl Deseret:Dsrt Devanagari:Deva Dives_Akuru:Diak Dogra:Dogr Duployan:Dupl Egyptian_Hieroglyphs:Egyp Elbasan:Elba Elymaic:Elym
    Ethiopic:Ethi Georgian:Geor Glagolitic:Glag Gothic:Goth Grantha:Gran Greek:Grek Gujarati:Gujr Gunjala_Gondi:Gong Gurmukhi:Guru Han:Hani
    Hangul:Hang Hanifi_Rohingya:Rohg Hanunoo:Hano Hatran:Hatr Hebrew:Hebr Hiragana:Hira Imperial_Aramaic:Armi Inherited:Zinh
    Inscriptional_Pahlavi:Phli Inscriptional_Parthian:Prti Javanese:Java Kaithi:Kthi Kannada:Knda Katakana:Kana Kayah_Li:Kali Kawi Kharoshthi:Khar
    Khitan_Small_Script:Kits Khmer:Khmr Khojki:Khoj Khudawadi:Sind Lao:Laoo Latin:Latn Lepcha:Lepc Limbu:Limb Linear_A:Lina Linear_B:Linb Lisu
    Lycian:Lyci Lydian:Lydi Mahajani:Mahj Makasar:Maka Malayalam:Mlym Mandaic:Mand Manichaean:Mani Marchen:Marc Masaram_Gondi:Gonm
    Medefaidrin:Medf Meetei_Mayek:Mtei Mende_Kikakui:Mend Meroitic_Cursive:Merc Meroitic_Hieroglyphs:Mero Miao:Plrd Modi Mongolian:Mong Mro:Mroo
    Multani:Mult Myanmar:Mymr Nabataean:Nbat Nag_Mundari:Nagm Nandinagari:Nand New_Tai_Lue:Talu Newa Nko:Nkoo Nushu:Nshu
    Nyiakeng_Puachue_Hmong:Hmnp Ogham:Ogam Ol_Chiki:Olck Old_Hungarian:Hung Old_Italic:Ital Old_North_Arabian:Narb Old_Permic:Perm Old_Persian:Xpeo
    Old_Sogdian:Sogo Old_South_Arabian:Sarb Old_Turkic:Orkh Old_Uyghur:Ougr Oriya:Orya Osage:Osge Osmanya:Osma Pahawh_Hmong:Hmng Palmyrene:Palm
    Pau_Cin_Hau:Pauc Phags_Pa:Phag Phoenician:Phnx Psalter_Pahlavi:Phlp Rejang:Rjng Runic:Runr Samaritan:Samr Saurashtra:Saur Sharada:Shrd
    Shavian:Shaw Siddham:Sidd SignWriting:Sgnw Sinhala:Sinh Sogdian:Sogd Sora_Sompeng:Sora Soyombo:Soyo Sundanese:Sund Syloti_Nagri:Sylo
    Syriac:Syrc Tagalog:Tglg Tagbanwa:Tagb Tai_Le:Tale Tai_Tham:Lana Tai_Viet:Tavt Takri:Takr Tamil:Taml Tangsa:Tnsa Tangut:Tang Telugu:Telu
    Thaana:Thaa Thai Tibetan:Tibt Tifinagh:Tfng Tirhuta:Tirh Toto Ugaritic:Ugar Vai:Vaii Vithkuqi:Vith Wancho:Wcho Warang_Citi:Wara Yezidi:Yezi
    Yi:Yiii Zanabazar_Square:Zanb""".split()

plain = lambda s: s.lower().replace("_", "").replace(" ", "").replace("-", "")
sets, names = {}, {}  # ranges -> number, name -> number
def add(ask, *called):
    r = members(ask)
    if r is None:
        return
    k = sets.setdefault(tuple(map(tuple, r)), len(sets))
    for n in called:
        names.setdefault(plain(n), k)

add(r"\s", "\\s"); add(r"\d", "\\d"); add(r"\w", "\\w"); add(r"\h", "\\h")
for a, b in CATEGORIES.items(): add(rf"\p{{{a}}}", a, b)
for n in OTHERS: add(rf"\p{{{n}}}", n)
for s in SCRIPTS: add(rf"\p{{{s.split(':')[0]}}}", *s.split(":"))
# What brackets mean by a name can differ from the property of that name.
for n in "alnum alpha ascii blank cntrl digit graph lower print punct space upper xdigit word".split(): add(f"[:{n}:]", ":" + n)

# Which characters a letter matches without regard to case, one for one.
cased = "".join(chr(c) for a, b in members(r"\p{CWCM}\p{CWCF}\p{CWL}\p{CWU}\p{CWT}") or [] for c in range(a, b + 1))
assert cased
spaced = "\x01".join(cased)
escape = lambda c: f"\\x{{{ord(c):x}}}"
orbit, several = {}, set()
for c in cased:
    find = normalizers.Replace(Regex("(?i:" + escape(c) + ")"), "\x02")
    same = [x for x, y in zip(cased, find.normalize_str(spaced).split("\x01")) if y == "\x02"]
    if len(same) > 1 or same != [c]:
        orbit[c] = same
    # A letter that also matches several ("ß" and "ss").
    folded = c.casefold()
    if len(folded) > 1 and find.normalize_str(folded) == "\x02":
        several.add(c)
# Pairs of letters with which a sequence that one letter matches begins.
pairs = sorted({(ord(c.casefold()[0]), ord(c.casefold()[1])) for c in cased if len(c.casefold()) > 1})

def emit(decl, values, per="{}"):
    print(f"{decl} = {{")
    line = ""
    for v in values:
        s = per.format(*v) + "," if isinstance(v, tuple) else f"{v},"
        if len(line) + len(s) > 118:
            print(line); line = ""
        line += s
    print(line + "};")

print("/* Made by regex_tables.py; facts of the Unicode Character Database (Unicode, Inc.). */")
print("#include <stdint.h>\n")
flat, at = [], []
for r in sets:
    at.append(len(flat) // 2)
    for a, b in r: flat += [a, b]
at.append(len(flat) // 2)
emit(f"static const uint32_t rx_ranges[{len(flat)}]", flat)
emit(f"static const uint16_t rx_set_at[{len(at)}]", at)
print("static const struct { const char *name; uint16_t set; } rx_names[] = {")
line = ""
for n, k in sorted(names.items()):
    s = '{"' + n.replace("\\", "\\\\") + f'",{k}}},'
    if len(line) + len(s) > 118:
        print(line); line = ""
    line += s
print(line + "};")
both = sorted((ord(a), ord(b)) for a, s in orbit.items() for b in s if a != b)
emit(f"static const struct {{ uint32_t a, b; }} rx_case[{len(both)}]", both, "{{{},{}}}")
emit(f"static const uint32_t rx_several[{len(several)}]", sorted(map(ord, several)))
emit(f"static const struct {{ uint32_t a, b; }} rx_several_from[{len(pairs)}]", pairs, "{{{},{}}}")
