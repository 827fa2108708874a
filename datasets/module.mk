# The demo: the main job end to end, on data that is made here.
demo:
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@B='$(abspath $(B))' datasets/questions/demo '$(abspath $(B))/demo'
.PHONY: demo
