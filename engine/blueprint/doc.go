// Package blueprint reads stacks: it turns HCL into what the engine has to know
// of a stack, says every mistake in it with its place, and evaluates the
// expressions of a component when a step needs their values.
//
// A stack comes as a bundle, a tar.gz of its folder. The bundle is never
// unpacked to disk here, and its files are never executed.
package blueprint
