// Package enginetest holds builders, fakes and real services shared by tests.
package enginetest

import (
	"os"
	"os/exec"
	"testing"
)

// TestAll is the variable that turns every skipped test into a failed one
// when it is "1". CI sets it, so that nothing is left out unnoticed there.
const TestAll = "CLOUDOPS_TEST_ALL"

// Need returns the path of the program tool. Where it is not installed the
// test is skipped, or fails under TestAll, and says how to get it.
func Need(t testing.TB, tool, how string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		Missing(t, tool, how)
	}
	return path
}

// Missing ends a test that cannot run without what: it is skipped, or fails
// under TestAll. How is the command that provides it.
func Missing(t testing.TB, what, how string) {
	t.Helper()
	if os.Getenv(TestAll) == "1" {
		t.Fatalf("%s is missing; to get it: %s", what, how)
	}
	t.Skipf("%s is missing; to get it: %s", what, how)
}
