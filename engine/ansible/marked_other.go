//go:build !linux

package ansible

// marked lists nothing: this system does not tell other processes'
// environments, and the signals to the group have to do.
func marked(string) []int { return nil }
