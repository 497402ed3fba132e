//go:build !linux

package enginetest

// Attack does nothing: only Linux has walls to attack.
func Attack() {}
