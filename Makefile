# The project's habits; each is a script or one command, so that both can be read and run alone.

.PHONY: setup build test test-cluster bench sanitize soak lint docs demo clean

setup:  ## Install what a build needs
	scripts/setup

build: setup  ## Build everything, debug
	swift build

test:  ## All tests against real services; ARGS='--filter ModelTests' for some
	scripts/test $(ARGS)

test-cluster:  ## Of the tests those against a real Kubernetes cluster, which the first run on a machine builds (6 to 9 minutes)
	scripts/test --cluster

bench:  ## How fast it is, against the engine's own speed; ARGS='--write' or ARGS='cold crash' for some rows
	scripts/bench $(ARGS)

sanitize:  ## Tests without services under the address and thread sanitizers; ARGS='thread LogsTests' for some
	scripts/sanitize $(ARGS)

soak:  ## The long tests: hours; ARGS='--minutes 3 --only flatness' for a try
	scripts/soak $(ARGS)

lint:  ## Style of scripts and sources
	scripts/lint

docs:  ## The modules' documentation, without warnings
	scripts/docs

demo:  ## Run the example bots
	scripts/demo $(ARGS)

clean:  ## Remove what builds made
	rm -rf .build
