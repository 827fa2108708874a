LIB_templates += templates/jvalue.c templates/jdict.c templates/jdata.c templates/jbig.c templates/jtext.c templates/jrepr.c templates/jdump.c templates/jout.c templates/unidata.c
LIB_templates += templates/jlex.c templates/jcursor.c templates/jexpr.c templates/jparse.c templates/jfold.c templates/jsym.c templates/jreads.c templates/jnames.c templates/jresolve.c templates/jidle.c
LIB_templates += templates/jeval.c templates/jexec.c templates/jmacro.c templates/jblock.c templates/jiter.c templates/jattr.c templates/jmethod.c templates/jbind.c templates/jops.c \
                 templates/jstrops.c templates/jstrmeth.c templates/jmarkup.c templates/jtranslate.c templates/jformat.c templates/jpercent.c
LIB_templates += templates/jfilter.c templates/jfilterseq.c templates/jfilterlazy.c templates/jpath.c templates/jfilterhtml.c templates/jurlize.c templates/jhtml.c templates/jwrap.c templates/jtest.c templates/jglobal.c
LIB_templates += templates/template.c
LIB_templates += templates/mask.c
LIB_templates += templates/chat_json.c templates/chat_input.c templates/chat_model.c templates/chat_class.c templates/chat_render.c \
                 templates/chat_spans.c templates/chat_facts.c templates/chat_probe.c templates/chat_find.c templates/chat_edges.c templates/chat_turns.c templates/chat_lint.c templates/chat_setup.c templates/chat_emit.c templates/family.c
TOOLS += templates/chat-template.c templates/mask-completion.c
ROOMS_chat-template   := templates tokenizer
ROOMS_mask-completion := templates tokenizer

# The bundled templates become arrays in a header of the build folder.
TEMPLATE_FAMILY := $(wildcard templates/family/*.jinja)
CFLAGS_family := -I$(B)
$(B)/templates/family_data.h: templates/family/embed $(TEMPLATE_FAMILY)
	@mkdir -p $(@D)
	templates/family/embed $(TEMPLATE_FAMILY) >$@.tmp && mv $@.tmp $@
$(B)/templates/family.o: $(B)/templates/family_data.h
