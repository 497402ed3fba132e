package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine/sandbox"
)

// TestChildIsStartedBeforeWeAreReady counts the packages that are readied before
// a process becomes a child: less than half of the program's, and none of its database,
// pages or clouds.
func TestChildIsStartedBeforeWeAreReady(t *testing.T) {
	name, value, err := sandbox.Spec{Program: "/bin/true"}.Variable()
	if err != nil {
		t.Fatal(err)
	}
	child, whole := readied(t, name+"="+value), readied(t)
	if len(whole) < 300 || len(child) == 0 || len(child) > len(whole)/2 {
		t.Errorf("%d packages are readied before a child, %d in all", len(child), len(whole))
	}
	for _, path := range child {
		for _, heavy := range []string{"gorm.io/", "modernc.org/sqlite", "spf13/cobra", "aws-sdk-go-v2/service/", "terraform-exec"} {
			if strings.Contains(path, heavy) {
				t.Errorf("%s is readied before a child", path)
			}
		}
	}
}

// readied lists the packages that the program readies for its version. Source of
// the lines: inittrace in https://pkg.go.dev/runtime.
func readied(t *testing.T, env ...string) (paths []string) {
	t.Helper()
	cmd := exec.Command("cloudops", "version")
	cmd.Env = append(os.Environ(), append(env, "GODEBUG=inittrace=1")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "init" {
			paths = append(paths, fields[1])
		}
	}
	return paths
}
