package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cloudops-manager/cloudops/"

// mayImport is the architecture: which of our packages each may import, and
// which outside modules. A package that is not listed fails.
var mayImport = map[string][]string{
	"engine":                {},
	"engine/ansible":        {"engine", "engine/sandbox", "github.com/apenella/go-ansible/v2", "golang.org/x/sys"},
	"engine/blueprint":      {"engine", "engine/egress", "github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty", "github.com/zclconf/go-cty-yaml", "github.com/robfig/cron/v3", "github.com/agext/levenshtein", "github.com/hashicorp/go-version"},
	"engine/issuer":         {"engine", "github.com/go-jose/go-jose/v4"},
	"engine/certs":          {"engine", "golang.org/x/crypto"},
	"engine/egress":         {"engine"},
	"engine/enginetest":     {"engine", "golang.org/x/sys", "github.com/chromedp/chromedp", "github.com/jackc/pgx/v5", "github.com/redis/go-redis/v9"},
	"engine/enginetest/idp": {"github.com/zitadel/oidc/v3", "github.com/go-jose/go-jose/v4"},
	"engine/oidc":           {"engine", "github.com/coreos/go-oidc/v3", "golang.org/x/oauth2"},
	"engine/rest":           {},
	"engine/amazon":         {"engine/rest", "github.com/aws/aws-sdk-go-v2"},
	"engine/hashivault":     {"engine/rest"},
	"engine/kms":            {"engine", "engine/rest", "engine/amazon", "engine/hashivault", "golang.org/x/oauth2"},
	"engine/runner":         {"engine"},
	"engine/secrets":        {"engine", "engine/rest", "engine/amazon", "engine/hashivault"},
	"engine/sandbox":        {"engine/sandbox/shim", "golang.org/x/sys", "github.com/fsnotify/fsnotify"},
	"engine/sandbox/shim":   {"github.com/landlock-lsm/go-landlock", "golang.org/x/sys", "golang.org/x/net"},
	"engine/siem":           {"engine", "github.com/cloudevents/sdk-go/v2", "github.com/leodido/go-syslog/v4", "github.com/aws/aws-sdk-go-v2"},
	"engine/store":          {"engine", "gorm.io", "github.com/pressly/goose/v3", "modernc.org/sqlite", "github.com/jackc/pgx/v5"},
	"engine/terraform":      {"engine", "engine/sandbox", "github.com/hashicorp/terraform-exec", "github.com/hashicorp/terraform-json", "github.com/hashicorp/hc-install", "github.com/hashicorp/go-version", "golang.org/x/sys"},
	"engine/vault":          {"engine", "github.com/tink-crypto/tink-go/v2", "golang.org/x/crypto"},
	"api":                   {"engine", "api/client", "github.com/gin-gonic/gin", "github.com/danielgtaylor/huma/v2"},
	"api/client":            {"engine"},
	"api/web":               {"engine", "github.com/gin-gonic/gin", "github.com/a-h/templ"},
	"workers":               {"engine", "github.com/hibiken/asynq", "github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2", "github.com/robfig/cron/v3"},
	"modules":               {},
	"playbooks":             {},
	"bench":                 {"*"},
	"chaos":                 {},
	"cmd/cloudops":          {"*"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		checkImports(t, strings.TrimPrefix(p.ImportPath, module), p.Imports)
	}
}

func checkImports(t *testing.T, name string, imports []string) {
	allowed, listed := mayImport[name]
	if !listed {
		t.Errorf("%s: say in mayImport what it may import", name)
	}
	for _, imp := range imports {
		imp = strings.TrimPrefix(imp, module)
		ok := func(a string) bool {
			return a == "*" || imp == a || strings.HasPrefix(imp, a+"/") && !isOurs(imp)
		}
		if !isStandard(imp) && !slices.ContainsFunc(allowed, ok) {
			t.Errorf("%s imports %s, which it may not", name, imp)
		}
	}
}

func isStandard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".") && !isOurs(imp)
}

func isOurs(imp string) bool { _, ok := mayImport[imp]; return ok }
