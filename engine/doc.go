// Package engine is the domain of CloudOps Manager: stacks and their
// revisions, runs and their steps, plans, approvals, state, drift findings and
// events, with the rules they keep and the use cases people and programs
// have. It imports the standard library only and does no I/O; everything it
// needs from outside is a small interface that an adapter package implements.
package engine
