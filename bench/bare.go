package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// cost is what something took: wall and CPU seconds.
type cost struct{ wall, cpu float64 }

// costs are those of several rounds.
type costs struct{ wall, cpu []float64 }

func (c *costs) add(one cost) { c.wall, c.cpu = append(c.wall, one.wall), append(c.cpu, one.cpu) }

// bare runs terraform commands in dir, one after the other.
func bare(dir string, env []string, commands ...[]string) (cost, error) {
	var sum cost
	for _, args := range commands {
		var out bytes.Buffer
		cmd := exec.Command("terraform", args...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &out
		began := time.Now()
		err := cmd.Run()
		if err != nil && cmd.ProcessState.ExitCode() != 2 { // 2: changes, with -detailed-exitcode
			return sum, fmt.Errorf("terraform %v: %w\n%s", args, err, out.Bytes())
		}
		sum.wall += time.Since(began).Seconds()
		sum.cpu += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	}
	return sum, nil
}

// cycle is the four commands that a run replaces.
func cycle(vars ...string) [][]string {
	plan := []string{"plan", "-input=false", "-out=plan.bin"}
	for _, v := range vars {
		plan = append(plan, "-var="+v)
	}
	return [][]string{{"init", "-input=false"}, plan, {"show", "-json", "plan.bin"}, {"apply", "-input=false", "plan.bin"}}
}

// bareEnv is the environment of bare commands: quiet, with the CLI
// configuration that the server's runs have the like of.
func (b *bench) bareEnv(extra ...string) ([]string, error) {
	config := filepath.Join(b.dir, "terraform.rc")
	text := "disable_checkpoint = true\n"
	if mirror := providerMirror(); mirror != "" {
		text += fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	}
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TF_CLI_CONFIG_FILE=" + config, "TF_IN_AUTOMATION=1"}, extra...), nil
}

// folder writes files into a new folder.
func (b *bench) folder(name string, files map[string]string) (string, error) {
	dir := filepath.Join(b.dir, name)
	for path, text := range files {
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}
