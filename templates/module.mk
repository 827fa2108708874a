LIB_templates += templates/jvalue.c templates/jbig.c templates/jtext.c templates/jrepr.c templates/jout.c templates/unidata.c
LIB_templates += templates/jlex.c templates/jparse.c templates/jfold.c templates/jresolve.c
LIB_templates += templates/jeval.c templates/jexec.c templates/jiter.c templates/jattr.c templates/jbind.c templates/jops.c \
                 templates/jstrmeth.c templates/jformat.c templates/jpercent.c
LIB_templates += templates/jfilter.c templates/jfilterseq.c templates/jfilterhtml.c templates/jtest.c templates/jglobal.c
LIB_templates += templates/template.c
LIB_templates += templates/mask.c
TOOLS += templates/mask-completion.c
ROOMS_mask-completion := templates tokenizer
