package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cloudops-manager/cloudops/engine"
)

func TestAPortWithoutAnSSHServerIsNotReady(t *testing.T) {
	tests := map[string]struct {
		says  string
		ready bool
	}{
		"a server that greets":           {"SSH-2.0-x\r\n", true},
		"one with a notice before":       {"Keep out\r\nSSH-2.0-x\r\n", true},
		"one that closes the connection": {"", false},
		"another protocol":               {"220 mail.example.com\r\n", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := greeting(strings.NewReader(tt.says)); (err == nil) != tt.ready {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestWaitReady(t *testing.T) {
	refused := errors.New("connection refused")
	tests := map[string]struct {
		up   map[string]time.Duration // when each address begins to answer
		want string
	}{
		"all answer at once":  {map[string]time.Duration{"10.0.0.1:22": 0, "10.0.0.2:2222": 0}, ""},
		"one takes a while":   {map[string]time.Duration{"10.0.0.1:22": 40 * time.Second, "10.0.0.2:2222": 0}, ""},
		"one takes too long":  {map[string]time.Duration{"10.0.0.1:22": 2 * time.Minute, "10.0.0.2:2222": 0}, "web-1: 10.0.0.1:22 did not answer within 1m0s: connection refused"},
		"nobody ever answers": {nil, "web-1: 10.0.0.1:22 did not answer within 1m0s: connection refused (and 1 more)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				d := &Driver{dial: func(_ context.Context, address string, _ bool) error {
					at, ok := tt.up[address]
					if !ok || time.Since(start) < at {
						return refused
					}
					return nil
				}}
				job := &engine.Job{Ansible: &engine.AnsibleJob{
					Inventory: engine.Inventory{Groups: []engine.Group{
						{Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "10.0.0.1"}, {Name: "web-2", Address: "10.0.0.2", Port: 2222}}},
						{Name: "all", Hosts: []engine.Host{{Name: "web-1", Address: "10.0.0.1"}}},
						localInventory("here").Groups[0],
					}},
					Ready: &engine.Readiness{Timeout: time.Minute},
				}}

				err := d.waitReady(t.Context(), job, &bytes.Buffer{})

				if got := message(err); got != tt.want {
					t.Errorf("error = %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWaitReadyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by ada")
	var once sync.Once
	d := &Driver{dial: func(context.Context, string, bool) error {
		once.Do(func() { cancel(stopped) })
		return errors.New("connection refused")
	}}
	job := &engine.Job{Ansible: &engine.AnsibleJob{Ready: &engine.Readiness{Timeout: time.Hour}, Inventory: engine.Inventory{
		Groups: []engine.Group{{Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "10.0.0.1"}}}},
	}}}

	if err := d.waitReady(ctx, job, &bytes.Buffer{}); !errors.Is(err, stopped) {
		t.Errorf("error = %v, want the cause of the cancel", err)
	}
}

func TestDialTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := dialTCP(t.Context(), l.Addr().String(), false); err != nil {
		t.Errorf("open port: %v", err)
	}
	l.Close()
	if err := dialTCP(t.Context(), l.Addr().String(), false); err == nil {
		t.Error("closed port answers")
	}
}

func TestRenderInventory(t *testing.T) {
	tests := map[string]struct {
		inv  engine.Inventory
		want string
		err  string
	}{
		"a host with all": {
			inv: engine.Inventory{Groups: []engine.Group{{
				Name: "web",
				Hosts: []engine.Host{{
					Name: "web-1", Address: "fe80::1", User: "admin", Port: 2222, Resource: "aws_instance.this[0]",
					Vars: map[string]json.RawMessage{"size": json.RawMessage(`3`)},
				}},
				Vars: map[string]json.RawMessage{"tier": json.RawMessage(`"front"`)},
			}}},
			want: "{\"web\": {\"hosts\": {\"web-1\": {\"ansible_host\": !unsafe \"fe80::1\",\n\"ansible_port\": 2222,\n\"ansible_user\": !unsafe \"admin\",\n\"size\": 3}},\n\"vars\": {\"tier\": !unsafe \"front\"}}}\n",
		},
		"a host that is its own address": {
			inv:  engine.Inventory{Groups: []engine.Group{{Name: "db", Hosts: []engine.Host{{Name: "10.0.0.1", Address: "10.0.0.1"}}}}},
			want: "{\"db\": {\"hosts\": {\"10.0.0.1\": {}},\n\"vars\": null}}\n",
		},
		"no groups": {want: "{}\n"},
		"a group with an odd name": {
			inv: engine.Inventory{Groups: []engine.Group{{Name: "a b"}}},
			err: `group "a b": a group's name has letters, digits, '_', '-' and '.' only`,
		},
		"a group twice": {
			inv: engine.Inventory{Groups: []engine.Group{{Name: "a"}, {Name: "a"}}},
			err: `group "a" is described twice`,
		},
		"a host with a port in its name": {
			inv: engine.Inventory{Groups: []engine.Group{{Name: "a", Hosts: []engine.Host{{Name: "h:22"}}}}},
			err: `host "h:22": a host's name has letters, digits, '_', '-' and '.' only; the address goes in address`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := renderInventory(tt.inv)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("inventory (-want +got):\n%s", diff)
			}
			if message(err) != tt.err {
				t.Errorf("error = %v, want %s", err, tt.err)
			}
		})
	}
}
