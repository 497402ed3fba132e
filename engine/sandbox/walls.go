package sandbox

import "fmt"

// The versions of Landlock's interface that walls need. Ours take all of
// landlockWhole; with landlockPart a file outside can still be cut short; before
// that none can be built, since Terraform could not move files within them.
// Source: https://docs.kernel.org/userspace-api/landlock.html.
const (
	landlockPart  = 2 // Linux 5.19
	landlockWhole = 3 // Linux 6.2
)

// Check says, for a log, what the walls of the mode hold on this machine. The error is
// for a mode that there is not, and for walls that are required and cannot be had.
func Check(mode Mode) (holds string, err error) { return check(mode, landlockVersion()) }

func check(mode Mode, version int) (holds string, err error) {
	switch {
	case mode != "" && mode != Off && mode != Auto && mode != Require:
		return "", fmt.Errorf("there is no mode %q; it is off, auto or require", mode)
	case mode == "" || mode == Off:
		return "nothing", nil
	case version >= landlockWhole:
		return "files", nil
	case mode == Require:
		return "", fmt.Errorf("walls are required, and this system has %s where Landlock %d is needed, as in Linux 6.2; use auto for what can be had, or off", spoken(version), landlockWhole)
	case version >= landlockPart:
		return "files, but for cutting them short", nil
	}
	return "nothing: this system has " + spoken(version), nil
}

func spoken(version int) string {
	if version == 0 {
		return "no Landlock"
	}
	return fmt.Sprintf("Landlock %d", version)
}
