//go:build !linux

package sandbox

// removed is not known here.
func removed([]string) int64 { return 0 }

// listening is not known here.
func listening(int) int { return 0 }
