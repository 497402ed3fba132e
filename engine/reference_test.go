package engine

import (
	"errors"
	"strings"
	"testing"
)

func TestReferencesAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"aws-sm://prod/db?key=password&region=eu-west-1":                                "",
		"aws-sm://arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf?key=x": "",
		"aws-ssm:///prod/token":       "",
		"vault://kv/payments/db#user": "",
		"env://STACK_DB":              "",
		"file:///etc/passwd":          "none of them",
		"hunter2":                     "this names none of them",
		"env://":                      "names no place",
		"env://A B":                   "names no place",
		"vault://kv/db":               "names no place",
		"vault://kv#user":             "names no place",
		"vault://kv/../sys/x#user":    "names no place",
		"vault://kv/%2e%2e/x#user":    "names no place",
		"env://A#b":                   "names no place",
		"aws-sm://db?password=x":      `no setting "password"`,
	} {
		_, err := ParseReference(text)
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("what may be a secret is repeated: %v", err)
		}
	}
}

func TestReferenceIsWrittenAsInAStack(t *testing.T) {
	for value, want := range map[string]string{
		`secret("env://A")`: "env://A", ` secret("env://A") `: "env://A",
		`env://A`: "", `secret('env://A')`: "", `x secret("env://A")`: "", `secret("a\"b")`: "",
	} {
		if got, ok := ReferenceIn(value); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t", value, got, ok)
		}
	}
}
