package ansible

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cloudops-manager/cloudops/engine"
)

// knownHostsFile has the SSH keys that hosts are known by, in the play's folder.
// Source of its form: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
const knownHostsFile = "known_hosts"

// writeKnownHosts pins the keys that are known: those that the inventory gives,
// or else those that the host showed first.
func (p *play) writeKnownHosts() error {
	var b strings.Builder
	for _, e := range endpoints(p.job.Ansible.Inventory, 0) {
		keys := e.keys
		if len(keys) == 0 {
			keys = p.job.Ansible.HostKeys[e.host]
		}
		for _, key := range keys {
			fmt.Fprintf(&b, "%s %s\n", e.known(), key)
		}
	}
	return write(p.path(knownHostsFile), []byte(b.String()))
}

// known is how the endpoint is called among known hosts.
func (e endpoint) known() string {
	host, port, err := net.SplitHostPort(e.address)
	if err != nil || port == "22" {
		return host
	}
	return "[" + host + "]:" + port
}

// seen tells what was found out about the hosts. Facts that hold a secret, as
// those of this machine with the play's own environment do, are left out.
func (p *play) seen() []engine.SeenHost {
	shown := p.shownKeys()
	var all []engine.SeenHost
	for _, g := range p.job.Ansible.Inventory.Groups {
		for _, h := range g.Hosts {
			i := slices.IndexFunc(all, func(s engine.SeenHost) bool { return s.Name == h.Name })
			if i >= 0 {
				all[i].Groups = append(all[i].Groups, g.Name)
				continue
			}
			s := engine.SeenHost{Name: h.Name, Address: h.Address, Port: h.Port, User: h.User, Groups: []string{g.Name}, Resource: h.Resource, Facts: p.factsOf(h.Name)}
			if !local(h, g) {
				s.Keys = shown[endpoint{address: address(h, 0)}.known()]
			}
			all = append(all, s)
		}
	}
	return all
}

// shownKeys reads the known keys by host, with those that SSH added.
func (p *play) shownKeys() map[string][]string {
	b, err := os.ReadFile(p.path(knownHostsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.Warn("known hosts not read", "err", err)
	}
	keys := map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) >= 3 {
			keys[words[0]] = append(keys[words[0]], words[1]+" "+words[2])
		}
	}
	return keys
}

// keptFacts are the facts that are worth keeping of a host.
var keptFacts = []string{
	"ansible_hostname", "ansible_fqdn", "ansible_distribution", "ansible_distribution_version", "ansible_kernel", "ansible_architecture",
	"ansible_processor_vcpus", "ansible_memtotal_mb", "ansible_all_ipv4_addresses", "ansible_all_ipv6_addresses", "ansible_python_version",
	"ansible_virtualization_type", "ansible_service_mgr", "ansible_pkg_mgr", "ansible_selinux", "ansible_apparmor", "ansible_uptime_seconds",
}

// factsOf reads what Ansible found out about a host; nil for nothing.
func (p *play) factsOf(host string) json.RawMessage {
	b, err := os.ReadFile(filepath.Join(p.dir, factsDir, host))
	var facts map[string]json.RawMessage
	if err != nil || json.Unmarshal(b, &facts) != nil {
		return nil // none were gathered
	}
	kept := map[string]json.RawMessage{}
	for _, name := range keptFacts {
		if v, ok := facts[name]; ok {
			kept[strings.TrimPrefix(name, "ansible_")] = v
		}
	}
	out, err := json.Marshal(kept)
	if err != nil || len(kept) == 0 || p.mask.finds(out) {
		return nil
	}
	return out
}

// changedKey words SSH's refusal of a host that shows another key than before;
// nil where it did not refuse.
func changedKey(host, message string) *Failure {
	if !strings.Contains(message, "HOST IDENTIFICATION HAS CHANGED") && !strings.Contains(message, "Host key verification failed") {
		return nil
	}
	return &Failure{Host: host, Message: "shows another SSH host key than the one that it is known by. Somebody may be in between. " +
		"If it was made anew on purpose, forget the key with: cloudops host forget-key STACK " + host}
}
