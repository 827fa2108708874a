# The map of the room: every idea, and its files. NAME.h is the manual of NAME.c; j is Jinja.

# The engine (template.h), text to tree: tokens, the parser, constants folded, names resolved to slots (jsym.h), loops that
# do nothing.
LIB_templates += $(addprefix templates/,template.c jlex.c jcursor.c jexpr.c jparse.c jfold.c jsym.c jreads.c jnames.c jresolve.c jidle.c)

# A tree run: statements, expressions, operators, attributes, calls.
LIB_templates += $(addprefix templates/,jexec.c jmacro.c jblock.c jeval.c jops.c jattr.c jmethod.c jbind.c jglobal.c)

# Values as Python has them: made and compared, dicts, large integers, iteration, out of JSON, into JSON, repr.
LIB_templates += $(addprefix templates/,jvalue.c jdict.c jbig.c jiter.c jdata.c jdump.c jrepr.c)

# Strings with the origin of each byte, what is printed, the methods of str and Markup, formatting.
LIB_templates += $(addprefix templates/,jtext.c jout.c jstrops.c jstrmeth.c jmarkup.c jtranslate.c jformat.c jformatspec.c jpercent.c unidata.c)

# Filters and tests.
LIB_templates += $(addprefix templates/,jfilter.c jfilterseq.c jfilterlazy.c jpath.c jfilterhtml.c jurlize.c jhtml.c jwrap.c jtest.c)

# chat-template: what a model folder says, records to conversations, rendering, spans.
LIB_templates += $(addprefix templates/,chat_setup.c chat_model.c chat_class.c family.c chat_json.c chat_input.c chat_input_trl.c chat_input_sharegpt.c chat_input_alpaca.c chat_render.c chat_emit.c chat_spans.c \
    chat_lint.c)

# What is learnt of a chat: turns found by provenance, by rendering chats like it, by how the template draws them.
LIB_templates += $(addprefix templates/,chat_turns.c chat_plan.c chat_find.c chat_probe.c chat_special.c chat_edges.c chat_facts.c)

# mask-completion.
LIB_templates += $(addprefix templates/,mask.c)

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
