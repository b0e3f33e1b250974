"""Makes the fonts in this folder from Latin Modern and TeX Gyre Heros (see README.md).

usage: python subset.py FOLDER_WITH_THE_OTF_FILES OUTPUT_FOLDER      (needs: pip install fonttools)
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

LATIN = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2016), *range(0x2018, 0x201F),
         0x2020, 0x2021, 0x2022, 0x2026, 0x2030, 0x2039, 0x203A, 0x2190, 0x2192, 0x2212]
GREEK = [*range(0x391, 0x3AA), *range(0x3B1, 0x3CA), 0x3D1, 0x3D5, 0x3F1, 0x3F5]
SYMBOLS = [0xB1, 0xB7, 0xD7, 0x2032, 0x2113, 0x2190, 0x2192, 0x2202, 0x2206, 0x2207, 0x2208, 0x2211, 0x2212, 0x221A,
           0x221E, 0x2225, 0x2248, 0x2260, 0x2264, 0x2265, 0x27E8, 0x27E9]
# Latin Modern Math has italic Greek at U+1D6FC…; figures always want small Greek letters italic.
ITALIC = {0x3B1 + i: 0x1D6FC + i for i in range(25)} | {0x3F5: 0x1D716, 0x3D1: 0x1D717, 0x3D5: 0x1D719, 0x3F1: 0x1D71A}

FONTS = [  # file, new file, family, style, characters, remapping
    ("lmroman10-regular.otf", "serif-regular.otf", "Basin Serif", "Regular", LATIN, {}),
    ("lmroman10-bold.otf", "serif-bold.otf", "Basin Serif", "Bold", LATIN, {}),
    ("lmroman10-italic.otf", "serif-italic.otf", "Basin Serif", "Italic", LATIN, {}),
    ("latinmodern-math.otf", "serif-math.otf", "Basin Math", "Regular", GREEK + SYMBOLS, ITALIC),
    ("texgyreheros-regular.otf", "sans-regular.otf", "Basin Sans", "Regular", LATIN + GREEK + SYMBOLS, {}),
    ("texgyreheros-bold.otf", "sans-bold.otf", "Basin Sans", "Bold", LATIN + GREEK + SYMBOLS, {}),
    ("texgyreheros-italic.otf", "sans-italic.otf", "Basin Sans", "Italic", LATIN + GREEK + SYMBOLS, {}),
]


def remap(font, table):
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            for target, source in table.items():
                if source in cmap.cmap:
                    cmap.cmap[target] = cmap.cmap[source]


def rename(font, family, style):
    postscript = f"{family.replace(' ', '')}-{style}"
    names = {1: family, 2: style, 3: postscript, 4: f"{family} {style}", 6: postscript}
    table = font["name"]
    table.names = [n for n in table.names if n.nameID in (0, 13, 14)]
    for number, text in names.items():
        table.setName(text, number, 3, 1, 0x409)
    font["CFF "].cff.fontNames = [postscript]
    top = font["CFF "].cff.topDictIndex[0]
    top.FullName, top.FamilyName = f"{family} {style}", family


for source, target, family, style, characters, remapping in FONTS:
    font = TTFont(next(Path(sys.argv[1]).rglob(source)))
    best = font.getBestCmap()
    remap(font, {k: v for k, v in remapping.items() if v in best})
    options = subset.Options(layout_features=["kern", "liga"], hinting=False, desubroutinize=False, notdef_outline=True,
                             name_IDs=["*"], drop_tables=["MATH", "GDEF", "DSIG"])
    worker = subset.Subsetter(options)
    worker.populate(unicodes=characters)
    worker.subset(font)
    rename(font, family, style)
    font.save(Path(sys.argv[2]) / target)
