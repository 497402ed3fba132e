package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
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
				d := &Driver{dial: func(_ context.Context, e endpoint) error {
					at, ok := tt.up[e.address]
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

				err := d.waitReady(t.Context(), job.Ansible.Ready, awaited(job), &bytes.Buffer{})

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
	d := &Driver{dial: func(context.Context, endpoint) error {
		once.Do(func() { cancel(stopped) })
		return errors.New("connection refused")
	}}
	job := &engine.Job{Ansible: &engine.AnsibleJob{Ready: &engine.Readiness{Timeout: time.Hour}, Inventory: engine.Inventory{
		Groups: []engine.Group{{Name: "web", Hosts: []engine.Host{{Name: "web-1", Address: "10.0.0.1"}}}},
	}}}

	if err := d.waitReady(ctx, job.Ansible.Ready, awaited(job), &bytes.Buffer{}); !errors.Is(err, stopped) {
		t.Errorf("error = %v, want the cause of the cancel", err)
	}
}

func TestDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := dial(t.Context(), endpoint{address: l.Addr().String()}); err != nil {
		t.Errorf("open port: %v", err)
	}
	l.Close()
	if err := dial(t.Context(), endpoint{address: l.Addr().String()}); err == nil {
		t.Error("closed port answers")
	}
}

// A play over WinRM used to wait for SSH's port.
func TestHostsOverWinRMAreAwaitedWhereTheyAnswer(t *testing.T) {
	refuses := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/wsman" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
	plain, sealed := httptest.NewServer(refuses), httptest.NewTLSServer(refuses)
	sealed.Config.ErrorLog = log.New(io.Discard, "", 0) // it hears somebody who speaks no TLS
	defer plain.Close()
	defer sealed.Close()
	tests := map[string]struct {
		protocol protocol
		server   *httptest.Server
		ready    bool
	}{
		"HTTPS with a certificate that nobody knows": {tlsWinRM, sealed, true},
		"HTTP":                    {httpWinRM, plain, true},
		"HTTPS at a port of HTTP": {tlsWinRM, plain, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := dial(t.Context(), endpoint{address: tt.server.Listener.Addr().String(), protocol: tt.protocol})
			if (err == nil) != tt.ready {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	tests := map[string]struct {
		vars  string // of the group
		port  int
		other int
		want  endpoint
		known string
	}{
		"SSH":                          {`{}`, 0, 0, endpoint{address: "H.example:22", protocol: speaksSSH}, "h.example"},
		"SSH elsewhere":                {`{}`, 2222, 0, endpoint{address: "H.example:2222", protocol: speaksSSH}, "[h.example]:2222"},
		"another service":              {`{}`, 0, 8080, endpoint{address: "H.example:8080"}, "[h.example]:8080"},
		"SSH by its port":              {`{}`, 0, 22, endpoint{address: "H.example:22", protocol: speaksSSH}, "h.example"},
		"WinRM":                        {`{"ansible_connection":"winrm"}`, 0, 0, endpoint{address: "H.example:5986", protocol: tlsWinRM}, "[h.example]:5986"},
		"WinRM over HTTP":              {`{"ansible_connection":"winrm","ansible_winrm_scheme":"http"}`, 0, 0, endpoint{address: "H.example:5985", protocol: httpWinRM}, "[h.example]:5985"},
		"WinRM at the port of HTTP":    {`{"ansible_connection":"winrm"}`, 5985, 0, endpoint{address: "H.example:5985", protocol: httpWinRM}, "[h.example]:5985"},
		"WinRM elsewhere":              {`{"ansible_connection":"winrm"}`, 443, 0, endpoint{address: "H.example:443", protocol: tlsWinRM}, "[h.example]:443"},
		"PSRP":                         {`{"ansible_connection":"psrp"}`, 0, 0, endpoint{address: "H.example:5986", protocol: tlsWinRM}, "[h.example]:5986"},
		"PSRP over HTTP":               {`{"ansible_connection":"psrp","ansible_psrp_protocol":"http"}`, 0, 0, endpoint{address: "H.example:5985", protocol: httpWinRM}, "[h.example]:5985"},
		"a connection of another kind": {`{"ansible_connection":"community.docker.docker"}`, 0, 0, endpoint{address: "H.example:22"}, "h.example"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := engine.Group{Name: "g", Hosts: []engine.Host{{Name: "h", Address: "H.example", Port: tt.port}}}
			if err := json.Unmarshal([]byte(tt.vars), &g.Vars); err != nil {
				t.Fatal(err)
			}
			tt.want.host = "h"

			got := endpoints(engine.Inventory{Groups: []engine.Group{g}}, tt.other)

			if diff := cmp.Diff([]endpoint{tt.want}, got, cmp.AllowUnexported(endpoint{})); diff != "" {
				t.Errorf("endpoints (-want +got):\n%s", diff)
			}
			if known := got[0].known(); known != tt.known {
				t.Errorf("known as %s, want %s", known, tt.known)
			}
		})
	}
}

func TestChecksWaitForMachinesThatMayBeBooting(t *testing.T) {
	known := map[string][]string{"old": {"ssh-ed25519 AAAA"}}
	tests := map[string]struct {
		change func(job *engine.Job)
		want   []string
	}{
		"those that nobody has met":         {func(*engine.Job) {}, []string{"new"}},
		"all, in the middle of an apply":    {func(job *engine.Job) { job.Ansible.Late = true }, []string{"old", "given", "new"}},
		"none where the stack does not ask": {func(job *engine.Job) { job.Ansible.Ready, job.Ansible.Late = nil, true }, nil},
		"none in a drift check":             {func(job *engine.Job) { job.RunKind = engine.RunDrift }, nil},
		"none in a preview":                 {func(job *engine.Job) { job.RunKind = engine.RunPreview }, nil},
		"none before a destroy":             {func(job *engine.Job) { job.Destroy = true }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			job := &engine.Job{RunKind: engine.RunApply, Ansible: &engine.AnsibleJob{
				Ready: &engine.Readiness{}, HostKeys: known,
				Inventory: engine.Inventory{Groups: []engine.Group{{Name: "g", Hosts: []engine.Host{
					{Name: "old", Address: "10.0.0.1"}, {Name: "given", Address: "10.0.0.2", HostKeys: []string{"ssh-ed25519 BBBB"}}, {Name: "new", Address: "10.0.0.3"},
				}}}},
			}}
			tt.change(job)
			var got []string
			for _, e := range booting(job) {
				got = append(got, e.host)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("waits for (-want +got):\n%s", diff)
			}
		})
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
		"WinRM over HTTP, whose port Ansible does not know": {
			inv: engine.Inventory{Groups: []engine.Group{{Name: "w", Hosts: []engine.Host{{
				Name: "w-1", Address: "w-1", Vars: map[string]json.RawMessage{"ansible_connection": json.RawMessage(`"winrm"`), "ansible_winrm_scheme": json.RawMessage(`"http"`)},
			}}}}},
			want: "{\"w\": {\"hosts\": {\"w-1\": {\"ansible_connection\": !unsafe \"winrm\",\n\"ansible_port\": 5985,\n\"ansible_winrm_scheme\": !unsafe \"http\"}},\n\"vars\": null}}\n",
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
			got, err := renderInventory(tt.inv, "")
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("inventory (-want +got):\n%s", diff)
			}
			if message(err) != tt.err {
				t.Errorf("error = %v, want %s", err, tt.err)
			}
		})
	}
}
