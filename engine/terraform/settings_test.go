package terraform

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestProviderSettings(t *testing.T) {
	tests := map[string]struct {
		settings engine.ProviderSettings
		want     string
	}{
		"tags as aws takes them": {
			engine.ProviderSettings{Name: "aws", Settings: map[string]json.RawMessage{"region": json.RawMessage(`"eu-west-1"`)}, DefaultTags: map[string]string{"a": "b"}},
			`{"default_tags":{"tags":{"a":"b"}},"region":"eu-west-1"}`},
		"labels as google takes them": {
			engine.ProviderSettings{Name: "google", DefaultTags: map[string]string{"a": "b"}}, `{"default_labels":{"a":"b"}}`},
		"azurerm has neither": {
			engine.ProviderSettings{Name: "azurerm", DefaultTags: map[string]string{"a": "b"}}, `{}`},
		"texts are no templates": {
			engine.ProviderSettings{Name: "aws", Settings: map[string]json.RawMessage{"x": json.RawMessage(`{"l":["${file(\"/etc/passwd\")}","100%{"]}`)}, DefaultTags: map[string]string{"a": "${b}"}},
			`{"default_tags":{"tags":{"a":"$${b}"}},"x":{"l":["$${file(\"/etc/passwd\")}","100%%{"]}}`},
		"large numbers stay as they are": {
			engine.ProviderSettings{Name: "x", Settings: map[string]json.RawMessage{"account": json.RawMessage(`12345678901234567890`)}}, `{"account":12345678901234567890}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			block, err := providerBlock(tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(mustJSON(t, block)); got != tt.want {
				t.Errorf("block = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOverrideFileOfTheUserDoesNotMoveTheState(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.tfstate")
	for _, name := range []string{"override.tf", "zz_override.tf"} {
		w := newWorld(t, map[string]string{"x/main.tf": note, "x/" + name: `terraform {
  backend "local" { path = "` + elsewhere + `" }
}
`})
		w.job.Terraform.Inputs["text"] = json.RawMessage(`"one"`)
		w.apply(t, w.plan(t))
		if _, err := os.Stat(elsewhere); err == nil || !bytes.Contains(w.backend.state, []byte("terraform_data")) {
			t.Errorf("%s: %d bytes of state in our backend, error %v", name, len(w.backend.state), err)
		}
	}
}

func TestOverrideFileThatWouldCountAfterOursIsRefused(t *testing.T) {
	w := newWorld(t, map[string]string{"x/main.tf": note, "x/ä_override.tf": ""})
	if _, err := w.driver.Plan(t.Context(), w.job, w.bundle, io.Discard); err == nil || !strings.Contains(err.Error(), "ä_override.tf stands behind") {
		t.Errorf("error = %v", err)
	}
}
