#!/usr/bin/env python3
"""Writes regex_tables.h and regex_case_tables.h: the named character classes and the case pairs of the regex engine that Hugging
Face tokenizers 0.23 uses (Oniguruma, Unicode 16), made by asking the library about every scalar value.

Usage: regex_tables.py FOLDER      (needs the `tokenizers` package; FOLDER: where the files go)
"""
import os, sys
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
    White_Space Ideographic Emoji Emoji_Presentation Emoji_Modifier Emoji_Modifier_Base Emoji_Component Extended_Pictographic Cased
    Grapheme_Extend Grapheme_Base Grapheme_Link ID_Start ID_Continue XID_Start XID_Continue Unified_Ideograph Hex_Digit ASCII_Hex_Digit Dash
    Hyphen Quotation_Mark Terminal_Punctuation Sentence_Terminal:STerm Diacritic Extender Math Other_Math Case_Ignorable Join_Control
    Default_Ignorable_Code_Point Variation_Selector Noncharacter_Code_Point Pattern_White_Space Pattern_Syntax Radical Regional_Indicator
    Logical_Order_Exception Bidi_Control Soft_Dotted Deprecated IDS_Binary_Operator IDS_Trinary_Operator Changes_When_Lowercased
    Changes_When_Uppercased Changes_When_Titlecased Changes_When_Casefolded Changes_When_Casemapped Other_Alphabetic Other_Lowercase
    Other_Uppercase Combining_Mark Unknown:Zzzz Cs:Surrogate Qaai""".split()
BLOCKS = """Basic_Latin Latin_1_Supplement Latin_Extended_A Latin_Extended_B IPA_Extensions Spacing_Modifier_Letters Combining_Diacritical_Marks
    Greek_and_Coptic Cyrillic Cyrillic_Supplement Armenian Hebrew Arabic Syriac Arabic_Supplement Thaana NKo Samaritan Mandaic Syriac_Supplement
    Arabic_Extended_A Arabic_Extended_B Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar
    Georgian Hangul_Jamo Ethiopic Ethiopic_Supplement Cherokee Unified_Canadian_Aboriginal_Syllabics Ogham Runic Tagalog Hanunoo Buhid Tagbanwa
    Khmer Mongolian Limbu Tai_Le New_Tai_Lue Khmer_Symbols Buginese Tai_Tham Combining_Diacritical_Marks_Extended Balinese Sundanese Batak Lepcha
    Ol_Chiki Cyrillic_Extended_C Georgian_Extended Vedic_Extensions Phonetic_Extensions Phonetic_Extensions_Supplement
    Combining_Diacritical_Marks_Supplement Latin_Extended_Additional Greek_Extended General_Punctuation Superscripts_and_Subscripts
    Currency_Symbols Combining_Diacritical_Marks_for_Symbols Letterlike_Symbols Number_Forms Arrows Mathematical_Operators Miscellaneous_Technical
    Control_Pictures Optical_Character_Recognition Enclosed_Alphanumerics Box_Drawing Block_Elements Geometric_Shapes Miscellaneous_Symbols
    Dingbats Miscellaneous_Mathematical_Symbols_A Supplemental_Arrows_A Braille_Patterns Supplemental_Arrows_B
    Miscellaneous_Mathematical_Symbols_B Supplemental_Mathematical_Operators Miscellaneous_Symbols_and_Arrows Glagolitic Latin_Extended_C Coptic
    Georgian_Supplement Tifinagh Ethiopic_Extended Cyrillic_Extended_A Supplemental_Punctuation CJK_Radicals_Supplement Kangxi_Radicals
    Ideographic_Description_Characters CJK_Symbols_and_Punctuation Hiragana Katakana Bopomofo Hangul_Compatibility_Jamo Kanbun Bopomofo_Extended
    CJK_Strokes Katakana_Phonetic_Extensions Enclosed_CJK_Letters_and_Months CJK_Compatibility CJK_Unified_Ideographs_Extension_A
    Yijing_Hexagram_Symbols CJK_Unified_Ideographs Yi_Syllables Yi_Radicals Lisu Vai Cyrillic_Extended_B Bamum Modifier_Tone_Letters
    Latin_Extended_D Syloti_Nagri Common_Indic_Number_Forms Phags_pa Saurashtra Devanagari_Extended Kayah_Li Rejang Hangul_Jamo_Extended_A Javanese
    Myanmar_Extended_B Cham Myanmar_Extended_A Tai_Viet Meetei_Mayek_Extensions Ethiopic_Extended_A Latin_Extended_E Cherokee_Supplement
    Meetei_Mayek Hangul_Syllables Hangul_Jamo_Extended_B High_Surrogates Low_Surrogates Private_Use_Area CJK_Compatibility_Ideographs
    Alphabetic_Presentation_Forms Arabic_Presentation_Forms_A Variation_Selectors Vertical_Forms Combining_Half_Marks CJK_Compatibility_Forms
    Small_Form_Variants Arabic_Presentation_Forms_B Halfwidth_and_Fullwidth_Forms Specials Linear_B_Syllabary Linear_B_Ideograms Aegean_Numbers
    Ancient_Greek_Numbers Ancient_Symbols Gothic Deseret Musical_Symbols Byzantine_Musical_Symbols Mathematical_Alphanumeric_Symbols
    Mahjong_Tiles Domino_Tiles Playing_Cards Enclosed_Alphanumeric_Supplement Enclosed_Ideographic_Supplement
    Miscellaneous_Symbols_and_Pictographs Emoticons Ornamental_Dingbats Transport_and_Map_Symbols Alchemical_Symbols Geometric_Shapes_Extended
    Supplemental_Arrows_C Supplemental_Symbols_and_Pictographs Chess_Symbols Symbols_and_Pictographs_Extended_A Symbols_for_Legacy_Computing
    CJK_Unified_Ideographs_Extension_B CJK_Unified_Ideographs_Extension_C CJK_Unified_Ideographs_Extension_D CJK_Unified_Ideographs_Extension_E
    CJK_Unified_Ideographs_Extension_F CJK_Unified_Ideographs_Extension_G CJK_Unified_Ideographs_Extension_H CJK_Unified_Ideographs_Extension_I
    CJK_Compatibility_Ideographs_Supplement Kana_Supplement Kana_Extended_A Kana_Extended_B Small_Kana_Extension Tags
    Variation_Selectors_Supplement Supplementary_Private_Use_Area_A Supplementary_Private_Use_Area_B No_Block""".split()
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
for n in OTHERS: add(rf"\p{{{n.split(':')[0]}}}", *n.split(":"))
for n in BLOCKS: add(rf"\p{{In_{n}}}", "In_" + n)
for s in SCRIPTS: add(rf"\p{{{s.split(':')[0]}}}", *s.split(":"))
# What brackets mean by a name can differ from the property of that name.
for n in "alnum alpha ascii blank cntrl digit graph lower print punct space upper xdigit word".split(): add(f"[:{n}:]", ":" + n)

# Which characters a letter matches without regard to case, one for one.
cased = "".join(chr(c) for a, b in members(r"\p{CWCM}\p{CWCF}\p{CWL}\p{CWU}\p{CWT}") or [] for c in range(a, b + 1))
assert cased
spaced = "\x01".join(cased)
escape = lambda c: f"\\x{{{ord(c):x}}}"
orbit, several = {}, {}
for c in cased:
    find = normalizers.Replace(Regex("(?i:" + escape(c) + ")"), "\x02")
    same = [x for x, y in zip(cased, find.normalize_str(spaced).split("\x01")) if y == "\x02"]
    if len(same) > 1 or same != [c]:
        orbit[c] = same
    # A letter that also matches several ("ß" and "ss").
    folded = c.casefold()
    if len(folded) > 1 and find.normalize_str(folded) == "\x02":
        several[c] = folded

out = None
def emit(decl, values, per="{}"):
    print(f"{decl} = {{", file=out)
    line = ""
    for v in values:
        s = per.format(*v) + "," if isinstance(v, tuple) else f"{v},"
        if len(line) + len(s) > 118:
            print(line, file=out); line = ""
        line += s
    print(line + "};", file=out)

def begin(name):
    global out
    out = open(os.path.join(sys.argv[1], name), "w")
    print("/* Made by regex_tables.py; facts of the Unicode Character Database (Unicode, Inc.). */", file=out)
    print("#include <stdint.h>\n", file=out)

# Most of the large sets are categories and a few characters more or less: a set is written as the categories of which it
# has more than half, and the ranges in which it differs from these. Ranges toggle: where two sets are laid over each other
# by their ends, what both have is gone.
parts = [k for k in dict.fromkeys(names[plain(c)] for c in CATEGORIES if len(c) == 2 and c != "LC")]
listed = list(sets)
size = lambda r: sum(b - a + 1 for a, b in r)

def common(x, y):
    n = i = j = 0
    while i < len(x) and j < len(y):
        n += max(0, min(x[i][1], y[j][1]) - max(x[i][0], y[j][0]) + 1)
        if x[i][1] < y[j][1]: i += 1
        else: j += 1
    return n

def toggled(*over):
    ends = {}
    for r in over:
        for a, b in r:
            for e in (a, b + 1): ends[e] = not ends.get(e, False)
    ends = sorted(e for e, odd in ends.items() if odd)
    return tuple((a, b - 1) for a, b in zip(ends[::2], ends[1::2]))

flat, at, made_of = [], [], []
for k, r in enumerate(listed):
    mask, rest = 0, r
    if k not in parts:
        most = [i for i, c in enumerate(parts) if 2 * common(r, listed[c]) > size(listed[c])]
        shorter = toggled(r, *(listed[parts[i]] for i in most))
        if len(shorter) < len(r):
            mask, rest = sum(1 << i for i in most), shorter
    assert toggled(rest, *(listed[c] for i, c in enumerate(parts) if mask >> i & 1)) == toggled(r)
    at.append(len(flat) // 2)
    made_of.append(mask)
    for a, b in rest: flat += [a, b]
at.append(len(flat) // 2)

begin("regex_tables.h")
emit(f"static const uint32_t rx_ranges[{len(flat)}]", flat)
emit(f"static const uint16_t rx_set_at[{len(at)}]", at)
emit(f"static const uint16_t rx_category[{len(parts)}]", parts)
emit(f"static const uint32_t rx_made_of[{len(made_of)}]", made_of)
print("static const struct { const char *name; uint16_t set; } rx_names[] = {", file=out)
line = ""
for n, k in sorted(names.items()):
    s = '{"' + n.replace("\\", "\\\\") + f'",{k}}},'
    if len(line) + len(s) > 118:
        print(line, file=out); line = ""
    line += s
print(line + "};", file=out)

begin("regex_case_tables.h")
both = sorted((ord(a), ord(b)) for a, s in orbit.items() for b in s if a != b)
emit(f"static const struct {{ uint32_t a, b; }} rx_case[{len(both)}]", both, "{{{},{}}}")
emit(f"static const struct {{ uint32_t letter, to[3]; }} rx_several[{len(several)}]",
     sorted((ord(c), *map(ord, f), *[0] * (3 - len(f))) for c, f in several.items()), "{{{},{{{},{},{}}}}}")
