package modules_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/cloudops-manager/cloudops/engine/enginetest"
	"github.com/cloudops-manager/cloudops/modules"
)

const getTerraform = "see https://developer.hashicorp.com/terraform/install"

func TestTerraformFilesAreFormatted(t *testing.T) {
	exe := enginetest.Need(t, "terraform", getTerraform)
	for _, dir := range []string{".", filepath.Join("..", "examples")} {
		out, err := exec.Command(exe, "fmt", "-check", "-recursive", "-diff", dir).CombinedOutput()
		if err != nil {
			t.Errorf("terraform fmt would change (%v):\n%s", err, out)
		}
	}
}

// TestModules runs each module's own tests: those of AWS modules against a
// fake AWS, those of local modules for real, and those of others with a mock of
// their provider where a mirror has that. The schemas stand in for it otherwise.
func TestModules(t *testing.T) {
	for _, name := range modules.Names() {
		if !available(t, path.Dir(name)) {
			t.Logf("%s: no mirror has the provider; see TestModulesFitTheSchemasOfTheirProviders", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tf := newTerraform(t, path.Dir(name))
			if err := os.CopyFS(tf.dir, os.DirFS(name)); err != nil {
				t.Fatal(err)
			}

			tf.run(t, "init", "-backend=false")
			tf.run(t, "validate")
			tf.run(t, "test")
		})
	}
}

// available reports whether the cloud's provider can be had.
func available(t *testing.T, cloud string) bool {
	t.Helper()
	provider := map[string]string{"azure": "azurerm", "gcp": "google"}[cloud]
	if provider == "" {
		return true
	}
	_, err := os.Stat(filepath.Join(enginetest.NeedProviderMirror(t), "registry.terraform.io", "hashicorp", provider))
	return err == nil
}

// forgotten is what the fake AWS doesn't give back as AWS would: the source of a
// parameter, without which the provider takes it for a default, and the networks
// of a zone that is private because it was made with one.
var forgotten = []string{
	"module.database.aws_db_parameter_group.this: parameter",
	"module.internal.aws_route53_zone.this: vpc",
}

func TestAWSModulesJoinedChangeNothingASecondTime(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t, "aws")
	for from, to := range map[string]string{"testdata/aws-all": ".", "aws": "aws", "../examples/aws-web/web": "web"} {
		if err := os.CopyFS(filepath.Join(tf.dir, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}

	tf.run(t, "init")
	tf.run(t, "apply", "-auto-approve")
	tf.run(t, "plan", "-out=second")
	for _, changed := range tf.changes(t, "second") {
		if !slices.Contains(forgotten, changed) {
			t.Errorf("a second plan changes %s", changed)
		}
	}
	tf.run(t, "destroy", "-auto-approve")

	if left := tf.run(t, "state", "list"); left != "" {
		t.Errorf("destroy left:\n%s", left)
	}
}

// terraform runs commands in a folder of their own.
type terraform struct {
	exe, dir string
	env      []string
}

// newTerraform makes ready to run modules of the cloud, which is empty except
// for what the test puts there.
func newTerraform(t *testing.T, cloud string) *terraform {
	t.Helper()
	tf := &terraform{exe: enginetest.Need(t, "terraform", getTerraform), dir: t.TempDir()}
	if cloud == "aws" {
		enginetest.NeedProviderMirror(t)
		tf.env = enginetest.Moto(t).Env()
	}
	tf.env = append(tf.env, "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(),
		"TF_CLI_CONFIG_FILE="+enginetest.TerraformCLIConfig(t), "GOGC=400")
	return tf
}

// run returns what a command prints on stdout and fails the test with all it
// said where it fails.
func (tf *terraform) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tf.exe, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// changes returns what a saved plan would change, as "address: attribute", or
// as "address: action" for what it would make or take down.
func (tf *terraform) changes(t *testing.T, plan string) []string {
	t.Helper()
	var p tfjson.Plan
	if err := json.Unmarshal([]byte(tf.run(t, "show", "-json", plan)), &p); err != nil {
		t.Fatal(err)
	}

	var found []string
	for _, r := range p.ResourceChanges {
		switch {
		case r.Change.Actions.NoOp():
		case r.Change.Actions.Update():
			before, after := r.Change.Before.(map[string]any), r.Change.After.(map[string]any)
			for name := range after {
				if !reflect.DeepEqual(before[name], after[name]) {
					found = append(found, r.Address+": "+name)
				}
			}
		default:
			found = append(found, fmt.Sprintf("%s: %s", r.Address, r.Change.Actions))
		}
	}
	return found
}
